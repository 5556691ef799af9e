//! Blocks of packs, whose bytes JavaScript has to fetch first.

use std::cell::RefCell;
use std::sync::Arc;

use js_sys::Error;
use mica_core::error::CoreError;
use mica_core::pack::{
    BLOCK_HEADER_SIZE, Block, BlockCache, BlockHeader, BlockKey, BlockLimits, BlockSource,
    CachedBlock, LayerPackError, PackError, ReadFileError, decode_block_header, decode_block_into,
};
use mica_core::recipe::RecipeError;
use mica_core::restore::RestoreError;

use crate::error::to_js_error;

/// Bytes of a pack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PackRange {
    pub(crate) pack: u32,
    pub(crate) offset: u64,
    pub(crate) length: usize,
}

/// Why something cannot be made of files.
#[derive(Debug)]
pub(crate) enum SourceError {
    /// These bytes are needed first.
    Missing(PackRange),
    /// It cannot be made.
    Failed(Box<dyn CoreError>),
}

impl SourceError {
    pub(crate) fn to_js(&self) -> Error {
        match self {
            Self::Failed(error) => to_js_error(error.as_ref()),
            // Only packs are read bit by bit, and whoever reads them gets the bytes.
            Self::Missing(range) => {
                Error::new(&format!("bytes of pack {} are missing", range.pack))
            }
        }
    }
}

macro_rules! from_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for SourceError {
            fn from(error: $error) -> Self {
                Self::Failed(Box::new(error))
            }
        })*
    };
}

from_errors!(
    LayerPackError,
    PackError,
    ReadFileError,
    RecipeError,
    RestoreError
);

/// Bytes that JavaScript has fetched.
#[derive(Debug)]
pub(crate) struct Fetched {
    pub(crate) pack: u32,
    pub(crate) offset: u64,
    pub(crate) bytes: Vec<u8>,
}

/// The blocks that are kept, and those that the bytes fetched last are of.
pub(crate) struct Packs<'a> {
    /// Packs there are.
    pub(crate) count: usize,
    pub(crate) blocks: &'a RefCell<BlockCache>,
    pub(crate) fetched: Option<&'a Fetched>,
}

impl Packs<'_> {
    /// The first bytes of a block.
    fn bytes(&self, pack: u32, offset: u64, length: usize) -> Result<&[u8], SourceError> {
        let fetched = self
            .fetched
            .filter(|fetched| fetched.pack == pack && fetched.offset == offset);
        if let Some(bytes) = fetched.and_then(|fetched| fetched.bytes.get(..length)) {
            return Ok(bytes);
        }
        if usize::try_from(pack).is_ok_and(|pack| pack >= self.count) {
            let packs = self.count;
            return Err(RestoreError::NoPack { pack, packs }.into());
        }
        Err(SourceError::Missing(PackRange {
            pack,
            offset,
            length,
        }))
    }
}

impl BlockSource for Packs<'_> {
    type Error = SourceError;

    fn block_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, SourceError> {
        if let Some(cached) = self.blocks.borrow_mut().find(key_of(pack, offset)) {
            return Ok(cached.header);
        }
        let bytes = self.bytes(pack, offset, BLOCK_HEADER_SIZE)?;
        Ok(decode_block_header(bytes, BlockLimits::default())?)
    }

    fn block(&mut self, pack: u32, offset: u64) -> Result<Arc<Block>, SourceError> {
        if let Some(cached) = self.blocks.borrow_mut().find(key_of(pack, offset)) {
            return Ok(cached.block);
        }
        let header = self.block_header(pack, offset)?;
        let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
        let bytes = self.bytes(pack, offset, length)?;
        let key = key_of(pack, offset);
        let room = self.blocks.borrow_mut().make_room(key.layer, &header);
        let block = Arc::new(decode_block_into(bytes, BlockLimits::default(), room)?);
        let cached = CachedBlock {
            header,
            block: Arc::clone(&block),
        };
        self.blocks.borrow_mut().insert(key, cached);
        Ok(block)
    }
}

/// Each layer has a cache of its own.
const fn key_of(pack: u32, offset: u64) -> BlockKey {
    BlockKey {
        layer: 0,
        pack,
        offset,
    }
}
