//! What can be wrong with a pack that is read, or with files that are to be written into one.

use thiserror::Error;

use crate::compression::CompressionError;
use crate::digest::FileId;
use crate::ingest::IngestError;

/// Why a pack header or a block cannot be read. `offset` counts from the start of the bytes given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PackError {
    /// The bytes end too early.
    #[error("bytes end at offset {offset}, expected {expected}")]
    Truncated {
        /// Where the bytes end.
        offset: u64,
        /// Where they should end, as far as is known.
        expected: u64,
    },
    /// There are more bytes than the block has.
    #[error("block ends at offset {offset}, but {got} bytes are given")]
    TrailingBytes {
        /// Where the block ends.
        offset: u64,
        /// Bytes given.
        got: u64,
    },
    /// No pack header begins here.
    #[error("pack begins with {got:02x?}, expected {expected:02x?}")]
    PackMagic {
        /// The bytes found.
        got: [u8; 8],
        /// The bytes of every pack.
        expected: [u8; 8],
    },
    /// No block begins here.
    #[error("block begins with {got:02x?}, expected {expected:02x?}")]
    BlockMagic {
        /// The bytes found.
        got: [u8; 4],
        /// The bytes of every block.
        expected: [u8; 4],
    },
    /// A header was damaged.
    #[error("header's checksum at offset {offset} is {got:#010x}, expected {expected:#010x}")]
    HeaderChecksum {
        /// Where the checksum stands.
        offset: u64,
        /// The checksum found.
        got: u32,
        /// The checksum of the header's bytes.
        expected: u32,
    },
    /// The pack is of a version that this software does not know.
    #[error("pack has version {got}, expected {expected}")]
    Version {
        /// The version found.
        got: u16,
        /// The version known.
        expected: u16,
    },
    /// A bit is set whose meaning this software does not know.
    #[error("flags at offset {offset} are {got:#06x}, expected 0")]
    Flags {
        /// Where the flags stand.
        offset: u64,
        /// The flags found.
        got: u16,
    },
    /// The payload is stored in a way that this software does not know.
    #[error("codec at offset {offset} is {got}, expected 0 or 1")]
    Codec {
        /// Where the codec stands.
        offset: u64,
        /// The codec found.
        got: u16,
    },
    /// The block has no pieces, or more than the limit.
    #[error("block has {got} pieces, expected 1 to {max}")]
    PieceCount {
        /// Pieces announced.
        got: u32,
        /// Most pieces allowed.
        max: u32,
    },
    /// The block has no plain text, or more than the limit.
    #[error("block has {got} bytes of plain text, expected 1 to {max}")]
    PlainLength {
        /// Bytes announced.
        got: u32,
        /// Most bytes allowed.
        max: u32,
    },
    /// Raw payload of another length than the plain text, or compressed payload that is not shorter.
    #[error("block stores {got} bytes of payload for {plain_length} of plain text")]
    StoredLength {
        /// Bytes announced.
        got: u32,
        /// Bytes of plain text.
        plain_length: u32,
    },
    /// The table or the payload was damaged.
    #[error("checksum of table and payload is {got:02x?}, expected {expected:02x?}")]
    BodyChecksum {
        /// The checksum of the bytes found.
        got: [u8; 16],
        /// The checksum in the header.
        expected: [u8; 16],
    },
    /// A piece without bytes.
    #[error("piece at offset {offset} has no bytes")]
    EmptyPiece {
        /// Where the piece stands in the table.
        offset: u64,
    },
    /// A file's size does not fit into 64 bits.
    #[error("file of the piece at offset {offset} is larger than any file")]
    FileSize {
        /// Where the piece stands in the table.
        offset: u64,
    },
    /// The pieces do not fill the plain text.
    #[error("pieces have {got} bytes, expected {expected}")]
    PieceLengths {
        /// Bytes of all pieces.
        got: u64,
        /// Bytes of plain text.
        expected: u64,
    },
    /// The payload does not give the plain text.
    #[error("payload at offset {offset}: {source}")]
    Payload {
        /// Where the payload begins.
        offset: u64,
        /// What is wrong with it.
        source: CompressionError,
    },
}

/// Why files cannot be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum PackWriteError {
    /// Blocks cannot have this length.
    #[error("block length is {got}, expected 1 to {max}")]
    BlockLength {
        /// The length asked for.
        got: u32,
        /// The greatest length.
        max: u32,
    },
    /// A file begins, or all should end, while one is open.
    #[error("file {id} is not ended: it has {got} of {expected} bytes")]
    FileOpen {
        /// The open file.
        id: FileId,
        /// Bytes it has.
        got: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// Bytes or an end without a file.
    #[error("no file has begun")]
    NoFile,
    /// A file has more bytes than it began with.
    #[error("file {id} is given {got} bytes, expected {expected}")]
    TooLong {
        /// The file.
        id: FileId,
        /// Bytes given.
        got: u64,
        /// Bytes it should have.
        expected: u64,
    },
    /// A block could not be compressed.
    #[error("block of {length} bytes: {source}")]
    Compress {
        /// Bytes of plain text.
        length: u32,
        /// What went wrong.
        source: CompressionError,
    },
}

/// Why the files of a layer cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LayerPackError {
    /// The layer cannot be read.
    #[error(transparent)]
    Layer(#[from] IngestError),
    /// What is to be appended to is no pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A block cannot be made.
    #[error(transparent)]
    Write(#[from] PackWriteError),
    /// A file is asked for that the recipe, or the question, does not have, or not in its order.
    #[error("file {got} is asked for, expected ascending numbers below {expected}")]
    FileNumber {
        /// The number.
        got: u32,
        /// Files of the recipe, or of the question.
        expected: usize,
    },
    /// A file of the layer is not the one that the recipe names: they do not belong together.
    #[error("file {number}, at offset {offset} of the tar, is {got}, expected {expected}")]
    OtherFile {
        /// The file's number in the recipe.
        number: u32,
        /// Where it begins in the tar.
        offset: u64,
        /// What it is.
        got: FileId,
        /// What the recipe says.
        expected: FileId,
    },
    /// The layer ends before the last file wanted.
    #[error("tar ends before file {number}, at offset {offset}, does")]
    FileMissing {
        /// The file's number in the recipe.
        number: u32,
        /// Where it should begin in the tar.
        offset: u64,
    },
}
