//! A block from bytes, checked before anything in it is believed.

use super::block::{Block, Piece};
use super::checksum::checksum_of;
use super::error::PackError;
use super::header::{
    BLOCK_HEADER_SIZE, BlockCodec, BlockHeader, BlockLimits, PIECE_SIZE, decode_block_header,
};
use crate::compression::decompress_into;
use crate::digest::FileId;
use crate::fields::{Fields, length_u64, length_usize};

/// Reads the bytes of exactly one block.
///
/// # Errors
/// [`PackError`] when the bytes are no whole block, are damaged, or pass a limit.
pub fn decode_block(bytes: &[u8], limits: BlockLimits) -> Result<Block, PackError> {
    decode_block_into(bytes, limits, Block::default())
}

/// Does as [`decode_block`], in the memory of a block that is of no use any more.
///
/// # Errors
/// As [`decode_block`].
pub fn decode_block_into(
    bytes: &[u8],
    limits: BlockLimits,
    mut block: Block,
) -> Result<Block, PackError> {
    let (header, body) = split_header(bytes, limits)?;
    let payload = decode_body(&header, body, &mut block.pieces)?;
    match header.codec {
        BlockCodec::Raw => {
            block.plain.clear();
            block.plain.extend_from_slice(payload);
        }
        BlockCodec::Zstd => {
            let plain_length = length_usize(header.plain_length);
            decompress_into(payload, plain_length, &mut block.plain).map_err(|source| {
                PackError::Payload {
                    offset: length_u64(BLOCK_HEADER_SIZE).saturating_add(header.table_length()),
                    source,
                }
            })?;
        }
    }
    Ok(block)
}

/// Reads the pieces of exactly one block and checks its stored bytes, but does not decompress them.
///
/// # Errors
/// [`PackError`] as [`decode_block`], without [`PackError::Payload`].
pub fn decode_pieces(bytes: &[u8], limits: BlockLimits) -> Result<Vec<Piece>, PackError> {
    let (header, body) = split_header(bytes, limits)?;
    let mut pieces = Vec::new();
    decode_body(&header, body, &mut pieces)?;
    Ok(pieces)
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

/// Replaces `pieces` by the block's, and gives its payload.
fn decode_body<'a>(
    header: &BlockHeader,
    body: &'a [u8],
    pieces: &mut Vec<Piece>,
) -> Result<&'a [u8], PackError> {
    let got = checksum_of(&[body]);
    if got != header.checksum {
        return Err(PackError::BodyChecksum {
            got,
            expected: header.checksum,
        });
    }
    let table_length = usize::try_from(header.table_length()).unwrap_or(usize::MAX);
    let (table, payload) = body.split_at_checked(table_length).unwrap_or((body, &[]));
    decode_table(header, table, pieces)?;
    Ok(payload)
}

fn decode_table(
    header: &BlockHeader,
    table: &[u8],
    pieces: &mut Vec<Piece>,
) -> Result<(), PackError> {
    pieces.clear();
    pieces.reserve_exact(length_usize(header.piece_count));
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
    Ok(())
}
