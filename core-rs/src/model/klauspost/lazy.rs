//! Levels 7 to 9: hash chains and lazy matches, since v1.15.

use super::calls::{DICTIONARY_SIZE, FlushKind};
use super::literal_costs::LiteralCosts;
use crate::deflate::Token;
use crate::model::Model;
use crate::model::chains::{ChainHash, Chains, NO_LINK};
use crate::model::compressor::KlauspostRelease;
use crate::model::go_window::{Found, MAX_MATCH, MIN_MATCH, WINDOW, reach};
use crate::model::text::{load32, match_length};

/// What is left of the buffer when more input is asked for: less than the longest match and hash.
const LOOKAHEAD: usize = MIN_MATCH + MAX_MATCH;
/// Bytes that need not match at the beginning of a match found by the bytes behind it.
const SKIPPED: usize = 2;
/// Bytes before a segment after which a search begun there goes as if it had begun anywhere.
const WARM_UP: usize = 2048;

/// The hash of four bytes, the first lowest, in 17 bits.
#[derive(Debug)]
struct LowFirst;

impl ChainHash for LowFirst {
    const BYTES: usize = MIN_MATCH;
    const BITS: u32 = 17;
    const WINDOW: usize = WINDOW;

    #[inline]
    fn hash(bytes: u32) -> u32 {
        bytes.wrapping_mul(2_654_435_761) >> (32 - Self::BITS)
    }
}

const NOTHING: Found = Found {
    length: MIN_MATCH - 1,
    distance: 0,
};

/// One of the lazy levels.
#[derive(Debug)]
pub(super) struct Lazy {
    /// A match so long is taken without a look at the next position.
    good: usize,
    /// A match so long ends a search.
    nice: usize,
    /// Candidates that are tried.
    chain: u16,
    /// Level 9 takes a match only if it costs less than literals.
    costs: Option<LiteralCosts>,
    flush_kind: FlushKind,
    chains: Chains<LowFirst>,
    /// Bytes of the encoder's input before the text, as far as is known.
    phase: u64,
    history_start: usize,
    last_flush: usize,
    /// Where the buffer ends that is being searched.
    step_end: usize,
    end: usize,
    /// Literals since the last match was found.
    misses: u16,
    /// No match is looked for before this, after many misses.
    literals_end: usize,
    /// What was found at a position ahead.
    next: Option<(usize, Found)>,
    /// The match that is to come, and where.
    planned: Option<(usize, Found)>,
    predicted: Token,
}

impl Lazy {
    /// A model of `level`, 7 to 9.
    pub(super) fn new(release: KlauspostRelease, level: i8, flush_kind: FlushKind) -> Self {
        let (good, nice, chain) = match level {
            ..=7 => (12, 16, 24),
            8 => (30, 40, 64),
            9.. => (258, 258, 1024),
        };
        Self {
            good,
            nice,
            chain,
            costs: (level >= 9).then(|| LiteralCosts::new(release)),
            flush_kind,
            chains: Chains::default(),
            phase: 0,
            history_start: 0,
            last_flush: 0,
            step_end: 0,
            end: 0,
            misses: 0,
            literals_end: 0,
            next: None,
            planned: None,
            predicted: Token::literal(0),
        }
    }

    /// Begins to search the next buffer if the one before is done at `position`.
    fn enter(&mut self, text: &[u8], position: usize) {
        if position + LOOKAHEAD <= self.step_end || self.step_end >= self.end {
            return;
        }
        self.step_end = self.buffer_end(position).min(self.end);
        if let Some(costs) = &mut self.costs {
            costs.count(text, position, self.step_end);
        }
    }

    /// The end of the buffer in which `position` is searched. It has two windows, and is moved on by
    /// one.
    fn buffer_end(&self, position: usize) -> usize {
        let offset = self.phase.wrapping_add(position as u64);
        let windows = (offset.wrapping_add(LOOKAHEAD as u64)).div_ceil(WINDOW as u64);
        let end = windows.max(2).wrapping_mul(WINDOW as u64);
        position.saturating_add(usize::try_from(end.wrapping_sub(offset)).unwrap_or(usize::MAX))
    }

