//! A block from bytes, checked before anything in it is believed.

use super::block::{Block, Piece};
use super::checksum::checksum_of;
use super::error::PackError;
use super::header::{
    BLOCK_HEADER_SIZE, BlockCodec, BlockHeader, BlockLimits, PIECE_SIZE, decode_block_header,
};
use crate::compression::decompress;
use crate::digest::FileId;
use crate::fields::{Fields, length_u64, length_usize};

/// Reads the bytes of exactly one block.
///
/// # Errors
/// [`PackError`] when the bytes are no whole block, are damaged, or pass a limit.
pub fn decode_block(bytes: &[u8], limits: BlockLimits) -> Result<Block, PackError> {
    let (header, body) = split_header(bytes, limits)?;
    let (pieces, payload) = decode_body(&header, body)?;
    let plain = match header.codec {
        BlockCodec::Raw => payload.to_vec(),
        BlockCodec::Zstd => {
            decompress(payload, length_usize(header.plain_length)).map_err(|source| {
                PackError::Payload {
                    offset: length_u64(BLOCK_HEADER_SIZE).saturating_add(header.table_length()),
                    source,
                }
            })?
        }
    };
    Ok(Block { pieces, plain })
}

/// Reads the pieces of exactly one block and checks its stored bytes, but does not decompress them.
///
/// # Errors
/// [`PackError`] as [`decode_block`], without [`PackError::Payload`].
pub fn decode_pieces(bytes: &[u8], limits: BlockLimits) -> Result<Vec<Piece>, PackError> {
    let (header, body) = split_header(bytes, limits)?;
    decode_body(&header, body).map(|(pieces, _)| pieces)
}

fn split_header(bytes: &[u8], limits: BlockLimits) -> Result<(BlockHeader, &[u8]), PackError> {
    let header = decode_block_header(bytes, limits)?;
    let (got, expected) = (length_u64(bytes.len()), header.block_length());
    if got < expected {
        return Err(PackError::Truncated {
            offset: got,
            expected,
        });
    }
    if got > expected {
        return Err(PackError::TrailingBytes {
            offset: expected,
            got,
        });
    }
    Ok((header, bytes.get(BLOCK_HEADER_SIZE..).unwrap_or_default()))
}

fn decode_body<'a>(
    header: &BlockHeader,
    body: &'a [u8],
) -> Result<(Vec<Piece>, &'a [u8]), PackError> {
    let got = checksum_of(&[body]);
    if got != header.checksum {
        return Err(PackError::BodyChecksum {
            got,
            expected: header.checksum,
        });
    }
    let table_length = usize::try_from(header.table_length()).unwrap_or(usize::MAX);
    let (table, payload) = body.split_at_checked(table_length).unwrap_or((body, &[]));
    Ok((decode_table(header, table)?, payload))
}

fn decode_table(header: &BlockHeader, table: &[u8]) -> Result<Vec<Piece>, PackError> {
    let mut pieces = Vec::with_capacity(length_usize(header.piece_count));
    let mut fields = Fields::new(table);
    let mut offset = length_u64(BLOCK_HEADER_SIZE);
    let mut plain_length = 0_u64;
    while let (Some(id), Some(length)) = (fields.array().map(FileId::from), fields.u32()) {
        if length == 0 {
            return Err(PackError::EmptyPiece { offset });
        }
        let is_first = pieces.is_empty();
        let is_last = pieces.len().saturating_add(1) == length_usize(header.piece_count);
        let file_offset = if is_first { header.before } else { 0 };
        let after = if is_last { header.after } else { 0 };
        pieces.push(Piece {
            id,
            file_size: file_offset
                .checked_add(u64::from(length))
                .and_then(|end| end.checked_add(after))
                .ok_or(PackError::FileSize { offset })?,
            file_offset,
            // Too great only if the sum is wrong, which is found below.
            offset: u32::try_from(plain_length).unwrap_or(u32::MAX),
            length,
        });
        plain_length = plain_length.saturating_add(u64::from(length));
        offset = offset.saturating_add(u64::from(PIECE_SIZE));
    }
    if plain_length != u64::from(header.plain_length) {
        return Err(PackError::PieceLengths {
            got: plain_length,
            expected: u64::from(header.plain_length),
        });
    }
    Ok(pieces)
}
