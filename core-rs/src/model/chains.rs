//! Hash chains over a text that is known: each position's nearest earlier one with the same hash, and
//! how many there were before.
//!
//! A compressor grows such chains while it searches. Here they are built ahead in one tight pass, as
//! distances, so that a search can also use the chains of positions that it has not reached yet. It
//! holds for compressors that insert every position.

use super::text::load32;

/// What a chain's positions have in common.
pub trait ChainHash {
    /// Bytes that are hashed, at most four.
    const BYTES: usize;
    /// Hashes are less than `1 << BITS`.
    const BITS: u32;
    /// Farthest position that a link leads to, bytes back; less than [`NO_LINK`].
    const WINDOW: usize;

    /// The hash of `BYTES` bytes, the first lowest. What stands above them is to be ignored.
    fn hash(bytes: u32) -> u32;
}

/// A link that leads nowhere: farther than any window.
pub const NO_LINK: u16 = u16::MAX;

/// Positions that are kept: a window behind, and what is built ahead.
const KEPT: usize = 1 << 16;
/// Positions that are built in one go at most.
const STRIDE: usize = 1 << 14;
/// Added to positions in the table of heads, so that an empty one is too far to be linked to.
const HEAD_BASE: u32 = 1 << 16;

/// The chains of a stretch of text: up to a window behind the position that was last asked for, and
/// some way ahead.
pub struct Chains<H> {
    heads: Box<[u32]>,
    links: Box<[u16; KEPT]>,
    ordinals: Box<[u16; KEPT]>,
    built: usize,
    hash: std::marker::PhantomData<H>,
}

impl<H> std::fmt::Debug for Chains<H> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Chains")
            .field("built", &self.built)
            .finish_non_exhaustive()
    }
}

impl<H: ChainHash> Default for Chains<H> {
    #[expect(
        clippy::large_stack_arrays,
        reason = "128 KiB for a moment; a boxed slice would cost a check at each access"
    )]
    fn default() -> Self {
        Self {
            heads: vec![0; 1 << H::BITS].into_boxed_slice(),
            links: Box::new([NO_LINK; KEPT]),
            ordinals: Box::new([0; KEPT]),
            built: 0,
            hash: std::marker::PhantomData,
        }
    }
}

impl<H: ChainHash> Chains<H> {
    /// Forgets everything; `position` is the first to be built.
    pub fn reset(&mut self, position: usize) {
        self.heads.fill(0);
        self.links.fill(NO_LINK);
        self.built = position;
    }

    /// Sees to it that the chains of all positions before `wanted` are built, but not those from
    /// `end` on. What is more than a window and some before `wanted` is forgotten.
    #[inline]
    pub fn build(&mut self, text: &[u8], wanted: usize, end: usize) {
        while self.built < wanted.min(end) {
            self.build_stride(text, end.min(self.built + STRIDE));
        }
    }

    /// Leaves out the positions from those that are built to `position`: they are in no chain.
    pub fn leave_out(&mut self, position: usize) {
        for left_out in self.built..position.min(self.built + KEPT) {
            self.links[left_out % KEPT] = NO_LINK;
        }
        self.built = self.built.max(position);
    }

    /// Bytes from `position` back to the one before in its chain, or [`NO_LINK`].
    #[inline]
    pub fn link(&self, position: usize) -> u16 {
        self.links[position % KEPT]
    }

    /// How many steps lead from `position` back to `earlier`, which is in the same chain and not
    /// farther than a window.
    #[inline]
    pub fn steps(&self, position: usize, earlier: usize) -> u16 {
        self.ordinals[position % KEPT].wrapping_sub(self.ordinals[earlier % KEPT])
    }

    #[inline(never)]
    fn build_stride(&mut self, text: &[u8], end: usize) {
        let whole = end.min(text.len().saturating_sub(3)).max(self.built);
        for (position, bytes) in (self.built..whole).zip(text[self.built..].windows(4)) {
            self.insert(position, [bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for position in whole..end {
            self.insert(position, load32(text, position).to_le_bytes());
        }
        self.built = end;
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a link is less than 65,536; positions may wrap in heads, as a wrong link is only a wrong guess"
    )]
    fn insert(&mut self, position: usize, bytes: [u8; 4]) {
        let hash = H::hash(u32::from_le_bytes(bytes)) as usize;
        let here = (position as u32).wrapping_add(HEAD_BASE);
        let distance = here.wrapping_sub(self.heads[hash]);
        self.heads[hash] = here;
        self.links[position % KEPT] = distance.min(u32::from(NO_LINK)) as u16;
        // Where there is no link, the count goes on from any number: only differences count.
        let before = self.ordinals[position.wrapping_sub(distance as usize) % KEPT];
        self.ordinals[position % KEPT] = before.wrapping_add(1);
    }
}