    /// The best match at `position`: the longest one, the nearest of these, or, in level 9, a longer
    /// one only if it saves more than the one before.
    fn search(&self, text: &[u8], position: usize, shortest: usize) -> Found {
        let mut best = Found {
            length: shortest,
            distance: 0,
        };
        let longest = MAX_MATCH.min(self.end.saturating_sub(position));
        if longest <= shortest {
            return best;
        }
        let nice = self.nice.min(longest);
        let reach = reach(self.phase, position);
        let first = load32(text, position);
        let mut last = load32(text, position + best.length - 3);
        let mut distance = 0;
        let mut saved = LiteralCosts::LEAST_SAVED;
        for _ in 0..self.chain {
            distance += usize::from(self.chains.link(position - distance));
            if distance > reach {
                break;
            }
            let candidate = position - distance;
            if load32(text, candidate + best.length - 3) != last || load32(text, candidate) != first
            {
                continue;
            }
            let length = match_length(text, candidate, position, longest);
            if length <= best.length {
                continue;
            }
            let found = Found { length, distance };
            if let Some(costs) = &self.costs {
                let bits = costs.saved(position, found);
                if bits <= saved {
                    continue;
                }
                saved = bits;
            }
            best = found;
            if length >= nice {
                break;
            }
            last = load32(text, position + best.length - 3);
        }
        best
    }

    /// What is at `position` if it was not searched before.
    fn found_at(&mut self, text: &[u8], position: usize) -> Found {
        match self.next {
            Some((at, found)) if at == position => found,
            _ => {
                self.enter(text, position);
                self.search(text, position, NOTHING.length)
            }
        }
    }

    /// Whether a better match than `here` begins at the next position. Remembers it.
    fn is_next_better(&mut self, text: &[u8], position: usize, here: Found) -> bool {
        let next = position + 1;
        self.enter(text, next);
        if here.length >= self.good || self.end.saturating_sub(next) <= here.length {
            return false;
        }
        // Level 9 may not take a longer one after one that saves more.
        let shortest = if self.costs.is_some() {
            NOTHING.length
        } else {
            here.length
        };
        let found = self.search(text, next, shortest);
        let is_better = found.length > here.length;
        if is_better || here.length < MIN_MATCH {
            self.next = Some((next, found));
        }
        is_better
    }

    /// The match at `position`, or a longer one that is found by the bytes behind it and begins there
    /// or a little later.
    fn improve(&self, text: &[u8], position: usize, found: Found) -> (usize, Found) {
        let behind = position + found.length;
        let next = position + 1;
        if found.length >= MAX_MATCH - SKIPPED || behind + MIN_MATCH > self.end {
            return (position, found);
        }
        let mut earlier = behind;
        while earlier > next {
            match self.chains.link(earlier) {
                NO_LINK => return (position, found),
                link => earlier = earlier.saturating_sub(usize::from(link)),
            }
        }
        let distance = behind - earlier;
        let oldest = self.history_start.max(next - reach(self.phase, next));
        if distance == found.distance || position <= distance + oldest + SKIPPED {
            return (position, found);
        }
        let start = position + SKIPPED;
        let longest = (self.end - next).min(MAX_MATCH + SKIPPED) - SKIPPED;
        let mut length = match_length(text, start - distance, start, longest);
        if length <= found.length {
            return (position, found);
        }
        let mut start = start;
        while start > position
            && length < MAX_MATCH
            && text[start - 1] == text[start - 1 - distance]
        {
            start -= 1;
            length += 1;
        }
        (start, Found { length, distance })
    }

