//! zlib's `deflate_slow`, levels 4 to 9: a match is only taken if the next byte begins no longer one.

use super::Model;
use super::zlib::{Effort, Found, MAX_REACH, MIN_LENGTH, Sight, ZlibOptions};
use super::zlib_links::ZlibLinks;
use super::zlib_search::Search;
use crate::deflate::{MAX_MATCH, Token};

/// Longest match that `Z_FILTERED` does not take.
const FILTERED_LENGTH: usize = 5;

/// The lazy match finder of zlib, GNU gzip, pigz.
#[derive(Debug)]
pub struct ZlibLazy {
    options: ZlibOptions,
    effort: Effort,
    links: ZlibLinks,
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
            links: ZlibLinks::new(options.memory_level),
            sight: Sight::default(),
            here: None,
            next: None,
        }
    }

    /// A match that is longer than `shortest`, and that the compressor would look at.
    fn find(&self, text: &[u8], position: usize, shortest: usize) -> Option<Found> {
        let lookahead = self.sight.end.saturating_sub(position);
        let longest = lookahead.min(usize::from(MAX_MATCH));
        if longest <= shortest {
            return None;
        }
        let is_good = shortest >= usize::from(self.effort.good);
        let search = Search {
            text,
            position,
            shortest,
            longest,
            nice: lookahead.min(usize::from(self.effort.nice)),
            chain: self.effort.chain >> if is_good { 2 } else { 0 },
            reach: MAX_REACH.min((position - self.sight.base).saturating_sub(1)),
        };
        let found = match search.find_long(&self.links) {
            None if shortest < MIN_LENGTH => search.find_short(&self.links),
            found => found,
        };
        found.filter(|found| !self.options.is_filtered || found.length > FILTERED_LENGTH)
    }
}

impl Model for ZlibLazy {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.sight = Sight::new(&self.options, start, since_flush, end.min(text.len()));
        self.links.reset(start.saturating_sub(MAX_REACH));
        self.here = None;
        self.next = None;
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        self.sight = Sight::new(&self.options, position, 0, end.min(text.len()));
        self.here = None;
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        self.links.prepare(text, position);
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
