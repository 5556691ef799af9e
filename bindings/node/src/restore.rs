//! Makes a layer again, part by part, each part as a job of its own.

use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use mica_core::pack::{FileReader, PackPlace};
use mica_core::restore::{
    FileIds, FileMap, FileSource, LayerEncoder, RestoreError, Restorer, Scratch,
};

use crate::file::Input;
use crate::job::{JobContext, JobError};
use crate::packs::Packs;
use crate::recipe_file::{RecipeFile, SourceError};

/// Buffers that are kept for later parts. More are only used while many read at the same time.
const MAX_SPARES: usize = 4;

/// The inputs of the job that begins a restoration.
pub(crate) struct OpenRestoration {
    pub(crate) recipe: Input,
    pub(crate) packs: Vec<Input>,
    /// Where each file of the recipe is, in its order.
    pub(crate) places: Vec<PackPlace>,
}

/// Buffers of parts that were taken, for parts to come: what threads take from the allocator one after
/// the other and free elsewhere leaves holes in its heaps.
#[derive(Default)]
struct Spares(Mutex<Vec<Vec<u8>>>);

/// A part's bytes, whose buffer is used again.
pub(crate) struct PartBytes {
    bytes: Vec<u8>,
    spares: Arc<Spares>,
}

/// A layer that can be made again. Threads share it.
pub(crate) struct Restoration {
    restorer: Restorer,
    recipe: RecipeFile,
    packs: Packs,
    map: FileMap,
    /// What threads that work on no part have left here.
    idle: Mutex<Vec<Worker>>,
    spares: Arc<Spares>,
}

#[derive(Default)]
struct Worker {
    scratch: Scratch,
    ids: FileIds,
    reader: FileReader,
    /// The block that was read last, as it is stored.
    stored: Vec<u8>,
}

impl OpenRestoration {
    /// # Errors
    /// The files' errors and the recipe's.
    pub(crate) fn run(self, context: &JobContext) -> Result<Restoration, JobError> {
        context.check()?;
        let recipe = RecipeFile::new(self.recipe.open()?)?;
        let restorer = Restorer::read::<_, SourceError>(&recipe)?;
        let map = FileMap::new(&restorer, self.places)?;
        let files: Result<_, _> = self.packs.into_iter().map(Input::open).collect();
        Ok(Restoration {
            restorer,
            recipe,
            packs: Packs::new(files?),
            map,
            idle: Mutex::default(),
            spares: Arc::default(),
        })
    }
}

impl Restoration {
    pub(crate) const fn restorer(&self) -> &Restorer {
        &self.restorer
    }

    /// A part's bytes, which are the layer's.
    ///
    /// # Errors
    /// The files' errors and the recipe's; [`RestoreError`] when the files are not those of the layer.
    pub(crate) fn part(&self, number: usize, context: &JobContext) -> Result<PartBytes, JobError> {
        context.check()?;
        let mut worker = self.lock_idle().pop().unwrap_or_default();
        let size = self
            .restorer
            .parts()
            .get(number)
            .map_or(0, |part| part.size);
        let mut part = PartBytes::new(&self.spares, size);
        let mut files = Files {
            restoration: self,
            ids: &mut worker.ids,
            reader: &mut worker.reader,
            stored: &mut worker.stored,
        };
        let scratch = &mut worker.scratch;
        let made = self.restorer.restore_part::<_, _, SourceError>(
            scratch,
            &self.recipe,
            &mut files,
            number,
            &mut part.bytes,
        );
        self.lock_idle().push(worker);
        made?;
        Ok(part)
    }

    /// What of a layer is ready once its encoder has taken a part.
    ///
    /// # Errors
    /// [`RestoreError`] when the files are not those of the layer.
    pub(crate) fn encode(
        &self,
        encoder: &mut LayerEncoder,
        part: &[u8],
    ) -> Result<PartBytes, RestoreError> {
        let mut made = PartBytes::new(&self.spares, 0);
        encoder.push(&self.restorer, part, &mut made.bytes)?;
        Ok(made)
    }

    fn lock_idle(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spares {
    fn lock(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PartBytes {
    /// An empty buffer with room for a part of `size` bytes.
    fn new(spares: &Arc<Spares>, size: u64) -> Self {
        let mut bytes = spares.lock().pop().unwrap_or_default();
        bytes.reserve_exact(usize::try_from(size).unwrap_or(0));
        Self {
            bytes,
            spares: Arc::clone(spares),
        }
    }
}

impl Deref for PartBytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for PartBytes {
    fn drop(&mut self) {
        let mut spares = self.spares.lock();
        if spares.len() < MAX_SPARES {
            self.bytes.clear();
            spares.push(std::mem::take(&mut self.bytes));
        }
    }
}

/// A layer's files, out of packs.
struct Files<'a> {
    restoration: &'a Restoration,
    ids: &'a mut FileIds,
    reader: &'a mut FileReader,
    stored: &'a mut Vec<u8>,
}

impl FileSource for Files<'_> {
    type Error = SourceError;

    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), SourceError> {
        let Restoration {
            restorer,
            recipe,
            packs,
            map,
            ..
        } = self.restoration;
        let (pack, start) =
            map.find(self.ids, recipe, restorer, file)?
                .ok_or(RestoreError::FileLength {
                    file,
                    offset,
                    got: 0,
                    expected: length,
                })?;
        let mut blocks = packs.blocks(self.stored);
        let range = (offset, length);
        self.reader.read(&mut blocks, pack, start, range, output)
    }
}
