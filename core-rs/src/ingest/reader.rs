//! Finds the segments of a layer whose bytes come in pieces.

use super::error::IngestError;
use crate::deflate::InflateError;
use crate::gzip::{
    Following, GzipError, MemberCheck, TRAILER_SIZE, parse_header, parse_trailer, what_follows,
};
use crate::recipe::Encoding;
use crate::segment::{Cut, Cutter, Segment};

/// Input to wait for before a segment that was cut off is read again, bytes: reading it again costs
/// as much as it is long.
const MORE_INPUT: usize = 256 << 10;
/// Bytes of a tar that is not compressed, given at once: always as many, so that a recipe's chunks come
/// in the same order however the bytes came.
const PLAIN_SIZE: usize = 256 << 10;
/// Input that is enough to tell what it is: the magic of gzip and of zstd.
const MAGIC_SIZE: usize = 4;
/// What zstd frames begin with (RFC 8878 §3.1.1).
const ZSTD_MAGIC: [u8; MAGIC_SIZE] = [0x28, 0xb5, 0x2f, 0xfd];

/// What comes next in a layer.
#[derive(Debug)]
pub enum LayerEvent {
    /// A segment of a gzip layer.
    Segment {
        /// Bytes before it that belong to no segment: a header, or a trailer and a header.
        framing: Vec<u8>,
        /// The segment.
        segment: Box<Segment>,
    },
    /// Bytes of a layer that is not compressed.
    Plain(Vec<u8>),
    /// Bytes after the last segment: its trailer, and what follows it.
    Framing(Vec<u8>),
}

/// Reads a layer. [`push`](Self::push) bytes, take events until there is none, and so on; then
/// [`finish`](Self::finish), and take the last ones.
#[derive(Debug)]
pub struct LayerReader {
    state: State,
    encoding: Encoding,
    /// Bytes that are not in an event yet, from `offset` on; those of a segment from its first byte.
    input: Vec<u8>,
    offset: u64,
    framing: Vec<u8>,
    /// Input must be so long before it is read again.
    wanted: usize,
    is_finished: bool,
    tar_limit: u64,
    tar_size: u64,
}

#[derive(Debug)]
enum State {
    Start,
    Identity,
    MemberHeader,
    Member {
        cutter: Box<Cutter>,
        check: MemberCheck,
    },
    MemberTrailer {
        check: MemberCheck,
    },
    AfterMember,
    Trailing,
}

impl LayerReader {
    /// At the start of a layer whose tar may have `tar_limit` bytes.
    #[must_use]
    pub fn new(tar_limit: u64) -> Self {
        Self {
            state: State::Start,
            encoding: Encoding::Identity,
            input: Vec::new(),
            offset: 0,
            framing: Vec::new(),
            wanted: MAGIC_SIZE,
            is_finished: false,
            tar_limit,
            tar_size: 0,
        }
    }

    /// Takes the next bytes of the layer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// Says that there are no more bytes.
    pub fn finish(&mut self) {
        self.is_finished = true;
    }

    /// How the layer is compressed, once its first bytes were read.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// The next event; none if more bytes are needed first, or at the layer's end.
    ///
    /// # Errors
    /// What is wrong with the layer. There are no events after it.
    pub fn next_event(&mut self) -> Result<Option<LayerEvent>, IngestError> {
        loop {
            if self.input.len() < self.wanted && !self.is_finished {
                return Ok(None);
            }
            self.wanted = 0;
            match std::mem::replace(&mut self.state, State::Trailing) {
                State::Start => self.begin()?,
                State::Identity => return self.read_plain(),
                State::MemberHeader => {
                    if !self.read_header()? {
                        return Ok(None);
                    }
                }
                State::Member { cutter, check } => return self.read_segment(cutter, check),
                State::MemberTrailer { check } => {
                    if !self.read_trailer(check)? {
                        return Ok(None);
                    }
                }
                State::AfterMember => {
                    if !self.read_following() {
                        return Ok(None);
                    }
                }
                State::Trailing => return Ok(self.read_trailing()),
            }
        }
    }

