//! Which positions of the text have the same hash, as far back as zlib's matches reach.
//!
//! zlib finds candidates by hash chains that it makes while it goes. As the text is known, they are
//! made ahead here, some KiB at a time, into rings that stay in the processor's cache.

use super::zlib::MAX_REACH;

/// Positions that the rings hold: those that a match can reach, and those that were made ahead.
const RING_SIZE: usize = 1 << 16;
/// Positions made at a time.
const PORTION: usize = 1 << 14;
/// Positions made at least before one that is asked for is answered: the longest match, and some.
const AHEAD: usize = 512;

/// Hash chains of the strings of three bytes.
#[derive(Debug)]
pub(super) struct ZlibChains {
    hash_shift: u32,
    hash_mask: u32,
    /// Last position of each hash.
    heads: Box<[u32]>,
    /// Distance to the position before with the same hash, 0 if out of reach.
    links: Box<[u16; RING_SIZE]>,
    /// The position up to which all is made.
    made: usize,
}

/// The hash of the three bytes at `position`.
#[inline]
fn hash(text: &[u8], position: usize, shift: u32, mask: u32) -> Option<usize> {
    let bytes = text.get(position..position + 3)?;
    let hash =
        u32::from(bytes[0]) << (2 * shift) ^ u32::from(bytes[1]) << shift ^ u32::from(bytes[2]);
    Some((hash & mask) as usize)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "positions count modulo 2^32 in heads and modulo 2^16 in rings"
)]
impl ZlibChains {
    #[expect(
        clippy::large_stack_arrays,
        reason = "optimized builds make it in place, and others have room for it"
    )]
    pub(super) fn new(memory_level: u8) -> Self {
        let hash_bits = u32::from(memory_level.clamp(1, 9)) + 7;
        Self {
            hash_shift: hash_bits.div_ceil(3),
            hash_mask: (1 << hash_bits) - 1,
            heads: vec![0; 1 << hash_bits].into(),
            links: Box::new([0; RING_SIZE]),
            made: 0,
        }
    }

    /// Forgets all, to begin with the string at `position`.
    pub(super) fn reset(&mut self, position: usize) {
        self.heads.fill((position as u32).wrapping_sub(1 << 31));
        self.made = position;
    }

    /// Makes the chains up to some bytes after `position`.
    #[inline]
    pub(super) fn prepare(&mut self, text: &[u8], position: usize) {
        while position + AHEAD > self.made && self.made + 3 <= text.len() {
            self.make(text);
        }
    }

    fn make(&mut self, text: &[u8]) {
        let end = (self.made + PORTION).min(text.len() - 2);
        for position in self.made..end {
            self.insert(text, position);
        }
        self.made = end;
    }

    /// Puts the string at `position` at the head of its chain, if it is whole.
    #[inline]
    pub(super) fn insert(&mut self, text: &[u8], position: usize) {
        let Some(hash) = hash(text, position, self.hash_shift, self.hash_mask) else {
            return;
        };
        let distance = (position as u32).wrapping_sub(self.heads[hash]);
        self.heads[hash] = position as u32;
        self.links[position as u16 as usize] = if distance as usize <= MAX_REACH {
            distance as u16
        } else {
            0
        };
    }

    /// Distance to the position before that has the same hash, 0 if out of reach.
    #[inline]
    pub(super) fn link(&self, position: usize) -> usize {
        usize::from(self.links[position as u16 as usize])
    }
}
