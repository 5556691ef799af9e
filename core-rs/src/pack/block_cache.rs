//! The blocks that were read last, so that neighbours in a layer do not decompress them again.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::block::Block;
use super::header::BlockHeader;

/// Bytes of the blocks to keep for one layer while it is made again, shared by all its parts: neighbouring
/// ones need the same. They are three of the default block length, which are a little longer than that,
/// with their pieces.
pub const LAYER_BLOCKS_SIZE: usize = 12 << 20;

/// Which block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BlockKey {
    /// Whose packs are meant. Two layers may count other packs by the same numbers.
    pub layer: u64,
    /// Which of the layer's packs it is from.
    pub pack: u32,
    /// Where it begins in its pack.
    pub offset: u64,
}

/// A block that was read.
#[derive(Clone, Debug)]
pub struct CachedBlock {
    /// Its header.
    pub header: BlockHeader,
    /// Its content.
    pub block: Arc<Block>,
}

/// Blocks up to a number of bytes, of all layers and of each; the one that was not asked for longest
/// gives way.
#[derive(Clone, Debug)]
pub struct BlockCache {
    blocks: BTreeMap<BlockKey, Kept>,
    max_size: usize,
    /// How often a block was asked for or kept.
    uses: u64,
}

#[derive(Clone, Debug)]
struct Kept {
    cached: CachedBlock,
    /// The number of its last use.
    used: u64,
}

impl BlockCache {
    /// A cache of at most `max_size` bytes, and at most [`LAYER_BLOCKS_SIZE`] of each layer. A block that
    /// is larger by itself is kept alone.
    #[must_use]
    pub fn new(max_size: usize) -> Self {
        Self {
            blocks: BTreeMap::new(),
            max_size,
            uses: 0,
        }
    }

    /// A block, if it is kept.
    pub fn find(&mut self, key: BlockKey) -> Option<CachedBlock> {
        let used = self.next_use();
        let kept = self.blocks.get_mut(&key)?;
        kept.used = used;
        Some(kept.cached.clone())
    }

    /// Memory for a block of a layer that is about to be read: that of a block that gives way to it, if
    /// one has to, nobody holds it, and it is no more than twice as large.
    pub fn make_room(&mut self, layer: u64, header: &BlockHeader) -> Block {
        let size = header.block_memory();
        let mut room = Block::default();
        while let Some(block) = self.drop_for(layer, size) {
            if block.memory() <= size.saturating_mul(2) {
                room = block;
            }
        }
        room
    }

    /// Keeps a block.
    pub fn insert(&mut self, key: BlockKey, cached: CachedBlock) {
        if self.find(key).is_some() {
            return;
        }
        let size = cached.block.memory();
        while self.drop_for(key.layer, size).is_some() {}
        let used = self.next_use();
        self.blocks.insert(key, Kept { cached, used });
    }

    /// Drops all blocks of a layer.
    pub fn forget(&mut self, layer: u64) {
        self.blocks.retain(|key, _| key.layer != layer);
    }

    /// Bytes of the blocks that are kept.
    #[must_use]
    pub fn size(&self) -> usize {
        self.blocks.values().map(Kept::size).sum()
    }

    fn layer_size(&self, layer: u64) -> usize {
        let of_layer = self.blocks.iter().filter(|(key, _)| key.layer == layer);
        of_layer.map(|(_, kept)| kept.size()).sum()
    }

    /// Drops one block, if there is no room for another one of `size` bytes. What somebody holds comes back
    /// without memory.
    fn drop_for(&mut self, layer: u64, size: usize) -> Option<Block> {
        let is_over = |kept: usize, max| kept.saturating_add(size) > max;
        let oldest = if is_over(self.layer_size(layer), LAYER_BLOCKS_SIZE) {
            self.oldest(|key| key.layer == layer)
        } else {
            None
        };
        let oldest = match oldest {
            None if is_over(self.size(), self.max_size) => self.oldest(|_| true),
            oldest => oldest,
        };
        let kept = self.blocks.remove(&oldest?)?;
        Some(Arc::into_inner(kept.cached.block).unwrap_or_default())
    }

    fn oldest(&self, is_meant: impl Fn(&BlockKey) -> bool) -> Option<BlockKey> {
        let meant = self.blocks.iter().filter(|(key, _)| is_meant(key));
        meant.min_by_key(|(_, kept)| kept.used).map(|(key, _)| *key)
    }

    const fn next_use(&mut self) -> u64 {
        self.uses = self.uses.saturating_add(1);
        self.uses
    }
}

