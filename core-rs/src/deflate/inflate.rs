//! Reads a deflate stream block by block: header, tokens and plain bytes.
//!
//! It holds no input. When a block ends in bytes that are not there yet, it says `Truncated` and
//! stays where it was: give it a reader over more input at the same bit and go on.

use super::bit_reader::BitReader;
use super::block::{BlockHeader, BlockKind, code_lengths_of, read_header};
use super::error::InflateError;
use super::huffman::{
    Alphabet, CODE_BITS, DecodeTable, EXTRA_MASK, EXTRA_SHIFT, Entry, IS_END, IS_LITERAL,
    MAX_CODE_BITS,
};
use super::token::{MAX_DISTANCE, MAX_MATCH, Token};

/// How far back matches reach, bytes (RFC 1951 §2).
pub const WINDOW_SIZE: usize = MAX_DISTANCE as usize;
/// Plain text of one block, bytes. Twice what the largest blocks of zlib, Go and klauspost hold
/// (65,535 tokens of 258 bytes); a larger one is kept as it is, so that memory stays bounded.
pub const DEFAULT_BLOCK_LIMIT: u64 = 32 << 20;
/// Old plain text is moved out when there is so much of it, bytes: a rare move of 32 KiB.
const HISTORY_SIZE: usize = 8 * WINDOW_SIZE;
/// Bytes copied at once; copies may write so much past the end of a match.
const CHUNK: usize = 16;
/// Room that is there before each token.
const SLACK: usize = MAX_MATCH as usize + CHUNK;

/// What an inflater may give out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InflateOptions {
    /// Bytes of plain text of the whole stream.
    pub output_limit: u64,
    /// Bytes of plain text of one block.
    pub block_limit: u64,
}

impl Default for InflateOptions {
    fn default() -> Self {
        Self {
            output_limit: u64::MAX,
            block_limit: DEFAULT_BLOCK_LIMIT,
        }
    }
}

/// A block that was read. Its tokens are in the caller's vector, its plain text in the inflater.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Where its header begins, bits from the start of the input.
    pub bit_offset: u64,
    /// First bit after it.
    pub bit_end: u64,
    /// All but its tokens or plain bytes.
    pub header: BlockHeader,
}

/// Reads one deflate stream.
#[derive(Clone, Debug)]
pub struct Inflater {
    options: InflateOptions,
    /// Plain text: what matches can reach, the last block, and room to write.
    text: Vec<u8>,
    /// First byte of the last block.
    block_start: usize,
    /// First byte after it.
    end: usize,
    /// Plain bytes up to `end`, without the window that the inflater began with.
    total: u64,
    literals: DecodeTable,
    distances: DecodeTable,
}

impl Inflater {
    /// At the start of a stream.
    pub fn new(options: InflateOptions) -> Self {
        Self::with_window(options, &[])
    }

    /// At a later block, with the plain text before it (its last 32 KiB count).
    pub fn with_window(options: InflateOptions, window: &[u8]) -> Self {
        let window = &window[window.len().saturating_sub(WINDOW_SIZE)..];
        Self {
            options,
            text: window.to_vec(),
            block_start: window.len(),
            end: window.len(),
            total: 0,
            literals: DecodeTable::default(),
            distances: DecodeTable::default(),
        }
    }

    /// Plain text of the last block.
    pub fn plain(&self) -> &[u8] {
        &self.text[self.block_start..self.end]
    }

    /// What the last block could reach: up to 32 KiB of plain text before it.
    pub fn window(&self) -> &[u8] {
        &self.text[self.block_start.saturating_sub(WINDOW_SIZE)..self.block_start]
    }

    /// Plain bytes given out up to now.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Reads the next block; puts its tokens into `tokens` in place of what is there (a stored
    /// block has none). After the block whose header says so the stream is over.
    ///
    /// # Errors
    /// What is wrong and where. The inflater and `bits` then stay before the block, but `plain` is
    /// empty.
    pub fn read_block(
        &mut self,
        bits: &mut BitReader<'_>,
        tokens: &mut Vec<Token>,
    ) -> Result<Block, InflateError> {
        tokens.clear();
        self.drop_old_text();
        self.block_start = self.end;
        let before = bits.clone();
        let result = self.read_block_at(bits, tokens);
        if result.is_ok() {
            self.total += (self.end - self.block_start) as u64;
        } else {
            *bits = before;
            self.end = self.block_start;
            tokens.clear();
        }
        result
    }

    fn drop_old_text(&mut self) {
        if self.end > HISTORY_SIZE {
            self.text.copy_within(self.end - WINDOW_SIZE..self.end, 0);
            self.end = WINDOW_SIZE;
        }
    }

    fn read_block_at(
        &mut self,
        bits: &mut BitReader<'_>,
        tokens: &mut Vec<Token>,
    ) -> Result<Block, InflateError> {
        let bit_offset = bits.bit_offset();
        let mut header = read_header(bits)?;
        if let BlockKind::Stored { length, .. } = header.kind {
            self.check_limits(bits, u64::from(length))?;
            let plain = bits.read_bytes(usize::from(length))?;
            let end = self.end + plain.len();
            if self.text.len() < end {
                self.text.resize(end + HISTORY_SIZE, 0);
            }
            self.text[self.end..end].copy_from_slice(plain);
            self.end = end;
        } else if let Some(lengths) = code_lengths_of(&header.kind) {
            self.literals.build(&lengths.literals, Alphabet::Literal);
            self.distances.build(&lengths.distances, Alphabet::Distance);
            self.read_tokens(bits, tokens, &mut header.long_forms)?;
            self.check_limits(bits, (self.end - self.block_start) as u64)?;
        }
        Ok(Block {
            bit_offset,
            bit_end: bits.bit_offset(),
            header,
        })
    }

