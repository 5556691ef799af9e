//! Reads a whole pack on a thread and tells what of it is whole.

use mica_core::pack::{self, BlockLimits, PackCheck, WantedBytes};

use crate::file::Input;
use crate::job::{JobContext, JobError};

/// The job's inputs.
pub(crate) struct CheckPack {
    pub(crate) pack: Input,
    /// Bytes of the pack; all that the file has when absent.
    pub(crate) size: Option<u64>,
}

impl CheckPack {
    /// # Errors
    /// The file's errors, and [`JobError::Canceled`].
    pub(crate) fn run(self, context: &JobContext) -> Result<pack::CheckedPack, JobError> {
        let file = self.pack.open()?;
        let size = match self.size {
            Some(size) => size,
            None => file.size()?,
        };
        let mut check = PackCheck::new(size, BlockLimits::default());
        let mut bytes = Vec::new();
        while let Some(WantedBytes { offset, length }) = check.wanted() {
            context.check()?;
            let count = file.read_up_to(&mut bytes, offset, length)?;
            check.take(bytes.get(..count).unwrap_or_default());
            context.progress(offset);
        }
        Ok(check.finish())
    }
}
