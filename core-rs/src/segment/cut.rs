//! Cuts a deflate stream into segments while inflating it.
//!
//! A segment ends with the first block that brings it to its size, so that most blocks lie whole in
//! one. A block that goes on much longer is cut where klauspost's encoder takes its next portion of
//! input; no match crosses that place, and the model begins as the encoder did.

use crate::deflate::{BitReader, BlockHeader, BlockKind, InflateError, Inflater, PieceEnd, Token};
use crate::limits::{MAX_SEGMENT_BLOCKS, MAX_SEGMENT_TAR_SIZE};
use crate::model::{Compressor, LONG_CONTEXT_SIZE};

use super::replay::{SegmentText, Stretch};

/// Plain text after which a segment ends with its block, bytes, if its compressor asks for no other
/// size. Smaller ones cost more warming up, larger ones memory, and time to the first byte of a Range.
pub const SEGMENT_SIZE: usize = 1 << 20;
/// Most that a compressor may ask for.
pub const MAX_SEGMENT_SIZE: usize = 3 << 20;
const _: () =
    assert!(cut_size(MAX_SEGMENT_SIZE) + PORTION_SIZE as u64 <= MAX_SEGMENT_TAR_SIZE as u64);
/// Plain text after which a segment ends with a flush, bytes: `pigz` flushes every 128 KiB, `pgzip`
/// every mebibyte, and a model begins best where the compressor did.
const FLUSHED_SIZE: usize = SEGMENT_SIZE / 4 * 3;
/// Input that klauspost's encoder, and Go's at level 1, take at a time, bytes
/// (`maxStoreBlockSize` in compress/flate).
pub const PORTION_SIZE: usize = 65_535;
/// Plain text that a segment has at most before it is cut within a block, bytes.
const fn cut_size(segment_size: usize) -> u64 {
    (segment_size + 8 * PORTION_SIZE) as u64
}

/// A block, or the part of one that is in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentBlock {
    /// Where it begins, bits from the start of the segment's first byte.
    pub bit_offset: u64,
    /// Its header, unless it began in an earlier segment.
    pub header: Option<BlockHeader>,
    /// Bytes of plain text.
    pub length: usize,
    /// Its tokens; none if it is stored.
    pub tokens: usize,
    /// Those, by index, that are matches of 258 bytes in the unusual form.
    pub long_forms: Vec<u32>,
    /// Whether it ends in the segment.
    pub is_ended: bool,
}

impl SegmentBlock {
    /// The block as the model sees it.
    pub fn stretch(&self) -> Stretch {
        let length = self.length;
        match &self.header {
            Some(BlockHeader {
                kind: BlockKind::Stored { .. },
                ..
            }) => Stretch::Stored { length },
            _ => Stretch::Tokens { length },
        }
    }
}

/// A stretch of a deflate stream with all that is known of it; or one of a zstd frame, or of a layer that
/// is not compressed, which has no blocks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Segment {
    /// Plain text: up to [`LONG_CONTEXT_SIZE`] bytes before the segment, then its own.
    pub text: Vec<u8>,
    /// Where its own begins in `text`.
    pub start: usize,
    /// Bytes of plain text between the last flush, or the beginning of the stream, and the segment.
    pub since_flush: u64,
    /// Bits of its first byte that are the segment's before.
    pub first_bits: FirstBits,
    /// How the block is written that it goes on with, if it begins within one.
    pub open: Option<BlockKind>,
    /// Its blocks.
    pub blocks: Vec<SegmentBlock>,
    /// Tokens of its compressed blocks.
    pub tokens: Vec<Token>,
    /// The bits after the last block up to a whole byte, if the stream ends in the segment.
    pub end_padding: Option<u8>,
    /// Its bytes in the stream: from the one that its first bit is in, up to the one that its last
    /// bit does not fill, which is the next segment's.
    pub stored: Vec<u8>,
}

/// The plain text of a segment, when nothing else of it is needed any more.
#[derive(Clone, Debug, Default)]
pub struct PlainText {
    text: Vec<u8>,
    start: usize,
}

