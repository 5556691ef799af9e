//! Go's compress/flate up to Go 1.26, levels 4 to 9: hash chains and lazy matches.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflate.go>

use super::Model;
use super::chains::{ChainHash, Chains};
use super::text::{load32, match_length};
use crate::deflate::Token;

const MIN_MATCH: usize = 4;
const MAX_MATCH: usize = 258;
const WINDOW: usize = 32_768;
/// A match of [`MIN_MATCH`] bytes is not taken from farther.
const FAR_FOR_SHORT: usize = 4_096;
/// Where in the second half of its buffer of two windows the encoder moves everything down by one
/// window, as less than the longest match and hash are left in it. It forgets what it moved out.
const MOVE_DOWN: usize = WINDOW - MIN_MATCH - MAX_MATCH + 1;

/// Go's hash of four bytes, the first highest, in 17 bits.
#[derive(Debug)]
pub struct GoHash;

impl ChainHash for GoHash {
    const BYTES: usize = MIN_MATCH;
    const BITS: u32 = 17;
    const WINDOW: usize = WINDOW;

    #[inline]
    fn hash(bytes: u32) -> u32 {
        bytes.swap_bytes().wrapping_mul(0x1e35_a7bd) >> (32 - Self::BITS)
    }
}

/// A match that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Found {
    length: usize,
    distance: usize,
}

const NOTHING: Found = Found {
    length: MIN_MATCH - 1,
    distance: 0,
};

/// Go's lazy levels.
#[derive(Debug)]
pub struct GoLazy {
    /// A match so long is taken without a look at the next position.
    lazy: usize,
    /// A match so long ends a search.
    nice: usize,
    /// Candidates that are tried.
    chain: usize,
    chains: Chains<GoHash>,
    end: usize,
    /// Bytes of the stream before the text, as far as is known.
    phase: u64,
    /// What was found at the position after the last literal.
    pending: Option<(usize, Found)>,
}

impl GoLazy {
    /// A model of `level`, 4 to 9. Others are taken for the nearest of these.
    pub fn new(level: u8) -> Self {
        let (lazy, nice, chain) = match level {
            ..=4 => (4, 16, 16),
            5 => (16, 32, 32),
            6 => (16, 128, 128),
            7 => (32, 128, 256),
            8 => (128, 258, 1024),
            9.. => (258, 258, 4096),
        };
        Self {
            lazy,
            nice,
            chain,
            chains: Chains::default(),
            end: 0,
            phase: 0,
            pending: None,
        }
    }

    /// The longest of the matches at `position` that are longer than `shortest`, the nearest of
    /// these, as the encoder finds it; it looks only where more than `shortest` bytes are left.
    fn search(&self, text: &[u8], position: usize, shortest: usize) -> Found {
        let mut best = Found {
            length: shortest,
            distance: 0,
        };
        let longest = MAX_MATCH.min(self.end - position);
        if longest <= shortest {
            return best;
        }
        let nice = self.nice.min(longest);
        let reach = self.reach(position);
        let first = load32(text, position);
        let mut last = load32(text, position + best.length - 3);
        let mut distance = 0;
        for _ in 0..self.chain {
            distance += usize::from(self.chains.link(position - distance));
            if distance > reach {
                break;
            }
            let candidate = position - distance;
            if load32(text, candidate + best.length - 3) == last && load32(text, candidate) == first
            {
                let length = match_length(text, candidate, position, longest);
                if length > best.length && (length > MIN_MATCH || distance <= FAR_FOR_SHORT) {
                    best = Found { length, distance };
                    if length >= nice {
                        break;
                    }
                    last = load32(text, position + best.length - 3);
                }
            }
        }
        best
    }

    /// Farthest candidate, bytes back from `position`.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a remainder of the window fits"
    )]
    fn reach(&self, position: usize) -> usize {
        let in_window = ((self.phase + position as u64) % WINDOW as u64) as usize;
        let reach = if in_window >= MOVE_DOWN {
            in_window
        } else {
            WINDOW
        };
        reach.min(position)
    }
}

impl Model for GoLazy {
    fn begin(&mut self, _text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.chains.reset(start.saturating_sub(WINDOW));
        self.phase = since_flush.wrapping_sub(start as u64) % WINDOW as u64;
        self.end = end;
        self.pending = None;
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        let inserted = position.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, inserted, inserted);
        self.chains.leave_out(position);
        self.end = end;
        self.pending = None;
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        let inserted = self.end.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, position + 2 * MAX_MATCH, inserted);
        let here = match self.pending {
            Some((at, found)) if at == position => found,
            _ => self.search(text, position, NOTHING.length),
        };
        if here.length < MIN_MATCH {
            return Token::literal(text[position]);
        }
        if here.length < self.lazy {
            let next = self.search(text, position + 1, here.length);
            if next.length > here.length {
                self.pending = Some((position + 1, next));
                return Token::literal(text[position]);
            }
        }
        matched(here)
    }

    #[inline]
    fn advance(&mut self, _text: &[u8], _position: usize, _actual: Token) {}
}

#[expect(clippy::cast_possible_truncation, reason = "both fit in 16 bits")]
fn matched(found: Found) -> Token {
    Token::matched(found.length as u16, found.distance as u16)
}
