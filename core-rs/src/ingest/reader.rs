//! Finds the segments of a layer whose bytes come in pieces.

use super::error::IngestError;
use super::input::Input;
use crate::deflate::InflateError;
use crate::gzip::{
    Following, GzipError, MemberCheck, TRAILER_SIZE, parse_header, parse_trailer, what_follows,
};
use crate::limits::MAX_SEGMENTS;
use crate::recipe::Encoding;
use crate::segment::cut::SEGMENT_SIZE;
use crate::segment::{Cut, Cutter, Segment};
use crate::zstd_frame::{FrameError, FrameHeader, FrameReader, FrameStep, Inexact, begins_frame};

/// Input to wait for before a segment that was cut off is read again, bytes: reading it again costs
/// as much as it is long.
const MORE_INPUT: usize = 256 << 10;
/// Input that is enough to tell what it is: the magic of gzip and of zstd.
const MAGIC_SIZE: usize = 4;

/// What comes next in a layer.
#[derive(Debug)]
pub enum LayerEvent {
    /// A segment: of a gzip layer, or a stretch of one that is not compressed.
    Segment {
        /// Bytes before it that belong to no segment: a header, or a trailer and a header.
        framing: Vec<u8>,
        /// The segment.
        segment: Box<Segment>,
    },
    /// Whole blocks of a zstd layer.
    FrameSegment {
        /// The segment.
        segment: Box<Segment>,
        /// The header of the first frame.
        header: FrameHeader,
        /// Whether the first frame ends with it.
        is_last: bool,
    },
    /// Bytes after the last segment: its trailer, and what follows it.
    Framing(Vec<u8>),
}

/// Reads a layer. [`push`](Self::push) bytes, take events until there is none, and so on; then
/// [`finish`](Self::finish), and take the last ones. Segments do not depend on how the bytes came.
#[derive(Debug)]
pub struct LayerReader {
    state: State,
    encoding: Encoding,
    /// Bytes that are not in an event yet; those of a segment from its first byte.
    input: Input,
    framing: Vec<u8>,
    /// Input must be so long before it is read again.
    wanted: usize,
    is_finished: bool,
    tar_limit: u64,
    tar_size: u64,
    segment_size: usize,
    segment_limit: u64,
    segments: u64,
    inexact: Option<Inexact>,
}

#[derive(Debug)]
enum State {
    Start,
    NotCompressed,
    MemberHeader,
    Member {
        cutter: Box<Cutter>,
        check: MemberCheck,
    },
    MemberTrailer {
        check: MemberCheck,
    },
    AfterMember,
    Frames(Box<FrameReader>),
    Trailing,
    Failed(IngestError),
}

/// What a step has come to.
enum Step {
    /// The next state can be gone on with.
    Next,
    /// More input is needed first.
    Wait,
    Event(LayerEvent),
}

impl LayerReader {
    /// At the start of a layer whose tar may have `tar_limit` bytes.
    #[must_use]
    pub fn new(tar_limit: u64) -> Self {
        Self {
            state: State::Start,
            encoding: Encoding::Identity,
            input: Input::default(),
            framing: Vec::new(),
            wanted: MAGIC_SIZE,
            is_finished: false,
            tar_limit,
            tar_size: 0,
            segment_size: SEGMENT_SIZE,
            segment_limit: MAX_SEGMENTS,
            segments: 0,
            inexact: None,
        }
    }

