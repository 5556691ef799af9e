//! Where the files of a recipe are in packs.

use super::error::RestoreError;
use super::layer::Restorer;
use crate::digest::{FILE_ID_SIZE, FileId};
use crate::pack::{FileStart, PackPlace};
use crate::recipe::{ReadAt, Section, SectionReader};

/// The places of a recipe's files in one or more packs, 16 bytes each.
#[derive(Clone, Debug)]
pub struct FileMap {
    places: Vec<PackPlace>,
}

/// Reads ids from a recipe, which are not kept: neighbours in a layer are neighbours there. Each thread
/// has its own.
#[derive(Debug)]
pub struct FileIds {
    reader: SectionReader,
    id: Vec<u8>,
}

impl FileMap {
    /// `places` has one place for each file of the recipe, in its order.
    ///
    /// # Errors
    /// [`RestoreError::Places`] if the recipe has another number of files.
    pub fn new(restorer: &Restorer, places: Vec<PackPlace>) -> Result<Self, RestoreError> {
        let (got, expected) = (places.len(), restorer.tar().file_count());
        if got != expected {
            return Err(RestoreError::Places { got, expected });
        }
        Ok(Self { places })
    }

    /// The pack that a file is in, and where; none if there is no such file.
    ///
    /// # Errors
    /// If the file's id cannot be read from the recipe.
    pub fn find<R: ReadAt>(
        &self,
        ids: &mut FileIds,
        recipe: &R,
        restorer: &Restorer,
        file: u64,
    ) -> Result<Option<(u32, FileStart)>, R::Error> {
        let number = usize::try_from(file).unwrap_or(usize::MAX);
        let (Some(place), Some(in_tar)) = (self.places.get(number), restorer.tar().file(number))
        else {
            return Ok(None);
        };
        let start = FileStart {
            id: ids.read(recipe, restorer, file)?,
            block_offset: place.block_offset,
            offset: place.offset,
            size: in_tar.size,
        };
        Ok(Some((place.pack, start)))
    }
}

impl Default for FileIds {
    fn default() -> Self {
        Self {
            reader: SectionReader::new(Section::Files),
            id: Vec::new(),
        }
    }
}

impl FileIds {
    fn read<R: ReadAt>(
        &mut self,
        recipe: &R,
        restorer: &Restorer,
        file: u64,
    ) -> Result<FileId, R::Error> {
        self.id.clear();
        let (offset, size) = (file * FILE_ID_SIZE as u64, FILE_ID_SIZE as u64);
        self.reader
            .read(recipe, restorer.index(), offset, size, &mut self.id)?;
        // The reader gives as many bytes as it is asked for.
        let id = self.id.first_chunk().copied().unwrap_or_default();
        Ok(FileId::from(id))
    }
}
