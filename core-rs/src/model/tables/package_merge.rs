//! The best code of at most so many bits, as Go and klauspost choose it among equally good ones.
//!
//! They use the boundary package-merge algorithm (Katajainen, Moffat, Turpin 1995), which makes no
//! more packages than needed. Which lengths come out depends on one thing: a package goes before a
//! symbol of the same weight. So plain package-merge with that rule gives the same ones.

use crate::deflate::huffman::{LITERAL_SYMBOLS, MAX_CODE_BITS};

/// Items of the top level: two for each symbol but one.
const MAX_ITEMS: usize = 2 * LITERAL_SYMBOLS;
/// Heavier than all symbols together; can be doubled `MAX_CODE_BITS` times.
const NEVER: u64 = 1 << 48;

/// How many of the lightest symbols occur in each level of the solution, from the lowest level on. A
/// symbol's code has as many bits as there are levels that it occurs in.
///
/// `weights`: of the symbols, lightest first, three or more; `levels`: fewer than those.
pub(super) fn symbols_by_level(
    weights: impl ExactSizeIterator<Item = u64>,
    levels: usize,
) -> [usize; MAX_CODE_BITS] {
    let items = 2 * weights.len() - 2;
    let mut symbols = [u64::MAX; LITERAL_SYMBOLS + 1];
    let mut level = [NEVER; MAX_ITEMS];
    for (index, weight) in weights.enumerate() {
        symbols[index] = weight;
        level[index] = weight;
    }
    let mut symbols_before = vec![[0_u16; MAX_ITEMS + 1]; levels];
    for (before, index) in symbols_before[0].iter_mut().zip(0_u16..) {
        *before = index;
    }
    for before in &mut symbols_before[1..] {
        merge(&symbols, &mut level[..items], before);
    }
    let mut result = [0; MAX_CODE_BITS];
    let mut needed = items;
    for (before, symbols) in symbols_before.iter().zip(&mut result).rev() {
        *symbols = usize::from(before[needed]);
        needed = 2 * (needed - *symbols);
    }
    result
}

/// Makes of a level the one above: symbols, and packages of two items below, lightest first. Also
/// gives the number of symbols before each item.
fn merge(symbols: &[u64], level: &mut [u64], symbols_before: &mut [u16]) {
    let mut packages = [NEVER; LITERAL_SYMBOLS];
    for (package, items) in packages.iter_mut().zip(level.chunks_exact(2)) {
        *package = items.iter().sum();
    }
    let (mut symbol, mut package) = (0, 0);
    for (item, before) in level.iter_mut().zip(symbols_before[1..].iter_mut()) {
        if symbols[symbol] < packages[package] {
            *item = symbols[symbol];
            symbol += 1;
        } else {
            *item = packages[package];
            package += 1;
        }
        *before = u16::try_from(symbol).unwrap_or(u16::MAX);
    }
}
