//! A difference: what a node lacks of an image, as one stream.
//!
//! Manifests and configuration; for each missing layer the files it refers to and what else its tar
//! has; then the files the node lacks, each once, compressed together in blocks as in a
//! [`pack`](crate::pack). The bytes are told in `doc/difference-format.md`.
//!
//! ```
//! use mica_core::difference::{DifferenceDecoder, DifferenceEncoder, DifferenceOptions, Event};
//! use mica_core::difference::{Layer, Reference};
//! use mica_core::digest::FileId;
//!
//! let content = b"what the node lacks";
//! let id = FileId::of(content);
//! let diff_id = format!("sha256:{}", "0".repeat(64)).parse()?;
//!
//! let mut encoder = DifferenceEncoder::new(DifferenceOptions::default())?;
//! let mut stream = encoder.manifest(b"{}")?;
//! stream.extend(encoder.config(b"{}")?);
//! stream.extend(encoder.begin_layer(&Layer { diff_id, reference_count: 1, tar_part_length: 3 })?);
//! stream.extend(encoder.references(&[Reference { id, size: 19 }])?);
//! stream.extend(encoder.tar_part(b"tar")?);
//! encoder.begin_file(id, 19)?;
//! stream.extend(encoder.push(content)?);
//! encoder.end_file()?;
//! stream.extend(encoder.finish()?);
//!
//! let mut decoder = DifferenceDecoder::new();
//! let mut files = Vec::new();
//! decoder.push(&stream, &mut |event: Event<'_>| {
//!     if let Event::Content(bytes) = event {
//!         files.extend_from_slice(bytes);
//!     }
//! })?;
//! decoder.finish()?;
//! assert_eq!(files, content);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

pub mod decode;
pub mod diff_id;
pub mod encode;
pub mod error;
pub mod event;
mod frame;
mod part;
mod rules;

pub use decode::{DifferenceDecoder, DifferenceLimits};
pub use diff_id::{DiffId, ParseDiffIdError};
pub use encode::{DifferenceEncoder, DifferenceOptions};
pub use error::{ContentError, DifferenceError, DifferenceWriteError, Part};
pub use event::{Event, Layer, Reference, Totals};
