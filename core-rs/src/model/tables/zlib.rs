//! Headers of zlib, and so of Python, Java, Node and pigz, and of GNU gzip: all have the same trees.
//!
//! Source: zlib's trees.c; GNU gzip's is an older form of it with the same results.

#![expect(
    clippy::cast_possible_truncation,
    reason = "nodes number fewer than 2^16, and no code is longer than 15 bits"
)]

use super::BlockFacts;
use super::header::{Header, MAX_CODE_LENGTH_BITS, RunStyle, Runs};
use crate::deflate::BlockKind;
use crate::deflate::huffman::{
    CODE_LENGTH_SYMBOLS, DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS, MAX_CODE_BITS,
};

/// Nodes of the largest tree.
const MAX_NODES: usize = 2 * LITERAL_SYMBOLS;

/// Which of the three kinds takes the fewest bytes (`_tr_flush_block`). Empty blocks are
/// flushes (`_tr_stored_block`), but for the last one.
pub(super) fn predict(facts: &BlockFacts<'_>) -> BlockKind {
    if facts.place.plain_length == 0 && !facts.place.is_final {
        return facts.stored();
    }
    let mut frequencies = facts.frequencies.clone();
    frequencies.literals[END_OF_BLOCK] = 1;
    let mut literals = [0; LITERAL_SYMBOLS];
    let mut distances = [0; DISTANCE_SYMBOLS];
    let literal_count = build_tree(&frequencies.literals, MAX_CODE_BITS, &mut literals);
    let distance_count = build_tree(&frequencies.distances, MAX_CODE_BITS, &mut distances);
    let header = header(&literals[..literal_count], &distances[..distance_count]);
    let extra_bits = frequencies.extra_bits();
    let dynamic_bits = header.bits + frequencies.coded_bits(&literals, &distances) + extra_bits;
    let fixed_bits = 3 + frequencies.fixed_bits() + extra_bits;
    let fixed = fixed_bits.div_ceil(8);
    let best = dynamic_bits.div_ceil(8).min(fixed);
    if facts.place.plain_length + 4 <= best {
        facts.stored()
    } else if fixed == best {
        BlockKind::Fixed
    } else {
        BlockKind::Dynamic(header.codes)
    }
}

/// As `predict`, but for the empty blocks that fill the last byte of a piece: from an even place
/// fixed ones of 10 bits, from an odd one a stored one (`deflate_engine` in pigz.c).
pub(super) fn predict_pigz(facts: &BlockFacts<'_>) -> BlockKind {
    let is_even =
        facts.place.bit_offset.is_multiple_of(2) && !facts.place.bit_offset.is_multiple_of(8);
    if facts.place.plain_length == 0 && !facts.place.is_final && is_even {
        return BlockKind::Fixed;
    }
    predict(facts)
}

fn header(literals: &[u8], distances: &[u8]) -> Header {
    let runs = Runs::new(literals, distances, RunStyle::Zlib);
    let mut by_symbol = [0; CODE_LENGTH_SYMBOLS];
    build_tree(&runs.counts, MAX_CODE_LENGTH_BITS, &mut by_symbol);
    Header::new(literals.len(), distances.len(), runs, &by_symbol)
}

/// Sets the lengths of a code and gives the number of them to announce: up to the last symbol that
/// has one. A code has two symbols at least, the first ones if need be.
fn build_tree(counts: &[u32], max_bits: usize, lengths: &mut [u8]) -> usize {
    let mut tree = Tree::new(counts);
    let order = tree.join();
    tree.assign_lengths(&order, max_bits, lengths);
    tree.announced
}

/// A node's weight, then its depth in the low byte: the smaller key goes first.
type Key = u64;

/// A Huffman tree that grows from its leaves. Nodes are symbols, then joints in the order made.
struct Tree {
    symbols: usize,
    announced: usize,
    /// Nodes without a parent: a heap from place 1 on, smallest key first.
    heap: [(Key, u16); LITERAL_SYMBOLS + 1],
    heap_length: usize,
    parents: [u16; MAX_NODES],
}

/// Nodes in the order that they got a parent, and their number.
struct Order {
    nodes: [u16; MAX_NODES],
    count: usize,
}

