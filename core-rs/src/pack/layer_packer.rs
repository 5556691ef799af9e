//! The files of a layer on their way into a pack.

use std::collections::{BTreeSet, VecDeque};

use super::error::LayerPackError;
use super::file_packer::{FilePacker, PackedFiles, Wanted};
use crate::digest::FileId;
use crate::ingest::{LayerEvent, LayerReader};
use crate::recipe::{ReadAt, RecipeIndex};
use crate::restore::{TarMap, read_file_ids};

/// Takes a layer whose bytes come in pieces, and gives the bytes to append to a pack:
/// [`push`](Self::push), [`step`](Self::step) until it is false, and so on, until it
/// [`is_done`](Self::is_done); then [`finish`](Self::finish). Bytes that are ready can be
/// [taken](Self::take) at any time.
#[derive(Debug)]
pub struct LayerPacker {
    reader: LayerReader,
    is_finished: bool,
    files: FilePacker,
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
        Ok(Self {
            reader: LayerReader::new(tar.size()),
            is_finished: false,
            files: FilePacker::of_recipe(wanted, size, front)?,
        })
    }

    /// Whether all files were taken: no more bytes are needed.
    pub fn is_done(&self) -> bool {
        self.files.first().is_none()
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
        let Some(file) = self.files.first() else {
            return Ok(false);
        };
        let (number, offset) = (file.number, file.offset);
        match self.reader.next_event()? {
            Some(
                LayerEvent::Segment { segment, .. } | LayerEvent::FrameSegment { segment, .. },
            ) => self.files.take_tar(segment.plain())?,
            Some(LayerEvent::Framing(_)) => {}
            None if self.is_finished => return Err(LayerPackError::FileMissing { number, offset }),
            None => return Ok(false),
        }
        Ok(true)
    }

    /// The bytes that are ready for the pack; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        self.files.take()
    }

    /// Ends the pack's last block: the bytes that were not taken yet, and what was written.
    ///
    /// # Errors
    /// If the block cannot be made, or files are missing.
    pub fn finish(self) -> Result<(Vec<u8>, PackedFiles), LayerPackError> {
        self.files.finish()
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