    /// Takes the next bytes of the layer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.push(bytes);
    }

    /// Says that there are no more bytes.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// Lets the next segments of gzip members have so many bytes of plain text.
    pub fn set_segment_size(&mut self, size: usize) {
        self.segment_size = size;
    }

    /// Says that a segment was split in two: there may be one less.
    pub const fn count_split(&mut self) {
        self.segments += 1;
    }

    /// Whether it was said that there are no more bytes.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// What stands against a zstd layer being made again, beside its compressor; known after the last
    /// event.
    #[must_use]
    pub const fn inexact(&self) -> Option<Inexact> {
        self.inexact
    }

    /// How the layer is compressed, once its first bytes were read. Who made a zstd layer is not known
    /// here.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The next event; none if more bytes are needed first, or at the layer's end.
    ///
    /// # Errors
    /// What is wrong with the layer. There are no events after it, only the same error.
    pub fn next_event(&mut self) -> Result<Option<LayerEvent>, IngestError> {
        loop {
            if self.input.rest().len() < self.wanted && !self.is_finished {
                return Ok(None);
            }
            self.wanted = 0;
            match self.step() {
                Ok(Step::Next) => {}
                Ok(Step::Wait) => return Ok(None),
                Ok(Step::Event(event)) => return Ok(Some(event)),
                Err(error) => {
                    self.state = State::Failed(error);
                    return Err(error);
                }
            }
        }
    }

    fn step(&mut self) -> Result<Step, IngestError> {
        match std::mem::replace(&mut self.state, State::Trailing) {
            State::Start => self.begin(),
            State::NotCompressed => self.read_plain(),
            State::MemberHeader => self.read_header(),
            State::Member { cutter, check } => self.read_segment(cutter, check),
            State::MemberTrailer { check } => self.read_trailer(check),
            State::AfterMember => Ok(self.read_following()),
            State::Frames(frames) => self.read_frames(frames),
            State::Trailing => Ok(self.read_trailing()),
            State::Failed(error) => Err(error),
        }
    }

    /// Goes back to a state until there are so many bytes of input, at least one more.
    fn wait(&mut self, state: State, wanted: usize) -> Step {
        self.state = state;
        self.wanted = wanted.max(self.input.rest().len() + 1);
        Step::Wait
    }

    fn begin(&mut self) -> Result<Step, IngestError> {
        self.state = match what_follows(self.input.rest()) {
            Following::Member => {
                self.encoding = Encoding::Gzip;
                State::MemberHeader
            }
            _ if begins_frame(self.input.rest()) => {
                self.encoding = Encoding::Zstd(Err(Inexact::OtherCompressor));
                State::Frames(Box::new(FrameReader::new()?))
            }
            _ => State::NotCompressed,
        };
        Ok(Step::Next)
    }

    fn read_plain(&mut self) -> Result<Step, IngestError> {
        let rest = self.input.rest();
        let plain = rest.get(..SEGMENT_SIZE).unwrap_or(rest);
        if plain.is_empty() || plain.len() < SEGMENT_SIZE && !self.is_finished {
            return Ok(self.wait(State::NotCompressed, SEGMENT_SIZE));
        }
        let segment = Segment::not_compressed(plain);
        self.state = State::NotCompressed;
        Ok(Step::Event(self.take_segment(Box::new(segment))?))
    }

    /// Takes a segment off the input, if it is within the limits.
    fn take_segment(&mut self, segment: Box<Segment>) -> Result<LayerEvent, IngestError> {
        self.count_segment(self.input.offset(), segment.plain())?;
        self.input.skip(segment.stored.len());
        Ok(LayerEvent::Segment {
            framing: std::mem::take(&mut self.framing),
            segment,
        })
    }

    fn count_segment(&mut self, offset: u64, plain: &[u8]) -> Result<(), IngestError> {
        if self.segments == self.segment_limit {
            return Err(IngestError::TooManySegments {
                offset,
                limit: self.segment_limit,
            });
        }
        self.segments += 1;
        self.tar_size += plain.len() as u64;
        if self.tar_size > self.tar_limit {
            return Err(IngestError::TarLimit {
                limit: self.tar_limit,
            });
        }
        Ok(())
    }

    fn read_frames(&mut self, mut frames: Box<FrameReader>) -> Result<Step, IngestError> {
        let offset = self.input.offset();
        let moved = |problem: FrameError| problem.moved_by(offset);
        let step = frames.read(self.input.rest(), self.is_finished);
        match step.map_err(moved)? {
            FrameStep::Taken(count) => self.input.skip(count),
            FrameStep::Wanted(wanted) => return Ok(self.wait(State::Frames(frames), wanted)),
            FrameStep::Segment => return self.take_frame_segment(frames),
            FrameStep::End => {
                self.inexact = frames.inexact();
                self.state = State::Trailing;
                return Ok(Step::Next);
            }
        }
        self.state = State::Frames(frames);
        Ok(Step::Next)
    }

    fn take_frame_segment(&mut self, mut frames: Box<FrameReader>) -> Result<Step, IngestError> {
        let header = frames.header().copied();
        let (text, stored, is_last) = frames.take_segment();
        let offset = self.input.offset().saturating_sub(stored.len() as u64);
        self.count_segment(offset, &text)?;
        self.state = State::Frames(frames);
        let segment = Box::new(Segment::of_frame(text, stored));
        Ok(header.map_or(Step::Next, |header| {
            Step::Event(LayerEvent::FrameSegment {
                segment,
                header,
                is_last,
            })
        }))
    }

    fn read_header(&mut self) -> Result<Step, IngestError> {
        let rest = self.input.rest();
        match parse_header(rest) {
            Ok(header) => {
                let length = header.as_bytes().len();
                self.input.take(length, &mut self.framing);
                let left = self.tar_limit.saturating_sub(self.tar_size);
                self.state = State::Member {
                    cutter: Box::new(Cutter::new(left)),
                    check: MemberCheck::new(),
                };
                Ok(Step::Next)
            }
            Err(GzipError::Truncated { .. }) if !self.is_finished => {
                // Twice as much, as it is read from its start again.
                let wanted = rest.len() * 2;
                Ok(self.wait(State::MemberHeader, wanted))
            }
            Err(problem) => Err(IngestError::Gzip {
                offset: self.input.offset(),
                problem,
            }),
        }
    }

    fn read_segment(
        &mut self,
        mut cutter: Box<Cutter>,
        mut check: MemberCheck,
    ) -> Result<Step, IngestError> {
        cutter.set_segment_size(self.segment_size);
        let (segment, is_last) = match cutter.read_segment(self.input.rest()) {
            Ok(Cut::Segment(segment)) => (segment, false),
            Ok(Cut::Last(segment)) => (segment, true),
            Err(InflateError::Truncated { .. }) if !self.is_finished => {
                let wanted = self.input.rest().len() + MORE_INPUT;
                return Ok(self.wait(State::Member { cutter, check }, wanted));
            }
            Err(InflateError::OutputLimit { .. }) => {
                return Err(IngestError::TarLimit {
                    limit: self.tar_limit,
                });
            }
            Err(problem) => return Err(problem.moved_by(self.input.offset() * 8).into()),
        };
        check.update(segment.plain());
        let event = self.take_segment(segment)?;
        self.state = if is_last {
            State::MemberTrailer { check }
        } else {
            State::Member { cutter, check }
        };
        Ok(Step::Event(event))
    }

    fn read_trailer(&mut self, check: MemberCheck) -> Result<Step, IngestError> {
        let offset = self.input.offset();
        let trailer = match parse_trailer(self.input.rest()) {
            Ok(trailer) => trailer,
            Err(_) if !self.is_finished => {
                return Ok(self.wait(State::MemberTrailer { check }, TRAILER_SIZE));
            }
            Err(problem) => return Err(IngestError::Gzip { offset, problem }),
        };
        let got = check.finish();
        if got.crc != trailer.crc {
            return Err(IngestError::Crc {
                offset,
                got: got.crc,
                expected: trailer.crc,
            });
        }
        if got.size != trailer.size {
            return Err(IngestError::Size {
                offset,
                got: got.size,
                expected: trailer.size,
            });
        }
        self.input.take(TRAILER_SIZE, &mut self.framing);
        self.state = State::AfterMember;
        Ok(Step::Next)
    }

    fn read_following(&mut self) -> Step {
        self.state = match what_follows(self.input.rest()) {
            Following::Member => State::MemberHeader,
            Following::Nothing | Following::Unknown if !self.is_finished => {
                return self.wait(State::AfterMember, MAGIC_SIZE);
            }
            _ => State::Trailing,
        };
        Step::Next
    }

    /// What follows the last member, as it comes.
    fn read_trailing(&mut self) -> Step {
        let mut framing = std::mem::take(&mut self.framing);
        self.input.take(usize::MAX, &mut framing);
        if framing.is_empty() {
            return self.wait(State::Trailing, 0);
        }
        Step::Event(LayerEvent::Framing(framing))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An empty stream: one fixed block without tokens.
    const EMPTY_MEMBER: [u8; 20] = [
        0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    ];

    #[test]
    fn next_event_stops_at_the_limit_of_segments() {
        let mut reader = LayerReader::new(u64::MAX);
        reader.segment_limit = 3;
        reader.push(&EMPTY_MEMBER.repeat(4));
        assert_segments_then_error(&mut reader, 3, 70);
    }

    #[test]
    fn a_segment_that_was_split_counts_twice() {
        let mut reader = LayerReader::new(u64::MAX);
        reader.segment_limit = 3;
        reader.push(&EMPTY_MEMBER.repeat(4));
        reader.count_split();
        assert_segments_then_error(&mut reader, 2, 50);
    }

    fn assert_segments_then_error(reader: &mut LayerReader, segments: u32, offset: u64) {
        for _ in 0..segments {
            let event = reader.next_event().unwrap();
            assert!(matches!(event, Some(LayerEvent::Segment { .. })));
        }
        let error = IngestError::TooManySegments { offset, limit: 3 };
        for _ in 0..3 {
            assert_eq!(reader.next_event().unwrap_err(), error);
        }
    }
}
