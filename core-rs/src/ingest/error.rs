//! Why a layer cannot be taken apart.

use crate::deflate::InflateError;
use crate::gzip::GzipError;
use crate::tar::TarError;
use crate::zstd_frame::FrameError;

/// What is wrong with a layer. Offsets and bits count from the start of the layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IngestError {
    /// A member's header or trailer is malformed or cut off.
    #[error("gzip member at offset {offset}: {problem}")]
    Gzip {
        /// Where the header or trailer begins.
        offset: u64,
        /// What is wrong with it; its own offsets count from there.
        problem: GzipError,
    },
    /// A deflate stream is malformed or cut off.
    #[error("deflate stream: {0}")]
    Inflate(#[from] InflateError),
    /// A member's trailer does not fit its plain text.
    #[error(
        "gzip trailer at offset {offset} is for {expected:#010x}, the plain text has CRC-32 {got:#010x}"
    )]
    Crc {
        /// Where the trailer begins.
        offset: u64,
        /// CRC-32 of the plain text.
        got: u32,
        /// CRC-32 in the trailer.
        expected: u32,
    },
    /// A member's trailer is for a plain text of another length.
    #[error("gzip trailer at offset {offset} is for {expected} bytes, the plain text has {got}")]
    Size {
        /// Where the trailer begins.
        offset: u64,
        /// Bytes of plain text, modulo 2^32.
        got: u32,
        /// Bytes in the trailer.
        expected: u32,
    },
    /// The tar has more than the limits allow.
    #[error("tar: {0}")]
    Tar(#[from] TarError),
    /// The plain text is larger than allowed.
    #[error("layer's tar is larger than {limit} bytes")]
    TarLimit {
        /// Bytes allowed.
        limit: u64,
    },
    /// The layer has more segments than allowed.
    #[error("more than {limit} segments: one more begins at offset {offset}")]
    TooManySegments {
        /// Where the first one too many begins.
        offset: u64,
        /// Segments allowed.
        limit: u64,
    },
    /// A zstd frame is malformed or cut off.
    #[error("zstd frames: {0}")]
    Zstd(#[from] FrameError),
}
