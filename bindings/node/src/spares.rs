//! Buffers of parts that were taken, for parts to come: what threads take from the allocator one after
//! the other and free elsewhere leaves holes in its heaps.

use std::collections::VecDeque;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of the buffers that wait for a part: some of a mebibyte, which is what parts have at most for the
/// common compressors. More are only used while many parts wait to be taken.
const SPARES_SIZE: usize = 8 << 20;

/// Bytes of the smallest one that is kept: allocators have room for less.
const MIN_SPARE_SIZE: usize = 64 << 10;

/// The one that came last is last.
#[derive(Default)]
pub(crate) struct Spares(Mutex<VecDeque<Vec<u8>>>);

/// A part's bytes, whose buffer is used again.
pub(crate) struct PartBytes {
    pub(crate) bytes: Vec<u8>,
    spares: Arc<Spares>,
}

impl Spares {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An empty buffer with room for `size` bytes, and for no more than twice as many.
    fn take(&self, size: usize) -> Vec<u8> {
        let fits = |spare: &Vec<u8>| (size..=size.saturating_mul(2)).contains(&spare.capacity());
        let mut spares = self.lock();
        let spare = spares.iter().rposition(fits);
        let spare = spare.and_then(|index| spares.remove(index));
        drop(spares);
        spare.unwrap_or_else(|| Vec::with_capacity(size))
    }

    /// Keeps a buffer, in the place of those that nobody took for longest.
    fn keep(&self, mut spare: Vec<u8>) {
        if !(MIN_SPARE_SIZE..=SPARES_SIZE).contains(&spare.capacity()) {
            return;
        }
        spare.clear();
        let mut spares = self.lock();
        spares.push_back(spare);
        while size_of_all(&spares) > SPARES_SIZE {
            spares.pop_front();
        }
    }
}

fn size_of_all(spares: &VecDeque<Vec<u8>>) -> usize {
    spares.iter().map(Vec::capacity).sum()
}

impl PartBytes {
    /// An empty buffer with room for `size` bytes.
    pub(crate) fn new(spares: &Arc<Spares>, size: usize) -> Self {
        Self {
            bytes: spares.take(size),
            spares: Arc::clone(spares),
        }
    }
}

impl Deref for PartBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for PartBytes {
    fn drop(&mut self) {
        self.spares.keep(std::mem::take(&mut self.bytes));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn a_buffer_is_used_again_for_a_part_that_fills_half_of_it() {
        let spares = Arc::default();
        let mut part = PartBytes::new(&spares, MIB);
        part.bytes.extend_from_slice(b"part");
        let buffer = part.as_ptr();
        drop(part);
        assert!(PartBytes::new(&spares, MIB / 2 - 1).bytes.capacity() < MIB);
        assert!(PartBytes::new(&spares, MIB + 1).bytes.capacity() > MIB);
        let part = PartBytes::new(&spares, MIB / 2);
        assert_eq!((part.as_ptr(), part.len()), (buffer, 0));
        assert_ne!(PartBytes::new(&spares, MIB / 2).as_ptr(), buffer);
    }

    #[test]
    fn the_buffers_that_wait_have_a_bound() {
        let spares = Arc::<Spares>::default();
        let parts: Vec<_> = (0..12).map(|_| PartBytes::new(&spares, MIB)).collect();
        drop(parts);
        assert_eq!(size_of_all(&spares.lock()), SPARES_SIZE);
        for size in [0, MIN_SPARE_SIZE - 1, SPARES_SIZE + 1] {
            drop(PartBytes::new(&spares, size));
        }
        assert_eq!(spares.lock().len(), SPARES_SIZE / MIB);
    }
}
