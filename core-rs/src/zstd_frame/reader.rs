//! Reads zstd frames block by block, and cuts their text into segments.
//!
//! Where blocks begin and end is found out here, so that libzstd is given one after the other, and what
//! is wrong is found at the same offset however the bytes came.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt;

use zstd::zstd_safe::{DCtx, DParameter, InBuffer, OutBuffer, get_error_name};

use super::error::FrameError;
use super::header::{
    Beginning, BlockHeader, CHECKSUM_SIZE, FrameHeader, MAGIC_SIZE, MAX_BLOCK_SIZE,
    SKIPPABLE_HEADER_SIZE, beginning,
};
use super::inexact::Inexact;
use crate::limits::{MAX_SEGMENT_STORED_SIZE, MAX_ZSTD_WINDOW_SIZE};
use crate::segment::cut::SEGMENT_SIZE;

/// Stored bytes after which a segment ends, however little text they are: blocks may have none.
const MAX_STORED: usize = 4 << 20;
const _: () = assert!(MAX_STORED < 8 << 20 && MAX_SEGMENT_STORED_SIZE == 8 << 20);
/// Room for the text of a block, bytes.
const ROOM: usize = 128 << 10;
const _: () = assert!(MAX_BLOCK_SIZE == 128 << 10);

/// What a step of reading has come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameStep {
    /// So many bytes of the input were taken.
    Taken(usize),
    /// So many bytes of input are needed first.
    Wanted(usize),
    /// There is a segment to be [taken](FrameReader::take_segment).
    Segment,
    /// All frames were read.
    End,
}

/// A stretch of text and what it is stored as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameSegment<'a> {
    /// The text.
    pub text: &'a [u8],
    /// The bytes it is stored as: whole blocks, the frame's header before the first one, its checksum
    /// after the last.
    pub stored: &'a [u8],
    /// Whether the first frame ends with it.
    pub is_last: bool,
}

/// Reads all frames of a layer. A segment has about a mebibyte of text; one ends with the first frame,
/// and a last block without text is one for itself.
pub struct FrameReader {
    context: DCtx<'static>,
    state: State,
    /// The first frame's.
    header: Option<FrameHeader>,
    /// The one that is read, or was.
    frame: Option<FrameHeader>,
    inexact: Option<Inexact>,
    text: Vec<u8>,
    stored: Vec<u8>,
    ready: Ready,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Between,
    Header,
    Block,
    Checksum,
    /// Bytes left of a frame without text.
    Skip(u64),
    Trailing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    No,
    Yes,
    /// The last of the first frame.
    Last,
}

