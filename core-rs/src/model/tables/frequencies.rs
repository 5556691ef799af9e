//! How often each symbol occurs in a block: all that the builders of codes look at.

use crate::deflate::block::{LENGTH_SYMBOLS, distance_symbol};
use crate::deflate::huffman::{
    DISTANCE_SYMBOLS, DISTANCES, END_OF_BLOCK, LENGTHS, LITERAL_SYMBOLS,
};
use crate::deflate::{MIN_MATCH, Token, TokenKind};

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
        let mut counts = Self::default();
        for &token in tokens {
            counts.add(token);
        }
        counts
    }

    /// Of plain text that is written as literals only.
    pub fn of_plain(plain: &[u8]) -> Self {
        let mut counts = Self::default();
        for &byte in plain {
            counts.literals[usize::from(byte)] += 1;
        }
        counts
    }

    #[inline]
    fn add(&mut self, token: Token) {
        match token.kind() {
            TokenKind::Literal(byte) => self.literals[usize::from(byte)] += 1,
            TokenKind::Match { length, distance } => {
                let index = usize::from(length.saturating_sub(MIN_MATCH)).min(255);
                let symbol = FIRST_LENGTH + usize::from(LENGTH_SYMBOLS[index]);
                self.literals[symbol] += 1;
                self.distances[distance_symbol(distance.max(1)).min(DISTANCE_SYMBOLS - 1)] += 1;
            }
        }
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

fn sum(counts: &[u32]) -> u64 {
    counts.iter().map(|&count| u64::from(count)).sum()
}

/// Bits that symbols take in a code of these lengths.
pub(super) fn coded_bits(counts: &[u32], lengths: &[u8]) -> u64 {
    let bits = |(&count, &length): (&u32, &u8)| u64::from(count) * u64::from(length);
    counts.iter().zip(lengths).map(bits).sum()
}
