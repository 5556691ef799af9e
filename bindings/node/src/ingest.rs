//! Takes a layer apart on several threads.
//!
//! The job's own thread does what goes byte after byte; others run models over segments. The recipe is
//! the same whatever their number, as results are put together in the layer's order. Files that are new go
//! into a pack in the same pass.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use mica_core::digest::DigestAlgorithm;
use mica_core::ingest::{FrontItem, LayerFront, LayerReport, RecipeBuilder, ScanPart};
use mica_core::model::{Compressor, Models};
use mica_core::pack::PackedFiles;
use mica_core::recipe::Encoding;
use mica_core::segment::{AnalyzedSegment, PlainText, Proof, Segment, Trust, analyze_segment};

use crate::file::{Input, InputFile, OutputFile};
use crate::job::{JobContext, JobError};
use crate::layer_pack::LayerPack;

/// Bytes read at once.
const PIECE_SIZE: usize = 256 * 1024;

/// The job's inputs.
pub(crate) struct IngestLayer {
    pub(crate) layer: Input,
    pub(crate) algorithm: DigestAlgorithm,
    /// Bytes that the layer's tar may have.
    pub(crate) tar_limit: u64,
    pub(crate) proof: Proof,
    /// Path of the recipe, which is made.
    pub(crate) recipe: String,
    /// Path of the pack for files that are new, which is appended to, and made if need be.
    pub(crate) pack: Option<String>,
    /// Threads that run models.
    pub(crate) workers: usize,
}

/// A segment for the models.
struct Task {
    segment: Box<Segment>,
    compressor: Compressor,
    proof: Proof,
    result: SyncSender<Analyzed>,
}

/// What the models have done with.
struct Analyzed {
    compressor: Compressor,
    proof: Proof,
    segment: AnalyzedSegment,
    text: PlainText,
}

/// What goes into the recipe next, in the layer's order.
enum Pending {
    Framing(Vec<u8>),
    Segment {
        framing: Vec<u8>,
        tar: ScanPart,
        result: Receiver<Analyzed>,
    },
}

impl IngestLayer {
    /// # Errors
    /// The files' errors, the layer's, the pack's, and [`JobError::Canceled`]. What the pack has after
    /// its old end is of no use then.
    pub(crate) fn run(
        self,
        context: &JobContext,
    ) -> Result<(LayerReport, Option<PackedFiles>), JobError> {
        let layer = self.layer.open()?;
        let recipe = OutputFile::create(self.recipe)?;
        let pack = self.pack.zip(context.questions());
        let pack = pack.map(|(path, questions)| LayerPack::open(path, questions));
        let pack = pack.transpose()?;
        let workers = self.workers.max(1);
        let trust = Trust::new(self.proof);
        // One task waits for each that runs, so that memory is bounded and no thread has to wait.
        let (tasks, queue) = sync_channel(workers);
        // The threads alone hold it: once all have panicked, sending fails instead of waiting for ever.
        let queue = Arc::new(Mutex::new(queue));
        thread::scope(|scope| {
            for number in 0..workers {
                let queue = Arc::clone(&queue);
                let thread = thread::Builder::new().name("mica-segments".to_owned());
                match thread.spawn_scoped(scope, move || analyze_all(&queue, context)) {
                    Ok(_) => {}
                    // The others will come to it.
                    Err(_) if number > 0 => break,
                    Err(error) => return Err(JobError::NoThread(error)),
                }
            }
            drop(queue);
            let ingest = Ingest {
                context,
                tasks,
                recipe,
                pack,
                trust,
                builder: RecipeBuilder::new(),
                pending: VecDeque::new(),
                max_pending: workers * 2 + 1,
            };
            ingest.run(&layer, LayerFront::new(self.algorithm, self.tar_limit))
        })
    }
}