impl PlainText {
    /// The segment's own text.
    pub fn plain(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// Bytes that are kept for it.
    pub const fn memory_size(&self) -> usize {
        self.text.len()
    }
}

impl From<Vec<u8>> for PlainText {
    fn from(text: Vec<u8>) -> Self {
        Self { text, start: 0 }
    }
}

/// The lowest bits of a byte that a segment does not begin with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FirstBits {
    /// The bits.
    pub bits: u8,
    /// Their number, 0 to 7.
    pub count: u8,
}

impl Segment {
    /// A stretch of a layer that is not compressed.
    #[must_use]
    pub fn not_compressed(plain: &[u8]) -> Self {
        Self {
            text: plain.to_vec(),
            stored: plain.to_vec(),
            ..Self::default()
        }
    }

    /// Whole blocks of a zstd frame.
    #[must_use]
    pub fn of_frame(text: Vec<u8>, stored: Vec<u8>) -> Self {
        Self {
            text,
            stored,
            ..Self::default()
        }
    }

    /// Whether it is of a deflate stream.
    #[must_use]
    pub const fn is_compressed(&self) -> bool {
        !self.blocks.is_empty()
    }

    /// Its own plain text.
    pub fn plain(&self) -> &[u8] {
        &self.text[self.start..]
    }

    /// Its own plain text alone.
    #[must_use]
    pub fn into_plain(self) -> PlainText {
        PlainText {
            text: self.text,
            start: self.start,
        }
    }

    /// What the model of a compressor is given.
    pub fn text_for(&self, compressor: Compressor) -> SegmentText<'_> {
        let start = self.start.min(compressor.context_size());
        SegmentText {
            text: &self.text[self.start - start..],
            start,
            since_flush: self.since_flush,
        }
    }

    /// The first blocks of the segment, up to the one that brings them to `size` bytes of plain text.
    #[must_use]
    pub fn sample(&self, size: usize) -> Self {
        let (mut length, mut tokens, mut blocks) = (0, 0, Vec::new());
        for block in &self.blocks {
            length += block.length;
            tokens += block.tokens;
            blocks.push(block.clone());
            if length >= size {
                break;
            }
        }
        Self {
            text: self.text[..self.start + length].to_vec(),
            start: self.start,
            since_flush: self.since_flush,
            blocks,
            tokens: self.tokens[..tokens].to_vec(),
            ..Self::default()
        }
    }

    /// Bytes of its plain text before its first flush: an empty block that is not the last one.
    pub fn first_flush_offset(&self) -> Option<usize> {
        let mut length = 0;
        for block in &self.blocks {
            length += block.length;
            let is_last = block.header.as_ref().is_some_and(|header| header.is_final);
            if block.length == 0 && block.header.is_some() && !is_last {
                return Some(length);
            }
        }
        None
    }

    /// Bytes of plain text between the flush before it, or the beginning of the stream, and its first
    /// flush.
    pub fn first_flush(&self) -> Option<u64> {
        self.first_flush_offset()
            .map(|offset| self.since_flush + offset as u64)
    }

    /// Matches among its tokens: what tells compressors apart.
    pub fn matches(&self) -> usize {
        self.tokens.iter().filter(|token| token.is_match()).count()
    }

    /// Its blocks as a model sees them.
    pub fn stretches(&self) -> Vec<Stretch> {
        self.blocks.iter().map(SegmentBlock::stretch).collect()
    }
}

/// Cuts one deflate stream.
#[derive(Debug)]
pub struct Cutter {
    inflater: Inflater,
    segment_size: usize,
    segment: Segment,
    /// The last compressed block's header, while that block goes on.
    open: Option<BlockKind>,
    /// Plain text up to the last flush.
    flushed: u64,
    /// Where the next piece begins, bits from the start of the segment's first byte.
    bit_offset: u64,
    block_tokens: Vec<Token>,
}

/// What a cutter has come to.
#[derive(Debug)]
pub enum Cut {
    /// A segment; the stream goes on.
    Segment(Box<Segment>),
    /// The last segment of the stream.
    Last(Box<Segment>),
}

