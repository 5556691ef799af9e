//! Go's compress/flate up to Go 1.26, levels 2 and 3: short hash chains, and the first match taken.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflate.go>

use super::chains::{ChainHash, NO_LINK};
use super::go_window::{FAR_FOR_SHORT, Found, GoHash, MAX_MATCH, MIN_MATCH, WINDOW, reach};
use super::text::{load32, match_length};
use super::{CONTEXT_SIZE, Model};
use crate::deflate::Token;

/// Added to positions in the table of heads, so that an empty one is too far to be a candidate.
const HEAD_BASE: u32 = 1 << 16;

/// Go's levels that take the first match.
///
/// They leave the insides of longer matches out of their chains, so these depend on the tokens
/// before and cannot be built ahead.
pub struct GoGreedy {
    /// A match so long ends a search.
    nice: usize,
    /// Candidates that are tried.
    chain: usize,
    /// Positions within longer matches are not inserted.
    longest_inserted: usize,
    /// The last position of each hash, plus [`HEAD_BASE`].
    heads: Box<[u32]>,
    /// Bytes back to the position before with the same hash, or [`NO_LINK`].
    links: Box<[u16; WINDOW]>,
    end: usize,
    /// Bytes of the stream before the text, as far as is known.
    phase: u64,
}

impl std::fmt::Debug for GoGreedy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GoGreedy")
            .field("chain", &self.chain)
            .finish_non_exhaustive()
    }
}

impl GoGreedy {
    /// A model of `level`, 2 or 3. Others are taken for the nearest of these.
    #[expect(
        clippy::large_stack_arrays,
        reason = "64 KiB for a moment; a boxed slice would cost a check at each access"
    )]
    pub fn new(level: u8) -> Self {
        let (nice, chain, longest_inserted) = match level {
            ..=2 => (16, 8, 5),
            3.. => (32, 32, 6),
        };
        Self {
            nice,
            chain,
            longest_inserted,
            heads: vec![0; 1 << GoHash::BITS].into_boxed_slice(),
            links: Box::new([NO_LINK; WINDOW]),
            end: 0,
            phase: 0,
        }
    }

    /// Puts `position` at the head of its chain, if the encoder sees four bytes there.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "distances fit after the check; positions may wrap"
    )]
    fn insert(&mut self, text: &[u8], position: usize) {
        if position + MIN_MATCH > self.end {
            self.links[position % WINDOW] = NO_LINK;
            return;
        }
        let hash = GoHash::hash(load32(text, position)) as usize;
        let here = (position as u32).wrapping_add(HEAD_BASE);
        let distance = here.wrapping_sub(self.heads[hash]);
        self.heads[hash] = here;
        self.links[position % WINDOW] = if distance as usize <= WINDOW {
            distance as u16
        } else {
            NO_LINK
        };
    }

    /// The first of the longest matches at `position`, which was just inserted.
    fn search(&self, text: &[u8], position: usize) -> Option<Found> {
        let longest = MAX_MATCH.min(self.end - position);
        if longest < MIN_MATCH {
            return None;
        }
        let nice = self.nice.min(longest);
        let reach = reach(self.phase, position);
        let first = load32(text, position);
        let mut last = first;
        let mut best = None;
        let mut best_length = MIN_MATCH - 1;
        let mut distance = 0;
        for _ in 0..self.chain {
            distance += usize::from(self.links[(position - distance) % WINDOW]);
            if distance > reach {
                break;
            }
            let candidate = position - distance;
            if load32(text, candidate + best_length - 3) != last || load32(text, candidate) != first
            {
                continue;
            }
            let length = match_length(text, candidate, position, longest);
            if length > best_length && (length > MIN_MATCH || distance <= FAR_FOR_SHORT) {
                best = Some(Found { length, distance });
                best_length = length;
                if length >= nice {
                    break;
                }
                last = load32(text, position + length - 3);
            }
        }
        best
    }
}

impl Model for GoGreedy {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.heads.fill(0);
        self.phase = since_flush.wrapping_sub(start as u64) % WINDOW as u64;
        let context = start.min(CONTEXT_SIZE);
        let since_flush = usize::try_from(since_flush).map_or(context, |bytes| bytes.min(context));
        let flush = start - since_flush;
        self.end = flush;
        self.skip(text, start - context, context - since_flush);
        self.end = end;
        self.skip(text, flush, since_flush);
    }

    fn flush(&mut self, _text: &[u8], _position: usize, end: usize) {
        self.end = end;
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        self.insert(text, position);
        self.search(text, position)
            .map_or(Token::literal(text[position]), Found::token)
    }

    fn advance(&mut self, text: &[u8], position: usize, actual: Token) {
        let length = actual.length();
        if length <= self.longest_inserted {
            for inside in position + 1..position + length {
                self.insert(text, inside);
            }
        }
    }
}
