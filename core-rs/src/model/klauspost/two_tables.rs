//! What the match finders of levels 4 to 6 keep: a table of positions by four bytes, and one by
//! seven.

use super::encoder::{Found, Scan, first_length};
use super::table::{Base, Pair, Table, distances, hash4, hash7, is_match, is_near, load64};

/// Bits of the hashes.
pub(super) const BITS: u32 = 15;
const SLOTS: usize = 1 << BITS;

/// Both tables. In the one by seven bytes stands `T`.
#[derive(Debug)]
pub(super) struct TwoTables<T> {
    pub(super) short: Table<u32, SLOTS>,
    pub(super) long: Table<T, SLOTS>,
    pub(super) base: Base,
}

impl<T: Copy + Default> TwoTables<T> {
    pub(super) fn new() -> Self {
        Self {
            short: Table::new(),
            long: Table::new(),
            base: Base::new(),
        }
    }

    /// Forgets what is in the tables. Positions go on at most 32 KiB before those so far.
    pub(super) fn forget(&mut self) {
        if !self.base.forget() {
            self.clear();
        }
    }

    /// Empties the tables.
    pub(super) fn clear(&mut self) {
        self.short.clear();
        self.long.clear();
        self.base = Base::new();
    }
}

impl TwoTables<u32> {
    /// Puts `position`, where `bytes` stand, into both tables; gives the distances of what stood
    /// there.
    #[inline]
    pub(super) fn put(&mut self, position: usize, bytes: u64) -> (u32, u32) {
        let stamp = self.base.stamp(position);
        let (short_slot, long_slot) = (hash4::<BITS>(bytes), hash7::<BITS>(bytes));
        let distances = (
            stamp.wrapping_sub(self.short.get(short_slot)),
            stamp.wrapping_sub(self.long.get(long_slot)),
        );
        self.short.set(short_slot, stamp);
        self.long.set(long_slot, stamp);
        distances
    }
}

impl TwoTables<Pair> {
    /// Puts `position`, where `bytes` stand, into both tables; gives the distances of what stood
    /// there.
    #[inline]
    pub(super) fn put(&mut self, position: usize, bytes: u64) -> (u32, (u32, u32)) {
        let stamp = self.base.stamp(position);
        let slot = hash4::<BITS>(bytes);
        let short = stamp.wrapping_sub(self.short.get(slot));
        self.short.set(slot, stamp);
        let pair = self.long.push(hash7::<BITS>(bytes), stamp);
        (short, distances(stamp, pair))
    }

    /// The distances of what stands in the second table for `bytes`, counted from `position`.
    #[inline]
    pub(super) fn distances(&self, position: usize, bytes: u64) -> (u32, u32) {
        let pair = self.long.get(hash7::<BITS>(bytes));
        distances(self.base.stamp(position), pair)
    }

    /// Looks for the next place where a match begins: two bytes of a call, or more, before one that is
    /// the same for levels 5 and 6. `lengthen` gives the match that is taken where four bytes repeat,
    /// of that place and distance, and the next place with the distances that the second table has
    /// there.
    #[inline]
    pub(super) fn search<const SKIP_SHIFT: u32>(
        &mut self,
        text: &[u8],
        scan: &mut Scan,
        lengthen: impl Fn((usize, u32), usize, (u32, u32)) -> Found,
    ) -> Option<Found> {
        let mut at = scan.at;
        let mut bytes = load64(text, at);
        loop {
            let next = scan.after(at, 1, SKIP_SHIFT);
            if next > scan.limit {
                return None;
            }
            let next_bytes = load64(text, next);
            let (short, long) = self.put(at, bytes);
            let is_short = is_match(text, at, bytes, short);
            let is_first = is_match(text, at, bytes, long.0);
            // The second one counts only if the first one is near.
            let is_second = is_match(text, at, bytes, long.1) & is_near(long.0);
            if is_short | is_first | is_second {
                scan.next = next;
                let (_, next_long) = self.put(next, next_bytes);
                return Some(if is_first | is_second {
                    longer(text, at, long, (is_first, is_second))
                } else {
                    lengthen((at, short), next, next_long)
                });
            }
            at = next;
            bytes = next_bytes;
        }
    }
}

/// The longer one of two matches at `at`, of which one is there.
fn longer(
    text: &[u8],
    at: usize,
    (first, second): (u32, u32),
    (is_first, is_second): (bool, bool),
) -> Found {
    let distance = if is_first { first } else { second };
    let mut found = Found {
        start: at,
        length: first_length(text, at, distance),
        distance,
    };
    if is_first && is_second {
        found.improve(text, at, second);
    }
    found
}
