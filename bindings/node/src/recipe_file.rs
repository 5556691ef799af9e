//! A recipe in a file, for the core to read.

use std::sync::Arc;

use mica_core::error::CoreError;
use mica_core::pack::{PackError, PackWriteError, ReadFileError};
use mica_core::recipe::{ReadAt, RecipeError};
use mica_core::restore::RestoreError;

use crate::file::{FileError, InputFile};
use crate::job::JobError;

/// What can go wrong between files and the core.
pub(crate) struct SourceError(pub(crate) Box<dyn CoreError + Send>);

macro_rules! from_errors {
    ($($error:ty),*) => {
        $(impl From<$error> for SourceError {
            fn from(error: $error) -> Self {
                Self(Box::new(error))
            }
        })*
    };
}

from_errors!(
    FileError,
    PackError,
    PackWriteError,
    ReadFileError,
    RecipeError,
    RestoreError
);

impl From<SourceError> for JobError {
    fn from(error: SourceError) -> Self {
        Self::Failed(error.0)
    }
}

/// A recipe's file. Threads share it.
#[derive(Clone)]
pub(crate) struct RecipeFile {
    file: Arc<InputFile>,
    size: u64,
}

impl RecipeFile {
    /// # Errors
    /// [`FileError`] when the file system does not say how large it is.
    pub(crate) fn new(file: InputFile) -> Result<Self, FileError> {
        let size = file.size()?;
        Ok(Self {
            file: Arc::new(file),
            size,
        })
    }
}

impl ReadAt for RecipeFile {
    type Error = SourceError;

    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, SourceError> {
        let expected = offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        let got = self.size;
        if expected > got {
            return Err(RecipeError::TooShort { got, expected }.into());
        }
        let bytes = self.file.read_exactly(offset, length)?;
        bytes.ok_or_else(|| RecipeError::TooShort { got, expected }.into())
    }
}
