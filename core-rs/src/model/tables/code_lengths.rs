//! Code lengths from counts of symbols, as Go and klauspost choose them among equally good ones.
//!
//! Go and klauspost up to v1.20.3 find them by package-merge ([`super::package_merge`]), where of equal
//! weights a package goes first. A Huffman tree where joints go first gives the same lengths, unless
//! some are too long: make each symbol lighter by a trifle, and by a different smaller trifle each,
//! those sorted first the most. Then both algorithms run as before, but no weights are equal any more,
//! so that the best code is the only one. The tree takes a quarter of the time.

#![expect(
    clippy::cast_possible_truncation,
    reason = "trees have fewer than 2^16 nodes"
)]

use super::package_merge::symbols_by_level;
use crate::deflate::huffman::{LITERAL_SYMBOLS, MAX_CODE_BITS};

/// Nodes of the largest tree, without its root.
const MAX_CHILDREN: usize = 2 * LITERAL_SYMBOLS;

/// What goes first of nodes with equal weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ties {
    /// Joints: as package-merge has it (`bitCounts`).
    JointsFirst,
    /// Symbols (`treeBitCounts`, klauspost v1.20.4).
    SymbolsFirst,
}

/// Sets the lengths of a code of at most `max_bits` bits; symbols that do not occur get none.
///
/// Two symbols or fewer get one bit each.
pub(super) fn code_lengths(ties: Ties, frequencies: &[u32], max_bits: usize, lengths: &mut [u8]) {
    debug_assert!(frequencies.len() <= LITERAL_SYMBOLS && max_bits <= MAX_CODE_BITS);
    lengths.fill(0);
    let mut keys = [0_u64; LITERAL_SYMBOLS];
    let mut count = 0;
    for (&frequency, symbol) in frequencies.iter().zip(0_u64..) {
        keys[count] = u64::from(frequency) << 16 | symbol;
        count += usize::from(frequency > 0);
    }
    let keys = &mut keys[..count];
    if count <= 2 {
        for &key in &*keys {
            lengths[symbol_of(key)] = 1;
        }
        return;
    }
    keys.sort_unstable();
    let counts = tree_counts(ties, keys, max_bits).unwrap_or_else(|| merge_counts(keys, max_bits));
    let mut lightest = keys.iter();
    for (bits, &symbols) in (0_u8..=15).zip(&counts).rev() {
        for &key in lightest.by_ref().take(symbols) {
            lengths[symbol_of(key)] = bits;
        }
    }
}

const fn symbol_of(key: u64) -> usize {
    let [low, high, ..] = key.to_le_bytes();
    u16::from_le_bytes([low, high]) as usize
}

/// How many symbols have a code of so many bits.
type LengthCounts = [usize; MAX_CODE_BITS + 1];

fn merge_counts(keys: &[u64], max_bits: usize) -> LengthCounts {
    let levels = max_bits.min(keys.len() - 1);
    let by_level = symbols_by_level(keys.iter().map(|key| key >> 16), levels);
    let mut counts = [0; MAX_CODE_BITS + 1];
    let mut below = 0;
    for (level, &symbols) in by_level[..levels].iter().enumerate() {
        counts[levels - level] = symbols - below;
        below = symbols;
    }
    counts
}

/// Joins the two lightest nodes until there is one. None: a code would be too long.
fn tree_counts(ties: Ties, keys: &[u64], max_bits: usize) -> Option<LengthCounts> {
    let count = keys.len();
    let mut parents = [0_u16; MAX_CHILDREN];
    let mut weights = [u64::MAX; LITERAL_SYMBOLS];
    let (mut leaf, mut inner) = (0, 0);
    for joint in 0..count - 1 {
        let mut weight = 0;
        for _ in 0..2 {
            let symbol = keys.get(leaf).map_or(u64::MAX, |key| key >> 16);
            let takes_symbol = match ties {
                Ties::JointsFirst => symbol < weights[inner],
                Ties::SymbolsFirst => symbol <= weights[inner] && leaf < count,
            };
            let child = if takes_symbol { leaf } else { count + inner };
            weight += symbol.min(weights[inner]);
            leaf += usize::from(takes_symbol);
            inner += usize::from(!takes_symbol);
            parents[child] = joint as u16;
        }
        weights[joint] = weight;
    }
    let mut depths = [0_u16; LITERAL_SYMBOLS];
    let mut counts = [0; MAX_CODE_BITS + 1];
    for child in (0..2 * count - 2).rev() {
        let depth = depths[usize::from(parents[child])] + 1;
        match child.checked_sub(count) {
            Some(inner) => depths[inner] = depth,
            None if usize::from(depth) > max_bits => return None,
            None => counts[usize::from(depth)] += 1,
        }
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Bits of all symbols together, and how much of the code space they take, in 2^-15.
    fn cost(frequencies: &[u32], lengths: &[u8]) -> (u64, u32) {
        let bits = frequencies.iter().zip(lengths);
        let bits = bits.map(|(&count, &length)| u64::from(count) * u64::from(length));
        let space = lengths.iter().filter(|&&length| length > 0);
        (bits.sum(), space.map(|&length| 1 << (15 - length)).sum())
    }

    fn frequencies(max_count: usize) -> impl Strategy<Value = Vec<u32>> {
        // Few different weights make many ties, many and skewed ones make long codes.
        let weight = prop_oneof![
            3 => 0_u32..4,
            3 => 0_u32..40,
            2 => 0_u32..3000,
            2 => (0_u32..16).prop_map(|power| 1 << power),
        ];
        prop::collection::vec(weight, 1..max_count)
    }

    proptest! {
        #[test]
        fn a_tree_with_joints_first_has_the_lengths_of_package_merge(
            mut weights in frequencies(LITERAL_SYMBOLS),
            max_bits in 9_usize..=15,
        ) {
            weights.retain(|&weight| weight > 0);
            weights.sort_unstable();
            prop_assume!(weights.len() > 2);
            let keys: Vec<u64> = weights.iter().map(|&weight| u64::from(weight) << 16).collect();
            if let Some(counts) = tree_counts(Ties::JointsFirst, &keys, max_bits) {
                prop_assert_eq!(counts, merge_counts(&keys, max_bits));
            }
        }

        #[test]
        fn code_lengths_gives_whole_codes_that_cost_the_same_by_all_ways(
            weights in frequencies(LITERAL_SYMBOLS),
            max_bits in 9_usize..=15,
        ) {
            let mut joints = vec![0; weights.len()];
            let mut symbols = vec![0; weights.len()];
            code_lengths(Ties::JointsFirst, &weights, max_bits, &mut joints);
            code_lengths(Ties::SymbolsFirst, &weights, max_bits, &mut symbols);
            prop_assert_eq!(cost(&weights, &joints).0, cost(&weights, &symbols).0);
            let used = weights.iter().filter(|&&weight| weight > 0).count();
            let space = match used {
                0 => 0,
                1 => 1 << 14,
                _ => 1 << 15,
            };
            prop_assert_eq!(cost(&weights, &joints).1, space);
            prop_assert!(joints.iter().all(|&length| usize::from(length) <= max_bits));
        }
    }
}
