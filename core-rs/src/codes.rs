//! The codes of what can be wrong with layers, recipes and packs, as callers in other languages see
//! them. They stay the same from version to version.

use crate::compression::CompressionError;
use crate::deflate::InflateError;
use crate::error::{CoreError, ErrorValues};
use crate::gzip::GzipError;
use crate::ingest::IngestError;
use crate::pack::{LayerPackError, PackError, PackWriteError, ReadFileError};
use crate::recipe::RecipeError;
use crate::restore::RestoreError;
use crate::segment::RebuildError;
use crate::tar::TarError;
use crate::zstd_frame::{EncodeError, FrameError, Inexact};

/// `got` and `expected` at an offset.
fn values(
    offset: impl TryInto<u64>,
    got: impl TryInto<u64>,
    expected: impl TryInto<u64>,
) -> ErrorValues {
    ErrorValues {
        offset: offset.try_into().ok(),
        got: got.try_into().ok(),
        expected: expected.try_into().ok(),
    }
}

/// Only where it is.
fn at(offset: impl TryInto<u64>) -> ErrorValues {
    ErrorValues {
        offset: offset.try_into().ok(),
        ..ErrorValues::default()
    }
}

impl CoreError for IngestError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gzip { .. } => "LAYER_GZIP",
            Self::Inflate(_) => "LAYER_DEFLATE",
            Self::Crc { .. } => "LAYER_CRC",
            Self::Size { .. } => "LAYER_SIZE",
            Self::Tar(_) => "LAYER_TAR",
            Self::TarLimit { .. } => "LAYER_TAR_LIMIT",
            Self::TooManySegments { .. } => "LAYER_TOO_MANY_SEGMENTS",
            Self::Zstd(_) => "LAYER_ZSTD",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Gzip { offset, .. } => at(offset),
            Self::Crc {
                offset,
                got,
                expected,
            }
            | Self::Size {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
            Self::TarLimit { limit } => ErrorValues {
                expected: Some(limit),
                ..ErrorValues::default()
            },
            Self::TooManySegments { offset, limit } => ErrorValues {
                expected: Some(limit),
                ..at(offset)
            },
            Self::Zstd(problem) => problem.values(),
            Self::Inflate(_) | Self::Tar(_) => ErrorValues::default(),
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Gzip { problem, .. } => Some(problem),
            Self::Inflate(problem) => Some(problem),
            Self::Tar(problem) => Some(problem),
            Self::Zstd(problem) => Some(problem),
            _ => None,
        }
    }
}

impl CoreError for GzipError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "GZIP_TRUNCATED",
            Self::Magic { .. } => "GZIP_MAGIC",
            Self::Method { .. } => "GZIP_METHOD",
            Self::ReservedFlags { .. } => "GZIP_FLAGS",
            Self::HeaderTooLong { .. } => "GZIP_HEADER_TOO_LONG",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Truncated { offset, expected } => values(offset, offset, expected),
            Self::Magic {
                offset,
                got,
                expected,
            }
            | Self::Method {
                offset,
                got,
                expected,
            }
            | Self::ReservedFlags {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
            Self::HeaderTooLong {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
        }
    }
}

/// Offsets of deflate's errors are whole bytes here; the message has the bit.
impl CoreError for InflateError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "DEFLATE_TRUNCATED",
            Self::BlockType { .. } => "DEFLATE_BLOCK_TYPE",
            Self::StoredLength { .. } => "DEFLATE_STORED_LENGTH",
            Self::SymbolCount { .. } => "DEFLATE_SYMBOL_COUNT",
            Self::RepeatOfNothing { .. } => "DEFLATE_REPEAT_OF_NOTHING",
            Self::RunTooLong { .. } => "DEFLATE_RUN_TOO_LONG",
            Self::Code { .. } => "DEFLATE_CODE",
            Self::Symbol { .. } => "DEFLATE_SYMBOL",
            Self::TooFarBack { .. } => "DEFLATE_TOO_FAR_BACK",
            Self::OutputLimit { .. } => "DEFLATE_OUTPUT_LIMIT",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Truncated {
                bit_offset,
                got,
                expected,
            }
            | Self::TooFarBack {
                bit_offset,
                got,
                expected,
            }
            | Self::OutputLimit {
                bit_offset,
                got,
                expected,
            } => values(bit_offset / 8, got, expected),
            Self::StoredLength {
                bit_offset,
                got,
                expected,
            }
            | Self::SymbolCount {
                bit_offset,
                got,
                expected,
                ..
            }
            | Self::RunTooLong {
                bit_offset,
                got,
                expected,
            } => values(bit_offset / 8, got, expected),
            Self::BlockType { bit_offset, got }
            | Self::Symbol {
                bit_offset, got, ..
            } => ErrorValues {
                expected: None,
                ..values(bit_offset / 8, got, 0_u32)
            },
            Self::RepeatOfNothing { bit_offset } | Self::Code { bit_offset, .. } => {
                at(bit_offset / 8)
            }
        }
    }
}

