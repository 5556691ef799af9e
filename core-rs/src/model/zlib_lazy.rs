//! zlib's `deflate_slow`, levels 4 to 9: a match is only taken if the next byte begins no longer one.

use super::Model;
use super::text::match_length;
use super::zlib::{Effort, Found, MAX_REACH, MIN_LENGTH, Sight, ZlibOptions};
use super::zlib_chains::ZlibChains;
use crate::deflate::{MAX_MATCH, Token};

/// A match of three bytes that is farther back costs more than three literals (`TOO_FAR`).
const TOO_FAR: usize = 4096;
/// Longest match that `Z_FILTERED` does not take.
const FILTERED_LENGTH: usize = 5;

/// The lazy match finder of zlib, GNU gzip, pigz.
#[derive(Debug)]
pub struct ZlibLazy {
    options: ZlibOptions,
    effort: Effort,
    chains: ZlibChains,
    sight: Sight,
    /// What was found at the position to come, if that was looked at before.
    here: Option<Found>,
    /// What was found at the position after.
    next: Option<Found>,
}

impl ZlibLazy {
    /// For a stream made with `options`; levels below 4 are taken as 4.
    pub fn new(options: ZlibOptions) -> Self {
        Self {
            options,
            effort: Effort::of_level(options.level.max(4)),
            chains: ZlibChains::new(options.memory_level),
            sight: Sight::default(),
            here: None,
            next: None,
        }
    }

    /// A match that is longer than `shortest`, and that the compressor would look at.
    fn find(&self, text: &[u8], position: usize, shortest: usize) -> Option<Found> {
        let lookahead = self.sight.end.saturating_sub(position);
        if lookahead < MIN_LENGTH {
            return None;
        }
        let is_good = shortest >= usize::from(self.effort.good);
        let chain = self.effort.chain >> if is_good { 2 } else { 0 };
        let max = lookahead.min(usize::from(MAX_MATCH));
        let nice = lookahead.min(usize::from(self.effort.nice));
        let mut best = Found {
            length: shortest,
            distance: 0,
        };
        let mut candidate = position;
        for step in 0..chain {
            let link = self.chains.link(candidate);
            let distance = position - candidate + link;
            // The first candidate may be one byte farther than the others.
            if link == 0
                || distance >= MAX_REACH + usize::from(step == 0)
                || distance >= position - self.sight.base
            {
                break;
            }
            candidate -= link;
            let length = match_length(text, candidate, position, max);
            if length > best.length {
                best = Found { length, distance };
                if length >= nice {
                    break;
                }
            }
        }
        let is_too_far = best.length == MIN_LENGTH && best.distance > TOO_FAR;
        let is_filtered = self.options.is_filtered && best.length <= FILTERED_LENGTH;
        (best.distance > 0 && !is_too_far && !is_filtered).then_some(best)
    }
}

impl Model for ZlibLazy {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.sight = Sight::new(&self.options, start, since_flush, end.min(text.len()));
        self.chains.reset(start.saturating_sub(MAX_REACH));
        self.here = None;
        self.next = None;
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        self.sight = Sight::new(&self.options, position, 0, end.min(text.len()));
        self.here = None;
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        self.chains.prepare(text, position);
        while position >= self.sight.end && position < text.len() {
            self.sight = self.sight.next(&self.options);
            self.here = None;
        }
        self.next = None;
        let here = match self.here.take() {
            None => self.find(text, position, MIN_LENGTH - 1),
            known => known,
        };
        let Some(found) = here else {
            return Token::literal(text[position]);
        };
        if found.length < usize::from(self.effort.lazy) {
            let next = self.find(text, position + 1, found.length);
            if next.is_some() {
                self.next = next;
                return Token::literal(text[position]);
            }
        }
        found.token()
    }

    fn advance(&mut self, _text: &[u8], _position: usize, actual: Token) {
        self.here = self.next.take().filter(|_| !actual.is_match());
    }
}
