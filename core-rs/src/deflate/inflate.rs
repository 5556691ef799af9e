//! Reads a deflate stream piece by piece: headers of blocks, tokens and plain bytes.
//!
//! It holds no input. When a piece ends in bytes that are not there yet, it says `Truncated` and
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
/// Old plain text is moved out when there is so much of it, bytes: a rare move of 32 KiB.
const HISTORY_SIZE: usize = 8 * WINDOW_SIZE;
/// Bytes copied at once; copies may write so much past the end of a match.
const CHUNK: usize = 16;
/// Room for the first plain text, bytes. It is doubled as needed; more would be cleared in vain for
/// each member of a layer that has one of 20 bytes after the other.
const FIRST_ROOM: usize = 4096;
/// Room that is there before each token.
const SLACK: usize = MAX_MATCH as usize + CHUNK;

/// A block, or a part of one, that was read. Its tokens are in the caller's vector, its plain text in
/// the inflater.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Where it begins, bits from the start of the input.
    pub bit_offset: u64,
    /// First bit after it.
    pub bit_end: u64,
    /// The header that it begins with, unless it goes on with the block before.
    pub header: Option<BlockHeader>,
    /// Tokens of the piece, by index, that are matches of 258 bytes written in the unusual form.
    pub long_forms: Vec<u32>,
    /// Whether the block, or even the stream, ends with it.
    pub end: PieceEnd,
}

/// What ends with a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceEnd {
    /// Nothing: the next piece goes on with the block.
    Open,
    /// Its block.
    Block,
    /// The last block of the stream.
    Stream,
}

/// Reads one deflate stream.
#[derive(Clone, Debug)]
pub struct Inflater {
    /// Bytes of plain text that the stream may give.
    output_limit: u64,
    /// Plain text: what matches can reach, the last block, and room to write.
    text: Vec<u8>,
    /// First byte of the last piece.
    piece_start: usize,
    /// First byte after it.
    end: usize,
    /// Plain bytes up to `end`, without the window that the inflater began with.
    total: u64,
    /// Whether the stream is within a compressed block, the tables' one.
    is_open: bool,
    /// Whether that block is the last one.
    is_final: bool,
    literals: DecodeTable,
    distances: DecodeTable,
}

impl Inflater {
    /// At the start of a stream that may give `output_limit` bytes of plain text.
    pub fn new(output_limit: u64) -> Self {
        Self {
            output_limit,
            text: Vec::new(),
            piece_start: 0,
            end: 0,
            total: 0,
            is_open: false,
            is_final: false,
            literals: DecodeTable::default(),
            distances: DecodeTable::default(),
        }
    }

    /// Plain text of the last piece.
    pub fn plain(&self) -> &[u8] {
        &self.text[self.piece_start..self.end]
    }

    /// Plain bytes given out up to now.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Reads the next piece: up to the end of its block, or to the first token that ends at `stop`
    /// bytes of plain text or later, counted like [`total`](Self::total). Puts its tokens into
    /// `tokens` in place of what is there; a stored block has none, and is always whole.
    ///
    /// # Errors
    /// What is wrong and where. The inflater and `bits` then stay before the piece, but `plain` is
    /// empty.
    pub fn read_piece(
        &mut self,
        bits: &mut BitReader<'_>,
        stop: u64,
        tokens: &mut Vec<Token>,
    ) -> Result<Piece, InflateError> {
        tokens.clear();
        self.drop_old_text();
        self.piece_start = self.end;
        let before = bits.clone();
        let was_open = self.is_open;
        let result = self.read_piece_at(bits, stop, tokens);
        if result.is_ok() {
            self.total += (self.end - self.piece_start) as u64;
        } else {
            *bits = before;
            self.is_open = was_open;
            self.end = self.piece_start;
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

    fn read_piece_at(
        &mut self,
        bits: &mut BitReader<'_>,
        stop: u64,
        tokens: &mut Vec<Token>,
    ) -> Result<Piece, InflateError> {
        let bit_offset = bits.bit_offset();
        let mut header = None;
        if !self.is_open {
            let block = header.insert(read_header(bits)?);
            self.is_final = block.is_final;
            if let BlockKind::Stored { length, .. } = block.kind {
                self.read_stored(bits, usize::from(length))?;
            } else if let Some(lengths) = code_lengths_of(&block.kind) {
                self.literals.build(&lengths.literals, Alphabet::Literal);
                self.distances.build(&lengths.distances, Alphabet::Distance);
                self.is_open = true;
            }
        }
        let mut long_forms = Vec::new();
        if self.is_open {
            let room = usize::try_from(stop.saturating_sub(self.total)).unwrap_or(usize::MAX);
            let stop = self.piece_start.saturating_add(room);
            self.is_open = !self.read_tokens(bits, stop, tokens, &mut long_forms)?;
            self.check_limit(bits, self.end)?;
        }
        Ok(Piece {
            bit_offset,
            bit_end: bits.bit_offset(),
            header,
            long_forms,
            end: match (self.is_open, self.is_final) {
                (true, _) => PieceEnd::Open,
                (false, false) => PieceEnd::Block,
                (false, true) => PieceEnd::Stream,
            },
        })
    }

    fn read_stored(&mut self, bits: &mut BitReader<'_>, length: usize) -> Result<(), InflateError> {
        let end = self.end + length;
        self.check_limit(bits, end)?;
        let plain = bits.read_bytes(length)?;
        if self.text.len() < end {
            self.text.resize(self.room_for(end), 0);
        }
        self.text[self.end..end].copy_from_slice(plain);
        self.end = end;
        Ok(())
    }

    /// `end`: of the plain text up to now.
    fn check_limit(&self, bits: &BitReader<'_>, end: usize) -> Result<(), InflateError> {
        let got = self.total.saturating_add((end - self.piece_start) as u64);
        if got > self.output_limit {
            return Err(InflateError::OutputLimit {
                bit_offset: bits.bit_offset(),
                got,
                expected: self.output_limit,
            });
        }
        Ok(())
    }

    /// Makes room for more tokens, unless the stream is over its limit.
    #[cold]
    fn grow(&mut self, bits: &BitReader<'_>, end: usize) -> Result<(), InflateError> {
        self.check_limit(bits, end)?;
        self.text.resize(self.room_for(end + SLACK), 0);
        Ok(())
    }

    fn room_for(&self, end: usize) -> usize {
        (self.text.len() * 2).max(end).max(FIRST_ROOM)
    }

    /// Up to the end of the block, or to `stop` in the text; whether it was the end.
    fn read_tokens(
        &mut self,
        bits: &mut BitReader<'_>,
        stop: usize,
        tokens: &mut Vec<Token>,
        long_forms: &mut Vec<u32>,
    ) -> Result<bool, InflateError> {
        let mut end = self.end;
        while end < stop {
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
                return Ok(true);
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
        self.end = end;
        Ok(false)
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
