//! What literals would cost in the block that is being searched, by which level 9 judges matches.

use crate::model::compressor::KlauspostRelease;
use crate::model::go_window::{Found, WINDOW};
use crate::model::tables::literal_lengths;

/// Bits that each match costs, for all that is known.
const MATCH_BITS: i32 = 3;

/// Costs of literals in one buffer.
#[derive(Debug)]
pub(super) struct LiteralCosts {
    release: KlauspostRelease,
    start: usize,
    /// Bits of all literals from the start up to a position.
    sums: Vec<i32>,
}

impl LiteralCosts {
    /// Bits that a match must save more than.
    pub(super) const LEAST_SAVED: i32 = 4;

    pub(super) fn new(release: KlauspostRelease) -> Self {
        Self {
            release,
            start: 0,
            sums: Vec::with_capacity(2 * WINDOW + 1),
        }
    }

    /// Counts the buffer's literals from `start` to `end`.
    pub(super) fn count(&mut self, text: &[u8], start: usize, end: usize) {
        let literals = &text[start..end.min(start + 2 * WINDOW)];
        let counted = if self.release < KlauspostRelease::V1_18_2 {
            literals
        } else {
            &literals[..literals.len().min(WINDOW)]
        };
        let mut frequencies = [0; 256];
        for &literal in counted {
            frequencies[usize::from(literal)] += 1;
        }
        let lengths = literal_lengths(self.release.table_version(), &frequencies);
        self.start = start;
        self.sums.clear();
        self.sums.push(0);
        let mut sum = 0;
        self.sums.extend(literals.iter().map(|&literal| {
            sum += i32::from(lengths[usize::from(literal)]);
            sum
        }));
    }

    /// Bits that a match at `position` saves.
    pub(super) fn saved(&self, position: usize, found: Found) -> i32 {
        let index = position.saturating_sub(self.start);
        let sum = |index: usize| self.sums.get(index).copied().unwrap_or_default();
        let literals = sum(index + found.length) - sum(index);
        literals - distance_bits(found.distance) - MATCH_BITS - length_bits(found.length)
    }
}

/// Extra bits of a distance's code, as the compressor looks them up: by mistake, those of the next
/// distance, and 6 for the last one, which has no next.
fn distance_bits(distance: usize) -> i32 {
    match distance {
        ..4 => 0,
        WINDOW => 6,
        _ => distance.ilog2().cast_signed() - 1,
    }
}

/// Extra bits of a length's code (RFC 1951 section 3.2.5).
fn length_bits(length: usize) -> i32 {
    match length {
        ..=10 | 258 => 0,
        _ => (length - 3).ilog2().cast_signed() - 2,
    }
}
