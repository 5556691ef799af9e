//! What can be wrong with a difference that is read, or with what is to be written into one.

use std::fmt;

use thiserror::Error;

use super::diff_id::ParseDiffIdError;
use super::event::Totals;
use crate::compression::CompressionError;
use crate::digest::FileId;
use crate::pack::{PackError, PackWriteError};

/// A part of a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// A manifest.
    Manifest,
    /// The configuration.
    Config,
    /// The start of a layer.
    Layer,
    /// References of a layer.
    References,
    /// Bytes of a layer's tar part.
    TarPart,
    /// A block of files.
    Files,
    /// The end.
    End,
}

impl fmt::Display for Part {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Manifest => "manifest",
            Self::Config => "config",
            Self::Layer => "layer",
            Self::References => "references",
            Self::TarPart => "tar part",
            Self::Files => "files",
            Self::End => "end",
        })
    }
}

/// Why parts do not make a difference together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContentError {
    /// A part comes where another has to.
    #[error("{got} comes where {expected} is expected")]
    Order {
        /// The part that comes.
        got: Part,
        /// The part that has to come first.
        expected: Part,
    },
    /// There is more of a part than the limit.
    #[error("{part}: more than {max}")]
    TooMany {
        /// Which part.
        part: Part,
        /// Most allowed.
        max: u64,
    },
    /// A layer has more references than it announced.
    #[error("layer has {got} references, expected {expected}")]
    ReferenceCount {
        /// References there are.
        got: u64,
        /// References announced.
        expected: u64,
    },
    /// A layer's tar part has more bytes than announced.
    #[error("layer's tar part has {got} bytes, expected {expected}")]
    TarPartLength {
        /// Bytes there are.
        got: u64,
        /// Bytes announced.
        expected: u64,
    },
    /// Two references to a file give it two sizes; the file without bytes has size 0, and no other has.
    #[error("reference to file {id} says {got} bytes, expected another size")]
    ReferenceSize {
        /// The file.
        id: FileId,
        /// The size that cannot be.
        got: u64,
    },
    /// A file comes that no layer refers to.
    #[error("no layer refers to file {id}")]
    UnknownFile {
        /// The file.
        id: FileId,
    },
    /// A file comes a second time.
    #[error("file {id} comes again")]
    RepeatedFile {
        /// The file.
        id: FileId,
    },
    /// A file has another size than the references to it say.
    #[error("file {id} has {got} bytes, expected {expected}")]
    FileSize {
        /// The file.
        id: FileId,
        /// Its size where it comes.
        got: u64,
        /// Its size in the references.
        expected: u64,
    },
    /// A file begins or goes on at the wrong offset.
    #[error("file {id} comes at offset {got}, expected {expected}")]
    FileOffset {
        /// The file.
        id: FileId,
        /// Where the piece begins in its file.
        got: u64,
        /// Where it has to begin.
        expected: u64,
    },
    /// Something else comes while bytes of a file are missing.
    #[error("file {id} stops at {got} bytes, expected {expected}")]
    FileCut {
        /// The file.
        id: FileId,
        /// Bytes there were.
        got: u64,
        /// Its size.
        expected: u64,
    },
}