    fn choose(&mut self, text: &[u8], position: usize) -> Token {
        if let Some((start, found)) = self.planned {
            if position < start {
                return Token::literal(text[position]);
            }
            if position == start {
                return found.token();
            }
        }
        if position < self.literals_end {
            return Token::literal(text[position]);
        }
        let inserted = self.end.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, position + 3 * MAX_MATCH, inserted);
        let here = self.found_at(text, position);
        if self.is_next_better(text, position, here) || here.length < MIN_MATCH {
            return Token::literal(text[position]);
        }
        let (start, found) = self.improve(text, position, here);
        self.planned = Some((start, found));
        if position < start {
            return Token::literal(text[position]);
        }
        found.token()
    }

    /// Counts a literal at `position`, and looks at fewer positions after many of them.
    fn count_literal(&mut self, position: usize) {
        let next = position + 1;
        if self
            .next
            .is_some_and(|(at, found)| at == next && found.length >= MIN_MATCH)
        {
            self.misses = 0;
        }
        self.misses = self.misses.wrapping_add(1);
        if self.misses > self.chain {
            let more = 1 + usize::from((self.misses - self.chain) >> 6);
            let room = self.step_end.saturating_sub(next + 2);
            self.literals_end = next + 1 + more.min(room);
        }
    }

    /// Forgets what is planned.
    fn replan(&mut self) {
        self.next = None;
        self.planned = None;
        self.literals_end = 0;
    }

    /// Leaves the last bytes before a flush at `position` out of the chains: they are not hashed.
    fn end_chains(&mut self, text: &[u8], position: usize) {
        let inserted = position.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, inserted, inserted);
        self.chains.leave_out(position);
    }

    /// Goes over the text from `position` to `end`.
    fn run(&mut self, text: &[u8], position: usize, end: usize) {
        let mut position = position;
        while position < end {
            let token = self.predict(text, position);
            self.advance(text, position, token);
            position += token.length();
        }
    }

    /// Where to begin so that all is as it was at `start`: in level 9 at the latest where the buffer
    /// began to be searched.
    fn warm_up_start(&self, start: usize) -> usize {
        let buffer_start = self.buffer_end(start).saturating_sub(WINDOW + LOOKAHEAD);
        let start = if self.costs.is_some() {
            start.min(buffer_start)
        } else {
            start
        };
        start.saturating_sub(WARM_UP)
    }
}

impl Model for Lazy {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        let flush = usize::try_from(since_flush)
            .ok()
            .and_then(|since_flush| start.checked_sub(since_flush));
        let dictionary = match (self.flush_kind, flush) {
            (FlushKind::Keeps, _) | (_, Some(0)) => 0,
            (FlushKind::Restarts, Some(flush)) => flush.min(DICTIONARY_SIZE),
            (FlushKind::Restarts, None) => DICTIONARY_SIZE,
        };
        self.phase = since_flush
            .wrapping_add(dictionary as u64)
            .wrapping_sub(start as u64);
        self.end = end;
        self.step_end = 0;
        self.misses = 0;
        self.replan();
        self.last_flush = flush.unwrap_or(0);
        self.history_start = match (self.flush_kind, flush) {
            (FlushKind::Restarts, Some(flush)) => flush - dictionary,
            _ => 0,
        };
        let from = self.warm_up_start(start).max(self.last_flush);
        self.chains
            .reset(from.saturating_sub(WINDOW).max(self.history_start));
        self.end_chains(text, self.last_flush);
        self.run(text, from, start);
        self.planned = None;
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        if self.flush_kind == FlushKind::Restarts {
            let is_long = position - self.last_flush.min(position) > DICTIONARY_SIZE;
            let dictionary = if is_long { DICTIONARY_SIZE } else { 0 };
            self.history_start = position - dictionary;
            self.phase = (dictionary as u64).wrapping_sub(position as u64);
            self.chains.reset(self.history_start);
            self.misses = 0;
        }
        self.end_chains(text, position);
        self.last_flush = position;
        self.step_end = position;
        self.end = end;
        self.replan();
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        self.predicted = self.choose(text, position);
        self.predicted
    }

    fn advance(&mut self, _text: &[u8], position: usize, actual: Token) {
        let is_planned = self.planned.is_some() || position < self.literals_end;
        if actual != self.predicted {
            self.replan();
        }
        if actual.is_match() {
            self.misses = 0;
            self.replan();
        } else if actual != self.predicted || !is_planned {
            self.count_literal(position);
        }
    }
}
