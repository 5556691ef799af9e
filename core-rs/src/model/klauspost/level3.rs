//! Level 3: a table of pairs of positions by five bytes.

use super::encoder::{Encoder, Found, Match, Scan, full_length};
use super::table::{Base, Pair, REACH, Table, distances, hash5, load64, repeats};

const BITS: u32 = 16;
const SLOTS: usize = 1 << BITS;
const SKIP_SHIFT: u32 = 7;
/// The farthest distance.
const FARTHEST: u32 = REACH - 4;

/// Level 3.
#[derive(Debug)]
pub(super) struct Level3 {
    table: Table<Pair, SLOTS>,
    base: Base,
    /// Position and distance of a match that was found already.
    ready: (usize, u32),
}

impl Level3 {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(),
            base: Base::new(),
            ready: (0, 0),
        }
    }

    /// Puts `position`, where `bytes` stand, into the table; gives the distances of the two
    /// positions with the same hash.
    #[inline]
    fn put(&mut self, position: usize, bytes: u64) -> (u32, u32) {
        let stamp = self.base.stamp(position);
        let pair = self.table.push(hash5::<BITS>(bytes), stamp);
        distances(stamp, pair)
    }

    /// The first position that has a match, and the longer one's distance.
    #[inline]
    fn scan(&mut self, text: &[u8], scan: &mut Scan) -> Option<(usize, u32)> {
        let mut at = scan.at;
        let mut bytes = load64(text, at);
        loop {
            let next = scan.after(at, 1, SKIP_SHIFT);
            if next > scan.limit {
                return None;
            }
            scan.next = next;
            let (first, second) = self.put(at, bytes);
            if is_near(first, FARTHEST) {
                if repeats(text, at, first, bytes) {
                    if is_near(second, FARTHEST)
                        && repeats(text, at, second, bytes)
                        && full_length(text, at, second) > full_length(text, at, first)
                    {
                        return Some((at, second));
                    }
                    return Some((at, first));
                }
                if is_near(second, FARTHEST - 1) && repeats(text, at, second, bytes) {
                    return Some((at, second));
                }
            }
            at = next;
            bytes = load64(text, at);
        }
    }

    /// The distance of the match at `position`, the later one if there are two.
    #[inline]
    fn match_behind(&mut self, text: &[u8], position: usize, bytes: u64) -> Option<u32> {
        let (first, second) = self.put(position, bytes);
        let matches =
            |distance| is_near(distance, FARTHEST - 1) && repeats(text, position, distance, bytes);
        if !is_near(first, FARTHEST - 1) {
            return None;
        }
        [first, second]
            .into_iter()
            .find(|&distance| matches(distance))
    }
}

/// Whether there is something at that distance: it is neither 0, nor too far, nor ahead.
#[inline]
const fn is_near(distance: u32, farthest: u32) -> bool {
    distance.wrapping_sub(1) < farthest
}

impl Encoder for Level3 {
    fn forget(&mut self) {
        if !self.base.forget() {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.table.clear();
        self.base = Base::new();
    }

    fn begin_call(&mut self) {
        self.ready = (0, 0);
    }

    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match> {
        let (start, distance) = match self.ready {
            (at, distance) if at == scan.at && distance > 0 => (at, distance),
            _ => self.scan(text, scan)?,
        };
        self.ready = (0, 0);
        let length = full_length(text, start, distance);
        let found = Found {
            start,
            length,
            distance,
        };
        Some(scan.extend_back(text, found))
    }

    fn insert(&mut self, text: &[u8], scan: &mut Scan, found: Match) {
        scan.go_behind(found);
        let at = scan.at;
        if at >= scan.limit {
            // The end of what was repeated, not of the repeat.
            let position = found.end.saturating_sub(found.distance as usize);
            if position + 8 < text.len() && position > scan.history_start {
                self.put(position, load64(text, position));
            }
            return;
        }
        let mut position = at - (found.end - found.start) + 2;
        while position + 5 < at {
            self.put(position, load64(text, position));
            position += 6;
        }
        let bytes = load64(text, at - 2);
        self.put(at - 2, bytes);
        self.put(at - 1, bytes >> 8);
        match self.match_behind(text, at, bytes >> 16) {
            Some(distance) => self.ready = (at, distance),
            None => scan.at += 1,
        }
    }
}
