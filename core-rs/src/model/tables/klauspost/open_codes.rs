//! Codes that calls after the block's first one may use.

use super::super::frequencies::{FIRST_LENGTH, Frequencies, coded_bits};
use super::super::header::bits_of;
use crate::deflate::DynamicCodes;
use crate::deflate::huffman::{DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS};

/// Codes of a block that is not over.
#[derive(Clone, Debug)]
pub(super) struct OpenCodes {
    /// Bits of the block's header.
    pub(super) header_bits: u64,
    pub(super) literals: [u8; LITERAL_SYMBOLS],
    pub(super) distances: [u8; DISTANCE_SYMBOLS],
    /// They were made for literals, so matches never use them.
    pub(super) are_for_literals: bool,
}

impl OpenCodes {
    pub(super) fn new(codes: &DynamicCodes) -> Self {
        let lengths = codes.lengths();
        let mut literals = [0; LITERAL_SYMBOLS];
        let mut distances = [0; DISTANCE_SYMBOLS];
        for (to, from) in literals.iter_mut().zip(&lengths.literals) {
            *to = *from;
        }
        for (to, from) in distances.iter_mut().zip(&lengths.distances) {
            *to = *from;
        }
        Self {
            header_bits: bits_of(codes),
            literals,
            distances,
            are_for_literals: usize::from(codes.literal_count) == FIRST_LENGTH,
        }
    }

    /// Whether all symbols have a code.
    pub(super) fn have(&self, frequencies: &Frequencies) -> bool {
        let has_code = |(&count, &length): (&u32, &u8)| count == 0 || length > 0;
        frequencies
            .literals
            .iter()
            .zip(&self.literals)
            .all(has_code)
            && frequencies
                .distances
                .iter()
                .zip(&self.distances)
                .all(has_code)
    }

    /// Bits of literals, if all of them have a code.
    pub(super) fn literal_bits(&self, literals: &[u32]) -> Option<u64> {
        let literals = &literals[..END_OF_BLOCK];
        let mut pairs = literals.iter().zip(&self.literals);
        pairs
            .all(|(&count, &length)| count == 0 || length > 0)
            .then(|| coded_bits(literals, &self.literals))
    }
}
