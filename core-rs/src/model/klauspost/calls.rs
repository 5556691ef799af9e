//! Levels 1 to 6: text is taken in calls of 65,535 bytes, which matches do not cross.

use super::encoder::{Encoder, Match, Scan};
use super::table::match_length;
use crate::deflate::{Token, TokenKind};
use crate::model::Model;

/// Bytes of a call: as many as a stored block can have.
const CALL_SIZE: usize = 65_535;
/// Bytes of a dictionary of pgzip.
pub(super) const DICTIONARY_SIZE: usize = 16_384;

/// What becomes of history at a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushKind {
    /// It stays.
    Keeps,
    /// Another encoder goes on, which knows only the last 16 KiB (pgzip).
    Restarts,
}

/// What distinguishes versions in all levels.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallOptions {
    pub(super) flush_kind: FlushKind,
    pub(super) cut: Cut,
    pub(super) short_calls: ShortCalls,
}

/// What becomes of a last call, before a flush or the end, that is short.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ShortCalls {
    /// Less than 128 bytes are not searched, and history is forgotten with them: before v1.20.4.
    Forgotten,
    /// Less than 13 bytes are not searched: v1.20.4. Nor are less than 128 that are a whole stream,
    /// which is not modelled.
    Kept,
}

impl ShortCalls {
    /// Bytes that a call must have to be searched.
    const fn shortest_searched(self) -> usize {
        match self {
            Self::Forgotten => 128,
            Self::Kept => 13,
        }
    }
}

/// How matches over 258 bytes are cut into tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// Tokens of 255 bytes, until at most 258 are left: before v1.15.
    Short,
    /// Tokens of 258 bytes, but 255 if less than 3 were left.
    Long,
}

impl Cut {
    /// Bytes of the first token of a match.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 258")]
    const fn first_length(self, length: usize) -> u16 {
        match (length, self) {
            (..=258, _) => length as u16,
            (259..=261, _) | (_, Self::Short) => 255,
            (_, Self::Long) => 258,
        }
    }
}

/// The model of a compressor whose match finder is `E`.
#[derive(Debug)]
pub(super) struct Calls<E> {
    encoder: E,
    options: CallOptions,
    scan: Scan,
    /// The match that is predicted, or one without length at the end of the call if there is none.
    /// It is not in the tables yet.
    found: Match,
    predicted: Token,
    call_start: usize,
    call_end: usize,
    /// Where the next flush is.
    end: usize,
    last_flush: usize,
}

impl<E: Encoder> Calls<E> {
    pub(super) fn new(encoder: E, options: CallOptions) -> Self {
        Self {
            encoder,
            options,
            scan: Scan::new(0, 0, 0),
            found: no_match(0),
            predicted: Token::literal(0),
            call_start: 0,
            call_end: 0,
            end: 0,
            last_flush: 0,
        }
    }

    /// Begins a call, which is over at `end`.
    fn begin_call(&mut self, start: usize, end: usize) {
        self.scan = Scan::new(start, end, self.scan.history_start);
        self.call_start = start;
        self.call_end = end;
        self.found = no_match(start);
        self.encoder.begin_call();
    }

    /// Lets calls begin at `position`, with the next flush at `end`.
    fn restart_calls(&mut self, position: usize, end: usize) {
        self.call_start = position;
        self.call_end = position;
        self.found = no_match(position);
        self.end = end;
    }

    /// Puts the last match into the tables, as far as it reaches before `position`.
    fn settle(&mut self, text: &[u8], position: usize) {
        let Match {
            start,
            end,
            distance,
        } = self.found;
        let end = end.min(position);
        if end > start {
            let found = Match {
                start,
                end,
                distance,
            };
            let text = &text[..self.call_end];
            self.encoder.insert(text, &mut self.scan, found);
        }
        self.found = no_match(position);
    }

    /// Forgets what stands before `position`.
    fn forget(&mut self, position: usize) {
        self.encoder.forget();
        self.scan.history_start = position;
    }

    /// Finds the next match after `position`, where the last one ends.
    fn find(&mut self, text: &[u8], position: usize) {
        self.settle(text, position);
        if position >= self.call_end {
            let end = self.call_end.saturating_add(CALL_SIZE).max(position + 1);
            let is_last = end >= self.end;
            let end = if is_last {
                self.end.max(position + 1)
            } else {
                end
            };
            self.begin_call(position, end.min(text.len()));
            if is_last && end - position < self.options.short_calls.shortest_searched() {
                self.found = no_match(self.call_end);
                return;
            }
        }
        self.search(text);
    }

