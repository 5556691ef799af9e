//! Puts a recipe together from what was found in a layer, in the layer's order.

use super::scan::ScanPart;
use crate::recipe::{RecipeWriter, Section, SegmentRow, Summary};
use crate::segment::AnalyzedSegment;
use crate::varint::write_varint;

/// Builds a recipe. Bytes that are ready can be taken at any time.
#[derive(Debug, Default)]
pub struct RecipeBuilder {
    writer: RecipeWriter,
    files: u64,
}

impl RecipeBuilder {
    /// At the start of a recipe.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next stretch of tar.
    pub fn add_tar(&mut self, part: &ScanPart) {
        self.writer.append(Section::Skeleton, &part.skeleton);
        let mut references = Vec::new();
        for file in &part.files {
            self.writer.append(Section::Files, file.id.as_bytes());
            write_varint(&mut references, file.gap);
            write_varint(&mut references, file.size);
            self.files += 1;
        }
        self.writer.append(Section::References, &references);
    }

    /// Adds the next segment, with the framing before it.
    pub fn add_segment(&mut self, framing: &[u8], segment: &AnalyzedSegment) {
        let row = SegmentRow {
            framing_size: u32::try_from(framing.len()).unwrap_or(u32::MAX),
            ..segment.row
        };
        self.writer.append(Section::Framing, framing);
        self.writer.append(Section::Blocks, &segment.blocks);
        self.writer
            .append(Section::Corrections, &segment.corrections);
        self.writer.append(Section::Raw, &segment.raw);
        self.writer.append(Section::Segments, &row.encode());
    }

    /// Adds framing after the last segment.
    pub fn add_framing(&mut self, framing: &[u8]) {
        self.writer.append(Section::Framing, framing);
    }

    /// The bytes that are ready; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    /// Files with content, up to now.
    pub const fn files(&self) -> u64 {
        self.files
    }

    /// Ends the recipe: the bytes that were not given out yet.
    #[must_use]
    pub fn finish(self, summary: &Summary) -> Vec<u8> {
        self.writer.finish(summary)
    }
}