impl Cutter {
    /// At the start of a stream that may give `output_limit` bytes of plain text.
    pub fn new(output_limit: u64) -> Self {
        Self {
            inflater: Inflater::new(output_limit),
            segment_size: SEGMENT_SIZE,
            segment: Segment::default(),
            open: None,
            flushed: 0,
            bit_offset: 0,
            block_tokens: Vec::new(),
        }
    }

    /// Lets the next segments have so many bytes of plain text, at most [`MAX_SEGMENT_SIZE`].
    pub fn set_segment_size(&mut self, size: usize) {
        self.segment_size = size.min(MAX_SEGMENT_SIZE);
    }

    /// Reads on. `input` begins with the byte that the present segment begins in, and holds all that
    /// came since. After a segment, drop its `stored` bytes from it.
    ///
    /// # Errors
    /// What is wrong with the stream; `Truncated` if it is only that there should be more input: then
    /// call again with more. Offsets count from the start of `input`.
    pub fn read_segment(&mut self, input: &[u8]) -> Result<Cut, InflateError> {
        let mut bits = BitReader::at(input, self.bit_offset)?;
        loop {
            let end = self.read_block(&mut bits)?;
            self.bit_offset = bits.bit_offset();
            if end == PieceEnd::Stream {
                self.segment.end_padding = Some(bits.read_padding());
                self.bit_offset = bits.bit_offset();
                return Ok(Cut::Last(self.take_segment(input)));
            }
            if self.is_complete(end) {
                return Ok(Cut::Segment(self.take_segment(input)));
            }
        }
    }

    fn read_block(&mut self, bits: &mut BitReader<'_>) -> Result<PieceEnd, InflateError> {
        let piece = self
            .inflater
            .read_piece(bits, self.cut_offset(), &mut self.block_tokens)?;
        let plain = self.inflater.plain();
        if let Some(header) = &piece.header {
            self.open = Some(header.kind.clone());
        }
        if piece.end != PieceEnd::Open {
            self.open = None;
        }
        let block = SegmentBlock {
            bit_offset: piece.bit_offset,
            header: piece.header,
            length: plain.len(),
            tokens: self.block_tokens.len(),
            long_forms: piece.long_forms,
            is_ended: piece.end != PieceEnd::Open,
        };
        if block.stretch().is_flush() {
            self.flushed = self.inflater.total();
        }
        self.segment.text.extend_from_slice(plain);
        self.segment.tokens.extend_from_slice(&self.block_tokens);
        self.segment.blocks.push(block);
        Ok(piece.end)
    }

    /// Plain text where the segment is cut at last: at the end of a portion since the last flush.
    fn cut_offset(&self) -> u64 {
        let own = (self.segment.text.len() - self.segment.start) as u64;
        let start = self.inflater.total() - own;
        let limit = start + cut_size(self.segment_size);
        limit - (limit - self.flushed) % PORTION_SIZE as u64
    }

    fn is_complete(&self, end: PieceEnd) -> bool {
        let length = self.segment.text.len() - self.segment.start;
        let is_flushed = self.flushed == self.inflater.total();
        end == PieceEnd::Open
            || length >= self.segment_size
            || is_flushed && length >= FLUSHED_SIZE
            || self.segment.blocks.len() >= MAX_SEGMENT_BLOCKS
    }

    fn take_segment(&mut self, input: &[u8]) -> Box<Segment> {
        let whole = usize::try_from(self.bit_offset / 8).unwrap_or(usize::MAX);
        let [bits_in_byte, ..] = (self.bit_offset % 8).to_le_bytes();
        let text = &self.segment.text;
        let context = text[text.len().saturating_sub(LONG_CONTEXT_SIZE)..].to_vec();
        let next = Segment {
            start: context.len(),
            text: context,
            since_flush: self.inflater.total() - self.flushed,
            first_bits: FirstBits {
                bits: input.get(whole).copied().unwrap_or(0) & ((1 << bits_in_byte) - 1),
                count: bits_in_byte,
            },
            open: self.open.clone(),
            ..Segment::default()
        };
        self.bit_offset = u64::from(bits_in_byte);
        let mut segment = Box::new(std::mem::replace(&mut self.segment, next));
        segment.stored = input.get(..whole).unwrap_or(input).to_vec();
        segment
    }
}
