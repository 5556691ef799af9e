//! The side that lacks the files: reads a difference that comes in pieces.

use super::error::{DifferenceError, Part};
use super::event::{Event, Reference, Totals};
use super::frame::{
    FRAME_HEADER_SIZE, FrameHeader, MARKER_SIZE, STREAM_HEADER_SIZE, decode_stream_header, part_of,
};
use super::part::PartReader;
use super::rules::Rules;
use crate::digest::FileHasher;
use crate::fields::{Fields, length_u64};
use crate::limits::{MAX_DIFFERENCE_LAYERS, MAX_DIFFERENCE_MANIFESTS, MAX_DIFFERENCE_REFERENCES};
use crate::pack::checksum::finish_checksum;
use crate::pack::{BLOCK_HEADER_SIZE, BlockLimits, Piece, decode_block, decode_block_header};

/// What reading a difference may take at most. Manifests, configuration and frames have limits of
/// their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DifferenceLimits {
    /// Most manifests.
    pub manifests: u64,
    /// Most layers.
    pub layers: u64,
    /// Most references of all layers.
    pub references: u64,
    /// For each block of files.
    pub block: BlockLimits,
}

impl Default for DifferenceLimits {
    fn default() -> Self {
        Self {
            manifests: MAX_DIFFERENCE_MANIFESTS,
            layers: MAX_DIFFERENCE_LAYERS,
            references: MAX_DIFFERENCE_REFERENCES,
            block: BlockLimits::default(),
        }
    }
}

/// Reads a difference that comes in pieces.
///
/// Holds one frame or block and the references, never a file. Each file's content is held against its
/// id when it ends; a layer's tar part is believed only when the tar made with it has its `DiffID`,
/// which is for the caller to check.
#[derive(Debug)]
pub struct DifferenceDecoder {
    limits: DifferenceLimits,
    state: State,
    /// Bytes of the stream before what is in `buffer`.
    offset: u64,
    /// The start of the frame or block that is being read.
    buffer: Vec<u8>,
    /// Of all headers so far.
    headers: blake3::Hasher,
    rules: Rules,
    hasher: FileHasher,
}

/// What is being read. Each state but the last two wants a number of bytes, counted from the start of
/// the buffer.
#[derive(Debug, Clone, Copy)]
enum State {
    StreamHeader,
    Marker,
    Header(Part),
    Frame(FrameHeader),
    Block { length: usize },
    Ended,
    Failed(DifferenceError),
}

impl Default for DifferenceDecoder {
    fn default() -> Self {
        Self::new()
    }
}

impl DifferenceDecoder {
    /// A decoder at the start of a stream.
    pub fn new() -> Self {
        Self::with_limits(DifferenceLimits::default())
    }

    /// The same with other limits.
    pub fn with_limits(limits: DifferenceLimits) -> Self {
        Self {
            limits,
            state: State::StreamHeader,
            offset: 0,
            buffer: Vec::new(),
            headers: blake3::Hasher::new(),
            rules: Rules::new(limits),
            hasher: FileHasher::new(),
        }
    }

