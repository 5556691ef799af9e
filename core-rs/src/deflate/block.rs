//! Headers of blocks, read and written to the bit, and the writer of whole blocks.

use super::bit_reader::BitReader;
use super::bit_writer::BitWriter;
use super::error::{InflateError, WriteError};
use super::huffman::{
    Alphabet, CODE_LENGTH_SYMBOLS, DISTANCE_SYMBOLS, DISTANCES, DecodeTable, END_OF_BLOCK,
    EncodeTable, LENGTHS, LITERAL_SYMBOLS, VALUE_SHIFT, check_lengths, fixed_lengths,
};
use super::token::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH, Token, TokenKind};
use super::token_codes::TokenCodes;

/// Order in which the lengths of the code length code are written (RFC 1951 §3.2.7).
pub(crate) const CODE_LENGTH_ORDER: [usize; CODE_LENGTH_SYMBOLS] = [
    16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15,
];
/// Symbol 284 with all five extra bits set: a match of 258 bytes in its unusual form.
const LONG_FORM_SYMBOL: usize = 284;
const LONG_FORM_EXTRA: u32 = 31;

/// What a block begins with, before its tokens or plain bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockHeader {
    /// No block follows.
    pub is_final: bool,
    /// How the block is written.
    pub kind: BlockKind,
}

/// How a block is written (RFC 1951 §3.2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Plain bytes.
    Stored {
        /// Bytes in the block.
        length: u16,
        /// The bits between the header and the next whole byte, mostly zero.
        padding: u8,
    },
    /// Tokens in the code that the format fixes.
    Fixed,
    /// Tokens in codes that the header brings along.
    Dynamic(DynamicCodes),
}

/// The codes of a dynamic block as they are written (RFC 1951 §3.2.7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DynamicCodes {
    /// Code lengths for literals and lengths: 257 to 286.
    pub literal_count: u16,
    /// Code lengths for distances: 1 to 30.
    pub distance_count: u8,
    /// Lengths of the code length code, in the order and number written: 4 to 19, each 0 to 7.
    pub code_lengths: Vec<u8>,
    /// Symbols of that code, each with the number in its extra bits.
    pub runs: Vec<LengthRun>,
}

/// One symbol of the code length code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthRun {
    /// 0 to 15: that length once. 16: the one before again. 17 and 18: zeros.
    pub symbol: u8,
    /// Value of the extra bits, 0 if the symbol has none.
    pub extra: u8,
}

impl LengthRun {
    /// Extra bits and the shortest run of a symbol (RFC 1951 §3.2.7).
    const fn form(symbol: u8) -> (u32, usize) {
        match symbol {
            16 => (2, 3),
            17 => (3, 3),
            18 => (7, 11),
            _ => (0, 1),
        }
    }

    /// Code lengths that the symbol stands for.
    pub fn length(self) -> usize {
        Self::form(self.symbol).1 + usize::from(self.extra)
    }
}

/// Code lengths of a block's two codes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeLengths {
    /// Of each literal and length symbol.
    pub literals: Vec<u8>,
    /// Of each distance symbol.
    pub distances: Vec<u8>,
}

impl DynamicCodes {
    /// The code lengths that the runs stand for; lengths after the announced count are left out,
    /// missing ones are zero.
    pub fn lengths(&self) -> CodeLengths {
        let literal_count = usize::from(self.literal_count);
        let total = literal_count + usize::from(self.distance_count);
        let mut lengths: Vec<u8> = Vec::with_capacity(total);
        for run in &self.runs {
            let length = match run.symbol {
                16 => lengths.last().copied().unwrap_or(0),
                17 | 18 => 0,
                length => length,
            };
            lengths.resize((lengths.len() + run.length()).min(total), length);
        }
        lengths.resize(total, 0);
        let distances = lengths.split_off(literal_count);
        CodeLengths {
            literals: lengths,
            distances,
        }
    }
}