    /// Not inlined, so that the encoder's search is, which is called only here: what it found does not
    /// go through memory then.
    #[inline(never)]
    fn search(&mut self, text: &[u8]) {
        let text = &text[..self.call_end];
        self.found = self
            .encoder
            .search(text, &mut self.scan)
            .unwrap_or(no_match(self.call_end));
    }

    /// Goes over the text up to `end`, following the model's own predictions.
    fn run(&mut self, text: &[u8], position: usize, end: usize) {
        let mut position = position;
        while position < end {
            if position >= self.found.end {
                self.find(text, position);
            }
            position = self.found.end.min(end);
        }
    }

    /// The token at `position` of the match that was found, or before it.
    #[inline]
    fn token(&self, text: &[u8], position: usize) -> Token {
        let length = self.found.end.saturating_sub(position);
        if position < self.found.start || length < 3 {
            return Token::literal(text[position]);
        }
        Token::matched(
            self.options.cut.first_length(length),
            self.found.token_distance(),
        )
    }

    /// Goes on from another token than the predicted one.
    fn correct(&mut self, text: &[u8], position: usize, actual: Token) {
        let was_cut = position > self.found.start;
        if was_cut {
            self.settle(text, position);
        }
        match actual.kind() {
            TokenKind::Literal(_) => {
                if !was_cut {
                    self.encoder.reject(&mut self.scan);
                }
                self.scan.at = self.scan.at.max(position + 1);
                self.scan.floor = position + 1;
                self.search(text);
            }
            TokenKind::Match { length, distance } => {
                if position < self.found.start {
                    let text = &text[..self.call_end];
                    self.encoder.rewind(text, &mut self.scan, position);
                }
                let distance = u32::from(distance);
                let full_length = if distance as usize <= position {
                    match_length(text, position, distance, self.call_end)
                } else {
                    0
                };
                let length = if self.options.cut.first_length(full_length) == length {
                    full_length
                } else {
                    usize::from(length)
                };
                self.found = Match {
                    start: position,
                    end: position + length,
                    distance,
                };
            }
        }
    }
}

/// Where the first call ends in a text whose calls are counted from `since_flush` bytes before
/// `start`, which is before the text.
fn first_call_end(start: usize, since_flush: u64) -> usize {
    let behind = usize::try_from(since_flush % CALL_SIZE as u64).unwrap_or_default();
    (start % CALL_SIZE + CALL_SIZE - behind) % CALL_SIZE
}

/// Stands for the end of a call in which no more matches are.
const fn no_match(position: usize) -> Match {
    Match {
        start: position,
        end: position,
        distance: 0,
    }
}

impl<E: Encoder> Model for Calls<E> {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.encoder.clear();
        self.scan.history_start = 0;
        self.last_flush = 0;
        match usize::try_from(since_flush) {
            Ok(since_flush) if since_flush <= start => {
                let flush = start - since_flush;
                self.restart_calls(flush.saturating_sub(CALL_SIZE), flush);
                if flush > 0 && self.options.flush_kind == FlushKind::Keeps {
                    self.run(text, self.call_end, flush);
                }
                self.flush(text, flush, end);
                self.run(text, flush, start);
            }
            _ => {
                self.begin_call(0, first_call_end(start, since_flush).min(start));
                self.end = end;
                self.run(text, 0, start);
            }
        }
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        self.settle(text, position);
        let length = position - self.last_flush.min(position);
        match self.options.flush_kind {
            FlushKind::Keeps => {
                let short_calls = self.options.short_calls;
                let last_call = position - self.call_start.min(position);
                if length > 0
                    && short_calls == ShortCalls::Forgotten
                    && last_call < short_calls.shortest_searched()
                {
                    self.forget(position);
                }
            }
            FlushKind::Restarts if length > DICTIONARY_SIZE => {
                let dictionary = position - DICTIONARY_SIZE;
                self.forget(dictionary);
                self.restart_calls(dictionary, position);
                self.run(text, dictionary, position);
                self.settle(text, position);
            }
            FlushKind::Restarts => self.forget(position),
        }
        self.restart_calls(position, end);
        self.last_flush = position;
    }

    #[inline]
    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        if position >= self.found.end {
            self.find(text, position);
        }
        self.predicted = self.token(text, position);
        self.predicted
    }

    #[inline]
    fn advance(&mut self, text: &[u8], position: usize, actual: Token) {
        if actual != self.predicted {
            self.correct(text, position, actual);
        }
    }

    #[inline]
    fn literals_ahead(&self, position: usize) -> usize {
        self.found.start.saturating_sub(position)
    }

    fn portion_end(&self, _position: usize) -> Option<usize> {
        Some(self.call_end)
    }

    fn skip(&mut self, text: &[u8], position: usize, length: usize) {
        self.run(text, position, position + length);
    }
}
