//! Makes a layer again, part by part, each part as a job of its own.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use mica_core::pack::{
    BLOCK_HEADER_SIZE, Block, BlockHeader, BlockLimits, BlockSource, FileReader, FileStart,
    decode_block, decode_block_header,
};
use mica_core::restore::{FileSource, RestoreError, Restorer, Scratch};

use crate::file::{Input, InputFile};
use crate::job::{JobContext, JobError};
use crate::place::PackPlace;
use crate::recipe_file::{RecipeFile, SourceError};

/// Blocks that are kept, shared by all parts of a layer: neighbouring parts need the same ones.
const MAX_BLOCKS: usize = 8;

/// The inputs of the job that begins a restoration.
pub(crate) struct OpenRestoration {
    pub(crate) recipe: Input,
    pub(crate) packs: Vec<Input>,
    /// Where each file of the recipe is, in its order.
    pub(crate) places: Vec<PackPlace>,
}

/// A layer that can be made again. Threads share it.
pub(crate) struct Restoration {
    restorer: Restorer,
    recipe: RecipeFile,
    packs: Packs,
    places: Vec<PackPlace>,
    /// What threads that work on no part have left here.
    idle: Mutex<Vec<Worker>>,
}

#[derive(Default)]
struct Worker {
    scratch: Scratch,
    reader: FileReader,
}

struct Packs {
    files: Vec<InputFile>,
    blocks: Mutex<VecDeque<CachedBlock>>,
}

#[derive(Clone)]
struct CachedBlock {
    pack: u32,
    offset: u64,
    header: BlockHeader,
    block: Arc<Block>,
}

impl OpenRestoration {
    /// # Errors
    /// The files' errors and the recipe's.
    pub(crate) fn run(self, context: &JobContext) -> Result<Restoration, JobError> {
        context.check()?;
        let recipe = RecipeFile::new(self.recipe.open()?)?;
        let restorer = Restorer::read::<_, SourceError>(&recipe)?;
        let files: Result<_, _> = self.packs.into_iter().map(Input::open).collect();
        Ok(Restoration {
            restorer,
            recipe,
            packs: Packs {
                files: files?,
                blocks: Mutex::default(),
            },
            places: self.places,
            idle: Mutex::default(),
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
    pub(crate) fn part(&self, number: usize, context: &JobContext) -> Result<Vec<u8>, JobError> {
        context.check()?;
        let mut worker = self.lock_idle().pop().unwrap_or_default();
        let mut bytes = Vec::new();
        let mut files = Files {
            restoration: self,
            reader: &mut worker.reader,
        };
        let scratch = &mut worker.scratch;
        let made = self.restorer.restore_part::<_, _, SourceError>(
            scratch,
            &self.recipe,
            &mut files,
            number,
            &mut bytes,
        );
        self.lock_idle().push(worker);
        made?;
        Ok(bytes)
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Worker>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A layer's files, out of packs.
struct Files<'a> {
    restoration: &'a Restoration,
    reader: &'a mut FileReader,
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
            packs,
            places,
            ..
        } = self.restoration;
        let index = usize::try_from(file).unwrap_or(usize::MAX);
        let size = restorer.tar().files().get(index).map(|file| file.size);
        let (Some(place), Some(size)) = (places.get(index), size) else {
            return Err(RestoreError::FileLength {
                file,
                offset,
                got: 0,
                expected: length,
            }
            .into());
        };
        let start = FileStart {
            block_offset: place.block_offset,
            offset: place.offset,
            size,
        };
        let mut packs = packs;
        let range = (offset, length);
        self.reader
            .read(&mut packs, place.pack, start, range, output)
    }
}

impl BlockSource for &Packs {
    type Error = SourceError;

    fn block_header(&mut self, pack: u32, offset: u64) -> Result<BlockHeader, SourceError> {
        if let Some(cached) = self.find(pack, offset) {
            return Ok(cached.header);
        }
        let bytes = self.read(pack, offset, BLOCK_HEADER_SIZE)?;
        Ok(decode_block_header(&bytes, BlockLimits::default())?)
    }

    fn block(&mut self, pack: u32, offset: u64) -> Result<Arc<Block>, SourceError> {
        if let Some(cached) = self.find(pack, offset) {
            return Ok(cached.block);
        }
        let header = self.block_header(pack, offset)?;
        let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
        let bytes = self.read(pack, offset, length)?;
        let block = Arc::new(decode_block(&bytes, BlockLimits::default())?);
        let mut blocks = self.lock();
        blocks.truncate(MAX_BLOCKS - 1);
        blocks.push_front(CachedBlock {
            pack,
            offset,
            header,
            block: Arc::clone(&block),
        });
        Ok(block)
    }
}

impl Packs {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<CachedBlock>> {
        self.blocks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, pack: u32, offset: u64) -> Option<CachedBlock> {
        let blocks = self.lock();
        let mut found = blocks
            .iter()
            .filter(|cached| cached.pack == pack && cached.offset == offset);
        found.next().cloned()
    }

    fn read(&self, pack: u32, offset: u64, length: usize) -> Result<Vec<u8>, SourceError> {
        let index = usize::try_from(pack).unwrap_or(usize::MAX);
        let file = self.files.get(index).ok_or(RestoreError::NoPack {
            pack,
            packs: self.files.len(),
        })?;
        let bytes = file.read_exactly(offset, length)?;
        let end = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        bytes.ok_or_else(|| RestoreError::PackEnd { pack, end }.into())
    }
}
