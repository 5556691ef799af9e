//! What the match finders share: loads, hashes, tables of positions, lengths of matches.

use std::hint::select_unpredictable;

use crate::model::text::{self, chunk, load32};

/// Distances from this on are out of reach, for all match finders but where they say otherwise.
pub(super) const REACH: u32 = 1 << 15;
/// Matches are measured up to this length first, and further only when they are chosen.
pub(super) const FIRST_LENGTH: usize = 258;

/// Added to positions in tables, so that 0 is out of reach of all of them.
const FIRST_BASE: u32 = 4 * REACH;
/// Tables are cleared when their base gets here. Positions are a segment's, so no stamp wraps.
const LAST_BASE: u32 = 1 << 31;

const PRIME_4: u32 = 2_654_435_761;
const PRIME_5: u64 = 889_523_592_379;
const PRIME_7: u64 = 58_295_818_150_454_627;

/// Positions by slot. In them stand stamps: positions plus a base that grows when all is forgotten.
#[derive(Debug)]
pub(super) struct Table<T, const SLOTS: usize>(Box<[T; SLOTS]>);

/// The two last positions of a slot, the later one in the low half.
pub(super) type Pair = u64;

impl<T: Copy + Default, const SLOTS: usize> Table<T, SLOTS> {
    /// An empty table.
    pub(super) fn new() -> Self {
        let slots = vec![T::default(); SLOTS].into_boxed_slice();
        Self(
            slots
                .try_into()
                .unwrap_or_else(|_| Box::new([T::default(); SLOTS])),
        )
    }

    /// Empties it.
    pub(super) fn clear(&mut self) {
        self.0.fill(T::default());
    }

    /// What stands in the slot, which is made by a hash of as many bits as the table has.
    #[inline]
    pub(super) fn get(&self, slot: usize) -> T {
        self.0[slot & (SLOTS - 1)]
    }

    /// Puts `value` into the slot.
    #[inline]
    pub(super) fn set(&mut self, slot: usize, value: T) {
        self.0[slot & (SLOTS - 1)] = value;
    }
}

impl<const SLOTS: usize> Table<Pair, SLOTS> {
    /// Puts `stamp` before the later one of the slot, and gives what stood there.
    #[inline]
    pub(super) fn push(&mut self, slot: usize, stamp: u32) -> Pair {
        let before = self.get(slot);
        self.set(slot, before << 32 | u64::from(stamp));
        before
    }
}

/// How far before `stamp` the later and the earlier one of a pair are.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it is taken in halves")]
pub(super) const fn distances(stamp: u32, pair: Pair) -> (u32, u32) {
    (
        stamp.wrapping_sub(pair as u32),
        stamp.wrapping_sub((pair >> 32) as u32),
    )
}

/// Makes stamps of positions, and so tells what was put into tables since all was last forgotten.
#[derive(Clone, Copy, Debug)]
pub(super) struct Base(u32);

impl Base {
    /// For tables that are empty.
    pub(super) const fn new() -> Self {
        Self(FIRST_BASE)
    }

    /// Puts all that is in the tables out of reach of positions that are at most [`REACH`] before
    /// those already there. False if the tables have to be cleared instead.
    pub(super) const fn forget(&mut self) -> bool {
        if self.0 < LAST_BASE {
            self.0 += 2 * REACH;
            true
        } else {
            self.0 = FIRST_BASE;
            false
        }
    }

    /// What stands for `position` in tables.
    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "segments are shorter; and matches are compared with the text"
    )]
    pub(super) const fn stamp(self, position: usize) -> u32 {
        (position as u32).wrapping_add(self.0)
    }
}

/// Whether there is something at that distance: it is neither 0, nor out of reach, nor ahead.
#[inline]
pub(super) const fn is_near(distance: u32) -> bool {
    distance.wrapping_sub(1) < REACH - 1
}

/// The eight bytes at `position`, 0 where they reach past the text.
#[inline]
pub(super) fn load64(text: &[u8], position: usize) -> u64 {
    match chunk(text, position) {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => 0,
    }
}

/// The first four of eight bytes.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "it is the low half")]
pub(super) const fn low32(bytes: u64) -> u32 {
    bytes as u32
}

/// Hashes the first four of eight bytes.
#[inline]
pub(super) const fn hash4<const BITS: u32>(bytes: u64) -> usize {
    (low32(bytes).wrapping_mul(PRIME_4) >> (32 - BITS)) as usize
}

/// Hashes the first five of eight bytes.
#[inline]
pub(super) const fn hash5<const BITS: u32>(bytes: u64) -> usize {
    high::<BITS>((bytes << 24).wrapping_mul(PRIME_5))
}

/// Hashes the first seven of eight bytes.
#[inline]
pub(super) const fn hash7<const BITS: u32>(bytes: u64) -> usize {
    high::<BITS>((bytes << 8).wrapping_mul(PRIME_7))
}

#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "hashes have at most 17 bits"
)]
const fn high<const BITS: u32>(product: u64) -> usize {
    (product >> (64 - BITS)) as usize
}

/// Whether the first four of `bytes`, which stand at `at`, stand `distance` before, too.
#[inline]
pub(super) fn repeats(text: &[u8], at: usize, distance: u32, bytes: u64) -> bool {
    load32(text, at - distance as usize) == low32(bytes)
}

/// Whether the first four of `bytes`, which stand at `at`, stand `distance` before, and that is near.
///
/// It does not branch: what stands in a table is near or not without any order, and a wrong guess of
/// the processor costs more than to look at the text in vain.
#[inline]
pub(super) fn is_match(text: &[u8], at: usize, bytes: u64, distance: u32) -> bool {
    let is_near = is_near(distance);
    let back = select_unpredictable(is_near, distance, 0);
    let earlier = chunk(text, at - back as usize);
    earlier.is_some_and(|earlier| u32::from_le_bytes(*earlier) == low32(bytes)) & is_near
}

/// How many bytes from `at` on, up to `end`, are the same as those `distance` before.
#[inline]
pub(super) fn match_length(text: &[u8], at: usize, distance: u32, end: usize) -> usize {
    if at >= end {
        return 0;
    }
    let longest = end - at;
    text::match_length(text, at - distance as usize, at, longest)
}
