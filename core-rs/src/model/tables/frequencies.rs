//! How often each symbol occurs in a block: all that the builders of codes look at.

use crate::deflate::Token;
use crate::deflate::block::{DISTANCE_INDEX_SYMBOLS, LENGTH_SYMBOLS, distance_index};
use crate::deflate::huffman::{
    DISTANCE_SYMBOLS, DISTANCES, END_OF_BLOCK, LENGTHS, LITERAL_SYMBOLS,
};
use crate::deflate::token::TOKEN_INDEXES;

/// First symbol that stands for a match length (RFC 1951 §3.2.5).
pub(super) const FIRST_LENGTH: usize = END_OF_BLOCK + 1;

/// Counts of symbols. The end of the block is not counted: each builder does that in its own way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frequencies {
    /// Of literal bytes, and of match lengths from symbol 257 on.
    pub literals: [u32; LITERAL_SYMBOLS],
    /// Of distance symbols.
    pub distances: [u32; DISTANCE_SYMBOLS],
}

impl Default for Frequencies {
    fn default() -> Self {
        Self {
            literals: [0; LITERAL_SYMBOLS],
            distances: [0; DISTANCE_SYMBOLS],
        }
    }
}

impl Frequencies {
    /// Of a block's tokens.
    pub fn of_tokens(tokens: &[Token]) -> Self {
        let mut counts = TokenCounts::default();
        for token in tokens {
            counts.add(*token);
        }
        counts.by_symbol()
    }

    /// Of plain text that is written as literals only.
    pub fn of_plain(plain: &[u8]) -> Self {
        let mut counts = Self::default();
        for &byte in plain {
            counts.literals[usize::from(byte)] += 1;
        }
        counts
    }

    /// Number of matches.
    pub fn matches(&self) -> u64 {
        sum(&self.literals[FIRST_LENGTH..])
    }

    /// Number of tokens.
    pub fn tokens(&self) -> u64 {
        sum(&self.literals[..END_OF_BLOCK]) + self.matches()
    }

    /// Bits that lengths and distances take beside their codes.
    pub(super) fn extra_bits(&self) -> u64 {
        let bits = |(&count, &(_, extra)): (&u32, &(u16, u8))| u64::from(count) * u64::from(extra);
        let lengths = self.literals[FIRST_LENGTH..].iter().zip(&LENGTHS);
        let distances = self.distances.iter().zip(&DISTANCES);
        lengths.map(bits).sum::<u64>() + distances.map(bits).sum::<u64>()
    }

    /// Bits of the codes alone, in the code that the format fixes (RFC 1951 §3.2.6).
    pub(super) fn fixed_bits(&self) -> u64 {
        let literals = 8 * sum(&self.literals) + sum(&self.literals[144..END_OF_BLOCK])
            - sum(&self.literals[END_OF_BLOCK..280]);
        literals + 5 * sum(&self.distances)
    }

    /// Bits of the codes alone, in codes of these lengths.
    pub(super) fn coded_bits(&self, literals: &[u8], distances: &[u8]) -> u64 {
        coded_bits(&self.literals, literals) + coded_bits(&self.distances, distances)
    }
}

/// Counts in the order of the numbers that tokens have, so that each is counted without a branch.
struct TokenCounts {
    /// By [`Token::index`].
    first: [u32; TOKEN_INDEXES],
    /// By what [`DISTANCE_INDEX_SYMBOLS`] gives: literals, then distance symbols.
    distances: [u32; 32],
}

impl Default for TokenCounts {
    fn default() -> Self {
        Self {
            first: [0; TOKEN_INDEXES],
            distances: [0; 32],
        }
    }
}

impl TokenCounts {
    #[inline]
    fn add(&mut self, token: Token) {
        self.first[token.index() % TOKEN_INDEXES] += 1;
        let symbol = DISTANCE_INDEX_SYMBOLS[distance_index(token.distance_or_0())];
        self.distances[usize::from(symbol % 32)] += 1;
    }

    fn by_symbol(&self) -> Frequencies {
        let mut counts = Frequencies::default();
        let pairs = self.first.as_chunks::<2>().0.iter();
        for (([literal, matched], byte), symbol) in pairs.zip(0..).zip(LENGTH_SYMBOLS) {
            counts.literals[byte] = *literal;
            counts.literals[FIRST_LENGTH + usize::from(symbol)] += matched;
        }
        counts
            .distances
            .copy_from_slice(&self.distances[1..=DISTANCE_SYMBOLS]);
        counts
    }
}

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|&count| u64::from(count)).sum()
}

/// Bits that symbols take in a code of these lengths.
pub(super) fn coded_bits(counts: &[u32], lengths: &[u8]) -> u64 {
    let bits = |(&count, &length): (&u32, &u8)| u64::from(count) * u64::from(length);
    counts.iter().zip(lengths).map(bits).sum()
}