impl CoreError for FrameError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "ZSTD_TRUNCATED",
            Self::ReservedBits { .. } => "ZSTD_RESERVED_BITS",
            Self::Window { .. } => "ZSTD_WINDOW",
            Self::Dictionary { .. } => "ZSTD_DICTIONARY",
            Self::BlockType { .. } => "ZSTD_BLOCK_TYPE",
            Self::BlockSize { .. } => "ZSTD_BLOCK_SIZE",
            Self::Decode { .. } => "ZSTD_DECODE",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Truncated { offset, expected } => values(offset, offset, expected),
            Self::ReservedBits { offset, got } => values(offset, got, 0_u32),
            Self::Window {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
            Self::BlockSize {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
            Self::Dictionary { offset, got } => values(offset, got, 0_u32),
            Self::BlockType { offset, got } => ErrorValues {
                got: Some(u64::from(got)),
                ..at(offset)
            },
            Self::Decode { offset, .. } => at(offset),
        }
    }
}

impl CoreError for Inexact {
    fn code(&self) -> &'static str {
        match self {
            Self::OtherCompressor => "ZSTD_OTHER_COMPRESSOR",
            Self::SeveralFrames => "ZSTD_SEVERAL_FRAMES",
            Self::SkippableFrame => "ZSTD_SKIPPABLE_FRAME",
            Self::TrailingBytes => "ZSTD_TRAILING_LAYER_BYTES",
        }
    }
}

impl CoreError for EncodeError {
    fn code(&self) -> &'static str {
        "ZSTD_ENCODE"
    }
}

impl CoreError for TarError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooManyFiles { .. } => "TAR_TOO_MANY_FILES",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::TooManyFiles { offset, limit } => ErrorValues {
                expected: Some(limit),
                ..at(offset)
            },
        }
    }
}

impl CoreError for CompressionError {
    fn code(&self) -> &'static str {
        match self {
            Self::Level { .. } => "ZSTD_LEVEL",
            Self::Memory { .. } => "ZSTD_MEMORY",
            Self::Compress { .. } => "ZSTD_COMPRESS",
            Self::Frame { .. } => "ZSTD_FRAME",
            Self::TrailingBytes { .. } => "ZSTD_TRAILING_BYTES",
            Self::PlainLength { .. } => "ZSTD_PLAIN_LENGTH",
        }
    }
}

impl CoreError for RecipeError {
    fn code(&self) -> &'static str {
        match self {
            Self::TooShort { .. } => "RECIPE_TOO_SHORT",
            Self::Magic { .. } => "RECIPE_MAGIC",
            Self::Version { .. } => "RECIPE_VERSION",
            Self::DirectoryPlace { .. } => "RECIPE_DIRECTORY_PLACE",
            Self::Checksum { .. } => "RECIPE_CHECKSUM",
            Self::Compression { .. } => "RECIPE_COMPRESSION",
            Self::Directory { .. } => "RECIPE_DIRECTORY",
            Self::SectionEnd { .. } => "RECIPE_SECTION_END",
            Self::Malformed { .. } => "RECIPE_MALFORMED",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::TooShort { got, expected } | Self::SectionEnd { got, expected, .. } => {
                values(got, got, expected)
            }
            Self::Version { got, expected } => values(8_u64, got, expected),
            Self::Magic { offset }
            | Self::DirectoryPlace { offset, .. }
            | Self::Checksum { offset, .. }
            | Self::Compression { offset, .. }
            | Self::Directory { offset, .. }
            | Self::Malformed { offset, .. } => at(offset),
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Compression { problem, .. } => Some(problem),
            _ => None,
        }
    }
}

impl CoreError for RestoreError {
    fn code(&self) -> &'static str {
        match self {
            Self::Recipe(problem) => problem.code(),
            Self::Inconsistent { .. } => "RECIPE_INCONSISTENT",
            Self::WrongPart { .. } => "RESTORE_WRONG_PART",
            Self::FileLength { .. } => "RESTORE_FILE_LENGTH",
            Self::Places { .. } => "RESTORE_PLACES",
            Self::NoPack { .. } => "RESTORE_NO_PACK",
            Self::PackEnd { .. } => "RESTORE_PACK_END",
            Self::Rebuild { .. } => "RESTORE_REBUILD",
            Self::NoPart { .. } => "RESTORE_NO_PART",
            Self::Inexact(_) => "RESTORE_INEXACT",
            Self::Encode(_) => "RESTORE_ENCODE",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Recipe(problem) => problem.values(),
            Self::Inconsistent { got, expected, .. } => values(0_u64, got, expected),
            Self::WrongPart { offset, .. } => at(offset),
            Self::FileLength {
                offset,
                got,
                expected,
                ..
            } => values(offset, got, expected),
            Self::NoPart { got, expected } | Self::Places { got, expected } => ErrorValues {
                offset: None,
                ..values(0_u64, got, expected)
            },
            Self::PackEnd { end, .. } => ErrorValues {
                expected: Some(end),
                ..ErrorValues::default()
            },
            Self::NoPack { .. } | Self::Rebuild { .. } | Self::Inexact(_) | Self::Encode(_) => {
                ErrorValues::default()
            }
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Recipe(problem) => Some(problem),
            Self::Rebuild { problem, .. } => Some(problem),
            Self::Inexact(inexact) => Some(inexact),
            Self::Encode(problem) => Some(problem),
            _ => None,
        }
    }
}

