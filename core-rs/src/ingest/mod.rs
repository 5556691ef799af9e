//! Takes a layer apart: into segments, tar skeleton and files.
//!
//! The work is cut so that it can be spread over threads: a [`LayerFront`] does what has to be done
//! byte after byte; [`analyze_segment`](crate::segment::analyze_segment) can be run for all segments at
//! once; a [`RecipeBuilder`] puts the results together in order. [`LayerIngest`] does all of it on one
//! thread.

pub mod builder;
pub mod detector;
pub mod error;
pub mod front;
mod input;
pub mod layer;
pub mod reader;
pub mod report;
pub mod scan;

pub use builder::RecipeBuilder;
pub use detector::Detector;
pub use error::IngestError;
pub use front::{FrontItem, FrontSummary, LayerFront};
pub use layer::LayerIngest;
pub use reader::{LayerEvent, LayerReader};
pub use report::LayerReport;
pub use scan::{FileReference, ScanPart, TarScan};
