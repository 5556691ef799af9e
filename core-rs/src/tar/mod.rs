//! A tar stream as literal bytes and file contents.
//!
//! What is a file's content and where the next header stands is decided as Go's `archive/tar` does,
//! since containerd and dockerd unpack layers with it. Where it would stop because it cannot know
//! that, and after the first block of zeros, the rest of the stream is literal. What else it refuses,
//! such as an owner that is no number or a map of holes that makes no sense, is not looked at.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

pub mod event;
mod header;
pub mod parser;
mod pax;
mod sparse;

pub use event::{FileEnd, FileEntry, TarSink};
pub use parser::{TarError, TarLimits, TarParser};
pub use sparse::SparseFormat;