    fn begin(&mut self) -> Result<(), IngestError> {
        self.state = match what_follows(&self.input) {
            Following::Member => {
                self.encoding = Encoding::Gzip;
                State::MemberHeader
            }
            _ if self.input.starts_with(&ZSTD_MAGIC) => {
                return Err(IngestError::Encoding { encoding: "zstd" });
            }
            _ => State::Identity,
        };
        Ok(())
    }

    fn read_plain(&mut self) -> Result<Option<LayerEvent>, IngestError> {
        self.state = State::Identity;
        if self.input.len() < PLAIN_SIZE && !self.is_finished {
            self.wanted = PLAIN_SIZE;
            return Ok(None);
        }
        let plain = self.take(PLAIN_SIZE.min(self.input.len()));
        if self.offset > self.tar_limit {
            return Err(IngestError::TarLimit {
                limit: self.tar_limit,
            });
        }
        Ok((!plain.is_empty()).then_some(LayerEvent::Plain(plain)))
    }

    /// Takes bytes off the input.
    fn take(&mut self, length: usize) -> Vec<u8> {
        let rest = self.input.split_off(length);
        self.offset += length as u64;
        std::mem::replace(&mut self.input, rest)
    }

    /// False if more input is needed.
    fn read_header(&mut self) -> Result<bool, IngestError> {
        match parse_header(&self.input) {
            Ok(header) => {
                let header = self.take(header.as_bytes().len());
                self.framing.extend_from_slice(&header);
                let left = self.tar_limit.saturating_sub(self.tar_size);
                self.state = State::Member {
                    cutter: Box::new(Cutter::new(left)),
                    check: MemberCheck::new(),
                };
                Ok(true)
            }
            Err(GzipError::Truncated { .. }) if !self.is_finished => {
                self.state = State::MemberHeader;
                self.wanted = self.input.len() + 1;
                Ok(false)
            }
            Err(problem) => Err(IngestError::Gzip {
                offset: self.offset,
                problem,
            }),
        }
    }

    fn read_segment(
        &mut self,
        mut cutter: Box<Cutter>,
        mut check: MemberCheck,
    ) -> Result<Option<LayerEvent>, IngestError> {
        let (segment, is_last) = match cutter.read_segment(&self.input) {
            Ok(Cut::Segment(segment)) => (segment, false),
            Ok(Cut::Last(segment)) => (segment, true),
            Err(InflateError::Truncated { .. }) if !self.is_finished => {
                self.wanted = self.input.len() + MORE_INPUT;
                self.state = State::Member { cutter, check };
                return Ok(None);
            }
            Err(problem) => return Err(problem.moved_by(self.offset * 8).into()),
        };
        self.input.drain(..segment.stored.len());
        self.offset += segment.stored.len() as u64;
        self.tar_size += segment.plain().len() as u64;
        check.update(segment.plain());
        self.state = if is_last {
            State::MemberTrailer { check }
        } else {
            State::Member { cutter, check }
        };
        Ok(Some(LayerEvent::Segment {
            framing: std::mem::take(&mut self.framing),
            segment,
        }))
    }

    /// False if more input is needed.
    fn read_trailer(&mut self, check: MemberCheck) -> Result<bool, IngestError> {
        let offset = self.offset;
        let trailer = match parse_trailer(&self.input) {
            Ok(trailer) => trailer,
            Err(_) if !self.is_finished => {
                self.state = State::MemberTrailer { check };
                self.wanted = TRAILER_SIZE;
                return Ok(false);
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
        let bytes = self.take(TRAILER_SIZE);
        self.framing.extend_from_slice(&bytes);
        self.state = State::AfterMember;
        Ok(true)
    }

    /// False if more input is needed.
    fn read_following(&mut self) -> bool {
        self.state = match what_follows(&self.input) {
            Following::Member => State::MemberHeader,
            Following::Nothing | Following::Unknown if !self.is_finished => {
                self.state = State::AfterMember;
                self.wanted = MAGIC_SIZE;
                return false;
            }
            _ => State::Trailing,
        };
        true
    }

    /// What follows the last member, as it comes.
    fn read_trailing(&mut self) -> Option<LayerEvent> {
        let trailing = self.take(self.input.len());
        let mut framing = std::mem::take(&mut self.framing);
        framing.extend_from_slice(&trailing);
        (!framing.is_empty()).then_some(LayerEvent::Framing(framing))
    }
}
