//! Takes a layer apart: into segments, tar skeleton and files.
//!
//! The work is cut so that it can be spread over threads: a [`LayerReader`] finds the segments one
//! after the other; a [`TarScan`] takes their plain text in order; [`analyze_segment`] can be run for
//! all of them at once; a [`RecipeBuilder`] puts the results together in order. [`ingest`] does all
//! of it on one thread.

pub mod builder;
pub mod error;
pub mod reader;
pub mod scan;

pub use builder::RecipeBuilder;
pub use error::IngestError;
pub use reader::{LayerEvent, LayerReader};
pub use scan::{FileReference, ScanPart, TarScan};
