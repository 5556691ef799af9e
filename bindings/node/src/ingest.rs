//! Takes a layer apart on several threads.
//!
//! One thread reads, inflates, hashes and scans the tar; the others run the models over segments. The
//! recipe is the same whatever their number, as results are put together in the layer's order.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Write};
use std::panic::resume_unwind;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use mica_core::digest::{ContentHasher, DigestAlgorithm};
use mica_core::ingest::{
    Detector, IngestError, IngestSummary, LayerEvent, LayerReader, RecipeBuilder, ScanPart, TarScan,
};
use mica_core::model::{Compressor, Models};
use mica_core::recipe::Summary;
use mica_core::segment::{AnalyzedSegment, Segment, analyze_segment};

use crate::file::{FileError, Input, OutputFile};
use crate::job::{JobContext, JobError};
use crate::report::LayerReport;

/// Bytes read at once.
const PIECE_SIZE: usize = 256 * 1024;

/// The job's inputs.
pub(crate) struct IngestLayer {
    pub(crate) layer: Input,
    pub(crate) algorithm: DigestAlgorithm,
    /// Bytes that the layer's tar may have.
    pub(crate) tar_limit: u64,
    /// Where the recipe goes.
    pub(crate) recipe: String,
    /// Threads that run models.
    pub(crate) workers: usize,
}
