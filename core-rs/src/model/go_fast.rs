//! Go's compress/flate up to Go 1.26, level 1: one candidate a hash, in portions of input.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflatefast.go>, and
//! `encSpeed` in deflate.go beside it.

use super::Model;
use super::text::{load32, match_length};
use crate::deflate::Token;

/// Bytes that the encoder takes in one call, counted from the last flush.
const PORTION: usize = 65_535;
/// A shorter portion, before a flush, is not searched, and what came before it is forgotten.
const SHORTEST_SEARCHED: usize = 128;
/// Bytes at the end of a portion where no match begins.
const MARGIN: usize = 15;
const MIN_MATCH: usize = 4;
const MAX_MATCH: usize = 258;
const WINDOW: u32 = 32_768;
const TABLE_BITS: u32 = 14;
/// Bytes that are looked at without a match before the search goes on by larger steps, as a shift.
const STEP_SHIFT: usize = 5;
/// Added to positions in the table, so that an empty entry is too far to be a match.
const FIRST_BASE: u32 = 1 << 16;
/// Added to that to forget all entries: more than a portion and a window.
const FORGETTING: u32 = 1 << 17;
/// From here on the table is emptied instead.
const LAST_BASE: u32 = 1 << 31;

/// The last position of a hash, and the four bytes there.
#[derive(Clone, Copy, Debug, Default)]
struct Entry {
    bytes: u32,
    /// In the text, plus [`GoFast::base`].
    position: u32,
}

/// Go's best speed.
pub struct GoFast {
    table: Box<[Entry; 1 << TABLE_BITS]>,
    /// Added to positions in the table. It grows where the encoder forgets what was before.
    base: u32,
    /// Where the portion before begins: matches cannot be extended over what is before.
    oldest: usize,
    /// Where the portion begins.
    portion: usize,
    /// Where the portion ends.
    portion_end: usize,
    end: usize,
    /// Where the next match begins, or the portion's end.
    next: usize,
    /// How far back the next match is, bytes.
    distance: u16,
}

impl std::fmt::Debug for GoFast {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("GoFast")
            .field("portion", &self.portion)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl Default for GoFast {
    #[expect(
        clippy::large_stack_arrays,
        reason = "128 KiB for a moment; a boxed slice would cost a check at each access"
    )]
    fn default() -> Self {
        Self {
            table: Box::new([Entry::default(); 1 << TABLE_BITS]),
            base: FIRST_BASE,
            oldest: 0,
            portion: 0,
            portion_end: 0,
            end: 0,
            next: 0,
            distance: 0,
        }
    }
}

impl GoFast {
    fn begin_portion(&mut self, text: &[u8], position: usize) {
        self.oldest = self.portion;
        self.portion = position;
        self.portion_end = self.end.min(position + PORTION).max(position);
        if self.portion_end - position < SHORTEST_SEARCHED {
            self.next = self.portion_end;
            self.forget();
        } else {
            self.search(text, position);
        }
    }

    fn forget(&mut self) {
        self.base += FORGETTING;
        if self.base > LAST_BASE {
            self.table.fill(Entry::default());
            self.base = FIRST_BASE;
        }
    }

    /// Puts `position` into the table. Tells whether what it takes the place of is a match.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions may wrap, and a distance within the window fits"
    )]
    fn try_match(&mut self, text: &[u8], position: usize) -> bool {
        let bytes = load32(text, position);
        let entry =
            &mut self.table[(bytes.wrapping_mul(0x1e35_a7bd) >> (32 - TABLE_BITS)) as usize];
        let here = (position as u32).wrapping_add(self.base);
        let distance = here.wrapping_sub(entry.position);
        let is_match = entry.bytes == bytes && distance.wrapping_sub(1) < WINDOW;
        *entry = Entry {
            bytes,
            position: here,
        };
        if is_match {
            self.next = position;
            self.distance = distance as u16;
        }
        is_match
    }

    /// Finds the next match from `position` on. The longer there is none, the fewer positions are
    /// tried.
    fn search(&mut self, text: &[u8], mut position: usize) {
        let limit = self.portion_end.saturating_sub(MARGIN);
        let mut looked_at = 1 << STEP_SHIFT;
        loop {
            let step = looked_at >> STEP_SHIFT;
            looked_at += step;
            if position + step > limit {
                self.next = self.portion_end;
                return;
            }
            if self.try_match(text, position) {
                return;
            }
            position += step;
        }
    }

    /// Goes on after a match that ended at `position`.
    fn search_after_match(&mut self, text: &[u8], position: usize) {
        if position + MARGIN >= self.portion_end {
            self.next = self.portion_end.max(position);
            return;
        }
        self.try_match(text, position - 1);
        if !self.try_match(text, position) {
            self.search(text, position + 1);
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "a length fits in 16 bits")]
    fn next_match(&self, text: &[u8]) -> Token {
        let candidate = self.next - usize::from(self.distance);
        let longest = MAX_MATCH.min(self.portion_end - self.next);
        let length = if candidate + MIN_MATCH < self.oldest {
            MIN_MATCH
        } else {
            match_length(text, candidate, self.next, longest)
        };
        Token::matched(length as u16, self.distance)
    }
}

impl Model for GoFast {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.table.fill(Entry::default());
        self.base = FIRST_BASE;
        let context = start.min(PORTION);
        let flush =
            start - usize::try_from(since_flush).map_or(context, |bytes| bytes.min(context));
        self.oldest = 0;
        self.portion = 0;
        // What of the portion is before `start`, or the whole portion before.
        let done = since_flush
            .checked_sub(1)
            .map_or(0, |bytes| bytes % PORTION as u64 + 1);
        let portion = start - usize::try_from(done).map_or(0, |done| done.min(start));
        self.end = flush;
        self.portion_end = start - context;
        self.skip(text, start - context, flush - (start - context));
        self.end = end;
        self.portion_end = portion;
        self.skip(text, portion, start - portion);
    }

    fn flush(&mut self, _text: &[u8], position: usize, end: usize) {
        self.portion_end = position;
        self.end = end;
    }

    #[inline]
    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        if position >= self.portion_end {
            self.begin_portion(text, position);
        }
        if position < self.next || position >= self.portion_end {
            return Token::literal(text[position]);
        }
        self.next_match(text)
    }

    #[inline]
    fn advance(&mut self, text: &[u8], position: usize, actual: Token) {
        if actual.is_match() {
            self.search_after_match(text, position + actual.length());
        } else if position >= self.next {
            self.search(text, position + 1);
        }
    }

    fn portion_end(&self, _position: usize) -> Option<usize> {
        Some(self.portion_end)
    }
}
