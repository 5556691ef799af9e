//! Level 4: tables of positions by four bytes and by seven.

use super::encoder::{Encoder, Found, Match, Scan, full_length};
use super::table::{hash4, hash7, is_near, load64, repeats};
use super::two_tables::{BITS, TwoTables};

const SKIP_SHIFT: u32 = 6;

/// Level 4.
#[derive(Debug)]
pub(super) struct Level4 {
    tables: TwoTables<u32>,
    /// Since v1.18, the match at the next position is compared with bytes from elsewhere by
    /// mistake, and so hardly ever is longer. Where elsewhere is, depends on calls long ago.
    never_takes_next: bool,
}

impl Level4 {
    pub(super) fn new(never_takes_next: bool) -> Self {
        Self {
            tables: TwoTables::new(),
            never_takes_next,
        }
    }

    /// A match at `at`, which was found by four bytes, or a longer one at `next`.
    #[inline]
    fn longer(&self, text: &[u8], at: usize, distance: u32, next: usize) -> Found {
        let found = Found {
            start: at,
            length: full_length(text, at, distance),
            distance,
        };
        if self.never_takes_next {
            return found;
        }
        let bytes = load64(text, next);
        let entry = self.tables.long.get(hash7::<BITS>(bytes));
        let distance = self.tables.base.stamp(next).wrapping_sub(entry);
        if is_near(distance) && repeats(text, next, distance, bytes) {
            let length = full_length(text, next, distance);
            if length > found.length {
                return Found {
                    start: next,
                    length,
                    distance,
                };
            }
        }
        found
    }
}

impl Encoder for Level4 {
    fn forget(&mut self) {
        self.tables.forget();
    }

    fn clear(&mut self) {
        self.tables.clear();
    }

    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match> {
        let mut at = scan.at;
        let mut bytes = load64(text, at);
        let found = loop {
            let next = scan.after(at, 1, SKIP_SHIFT);
            if next > scan.limit {
                return None;
            }
            let (short, long) = self.tables.put(at, bytes);
            if is_near(long) && repeats(text, at, long, bytes) {
                scan.next = next;
                break Found {
                    start: at,
                    length: full_length(text, at, long),
                    distance: long,
                };
            }
            if is_near(short) && repeats(text, at, short, bytes) {
                scan.next = next;
                break self.longer(text, at, short, next);
            }
            at = next;
            bytes = load64(text, at);
        };
        Some(scan.extend_back(text, found))
    }

    fn insert(&mut self, text: &[u8], scan: &mut Scan, found: Match) {
        scan.go_behind(found);
        let at = scan.at;
        if at >= scan.limit {
            if at + 8 < text.len() {
                self.tables.put(at, load64(text, at));
            }
            return;
        }
        let tables = &mut self.tables;
        let mut position = scan.next;
        while position + 1 < at {
            let bytes = load64(text, position);
            let stamp = tables.base.stamp(position);
            tables.long.set(hash7::<BITS>(bytes), stamp);
            tables.long.set(hash7::<BITS>(bytes >> 8), stamp + 1);
            tables.short.set(hash4::<BITS>(bytes >> 8), stamp + 1);
            position += 3;
        }
        tables.put(at - 1, load64(text, at - 1));
    }
}
