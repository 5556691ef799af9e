//! The headers of a difference and of its frames, in `doc/difference-format.md` order.

use super::error::{DifferenceError, DifferenceWriteError, Part};
use crate::compression::{CompressionError, compress, decompress};
use crate::fields::{Fields, length_u32, length_u64, length_usize};
use crate::limits::{MAX_CONFIG_LENGTH, MAX_MANIFEST_LENGTH};
use crate::pack::checksum::{Checksum, checksum_of};
use crate::pack::header::{BLOCK_MAGIC, BlockCodec};

/// Bytes of the header that begins a difference.
pub(super) const STREAM_HEADER_SIZE: usize = 16;
/// Bytes of a frame header.
pub(super) const FRAME_HEADER_SIZE: usize = 36;
/// Bytes of the marker that begins a frame, and of the magic that begins a block.
pub(super) const MARKER_SIZE: usize = 4;
/// Bytes of a reference: file id and size.
pub(super) const REFERENCE_SIZE: usize = 40;
/// References in one frame, all but the layer's last.
pub(super) const FRAME_REFERENCES: usize = 16_384;
/// Bytes of a tar part in one frame, all but the layer's last.
pub(super) const FRAME_TAR_PART_LENGTH: usize = 1_048_576;
/// Bytes of a layer's fields before its `DiffID`.
pub(super) const LAYER_FIELDS_SIZE: usize = 12;
/// Bytes of the longest `DiffID`: `sha512:` and 128 digits.
const MAX_DIFF_ID_SIZE: usize = 135;
/// Bytes of an end: five totals and a checksum.
pub(super) const END_SIZE: usize = 56;

/// Shorter payloads are stored as they are: a zstd frame saves a few bytes of them at best.
const MIN_COMPRESSED_LENGTH: usize = 128;

const STREAM_MAGIC: [u8; 8] = *b"MICADIFF";
const STREAM_VERSION: u16 = 1;

const CODEC_OFFSET: u64 = 4;
const FLAGS_OFFSET: u64 = 6;
const CHECKSUM_OFFSET: usize = 32;

const _: () = assert!(FRAME_HEADER_SIZE == MARKER_SIZE + 2 + 2 + 4 + 4 + 16 + 4);
const _: () = assert!(FRAME_HEADER_SIZE == CHECKSUM_OFFSET + 4);

/// The parts that are frames; files are blocks.
const MARKERS: [(Part, [u8; MARKER_SIZE]); 6] = [
    (Part::Manifest, *b"MANI"),
    (Part::Config, *b"CONF"),
    (Part::Layer, *b"LAYR"),
    (Part::References, *b"REFS"),
    (Part::TarPart, *b"TARP"),
    (Part::End, *b"DEND"),
];

/// The part that begins with a marker.
pub(super) fn part_of(marker: [u8; MARKER_SIZE]) -> Option<Part> {
    if marker == BLOCK_MAGIC {
        return Some(Part::Files);
    }
    let found = MARKERS.iter().find(|(_, known)| *known == marker);
    found.map(|(part, _)| *part)
}

fn marker_of(part: Part) -> [u8; MARKER_SIZE] {
    let found = MARKERS.iter().find(|(known, _)| *known == part);
    found.map_or(BLOCK_MAGIC, |(_, marker)| *marker)
}

/// Most bytes of plain text that a frame of a part may have.
fn max_length(part: Part) -> u32 {
    match part {
        Part::Manifest => MAX_MANIFEST_LENGTH,
        Part::Config => MAX_CONFIG_LENGTH,
        Part::Layer => length_u32(LAYER_FIELDS_SIZE.saturating_add(MAX_DIFF_ID_SIZE)),
        Part::References => length_u32(FRAME_REFERENCES.saturating_mul(REFERENCE_SIZE)),
        Part::TarPart => length_u32(FRAME_TAR_PART_LENGTH),
        Part::Files => 0,
        Part::End => length_u32(END_SIZE),
    }
}

