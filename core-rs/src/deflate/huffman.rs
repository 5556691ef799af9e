//! Canonical Huffman codes of deflate (RFC 1951 §3.2.2): tables to decode and to encode with.

#![expect(
    clippy::cast_possible_truncation,
    reason = "tables hold numbers below 2^16, as the checked code lengths (at most 15 bits) allow"
)]

use std::fmt;

/// Longest code, bits (RFC 1951 §3.2.7).
pub const MAX_CODE_BITS: usize = 15;
/// Symbols of the literal and length code that a dynamic block may have (RFC 1951 §3.2.6).
pub const LITERAL_SYMBOLS: usize = 286;
/// Symbols of the distance code that a dynamic block may have (RFC 1951 §3.2.6).
pub const DISTANCE_SYMBOLS: usize = 30;
/// Symbols of the code that code lengths are written in (RFC 1951 §3.2.7).
pub const CODE_LENGTH_SYMBOLS: usize = 19;
/// The symbol that ends a block (RFC 1951 §3.2.5).
pub const END_OF_BLOCK: usize = 256;

/// Base and extra bits of length symbols 257 to 285 (RFC 1951 §3.2.5).
pub(crate) const LENGTHS: [(u16, u8); 29] = [
    (3, 0),
    (4, 0),
    (5, 0),
    (6, 0),
    (7, 0),
    (8, 0),
    (9, 0),
    (10, 0),
    (11, 1),
    (13, 1),
    (15, 1),
    (17, 1),
    (19, 2),
    (23, 2),
    (27, 2),
    (31, 2),
    (35, 3),
    (43, 3),
    (51, 3),
    (59, 3),
    (67, 4),
    (83, 4),
    (99, 4),
    (115, 4),
    (131, 5),
    (163, 5),
    (195, 5),
    (227, 5),
    (258, 0),
];
/// Base and extra bits of distance symbols 0 to 29 (RFC 1951 §3.2.5).
pub(crate) const DISTANCES: [(u16, u8); 30] = [
    (1, 0),
    (2, 0),
    (3, 0),
    (4, 0),
    (5, 1),
    (7, 1),
    (9, 2),
    (13, 2),
    (17, 3),
    (25, 3),
    (33, 4),
    (49, 4),
    (65, 5),
    (97, 5),
    (129, 6),
    (193, 6),
    (257, 7),
    (385, 7),
    (513, 8),
    (769, 8),
    (1025, 9),
    (1537, 9),
    (2049, 10),
    (3073, 10),
    (4097, 11),
    (6145, 11),
    (8193, 12),
    (12289, 12),
    (16385, 13),
    (24577, 13),
];

/// Which of deflate's codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// Code lengths of the other two.
    CodeLength,
    /// Literal bytes, the end of the block, and lengths of matches.
    Literal,
    /// Distances of matches.
    Distance,
}

impl fmt::Display for Alphabet {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::CodeLength => "code length",
            Self::Literal => "literal",
            Self::Distance => "distance",
        })
    }
}

/// Why code lengths are no usable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CodeProblem {
    /// More codes than there are bit patterns.
    Oversubscribed,
    /// Bit patterns that stand for nothing.
    Incomplete,
    /// The end of the block has no code.
    NoEndOfBlock,
}

impl fmt::Display for CodeProblem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Oversubscribed => "oversubscribed",
            Self::Incomplete => "incomplete",
            Self::NoEndOfBlock => "without an end of block",
        })
    }
}

/// Accepts what zlib's `inflate_table` accepts: complete codes; for literals and distances also a
/// single code of one bit; for distances also no code at all.
///
/// # Errors
/// What is wrong with the lengths.
pub fn check_lengths(lengths: &[u8], alphabet: Alphabet) -> Result<(), CodeProblem> {
    if alphabet == Alphabet::Literal && lengths.get(END_OF_BLOCK).copied().unwrap_or(0) == 0 {
        return Err(CodeProblem::NoEndOfBlock);
    }
    // Bit patterns of the longest length that are taken.
    let mut taken = 0_u32;
    let mut longest = 0;
    for &length in lengths {
        if usize::from(length) > MAX_CODE_BITS {
            return Err(CodeProblem::Oversubscribed);
        }
        if length > 0 {
            taken += 1 << (MAX_CODE_BITS - usize::from(length));
            longest = longest.max(length);
        }
    }
    let all = 1_u32 << MAX_CODE_BITS;
    if taken > all {
        return Err(CodeProblem::Oversubscribed);
    }
    let may_be_incomplete = match alphabet {
        Alphabet::CodeLength => false,
        Alphabet::Literal => longest == 1,
        Alphabet::Distance => longest <= 1,
    };
    if taken < all && !may_be_incomplete {
        return Err(CodeProblem::Incomplete);
    }
    Ok(())
}