/// Why a difference cannot be read. `offset` counts from the start of the stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DifferenceError {
    /// The stream ends too early.
    #[error("difference ends at offset {offset}, expected at least {expected}")]
    Truncated {
        /// Where the stream ends.
        offset: u64,
        /// Where it should end, as far as is known.
        expected: u64,
    },
    /// There are bytes after the end.
    #[error("difference goes on at offset {offset}, expected its end")]
    TrailingBytes {
        /// Where the end is.
        offset: u64,
    },
    /// The stream is no difference.
    #[error("difference begins with {got:02x?}, expected {expected:02x?}")]
    Magic {
        /// The bytes found.
        got: [u8; 8],
        /// The bytes of every difference.
        expected: [u8; 8],
    },
    /// The difference is of a version that this software does not know.
    #[error("difference has version {got}, expected {expected}")]
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
    /// No frame or block begins here.
    #[error("no frame begins at offset {offset}: {got:02x?}")]
    Marker {
        /// Where the marker stands.
        offset: u64,
        /// The bytes found.
        got: [u8; 4],
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
    /// A payload is stored in a way that this software does not know.
    #[error("codec at offset {offset} is {got}, expected 0 or 1")]
    Codec {
        /// Where the codec stands.
        offset: u64,
        /// The codec found.
        got: u16,
    },
    /// A payload is longer than its part may be.
    #[error("{part} at offset {offset} has {got} bytes, expected at most {max}")]
    PartLength {
        /// Where the frame begins.
        offset: u64,
        /// Which part.
        part: Part,
        /// Bytes announced.
        got: u32,
        /// Most bytes allowed.
        max: u32,
    },
    /// Raw payload of another length than the plain text, or compressed payload that is not shorter.
    #[error("frame at offset {offset} stores {got} bytes for {plain_length} of plain text")]
    StoredLength {
        /// Where the frame begins.
        offset: u64,
        /// Bytes announced.
        got: u32,
        /// Bytes of plain text.
        plain_length: u32,
    },
    /// A payload was damaged.
    #[error("checksum of payload at offset {offset} is {got:02x?}, expected {expected:02x?}")]
    PayloadChecksum {
        /// Where the payload begins.
        offset: u64,
        /// The checksum of the bytes found.
        got: [u8; 16],
        /// The checksum in the header.
        expected: [u8; 16],
    },
    /// A payload does not give its plain text.
    #[error("payload at offset {offset}: {source}")]
    Payload {
        /// Where the payload begins.
        offset: u64,
        /// What is wrong with it.
        source: CompressionError,
    },
    /// The plain text of a frame is too short or too long for what it says.
    #[error("{part} at offset {offset} cannot have {got} bytes")]
    PartFields {
        /// Where the frame begins.
        offset: u64,
        /// Which part.
        part: Part,
        /// Bytes of its plain text.
        got: u64,
    },
    /// A layer's `DiffID` is none.
    #[error("layer at offset {offset}: {source}")]
    DiffId {
        /// Where the frame begins.
        offset: u64,
        /// What is wrong with it.
        source: ParseDiffIdError,
    },
    /// A block of files cannot be read. The source's offsets count from its start.
    #[error("block at offset {offset}: {source}")]
    Block {
        /// Where the block begins.
        offset: u64,
        /// What is wrong with it.
        source: PackError,
    },
    /// The parts do not make a difference together.
    #[error("at offset {offset}: {source}")]
    Content {
        /// Where the frame or block begins.
        offset: u64,
        /// What is wrong with it.
        source: ContentError,
    },
    /// A file's content has another id than announced.
    #[error("file {expected} in the block at offset {offset} has the id {got}")]
    FileId {
        /// Where the block with the file's last byte begins.
        offset: u64,
        /// The id of the content.
        got: FileId,
        /// The id announced.
        expected: FileId,
    },
    /// The end tells other totals than there were.
    #[error("end at offset {offset} tells {got:?}, expected {expected:?}")]
    Totals {
        /// Where the end begins.
        offset: u64,
        /// The totals told.
        got: Totals,
        /// The totals there were.
        expected: Totals,
    },
    /// The headers are not those that the sender wrote, in this order.
    #[error("checksum of all headers at offset {offset} is {got:02x?}, expected {expected:02x?}")]
    StreamChecksum {
        /// Where the end begins.
        offset: u64,
        /// The checksum told.
        got: [u8; 16],
        /// The checksum of the headers there were.
        expected: [u8; 16],
    },
}

/// Why something cannot be written into a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DifferenceWriteError {
    /// The parts do not make a difference together.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// Files cannot be put into blocks.
    #[error(transparent)]
    Files(#[from] PackWriteError),
    /// A block that is to be passed on cannot be read.
    #[error(transparent)]
    Block(#[from] PackError),
    /// A part is too long.
    #[error("{part} has {got} bytes, expected at most {max}")]
    PartLength {
        /// Which part.
        part: Part,
        /// Its bytes.
        got: u64,
        /// Most bytes allowed.
        max: u32,
    },
    /// A part could not be compressed.
    #[error("{part}: {source}")]
    Compress {
        /// Which part.
        part: Part,
        /// What went wrong.
        source: CompressionError,
    },
}
