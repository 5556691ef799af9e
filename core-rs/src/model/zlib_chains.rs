//! Which positions of the text have the same hash, as far back as zlib's matches reach.
//!
//! These chains grow with the tokens, as those of `deflate_fast` do. Where all positions are in them,
//! they can be [made ahead](super::zlib_links).

use super::text::load32;
use super::zlib::{MAX_REACH, ZlibHash};

/// Positions that are kept: more than a match can reach.
const RING_SIZE: usize = 1 << 16;
/// zlib's hash chains.
#[derive(Debug)]
pub(super) struct ZlibChains {
    hash: ZlibHash,
    /// Last position of each hash.
    heads: Box<[u32]>,
    /// Distance to the position before with the same hash, 0 if out of reach.
    links: Box<[u16; RING_SIZE]>,
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
    pub(super) fn new(hash: ZlibHash) -> Self {
        Self {
            hash,
            heads: vec![0; hash.count()].into(),
            links: Box::new([0; RING_SIZE]),
        }
    }

    /// Forgets all; the next string is at `position` or later.
    pub(super) fn reset(&mut self, position: usize) {
        self.heads.fill((position as u32).wrapping_sub(1 << 31));
    }

    /// Puts the string at `position` at the head of its chain.
    #[inline]
    pub(super) fn insert(&mut self, text: &[u8], position: usize) {
        let hash = self.hash.of(load32(text, position));
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
