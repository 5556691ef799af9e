//! The files of a layer on their way into a pack.

use std::collections::{BTreeSet, VecDeque};

use thiserror::Error;

use super::error::{PackError, PackWriteError};
use super::header::{PACK_HEADER_SIZE, decode_pack_header};
use super::place::PackPlace;
use super::writer::{PackOptions, PackWriter, PackedBlock};
use crate::digest::{FileHasher, FileId};
use crate::fields::length_u64;
use crate::ingest::{IngestError, LayerEvent, LayerReader};
use crate::recipe::{ReadAt, RecipeIndex};
use crate::restore::{FilePlace, TarMap, read_file_ids};

/// Why the files of a layer cannot be packed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LayerPackError {
    /// The layer cannot be read.
    #[error(transparent)]
    Layer(#[from] IngestError),
    /// What is to be appended to is no pack.
    #[error(transparent)]
    Pack(#[from] PackError),
    /// A block cannot be made.
    #[error(transparent)]
    Write(#[from] PackWriteError),
    /// A file is asked for that the recipe does not have, or not in its order.
    #[error("file {got} is asked for, expected ascending numbers below {expected}")]
    FileNumber {
        /// The number.
        got: u32,
        /// Files of the recipe.
        expected: usize,
    },
    /// A file of the layer is not the one that the recipe names: they do not belong together.
    #[error("file {number}, at offset {offset} of the tar, is {got}, expected {expected}")]
    OtherFile {
        /// The file's number in the recipe.
        number: u32,
        /// Where it begins in the tar.
        offset: u64,
        /// What it is.
        got: FileId,
        /// What the recipe says.
        expected: FileId,
    },
    /// The layer ends before the last file wanted.
    #[error("tar ends before file {number}, at offset {offset}, does")]
    FileMissing {
        /// The file's number in the recipe.
        number: u32,
        /// Where it should begin in the tar.
        offset: u64,
    },
}

/// Files that were written into a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedFiles {
    /// Bytes of the pack before.
    pub start: u64,
    /// Bytes of the pack after.
    pub end: u64,
    /// Numbers of the files in the recipe, in the order of the pack.
    pub files: Vec<u32>,
    /// Where they are; the pack is number 0.
    pub places: Vec<PackPlace>,
}

/// A file to be written.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    number: u32,
    id: FileId,
    offset: u64,
    size: u64,
}

impl Wanted {
    const fn new(number: u32, place: FilePlace, id: FileId) -> Self {
        Self {
            number,
            id,
            offset: place.offset,
            size: place.size,
        }
    }
}

/// Takes a layer whose bytes come in pieces, and gives the bytes to append to a pack:
/// [`push`](Self::push), [`step`](Self::step) until it is false, and so on, until it
/// [`is_done`](Self::is_done); then [`finish`](Self::finish). Bytes that are ready can be
/// [taken](Self::take) at any time.
#[derive(Debug)]
pub struct LayerPacker {
    reader: LayerReader,
    is_finished: bool,
    writer: PackWriter,
    hasher: FileHasher,
    /// Bytes of tar that were taken.
    offset: u64,
    /// The files not taken yet; the first may be open.
    wanted: VecDeque<Wanted>,
    ready: Vec<u8>,
    packed: PackedFiles,
}

impl LayerPacker {
    /// Packs the files of these numbers in the recipe, which ascend; each different file once when
    /// absent. The pack has `size` bytes and begins with `front`, of which as many are looked at as a
    /// pack header has.
    ///
    /// # Errors
    /// If the recipe cannot be read or does not have the files, or the pack is none.
    pub fn new<R, E>(
        recipe: &R,
        numbers: Option<&[u32]>,
        (size, front): (u64, &[u8]),
    ) -> Result<Self, E>
    where
        R: ReadAt,
        E: From<R::Error> + From<LayerPackError>,
    {
        let index = RecipeIndex::read(recipe)?;
        let tar = TarMap::read(recipe, &index)?;
        let ids = read_file_ids(recipe, &index)?;
        let wanted = match numbers {
            Some(numbers) => wanted_files(numbers, &tar, &ids)?,
            None => different_files(&tar, &ids),
        };
        Ok(Self::with_files(wanted, tar.size(), size, front)?)
    }

