//! The packs of a layer that is made again.

use std::sync::Arc;

use mica_core::pack::{
    BLOCK_HEADER_SIZE, Block, BlockHeader, BlockKey, BlockLimits, BlockSource, CachedBlock,
    decode_block_header, decode_block_into,
};
use mica_core::restore::RestoreError;

use crate::file::InputFile;
use crate::recipe_file::SourceError;
use crate::shared_blocks::SharedBlocks;

/// Threads share it.
pub(crate) struct Packs {
    files: Vec<InputFile>,
    shared: Arc<SharedBlocks>,
    /// The layer's number among those that share the blocks.
    layer: u64,
}

/// The blocks, for one thread.
pub(crate) struct Blocks<'a> {
    packs: &'a Packs,
    /// The block that was read last, as it is stored.
    stored: &'a mut Vec<u8>,
}

impl Packs {
    pub(crate) fn new(files: Vec<InputFile>, shared: Arc<SharedBlocks>) -> Self {
        let layer = shared.add_layer();
        Self {
            files,
            shared,
            layer,
        }
    }

    pub(crate) const fn layer(&self) -> u64 {
        self.layer
    }

    /// `stored` is room for a block as it is stored.
    pub(crate) const fn blocks<'a>(&'a self, stored: &'a mut Vec<u8>) -> Blocks<'a> {
        Blocks {
            packs: self,
            stored,
        }
    }

    const fn key(&self, pack: u32, offset: u64) -> BlockKey {
        BlockKey {
            layer: self.layer,
            pack,
            offset,
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

impl Drop for Packs {
    fn drop(&mut self) {
        self.shared.remove_layer(self.layer);
    }
}

impl Blocks<'_> {
    fn read_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, SourceError> {
        self.packs
            .read(self.stored, pack, offset, BLOCK_HEADER_SIZE)?;
        Ok(decode_block_header(self.stored, BlockLimits::default())?)
    }

    fn read_block(&mut self, pack: u32, offset: u64) -> Result<CachedBlock, SourceError> {
        let header = self.read_header(pack, offset)?;
        let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
        let packs = self.packs;
        packs.read(self.stored, pack, offset, length)?;
        let room = packs.shared.make_room(packs.layer, &header);
        let block = decode_block_into(self.stored, BlockLimits::default(), room)?;
        Ok(CachedBlock {
            header,
            block: Arc::new(block),
        })
    }
}

impl BlockSource for Blocks<'_> {
    type Error = SourceError;

    fn block_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, SourceError> {
        let kept = self.packs.shared.header(self.packs.key(pack, offset));
        kept.map_or_else(|| self.read_header(pack, offset), Ok)
    }

    fn block(&mut self, pack: u32, offset: u64) -> Result<Arc<Block>, SourceError> {
        let packs = self.packs;
        let key = packs.key(pack, offset);
        packs.shared.block(key, || self.read_block(pack, offset))
    }
}
