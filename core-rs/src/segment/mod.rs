//! Segments: stretches of about a mebibyte of plain text that are rebuilt each on its own.

pub mod corrections;
pub mod error;
pub mod replay;

pub use corrections::{Change, Correction};
pub use error::ReplayError;
pub use replay::{SegmentText, Stretch, find_corrections, find_tokens};
