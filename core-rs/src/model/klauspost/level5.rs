//! Level 5, the default: tables of positions by four bytes, and of pairs of them by seven.

use super::encoder::{Encoder, EndCheck, Found, Match, Scan, first_length};
use super::table::{Pair, hash4, hash7, is_near, load64, match_length, repeats};
use super::two_tables::{BITS, TwoTables};

const SKIP_SHIFT: u32 = 6;
/// Shorter matches are compared with one that is found by the bytes behind them.
const SHORT_LENGTH: usize = 30;

/// Level 5.
#[derive(Debug)]
pub(super) struct Level5 {
    tables: TwoTables<Pair>,
    end_check: EndCheck,
}

impl Level5 {
    pub(super) fn new(end_check: EndCheck) -> Self {
        Self {
            tables: TwoTables::new(),
            end_check,
        }
    }

    /// The match that is found by the bytes behind a short match, if it is longer.
    #[inline]
    fn check_end(&self, text: &[u8], scan: &Scan, found: Found) -> Found {
        let end = found.start + found.length;
        if found.length >= SHORT_LENGTH || end >= scan.limit {
            return found;
        }
        let Some(start) = self.end_check.start(found) else {
            return found;
        };
        let (distance, _) = self.tables.distances(end, load64(text, end));
        if !is_near(distance) || start < scan.history_start + distance as usize {
            return found;
        }
        let length = match_length(text, start, distance, text.len());
        if length > found.length {
            return Found {
                start,
                length,
                distance,
            };
        }
        found
    }
}

/// A match at `at`, which was found by four bytes, or a longer one at `next`.
#[inline]
fn longer_at_next(
    text: &[u8],
    (at, distance): (usize, u32),
    next: usize,
    next_distances: (u32, u32),
) -> Found {
    let length = first_length(text, at, distance);
    let bytes = load64(text, next);
    let (first, second) = next_distances;
    if is_near(first) {
        for distance in [first, second] {
            if is_near(distance) && repeats(text, next, distance, bytes) {
                let next_length = first_length(text, next, distance);
                if next_length > length {
                    return Found {
                        start: next,
                        length: next_length,
                        distance,
                    };
                }
            }
        }
    }
    Found {
        start: at,
        length,
        distance,
    }
}

impl Encoder for Level5 {
    fn forget(&mut self) {
        self.tables.forget();
    }

    fn clear(&mut self) {
        self.tables.clear();
    }

    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match> {
        let mut found =
            self.tables
                .search::<SKIP_SHIFT>(text, scan, |short, next, next_distances| {
                    longer_at_next(text, short, next, next_distances)
                })?;
        found.complete(text);
        let found = self.check_end(text, scan, found);
        Some(scan.extend_back(text, found))
    }

    fn insert(&mut self, text: &[u8], scan: &mut Scan, found: Match) {
        scan.go_behind(found);
        let at = scan.at;
        if at >= scan.limit {
            return;
        }
        let tables = &mut self.tables;
        let mut position = at - (found.end - found.start) + 1;
        if position + 1 < at {
            let bytes = load64(text, position);
            let stamp = tables.base.stamp(position);
            tables.short.set(hash4::<BITS>(bytes), stamp);
            tables.long.push(hash7::<BITS>(bytes), stamp);
            tables.long.push(hash7::<BITS>(bytes >> 8), stamp + 1);
            tables.short.set(hash4::<BITS>(bytes >> 16), stamp + 2);
            position += 4;
        }
        while position + 1 < at {
            let bytes = load64(text, position);
            let stamp = tables.base.stamp(position);
            tables.long.push(hash7::<BITS>(bytes), stamp);
            tables.short.set(hash4::<BITS>(bytes >> 8), stamp + 1);
            position += 3;
        }
        tables.put(at - 1, load64(text, at - 1));
    }
}
