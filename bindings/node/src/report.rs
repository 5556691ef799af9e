//! What was found in a layer, for JavaScript.

use mica_core::error::CoreError;
use mica_core::ingest::LayerReport;
use mica_core::pack;
use mica_core::recipe::Section;
use napi_derive::napi;

use crate::number::to_size;
use crate::packed_files::PackedFiles;

/// A layer as a whole.
#[napi(object)]
pub struct LayerSummary {
    /// `identity`, `gzip` or `zstd`.
    #[napi(ts_type = "'identity' | 'gzip' | 'zstd'")]
    pub encoding: String,
    /// Algorithm, colon, lower-case hex.
    pub digest: String,
    /// Bytes.
    pub size: i64,
    /// Digest of the tar.
    pub diff_id: String,
    /// Bytes of the tar.
    pub tar_size: i64,
    /// Files with content, as often as they occur.
    pub files: i64,
}

/// Why a layer cannot be made again.
#[napi(object)]
pub struct Inexact {
    /// Stays the same from version to version.
    pub code: String,
    /// The same in words.
    pub message: String,
}

/// Bytes that each section takes in a recipe.
#[napi(object)]
pub struct SectionSizes {
    /// Ids of the files.
    pub files: i64,
    /// Where files are in the tar.
    pub references: i64,
    /// The tar without its files.
    pub skeleton: i64,
    /// A row for each segment.
    pub segments: i64,
    /// Blocks, and headers that no table builder makes.
    pub blocks: i64,
    /// What models predict wrongly.
    pub corrections: i64,
    /// Segments that are kept as they are.
    pub raw: i64,
    /// gzip headers and trailers, and what follows them.
    pub framing: i64,
}

/// A layer that was taken apart.
#[napi(object)]
pub struct IngestedLayer {
    /// The layer as a whole.
    pub summary: LayerSummary,
    /// Why the layer cannot be made again; absent where it can.
    pub inexact: Option<Inexact>,
    /// Who made the layer; absent where nobody knows.
    pub compressor: Option<String>,
    /// Its level; absent where it has none.
    pub level: Option<i32>,
    /// Segments.
    pub segments: i64,
    /// Segments that are kept as they are.
    pub raw_segments: i64,
    /// Bytes of all files.
    pub file_size: i64,
    /// Bytes of the recipe.
    pub recipe_size: i64,
    /// What its sections take.
    pub section_sizes: SectionSizes,
    /// Files that were packed meanwhile; absent where no pack was given.
    pub packed: Option<PackedFiles>,
}

impl IngestedLayer {
    pub(crate) fn new(report: LayerReport, packed: Option<pack::PackedFiles>) -> Self {
        let size = |section| {
            let size = report.section_sizes.get(&section);
            to_size(size.copied().unwrap_or(0))
        };
        Self {
            section_sizes: SectionSizes {
                files: size(Section::Files),
                references: size(Section::References),
                skeleton: size(Section::Skeleton),
                segments: size(Section::Segments),
                blocks: size(Section::Blocks),
                corrections: size(Section::Corrections),
                raw: size(Section::Raw),
                framing: size(Section::Framing),
            },
            summary: LayerSummary::new(&report.summary),
            inexact: report.summary.encoding.inexact().map(|inexact| Inexact {
                code: inexact.code().to_owned(),
                message: inexact.to_string(),
            }),
            compressor: report.compressor_name().map(str::to_owned),
            level: report.compressor_level().map(i32::from),
            segments: to_size(report.segments),
            raw_segments: to_size(report.raw_segments),
            file_size: to_size(report.file_size),
            recipe_size: to_size(report.recipe_size),
            packed: packed.map(PackedFiles::from),
        }
    }
}

impl LayerSummary {
    pub(crate) fn new(summary: &mica_core::recipe::Summary) -> Self {
        Self {
            encoding: summary.encoding.name().to_owned(),
            digest: summary.digest.clone(),
            size: to_size(summary.size),
            diff_id: summary.diff_id.clone(),
            tar_size: to_size(summary.tar_size),
            files: to_size(summary.files),
        }
    }
}
