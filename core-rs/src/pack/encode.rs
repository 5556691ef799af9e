//! A block as bytes.

use super::block::Block;
use super::checksum::checksum_of;
use super::error::PackWriteError;
use super::header::{BlockCodec, BlockHeader, PIECE_SIZE};
use crate::compression::compress;
use crate::fields::{length_u32, length_usize};

/// Header, table and payload of a block. The payload is compressed at a level of
/// [`LEVELS`](crate::compression::LEVELS), unless that does not shrink it.
///
/// # Errors
/// [`PackWriteError::Compress`].
pub fn encode_block(block: &Block, level: i32) -> Result<Vec<u8>, PackWriteError> {
    let plain_length = length_u32(block.plain.len());
    let frame = compress(&block.plain, level).map_err(|source| PackWriteError::Compress {
        length: plain_length,
        source,
    })?;
    let (codec, payload) = if frame.len() < block.plain.len() {
        (BlockCodec::Zstd, &frame)
    } else {
        (BlockCodec::Raw, &block.plain)
    };
    let table = encode_table(block);
    let header = BlockHeader {
        codec,
        piece_count: length_u32(block.pieces.len()),
        plain_length,
        stored_length: length_u32(payload.len()),
        before: block.pieces.first().map_or(0, |piece| piece.file_offset),
        after: block.pieces.last().map_or(0, |piece| {
            piece
                .file_size
                .saturating_sub(piece.file_offset)
                .saturating_sub(u64::from(piece.length))
        }),
        checksum: checksum_of(&[&table, payload]),
    };
    let mut bytes = header.encode();
    bytes.reserve_exact(table.len().saturating_add(payload.len()));
    bytes.extend_from_slice(&table);
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

fn encode_table(block: &Block) -> Vec<u8> {
    let length = block.pieces.len().saturating_mul(length_usize(PIECE_SIZE));
    let mut table = Vec::with_capacity(length);
    for piece in &block.pieces {
        table.extend_from_slice(piece.id.as_bytes());
        table.extend_from_slice(&piece.length.to_le_bytes());
    }
    table
}
