//! The side that has the files: writes a difference.

use super::decode::DifferenceLimits;
use super::error::{DifferenceWriteError, Part};
use super::event::{Layer, Reference};
use super::frame::{
    FRAME_HEADER_SIZE, FRAME_REFERENCES, FRAME_TAR_PART_LENGTH, REFERENCE_SIZE, encode_frame,
    encode_stream_header,
};
use super::rules::Rules;
use crate::digest::FileId;
use crate::pack::checksum::finish_checksum;
use crate::pack::{
    BLOCK_HEADER_SIZE, Block, BlockCutter, BlockLimits, PackOptions, decode_pieces, encode_block,
};

/// How a difference is written. Differences are read without knowing it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DifferenceOptions {
    /// Blocks of files, and the level at which all else is compressed too.
    pub pack: PackOptions,
}

/// Writes a difference, part by part.
///
/// The parts come in the order of [`Event`](super::Event). Each call gives the bytes that are ready by
/// it, often none; put together they are the stream. After an error the encoder is of no use.
#[derive(Debug)]
pub struct DifferenceEncoder {
    level: i32,
    rules: Rules,
    cutter: BlockCutter,
    /// Plain text of references or tar part that is no whole frame yet.
    pending: Vec<u8>,
    /// Of all headers.
    headers: blake3::Hasher,
    ready: Vec<u8>,
}

impl DifferenceEncoder {
    /// An encoder at the start of a stream.
    ///
    /// # Errors
    /// [`DifferenceWriteError::Files`] if the options' block length is out of range.
    pub fn new(options: DifferenceOptions) -> Result<Self, DifferenceWriteError> {
        let header = encode_stream_header();
        let mut headers = blake3::Hasher::new();
        headers.update(&header);
        Ok(Self {
            level: options.pack.level,
            rules: Rules::new(DifferenceLimits::default()),
            cutter: BlockCutter::new(options.pack.block_length)?,
            pending: Vec::new(),
            headers,
            ready: header,
        })
    }

    /// Adds a manifest: an index before the manifest it leads to.
    ///
    /// # Errors
    /// [`DifferenceWriteError`], as every call when it comes out of order, passes a limit, or cannot
    /// compress.
    pub fn manifest(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DifferenceWriteError> {
        self.rules.take_manifest()?;
        self.frame(Part::Manifest, bytes)?;
        Ok(self.take_ready())
    }

    /// Adds the image configuration.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn config(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DifferenceWriteError> {
        self.rules.take_config()?;
        self.frame(Part::Config, bytes)?;
        Ok(self.take_ready())
    }

