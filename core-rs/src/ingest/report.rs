//! What was found in a layer, for those who want to know what it takes.

use std::collections::BTreeMap;

use crate::model::Compressor;
use crate::recipe::{Encoding, Section, Summary};

/// A layer that was taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LayerReport {
    /// The layer as its recipe has it.
    pub summary: Summary,
    /// Whose model makes most of the layer's bytes; `Unknown` if they are kept as they are, there is
    /// nothing to make, or libzstd makes them.
    pub compressor: Compressor,
    /// Segments.
    pub segments: u64,
    /// Those that are kept as they are.
    pub raw_segments: u64,
    /// Bytes of all files.
    pub file_size: u64,
    /// Bytes of the recipe.
    pub recipe_size: u64,
    /// Bytes that each section takes in the recipe.
    pub section_sizes: BTreeMap<Section, u64>,
}

impl LayerReport {
    /// Who made the layer, without the level; none if nobody knows.
    #[must_use]
    pub const fn compressor_name(&self) -> Option<&'static str> {
        match self.summary.encoding {
            Encoding::Zstd(Ok(_)) => Some("zstd"),
            _ => self.compressor.name(),
        }
    }

    /// At which level; none if nobody knows.
    #[must_use]
    pub const fn compressor_level(&self) -> Option<i8> {
        match self.summary.encoding {
            Encoding::Zstd(Ok(call)) => Some(call.level()),
            _ => self.compressor.level(),
        }
    }
}

/// Counts segments by whose they are.
#[derive(Clone, Debug, Default)]
pub(super) struct SegmentCounts {
    pub(super) segments: u64,
    pub(super) raw_segments: u64,
    sizes: BTreeMap<Compressor, u64>,
}

impl SegmentCounts {
    pub(super) fn add(&mut self, compressor: Compressor, stored_size: u32, is_raw: bool) {
        self.segments += 1;
        self.raw_segments += u64::from(is_raw);
        *self.sizes.entry(compressor).or_default() += u64::from(stored_size);
    }

    pub(super) fn main_compressor(&self) -> Compressor {
        let largest = self.sizes.iter().max_by_key(|(_, size)| **size);
        largest.map_or(Compressor::Unknown, |(compressor, _)| *compressor)
    }
}
