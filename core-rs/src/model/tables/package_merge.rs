//! The best code of at most so many bits, as Go and klauspost choose it among equally good ones.
//!
//! Both use the boundary package-merge algorithm (Katajainen, Moffat, Turpin 1995). Which set of
//! lengths comes out depends on how ties are broken only: a package goes before a leaf of the same weight. So the plain package-merge with the
//! same rule gives the same lengths, level by level and without branches. A level differs from the
//! one below it only from some item on; the items before are kept.

use crate::deflate::huffman::{LITERAL_SYMBOLS, MAX_CODE_BITS};

/// Items of the top level: two for each symbol but one.
const MAX_ITEMS: usize = 2 * LITERAL_SYMBOLS;
/// Words of a bit set of items.
const WORDS: usize = MAX_ITEMS.div_ceil(64);
/// Heavier than all symbols together; can be doubled `MAX_CODE_BITS` times.
const NEVER: u64 = 1 << 48;

/// How many of the lightest symbols occur in each level of the solution. A symbol's code has as many
/// bits as there are levels that it occurs in.
pub(super) fn leaves_by_level(keys: &[u64], levels: usize) -> [usize; MAX_CODE_BITS] {
    let mut merge = Merge::new(keys);
    let mut is_leaf = [[u64::MAX; WORDS]; MAX_CODE_BITS];
    let mut built = 1;
    while built < levels && merge.next_level() {
        is_leaf[built] = merge.is_leaf;
        built += 1;
    }
    let mut result = [0; MAX_CODE_BITS];
    let mut items = merge.items;
    for level in (0..levels).rev() {
        // Levels above the last one built are the same as that one.
        result[level] = count_ones(&is_leaf[level.min(built - 1)], items);
        items = 2 * (items - result[level]);
    }
    result
}

/// One level of the algorithm: symbols and pairs of items of the level below, lightest first.
struct Merge {
    /// Their weights, then one that no pair reaches.
    leaves: [u64; LITERAL_SYMBOLS + 1],
    /// Items that the top level needs.
    items: usize,
    weights: [u64; MAX_ITEMS],
    /// Which items are symbols, as a bit set.
    is_leaf: [u64; WORDS],
    /// Items before this one are the same as in the level below.
    same: usize,
}

impl Merge {
    /// The lowest level: symbols alone.
    fn new(keys: &[u64]) -> Self {
        let mut leaves = [u64::MAX; LITERAL_SYMBOLS + 1];
        let mut weights = [NEVER; MAX_ITEMS];
        for (index, &key) in keys.iter().enumerate() {
            leaves[index] = key >> 16;
            weights[index] = key >> 16;
        }
        Self {
            leaves,
            items: 2 * keys.len() - 2,
            weights,
            is_leaf: [u64::MAX; WORDS],
            same: 0,
        }
    }

    /// Goes one level up; says no if that changes nothing.
    fn next_level(&mut self) -> bool {
        let mut pairs = [NEVER; MAX_ITEMS / 2 + 1];
        for (pair, items) in pairs
            .iter_mut()
            .zip(self.weights[..self.items].chunks_exact(2))
        {
            *pair = items[0] + items[1];
        }
        let (first, mut leaf, mut pair) = self.first_to_merge();
        if first >= self.items {
            return false;
        }
        for item in first..self.items {
            let (leaf_weight, pair_weight) = (self.leaves[leaf], pairs[pair]);
            let takes_leaf = leaf_weight < pair_weight;
            self.weights[item] = leaf_weight.min(pair_weight);
            leaf += usize::from(takes_leaf);
            pair += usize::from(!takes_leaf);
            let bit = 1 << (item % 64);
            let word = &mut self.is_leaf[item / 64];
            *word = *word & !bit | if takes_leaf { bit } else { 0 };
        }
        self.same = next_zero(&self.is_leaf, first);
        true
    }

    /// The first item that can differ from the level below, and the symbols and pairs before it:
    /// the item after the last pair whose own two items are the same.
    fn first_to_merge(&self) -> (usize, usize, usize) {
        let pairs = self.same / 2;
        let mut found = 0;
        let mut item = 0;
        while found < pairs {
            item = next_zero(&self.is_leaf, item) + 1;
            found += 1;
        }
        (item, item - pairs, pairs)
    }
}

fn count_ones(bits: &[u64; WORDS], length: usize) -> usize {
    let whole: u32 = bits[..length / 64]
        .iter()
        .map(|word| word.count_ones())
        .sum();
    let rest = bits
        .get(length / 64)
        .map_or(0, |word| word & ((1 << (length % 64)) - 1));
    (whole + rest.count_ones()) as usize
}

/// The first clear bit from `from` on, `MAX_ITEMS` or more if there is none.
fn next_zero(bits: &[u64; WORDS], from: usize) -> usize {
    let mut index = from / 64;
    let mut keep = u64::MAX << (from % 64);
    while let Some(&word) = bits.get(index) {
        let clear = !word & keep;
        if clear != 0 {
            return index * 64 + clear.trailing_zeros() as usize;
        }
        keep = u64::MAX;
        index += 1;
    }
    MAX_ITEMS
}
