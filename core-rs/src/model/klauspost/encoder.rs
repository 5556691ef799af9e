//! What the match finders of levels 1 to 6 have in common: they scan a call of the compressor for a
//! match, then put what it covers into their tables.

use super::table::{FIRST_LENGTH, match_length};

/// Bytes at the end of a call at which no match is looked for.
const MARGIN: usize = 11;

/// A repeat of any length, which the compressor writes as one or more tokens.
#[derive(Clone, Copy, Debug)]
pub(super) struct Match {
    /// Where it begins.
    pub(super) start: usize,
    /// Where it ends.
    pub(super) end: usize,
    /// How far before it the same bytes stand.
    pub(super) distance: u32,
}

impl Match {
    /// The distance as tokens have it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "it is at most 32,768")]
    pub(super) const fn token_distance(self) -> u16 {
        self.distance as u16
    }
}

/// A match that may yet be replaced by a longer one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) start: usize,
    pub(super) length: usize,
    pub(super) distance: u32,
}

impl Found {
    /// Takes the match at `start` instead if it is longer, up to [`FIRST_LENGTH`] bytes.
    #[inline]
    pub(super) fn improve(&mut self, text: &[u8], start: usize, distance: u32) -> bool {
        let length = first_length(text, start, distance);
        let is_longer = length > self.length;
        if is_longer {
            *self = Self {
                start,
                length,
                distance,
            };
        }
        is_longer
    }

    /// Measures it over [`FIRST_LENGTH`] bytes.
    #[inline]
    pub(super) fn complete(&mut self, text: &[u8]) {
        if self.length == FIRST_LENGTH {
            self.length += match_length(text, self.start + FIRST_LENGTH, self.distance, text.len());
        }
    }
}

/// How a match is compared with one that is found by the bytes behind it (levels 5 and 6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum EndCheck {
    /// Not at all: up to v1.11.
    None,
    /// By all of its bytes: v1.12 to v1.14.
    Whole,
    /// By those from the third on: since v1.15.
    Tail,
}

impl EndCheck {
    /// Where the other match is to begin.
    #[inline]
    pub(super) const fn start(self, found: Found) -> Option<usize> {
        match self {
            Self::None => None,
            Self::Whole => Some(found.start),
            Self::Tail => Some(found.start + 2),
        }
    }
}

/// How far a match finder has come in a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scan {
    /// Where the next match is looked for first.
    pub(super) at: usize,
    /// Where it would have been looked for next, when one was found.
    pub(super) next: usize,
    /// Where the run of literals began. The longer it is, the more positions are left out.
    pub(super) run_start: usize,
    /// Matches do not begin before this. It is `run_start`, but after a wrong prediction.
    pub(super) floor: usize,
    /// Matches are looked for up to here.
    pub(super) limit: usize,
    /// What stands before is forgotten.
    pub(super) history_start: usize,
}

/// A match finder.
pub(super) trait Encoder {
    /// Forgets what is in the tables. Positions go on at most 32 KiB before those so far.
    fn forget(&mut self);

    /// Empties the tables: positions begin anew.
    fn clear(&mut self);

    /// Begins a call.
    fn begin_call(&mut self) {}

    /// Looks for the next match. `text` ends with the call.
    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match>;

    /// Goes on after a match, which [`search`](Self::search) found or which really stands there.
    fn insert(&mut self, text: &[u8], scan: &mut Scan, found: Match);

    /// Goes on after the match that [`search`](Self::search) found did not count.
    fn reject(&mut self, scan: &mut Scan) {
        scan.reject();
    }

    /// Goes back in the search, as a match begins at `position`, which it went past;
    /// [`insert`](Self::insert) follows.
    fn rewind(&mut self, _text: &[u8], scan: &mut Scan, position: usize) {
        scan.next = position + 1;
    }
}

impl Scan {
    /// Begins a call.
    pub(super) const fn new(start: usize, end: usize, history_start: usize) -> Self {
        Self {
            at: start,
            next: start,
            run_start: start,
            floor: start,
            limit: end.saturating_sub(MARGIN),
            history_start,
        }
    }

    /// Where to look after `at` when nothing is found there, if every `every`th position is looked
    /// at, and fewer the longer nothing was found.
    #[inline]
    pub(super) const fn after(&self, at: usize, every: usize, skip_shift: u32) -> usize {
        at + every + ((at - self.run_start) >> skip_shift)
    }

    /// Looks next where it would have, had there been no match.
    #[inline]
    pub(super) const fn reject(&mut self) {
        self.at = self.next;
    }

    /// Goes on behind a match.
    #[inline]
    pub(super) const fn go_behind(&mut self, found: Match) {
        self.run_start = found.end;
        self.floor = found.end;
        self.at = if self.next >= found.end {
            self.next + 1
        } else {
            found.end
        };
    }

    /// The match, made longer to the left as far as it goes.
    #[inline]
    pub(super) fn extend_back(&self, text: &[u8], found: Found) -> Match {
        let distance = found.distance as usize;
        let floor = self.floor.max(self.history_start + distance);
        let mut start = found.start;
        while start > floor && text[start - 1] == text[start - 1 - distance] {
            start -= 1;
        }
        Match {
            start,
            end: found.start + found.length,
            distance: found.distance,
        }
    }
}

/// How many bytes from `at` on are the same as those `distance` before, up to the end of the call,
/// where the first four are.
#[inline]
pub(super) fn full_length(text: &[u8], at: usize, distance: u32) -> usize {
    match_length(text, at + 4, distance, text.len()) + 4
}

/// The same, but not over [`FIRST_LENGTH`].
#[inline]
pub(super) fn first_length(text: &[u8], at: usize, distance: u32) -> usize {
    let end = (at + FIRST_LENGTH).min(text.len());
    match_length(text, at + 4, distance, end) + 4
}
