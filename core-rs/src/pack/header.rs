//! The headers of a pack and of a block, in `doc/pack-format.md` order.

use super::block::memory_of;
use super::checksum::{CHECKSUM_SIZE, Checksum};
use super::error::PackError;
use crate::digest::FILE_ID_SIZE;
use crate::fields::{Fields, length_u64, length_usize};
use crate::limits::{MAX_BLOCK_PIECES, MAX_BLOCK_PLAIN_LENGTH};

/// Bytes of a pack header.
pub const PACK_HEADER_SIZE: usize = 16;
/// Bytes of a block header.
pub const BLOCK_HEADER_SIZE: usize = 56;
/// Bytes of a piece in a block's table: file id and length.
pub(super) const PIECE_SIZE: u32 = 36;

const PACK_MAGIC: [u8; 8] = *b"MICAPACK";
const PACK_VERSION: u16 = 1;
const PACK_FLAGS_OFFSET: u64 = 10;
const PACK_CHECKSUM_OFFSET: u64 = 12;

pub(crate) const BLOCK_MAGIC: [u8; 4] = *b"MBLK";
const CODEC_OFFSET: u64 = 4;
const FLAGS_OFFSET: u64 = 6;
const CHECKSUM_OFFSET: u64 = 52;

const _: () = assert!(PACK_HEADER_SIZE == 8 + 2 + 2 + 4);
const _: () = assert!(BLOCK_HEADER_SIZE == 4 + 2 + 2 + 3 * 4 + 2 * 8 + CHECKSUM_SIZE + 4);
const _: () = assert!(FILE_ID_SIZE == 32);

/// How the plain text of a block is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BlockCodec {
    /// As it is, since it does not shrink.
    Raw,
    /// As one zstd frame.
    Zstd,
}

impl BlockCodec {
    pub(crate) const fn number(self) -> u16 {
        match self {
            Self::Raw => 0,
            Self::Zstd => 1,
        }
    }

    pub(crate) const fn of_number(number: u16) -> Option<Self> {
        match number {
            0 => Some(Self::Raw),
            1 => Some(Self::Zstd),
            _ => None,
        }
    }

    /// Whether so many stored bytes can be so many bytes of plain text: zstd is used only when it
    /// shrinks.
    pub(crate) const fn can_store(self, plain_length: u32, stored_length: u32) -> bool {
        match self {
            Self::Raw => stored_length == plain_length,
            Self::Zstd => stored_length < plain_length,
        }
    }
}

/// What a block header says, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockHeader {
    /// How the payload is stored.
    pub codec: BlockCodec,
    /// Pieces in the table.
    pub piece_count: u32,
    /// Bytes of all pieces.
    pub plain_length: u32,
    /// Bytes of the payload.
    pub stored_length: u32,
    /// Bytes of the first piece's file that lie in blocks before.
    pub before: u64,
    /// Bytes of the last piece's file that lie in blocks after.
    pub after: u64,
    pub(super) checksum: Checksum,
}

/// What decoding a block may take at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockLimits {
    /// Most bytes of plain text.
    pub plain_length: u32,
    /// Most pieces.
    pub piece_count: u32,
}

impl Default for BlockLimits {
    fn default() -> Self {
        Self {
            plain_length: MAX_BLOCK_PLAIN_LENGTH,
            piece_count: MAX_BLOCK_PIECES,
        }
    }
}

impl BlockHeader {
    /// Bytes of the table that follows the header.
    pub fn table_length(&self) -> u64 {
        u64::from(self.piece_count).saturating_mul(u64::from(PIECE_SIZE))
    }

    /// Bytes that follow the header: table and payload.
    pub fn body_length(&self) -> u64 {
        self.table_length()
            .saturating_add(u64::from(self.stored_length))
    }

    /// Bytes of the whole block.
    pub fn block_length(&self) -> u64 {
        length_u64(BLOCK_HEADER_SIZE).saturating_add(self.body_length())
    }

