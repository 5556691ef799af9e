//! A block in memory: pieces of files, and their bytes put together.

use crate::digest::FileId;
use crate::fields::length_usize;

/// A run of one file's bytes in a block: the whole file if it is small.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The file.
    pub id: FileId,
    /// Bytes of the whole file.
    pub file_size: u64,
    /// Where the piece begins in its file.
    pub file_offset: u64,
    /// Where the piece begins in the block's plain text.
    pub offset: u32,
    /// Bytes of the piece, at least 1.
    pub length: u32,
}

impl Piece {
    /// Whether the file's last byte is in this piece.
    pub fn is_last(&self) -> bool {
        self.file_offset.checked_add(u64::from(self.length)) == Some(self.file_size)
    }
}

/// Pieces of files and their bytes.
///
/// The pieces lie one after another and fill the plain text. Only the first may begin inside its file,
/// and only the last may end inside its file.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Block {
    pub(super) pieces: Vec<Piece>,
    pub(super) plain: Vec<u8>,
}

impl Block {
    /// The pieces, in the order of their bytes.
    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// The bytes of all pieces.
    pub fn plain(&self) -> &[u8] {
        &self.plain
    }

    /// Bytes of memory that it takes.
    pub(super) const fn memory(&self) -> usize {
        memory_of(self.pieces.capacity(), self.plain.capacity())
    }

    /// The bytes of one of this block's pieces; none for a piece of another block that reaches out of
    /// this one.
    pub fn content(&self, piece: &Piece) -> &[u8] {
        let start = length_usize(piece.offset);
        let end = start.saturating_add(length_usize(piece.length));
        self.plain.get(start..end).unwrap_or_default()
    }

    /// The piece that begins at an offset of the plain text.
    pub fn piece_at(&self, offset: u32) -> Option<&Piece> {
        let index = self
            .pieces
            .binary_search_by_key(&offset, |piece| piece.offset)
            .ok()?;
        self.pieces.get(index)
    }
}

/// Bytes of memory that so many pieces take, with their plain text.
pub(super) const fn memory_of(pieces: usize, plain_length: usize) -> usize {
    pieces
        .saturating_mul(size_of::<Piece>())
        .saturating_add(plain_length)
}
