//! The blocks of all layers that are made again at the same time, which threads share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use mica_core::pack::{Block, BlockCache, BlockHeader, BlockKey, CachedBlock};

/// Bytes of the blocks of all layers together: more than one block for each of 12 layers that are read
/// side by side.
const BLOCKS_SIZE: usize = 48 << 20;

pub(crate) struct SharedBlocks {
    kept: Mutex<KeptBlocks>,
    /// A block that was being read is there, or could not be read.
    was_read: Condvar,
    layers: AtomicU64,
}

struct KeptBlocks {
    cache: BlockCache,
    /// Those that a thread is reading: who works on the next part wants them too.
    reading: Vec<BlockKey>,
}

/// A thread reads a block, until this is dropped.
struct Reading<'a> {
    blocks: &'a SharedBlocks,
    key: BlockKey,
}

enum Found<'a> {
    Kept(Arc<Block>),
    /// The caller is to read it.
    Unread(Reading<'a>),
}

impl SharedBlocks {
    fn new(max_size: usize) -> Self {
        Self {
            kept: Mutex::new(KeptBlocks {
                cache: BlockCache::new(max_size),
                reading: Vec::new(),
            }),
            was_read: Condvar::new(),
            layers: AtomicU64::new(0),
        }
    }

    /// The number that stands for a layer in its blocks' keys. No two layers have the same.
    pub(crate) fn add_layer(&self) -> u64 {
        self.layers.fetch_add(1, Ordering::Relaxed)
    }

    /// Lets go of a layer's blocks.
    pub(crate) fn remove_layer(&self, layer: u64) {
        self.lock().cache.forget(layer);
    }

    /// The header of a block, if that is kept.
    pub(crate) fn header(&self, key: BlockKey) -> Option<BlockHeader> {
        self.lock().cache.find(key).map(|cached| cached.header)
    }

    /// Memory for a block of a layer that is about to be read.
    pub(crate) fn make_room(&self, layer: u64, header: &BlockHeader) -> Block {
        self.lock().cache.make_room(layer, header)
    }

    /// A block, once whoever reads it has done so; `read` is called if nobody has.
    ///
    /// # Errors
    /// Those of `read`; then the next who wants the block reads it.
    pub(crate) fn block<E>(
        &self,
        key: BlockKey,
        read: impl FnOnce() -> Result<CachedBlock, E>,
    ) -> Result<Arc<Block>, E> {
        let reading = match self.find(key) {
            Found::Kept(block) => return Ok(block),
            Found::Unread(reading) => reading,
        };
        let cached = read()?;
        let block = Arc::clone(&cached.block);
        self.lock().cache.insert(key, cached);
        drop(reading);
        Ok(block)
    }

    fn find(&self, key: BlockKey) -> Found<'_> {
        let mut kept = self.lock();
        loop {
            if let Some(cached) = kept.cache.find(key) {
                return Found::Kept(cached.block);
            }
            if !kept.reading.contains(&key) {
                kept.reading.push(key);
                return Found::Unread(Reading { blocks: self, key });
            }
            let woken = self.was_read.wait(kept);
            kept = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, KeptBlocks> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SharedBlocks {
    fn default() -> Self {
        Self::new(BLOCKS_SIZE)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let mut kept = self.blocks.lock();
        kept.reading.retain(|reading| *reading != self.key);
        drop(kept);
        self.blocks.was_read.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::thread;

    use mica_core::digest::FileId;
    use mica_core::pack::{
        BlockLimits, PackOptions, PackWriter, decode_block, decode_block_header,
    };

    use super::*;

    const fn key(layer: u64) -> BlockKey {
        BlockKey {
            layer,
            pack: 0,
            offset: 16,
        }
    }

    fn read(content: &[u8]) -> CachedBlock {
        let mut writer = PackWriter::new(PackOptions::default()).unwrap();
        let size = u64::try_from(content.len()).unwrap();
        writer.begin_file(FileId::of(content), size).unwrap();
        writer.push(content).unwrap();
        writer.end_file().unwrap();
        let block = writer.flush().unwrap().unwrap();
        let limits = BlockLimits::default();
        CachedBlock {
            header: decode_block_header(&block.bytes, limits).unwrap(),
            block: Arc::new(decode_block(&block.bytes, limits).unwrap()),
        }
    }

    #[test]
    fn a_block_that_many_want_at_the_same_time_is_read_once() {
        const THREADS: usize = 8;
        let blocks = SharedBlocks::default();
        let (reads, all) = (AtomicUsize::new(0), Barrier::new(THREADS));
        thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    all.wait();
                    let block = blocks.block(key(0), || {
                        reads.fetch_add(1, Ordering::Relaxed);
                        // The others have time to come.
                        (0..1000).for_each(|_| thread::yield_now());
                        Ok::<_, Infallible>(read(b"a"))
                    });
                    assert_eq!(block.unwrap().plain(), b"a");
                });
            }
        });
        assert_eq!(reads.into_inner(), 1);
    }

    #[test]
    fn a_block_that_could_not_be_read_is_read_by_the_next() {
        let blocks = SharedBlocks::default();
        assert_eq!(blocks.block(key(0), || Err("damaged")), Err("damaged"));
        let block = blocks.block(key(0), || Ok::<_, Infallible>(read(b"a")));
        assert_eq!(block.unwrap().plain(), b"a");
    }

    #[test]
    fn layers_have_blocks_of_their_own_until_they_are_removed() {
        let blocks = SharedBlocks::default();
        let (first, second) = (blocks.add_layer(), blocks.add_layer());
        let get = |layer, content: &[u8]| {
            let block = blocks.block(key(layer), || Ok::<_, Infallible>(read(content)));
            block.unwrap().plain().to_vec()
        };
        assert_eq!(get(first, b"a"), b"a");
        assert_eq!(get(second, b"bc"), b"bc");
        assert_eq!(get(first, b"read again"), b"a");
        blocks.remove_layer(first);
        assert!(blocks.header(key(first)).is_none());
        assert!(blocks.header(key(second)).is_some());
        assert_eq!(get(first, b"read again"), b"read again");
    }

    #[test]
    fn all_layers_together_have_a_bound() {
        let blocks = SharedBlocks::new(1000);
        let kept = || {
            let found = (0..12).filter(|layer| blocks.header(key(*layer)).is_some());
            found.count()
        };
        for layer in 0..12 {
            let block = blocks.block(key(layer), || Ok::<_, Infallible>(read(&[7; 300])));
            block.unwrap();
        }
        assert_eq!(kept(), 2);
        assert!(blocks.lock().cache.size() <= 1000);
    }
}