pub(super) fn encode_stream_header() -> Vec<u8> {
    let mut bytes = Vec::with_capacity(STREAM_HEADER_SIZE);
    bytes.extend_from_slice(&STREAM_MAGIC);
    bytes.extend_from_slice(&STREAM_VERSION.to_le_bytes());
    bytes.extend_from_slice(&0_u16.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// Checks the header at the start of the stream, which is given whole.
pub(super) fn decode_stream_header(bytes: &[u8]) -> Result<(), DifferenceError> {
    let missing = missing(0, bytes, STREAM_HEADER_SIZE);
    let mut fields = Fields::new(bytes);
    let got = fields.array().ok_or(missing)?;
    if got != STREAM_MAGIC {
        return Err(DifferenceError::Magic {
            got,
            expected: STREAM_MAGIC,
        });
    }
    let version = fields.u16().ok_or(missing)?;
    let flags = fields.u16().ok_or(missing)?;
    let checksum = fields.u32().ok_or(missing)?;
    check_header(0, bytes, 12, checksum)?;
    if version != STREAM_VERSION {
        return Err(DifferenceError::Version {
            got: version,
            expected: STREAM_VERSION,
        });
    }
    check_flags(10, flags)
}

/// What a frame header says, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FrameHeader {
    pub(super) part: Part,
    codec: BlockCodec,
    plain_length: u32,
    stored_length: u32,
    checksum: Checksum,
}

impl FrameHeader {
    /// Bytes of the payload.
    pub(super) fn stored_length(&self) -> usize {
        length_usize(self.stored_length)
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(FRAME_HEADER_SIZE);
        bytes.extend_from_slice(&marker_of(self.part));
        bytes.extend_from_slice(&self.codec.number().to_le_bytes());
        bytes.extend_from_slice(&0_u16.to_le_bytes());
        bytes.extend_from_slice(&self.plain_length.to_le_bytes());
        bytes.extend_from_slice(&self.stored_length.to_le_bytes());
        bytes.extend_from_slice(&self.checksum);
        bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
        bytes
    }

    /// Reads a frame header, given whole, of a part that is known by its marker. `offset` is where it
    /// begins in the stream.
    pub(super) fn decode(bytes: &[u8], part: Part, offset: u64) -> Result<Self, DifferenceError> {
        let missing = missing(offset, bytes, FRAME_HEADER_SIZE);
        let mut fields = Fields::new(bytes);
        let _marker: [u8; MARKER_SIZE] = fields.array().ok_or(missing)?;
        let codec = fields.u16().ok_or(missing)?;
        let flags = fields.u16().ok_or(missing)?;
        let mut header = Self {
            part,
            codec: BlockCodec::Raw,
            plain_length: fields.u32().ok_or(missing)?,
            stored_length: fields.u32().ok_or(missing)?,
            checksum: fields.array().ok_or(missing)?,
        };
        let checksum = fields.u32().ok_or(missing)?;
        check_header(offset, bytes, CHECKSUM_OFFSET, checksum)?;
        header.codec = BlockCodec::of_number(codec).ok_or(DifferenceError::Codec {
            offset: offset.saturating_add(CODEC_OFFSET),
            got: codec,
        })?;
        check_flags(offset.saturating_add(FLAGS_OFFSET), flags)?;
        header.check_lengths(offset)?;
        Ok(header)
    }

    fn check_lengths(&self, offset: u64) -> Result<(), DifferenceError> {
        let max = max_length(self.part);
        if self.plain_length > max {
            return Err(DifferenceError::PartLength {
                offset,
                part: self.part,
                got: self.plain_length,
                max,
            });
        }
        if !self.codec.can_store(self.plain_length, self.stored_length) {
            return Err(DifferenceError::StoredLength {
                offset,
                got: self.stored_length,
                plain_length: self.plain_length,
            });
        }
        Ok(())
    }

    /// The plain text of the frame's payload. `offset` is where that begins in the stream.
    pub(super) fn decode_payload(
        &self,
        payload: &[u8],
        offset: u64,
    ) -> Result<Vec<u8>, DifferenceError> {
        let got = checksum_of(&[payload]);
        if got != self.checksum {
            return Err(DifferenceError::PayloadChecksum {
                offset,
                got,
                expected: self.checksum,
            });
        }
        match self.codec {
            BlockCodec::Raw => Ok(payload.to_vec()),
            BlockCodec::Zstd => decompress(payload, length_usize(self.plain_length))
                .map_err(|source| DifferenceError::Payload { offset, source }),
        }
    }
}

/// A frame: header and payload. The payload is compressed unless it is short or that does not shrink it.
pub(super) fn encode_frame(
    part: Part,
    plain: &[u8],
    level: i32,
) -> Result<Vec<u8>, DifferenceWriteError> {
    let max = max_length(part);
    if plain.len() > length_usize(max) {
        return Err(DifferenceWriteError::PartLength {
            part,
            got: length_u64(plain.len()),
            max,
        });
    }
    let failed = |source: CompressionError| DifferenceWriteError::Compress { part, source };
    let frame = if plain.len() < MIN_COMPRESSED_LENGTH {
        None
    } else {
        let frame = compress(plain, level).map_err(failed)?;
        Some(frame).filter(|frame| frame.len() < plain.len())
    };
    let (codec, payload) = match &frame {
        Some(frame) => (BlockCodec::Zstd, &**frame),
        None => (BlockCodec::Raw, plain),
    };
    let header = FrameHeader {
        part,
        codec,
        plain_length: length_u32(plain.len()),
        stored_length: length_u32(payload.len()),
        checksum: checksum_of(&[payload]),
    };
    let mut bytes = header.encode();
    bytes.extend_from_slice(payload);
    Ok(bytes)
}

fn missing(offset: u64, bytes: &[u8], size: usize) -> DifferenceError {
    DifferenceError::Truncated {
        offset: offset.saturating_add(length_u64(bytes.len())),
        expected: offset.saturating_add(length_u64(size)),
    }
}

fn check_flags(offset: u64, got: u16) -> Result<(), DifferenceError> {
    if got == 0 {
        return Ok(());
    }
    Err(DifferenceError::Flags { offset, got })
}

/// Holds the checksum at `end` of a header against the bytes before it.
fn check_header(offset: u64, bytes: &[u8], end: usize, got: u32) -> Result<(), DifferenceError> {
    let expected = crc32fast::hash(bytes.get(..end).unwrap_or(bytes));
    if got == expected {
        return Ok(());
    }
    Err(DifferenceError::HeaderChecksum {
        offset: offset.saturating_add(length_u64(end)),
        got,
        expected,
    })
}
