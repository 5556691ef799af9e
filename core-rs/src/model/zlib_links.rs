//! Where the text had the same three or four bytes before, as far back as zlib's matches reach.
//!
//! zlib finds candidates by chains of all positions with the same hash of three bytes, and looks at a
//! limited number of them. As the text is known, the links are made ahead here, some KiB at a time,
//! into rings that stay in the processor's cache. What is longer than three bytes is found by links
//! of four bytes, which lead past most candidates that are no good; how many candidates zlib would
//! have seen on the way is told by numbers that count along zlib's own chains.

use super::text::load32;
use super::zlib::MAX_REACH;

/// Positions that the rings hold: those that a match can reach, and those that were made ahead.
const RING_SIZE: usize = 1 << 16;
/// Positions made at a time.
const PORTION: usize = 1 << 13;
/// Positions made at least before one that is asked for is answered: the longest match, and some.
const AHEAD: usize = 512;
/// Bits of the hash of four bytes. Any hash would do.
const LONG_HASH_BITS: u32 = 16;

/// Links of strings of three and of four bytes.
#[derive(Debug)]
pub(super) struct ZlibLinks {
    hash_shift: u32,
    hash_mask: u32,
    /// Last position of each hash of three bytes.
    heads: Box<[u32]>,
    /// Last position of each hash of four bytes.
    long_heads: Box<[u32]>,
    links: Box<[u16; RING_SIZE]>,
    long_links: Box<[u16; RING_SIZE]>,
    ordinals: Box<[u16; RING_SIZE]>,
    /// The position up to which all is made.
    made: usize,
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "positions count modulo 2^32 in heads and modulo 2^16 in rings"
)]
impl ZlibLinks {
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
            long_heads: vec![0; 1 << LONG_HASH_BITS].into(),
            links: Box::new([0; RING_SIZE]),
            long_links: Box::new([0; RING_SIZE]),
            ordinals: Box::new([0; RING_SIZE]),
            made: 0,
        }
    }

    /// Forgets all, to begin with the string at `position`.
    pub(super) fn reset(&mut self, position: usize) {
        let nowhere = (position as u32).wrapping_sub(1 << 31);
        self.heads.fill(nowhere);
        self.long_heads.fill(nowhere);
        self.made = position;
    }

    /// Makes the links up to some bytes after `position`.
    #[inline]
    pub(super) fn prepare(&mut self, text: &[u8], position: usize) {
        while position + AHEAD > self.made && self.made < text.len() {
            self.make(text);
        }
    }

    #[inline(never)]
    fn make(&mut self, text: &[u8]) {
        let end = (self.made + PORTION).min(text.len());
        for position in self.made..end {
            let bytes = load32(text, position);
            let hash = (bytes & 0xff) << (2 * self.hash_shift)
                ^ (bytes >> 8 & 0xff) << self.hash_shift
                ^ (bytes >> 16 & 0xff);
            let hash = (hash & self.hash_mask) as usize;
            let link = link(position, self.heads[hash]);
            self.heads[hash] = position as u32;
            self.links[position as u16 as usize] = link;
            let before = self.ordinals[(position as u16).wrapping_sub(link) as usize];
            self.ordinals[position as u16 as usize] = before.wrapping_add(1);

            let hash = (bytes.wrapping_mul(0x9e37_79b1) >> (32 - LONG_HASH_BITS)) as usize;
            self.long_links[position as u16 as usize] = self::link(position, self.long_heads[hash]);
            self.long_heads[hash] = position as u32;
        }
        self.made = end;
    }

    /// Distance to the position before in the same chain of zlib's, 0 if out of reach.
    #[inline]
    pub(super) fn link(&self, position: usize) -> usize {
        usize::from(self.links[position as u16 as usize])
    }

    /// Distance to a position before that likely has the same four bytes, with none that has them in
    /// between; 0 if out of reach.
    #[inline]
    pub(super) fn long_link(&self, position: usize) -> usize {
        usize::from(self.long_links[position as u16 as usize])
    }

    /// Steps in zlib's chain from `position` to `candidate`, which is in the same one.
    #[inline]
    pub(super) fn steps(&self, position: usize, candidate: usize) -> u16 {
        self.ordinals[position as u16 as usize]
            .wrapping_sub(self.ordinals[candidate as u16 as usize])
    }
}

/// Distance from `position` to `head`, 0 if out of reach.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "as above")]
fn link(position: usize, head: u32) -> u16 {
    let distance = (position as u32).wrapping_sub(head);
    // Without a branch, as none could be foretold.
    distance as u16 & u16::from(distance as usize <= MAX_REACH).wrapping_neg()
}