    /// Takes the next bytes of the stream; tells the sink what they complete. How the stream is cut
    /// does not change the events.
    ///
    /// # Errors
    /// [`DifferenceError`]. All events before are right; the decoder takes no more.
    pub fn push(
        &mut self,
        mut input: &[u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        if let State::Failed(error) = self.state {
            return Err(error);
        }
        while !input.is_empty() {
            let missing = self.wanted().saturating_sub(self.buffer.len());
            let (now, rest) = input.split_at_checked(missing).unwrap_or((input, &[]));
            self.buffer.extend_from_slice(now);
            input = rest;
            if now.len() == missing {
                self.advance(sink).inspect_err(|error| {
                    self.state = State::Failed(*error);
                })?;
            }
        }
        Ok(())
    }

    /// Tells the decoder that the stream has ended.
    ///
    /// # Errors
    /// [`DifferenceError::Truncated`] if it is not whole, or the error of an earlier
    /// [`push`](Self::push).
    pub fn finish(self) -> Result<Totals, DifferenceError> {
        match self.state {
            State::Ended => Ok(self.rules.totals()),
            State::Failed(error) => Err(error),
            _ => Err(DifferenceError::Truncated {
                offset: self.offset_of(self.buffer.len()),
                expected: self.offset_of(self.wanted()),
            }),
        }
    }

    /// Bytes that the buffer has to have before there is anything to do.
    fn wanted(&self) -> usize {
        match self.state {
            State::StreamHeader => STREAM_HEADER_SIZE,
            State::Marker => MARKER_SIZE,
            State::Header(Part::Files) => BLOCK_HEADER_SIZE,
            State::Header(_) => FRAME_HEADER_SIZE,
            State::Frame(header) => FRAME_HEADER_SIZE.saturating_add(header.stored_length()),
            State::Block { length } => length,
            State::Ended | State::Failed(_) => 0,
        }
    }

    fn offset_of(&self, position: usize) -> u64 {
        self.offset.saturating_add(length_u64(position))
    }

    /// Goes on by the bytes that were wanted, through states that want no more.
    fn advance(&mut self, sink: &mut impl FnMut(Event<'_>)) -> Result<(), DifferenceError> {
        loop {
            self.state = self.step(sink)?;
            let is_frame_ended = matches!(self.state, State::Marker | State::Ended);
            if is_frame_ended {
                self.offset = self.offset_of(self.buffer.len());
                self.buffer.clear();
            }
            if self.buffer.len() < self.wanted() || is_frame_ended {
                return Ok(());
            }
        }
    }

    fn step(&mut self, sink: &mut impl FnMut(Event<'_>)) -> Result<State, DifferenceError> {
        match self.state {
            State::StreamHeader => {
                decode_stream_header(&self.buffer)?;
                self.headers.update(&self.buffer);
                Ok(State::Marker)
            }
            State::Marker => {
                let mut fields = Fields::new(&self.buffer);
                let got = fields.array().unwrap_or_default();
                let offset = self.offset;
                let part = part_of(got).ok_or(DifferenceError::Marker { offset, got })?;
                Ok(State::Header(part))
            }
            State::Header(part) => self.take_header(part),
            State::Frame(header) => self.take_frame(header, sink),
            State::Block { .. } => self.take_block(sink),
            State::Ended => Err(DifferenceError::TrailingBytes {
                offset: self.offset,
            }),
            State::Failed(error) => Err(error),
        }
    }

    fn take_header(&mut self, part: Part) -> Result<State, DifferenceError> {
        let offset = self.offset;
        let state = if part == Part::Files {
            let header = decode_block_header(&self.buffer, self.limits.block)
                .map_err(|source| DifferenceError::Block { offset, source })?;
            let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
            State::Block { length }
        } else {
            State::Frame(FrameHeader::decode(&self.buffer, part, offset)?)
        };
        if part != Part::End {
            self.headers.update(&self.buffer);
        }
        Ok(state)
    }

    fn take_frame(
        &mut self,
        header: FrameHeader,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<State, DifferenceError> {
        let payload = self.buffer.get(FRAME_HEADER_SIZE..).unwrap_or_default();
        let plain = header.decode_payload(payload, self.offset_of(FRAME_HEADER_SIZE))?;
        let mut part = PartReader {
            offset: self.offset,
            plain: &plain,
            rules: &mut self.rules,
        };
        match header.part {
            Part::Manifest => part.manifest(sink)?,
            Part::Config => part.config(sink)?,
            Part::Layer => part.layer(sink)?,
            Part::References => part.references(sink)?,
            Part::TarPart => part.tar_part(sink)?,
            Part::End => {
                part.end(finish_checksum(&self.headers))?;
                sink(Event::End(self.rules.totals()));
                return Ok(State::Ended);
            }
            // Not a frame: never in this state.
            Part::Files => {}
        }
        Ok(State::Marker)
    }

    fn take_block(&mut self, sink: &mut impl FnMut(Event<'_>)) -> Result<State, DifferenceError> {
        let offset = self.offset;
        let block = decode_block(&self.buffer, self.limits.block)
            .map_err(|source| DifferenceError::Block { offset, source })?;
        for piece in block.pieces() {
            self.take_piece(piece, block.content(piece), sink)?;
        }
        Ok(State::Marker)
    }

    fn take_piece(
        &mut self,
        piece: &Piece,
        content: &[u8],
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        let offset = self.offset;
        self.rules
            .take_piece(piece)
            .map_err(|source| DifferenceError::Content { offset, source })?;
        if piece.file_offset == 0 {
            sink(Event::File(Reference {
                id: piece.id,
                size: piece.file_size,
            }));
        }
        self.hasher.update(content);
        sink(Event::Content(content));
        if piece.is_last() {
            let got = std::mem::take(&mut self.hasher).finish();
            let expected = piece.id;
            if got != expected {
                return Err(DifferenceError::FileId {
                    offset,
                    got,
                    expected,
                });
            }
            sink(Event::EndFile);
        }
        Ok(())
    }
}