    /// `length`: bytes of the block up to now.
    fn check_limits(&self, bits: &BitReader<'_>, length: u64) -> Result<(), InflateError> {
        let bit_offset = bits.bit_offset();
        let total = self.total.saturating_add(length);
        if total > self.options.output_limit {
            return Err(InflateError::OutputLimit {
                bit_offset,
                got: total,
                expected: self.options.output_limit,
            });
        }
        if length > self.options.block_limit {
            return Err(InflateError::BlockLimit {
                bit_offset,
                got: length,
                expected: self.options.block_limit,
            });
        }
        Ok(())
    }

    /// Makes room for more tokens, unless the block is over a limit.
    #[cold]
    fn grow(&mut self, bits: &BitReader<'_>, end: usize) -> Result<(), InflateError> {
        self.check_limits(bits, (end - self.block_start) as u64)?;
        let wanted = (self.text.len() * 2).max(end + 2 * HISTORY_SIZE);
        self.text.resize(wanted, 0);
        Ok(())
    }

    fn read_tokens(
        &mut self,
        bits: &mut BitReader<'_>,
        tokens: &mut Vec<Token>,
        long_forms: &mut Vec<u32>,
    ) -> Result<(), InflateError> {
        let mut end = self.end;
        loop {
            if self.text.len() < end + SLACK {
                self.grow(bits, end)?;
            }
            bits.refill();
            let entry = self.literals.find(bits.peek());
            let code_bits = take_code(bits, entry, Alphabet::Literal)?;
            if entry & IS_LITERAL != 0 {
                bits.skip(code_bits);
                let byte = entry.to_le_bytes()[2];
                self.text[end] = byte;
                end += 1;
                tokens.push(Token::literal(byte));
                continue;
            }
            if entry & IS_END != 0 {
                bits.skip(code_bits);
                self.end = end;
                return Ok(());
            }
            let (length, has_extra) = take_number(bits, entry)?;
            let entry = self.distances.find(bits.peek());
            take_code(bits, entry, Alphabet::Distance)?;
            let (distance, _) = take_number(bits, entry)?;
            if usize::from(distance) > end {
                return Err(too_far_back(bits, distance, end));
            }
            if length == MAX_MATCH && has_extra {
                long_forms.push(u32::try_from(tokens.len()).unwrap_or(u32::MAX));
            }
            copy_match(
                &mut self.text,
                end,
                usize::from(length),
                usize::from(distance),
            );
            end += usize::from(length);
            tokens.push(Token::matched(length, distance));
        }
    }
}

/// Bits of the code that `entry` was found by, if they are in the input and stand for something.
#[inline]
fn take_code(bits: &BitReader<'_>, entry: Entry, alphabet: Alphabet) -> Result<u32, InflateError> {
    let code_bits = entry & CODE_BITS;
    if code_bits == 0 || code_bits > bits.count() {
        return Err(no_code(bits, code_bits, alphabet));
    }
    Ok(code_bits)
}

#[cold]
fn no_code(bits: &BitReader<'_>, code_bits: u32, alphabet: Alphabet) -> InflateError {
    let longest = MAX_CODE_BITS as u64;
    if code_bits > bits.count() || u64::from(bits.count()) < longest {
        return bits.truncated(u64::from(code_bits.max(bits.count() + 1)));
    }
    let [low, high, ..] = bits.peek().to_le_bytes();
    InflateError::Symbol {
        bit_offset: bits.bit_offset(),
        alphabet,
        got: u32::from(u16::from_le_bytes([low, high]) & 0x7fff),
    }
}

/// Length or distance of an entry with its extra bits, and whether it has any.
#[inline]
fn take_number(bits: &mut BitReader<'_>, entry: Entry) -> Result<(u16, bool), InflateError> {
    let code_bits = entry & CODE_BITS;
    let extra_bits = entry >> EXTRA_SHIFT & EXTRA_MASK;
    if code_bits + extra_bits > bits.count() {
        return Err(bits.truncated(u64::from(code_bits + extra_bits)));
    }
    let [low, high, ..] = (bits.peek() >> code_bits).to_le_bytes();
    let extra = u16::from_le_bytes([low, high]) & ((1 << extra_bits) - 1);
    bits.skip(code_bits + extra_bits);
    let [_, _, low, high] = entry.to_le_bytes();
    Ok((u16::from_le_bytes([low, high]) + extra, extra_bits > 0))
}

#[cold]
fn too_far_back(bits: &BitReader<'_>, distance: u16, end: usize) -> InflateError {
    InflateError::TooFarBack {
        bit_offset: bits.bit_offset(),
        got: u64::from(distance),
        expected: end as u64,
    }
}

/// Repeats text; may write up to `CHUNK` bytes more than `length`, for which there is room.
#[inline]
fn copy_match(text: &mut [u8], end: usize, length: usize, distance: usize) {
    let start = end - distance;
    if distance >= CHUNK {
        let mut copied = 0;
        while copied < length {
            let mut chunk = [0; CHUNK];
            chunk.copy_from_slice(&text[start + copied..start + copied + CHUNK]);
            text[end + copied..end + copied + CHUNK].copy_from_slice(&chunk);
            copied += CHUNK;
        }
    } else if distance == 1 {
        let byte = text[start];
        text[end..end + length].fill(byte);
    } else {
        for offset in 0..length {
            text[end + offset] = text[start + offset];
        }
    }
}
