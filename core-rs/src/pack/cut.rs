//! Files, one after another, as blocks of about the same length.

use super::block::{Block, Piece};
use super::error::PackWriteError;
use crate::digest::FileId;
use crate::fields::{length_u32, length_u64, length_usize};
use crate::limits::{MAX_BLOCK_PIECES, MAX_BLOCK_PLAIN_LENGTH};

/// Cuts files into blocks.
///
/// A block is full when it has at least the block length. A file of at most that length is never cut,
/// so that reading it takes one block; a larger one fills up the block it begins in, and goes on in
/// blocks of exactly that length. So a block has less than twice the block length, and only the last
/// one has less than once.
#[derive(Debug)]
pub struct BlockCutter {
    block_length: usize,
    pieces: Vec<Piece>,
    plain: Vec<u8>,
    file: Option<OpenFile>,
}

#[derive(Debug)]
struct OpenFile {
    id: FileId,
    size: u64,
    /// Bytes it has been given.
    written: u64,
    /// Whether the block's last piece is its.
    has_piece: bool,
}

impl BlockCutter {
    /// A cutter that has seen no file.
    ///
    /// # Errors
    /// [`PackWriteError::BlockLength`] unless two such blocks are at most the limit of one.
    pub fn new(block_length: u32) -> Result<Self, PackWriteError> {
        let max = MAX_BLOCK_PLAIN_LENGTH >> 1;
        if !(1..=max).contains(&block_length) {
            let got = block_length;
            return Err(PackWriteError::BlockLength { got, max });
        }
        Ok(Self {
            block_length: length_usize(block_length),
            pieces: Vec::new(),
            plain: Vec::new(),
            file: None,
        })
    }

    /// A file of `size` bytes begins. One without bytes leaves no trace in any block.
    ///
    /// # Errors
    /// [`PackWriteError::FileOpen`].
    pub fn begin_file(&mut self, id: FileId, size: u64) -> Result<(), PackWriteError> {
        self.check_no_file()?;
        self.file = Some(OpenFile {
            id,
            size,
            written: 0,
            has_piece: false,
        });
        Ok(())
    }

    /// Takes the next bytes of the file that began; gives the blocks that are full by them. The bytes
    /// are not held against the file's id.
    ///
    /// # Errors
    /// [`PackWriteError::NoFile`], [`PackWriteError::TooLong`]. Nothing was taken then.
    pub fn push(&mut self, mut content: &[u8]) -> Result<Vec<Block>, PackWriteError> {
        let file = self.file.as_ref().ok_or(PackWriteError::NoFile)?;
        let got = file.written.saturating_add(length_u64(content.len()));
        if got > file.size {
            return Err(PackWriteError::TooLong {
                id: file.id,
                got,
                expected: file.size,
            });
        }
        let mut full = Vec::new();
        while !content.is_empty() {
            let (piece, rest) = content
                .split_at_checked(self.room())
                .unwrap_or((content, &[]));
            self.take(piece);
            if self.is_full() {
                full.extend(self.close());
            }
            content = rest;
        }
        Ok(full)
    }

    /// The file that began has all its bytes.
    ///
    /// # Errors
    /// [`PackWriteError::NoFile`], [`PackWriteError::FileOpen`] if bytes are missing.
    pub fn end_file(&mut self) -> Result<(), PackWriteError> {
        match &self.file {
            None => return Err(PackWriteError::NoFile),
            Some(file) if file.written < file.size => self.check_no_file()?,
            Some(_) => self.file = None,
        }
        Ok(())
    }

    /// The block that is not full yet, if it has anything. Files may follow.
    ///
    /// # Errors
    /// [`PackWriteError::FileOpen`].
    pub fn flush(&mut self) -> Result<Option<Block>, PackWriteError> {
        self.check_no_file()?;
        Ok(self.close())
    }

    fn check_no_file(&self) -> Result<(), PackWriteError> {
        self.file.as_ref().map_or(Ok(()), |file| {
            Err(PackWriteError::FileOpen {
                id: file.id,
                got: file.written,
                expected: file.size,
            })
        })
    }

    /// Whether the open file may be cut.
    fn is_file_large(&self) -> bool {
        self.file
            .as_ref()
            .is_some_and(|file| file.size > length_u64(self.block_length))
    }

    /// Bytes that the open file may add to this block.
    fn room(&self) -> usize {
        if self.is_file_large() {
            self.block_length.saturating_sub(self.plain.len())
        } else {
            usize::MAX
        }
    }

    fn is_full(&self) -> bool {
        let is_cut_allowed = self.is_file_large()
            || self
                .file
                .as_ref()
                .is_none_or(|file| file.written == file.size);
        is_cut_allowed
            && (self.plain.len() >= self.block_length
                || self.pieces.len() >= length_usize(MAX_BLOCK_PIECES))
    }

    fn take(&mut self, content: &[u8]) {
        let Some(file) = &mut self.file else { return };
        if !file.has_piece {
            self.pieces.push(Piece {
                id: file.id,
                file_size: file.size,
                file_offset: file.written,
                offset: length_u32(self.plain.len()),
                length: 0,
            });
            file.has_piece = true;
        }
        if let Some(piece) = self.pieces.last_mut() {
            piece.length = piece.length.saturating_add(length_u32(content.len()));
        }
        file.written = file.written.saturating_add(length_u64(content.len()));
        self.plain.extend_from_slice(content);
    }

    fn close(&mut self) -> Option<Block> {
        if self.pieces.is_empty() {
            return None;
        }
        if let Some(file) = &mut self.file {
            file.has_piece = false;
        }
        Some(Block {
            pieces: std::mem::take(&mut self.pieces),
            plain: std::mem::take(&mut self.plain),
        })
    }
}
