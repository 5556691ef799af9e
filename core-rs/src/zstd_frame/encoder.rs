//! Makes a frame by libzstd.

use std::fmt;

use thiserror::Error;
use zstd::zstd_safe::zstd_sys::ZSTD_EndDirective::{self, ZSTD_e_continue, ZSTD_e_end};
use zstd::zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer, get_error_name};

use super::call::ZstdCall;
use super::header::MAX_BLOCK_SIZE;

/// Text that libzstd takes at a time, bytes.
const BLOCK_SIZE: usize = MAX_BLOCK_SIZE as usize;
/// Room that is made for output at a time, bytes: a block that does not shrink, and its header.
const ROOM: usize = BLOCK_SIZE + 64;
/// Room with which libzstd does not take a short cut for the last text of a frame: less than
/// `ZSTD_compressBound` of any, bytes.
const SMALL_ROOM: usize = 32;

/// libzstd did not make a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("libzstd cannot make the frame: {reason}")]
pub struct EncodeError {
    /// What libzstd says.
    pub reason: &'static str,
}

impl EncodeError {
    fn new(code: usize) -> Self {
        Self {
            reason: get_error_name(code),
        }
    }
}

/// Makes one frame whose text comes in pieces. Its bytes do not depend on the pieces, and those of a
/// whole block are there as soon as its text is.
pub struct FrameEncoder {
    context: CCtx<'static>,
}

impl fmt::Debug for FrameEncoder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FrameEncoder")
            .finish_non_exhaustive()
    }
}

impl FrameEncoder {
    /// At the start of a frame. `content_size`: bytes of its text; without meaning for a call that is
    /// not told.
    ///
    /// # Errors
    /// If there is no memory.
    pub fn new(call: ZstdCall, content_size: u64) -> Result<Self, EncodeError> {
        let mut context = CCtx::try_create().ok_or(EncodeError {
            reason: "no memory",
        })?;
        for parameter in [
            CParameter::CompressionLevel(i32::from(call.level())),
            CParameter::ChecksumFlag(call.has_checksum()),
        ] {
            context.set_parameter(parameter).map_err(EncodeError::new)?;
        }
        let content_size = call.has_content_size().then_some(content_size);
        context
            .set_pledged_src_size(content_size)
            .map_err(EncodeError::new)?;
        let mut encoder = Self { context };
        // A frame that begins with its end would be told its size.
        encoder.run(&mut InBuffer::around(&[]), &mut Vec::new(), ZSTD_e_continue)?;
        Ok(encoder)
    }

    /// Takes the next text and appends the bytes that are ready to `output`.
    ///
    /// # Errors
    /// If there is no memory, or more text than was said.
    pub fn push(&mut self, text: &[u8], output: &mut Vec<u8>) -> Result<(), EncodeError> {
        let mut input = InBuffer::around(text);
        // What is left is in libzstd's own buffer.
        let mut left = 0;
        while input.pos() < text.len() || left > 0 {
            left = self.run(&mut input, output, ZSTD_e_continue)?;
        }
        Ok(())
    }

    /// Takes the last text and ends the frame. Without text, the frame ends with an empty block if all
    /// blocks before are full.
    ///
    /// # Errors
    /// If there is no memory, or another amount of text than was said.
    pub fn finish(&mut self, text: &[u8], output: &mut Vec<u8>) -> Result<(), EncodeError> {
        let (text, last) = text.split_at(text.len().saturating_sub(1) / BLOCK_SIZE * BLOCK_SIZE);
        self.push(text, output)?;
        let mut input = InBuffer::around(last);
        while input.pos() < last.len() {
            let mut room = Vec::with_capacity(SMALL_ROOM);
            let left = self.run_into(&mut input, &mut OutBuffer::around(&mut room), ZSTD_e_end)?;
            output.extend_from_slice(&room);
            // Asked again, libzstd would begin another frame.
            if left == 0 && input.pos() == last.len() {
                return Ok(());
            }
        }
        let mut nothing = InBuffer::around(&[]);
        while self.run(&mut nothing, output, ZSTD_e_end)? > 0 {}
        Ok(())
    }

    /// Bytes of memory that it takes.
    #[cfg(test)]
    pub(super) fn memory(&self) -> usize {
        self.context.sizeof()
    }

    fn run(
        &mut self,
        input: &mut InBuffer<'_>,
        output: &mut Vec<u8>,
        directive: ZSTD_EndDirective,
    ) -> Result<usize, EncodeError> {
        output.reserve(ROOM);
        let length = output.len();
        self.run_into(input, &mut OutBuffer::around_pos(output, length), directive)
    }

    fn run_into(
        &mut self,
        input: &mut InBuffer<'_>,
        output: &mut OutBuffer<'_, Vec<u8>>,
        directive: ZSTD_EndDirective,
    ) -> Result<usize, EncodeError> {
        self.context
            .compress_stream2(output, input, directive)
            .map_err(EncodeError::new)
    }
}
