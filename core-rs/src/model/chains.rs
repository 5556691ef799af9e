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
    /// Farthest position that a link leads to, bytes back; half of [`NO_LINK`] or little more.
    const WINDOW: usize;

    /// The hash of `BYTES` bytes, the first lowest. What stands above them is to be ignored.
    fn hash(bytes: u32) -> u32;
}

/// A link that leads nowhere: farther than any window.
pub const NO_LINK: u16 = u16::MAX;

/// Positions that are kept: a window behind, and what is built ahead.
const KEPT: usize = 1 << 16;
/// Positions that are built in one go at most: heads are moved every second time.
const STRIDE: usize = 16_000;

/// The chains of a stretch of text: up to a window behind the position that was last asked for, and
/// some way ahead.
pub struct Chains<H> {
    /// Last position of each hash, counted from `origin`; 0 if that is too far to be linked to. In
    /// 16 bits the table leaves room in the second-level cache, where most of them are looked up.
    heads: Box<[u16]>,
    /// More than a window before all positions that are to be built.
    origin: usize,
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
            origin: 0,
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
        self.origin = position.wrapping_sub(H::WINDOW + 1);
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

    /// How many of the positions from `position` on, up to the first that is not built yet, have no link
    /// that leads `reach` bytes back or less.
    #[inline]
    pub fn count_unlinked(&self, position: usize, reach: usize) -> usize {
        let mut end = position;
        while end < self.built && usize::from(self.link(end)) > reach {
            end += 1;
        }
        end - position
    }

    /// How many steps lead from `position` back to `earlier`, which is in the same chain and not
    /// farther than a window.
    #[inline]
    pub fn steps(&self, position: usize, earlier: usize) -> u16 {
        self.ordinals[position % KEPT].wrapping_sub(self.ordinals[earlier % KEPT])
    }

    #[inline(never)]
    fn build_stride(&mut self, text: &[u8], end: usize) {
        if end.wrapping_sub(self.origin) > usize::from(u16::MAX) {
            self.move_heads();
        }
        let whole = end.min(text.len().saturating_sub(3)).max(self.built);
        for (position, bytes) in (self.built..whole).zip(text[self.built..].windows(4)) {
            self.insert(position, [bytes[0], bytes[1], bytes[2], bytes[3]]);
        }
        for position in whole..end {
            self.insert(position, load32(text, position).to_le_bytes());
        }
        self.built = end;
    }

    /// Lets heads count from as near as can be.
    fn move_heads(&mut self) {
        let origin = self.built.wrapping_sub(H::WINDOW + 1);
        let by = u16::try_from(origin.wrapping_sub(self.origin)).unwrap_or(u16::MAX);
        for head in &mut self.heads {
            *head = head.saturating_sub(by);
        }
        self.origin = origin;
    }

    #[inline]
    #[expect(
        clippy::cast_possible_truncation,
        reason = "positions are less than 65,536 from the origin, and kept by their low 16 bits"
    )]
    fn insert(&mut self, position: usize, bytes: [u8; 4]) {
        let hash = H::hash(u32::from_le_bytes(bytes)) as usize;
        let here = position.wrapping_sub(self.origin) as u16;
        let distance = here.wrapping_sub(self.heads[hash]);
        self.heads[hash] = here;
        let is_near = usize::from(distance) <= H::WINDOW;
        self.links[position % KEPT] = if is_near { distance } else { NO_LINK };
        // Where there is no link, the count goes on from any number: only differences count.
        let before = self.ordinals[usize::from((position as u16).wrapping_sub(distance))];
        self.ordinals[position % KEPT] = before.wrapping_add(1);
    }
}
