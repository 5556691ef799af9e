//! The blocks that were read last, so that neighbours in a layer do not decompress them again.

use std::collections::VecDeque;
use std::sync::Arc;

use super::block::Block;
use super::header::BlockHeader;

/// Blocks to keep while a layer is made again, shared by all its parts: neighbouring ones need the same. With
/// the default block length they are 9 MiB.
pub const LAYER_BLOCKS: usize = 3;

/// A block that was read.
#[derive(Clone, Debug)]
pub struct CachedBlock {
    /// Which pack it is from.
    pub pack: u32,
    /// Where it begins in its pack.
    pub offset: u64,
    /// Its header.
    pub header: BlockHeader,
    /// Its content.
    pub block: Arc<Block>,
}

/// A bounded number of blocks; the one that was not asked for longest gives way.
#[derive(Clone, Debug)]
pub struct BlockCache {
    /// The one asked for last is first.
    blocks: VecDeque<CachedBlock>,
    max_blocks: usize,
}

impl BlockCache {
    /// A cache of at most `max_blocks`, at least one.
    #[must_use]
    pub fn new(max_blocks: usize) -> Self {
        Self {
            blocks: VecDeque::new(),
            max_blocks: max_blocks.max(1),
        }
    }

    /// The block at an offset of a pack, if it is kept.
    pub fn find(&mut self, pack: u32, offset: u64) -> Option<CachedBlock> {
        let is_wanted = |cached: &CachedBlock| cached.pack == pack && cached.offset == offset;
        let index = self.blocks.iter().position(is_wanted)?;
        let found = self.blocks.remove(index)?;
        self.blocks.push_front(found.clone());
        Some(found)
    }

    /// Memory for a block that is about to be read: that of the one that gives way to it, unless there
    /// is room for both, or somebody holds that one.
    pub fn make_room(&mut self) -> Block {
        if self.blocks.len() < self.max_blocks {
            return Block::default();
        }
        let last = self.blocks.pop_back();
        last.and_then(|last| Arc::into_inner(last.block))
            .unwrap_or_default()
    }

    /// Keeps a block.
    pub fn insert(&mut self, block: CachedBlock) {
        if self.find(block.pack, block.offset).is_some() {
            return;
        }
        self.blocks.truncate(self.max_blocks.saturating_sub(1));
        self.blocks.push_front(block);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::FileId;
    use crate::pack::{BlockLimits, PackOptions, PackWriter, decode_block, decode_block_header};

    fn cached(pack: u32, offset: u64) -> CachedBlock {
        let mut writer = PackWriter::new(PackOptions::default()).unwrap();
        writer.begin_file(FileId::of(b"a"), 1).unwrap();
        writer.push(b"a").unwrap();
        writer.end_file().unwrap();
        let block = writer.flush().unwrap().unwrap();
        assert_eq!(block.offset, 16);
        let limits = BlockLimits::default();
        CachedBlock {
            pack,
            offset,
            header: decode_block_header(&block.bytes, limits).unwrap(),
            block: Arc::new(decode_block(&block.bytes, limits).unwrap()),
        }
    }

    #[test]
    fn insert_drops_what_was_not_asked_for_longest() {
        let mut cache = BlockCache::new(2);
        cache.insert(cached(0, 16));
        cache.insert(cached(1, 16));
        cache.insert(cached(0, 16));
        cache.insert(cached(2, 16));
        assert!(cache.find(0, 16).is_some());
        assert!(cache.find(1, 16).is_none());
        assert!(cache.find(2, 16).is_some());
        assert!(cache.find(2, 17).is_none());
        assert_eq!(cache.blocks.len(), 2);
    }

    #[test]
    fn make_room_gives_the_memory_of_the_block_that_gives_way_unless_somebody_holds_it() {
        let mut cache = BlockCache::new(2);
        cache.insert(cached(0, 16));
        assert_eq!(cache.make_room(), Block::default());
        let held = cached(1, 16);
        cache.insert(held.clone());
        let room = cache.make_room();
        assert_eq!(room.plain(), b"a");
        assert_eq!(cache.make_room(), Block::default());
        cache.insert(cached(2, 16));
        assert_eq!(cache.make_room(), Block::default());
        assert_eq!(held.block.plain(), b"a");
        assert!(cache.find(2, 16).is_some());
    }
}
