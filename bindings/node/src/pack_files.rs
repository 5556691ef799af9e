//! Writes the files of a layer into a pack.

use std::collections::{BTreeSet, VecDeque};

use mica_core::digest::{FileHasher, FileId};
use mica_core::error::CoreError;
use mica_core::ingest::{LayerEvent, LayerReader};
use mica_core::pack::{PackOptions, PackWriter, PackedBlock};
use mica_core::recipe::RecipeIndex;
use mica_core::restore::{FilePlace, TarMap, read_file_ids};
use thiserror::Error;

use crate::file::{Input, InputFile, OutputFile};
use crate::job::{JobContext, JobError};
use crate::place::PackPlace;
use crate::recipe_file::{RecipeFile, SourceError};

/// Bytes read at once.
const PIECE_SIZE: usize = 256 * 1024;

/// A file of the layer is not the one that the recipe names: recipe and layer do not belong together.
#[derive(Debug, Error)]
#[error("file {number} of the layer is {got}, expected {expected}")]
struct OtherFileError {
    number: u32,
    got: FileId,
    expected: FileId,
}

impl CoreError for OtherFileError {
    fn code(&self) -> &'static str {
        "LAYER_OTHER_FILE"
    }
}

/// The layer ends before the recipe's last file.
#[derive(Debug, Error)]
#[error("the layer ends before file {number} of its recipe does")]
struct FileMissingError {
    number: u32,
}

impl CoreError for FileMissingError {
    fn code(&self) -> &'static str {
        "LAYER_FILE_MISSING"
    }
}

/// The job's inputs.
pub(crate) struct PackFiles {
    pub(crate) layer: Input,
    pub(crate) recipe: Input,
    /// Path of the pack, which is appended to, and made if need be.
    pub(crate) pack: String,
    /// Numbers of the files in the recipe, in order; each different file once when absent.
    pub(crate) files: Option<Vec<u32>>,
}

/// What was written.
pub(crate) struct Packed {
    /// Bytes of the pack before and after.
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// Numbers of the files that were written, in order, and where they are.
    pub(crate) files: Vec<u32>,
    pub(crate) places: Vec<PackPlace>,
}

impl PackFiles {
    /// # Errors
    /// The files' errors, the layer's and the recipe's, and [`JobError::Canceled`]. What the pack has
    /// after its old end is of no use then.
    pub(crate) fn run(self, context: &JobContext) -> Result<Packed, JobError> {
        let layer = self.layer.open()?;
        let recipe = RecipeFile::new(self.recipe.open()?)?;
        let index = RecipeIndex::read(&recipe)?;
        let tar = TarMap::read(&recipe, &index)?;
        let ids = read_file_ids(&recipe, &index)?;
        let wanted = wanted_files(self.files, tar.files(), &ids);
        let mut pack = OutputFile::append(self.pack)?;
        if pack.size() == 0 {
            pack.write(&PackWriter::header())?;
        }
        let packing = Packing {
            context,
            writer: PackWriter::append(PackOptions::default(), pack.size())?,
            start: pack.size(),
            pack,
            hasher: FileHasher::new(),
            offset: 0,
            files: wanted.iter().map(|file| file.number).collect(),
            wanted: wanted.into(),
            places: Vec::new(),
        };
        packing.run(&layer, LayerReader::new(tar.size()))
    }
}

/// A file to be written.
#[derive(Clone, Copy)]
struct Wanted {
    number: u32,
    id: FileId,
    offset: u64,
    size: u64,
}

fn wanted_files(numbers: Option<Vec<u32>>, places: &[FilePlace], ids: &[FileId]) -> Vec<Wanted> {
    let mut seen = BTreeSet::new();
    let all = || (0..places.len()).filter_map(|number| u32::try_from(number).ok());
    let is_all = numbers.is_none();
    let numbers = numbers.unwrap_or_else(|| all().collect());
    let wanted = numbers.into_iter().filter_map(|number| {
        let index = usize::try_from(number).ok()?;
        let (place, id) = (places.get(index)?, *ids.get(index)?);
        Some(Wanted {
            number,
            id,
            offset: place.offset,
            size: place.size,
        })
    });
    wanted
        .filter(|file| !is_all || seen.insert(file.id))
        .collect()
}

struct Packing<'a> {
    context: &'a JobContext,
    writer: PackWriter,
    pack: OutputFile,
    start: u64,
    hasher: FileHasher,
    /// Bytes of tar that were taken.
    offset: u64,
    /// The files not taken yet; the first may be open.
    wanted: VecDeque<Wanted>,
    files: Vec<u32>,
    places: Vec<PackPlace>,
}

impl Packing<'_> {
    fn run(mut self, layer: &InputFile, mut reader: LayerReader) -> Result<Packed, JobError> {
        let mut piece = vec![0; PIECE_SIZE];
        let mut offset = 0_u64;
        while !self.wanted.is_empty() {
            self.context.check()?;
            let count = layer.read(&mut piece, offset)?;
            if count == 0 {
                reader.finish();
            }
            reader.push(piece.get(..count).unwrap_or_default());
            offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            while let Some(event) = reader.next_event()? {
                self.context.check()?;
                match event {
                    LayerEvent::Segment { segment, .. } => self.take(segment.plain())?,
                    LayerEvent::Plain(plain) => self.take(&plain)?,
                    LayerEvent::Framing(_) => {}
                }
            }
            self.context.progress(offset);
            if let Some(file) = self.wanted.front().filter(|_| count == 0) {
                return Err(FileMissingError {
                    number: file.number,
                }
                .into());
            }
        }
        let last = self.writer.flush()?;
        self.write(last)?;
        self.pack.sync()?;
        Ok(Packed {
            start: self.start,
            end: self.pack.size(),
            files: self.files,
            places: self.places,
        })
    }

    /// Takes the next bytes of the tar.
    fn take(&mut self, tar: &[u8]) -> Result<(), JobError> {
        let start = self.offset;
        self.offset = start.saturating_add(u64::try_from(tar.len()).unwrap_or(u64::MAX));
        while let Some(&file) = self.wanted.front() {
            let end = file.offset.saturating_add(file.size);
            let from = file.offset.max(start);
            let to = end.min(self.offset);
            if from >= to {
                return Ok(());
            }
            if from == file.offset {
                self.hasher = FileHasher::new();
                self.writer.begin_file(file.id, file.size)?;
            }
            let within = |offset: u64| usize::try_from(offset.saturating_sub(start)).ok();
            let content = within(from).zip(within(to));
            let content = content.and_then(|(from, to)| tar.get(from..to));
            let content = content.unwrap_or_default();
            self.hasher.update(content);
            let full = self.writer.push(content)?;
            self.write(full)?;
            if to < end {
                return Ok(());
            }
            self.end_file(file)?;
        }
        Ok(())
    }

    fn end_file(&mut self, file: Wanted) -> Result<(), JobError> {
        let got = std::mem::take(&mut self.hasher).finish();
        if got != file.id {
            return Err(OtherFileError {
                number: file.number,
                got,
                expected: file.id,
            }
            .into());
        }
        self.writer.end_file()?;
        self.wanted.pop_front();
        Ok(())
    }

    fn write(&mut self, blocks: impl IntoIterator<Item = PackedBlock>) -> Result<(), SourceError> {
        for block in blocks {
            self.pack.write(&block.bytes)?;
            let places = block.files.iter().map(|file| PackPlace {
                block_offset: file.place.block_offset,
                offset: file.place.offset,
                pack: 0,
            });
            self.places.extend(places);
        }
        Ok(())
    }
}
