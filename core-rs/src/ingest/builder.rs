//! Puts a recipe together from what was found in a layer, in the layer's order.

use super::front::FrontSummary;
use super::report::{LayerReport, SegmentCounts};
use super::scan::ScanPart;
use crate::recipe::{RecipeWriter, Section, SegmentRow, Summary};
use crate::segment::AnalyzedSegment;
use crate::varint::write_varint;

/// Builds a recipe. Bytes that are ready can be taken at any time.
#[derive(Debug, Default)]
pub struct RecipeBuilder {
    writer: RecipeWriter,
    files: u64,
    file_size: u64,
    counts: SegmentCounts,
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
            self.file_size += file.size;
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
        self.counts
            .add(row.compressor, row.stored_size, row.raw_size > 0);
    }

    /// Adds framing after the last segment.
    pub fn add_framing(&mut self, framing: &[u8]) {
        self.writer.append(Section::Framing, framing);
    }

    /// The bytes that are ready; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        self.writer.take()
    }

    /// Ends the recipe: the bytes that were not given out yet, and what was found in the layer.
    #[must_use]
    pub fn finish(self, front: FrontSummary) -> (Vec<u8>, LayerReport) {
        let summary = Summary {
            encoding: front.encoding,
            digest: front.digest,
            size: front.size,
            diff_id: front.diff_id,
            tar_size: front.tar_size,
            files: self.files,
        };
        let finished = self.writer.finish(&summary);
        let report = LayerReport {
            summary,
            compressor: self.counts.main_compressor(),
            segments: self.counts.segments,
            raw_segments: self.counts.raw_segments,
            file_size: self.file_size,
            recipe_size: finished.size,
            section_sizes: finished.section_sizes,
        };
        (finished.bytes, report)
    }
}
