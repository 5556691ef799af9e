//! A dynamic block's header from the lengths of its codes, and the bits that it takes.

use super::code_lengths::{Ties, code_lengths};
use crate::deflate::DynamicCodes;
use crate::deflate::block::{CODE_LENGTH_ORDER, LengthRun};
use crate::deflate::huffman::CODE_LENGTH_SYMBOLS;

/// Longest code for code lengths, bits (RFC 1951 §3.2.7).
pub(super) const MAX_CODE_LENGTH_BITS: usize = 7;
/// Type and final bit, and the three counts, in bits (RFC 1951 §3.2.3, §3.2.7).
const COUNTS_BITS: u64 = 3 + 5 + 5 + 4;
/// Code lengths whose lengths are always written.
const MIN_CODE_LENGTHS: usize = 4;
/// Symbols of the code length code that stand for runs.
const REPEAT: u8 = 16;
const ZEROS: u8 = 17;
const MANY_ZEROS: u8 = 18;

/// How a run of equal lengths is cut into symbols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RunStyle {
    /// Go: a run goes on from the literals into the distances; what repeats leave over is written
    /// length by length.
    Go,
    /// zlib: literals and distances on their own; a run longer than one repeat can say is cut there,
    /// and the rest is a run of its own.
    Zlib,
}

/// Runs with the counts of their symbols.
#[derive(Clone, Debug)]
pub(super) struct Runs {
    runs: Vec<LengthRun>,
    pub(super) counts: [u32; CODE_LENGTH_SYMBOLS],
}

impl Runs {
    /// Lengths of literals and distances as runs.
    pub(super) fn new(literals: &[u8], distances: &[u8], style: RunStyle) -> Self {
        let mut runs = Self {
            runs: Vec::with_capacity(literals.len() + distances.len()),
            counts: [0; CODE_LENGTH_SYMBOLS],
        };
        match style {
            RunStyle::Go => runs.add_joined(literals, distances),
            RunStyle::Zlib => {
                runs.add_tree(literals);
                runs.add_tree(distances);
            }
        }
        runs
    }

    fn push(&mut self, symbol: u8, extra: usize) {
        let extra = u8::try_from(extra).unwrap_or(u8::MAX);
        self.counts[usize::from(symbol)] += 1;
        self.runs.push(LengthRun { symbol, extra });
    }

    fn push_each(&mut self, length: u8, count: usize) {
        for _ in 0..count {
            self.push(length, 0);
        }
    }

    fn add_joined(&mut self, literals: &[u8], distances: &[u8]) {
        let mut open: Option<(u8, usize)> = None;
        for group in [literals, distances]
            .into_iter()
            .flat_map(|lengths| lengths.chunk_by(|a, b| a == b))
        {
            let length = group[0];
            match &mut open {
                Some((before, count)) if *before == length => *count += group.len(),
                _ => {
                    if let Some((before, count)) = open {
                        self.add_go_run(before, count);
                    }
                    open = Some((length, group.len()));
                }
            }
        }
        if let Some((length, count)) = open {
            self.add_go_run(length, count);
        }
    }

    /// Source: `generateCodegen` in Go's `huffman_bit_writer.go`.
    fn add_go_run(&mut self, length: u8, mut count: usize) {
        if length == 0 {
            while count >= 11 {
                let run = count.min(138);
                self.push(MANY_ZEROS, run - 11);
                count -= run;
            }
            if count >= 3 {
                self.push(ZEROS, count - 3);
                count = 0;
            }
        } else {
            self.push(length, 0);
            count -= 1;
            while count >= 3 {
                let run = count.min(6);
                self.push(REPEAT, run - 3);
                count -= run;
            }
        }
        self.push_each(length, count);
    }

    /// Source: `send_tree` in zlib's `trees.c`.
    fn add_tree(&mut self, lengths: &[u8]) {
        let mut before = None;
        for group in lengths.chunk_by(|a, b| a == b) {
            let length = group[0];
            let mut open = group.len();
            while open > 0 {
                let longest = match (length, before) {
                    (0, _) => 138,
                    (length, Some(before)) if length == before => 6,
                    _ => 7,
                };
                let count = open.min(longest);
                self.add_zlib_run(length, count, before);
                before = Some(length);
                open -= count;
            }
        }
    }

    fn add_zlib_run(&mut self, length: u8, count: usize, before: Option<u8>) {
        let is_repeat = before == Some(length) && length != 0;
        match (length, count) {
            (0, 11..) => self.push(MANY_ZEROS, count - 11),
            (0, 3..) => self.push(ZEROS, count - 3),
            (_, 3..) if is_repeat => self.push(REPEAT, count - 3),
            (1.., 4..) => {
                self.push(length, 0);
                self.push(REPEAT, count - 4);
            }
            _ => self.push_each(length, count),
        }
    }
}

/// A header that could be written, and its bits.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) codes: DynamicCodes,
    pub(super) bits: u64,
}

impl Header {
    /// Of code lengths that are all announced, as Go and klauspost write them.
    pub(super) fn go(ties: Ties, literals: &[u8], distances: &[u8]) -> Self {
        let runs = Runs::new(literals, distances, RunStyle::Go);
        let mut by_symbol = [0; CODE_LENGTH_SYMBOLS];
        code_lengths(ties, &runs.counts, MAX_CODE_LENGTH_BITS, &mut by_symbol);
        Self::new(literals.len(), distances.len(), runs, &by_symbol)
    }

    /// `by_symbol`: lengths of the code that the runs are written in.
    pub(super) fn new(
        literal_count: usize,
        distance_count: usize,
        runs: Runs,
        by_symbol: &[u8; CODE_LENGTH_SYMBOLS],
    ) -> Self {
        let mut code_lengths: Vec<u8> = CODE_LENGTH_ORDER
            .iter()
            .map(|&symbol| by_symbol[symbol])
            .collect();
        while code_lengths.len() > MIN_CODE_LENGTHS && code_lengths.last() == Some(&0) {
            code_lengths.pop();
        }
        let bits = header_bits(code_lengths.len(), &runs.counts, by_symbol);
        let codes = DynamicCodes {
            literal_count: u16::try_from(literal_count).unwrap_or(u16::MAX),
            distance_count: u8::try_from(distance_count).unwrap_or(u8::MAX),
            code_lengths,
            runs: runs.runs,
        };
        Self { codes, bits }
    }
}

fn header_bits(
    written: usize,
    counts: &[u32; CODE_LENGTH_SYMBOLS],
    by_symbol: &[u8; CODE_LENGTH_SYMBOLS],
) -> u64 {
    let symbols = super::frequencies::coded_bits(counts, by_symbol);
    let extra = 2 * counts[16] + 3 * counts[17] + 7 * counts[18];
    COUNTS_BITS + 3 * written as u64 + symbols + u64::from(extra)
}

/// Bits that a header takes.
pub(super) fn bits_of(codes: &DynamicCodes) -> u64 {
    let mut counts = [0; CODE_LENGTH_SYMBOLS];
    for run in &codes.runs {
        counts[usize::from(run.symbol)] += 1;
    }
    let mut by_symbol = [0; CODE_LENGTH_SYMBOLS];
    for (&symbol, &length) in CODE_LENGTH_ORDER.iter().zip(&codes.code_lengths) {
        by_symbol[symbol] = length;
    }
    header_bits(codes.code_lengths.len(), &counts, &by_symbol)
}
