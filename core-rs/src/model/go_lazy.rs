//! Go's compress/flate up to Go 1.26, levels 4 to 9: hash chains and lazy matches.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflate.go>

use super::Model;
use super::chains::Chains;
use super::go_window::{FAR_FOR_SHORT, Found, GoHash, MAX_MATCH, MIN_MATCH, WINDOW, reach};
use super::text::{load32, match_length};
use crate::deflate::Token;

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
        let reach = reach(self.phase, position);
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
        here.token()
    }

    #[inline]
    fn advance(&mut self, _text: &[u8], _position: usize, _actual: Token) {}
}
