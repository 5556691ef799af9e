//! Calls of literals: a new block, or more of the one before (`writeBlockHuff`).

use super::super::code_lengths::code_lengths;
use super::super::estimate::{literal_bits, looks_random};
use super::super::frequencies::{FIRST_LENGTH, Frequencies, coded_bits};
use super::super::go::{DynamicBlock, stored_bits};
use super::open_codes::OpenCodes;
use super::{BlockFacts, Klauspost, KlauspostVersion};
use crate::deflate::BlockKind;
use crate::deflate::huffman::{END_OF_BLOCK, MAX_CODE_BITS};

/// Header that literals are reckoned with when no codes are open (`guessHeaderSizeBits`).
const GUESSED_HEADER_BITS: u64 = 70 * 8;

impl Klauspost {
    /// What begins with a call of literals, if anything does.
    pub(super) fn literals(
        &self,
        open: Option<&OpenCodes>,
        facts: &BlockFacts<'_>,
    ) -> Option<BlockKind> {
        let stored_bits = stored_bits(facts.place.plain_length);
        let literals = &facts.frequencies.literals;
        let looks_random =
            !self.fills() && looks_random(&literals[..END_OF_BLOCK], facts.place.plain_length);
        if stored_bits.is_some() && looks_random {
            return Some(facts.stored());
        }
        let frequencies = self.coded_frequencies(facts);
        let bits = self.literal_call_bits(open, facts, &frequencies);
        if stored_bits.is_some_and(|stored| self.is_stored(stored, bits)) {
            return Some(facts.stored());
        }
        if let Some(open) = open
            && open
                .literal_bits(literals)
                .is_some_and(|reuse| reuse <= bits)
        {
            return None;
        }
        let dynamic = DynamicBlock::announcing(self.version.ties(), &frequencies, FIRST_LENGTH, 1);
        Some(BlockKind::Dynamic(dynamic.header.codes))
    }

    /// The counts that codes are made of.
    fn coded_frequencies(&self, facts: &BlockFacts<'_>) -> Frequencies {
        let mut frequencies = facts.frequencies.clone();
        frequencies.literals[FIRST_LENGTH..].fill(0);
        frequencies.literals[END_OF_BLOCK] = 1;
        frequencies.distances.fill(0);
        frequencies.distances[0] = 1;
        if self.version == KlauspostVersion::V1_11 && !self.is_flushed(facts.place) {
            for count in &mut frequencies.literals[..END_OF_BLOCK] {
                *count = (*count).max(1);
            }
        }
        frequencies
    }

    /// What a new block is reckoned to take.
    fn literal_call_bits(
        &self,
        open: Option<&OpenCodes>,
        facts: &BlockFacts<'_>,
        coded: &Frequencies,
    ) -> u64 {
        let plain_length = facts.place.plain_length;
        let mut bits = if self.version == KlauspostVersion::V1_11 {
            let literals = &facts.frequencies.literals[..END_OF_BLOCK];
            let added = literals.iter().zip(&coded.literals);
            let added = added.map(|(&count, &coded)| u64::from(coded - count));
            literal_bits(literals, plain_length + added.sum::<u64>()) + plain_length / 32
        } else {
            let literals = &coded.literals[..FIRST_LENGTH];
            let mut lengths = [0; FIRST_LENGTH];
            code_lengths(self.version.ties(), literals, MAX_CODE_BITS, &mut lengths);
            coded_bits(literals, &lengths)
        };
        bits += open.map_or(GUESSED_HEADER_BITS, |open| open.header_bits);
        bits + (bits >> self.penalty())
    }

    const fn is_stored(&self, stored_bits: u64, bits: u64) -> bool {
        match self.version {
            KlauspostVersion::V1_11 => stored_bits < bits,
            _ => stored_bits <= bits,
        }
    }
}