/// What one of the threads does: until there can be no more tasks.
fn analyze_all(queue: &Mutex<Receiver<Task>>, context: &JobContext) {
    let mut models = Models::default();
    loop {
        let task = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = task else { return };
        // What is still queued when the job ends early is of no use.
        if context.check().is_err() {
            continue;
        }
        let Task {
            segment,
            compressor,
            proof,
            result,
        } = task;
        let analyzed = Analyzed {
            compressor,
            proof,
            segment: analyze_segment(&mut models, compressor, &segment, proof),
            text: segment.into_plain(),
        };
        // Nobody waits for it if the job has failed meanwhile.
        drop(result.send(analyzed));
    }
}

/// The job's own thread.
struct Ingest<'a> {
    context: &'a JobContext,
    tasks: SyncSender<Task>,
    recipe: OutputFile,
    pack: Option<LayerPack>,
    trust: Trust,
    builder: RecipeBuilder,
    pending: VecDeque<Pending>,
    max_pending: usize,
}

impl Ingest<'_> {
    fn run(
        mut self,
        layer: &InputFile,
        mut front: LayerFront,
    ) -> Result<(LayerReport, Option<PackedFiles>), JobError> {
        let mut piece = vec![0; PIECE_SIZE];
        let mut offset = 0_u64;
        loop {
            self.context.check()?;
            let count = layer.read(&mut piece, offset)?;
            if count == 0 {
                break;
            }
            front.push(piece.get(..count).unwrap_or_default());
            offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            self.take_items(&mut front)?;
            self.context.progress(offset);
        }
        front.finish_input();
        self.take_items(&mut front)?;
        while !self.pending.is_empty() {
            self.context.check()?;
            self.put_next()?;
        }
        let (tar, summary) = front.finish()?;
        self.add_tar(&tar, PlainText::default())?;
        let (bytes, report) = self.builder.finish(summary);
        self.recipe.write(&bytes)?;
        self.recipe.sync()?;
        let pack = self.pack.map(|pack| pack.finish(self.context));
        Ok((report, pack.transpose()?))
    }

    fn take_items(&mut self, front: &mut LayerFront) -> Result<(), JobError> {
        while let Some(item) = front.next_item()? {
            self.context.check()?;
            // Most of them stay whole, which shows at their end: what was packed would be thrown away.
            if matches!(front.encoding(), Encoding::Zstd(_)) {
                self.pack = None;
            }
            let pending = match item {
                FrontItem::Framing(framing) => Pending::Framing(framing),
                FrontItem::Segment {
                    framing,
                    segment,
                    compressor,
                    tar,
                } => {
                    let (sender, result) = sync_channel(1);
                    let task = Task {
                        segment,
                        compressor,
                        proof: self.trust.next(compressor),
                        result: sender,
                    };
                    // The threads only end once this sender is gone.
                    drop(self.tasks.send(task));
                    Pending::Segment {
                        framing,
                        tar,
                        result,
                    }
                }
            };
            self.pending.push_back(pending);
            while self.pending.len() > self.max_pending {
                self.put_next()?;
            }
        }
        Ok(())
    }

    /// Puts the next part into the recipe, once it is there.
    fn put_next(&mut self) -> Result<(), JobError> {
        match self.pending.pop_front() {
            None => return Ok(()),
            Some(Pending::Framing(framing)) => self.builder.add_framing(&framing),
            Some(Pending::Segment {
                framing,
                tar,
                result,
            }) => {
                // It comes, unless its thread panicked; then the scope panics with it.
                let Analyzed {
                    compressor,
                    proof,
                    segment,
                    text,
                } = result.recv().map_err(|_| JobError::Canceled)?;
                self.trust.note(compressor, proof, &segment);
                self.add_tar(&tar, text)?;
                self.builder.add_segment(&framing, &segment);
            }
        }
        self.recipe.write(&self.builder.take())?;
        Ok(())
    }

    fn add_tar(&mut self, tar: &ScanPart, text: PlainText) -> Result<(), JobError> {
        self.builder.add_tar(tar);
        match &mut self.pack {
            Some(pack) => pack.push(text, &tar.files, self.context),
            None => Ok(()),
        }
    }
}
