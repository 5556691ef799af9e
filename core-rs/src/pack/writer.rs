//! Files, one after another, as the bytes of a pack and the place of each file.

use super::block::Block;
use super::cut::BlockCutter;
use super::encode::encode_block;
use super::error::PackWriteError;
use super::header::{PACK_HEADER_SIZE, encode_pack_header};
use crate::digest::FileId;
use crate::fields::{length_u32, length_u64};

/// How a pack is written. Packs are read without knowing it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackOptions {
    /// Bytes of plain text with which a block is full. 3 MiB by default; `doc/pack-format.md` has
    /// the figures.
    pub block_length: u32,
    /// Compression level, one of [`LEVELS`](crate::compression::LEVELS). 6 by default.
    pub level: i32,
}

impl Default for PackOptions {
    fn default() -> Self {
        Self {
            block_length: 3_145_728,
            level: 6,
        }
    }
}

/// Where the first byte of a file is in a pack. The pieces of a file that does not end in this block
/// are in the blocks that follow it without a gap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilePlace {
    /// Where the block begins in the pack.
    pub block_offset: u64,
    /// Bytes of the block, so that one read is enough.
    pub block_length: u32,
    /// Where the file begins in the block's plain text.
    pub offset: u32,
    /// Bytes of the file.
    pub size: u64,
}

/// A file that is wholly in the blocks given so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackedFile {
    /// The file.
    pub id: FileId,
    /// Where it begins.
    pub place: FilePlace,
}

/// A block to be appended to the pack, and what the index has to learn once it is on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedBlock {
    /// Where it begins in the pack: where the one before ended.
    pub offset: u64,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// Files whose last byte is in it.
    pub files: Vec<PackedFile>,
}

/// Writes files into a pack, in the order in which they will be read.
///
/// ```
/// use mica_core::digest::FileId;
/// use mica_core::pack::{BlockLimits, PackOptions, PackWriter, decode_block};
///
/// let content = b"a small file";
/// let id = FileId::of(content);
/// let mut writer = PackWriter::new(PackOptions::default())?;
/// let mut pack = PackWriter::header();
/// writer.begin_file(id, 12)?;
/// let full = writer.push(content)?;
/// assert!(full.is_empty());
/// writer.end_file()?;
/// let last = writer.flush()?.ok_or("no block")?;
/// pack.extend(&last.bytes);
///
/// let place = last.files[0].place;
/// assert_eq!(place.block_offset, 16);
/// let block = decode_block(&pack[16..], BlockLimits::default())?;
/// let piece = block.piece_at(place.offset).ok_or("no piece")?;
/// assert_eq!(block.content(piece), content);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct PackWriter {
    cutter: BlockCutter,
    level: i32,
    /// Where the next block begins.
    offset: u64,
    /// Where a file began that the last block cut.
    cut_file: Option<FilePlace>,
}

impl PackWriter {
    /// A writer of a pack that has nothing but its [`header`](Self::header).
    ///
    /// # Errors
    /// [`PackWriteError::BlockLength`].
    pub fn new(options: PackOptions) -> Result<Self, PackWriteError> {
        Self::append(options, length_u64(PACK_HEADER_SIZE))
    }

    /// A writer of blocks for a pack that has `offset` bytes already.
    ///
    /// # Errors
    /// [`PackWriteError::BlockLength`].
    pub fn append(options: PackOptions, offset: u64) -> Result<Self, PackWriteError> {
        Ok(Self {
            cutter: BlockCutter::new(options.block_length)?,
            level: options.level,
            offset,
            cut_file: None,
        })
    }

    /// The bytes that begin every pack.
    pub fn header() -> Vec<u8> {
        encode_pack_header()
    }

    /// A file of `size` bytes begins. One without bytes is not stored.
    ///
    /// # Errors
    /// [`PackWriteError::FileOpen`].
    pub fn begin_file(&mut self, id: FileId, size: u64) -> Result<(), PackWriteError> {
        self.cutter.begin_file(id, size)
    }

    /// Takes the next bytes of the file that began; gives the blocks that are full by them. The bytes
    /// are not held against the file's id: whoever knows the id has just hashed them.
    ///
    /// # Errors
    /// [`PackWriteError::NoFile`], [`PackWriteError::TooLong`], [`PackWriteError::Compress`]. After
    /// the last the writer is of no use.
    pub fn push(&mut self, content: &[u8]) -> Result<Vec<PackedBlock>, PackWriteError> {
        let blocks = self.cutter.push(content)?;
        blocks.iter().map(|block| self.encode(block)).collect()
    }

    /// The file that began has all its bytes.
    ///
    /// # Errors
    /// [`PackWriteError::NoFile`], [`PackWriteError::FileOpen`] if bytes are missing.
    pub fn end_file(&mut self) -> Result<(), PackWriteError> {
        self.cutter.end_file()
    }

    /// The block that is not full yet, if it has anything. Files may follow.
    ///
    /// # Errors
    /// [`PackWriteError::FileOpen`], [`PackWriteError::Compress`].
    pub fn flush(&mut self) -> Result<Option<PackedBlock>, PackWriteError> {
        let last = self.cutter.flush()?;
        last.map(|block| self.encode(&block)).transpose()
    }

    fn encode(&mut self, block: &Block) -> Result<PackedBlock, PackWriteError> {
        let bytes = encode_block(block, self.level)?;
        let offset = self.offset;
        let mut files = Vec::new();
        for piece in block.pieces() {
            let here = FilePlace {
                block_offset: offset,
                block_length: length_u32(bytes.len()),
                offset: piece.offset,
                size: piece.file_size,
            };
            let place = self.cut_file.take().unwrap_or(here);
            if piece.is_last() {
                files.push(PackedFile {
                    id: piece.id,
                    place,
                });
            } else {
                self.cut_file = Some(place);
            }
        }
        self.offset = offset.saturating_add(length_u64(bytes.len()));
        Ok(PackedBlock {
            offset,
            bytes,
            files,
        })
    }
}