impl fmt::Debug for FrameReader {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("FrameReader")
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl FrameReader {
    /// At the start of a layer that [begins](super::begins_frame) with a frame.
    ///
    /// # Errors
    /// [`FrameError::Decode`] if there is no memory.
    pub fn new() -> Result<Self, FrameError> {
        let failed = |reason| FrameError::Decode { offset: 0, reason };
        let mut context = DCtx::try_create().ok_or(failed("no memory"))?;
        let window = DParameter::WindowLogMax(MAX_ZSTD_WINDOW_SIZE.ilog2());
        context
            .set_parameter(window)
            .map_err(|code| failed(get_error_name(code)))?;
        Ok(Self {
            context,
            state: State::Between,
            header: None,
            frame: None,
            inexact: None,
            text: Vec::new(),
            stored: Vec::new(),
            ready: Ready::No,
        })
    }

    /// The header of the first frame with text, once it was read.
    #[must_use]
    pub const fn header(&self) -> Option<&FrameHeader> {
        self.header.as_ref()
    }

    /// What stands, as far as is known, against all of the layer being one frame.
    #[must_use]
    pub const fn inexact(&self) -> Option<Inexact> {
        self.inexact
    }

    /// Takes the segment that is ready: its text, the bytes it is stored as, and whether the first frame
    /// ends with it.
    pub fn take_segment(&mut self) -> (Vec<u8>, Vec<u8>, bool) {
        let is_last = self.ready == Ready::Last;
        self.ready = Ready::No;
        let text = std::mem::take(&mut self.text);
        (text, std::mem::take(&mut self.stored), is_last)
    }

    /// Goes on with the bytes that were not taken yet.
    ///
    /// # Errors
    /// [`FrameError`], with offsets from the start of `input`.
    pub fn read(&mut self, input: &[u8], is_finished: bool) -> Result<FrameStep, FrameError> {
        if self.ready != Ready::No {
            return Ok(FrameStep::Segment);
        }
        let step = match self.state {
            State::Between => return Ok(self.read_beginning(input, is_finished)),
            State::Trailing => return Ok(self.take_trailing(input, is_finished)),
            State::Header => self.read_header(input)?,
            State::Block => self.read_block(input)?,
            State::Checksum => self.read_checksum(input)?,
            State::Skip(left) => self.skip(left, input),
        };
        match step {
            FrameStep::Wanted(wanted) if is_finished => Err(truncated(input, wanted)),
            step => Ok(step),
        }
    }

    fn read_beginning(&mut self, input: &[u8], is_finished: bool) -> FrameStep {
        match beginning(input) {
            Beginning::Frame => {
                if self.frame.is_some() {
                    self.is_not_exact(Inexact::SeveralFrames);
                }
                self.state = State::Header;
                FrameStep::Taken(0)
            }
            Beginning::Skippable => {
                self.is_not_exact(Inexact::SkippableFrame);
                // The header is skipped too, once it is there.
                self.state = State::Skip(0);
                self.begin_skipping(input)
            }
            Beginning::Unknown if !is_finished => FrameStep::Wanted(MAGIC_SIZE),
            _ => {
                self.state = State::Trailing;
                FrameStep::Taken(0)
            }
        }
    }

    fn begin_skipping(&mut self, input: &[u8]) -> FrameStep {
        let Some(&[_, _, _, _, a, b, c, d]) = input.first_chunk::<SKIPPABLE_HEADER_SIZE>() else {
            self.state = State::Between;
            return FrameStep::Wanted(SKIPPABLE_HEADER_SIZE);
        };
        self.state = State::Skip(u64::from(u32::from_le_bytes([a, b, c, d])));
        FrameStep::Taken(SKIPPABLE_HEADER_SIZE)
    }

    fn skip(&mut self, left: u64, input: &[u8]) -> FrameStep {
        let count = usize::try_from(left).map_or(input.len(), |left| left.min(input.len()));
        let left = left.saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        self.state = match left {
            0 => State::Between,
            left => State::Skip(left),
        };
        if count == 0 && left > 0 {
            return FrameStep::Wanted(1);
        }
        FrameStep::Taken(count)
    }

    fn take_trailing(&mut self, input: &[u8], is_finished: bool) -> FrameStep {
        if !input.is_empty() {
            self.is_not_exact(Inexact::TrailingBytes);
            return FrameStep::Taken(input.len());
        }
        if !is_finished {
            return FrameStep::Wanted(1);
        }
        // What frames after the first one have left over.
        if !self.stored.is_empty() {
            self.ready = Ready::Yes;
            return FrameStep::Segment;
        }
        FrameStep::End
    }

    fn read_header(&mut self, input: &[u8]) -> Result<FrameStep, FrameError> {
        let header = match FrameHeader::parse(input)? {
            Ok(header) => header,
            Err(wanted) => return Ok(FrameStep::Wanted(wanted)),
        };
        self.frame = Some(header);
        self.header = self.header.or(Some(header));
        self.state = State::Block;
        self.decode(input, header.size)
    }

    fn read_block(&mut self, input: &[u8]) -> Result<FrameStep, FrameError> {
        let max_size = self.frame.map_or(0, |frame| frame.max_block_size());
        let Some(header) = BlockHeader::parse(input, max_size)? else {
            return Ok(FrameStep::Wanted(3));
        };
        if input.len() < header.stored_size {
            return Ok(FrameStep::Wanted(header.stored_size));
        }
        let is_empty_end = header.is_last && header.is_empty;
        if is_empty_end && self.inexact.is_none() && !self.text.is_empty() {
            self.ready = Ready::Yes;
            return Ok(FrameStep::Segment);
        }
        let step = self.decode(input, header.stored_size)?;
        if header.is_last {
            self.state = State::Checksum;
            if self.frame.is_some_and(|frame| !frame.has_checksum) {
                self.end_frame();
            }
        } else {
            self.cut();
        }
        Ok(step)
    }

    fn read_checksum(&mut self, input: &[u8]) -> Result<FrameStep, FrameError> {
        if input.len() < CHECKSUM_SIZE {
            return Ok(FrameStep::Wanted(CHECKSUM_SIZE));
        }
        let step = self.decode(input, CHECKSUM_SIZE)?;
        self.end_frame();
        Ok(step)
    }

    fn end_frame(&mut self) {
        self.state = State::Between;
        if self.inexact.is_none() {
            self.ready = Ready::Last;
        } else {
            self.cut();
        }
    }

    /// Ends the segment if it is long enough.
    fn cut(&mut self) {
        if self.text.len() >= SEGMENT_SIZE || self.stored.len() >= MAX_STORED {
            self.ready = Ready::Yes;
        }
    }

    /// The first reason is kept.
    fn is_not_exact(&mut self, reason: Inexact) {
        self.inexact = self.inexact.or(Some(reason));
    }

    /// Has libzstd read the first `length` bytes.
    fn decode(&mut self, input: &[u8], length: usize) -> Result<FrameStep, FrameError> {
        let unit = input.get(..length).unwrap_or(input);
        let failed = |reason| FrameError::Decode { offset: 0, reason };
        let mut unit_input = InBuffer::around(unit);
        while unit_input.pos() < unit.len() {
            let (taken, length) = (unit_input.pos(), self.text.len());
            self.text.reserve(ROOM);
            let mut output = OutBuffer::around_pos(&mut self.text, length);
            self.context
                .decompress_stream(&mut output, &mut unit_input)
                .map_err(|code| failed(get_error_name(code)))?;
            if unit_input.pos() == taken && self.text.len() == length {
                return Err(failed("no progress"));
            }
        }
        self.stored.extend_from_slice(unit);
        Ok(FrameStep::Taken(unit.len()))
    }
}

fn truncated(input: &[u8], wanted: usize) -> FrameError {
    let number = |length| u64::try_from(length).unwrap_or(u64::MAX);
    FrameError::Truncated {
        offset: number(input.len()),
        expected: number(wanted),
    }
}
