//! Makes a layer again, part by part, each part as a job of its own.

use std::sync::Arc;

use mica_core::pack::{FileReader, PackPlace};
use mica_core::restore::{FileIds, FileMap, FileSource, LayerEncoder, RestoreError, Restorer};

use crate::file::Input;
use crate::job::{JobContext, JobError};
use crate::packs::Packs;
use crate::recipe_file::{RecipeFile, SourceError};
use crate::restore_memory::{RestoreMemory, Worker};
use crate::spares::PartBytes;

/// The inputs of the job that begins a restoration.
pub(crate) struct OpenRestoration {
    pub(crate) recipe: Input,
    pub(crate) packs: Vec<Input>,
    /// Where each file of the recipe is, in its order.
    pub(crate) places: Vec<PackPlace>,
    pub(crate) memory: Arc<RestoreMemory>,
}

/// A layer that can be made again. Threads share it.
pub(crate) struct Restoration {
    restorer: Restorer,
    recipe: RecipeFile,
    packs: Packs,
    map: FileMap,
    memory: Arc<RestoreMemory>,
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
            packs: Packs::new(files?, Arc::clone(&self.memory.blocks)),
            map,
            memory: self.memory,
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
        let workers = &self.memory.workers;
        let mut worker = workers.take(self.packs.layer());
        let made = self.make(number, &mut worker);
        workers.put_back(worker);
        made
    }

    fn make(&self, number: usize, worker: &mut Worker) -> Result<PartBytes, JobError> {
        let parts = self.restorer.parts();
        let size = parts.get(number).map_or(0, |part| part.size);
        let mut part = self.room(usize::try_from(size).unwrap_or(0));
        let Worker {
            scratch,
            ids,
            reader,
            stored,
            ..
        } = worker;
        let mut files = Files {
            restoration: self,
            ids,
            reader,
            stored,
        };
        self.restorer.restore_part::<_, _, SourceError>(
            scratch,
            &self.recipe,
            &mut files,
            number,
            &mut part.bytes,
        )?;
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
        // What a part becomes is seldom longer.
        let mut made = self.room(part.len());
        encoder.push(&self.restorer, part, &mut made.bytes)?;
        Ok(made)
    }

    fn room(&self, size: usize) -> PartBytes {
        PartBytes::new(&self.memory.spares, size)
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