/// Reads a block's header, up to its first token or plain byte.
///
/// # Errors
/// Where the header is not one, or ends.
pub fn read_header(bits: &mut BitReader<'_>) -> Result<BlockHeader, InflateError> {
    let bit_offset = bits.bit_offset();
    let is_final = bits.read(1)? == 1;
    let kind = match bits.read(2)? {
        0 => read_stored(bits)?,
        1 => BlockKind::Fixed,
        2 => BlockKind::Dynamic(read_dynamic(bits)?),
        got => return Err(InflateError::BlockType { bit_offset, got }),
    };
    Ok(BlockHeader { is_final, kind })
}

fn read_stored(bits: &mut BitReader<'_>) -> Result<BlockKind, InflateError> {
    let padding = bits.read_padding();
    let length = bits.read(16)?;
    let bit_offset = bits.bit_offset();
    let got = bits.read(16)?;
    let expected = length ^ 0xffff;
    if got != expected {
        return Err(InflateError::StoredLength {
            bit_offset,
            got,
            expected,
        });
    }
    Ok(BlockKind::Stored {
        length: low_u16(length),
        padding,
    })
}

fn read_dynamic(bits: &mut BitReader<'_>) -> Result<DynamicCodes, InflateError> {
    let literal_count = read_count(bits, 5, 257, Alphabet::Literal, LITERAL_SYMBOLS)?;
    let distance_count = read_count(bits, 5, 1, Alphabet::Distance, DISTANCE_SYMBOLS)?;
    let written = bits.read(4)? + 4;
    let mut code_lengths = Vec::with_capacity(CODE_LENGTH_SYMBOLS);
    for _ in 0..written {
        code_lengths.push(low_u8(bits.read(3)?));
    }
    let by_symbol = code_length_lengths(&code_lengths);
    check(bits.bit_offset(), &by_symbol, Alphabet::CodeLength)?;
    let mut table = DecodeTable::default();
    table.build(&by_symbol, Alphabet::CodeLength);
    let mut codes = DynamicCodes {
        literal_count: low_u16(literal_count),
        distance_count: low_u8(distance_count),
        code_lengths,
        runs: Vec::with_capacity(64),
    };
    let mut open = literal_count + distance_count;
    while open > 0 {
        let bit_offset = bits.bit_offset();
        let run = read_run(bits, &table)?;
        if run.symbol == 16 && codes.runs.is_empty() {
            return Err(InflateError::RepeatOfNothing { bit_offset });
        }
        let got = u32::try_from(run.length()).unwrap_or(u32::MAX);
        open = open.checked_sub(got).ok_or(InflateError::RunTooLong {
            bit_offset,
            got,
            expected: open,
        })?;
        codes.runs.push(run);
    }
    let lengths = codes.lengths();
    check(bits.bit_offset(), &lengths.literals, Alphabet::Literal)?;
    check(bits.bit_offset(), &lengths.distances, Alphabet::Distance)?;
    Ok(codes)
}

fn read_count(
    bits: &mut BitReader<'_>,
    width: u32,
    base: u32,
    alphabet: Alphabet,
    max: usize,
) -> Result<u32, InflateError> {
    let bit_offset = bits.bit_offset();
    let got = bits.read(width)? + base;
    let expected = u32::try_from(max).unwrap_or(u32::MAX);
    if got > expected {
        return Err(InflateError::SymbolCount {
            bit_offset,
            alphabet,
            got,
            expected,
        });
    }
    Ok(got)
}

fn read_run(bits: &mut BitReader<'_>, table: &DecodeTable) -> Result<LengthRun, InflateError> {
    bits.refill();
    let entry = table.find(bits.peek());
    let code_bits = entry & 0xff;
    if code_bits > bits.count() {
        return Err(bits.truncated(u64::from(code_bits)));
    }
    bits.skip(code_bits);
    let symbol = low_u8(entry >> VALUE_SHIFT);
    let extra = low_u8(bits.read(LengthRun::form(symbol).0)?);
    Ok(LengthRun { symbol, extra })
}

fn check(bit_offset: u64, lengths: &[u8], alphabet: Alphabet) -> Result<(), InflateError> {
    check_lengths(lengths, alphabet).map_err(|problem| InflateError::Code {
        bit_offset,
        alphabet,
        problem,
    })
}

/// Lengths by symbol, of lengths in the order of the header.
fn code_length_lengths(written: &[u8]) -> [u8; CODE_LENGTH_SYMBOLS] {
    let mut by_symbol = [0; CODE_LENGTH_SYMBOLS];
    for (&symbol, &length) in CODE_LENGTH_ORDER.iter().zip(written) {
        by_symbol[symbol] = length;
    }
    by_symbol
}

