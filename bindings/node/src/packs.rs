//! The packs of a layer that is made again, and the blocks that its threads share.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use mica_core::pack::{
    BLOCK_HEADER_SIZE, Block, BlockCache, BlockHeader, BlockLimits, BlockSource, CachedBlock,
    LAYER_BLOCKS, decode_block_header, decode_block_into,
};
use mica_core::restore::RestoreError;

use crate::file::InputFile;
use crate::recipe_file::SourceError;

/// Threads share it.
pub(crate) struct Packs {
    files: Vec<InputFile>,
    kept: Mutex<KeptBlocks>,
    /// A block that was being read is there, or could not be read.
    was_read: Condvar,
}

struct KeptBlocks {
    cache: BlockCache,
    /// Packs and offsets of those that a thread is reading: who works on the next part wants them too.
    reading: Vec<(u32, u64)>,
}

/// The blocks, for one thread.
pub(crate) struct Blocks<'a> {
    packs: &'a Packs,
    /// The block that was read last, as it is stored.
    stored: &'a mut Vec<u8>,
}

/// A thread reads a block, until this is dropped.
struct Reading<'a> {
    packs: &'a Packs,
    pack: u32,
    offset: u64,
}

enum Found<'a> {
    Kept(Arc<Block>),
    /// The caller is to read it.
    Unread(Reading<'a>),
}

impl Packs {
    pub(crate) fn new(files: Vec<InputFile>) -> Self {
        Self {
            files,
            kept: Mutex::new(KeptBlocks {
                cache: BlockCache::new(LAYER_BLOCKS),
                reading: Vec::new(),
            }),
            was_read: Condvar::new(),
        }
    }

    /// `stored` is room for a block as it is stored.
    pub(crate) const fn blocks<'a>(&'a self, stored: &'a mut Vec<u8>) -> Blocks<'a> {
        Blocks {
            packs: self,
            stored,
        }
    }

    fn lock(&self) -> MutexGuard<'_, KeptBlocks> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A block, once whoever reads it has done so.
    fn find(&self, pack: u32, offset: u64) -> Found<'_> {
        let mut kept = self.lock();
        loop {
            if let Some(cached) = kept.cache.find(pack, offset) {
                return Found::Kept(cached.block);
            }
            if !kept.reading.contains(&(pack, offset)) {
                kept.reading.push((pack, offset));
                return Found::Unread(Reading {
                    packs: self,
                    pack,
                    offset,
                });
            }
            let woken = self.was_read.wait(kept);
            kept = woken.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Makes `bytes` those of a pack.
    fn read(
        &self,
        bytes: &mut Vec<u8>,
        pack: u32,
        offset: u64,
        length: usize,
    ) -> Result<(), SourceError> {
        let index = usize::try_from(pack).unwrap_or(usize::MAX);
        let file = self.files.get(index).ok_or(RestoreError::NoPack {
            pack,
            packs: self.files.len(),
        })?;
        if file.read_exactly_into(bytes, offset, length)? {
            return Ok(());
        }
        let end = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        Err(RestoreError::PackEnd { pack, end }.into())
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        let read = (self.pack, self.offset);
        self.packs.lock().reading.retain(|reading| *reading != read);
        self.packs.was_read.notify_all();
    }
}

impl BlockSource for Blocks<'_> {
    type Error = SourceError;

    fn block_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, SourceError> {
        if let Some(cached) = self.packs.lock().cache.find(pack, offset) {
            return Ok(cached.header);
        }
        self.packs
            .read(self.stored, pack, offset, BLOCK_HEADER_SIZE)?;
        Ok(decode_block_header(self.stored, BlockLimits::default())?)
    }

    fn block(&mut self, pack: u32, offset: u64) -> Result<Arc<Block>, SourceError> {
        let reading = match self.packs.find(pack, offset) {
            Found::Kept(block) => return Ok(block),
            Found::Unread(reading) => reading,
        };
        let header = self.block_header(pack, offset)?;
        let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
        self.packs.read(self.stored, pack, offset, length)?;
        let room = self.packs.lock().cache.make_room();
        let block = decode_block_into(self.stored, BlockLimits::default(), room)?;
        let block = Arc::new(block);
        self.packs.lock().cache.insert(CachedBlock {
            pack,
            offset,
            header,
            block: Arc::clone(&block),
        });
        drop(reading);
        Ok(block)
    }
}