/// The code lengths of fixed blocks (RFC 1951 §3.2.6).
pub fn fixed_lengths() -> ([u8; 288], [u8; 32]) {
    let mut literals = [8; 288];
    literals[144..256].fill(9);
    literals[256..280].fill(7);
    (literals, [5; 32])
}

/// Symbols that have a code, shortest code first, with code and length.
fn canonical(lengths: &[u8]) -> Vec<(u16, u16, u8)> {
    let mut next_code = [0_u16; MAX_CODE_BITS + 2];
    let mut place = [0_u16; MAX_CODE_BITS + 2];
    let mut counts = [0_u16; MAX_CODE_BITS + 1];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    for bits in 1..=MAX_CODE_BITS {
        next_code[bits + 1] = (next_code[bits] + counts[bits]) << 1;
        place[bits + 1] = place[bits] + counts[bits];
    }
    let mut sorted = vec![(0, 0, 0); usize::from(place[MAX_CODE_BITS + 1])];
    for (symbol, &length) in lengths.iter().enumerate() {
        let bits = usize::from(length);
        if bits > 0 {
            sorted[usize::from(place[bits])] = (symbol as u16, next_code[bits], length);
            place[bits] += 1;
            next_code[bits] += 1;
        }
    }
    sorted
}

/// Codes go into the stream with their highest bit first.
const fn reverse(code: u16, length: u8) -> u16 {
    code.reverse_bits() >> (16 - length as u32)
}

/// What the next bits stand for: see the constants for its layout. Zero: nothing.
pub(super) type Entry = u32;
/// The bits of the code, in the lowest byte of an entry.
pub(super) const CODE_BITS: u32 = 0xff;
/// Shift of the number of extra bits (or of index bits of a second table), five bits.
pub(super) const EXTRA_SHIFT: u32 = 8;
/// The number of extra bits, after the shift.
pub(super) const EXTRA_MASK: u32 = 0x1f;
/// The entry ends the block.
pub(super) const IS_END: u32 = 1 << 13;
/// The entry refers to a second table.
const IS_LINK: u32 = 1 << 14;
/// The entry is a literal byte.
pub(super) const IS_LITERAL: u32 = 1 << 15;
/// Shift of the value: the symbol, the base length or distance, or the second table's index.
pub(super) const VALUE_SHIFT: u32 = 16;

/// Finds the symbol of the next bits: by the first bits of the code, then by the rest if it is long.
#[derive(Clone, Debug, Default)]
pub(super) struct DecodeTable {
    entries: Vec<Entry>,
    first_bits: u32,
}

impl DecodeTable {
    /// Index bits of the first table: most codes are shorter, and it stays in the first-level cache.
    const fn first_bits_of(alphabet: Alphabet) -> u32 {
        match alphabet {
            Alphabet::CodeLength => 7,
            Alphabet::Literal => 11,
            Alphabet::Distance => 8,
        }
    }