    /// Begins a layer. Its references and its tar part have to follow, as many as it says.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn begin_layer(&mut self, layer: &Layer) -> Result<Vec<u8>, DifferenceWriteError> {
        self.rules.take_layer(layer)?;
        let mut plain = Vec::new();
        plain.extend_from_slice(&layer.reference_count.to_le_bytes());
        plain.extend_from_slice(&layer.tar_part_length.to_le_bytes());
        plain.extend_from_slice(layer.diff_id.as_str().as_bytes());
        self.frame(Part::Layer, &plain)?;
        Ok(self.take_ready())
    }

    /// Adds the layer's next references.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn references(
        &mut self,
        references: &[Reference],
    ) -> Result<Vec<u8>, DifferenceWriteError> {
        if references.is_empty() {
            return Ok(Vec::new());
        }
        self.rules.take_references(references)?;
        for reference in references {
            self.pending.extend_from_slice(reference.id.as_bytes());
            self.pending
                .extend_from_slice(&reference.size.to_le_bytes());
        }
        let is_last = !self.rules.expects(Part::References);
        let length = FRAME_REFERENCES.saturating_mul(REFERENCE_SIZE);
        self.pending_frames(Part::References, length, is_last)?;
        Ok(self.take_ready())
    }

    /// Adds the next bytes of the layer's tar part.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn tar_part(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DifferenceWriteError> {
        if bytes.is_empty() {
            return Ok(Vec::new());
        }
        self.rules.take_tar_part(bytes.len())?;
        self.pending.extend_from_slice(bytes);
        let is_last = !self.rules.expects(Part::TarPart);
        self.pending_frames(Part::TarPart, FRAME_TAR_PART_LENGTH, is_last)?;
        Ok(self.take_ready())
    }

    /// Begins a file that a layer refers to and that has not come yet. Its bytes have to follow.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn begin_file(&mut self, id: FileId, size: u64) -> Result<(), DifferenceWriteError> {
        self.rules.check_file(Reference { id, size })?;
        self.cutter.begin_file(id, size)?;
        Ok(())
    }

    /// Adds the next bytes of the file that began. They are not held against the file's id; the
    /// decoder does that.
    ///
    /// # Errors
    /// [`DifferenceWriteError`].
    pub fn push(&mut self, content: &[u8]) -> Result<Vec<u8>, DifferenceWriteError> {
        for block in self.cutter.push(content)? {
            self.encode_block(&block)?;
        }
        Ok(self.take_ready())
    }

    /// The file that began has all its bytes.
    ///
    /// # Errors
    /// [`DifferenceWriteError`] if bytes are missing.
    pub fn end_file(&mut self) -> Result<(), DifferenceWriteError> {
        Ok(self.cutter.end_file()?)
    }

    /// Adds a block of a pack as it is, without compressing anything anew: for blocks of which the
    /// node lacks all files. A file that goes on in the pack's next block has to go on in the next
    /// call.
    ///
    /// # Errors
    /// [`DifferenceWriteError`], also if the block is damaged.
    pub fn block(&mut self, bytes: &[u8]) -> Result<Vec<u8>, DifferenceWriteError> {
        let pieces = decode_pieces(bytes, BlockLimits::default())?;
        self.flush_files()?;
        for piece in &pieces {
            self.rules.take_piece(piece)?;
        }
        self.emit(bytes, BLOCK_HEADER_SIZE);
        Ok(self.take_ready())
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// [`DifferenceWriteError`] if something that was announced is missing.
    pub fn finish(mut self) -> Result<Vec<u8>, DifferenceWriteError> {
        self.flush_files()?;
        self.rules.take_end()?;
        let totals = self.rules.totals();
        let mut plain = Vec::new();
        for total in [
            totals.manifests,
            totals.layers,
            totals.references,
            totals.files,
            totals.content_length,
        ] {
            plain.extend_from_slice(&total.to_le_bytes());
        }
        plain.extend_from_slice(&finish_checksum(&self.headers));
        self.frame(Part::End, &plain)?;
        Ok(self.ready)
    }

    fn flush_files(&mut self) -> Result<(), DifferenceWriteError> {
        if let Some(block) = self.cutter.flush()? {
            self.encode_block(&block)?;
        }
        Ok(())
    }

    fn encode_block(&mut self, block: &Block) -> Result<(), DifferenceWriteError> {
        for piece in block.pieces() {
            self.rules.take_piece(piece)?;
        }
        let bytes = encode_block(block, self.level)?;
        self.emit(&bytes, BLOCK_HEADER_SIZE);
        Ok(())
    }

    /// Writes what is pending in frames of the same length; the rest only if nothing will be added.
    fn pending_frames(
        &mut self,
        part: Part,
        length: usize,
        is_last: bool,
    ) -> Result<(), DifferenceWriteError> {
        let pending = std::mem::take(&mut self.pending);
        let frames = pending.chunks_exact(length);
        let rest = frames.remainder();
        for plain in frames {
            self.frame(part, plain)?;
        }
        if is_last && !rest.is_empty() {
            self.frame(part, rest)?;
        } else {
            self.pending = rest.to_vec();
        }
        Ok(())
    }

    fn frame(&mut self, part: Part, plain: &[u8]) -> Result<(), DifferenceWriteError> {
        let frame = encode_frame(part, plain, self.level)?;
        self.emit(&frame, FRAME_HEADER_SIZE);
        Ok(())
    }

    fn emit(&mut self, bytes: &[u8], header_size: usize) {
        self.headers
            .update(bytes.get(..header_size).unwrap_or(bytes));
        self.ready.extend_from_slice(bytes);
    }

    fn take_ready(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }
}
