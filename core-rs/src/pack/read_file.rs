//! Reads parts of files out of packs, over as many blocks as they lie in.

use std::sync::Arc;

use super::block::{Block, Piece};
use super::header::BlockHeader;
use crate::fields::length_u64;
use thiserror::Error;

/// Gives the blocks of one or more packs.
pub trait BlockSource {
    /// Why a block cannot be read.
    type Error: From<ReadFileError>;

    /// The header of the block at an offset of a pack.
    ///
    /// # Errors
    /// If there is none, or it cannot be read.
    fn block_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, Self::Error>;

    /// The block at an offset of a pack.
    ///
    /// # Errors
    /// If there is none, or it cannot be read or is damaged.
    fn block(&mut self, pack: u32, offset: u64) -> Result<Arc<Block>, Self::Error>;
}

/// Where a file begins in a pack, and how long it is: as much of a
/// [`FilePlace`](super::FilePlace) as it takes to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStart {
    /// Where its first block begins in the pack.
    pub block_offset: u64,
    /// Where the file begins in the block's plain text.
    pub offset: u32,
    /// Bytes of the file.
    pub size: u64,
}

/// Why blocks do not give a file: the place is not the file's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadFileError {
    /// No piece of the file is where it should be.
    #[error(
        "block at offset {block_offset} has no file of {size} bytes at {offset}, from its byte {position} on"
    )]
    NoPiece {
        /// Where the block begins in its pack.
        block_offset: u64,
        /// Where the piece should be in the block.
        offset: u32,
        /// Bytes of the file.
        size: u64,
        /// Where the piece should begin in the file.
        position: u64,
    },
    /// The file has fewer bytes than were asked for.
    #[error("file has {size} bytes, expected at least {expected}")]
    FileEnd {
        /// Bytes of the file.
        size: u64,
        /// Bytes asked for.
        expected: u64,
    },
}

/// Where reading a file stopped, so that reading on does not begin at its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stop {
    pack: u32,
    place: FileStart,
    block_offset: u64,
    /// Bytes of the file before that block.
    position: u64,
}

/// Reads files, and remembers where it was in the last one.
#[derive(Clone, Debug, Default)]
pub struct FileReader {
    last: Option<Stop>,
}

impl FileReader {
    /// Appends `length` bytes of a file from `offset` on to `output`.
    ///
    /// # Errors
    /// If the blocks cannot be read, or the place is not that of a file of its size. Part of the bytes
    /// may have been appended by then.
    pub fn read<S: BlockSource>(
        &mut self,
        source: &mut S,
        pack: u32,
        place: FileStart,
        (offset, length): (u64, u64),
        output: &mut Vec<u8>,
    ) -> Result<(), S::Error> {
        let size = place.size;
        let end = offset.saturating_add(length);
        if end > size {
            return Err(ReadFileError::FileEnd {
                size,
                expected: end,
            }
            .into());
        }
        let mut offset = offset;
        let mut stop = self.find_block(source, pack, place, offset)?;
        while offset < end {
            let block = source.block(pack, stop.block_offset)?;
            let piece = find_piece(&block, &stop)?;
            let content = block.content(&piece);
            let from = usize::try_from(offset.saturating_sub(stop.position)).unwrap_or(usize::MAX);
            let wanted = usize::try_from(end.saturating_sub(offset)).unwrap_or(usize::MAX);
            let bytes = content.get(from..).unwrap_or_default();
            let bytes = bytes.get(..wanted).unwrap_or(bytes);
            if bytes.is_empty() {
                return Err(stop.no_piece().into());
            }
            output.extend_from_slice(bytes);
            offset = offset.saturating_add(length_u64(bytes.len()));
            self.last = Some(stop);
            if offset < end {
                stop = stop.next(source, u64::from(piece.length))?;
            }
        }
        Ok(())
    }

    /// The block that a byte of the file is in.
    fn find_block<S: BlockSource>(
        &self,
        source: &mut S,
        pack: u32,
        place: FileStart,
        offset: u64,
    ) -> Result<Stop, S::Error> {
        let is_same = |stop: &Stop| stop.pack == pack && stop.place == place;
        let mut stop = match self.last {
            Some(last) if is_same(&last) && last.position <= offset => last,
            _ => Stop {
                pack,
                place,
                block_offset: place.block_offset,
                position: 0,
            },
        };
        loop {
            let length = stop.piece_length(source)?;
            if length == 0 {
                return Err(stop.no_piece().into());
            }
            if offset < stop.position.saturating_add(length) {
                return Ok(stop);
            }
            stop = stop.next(source, length)?;
        }
    }
}

impl Stop {
    /// Bytes of the file in the block. A file that goes on in the next block fills this one.
    fn piece_length<S: BlockSource>(&self, source: &mut S) -> Result<u64, S::Error> {
        let header = source.block_header(self.pack, self.block_offset)?;
        let to_end = u64::from(header.plain_length).saturating_sub(u64::from(self.offset()));
        let left = self.place.size.saturating_sub(self.position);
        Ok(to_end.min(left))
    }

    /// Where the piece begins in the block.
    const fn offset(&self) -> u32 {
        if self.position == 0 {
            self.place.offset
        } else {
            0
        }
    }

    fn next<S: BlockSource>(self, source: &mut S, length: u64) -> Result<Self, S::Error> {
        let header = source.block_header(self.pack, self.block_offset)?;
        Ok(Self {
            block_offset: self.block_offset.saturating_add(header.block_length()),
            position: self.position.saturating_add(length),
            ..self
        })
    }

    const fn no_piece(&self) -> ReadFileError {
        ReadFileError::NoPiece {
            block_offset: self.block_offset,
            offset: self.offset(),
            size: self.place.size,
            position: self.position,
        }
    }
}

fn find_piece(block: &Block, stop: &Stop) -> Result<Piece, ReadFileError> {
    block
        .piece_at(stop.offset())
        .filter(|piece| piece.file_offset == stop.position && piece.file_size == stop.place.size)
        .copied()
        .ok_or(stop.no_piece())
}