    /// Builds the table anew for lengths that `check_lengths` has accepted.
    pub(super) fn build(&mut self, lengths: &[u8], alphabet: Alphabet) {
        let sorted = canonical(lengths);
        let longest = sorted.last().map_or(1, |&(_, _, length)| u32::from(length));
        self.first_bits = Self::first_bits_of(alphabet).min(longest);
        let first_bits = self.first_bits;
        self.entries.clear();
        self.entries.resize(1 << first_bits, 0);
        let long_from = sorted.partition_point(|&(_, _, length)| u32::from(length) <= first_bits);
        for &(symbol, code, length) in &sorted[..long_from] {
            let first = usize::from(reverse(code, length));
            let entry = entry_of(alphabet, symbol, u32::from(length));
            for slot in self.entries[first..].iter_mut().step_by(1 << length) {
                *slot = entry;
            }
        }
        let prefix_of =
            |&(_, code, length): &(u16, u16, u8)| code >> (u32::from(length) - first_bits);
        for group in sorted[long_from..].chunk_by(|a, b| prefix_of(a) == prefix_of(b)) {
            self.add_second_table(group, alphabet);
        }
    }

    /// `group`: codes with the same first bits, shortest first.
    fn add_second_table(&mut self, group: &[(u16, u16, u8)], alphabet: Alphabet) {
        let (Some(&(_, code, length)), Some(&(_, _, longest))) = (group.first(), group.last())
        else {
            return;
        };
        let index_bits = u32::from(longest) - self.first_bits;
        let start = self.entries.len();
        self.entries.resize(start + (1 << index_bits), 0);
        let link = usize::from(reverse(code, length)) & ((1 << self.first_bits) - 1);
        self.entries[link] =
            (start as u32) << VALUE_SHIFT | IS_LINK | index_bits << EXTRA_SHIFT | self.first_bits;
        for &(symbol, code, length) in group {
            let rest = u32::from(length) - self.first_bits;
            let first = usize::from(reverse(code, length)) >> self.first_bits;
            let entry = entry_of(alphabet, symbol, u32::from(length));
            for slot in self.entries[start + first..].iter_mut().step_by(1 << rest) {
                *slot = entry;
            }
        }
    }

    /// The entry of the code that the lowest bits of `bits` begin with.
    #[inline]
    pub(super) fn find(&self, bits: u64) -> Entry {
        let entry = self.entries[(bits & ((1 << self.first_bits) - 1)) as usize];
        if entry & IS_LINK == 0 {
            return entry;
        }
        let index_bits = entry >> EXTRA_SHIFT & EXTRA_MASK;
        let index = bits >> self.first_bits & ((1 << index_bits) - 1);
        self.entries[(entry >> VALUE_SHIFT) as usize + index as usize]
    }
}

fn entry_of(alphabet: Alphabet, symbol: u16, length: u32) -> Entry {
    let index = usize::from(symbol);
    let with_extra = |(base, extra): (u16, u8)| {
        u32::from(base) << VALUE_SHIFT | u32::from(extra) << EXTRA_SHIFT | length
    };
    match alphabet {
        Alphabet::CodeLength => u32::from(symbol) << VALUE_SHIFT | length,
        Alphabet::Literal if index < END_OF_BLOCK => {
            u32::from(symbol) << VALUE_SHIFT | IS_LITERAL | length
        }
        Alphabet::Literal if index == END_OF_BLOCK => IS_END | length,
        // Symbols 286 and 287 of the fixed code stand for nothing.
        Alphabet::Literal => LENGTHS
            .get(index - END_OF_BLOCK - 1)
            .map_or(0, |&base| with_extra(base)),
        Alphabet::Distance => DISTANCES.get(index).map_or(0, |&base| with_extra(base)),
    }
}

/// The bits of each symbol's code, ready to be written, and their number; none: 0.
#[derive(Clone, Debug, Default)]
pub(super) struct EncodeTable {
    codes: Vec<(u16, u8)>,
}

impl EncodeTable {
    /// Builds the table anew for lengths that `check_lengths` has accepted.
    pub(super) fn build(&mut self, lengths: &[u8]) {
        self.codes.clear();
        self.codes.resize(lengths.len(), (0, 0));
        for (symbol, code, length) in canonical(lengths) {
            self.codes[usize::from(symbol)] = (reverse(code, length), length);
        }
    }

    /// Bits and their number, if the symbol has a code.
    #[inline]
    pub(super) fn find(&self, symbol: usize) -> Option<(u32, u32)> {
        match self.codes.get(symbol) {
            Some(&(bits, length)) if length > 0 => Some((u32::from(bits), u32::from(length))),
            _ => None,
        }
    }
}
