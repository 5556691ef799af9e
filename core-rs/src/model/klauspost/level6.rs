//! Level 6, Go's default since 1.27: the tables of level 5, more candidates, and the last distance.

use super::encoder::{Encoder, EndCheck, Found, Match, Scan, first_length};
use super::table::{Pair, REACH, hash7, is_near, load64, match_length, repeats};
use super::two_tables::{BITS, TwoTables};

const SKIP_SHIFT: u32 = 7;

/// Level 6.
#[derive(Debug)]
pub(super) struct Level6 {
    tables: TwoTables<Pair>,
    /// Distance of the last match in the call.
    last_distance: u32,
    end_check: EndCheck,
}

impl Level6 {
    pub(super) fn new(end_check: EndCheck) -> Self {
        Self {
            tables: TwoTables::new(),
            last_distance: 1,
            end_check,
        }
    }

    /// The match that is found by the bytes behind the one found so far, if it is longer.
    #[inline]
    fn check_end(&self, text: &[u8], scan: &Scan, found: Found) -> Found {
        let end = found.start + found.length;
        let start = match self.end_check.start(found) {
            Some(start) if end < scan.limit => start,
            _ => return found,
        };
        let (first, second) = self.tables.distances(end, load64(text, end));
        if first.cast_signed() >= REACH.cast_signed() {
            return found;
        }
        let mut best = found;
        let mut try_at = |distance: u32| {
            if is_near(distance) && start >= scan.history_start + distance as usize {
                let length = match_length(text, start, distance, text.len());
                if length > best.length {
                    best = Found {
                        start,
                        length,
                        distance,
                    };
                    return length - found.length;
                }
            }
            0
        };
        let longer_by = try_at(first);
        // The compressor counts the second distance from the end of the first match if that was
        // longer, though the second one would begin at the same place.
        let longer_by = u32::try_from(longer_by).unwrap_or_default();
        try_at(second.wrapping_add(longer_by));
        best
    }
}

/// A match at `at`, which was found by four bytes, or a longer one with the `last` distance or
/// at `next`.
#[inline]
fn longest(
    text: &[u8],
    (at, distance): (usize, u32),
    last: u32,
    next: usize,
    next_distances: (u32, u32),
) -> Found {
    let mut best = Found {
        start: at,
        length: first_length(text, at, distance),
        distance,
    };
    if repeats(text, at + 1, last, load64(text, at + 1)) && best.improve(text, at + 1, last) {
        return best;
    }
    let (first, second) = next_distances;
    if is_near(first) {
        let bytes = load64(text, next);
        for distance in [first, second] {
            if is_near(distance) && repeats(text, next, distance, bytes) {
                best.improve(text, next, distance);
            }
        }
    }
    best
}

impl Encoder for Level6 {
    fn forget(&mut self) {
        self.tables.forget();
    }

    fn clear(&mut self) {
        self.tables.clear();
    }

    fn begin_call(&mut self) {
        self.last_distance = 1;
    }

    fn search(&mut self, text: &[u8], scan: &mut Scan) -> Option<Match> {
        let last = self.last_distance;
        let mut found =
            self.tables
                .search::<SKIP_SHIFT>(text, scan, |short, next, next_distances| {
                    longest(text, short, last, next, next_distances)
                })?;
        found.complete(text);
        let found = self.check_end(text, scan, found);
        Some(scan.extend_back(text, found))
    }

    fn insert(&mut self, text: &[u8], scan: &mut Scan, found: Match) {
        scan.go_behind(found);
        if found.distance as usize <= found.start {
            self.last_distance = found.distance;
        }
        let tables = &mut self.tables;
        let mut position = scan.next + 1;
        if scan.at >= scan.limit {
            while position + 8 < text.len() {
                tables.put(position, load64(text, position));
                position += 2;
            }
            return;
        }
        while position + 1 < scan.at {
            let bytes = load64(text, position);
            tables.put(position, bytes);
            let stamp = tables.base.stamp(position + 1);
            tables.long.push(hash7::<BITS>(bytes >> 8), stamp);
            position += 2;
        }
    }
}
