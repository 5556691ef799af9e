//! Segments: stretches of about a mebibyte of plain text that are rebuilt each on its own.

pub mod corrections;
pub mod cut;
pub mod error;
pub mod replay;

pub use corrections::{Change, Correction, decode_corrections, encode_corrections};
pub use cut::{Cut, Cutter, FirstBits, Segment, SegmentBlock};
pub use error::ReplayError;
pub use replay::{SegmentText, Stretch, find_corrections, find_tokens};