    /// Bytes of memory that the block takes once it was read.
    pub(super) fn block_memory(&self) -> usize {
        memory_of(
            length_usize(self.piece_count),
            length_usize(self.plain_length),
        )
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(BLOCK_HEADER_SIZE);
        bytes.extend_from_slice(&BLOCK_MAGIC);
        bytes.extend_from_slice(&self.codec.number().to_le_bytes());
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        bytes.extend_from_slice(&self.piece_count.to_le_bytes());
        bytes.extend_from_slice(&self.plain_length.to_le_bytes());
        bytes.extend_from_slice(&self.stored_length.to_le_bytes());
        bytes.extend_from_slice(&self.before.to_le_bytes());
        bytes.extend_from_slice(&self.after.to_le_bytes());
        bytes.extend_from_slice(&self.checksum);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    fn check(&self, limits: BlockLimits) -> Result<(), PackError> {
        if !(1..=limits.piece_count).contains(&self.piece_count) {
            return Err(PackError::PieceCount {
                got: self.piece_count,
                max: limits.piece_count,
            });
        }
        if !(1..=limits.plain_length).contains(&self.plain_length) {
            return Err(PackError::PlainLength {
                got: self.plain_length,
                max: limits.plain_length,
            });
        }
        if !self.codec.can_store(self.plain_length, self.stored_length) {
            return Err(PackError::StoredLength {
                got: self.stored_length,
                plain_length: self.plain_length,
            });
        }
        Ok(())
    }
}

/// Reads the header at the start of a block. More bytes may follow.
///
/// # Errors
/// [`PackError`] when the bytes are no block header, are damaged, or pass a limit.
pub fn decode_block_header(bytes: &[u8], limits: BlockLimits) -> Result<BlockHeader, PackError> {
    let missing = PackError::Truncated {
        offset: length_u64(bytes.len()),
        expected: length_u64(BLOCK_HEADER_SIZE),
    };
    let mut fields = Fields::new(bytes);
    let got = fields.array().ok_or(missing)?;
    if got != BLOCK_MAGIC {
        let expected = BLOCK_MAGIC;
        return Err(PackError::BlockMagic { got, expected });
    }
    let codec = fields.u16().ok_or(missing)?;
    let flags = fields.u16().ok_or(missing)?;
    let mut header = BlockHeader {
        codec: BlockCodec::Raw,
        piece_count: fields.u32().ok_or(missing)?,
        plain_length: fields.u32().ok_or(missing)?,
        stored_length: fields.u32().ok_or(missing)?,
        before: fields.u64().ok_or(missing)?,
        after: fields.u64().ok_or(missing)?,
        checksum: fields.array().ok_or(missing)?,
    };
    let got = fields.u32().ok_or(missing)?;
    check_header_checksum(bytes, CHECKSUM_OFFSET, got)?;
    header.codec = BlockCodec::of_number(codec).ok_or(PackError::Codec {
        offset: CODEC_OFFSET,
        got: codec,
    })?;
    if flags != 0 {
        return Err(PackError::Flags {
            offset: FLAGS_OFFSET,
            got: flags,
        });
    }
    header.check(limits)?;
    Ok(header)
}

/// The bytes that begin a pack.
pub fn encode_pack_header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(PACK_HEADER_SIZE);
    bytes.extend_from_slice(&PACK_MAGIC);
    bytes.extend_from_slice(&PACK_VERSION.to_le_bytes());
    bytes.extend_from_slice(&0_u16.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Checks the header at the start of a pack. More bytes may follow.
///
/// # Errors
/// [`PackError`] when the bytes are no pack header, are damaged, or are of another version.
pub fn decode_pack_header(bytes: &[u8]) -> Result<(), PackError> {
    let missing = PackError::Truncated {
        offset: length_u64(bytes.len()),
        expected: length_u64(PACK_HEADER_SIZE),
    };
    let mut fields = Fields::new(bytes);
    let got = fields.array().ok_or(missing)?;
    if got != PACK_MAGIC {
        let expected = PACK_MAGIC;
        return Err(PackError::PackMagic { got, expected });
    }
    let version = fields.u16().ok_or(missing)?;
    let flags = fields.u16().ok_or(missing)?;
    let got = fields.u32().ok_or(missing)?;
    check_header_checksum(bytes, PACK_CHECKSUM_OFFSET, got)?;
    if version != PACK_VERSION {
        return Err(PackError::Version {
            got: version,
            expected: PACK_VERSION,
        });
    }
    if flags != 0 {
        return Err(PackError::Flags {
            offset: PACK_FLAGS_OFFSET,
            got: flags,
        });
    }
    Ok(())
}

fn check_header_checksum(bytes: &[u8], offset: u64, got: u32) -> Result<(), PackError> {
    let end = usize::try_from(offset).unwrap_or(usize::MAX);
    let expected = crc32fast::hash(bytes.get(..end).unwrap_or(bytes));
    if got != expected {
        return Err(PackError::HeaderChecksum {
            offset,
            got,
            expected,
        });
    }
    Ok(())
}
