//! Where the files of a recipe are in packs.

use super::error::RestoreError;
use super::tar_map::{TarMap, read_file_ids};
use crate::digest::FileId;
use crate::pack::{FileStart, PackPlace};
use crate::recipe::{ReadAt, RecipeIndex};

/// The files of a recipe, each with its place in one of several packs.
#[derive(Clone, Debug)]
pub struct FileMap {
    ids: Vec<FileId>,
    places: Vec<PackPlace>,
}

impl FileMap {
    /// Reads from the recipe which files they are; `places` has one place for each, in its order.
    ///
    /// # Errors
    /// If the recipe cannot be read, or has another number of files.
    pub fn read<R: ReadAt, E: From<RestoreError> + From<R::Error>>(
        recipe: &R,
        index: &RecipeIndex,
        places: Vec<PackPlace>,
    ) -> Result<Self, E> {
        let ids = read_file_ids(recipe, index)?;
        let (got, expected) = (places.len(), ids.len());
        if got != expected {
            return Err(RestoreError::Places { got, expected }.into());
        }
        Ok(Self { ids, places })
    }

    /// The pack that a file is in, and where; none if there is no such file.
    pub fn find(&self, tar: &TarMap, file: u64) -> Option<(u32, FileStart)> {
        let index = usize::try_from(file).ok()?;
        let place = self.places.get(index)?;
        let start = FileStart {
            id: *self.ids.get(index)?,
            block_offset: place.block_offset,
            offset: place.offset,
            size: tar.files().get(index)?.size,
        };
        Some((place.pack, start))
    }
}
