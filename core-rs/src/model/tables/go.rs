//! Headers of Go's compress/flate from Go 1.7 to 1.26: dockerd, containerd, crane, kaniko.
//!
//! Source: `huffman_bit_writer.go`, and `deflate.go` for the calls.

use super::BlockFacts;
use super::code_lengths::{Ties, code_lengths};
use super::frequencies::Frequencies;
use super::header::Header;
use crate::deflate::BlockKind;
use crate::deflate::huffman::{DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS, MAX_CODE_BITS};

/// Longest plain text of a stored block, bytes (`maxStoreBlockSize`).
pub(super) const MAX_STORED: u64 = 65_535;
/// A last block of so few bytes is stored at level 1 (`encSpeed`).
const MAX_STORED_TAIL: u64 = 16;

/// Bits that the encoder reckons for a stored block, if it can be one.
pub(super) fn stored_bits(plain_length: u64) -> Option<u64> {
    (plain_length <= MAX_STORED).then_some((plain_length + 5) * 8)
}

/// A dynamic block, and its bits without those beside the codes.
pub(super) struct DynamicBlock {
    pub(super) header: Header,
    pub(super) bits: u64,
}

impl DynamicBlock {
    /// Announces as many lengths as there are up to the last symbol that occurs. The distance code
    /// is never empty.
    fn new(mut frequencies: Frequencies) -> (Frequencies, Self) {
        frequencies.literals[END_OF_BLOCK] = 1;
        let literal_count = used(&frequencies.literals);
        let mut distance_count = used(&frequencies.distances);
        if distance_count == 0 {
            frequencies.distances[0] = 1;
            distance_count = 1;
        }
        let block = Self::announcing(
            Ties::JointsFirst,
            &frequencies,
            literal_count,
            distance_count,
        );
        (frequencies, block)
    }

    pub(super) fn announcing(
        ties: Ties,
        frequencies: &Frequencies,
        literal_count: usize,
        distance_count: usize,
    ) -> Self {
        let mut literals = [0; LITERAL_SYMBOLS];
        let mut distances = [0; DISTANCE_SYMBOLS];
        code_lengths(ties, &frequencies.literals, MAX_CODE_BITS, &mut literals);
        code_lengths(ties, &frequencies.distances, MAX_CODE_BITS, &mut distances);
        let header = Header::go(
            ties,
            &literals[..literal_count],
            &distances[..distance_count],
        );
        let bits = header.bits + frequencies.coded_bits(&literals, &distances);
        Self { header, bits }
    }
}

/// Symbols up to the last one that occurs.
pub(super) fn used(counts: &[u32]) -> usize {
    counts
        .iter()
        .rposition(|&count| count > 0)
        .map_or(0, |last| last + 1)
}

/// Levels 2 to 9 (`writeBlock`): the shortest of the three kinds. Empty blocks are flushes or the
/// end.
pub(super) fn predict(facts: &BlockFacts<'_>) -> BlockKind {
    if facts.place.plain_length == 0 {
        return facts.stored();
    }
    let (frequencies, dynamic) = DynamicBlock::new(facts.frequencies.clone());
    let fixed_bits = 3 + frequencies.fixed_bits();
    let best = dynamic.bits.min(fixed_bits) + frequencies.extra_bits();
    if stored_bits(facts.place.plain_length).is_some_and(|stored| stored < best) {
        facts.stored()
    } else if dynamic.bits < fixed_bits {
        BlockKind::Dynamic(dynamic.header.codes)
    } else {
        BlockKind::Fixed
    }
}

/// Level 1: as `predict_literals`, since `writeBlockDynamic` chooses like `writeBlockHuff`, but for
/// very few bytes.
pub(super) fn predict_fast(facts: &BlockFacts<'_>) -> BlockKind {
    if facts.place.plain_length <= MAX_STORED_TAIL {
        return facts.stored();
    }
    predict_literals(facts)
}

/// Huffman only (`writeBlockHuff`): stored unless a dynamic block saves one sixteenth. Bits beside
/// the codes do not count.
pub(super) fn predict_literals(facts: &BlockFacts<'_>) -> BlockKind {
    if facts.place.plain_length == 0 {
        return facts.stored();
    }
    let (_, dynamic) = DynamicBlock::new(facts.frequencies.clone());
    let limit = dynamic.bits + (dynamic.bits >> 4);
    if stored_bits(facts.place.plain_length).is_some_and(|stored| stored < limit) {
        facts.stored()
    } else {
        BlockKind::Dynamic(dynamic.header.codes)
    }
}
