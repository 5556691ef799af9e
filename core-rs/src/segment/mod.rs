//! Segments: stretches of plain text, of about a mebibyte, that are rebuilt each on its own.

pub mod analyze;
pub mod blocks;
pub mod corrections;
pub mod cut;
pub mod detect;
pub mod error;
pub mod headers;
mod places;
pub mod rebuild;
pub mod replay;
pub mod split;
pub mod trust;

pub use analyze::{AnalyzedSegment, Proof, analyze_segment};
pub use corrections::{Change, Correction, decode_corrections, encode_corrections};
pub use cut::{Cut, Cutter, FirstBits, PlainText, Segment, SegmentBlock};
pub use detect::detect;
pub use error::ReplayError;
pub use rebuild::{RebuildError, rebuild_segment};
pub use replay::{FoundBlock, MatchForm, SegmentText, Stretch, find_corrections, find_tokens};
pub use split::split_first;
pub use trust::Trust;
