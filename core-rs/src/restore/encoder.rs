//! A zstd layer made again of its tar, from the first byte on.

use super::error::RestoreError;
use super::layer::Restorer;
use super::part::Content;
use crate::recipe::row::check_of;
use crate::zstd_frame::{FrameEncoder, ZstdCall};

/// Takes a layer's tar in pieces, from its start on, and gives the layer. Range or not: what is before
/// the range has to be made too.
#[derive(Debug)]
pub struct LayerEncoder {
    encoder: FrameEncoder,
    tar_size: u64,
    /// Bytes of tar that were taken.
    taken: u64,
    /// The part that is made.
    part: usize,
    /// Bytes of the layer that are not given out yet, as their part is not whole.
    made: Vec<u8>,
}

impl LayerEncoder {
    pub(super) fn new(call: ZstdCall, tar_size: u64) -> Result<Self, RestoreError> {
        Ok(Self {
            encoder: FrameEncoder::new(call, tar_size)?,
            tar_size,
            taken: 0,
            part: 0,
            made: Vec::new(),
        })
    }

    /// Takes the next bytes of tar, and appends those of the layer that are ready to `output`: whole
    /// parts, which are the layer's, or it is an error. The bytes of a part are ready once its tar was
    /// taken.
    ///
    /// # Errors
    /// [`RestoreError::WrongPart`] if the tar is another one.
    pub fn push(
        &mut self,
        restorer: &Restorer,
        mut tar: &[u8],
        output: &mut Vec<u8>,
    ) -> Result<(), RestoreError> {
        while let Some(part) = restorer.parts().get(self.part) {
            let left = (part.tar_offset + part.tar_size).saturating_sub(self.taken);
            let count = usize::try_from(left).map_or(tar.len(), |left| left.min(tar.len()));
            let (piece, after) = tar.split_at(count);
            tar = after;
            self.taken += count as u64;
            let is_whole = count as u64 == left;
            let is_end = is_whole && self.part + 1 == restorer.parts().len();
            if is_end {
                self.encoder.finish(piece, &mut self.made)?;
            } else {
                self.encoder.push(piece, &mut self.made)?;
            }
            if !is_whole {
                return Ok(());
            }
            self.take_part(restorer, output)?;
        }
        let expected = self.tar_size;
        let got = self.taken + tar.len() as u64;
        if tar.is_empty() {
            return Ok(());
        }
        Err(RestoreError::Inconsistent {
            what: "tar",
            got,
            expected,
        })
    }

    /// Gives out the bytes of the part whose tar was taken.
    fn take_part(&mut self, restorer: &Restorer, output: &mut Vec<u8>) -> Result<(), RestoreError> {
        let number = self.part;
        let Some(part) = restorer.parts().get(number) else {
            return Ok(());
        };
        let Content::Encoded { check } = part.content else {
            return Err(part.wrong(number));
        };
        if self.made.len() as u64 != part.size || check_of(&self.made) != check {
            return Err(part.wrong(number));
        }
        output.append(&mut self.made);
        self.part += 1;
        Ok(())
    }
}
