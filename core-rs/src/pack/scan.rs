//! A pack read from its front, to rebuild a lost index or to find where a crash tore it.

use thiserror::Error;

use super::block::Piece;
use super::decode::decode_pieces;
use super::error::PackError;
use super::header::{BlockLimits, PACK_HEADER_SIZE, decode_block_header, decode_pack_header};
use crate::fields::length_u64;

/// A whole block of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScannedBlock {
    /// Where it begins.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
    /// Its pieces of files.
    pub pieces: Vec<Piece>,
}

/// Bytes of a pack that are no whole block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("pack is damaged at offset {offset}: {source}")]
pub struct DamagedBlock {
    /// Where the block begins.
    pub offset: u64,
    /// What is wrong; its offsets count from the start of the block.
    pub source: PackError,
}

/// The blocks of a pack in order, their stored bytes checked but not decompressed.
///
/// A block whose header is whole but whose table or payload is not is reported and passed over. Where
/// there is no whole header the scan ends: blocks are not searched for further on, since the content
/// of a file may look like one.
#[derive(Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    base: u64,
    limits: BlockLimits,
    position: usize,
    valid: Option<usize>,
}

impl<'a> Scan<'a> {
    /// Scans a pack.
    ///
    /// # Errors
    /// [`PackError`] when its header is not as it should be.
    pub fn new(pack: &'a [u8], limits: BlockLimits) -> Result<Self, PackError> {
        decode_pack_header(pack)?;
        Ok(Self::starting_at(pack, 0, PACK_HEADER_SIZE, limits))
    }

    /// Scans a part of a pack that begins with a block, at `offset` of the pack. The part may end
    /// anywhere: [`PackError::Truncated`] then tells how much of the next block is wanted.
    pub fn part(bytes: &'a [u8], offset: u64, limits: BlockLimits) -> Self {
        Self::starting_at(bytes, offset, 0, limits)
    }

    fn starting_at(bytes: &'a [u8], base: u64, position: usize, limits: BlockLimits) -> Self {
        Self {
            bytes,
            base,
            limits,
            position,
            valid: None,
        }
    }

    /// How much of the pack, from its front, is known to be whole: all that has been scanned, or up to
    /// the first damage. After a crash the pack may be cut here, if nothing follows that is whole.
    pub fn valid_length(&self) -> u64 {
        self.offset_of(self.valid.unwrap_or(self.position))
    }

    fn offset_of(&self, position: usize) -> u64 {
        self.base.saturating_add(length_u64(position))
    }

    /// Reads the block at the start of these bytes, and tells where it ends, as far as its header
    /// can be read.
    fn read(&self, rest: &[u8]) -> (Option<usize>, Result<Vec<Piece>, PackError>) {
        let length = match decode_block_header(rest, self.limits) {
            Err(error) => return (None, Err(error)),
            Ok(header) => usize::try_from(header.block_length()).unwrap_or(usize::MAX),
        };
        match rest.get(..length) {
            Some(block) => (Some(length), decode_pieces(block, self.limits)),
            None => (None, decode_pieces(rest, self.limits)),
        }
    }
}

impl Iterator for Scan<'_> {
    type Item = Result<ScannedBlock, DamagedBlock>;

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.bytes.get(self.position..)?;
        if rest.is_empty() {
            return None;
        }
        let start = self.position;
        let offset = self.offset_of(start);
        let (length, pieces) = self.read(rest);
        self.position = length.map_or(self.bytes.len(), |length| start.saturating_add(length));
        if pieces.is_err() && self.valid.is_none() {
            self.valid = Some(start);
        }
        Some(
            pieces
                .map(|pieces| ScannedBlock {
                    offset,
                    length: length_u64(self.position.saturating_sub(start)),
                    pieces,
                })
                .map_err(|source| DamagedBlock { offset, source }),
        )
    }
}
