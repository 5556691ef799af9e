//! What can be wrong with a deflate stream that is read, or with a block that is to be written.

use super::huffman::{Alphabet, CodeProblem};

/// Why a deflate stream cannot be read. `bit_offset` counts from the start of the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InflateError {
    /// The input ends within a block.
    #[error("input ends at bit {bit_offset}: {expected} more bits expected, {got} there")]
    Truncated {
        /// Where the missing bits begin.
        bit_offset: u64,
        /// Bits that are there.
        got: u64,
        /// Bits that the format asks for.
        expected: u64,
    },
    /// Block type 3 is reserved (RFC 1951 §3.2.3).
    #[error("block type at bit {bit_offset} is {got}, expected 0 to 2")]
    BlockType {
        /// Where the block begins.
        bit_offset: u64,
        /// The type found.
        got: u32,
    },
    /// A stored block's length and its complement do not agree (RFC 1951 §3.2.4).
    #[error(
        "complement of the stored length at bit {bit_offset} is {got:#06x}, expected {expected:#06x}"
    )]
    StoredLength {
        /// Where the complement begins.
        bit_offset: u64,
        /// The complement found.
        got: u32,
        /// The complement of the length before it.
        expected: u32,
    },
    /// More code lengths announced than the alphabet has symbols.
    #[error(
        "{alphabet} code announced at bit {bit_offset} has {got} lengths, expected at most {expected}"
    )]
    SymbolCount {
        /// Where the count stands.
        bit_offset: u64,
        /// Whose lengths.
        alphabet: Alphabet,
        /// Lengths announced.
        got: u32,
        /// Symbols that exist.
        expected: u32,
    },
    /// The first code length is "as before".
    #[error("code length at bit {bit_offset} repeats one before the first")]
    RepeatOfNothing {
        /// Where the symbol begins.
        bit_offset: u64,
    },
    /// A run of code lengths goes past the announced count.
    #[error("run of code lengths at bit {bit_offset} is {got} long, expected at most {expected}")]
    RunTooLong {
        /// Where the symbol begins.
        bit_offset: u64,
        /// Length of the run.
        got: u32,
        /// Lengths still open.
        expected: u32,
    },
    /// The code lengths are no prefix code that inflaters accept.
    #[error("{alphabet} code that ends at bit {bit_offset} is {problem}")]
    Code {
        /// First bit after the lengths.
        bit_offset: u64,
        /// Which code.
        alphabet: Alphabet,
        /// What is wrong with it.
        problem: CodeProblem,
    },
    /// These bits are no symbol of the code.
    #[error("bits at {bit_offset} are no symbol of the {alphabet} code (next bits: {got:#b})")]
    Symbol {
        /// Where the bits begin.
        bit_offset: u64,
        /// Which code.
        alphabet: Alphabet,
        /// The next bits, as many as a code may have, first bit lowest.
        got: u32,
    },
    /// A match reaches to before the first byte that is known.
    #[error(
        "match that ends at bit {bit_offset} reaches {got} bytes back, expected at most {expected}"
    )]
    TooFarBack {
        /// First bit after the match.
        bit_offset: u64,
        /// Its distance.
        got: u64,
        /// Bytes there are.
        expected: u64,
    },
    /// The stream gives more plain text than allowed.
    #[error("plain text reaches {got} bytes at bit {bit_offset}, allowed are {expected}")]
    OutputLimit {
        /// Where reading stopped.
        bit_offset: u64,
        /// Bytes of plain text up to there.
        got: u64,
        /// Bytes allowed.
        expected: u64,
    },
}

impl InflateError {
    /// The same, counted from so many bits before.
    #[must_use]
    pub const fn moved_by(mut self, bits: u64) -> Self {
        match &mut self {
            Self::Truncated { bit_offset, .. }
            | Self::BlockType { bit_offset, .. }
            | Self::StoredLength { bit_offset, .. }
            | Self::SymbolCount { bit_offset, .. }
            | Self::RepeatOfNothing { bit_offset }
            | Self::RunTooLong { bit_offset, .. }
            | Self::Code { bit_offset, .. }
            | Self::Symbol { bit_offset, .. }
            | Self::TooFarBack { bit_offset, .. }
            | Self::OutputLimit { bit_offset, .. } => *bit_offset += bits,
        }
        self
    }
}

/// Why a block cannot be written as its header says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// A value of the header does not fit into its field.
    #[error("{field} of the block header is {got}, expected {min} to {max}")]
    Field {
        /// The field's name.
        field: &'static str,
        /// Its value.
        got: usize,
        /// Smallest value that can be written.
        min: usize,
        /// Largest value that can be written.
        max: usize,
    },
    /// The code lengths are no prefix code.
    #[error("{alphabet} code is {problem}")]
    Code {
        /// Which code.
        alphabet: Alphabet,
        /// What is wrong with it.
        problem: CodeProblem,
    },
    /// The code has no bits for a symbol that a token needs.
    #[error("token {index} needs symbol {symbol} of the {alphabet} code, which has none")]
    NoCode {
        /// Which token of those given; 0 for the end of the block.
        index: usize,
        /// Which code.
        alphabet: Alphabet,
        /// Which symbol.
        symbol: usize,
    },
    /// A match is longer, shorter or farther than the format can say.
    #[error("token {index} is a match of length {length} and distance {distance}")]
    Match {
        /// Which token of those given.
        index: usize,
        /// Its length.
        length: u16,
        /// Its distance.
        distance: u16,
    },
    /// The list of long forms names a token that is no match of 258 bytes, or is not in order.
    #[error("long form for token {index}, which is no match of 258 bytes in order")]
    LongForm {
        /// Which token of those given.
        index: usize,
    },
    /// Tokens for a stored block, or plain text for a compressed one.
    #[error("a block of this kind has no {given}")]
    Kind {
        /// What was given.
        given: &'static str,
    },
    /// Plain text of another length than the stored block's header says.
    #[error("stored block is given {got} bytes, expected {expected}")]
    StoredLength {
        /// Bytes given.
        got: usize,
        /// Bytes announced.
        expected: usize,
    },
}
