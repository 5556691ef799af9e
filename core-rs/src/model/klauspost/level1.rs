//! Levels 1 and 2: one table of positions by five bytes.

use super::encoder::{Encoder, Found, Match, Scan, full_length};
use super::table::{Base, REACH, Table, hash5, is_near, load64, repeats};

const SKIP_SHIFT: u32 = 5;
/// Of so many of the last entries it is known what they replaced.
const LOG_SIZE: usize = 1024;

/// Level 1.
pub(super) type Level1 = OneTable<15, { 1 << 15 }, false>;
/// Level 2: a larger table, into which more positions are put.
pub(super) type Level2 = OneTable<17, { 1 << 17 }, true>;

/// Level 1, or, if `IS_SECOND`, level 2.
#[derive(Debug)]
pub(super) struct OneTable<const BITS: u32, const SLOTS: usize, const IS_SECOND: bool> {
    table: Table<u32, SLOTS>,
    base: Base,
    /// Position and distance of a match that was found already.
    ready: (usize, u32),
    /// Whether the next position to be looked at is the second of a pair.
    is_half: bool,
    /// What the last search put into the table.
    log: Vec<Entry>,
}

/// What was put into the table when `at` was looked at.
#[derive(Clone, Copy, Debug)]
struct Entry {
    at: usize,
    is_half: bool,
    slot: usize,
    /// What stood there before.
    replaced: u32,
}

impl<const BITS: u32, const SLOTS: usize, const IS_SECOND: bool> OneTable<BITS, SLOTS, IS_SECOND> {
    pub(super) fn new() -> Self {
        Self {
            table: Table::new(),
            base: Base::new(),
            ready: (0, 0),
            is_half: false,
            log: Vec::with_capacity(LOG_SIZE),
        }
    }

    /// Puts `position`, where `bytes` stand, into the table; gives how far before it the same hash
    /// was last.
    #[inline]
    fn put(&mut self, position: usize, bytes: u64) -> u32 {
        let stamp = self.base.stamp(position);
        let slot = hash5::<BITS>(bytes);
        let distance = stamp.wrapping_sub(self.table.get(slot));
        self.table.set(slot, stamp);
        distance
    }

    /// Does the same as it looks at `at`, and so that it can be undone.
    #[inline]
    fn put_logged(&mut self, position: usize, bytes: u64, at: usize, is_half: bool) -> u32 {
        if self.log.len() == LOG_SIZE {
            self.log.clear();
        }
        let slot = hash5::<BITS>(bytes);
        self.log.push(Entry {
            at,
            is_half,
            slot,
            replaced: self.table.get(slot),
        });
        self.put(position, bytes)
    }

    /// Looks at `at`, where `bytes` stand: the distance of a match there.
    #[inline]
    fn look(&mut self, text: &[u8], at: usize, bytes: u64, is_half: bool) -> Option<u32> {
        let distance = self.put_logged(at, bytes, at, is_half);
        (is_near(distance) && repeats(text, at, distance, bytes)).then_some(distance)
    }

    /// Puts the position after `at` into the table, too, as there is a match at `at`.
    #[inline]
    fn put_next(&mut self, text: &[u8], scan: &mut Scan, at: usize, is_half: bool) {
        if is_half {
            scan.next = at + 1;
            if !IS_SECOND {
                // Under the hash of `at`, as the compressor does.
                self.put_logged(scan.next, load64(text, at), at, true);
            }
        } else {
            scan.next = scan.after(at, 2, SKIP_SHIFT);
            self.put_logged(scan.next, load64(text, scan.next), at, false);
        }
    }

    /// The first position that has a match, and its distance. Positions are looked at in pairs of
    /// which the second one is a byte before the next pair.
    #[inline]
    fn scan(&mut self, text: &[u8], scan: &mut Scan) -> Option<(usize, u32)> {
        let mut at = scan.at;
        let mut bytes = load64(text, at);
        let mut is_half = std::mem::take(&mut self.is_half);
        self.log.clear();
        if is_half && at > scan.limit {
            return None;
        }
        loop {
            if !is_half {
                let next = scan.after(at, 2, SKIP_SHIFT);
                if next > scan.limit {
                    return None;
                }
                if let Some(distance) = self.look(text, at, bytes, false) {
                    self.put_next(text, scan, at, false);
                    return Some((at, distance));
                }
                at = next;
                bytes = load64(text, at);
            }
            is_half = false;
            if let Some(distance) = self.look(text, at, bytes, true) {
                self.put_next(text, scan, at, true);
                return Some((at, distance));
            }
            at += 1;
            bytes >>= 8;
        }
    }
}

impl<const BITS: u32, const SLOTS: usize, const IS_SECOND: bool> Encoder
    for OneTable<BITS, SLOTS, IS_SECOND>
{
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
        self.is_half = false;
    }

    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match> {
        let (start, distance) = match std::mem::take(&mut self.ready) {
            (at, distance) if at == scan.at && distance > 0 => {
                self.log.clear();
                (at, distance)
            }
            _ => self.scan(text, scan)?,
        };
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
        let length = found.end - found.start;
        if at >= scan.limit {
            if at + length + 8 < text.len() {
                self.put(at, load64(text, at));
            }
            return;
        }
        if IS_SECOND {
            let mut position = at - length + 2;
            while position + 5 < at {
                let bytes = load64(text, position);
                self.put(position, bytes);
                self.put(position + 2, bytes >> 16);
                self.put(position + 4, bytes >> 32);
                position += 7;
            }
        }
        let bytes = load64(text, at - 2);
        self.put(at - 2, bytes);
        if IS_SECOND {
            self.put(at - 1, bytes >> 8);
        }
        let distance = self.put(at, bytes >> 16);
        // Here, the compressor looks one byte farther.
        let is_near = is_near(distance) || distance == REACH;
        if is_near && repeats(text, at, distance, bytes >> 16) {
            self.ready = (at, distance);
        } else {
            scan.at += 1;
        }
    }

    fn reject(&mut self, scan: &mut Scan) {
        let Some(last) = self.log.last().copied() else {
            scan.at += 1;
            return;
        };
        if !(IS_SECOND && last.is_half) {
            // What `put_next` put there.
            self.table.set(last.slot, last.replaced);
            self.log.pop();
        }
        self.is_half = !last.is_half;
        scan.at = if last.is_half {
            last.at + 1
        } else {
            scan.after(last.at, 2, SKIP_SHIFT)
        };
    }

    fn rewind(&mut self, text: &[u8], scan: &mut Scan, position: usize) {
        let Some(index) = self.log.iter().position(|entry| entry.at >= position) else {
            scan.next = position + 1;
            return;
        };
        let Entry { at, is_half, .. } = self.log[index];
        for entry in self.log.drain(index + 1..).rev() {
            self.table.set(entry.slot, entry.replaced);
        }
        self.put_next(text, scan, at, is_half);
    }
}
