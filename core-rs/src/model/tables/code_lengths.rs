//! Code lengths from counts of symbols, as Go and klauspost choose them.

use super::package_merge::leaves_by_level;
use crate::deflate::huffman::{LITERAL_SYMBOLS, MAX_CODE_BITS};

/// Nodes of the largest tree, without its root.
const MAX_CHILDREN: usize = 2 * LITERAL_SYMBOLS;

/// How an encoder finds lengths. The sums are equally good, the lengths differ by ties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Method {
    /// Package-merge (`bitCounts`).
    PackageMerge,
    /// A Huffman tree; package-merge if that is too deep (`treeBitCounts`, klauspost v1.20.4).
    TreeFirst,
}

/// Sets the lengths of a code of at most `max_bits` bits; symbols that do not occur get none.
///
/// Two symbols or fewer get one bit each.
pub(super) fn code_lengths(
    method: Method,
    frequencies: &[u32],
    max_bits: usize,
    lengths: &mut [u8],
) {
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
    let counts = match method {
        Method::PackageMerge => None,
        Method::TreeFirst => tree_counts(keys, max_bits),
    };
    let counts = counts.unwrap_or_else(|| merge_counts(keys, max_bits));
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
    let leaves = leaves_by_level(keys, levels);
    let mut counts = [0; MAX_CODE_BITS + 1];
    // A symbol has a bit for each level that it occurs in, and the lightest occur in all.
    let mut before = 0;
    for (level, &level_leaves) in leaves[..levels].iter().enumerate() {
        counts[levels - level] = level_leaves - before;
        before = level_leaves;
    }
    counts
}

/// Joins the two lightest nodes until there is one; of equal ones, symbols go first. None: a code
/// would be too long.
fn tree_counts(keys: &[u64], max_bits: usize) -> Option<LengthCounts> {
    let count = keys.len();
    let mut parents = [0_usize; MAX_CHILDREN];
    let mut weights = [0_u64; LITERAL_SYMBOLS];
    let (mut leaf, mut inner) = (0, 0);
    for joint in 0..count - 1 {
        for _ in 0..2 {
            let takes_leaf = leaf < count && (inner >= joint || keys[leaf] >> 16 <= weights[inner]);
            let child = if takes_leaf {
                weights[joint] += keys[leaf] >> 16;
                leaf += 1;
                leaf - 1
            } else {
                weights[joint] += weights[inner];
                inner += 1;
                count + inner - 1
            };
            parents[child] = joint;
        }
    }
    let mut depths = [0_usize; LITERAL_SYMBOLS];
    let mut counts = [0; MAX_CODE_BITS + 1];
    for child in (0..2 * count - 2).rev() {
        let depth = depths[parents[child]] + 1;
        match child.checked_sub(count) {
            Some(inner) => depths[inner] = depth,
            None if depth > max_bits => return None,
            None => counts[depth] += 1,
        }
    }
    Some(counts)
}
