//! zlib's `deflate_fast`, levels 1 to 3: the first match is taken, and only short ones are
//! remembered from end to end.
//!
//! So what can be found depends on the tokens before. At the beginning of a segment they are not
//! known: the model runs over the context, and mostly comes to do what the compressor did.

use super::text::match_length;
use super::zlib::{Effort, Found, History, MAX_REACH, MIN_LENGTH, Sight, ZlibOptions};
use super::zlib_chains::ZlibChains;
use super::{CONTEXT_SIZE, Model};
use crate::deflate::{MAX_MATCH, Token};

/// Bytes that `deflateSetDictionary` remembers.
const DICTIONARY_SIZE: usize = 32_768;

/// The fast match finder of zlib, GNU gzip, pigz.
#[derive(Debug)]
pub struct ZlibFast {
    options: ZlibOptions,
    effort: Effort,
    chains: ZlibChains,
    sight: Sight,
}

impl ZlibFast {
    /// For a stream made with `options`; levels above 3 are taken as 3.
    pub fn new(options: ZlibOptions) -> Self {
        Self {
            options,
            effort: Effort::of_level(options.level.min(3)),
            chains: ZlibChains::new(options.memory_level),
            sight: Sight::default(),
        }
    }

    fn find(&self, text: &[u8], position: usize) -> Option<Found> {
        let lookahead = self.sight.end - position;
        let max = lookahead.min(usize::from(MAX_MATCH));
        let nice = lookahead.min(usize::from(self.effort.nice));
        let mut best = Found {
            length: MIN_LENGTH - 1,
            distance: 0,
        };
        let mut candidate = position;
        for step in 0..self.effort.chain {
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
        (best.distance > 0).then_some(best)
    }

    /// Goes on with the portion that begins at `position`.
    fn go_on(&mut self, text: &[u8], position: usize) {
        match self.options.history {
            // The last two bytes can be hashed only now, with what follows them.
            History::Kept => self.insert(text, position.saturating_sub(2), position),
            History::Primed => {
                let dictionary = position.saturating_sub(DICTIONARY_SIZE);
                self.chains.reset(dictionary);
                self.insert(text, dictionary, position);
            }
            History::Cleared => self.chains.reset(position),
        }
    }

    fn insert(&mut self, text: &[u8], start: usize, end: usize) {
        for position in start..end {
            self.chains.insert(text, position);
        }
    }

    /// Goes over the text from `start` to `end`, where a token ended.
    fn run(&mut self, text: &[u8], start: usize, end: usize) {
        if start < end {
            self.skip(text, start, end - start);
        }
    }
}

impl Model for ZlibFast {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        let context = start.min(CONTEXT_SIZE);
        let since_flush_size = usize::try_from(since_flush).unwrap_or(usize::MAX);
        let mut position = start - context;
        self.chains.reset(position);
        if since_flush_size < context {
            let flush = start - since_flush_size;
            self.sight = Sight::new(&self.options, position, 0, flush);
            self.run(text, position, flush);
            position = flush;
            self.go_on(text, flush);
        }
        let passed = since_flush.saturating_sub((start - position) as u64);
        self.sight = Sight::new(&self.options, position, passed, end.min(text.len()));
        self.run(text, position, start);
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        self.sight = Sight::new(&self.options, position, 0, end.min(text.len()));
        self.go_on(text, position);
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        while position >= self.sight.end && position < text.len() {
            self.sight = self.sight.next(&self.options);
            self.go_on(text, position);
        }
        if self.sight.end - position >= MIN_LENGTH {
            self.chains.insert(text, position);
            if let Some(found) = self.find(text, position) {
                return found.token();
            }
        }
        Token::literal(text[position])
    }

    fn advance(&mut self, text: &[u8], position: usize, actual: Token) {
        let end = position + actual.length();
        let is_short = actual.length() <= usize::from(self.effort.lazy);
        if actual.is_match() && is_short && self.sight.end.saturating_sub(end) >= MIN_LENGTH {
            self.insert(text, position + 1, end);
        }
    }
}