impl Tree {
    fn new(counts: &[u32]) -> Self {
        let mut tree = Self {
            symbols: counts.len(),
            announced: 0,
            heap: [(0, 0); LITERAL_SYMBOLS + 1],
            heap_length: 0,
            parents: [0; MAX_NODES],
        };
        for (symbol, &count) in counts.iter().enumerate() {
            if count > 0 {
                tree.add(count, symbol);
            }
        }
        while tree.heap_length < 2 {
            let symbol = if tree.announced < 3 {
                tree.announced
            } else {
                0
            };
            tree.add(1, symbol);
        }
        for place in (1..=tree.heap_length / 2).rev() {
            tree.sift_down(place, tree.heap[place]);
        }
        tree
    }

    fn add(&mut self, count: u32, symbol: usize) {
        self.heap_length += 1;
        self.heap[self.heap_length] = (u64::from(count) << 8, symbol as u16);
        self.announced = self.announced.max(symbol + 1);
    }

    /// Finds the place of a node, from a free one down (`pqdownheap`). Of equal keys, the later one
    /// of two brothers goes up, and a node stays above one of its own key.
    fn sift_down(&mut self, mut place: usize, node: (Key, u16)) {
        let heap = &mut self.heap[..=self.heap_length];
        let mut child = place * 2;
        while child < heap.len() {
            if child + 1 < heap.len() && heap[child + 1].0 <= heap[child].0 {
                child += 1;
            }
            if node.0 <= heap[child].0 {
                break;
            }
            heap[place] = heap[child];
            place = child;
            child = place * 2;
        }
        heap[place] = node;
    }

    /// Joins the two smallest nodes until there is but one.
    fn join(&mut self) -> Order {
        let mut order = Order {
            nodes: [0; MAX_NODES],
            count: 0,
        };
        let mut joint = self.symbols as u16;
        while self.heap_length >= 2 {
            let (first_key, first) = self.heap[1];
            let last = self.heap[self.heap_length];
            self.heap_length -= 1;
            self.sift_down(1, last);
            let (second_key, second) = self.heap[1];
            for node in [first, second] {
                self.parents[usize::from(node)] = joint;
                order.nodes[order.count] = node;
                order.count += 1;
            }
            let weight = (first_key >> 8) + (second_key >> 8);
            let depth = (first_key & 0xff).max(second_key & 0xff) + 1;
            self.sift_down(1, (weight << 8 | depth & 0xff, joint));
            joint += 1;
        }
        order
    }

    /// Lengths by the place in the tree (`gen_bitlen`); if some are too long, the counts of each
    /// length are mended and then given out anew, longest first to the symbols joined first.
    fn assign_lengths(&self, order: &Order, max_bits: usize, lengths: &mut [u8]) {
        let mut depths = [0_u8; MAX_NODES];
        let mut counts = [0_usize; MAX_CODE_BITS + 1];
        let mut too_long = 0;
        for &node in order.nodes[..order.count].iter().rev() {
            let node = usize::from(node);
            let mut bits = usize::from(depths[usize::from(self.parents[node])]) + 1;
            if bits > max_bits {
                bits = max_bits;
                too_long += 1;
            }
            depths[node] = bits as u8;
            if node < self.symbols {
                counts[bits] += 1;
                lengths[node] = bits as u8;
            }
        }
        if too_long == 0 {
            return;
        }
        shorten(&mut counts[..=max_bits], too_long);
        let mut leaves = order.nodes[..order.count].iter();
        for (bits, &count) in counts.iter().enumerate().skip(1).rev() {
            let with_these = leaves
                .by_ref()
                .map(|&node| usize::from(node))
                .filter(|&node| node < self.symbols)
                .take(count);
            for symbol in with_these {
                lengths[symbol] = bits as u8;
            }
        }
    }
}

/// Makes room for nodes that were too deep, two at a time: a shorter code becomes two longer ones.
fn shorten(counts: &mut [usize], mut too_long: usize) {
    let max_bits = counts.len() - 1;
    while too_long > 0 {
        let bits = (1..max_bits).rfind(|&bits| counts[bits] > 0).unwrap_or(0);
        counts[bits] = counts[bits].saturating_sub(1);
        counts[bits + 1] += 2;
        counts[max_bits] = counts[max_bits].saturating_sub(1);
        too_long = too_long.saturating_sub(2);
    }
}