impl CoreError for RebuildError {
    fn code(&self) -> &'static str {
        match self {
            Self::Replay(_) => "SEGMENT_REPLAY",
            Self::Write(_) => "SEGMENT_WRITE",
        }
    }
}

impl CoreError for PackError {
    fn code(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "PACK_TRUNCATED",
            Self::TrailingBytes { .. } => "PACK_TRAILING_BYTES",
            Self::PackMagic { .. } => "PACK_MAGIC",
            Self::BlockMagic { .. } => "PACK_BLOCK_MAGIC",
            Self::HeaderChecksum { .. } => "PACK_HEADER_CHECKSUM",
            Self::Version { .. } => "PACK_VERSION",
            Self::Flags { .. } => "PACK_FLAGS",
            Self::Codec { .. } => "PACK_CODEC",
            Self::PieceCount { .. } => "PACK_PIECE_COUNT",
            Self::PlainLength { .. } => "PACK_PLAIN_LENGTH",
            Self::StoredLength { .. } => "PACK_STORED_LENGTH",
            Self::BodyChecksum { .. } => "PACK_BODY_CHECKSUM",
            Self::EmptyPiece { .. } => "PACK_EMPTY_PIECE",
            Self::FileSize { .. } => "PACK_FILE_SIZE",
            Self::PieceLengths { .. } => "PACK_PIECE_LENGTHS",
            Self::Payload { .. } => "PACK_PAYLOAD",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Truncated { offset, expected } => values(offset, offset, expected),
            Self::TrailingBytes { offset, got } => values(offset, got, offset),
            Self::HeaderChecksum {
                offset,
                got,
                expected,
            } => values(offset, got, expected),
            Self::Version { got, expected } => values(8_u64, got, expected),
            Self::Flags { offset, .. }
            | Self::Codec { offset, .. }
            | Self::EmptyPiece { offset }
            | Self::FileSize { offset }
            | Self::Payload { offset, .. } => at(offset),
            Self::PieceCount { got, max } | Self::PlainLength { got, max } => ErrorValues {
                offset: None,
                ..values(0_u64, got, max)
            },
            Self::StoredLength { got, plain_length } => ErrorValues {
                offset: None,
                ..values(0_u64, got, plain_length)
            },
            Self::PieceLengths { got, expected } => ErrorValues {
                offset: None,
                ..values(0_u64, got, expected)
            },
            Self::PackMagic { .. } | Self::BlockMagic { .. } | Self::BodyChecksum { .. } => {
                ErrorValues::default()
            }
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Payload { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl CoreError for PackWriteError {
    fn code(&self) -> &'static str {
        match self {
            Self::BlockLength { .. } => "PACK_BLOCK_LENGTH",
            Self::FileOpen { .. } => "PACK_FILE_OPEN",
            Self::NoFile => "PACK_NO_FILE",
            Self::TooLong { .. } => "PACK_FILE_TOO_LONG",
            Self::Compress { .. } => "PACK_COMPRESS",
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Compress { source, .. } => Some(source),
            _ => None,
        }
    }
}

impl CoreError for LayerPackError {
    fn code(&self) -> &'static str {
        match self {
            Self::Layer(problem) => problem.code(),
            Self::Pack(problem) => problem.code(),
            Self::Write(problem) => problem.code(),
            Self::FileNumber { .. } => "LAYER_FILE_NUMBER",
            Self::OtherFile { .. } => "LAYER_OTHER_FILE",
            Self::FileMissing { .. } => "LAYER_FILE_MISSING",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Layer(problem) => problem.values(),
            Self::Pack(problem) => problem.values(),
            Self::Write(problem) => problem.values(),
            Self::FileNumber { got, expected } => ErrorValues {
                offset: None,
                ..values(0_u64, got, expected)
            },
            Self::OtherFile { offset, .. } | Self::FileMissing { offset, .. } => at(offset),
        }
    }

    fn coded_source(&self) -> Option<&dyn CoreError> {
        match self {
            Self::Layer(problem) => problem.coded_source(),
            Self::Pack(problem) => problem.coded_source(),
            Self::Write(problem) => problem.coded_source(),
            Self::FileNumber { .. } | Self::OtherFile { .. } | Self::FileMissing { .. } => None,
        }
    }
}

impl CoreError for ReadFileError {
    fn code(&self) -> &'static str {
        match self {
            Self::NoPiece { .. } => "PACK_NO_PIECE",
            Self::FileEnd { .. } => "PACK_FILE_END",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::NoPiece { block_offset, .. } => at(block_offset),
            Self::FileEnd { size, expected } => values(size, size, expected),
        }
    }
}