const fn low_u8(value: u32) -> u8 {
    value.to_le_bytes()[0]
}

const fn low_u16(value: u32) -> u16 {
    let [low, high, ..] = value.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// Writes a block's header: the bits that `read_header` gave it for.
///
/// # Errors
/// If the header has values that no bits stand for.
pub fn write_header(bits: &mut BitWriter, header: &BlockHeader) -> Result<(), WriteError> {
    let is_final = u32::from(header.is_final);
    match &header.kind {
        BlockKind::Stored { length, padding } => {
            bits.write(is_final, 3);
            let width = bits.padding_bits();
            check_field("padding", usize::from(*padding), 0, (1 << width) - 1)?;
            bits.write_padding(*padding);
            bits.write(u32::from(*length), 16);
            bits.write(u32::from(!*length), 16);
            Ok(())
        }
        BlockKind::Fixed => {
            bits.write(is_final | 1 << 1, 3);
            Ok(())
        }
        BlockKind::Dynamic(codes) => {
            bits.write(is_final | 2 << 1, 3);
            write_dynamic(bits, codes)
        }
    }
}

fn check_field(field: &'static str, got: usize, min: usize, max: usize) -> Result<(), WriteError> {
    if (min..=max).contains(&got) {
        return Ok(());
    }
    Err(WriteError::Field {
        field,
        got,
        min,
        max,
    })
}

fn check_code(lengths: &[u8], alphabet: Alphabet) -> Result<(), WriteError> {
    check_lengths(lengths, alphabet).map_err(|problem| WriteError::Code { alphabet, problem })
}

fn write_dynamic(bits: &mut BitWriter, codes: &DynamicCodes) -> Result<(), WriteError> {
    let literal_count = usize::from(codes.literal_count);
    let distance_count = usize::from(codes.distance_count);
    let written = codes.code_lengths.len();
    check_field("literal count", literal_count, 257, LITERAL_SYMBOLS)?;
    check_field("distance count", distance_count, 1, DISTANCE_SYMBOLS)?;
    check_field("number of code lengths", written, 4, CODE_LENGTH_SYMBOLS)?;
    let covered = codes.runs.iter().map(|run| run.length()).sum();
    let total = literal_count + distance_count;
    check_field("sum of the runs", covered, total, total)?;
    bits.write(u32::from(codes.literal_count - 257), 5);
    bits.write(u32::from(codes.distance_count - 1), 5);
    bits.write(u32::try_from(written - 4).unwrap_or(0), 4);
    for &length in &codes.code_lengths {
        check_field("code length of a code length", usize::from(length), 0, 7)?;
        bits.write(u32::from(length), 3);
    }
    let by_symbol = code_length_lengths(&codes.code_lengths);
    check_code(&by_symbol, Alphabet::CodeLength)?;
    let mut table = EncodeTable::default();
    table.build(&by_symbol);
    for (index, run) in codes.runs.iter().enumerate() {
        let symbol = usize::from(run.symbol);
        let (code, width) = table.find(symbol).ok_or(WriteError::NoCode {
            index,
            alphabet: Alphabet::CodeLength,
            symbol,
        })?;
        let extra_bits = LengthRun::form(run.symbol).0;
        check_field(
            "extra of a run",
            usize::from(run.extra),
            0,
            (1 << extra_bits) - 1,
        )?;
        bits.write(code, width);
        bits.write(u32::from(run.extra), extra_bits);
    }
    Ok(())
}

/// Symbol of each match length, from `MIN_MATCH` on, less 257.
pub(crate) const LENGTH_SYMBOLS: [u8; 256] = length_symbols();

const fn length_symbols() -> [u8; 256] {
    let mut symbols = [0; 256];
    let mut symbol = 0_u8;
    while (symbol as usize) < LENGTHS.len() {
        let (base, extra) = LENGTHS[symbol as usize];
        let mut index = (base - MIN_MATCH) as usize;
        let end = index + (1 << extra);
        while index < end && index < symbols.len() {
            symbols[index] = symbol;
            index += 1;
        }
        symbol += 1;
    }
    symbols
}

/// Distance symbols and one, by [`distance_index`]; 0 for a distance of 0, and 31 for one that
/// deflate does not have.
pub(crate) const DISTANCE_INDEX_SYMBOLS: [u8; 1024] = distance_index_symbols();

const fn distance_index_symbols() -> [u8; 1024] {
    let mut symbols = [31; 1024];
    symbols[0] = 0;
    let mut distance = 1;
    while distance <= MAX_DISTANCE {
        let symbol = distance_symbol(distance).to_le_bytes()[0];
        symbols[distance_index(distance as u32)] = symbol + 1;
        distance += if distance < 256 { 1 } else { 128 };
    }
    symbols
}

/// Index of a distance, or 0. No index is for distances of two symbols: from 257 on, each symbol has
/// 128 distances or a multiple of that.
#[inline]
pub(crate) const fn distance_index(distance: u32) -> usize {
    let far = 256 + (distance.wrapping_sub(1) >> 7);
    let index = if distance <= 256 { distance } else { far };
    index as usize % 1024
}

/// Distance symbol: two for each power of two.
pub(crate) const fn distance_symbol(distance: u16) -> usize {
    let above = distance - 1;
    if above < 4 {
        return above as usize;
    }
    let power = above.ilog2();
    (power * 2 + (above as u32 >> (power - 1) & 1)) as usize
}

/// Writes blocks, whole or in parts. It owns the code tables, so keep it for many blocks.
#[derive(Clone, Debug, Default)]
pub struct BlockWriter {
    literals: EncodeTable,
    distances: EncodeTable,
    codes: TokenCodes,
}

impl BlockWriter {
    /// Writes a stored block with its plain bytes.
    ///
    /// # Errors
    /// If the header is of another kind, says another length, or cannot be written.
    pub fn write_stored(
        &self,
        bits: &mut BitWriter,
        header: &BlockHeader,
        plain: &[u8],
    ) -> Result<(), WriteError> {
        let BlockKind::Stored { length, .. } = header.kind else {
            return Err(WriteError::Kind {
                given: "plain bytes",
            });
        };
        if usize::from(length) != plain.len() {
            return Err(WriteError::StoredLength {
                got: plain.len(),
                expected: usize::from(length),
            });
        }
        write_header(bits, header)?;
        bits.write_bytes(plain);
        Ok(())
    }

    /// Writes the header of a fixed or dynamic block, whose tokens are to follow.
    ///
    /// # Errors
    /// If the header is of another kind or cannot be written.
    pub fn begin_block(
        &mut self,
        bits: &mut BitWriter,
        header: &BlockHeader,
    ) -> Result<(), WriteError> {
        self.open_block(&header.kind)?;
        write_header(bits, header)
    }

    /// Goes on with a fixed or dynamic block whose header was written elsewhere.
    ///
    /// # Errors
    /// If it is of another kind or has no usable codes.
    pub fn open_block(&mut self, kind: &BlockKind) -> Result<(), WriteError> {
        let lengths = code_lengths_of(kind).ok_or(WriteError::Kind { given: "tokens" })?;
        if let BlockKind::Dynamic(_) = kind {
            check_code(&lengths.literals, Alphabet::Literal)?;
            check_code(&lengths.distances, Alphabet::Distance)?;
        }
        self.literals.build(&lengths.literals);
        self.distances.build(&lengths.distances);
        self.codes.build(&self.literals, &self.distances);
        Ok(())
    }

    /// Writes tokens of the block that was begun or opened. `long_forms`: which of them, by index in
    /// order, are matches of 258 bytes in the unusual form: symbol 284 with extra bits 31. Inflaters
    /// accept that, compressors write symbol 285.
    ///
    /// # Errors
    /// If the block's codes lack a token. Part of the tokens may have been written by then.
    pub fn write_tokens(
        &self,
        bits: &mut BitWriter,
        tokens: &[Token],
        long_forms: &[u32],
    ) -> Result<(), WriteError> {
        let mut from = 0;
        for &long_form in long_forms {
            let index = usize::try_from(long_form).unwrap_or(usize::MAX);
            let problem = WriteError::LongForm { index };
            let ordinary = tokens.get(from..index).ok_or(problem)?;
            self.write_run(bits, ordinary, from)?;
            match tokens.get(index).map(|token| token.kind()) {
                Some(TokenKind::Match {
                    length: MAX_MATCH,
                    distance,
                }) => self.write_long_form(bits, distance, index)?,
                _ => return Err(problem),
            }
            from = index + 1;
        }
        self.write_run(bits, tokens.get(from..).unwrap_or(&[]), from)
    }

    /// Writes the end of the block that was begun or opened.
    ///
    /// # Errors
    /// If its code has none.
    pub fn end_block(&self, bits: &mut BitWriter) -> Result<(), WriteError> {
        self.write_literal_symbol(bits, END_OF_BLOCK, 0)
    }

    /// `first`: index of the first token in the call. One by one, only what cannot be written is
    /// left, with what stands close before it.
    fn write_run(
        &self,
        bits: &mut BitWriter,
        tokens: &[Token],
        first: usize,
    ) -> Result<(), WriteError> {
        let written = self.codes.write(bits, tokens);
        for (index, &token) in tokens.iter().enumerate().skip(written) {
            match token.kind() {
                TokenKind::Literal(byte) => {
                    self.write_literal_symbol(bits, usize::from(byte), first + index)?;
                }
                TokenKind::Match { length, distance } => {
                    self.write_match(bits, length, distance, first + index)?;
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn write_literal_symbol(
        &self,
        bits: &mut BitWriter,
        symbol: usize,
        index: usize,
    ) -> Result<(), WriteError> {
        let (code, width) = self.literals.find(symbol).ok_or(WriteError::NoCode {
            index,
            alphabet: Alphabet::Literal,
            symbol,
        })?;
        bits.write(code, width);
        Ok(())
    }

    #[inline]
    fn write_match(
        &self,
        bits: &mut BitWriter,
        length: u16,
        distance: u16,
        index: usize,
    ) -> Result<(), WriteError> {
        if !(MIN_MATCH..=MAX_MATCH).contains(&length) || !(1..=MAX_DISTANCE).contains(&distance) {
            return Err(WriteError::Match {
                index,
                length,
                distance,
            });
        }
        let length_index = usize::from(LENGTH_SYMBOLS[usize::from(length - MIN_MATCH)]);
        let (base, extra_bits) = LENGTHS[length_index];
        self.write_literal_symbol(bits, length_index + END_OF_BLOCK + 1, index)?;
        bits.write(u32::from(length - base), u32::from(extra_bits));
        self.write_distance(bits, distance, index)
    }

    /// A match of 258 bytes in its unusual form.
    fn write_long_form(
        &self,
        bits: &mut BitWriter,
        distance: u16,
        index: usize,
    ) -> Result<(), WriteError> {
        if !(1..=MAX_DISTANCE).contains(&distance) {
            return Err(WriteError::Match {
                index,
                length: MAX_MATCH,
                distance,
            });
        }
        self.write_literal_symbol(bits, LONG_FORM_SYMBOL, index)?;
        bits.write(LONG_FORM_EXTRA, 5);
        self.write_distance(bits, distance, index)
    }

    #[inline]
    fn write_distance(
        &self,
        bits: &mut BitWriter,
        distance: u16,
        index: usize,
    ) -> Result<(), WriteError> {
        let symbol = distance_symbol(distance);
        let (code, width) = self.distances.find(symbol).ok_or(WriteError::NoCode {
            index,
            alphabet: Alphabet::Distance,
            symbol,
        })?;
        let (base, extra_bits) = DISTANCES[symbol];
        bits.write(code, width);
        bits.write(u32::from(distance - base), u32::from(extra_bits));
        Ok(())
    }
}

/// The codes of a fixed or dynamic block; `None` for a stored one.
pub(super) fn code_lengths_of(kind: &BlockKind) -> Option<CodeLengths> {
    match kind {
        BlockKind::Stored { .. } => None,
        BlockKind::Fixed => {
            let (literals, distances) = fixed_lengths();
            Some(CodeLengths {
                literals: literals.to_vec(),
                distances: distances.to_vec(),
            })
        }
        BlockKind::Dynamic(codes) => Some(codes.lengths()),
    }
}
