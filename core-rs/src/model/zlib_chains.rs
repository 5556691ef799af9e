//! Which positions of the text have the same hash, as far back as zlib's matches reach.
//!
//! These chains grow with the tokens, as those of `deflate_fast` do. Where all positions are in them,
//! they can be [made ahead](super::zlib_links).

use super::zlib::MAX_REACH;

/// Positions that are kept: more than a match can reach.
const RING_SIZE: usize = 1 << 16;
/// Hash chains of strings of three bytes.
#[derive(Debug)]
pub(super) struct ZlibChains {
    hash_shift: u32,
    hash_mask: u32,
    /// Last position of each hash.
    heads: Box<[u32]>,
    /// Distance to the position before with the same hash, 0 if out of reach.
    links: Box<[u16; RING_SIZE]>,
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
    reason = "positions count modulo 2^32 in heads and modulo 2^16 in links"
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
        }
    }

    /// Forgets all; the next string is at `position` or later.
    pub(super) fn reset(&mut self, position: usize) {
        self.heads.fill((position as u32).wrapping_sub(1 << 31));
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
