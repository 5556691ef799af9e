//! What a recipe says of one segment, in a row of fixed width.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use crate::limits::{
    MAX_SEGMENT_FRAMING_SIZE, MAX_SEGMENT_KEPT_SIZE, MAX_SEGMENT_STORED_SIZE, MAX_SEGMENT_TAR_SIZE,
};
use crate::model::Compressor;
use crate::model::compressor::COMPRESSOR_SIZE;

/// Bytes of a row.
pub const ROW_SIZE: usize = 48;
/// Bytes of a segment's check.
pub const CHECK_SIZE: usize = 8;
const _: () = assert!(ROW_SIZE == 6 * 4 + 8 + COMPRESSOR_SIZE + CHECK_SIZE && ROW_SIZE == 48);

/// One segment. All sizes are bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRow {
    /// Of the stream, that the segment stands for; at least 1.
    pub stored_size: u32,
    /// Of plain text.
    pub plain_size: u32,
    /// Of framing before it.
    pub framing_size: u32,
    /// In section `Blocks`.
    pub blocks_size: u32,
    /// In section `Corrections`.
    pub corrections_size: u32,
    /// In section `Raw`: `stored_size`, or none if the segment is made by its model.
    pub raw_size: u32,
    /// Of plain text since the last flush before the segment.
    pub since_flush: u64,
    /// Whose model it is made by.
    pub compressor: Compressor,
    /// The first bytes of the BLAKE3 hash of its bytes in the stream.
    pub check: [u8; CHECK_SIZE],
}

/// The check of a segment's bytes.
pub fn check_of(stored: &[u8]) -> [u8; CHECK_SIZE] {
    let hash = blake3::hash(stored);
    hash.as_bytes().first_chunk().copied().unwrap_or_default()
}

impl SegmentRow {
    /// Its bytes.
    #[must_use]
    pub fn encode(&self) -> [u8; ROW_SIZE] {
        let mut bytes = [0; ROW_SIZE];
        let (sizes, rest) = bytes.split_at_mut(24);
        let values = [
            self.stored_size,
            self.plain_size,
            self.framing_size,
            self.blocks_size,
            self.corrections_size,
            self.raw_size,
        ];
        for (place, value) in sizes.chunks_exact_mut(4).zip(values) {
            place.copy_from_slice(&value.to_le_bytes());
        }
        let (since_flush, rest) = rest.split_at_mut(8);
        since_flush.copy_from_slice(&self.since_flush.to_le_bytes());
        let (compressor, check) = rest.split_at_mut(8);
        compressor.copy_from_slice(&self.compressor.encode());
        check.copy_from_slice(&self.check);
        bytes
    }

    fn is_possible(&self) -> bool {
        (1..=MAX_SEGMENT_STORED_SIZE).contains(&self.stored_size)
            && self.plain_size <= MAX_SEGMENT_TAR_SIZE
            && self.framing_size <= MAX_SEGMENT_FRAMING_SIZE
            && self.blocks_size <= MAX_SEGMENT_KEPT_SIZE
            && self.corrections_size <= MAX_SEGMENT_KEPT_SIZE
            && (self.raw_size == 0 || self.raw_size == self.stored_size)
            && (self.compressor != Compressor::Unknown
                || self.blocks_size == 0 && self.corrections_size == 0)
            && (self.compressor == Compressor::Unknown || self.raw_size == 0)
    }

    /// The row of its bytes; `None` if its compressor is not known or a size is over its limit.
    pub fn decode(bytes: &[u8; ROW_SIZE]) -> Option<Self> {
        let (sizes, rest) = bytes.split_first_chunk::<24>()?;
        let mut sizes = sizes
            .chunks_exact(4)
            .filter_map(|size| size.first_chunk().copied().map(u32::from_le_bytes));
        let mut size = || sizes.next();
        let (since_flush, rest) = rest.split_first_chunk()?;
        let (compressor, check) = rest.split_first_chunk()?;
        let row = Self {
            stored_size: size()?,
            plain_size: size()?,
            framing_size: size()?,
            blocks_size: size()?,
            corrections_size: size()?,
            raw_size: size()?,
            since_flush: u64::from_le_bytes(*since_flush),
            compressor: Compressor::decode(compressor)?,
            check: *check.first_chunk()?,
        };
        row.is_possible().then_some(row)
    }
}
