//! Segments: stretches of about a mebibyte of plain text that are rebuilt each on its own.

pub mod analyze;
pub mod blocks;
pub mod corrections;
pub mod cut;
pub mod detect;
pub mod error;
pub mod headers;
pub mod rebuild;
pub mod replay;

pub use analyze::{AnalyzedSegment, analyze_segment};
pub use corrections::{Change, Correction, decode_corrections, encode_corrections};
pub use cut::{Cut, Cutter, FirstBits, Segment, SegmentBlock};
pub use detect::detect;
pub use error::ReplayError;
pub use rebuild::{RebuildError, rebuild_segment};
pub use replay::{FoundBlock, SegmentText, Stretch, find_corrections, find_tokens};
