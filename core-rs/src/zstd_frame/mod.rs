//! zstd frames as layers have them (RFC 8878): read block by block, and made again by libzstd.
//!
//! A frame is made again by the same call of libzstd over the same text: nothing is kept of its blocks.
//! [`FrameMatcher`] finds that call while a layer is read, by making the frame beside it.

pub mod call;
pub mod encoder;
pub mod error;
pub mod header;
pub mod inexact;
pub mod matcher;
pub mod reader;

pub use call::ZstdCall;
pub use encoder::{EncodeError, FrameEncoder};
pub use error::FrameError;
pub use header::{FrameHeader, begins_frame};
pub use inexact::Inexact;
pub use matcher::FrameMatcher;
pub use reader::{FrameReader, FrameSegment, FrameStep};