    fn with_files(
        wanted: VecDeque<Wanted>,
        tar_size: u64,
        size: u64,
        front: &[u8],
    ) -> Result<Self, LayerPackError> {
        let ready = if size == 0 {
            PackWriter::header()
        } else {
            decode_pack_header(front)?;
            Vec::new()
        };
        let header_size = length_u64(PACK_HEADER_SIZE);
        Ok(Self {
            reader: LayerReader::new(tar_size),
            is_finished: false,
            writer: PackWriter::append(PackOptions::default(), size.max(header_size))?,
            hasher: FileHasher::new(),
            offset: 0,
            packed: PackedFiles {
                start: size,
                end: size.max(header_size),
                files: wanted.iter().map(|file| file.number).collect(),
                places: Vec::new(),
            },
            wanted,
            ready,
        })
    }

    /// Whether all files were taken: no more bytes are needed.
    pub fn is_done(&self) -> bool {
        self.wanted.is_empty()
    }

    /// Takes the next bytes of the layer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.reader.push(bytes);
    }

    /// Says that there are no more bytes.
    pub fn finish_input(&mut self) {
        self.is_finished = true;
        self.reader.finish();
    }

    /// Does the next piece of work, of some megabytes at most; false if it needs more bytes first, or
    /// is done.
    ///
    /// # Errors
    /// What is wrong with the layer, or that it is not the recipe's.
    pub fn step(&mut self) -> Result<bool, LayerPackError> {
        let Some(file) = self.wanted.front() else {
            return Ok(false);
        };
        let (number, offset) = (file.number, file.offset);
        match self.reader.next_event()? {
            Some(
                LayerEvent::Segment { segment, .. } | LayerEvent::FrameSegment { segment, .. },
            ) => self.take_tar(segment.plain())?,
            Some(LayerEvent::Framing(_)) => {}
            None if self.is_finished => return Err(LayerPackError::FileMissing { number, offset }),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The bytes that are ready for the pack; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Ends the pack's last block: the bytes that were not taken yet, and what was written.
    ///
    /// # Errors
    /// If the block cannot be made, or files are missing.
    pub fn finish(mut self) -> Result<(Vec<u8>, PackedFiles), LayerPackError> {
        if let Some(&Wanted { number, offset, .. }) = self.wanted.front() {
            return Err(LayerPackError::FileMissing { number, offset });
        }
        let last = self.writer.flush()?;
        self.write(last);
        Ok((self.ready, self.packed))
    }

    /// Takes the next bytes of the tar.
    fn take_tar(&mut self, tar: &[u8]) -> Result<(), LayerPackError> {
        let start = self.offset;
        self.offset = start.saturating_add(length_u64(tar.len()));
        while let Some(&file) = self.wanted.front() {
            let end = file.offset.saturating_add(file.size);
            let (from, to) = (file.offset.max(start), end.min(self.offset));
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
            self.write(full);
            if to < end {
                return Ok(());
            }
            self.end_file(file)?;
        }
        Ok(())
    }

    fn end_file(&mut self, file: Wanted) -> Result<(), LayerPackError> {
        let got = std::mem::take(&mut self.hasher).finish();
        if got != file.id {
            return Err(LayerPackError::OtherFile {
                number: file.number,
                offset: file.offset,
                got,
                expected: file.id,
            });
        }
        self.writer.end_file()?;
        self.wanted.pop_front();
        Ok(())
    }

    fn write(&mut self, blocks: impl IntoIterator<Item = PackedBlock>) {
        for block in blocks {
            self.ready.extend_from_slice(&block.bytes);
            self.packed.end = block.offset.saturating_add(length_u64(block.bytes.len()));
            let places = block.files.iter().map(|file| PackPlace {
                block_offset: file.place.block_offset,
                offset: file.place.offset,
                pack: 0,
            });
            self.packed.places.extend(places);
        }
    }
}

fn wanted_files(
    numbers: &[u32],
    tar: &TarMap,
    ids: &[FileId],
) -> Result<VecDeque<Wanted>, LayerPackError> {
    let mut last = None;
    let mut take = |number: u32| {
        let is_after = last.replace(number).is_none_or(|last| last < number);
        let index = usize::try_from(number).ok().filter(|_| is_after)?;
        Some(Wanted::new(number, tar.file(index)?, *ids.get(index)?))
    };
    let files = numbers.iter().map(|&number| {
        take(number).ok_or(LayerPackError::FileNumber {
            got: number,
            expected: tar.file_count(),
        })
    });
    files.collect()
}

/// Each different file, where it occurs first.
fn different_files(tar: &TarMap, ids: &[FileId]) -> VecDeque<Wanted> {
    let mut seen = BTreeSet::new();
    let files = tar.files().zip(ids).enumerate();
    files
        .filter(|(_, (_, id))| seen.insert(**id))
        .filter_map(|(number, (place, id))| {
            Some(Wanted::new(u32::try_from(number).ok()?, place, *id))
        })
        .collect()
}