impl Kept {
    fn size(&self) -> usize {
        self.cached.block.memory()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::FileId;
    use crate::pack::{BlockLimits, PackOptions, PackWriter, decode_block, decode_block_header};

    const MIB: usize = 1 << 20;

    const fn key(layer: u64, pack: u32) -> BlockKey {
        let offset = 16;
        BlockKey {
            layer,
            pack,
            offset,
        }
    }

    /// A block of one file, which takes a little more memory than its plain text.
    fn cached(length: usize) -> CachedBlock {
        let content = vec![7; length];
        let mut writer = PackWriter::new(PackOptions {
            block_length: 4 << 20,
            ..PackOptions::default()
        })
        .unwrap();
        writer
            .begin_file(FileId::of(&content), crate::fields::length_u64(length))
            .unwrap();
        writer.push(&content).unwrap();
        writer.end_file().unwrap();
        let block = writer.flush().unwrap().unwrap();
        let limits = BlockLimits::default();
        CachedBlock {
            header: decode_block_header(&block.bytes, limits).unwrap(),
            block: Arc::new(decode_block(&block.bytes, limits).unwrap()),
        }
    }

    fn kept(cache: &mut BlockCache, keys: &[BlockKey]) -> Vec<bool> {
        let kept = keys.iter().map(|key| cache.find(*key).is_some());
        kept.collect()
    }

    #[test]
    fn a_block_takes_the_memory_that_its_header_tells() {
        let CachedBlock { header, block } = cached(MIB);
        assert!(block.memory() > MIB);
        assert_eq!(header.block_memory(), block.memory());
    }

    #[test]
    fn insert_drops_what_was_not_asked_for_longest_when_there_are_too_many_bytes() {
        let small = cached(MIB);
        let mut cache = BlockCache::new(small.block.memory() * 3);
        for layer in 0..3 {
            cache.insert(key(layer, 0), small.clone());
        }
        assert!(cache.find(key(0, 0)).is_some());
        cache.insert(key(3, 0), small.clone());
        let keys = [key(1, 0), key(2, 0), key(0, 0), key(3, 0)];
        assert_eq!(kept(&mut cache, &keys), [false, true, true, true]);
        cache.insert(key(4, 0), cached(2 * MIB - 1024));
        assert_eq!(kept(&mut cache, &keys), [false, false, false, true]);
        assert!(cache.size() <= small.block.memory() * 3);
    }

    #[test]
    fn a_layer_that_has_its_share_drops_its_own() {
        let block = cached(LAYER_BLOCKS_SIZE / 4 + MIB / 2);
        let mut cache = BlockCache::new(usize::MAX);
        cache.insert(key(1, 0), block.clone());
        for pack in 0..4 {
            cache.insert(key(2, pack), block.clone());
        }
        let keys = [key(1, 0), key(2, 0), key(2, 1), key(2, 2), key(2, 3)];
        assert_eq!(kept(&mut cache, &keys), [true, false, true, true, true]);
    }

    #[test]
    fn a_block_that_is_larger_than_the_cache_is_kept_alone() {
        let mut cache = BlockCache::new(MIB);
        cache.insert(key(0, 0), cached(1));
        cache.insert(key(1, 0), cached(3 * MIB));
        assert_eq!(kept(&mut cache, &[key(0, 0), key(1, 0)]), [false, true]);
        cache.insert(key(0, 0), cached(1));
        assert_eq!(kept(&mut cache, &[key(0, 0), key(1, 0)]), [true, false]);
    }

    #[test]
    fn the_same_number_of_another_layer_is_another_pack() {
        let mut cache = BlockCache::new(MIB);
        cache.insert(key(1, 0), cached(1));
        cache.insert(key(2, 0), cached(2));
        let length = |cached: Option<CachedBlock>| cached.map(|cached| cached.block.plain().len());
        assert_eq!(length(cache.find(key(1, 0))), Some(1));
        assert_eq!(length(cache.find(key(2, 0))), Some(2));
        assert_eq!(length(cache.find(key(2, 1))), None);
        let offset = 17;
        assert!(
            cache
                .find(BlockKey {
                    offset,
                    ..key(1, 0)
                })
                .is_none()
        );
        cache.forget(1);
        assert_eq!(length(cache.find(key(1, 0))), None);
        assert_eq!(length(cache.find(key(2, 0))), Some(2));
    }

    #[test]
    fn make_room_gives_the_memory_of_a_block_that_gives_way_unless_somebody_holds_it() {
        let block = cached(MIB);
        let header = block.header;
        let mut cache = BlockCache::new(block.block.memory());
        assert_eq!(cache.make_room(0, &header), Block::default());
        cache.insert(key(0, 0), block);
        assert_eq!(cache.make_room(1, &header).plain().len(), MIB);
        assert_eq!(cache.make_room(1, &header), Block::default());
        let held = cached(MIB);
        cache.insert(key(0, 0), held.clone());
        assert_eq!(cache.make_room(1, &header), Block::default());
        assert_eq!(held.block.plain().len(), MIB);
        assert_eq!(cache.size(), 0);
    }

    #[test]
    fn make_room_gives_no_memory_that_is_much_larger() {
        let mut cache = BlockCache::new(MIB);
        cache.insert(key(0, 0), cached(MIB));
        let header = cached(MIB / 4).header;
        assert_eq!(cache.make_room(0, &header), Block::default());
        assert_eq!(cache.size(), 0);
    }
}
