//! What zstd frames and their blocks begin with (RFC 8878 §3.1.1).

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use super::error::FrameError;
use crate::limits::MAX_ZSTD_WINDOW_SIZE;

/// Bytes of a frame's magic.
pub const MAGIC_SIZE: usize = 4;
/// What frames with text begin with.
const FRAME_MAGIC: [u8; MAGIC_SIZE] = [0x28, 0xb5, 0x2f, 0xfd];
/// What frames without text begin with, after a byte of 0x50 to 0x5f (§3.1.2).
const SKIPPABLE_MAGIC: [u8; 3] = [0x2a, 0x4d, 0x18];
/// Bytes of magic and size of a frame without text.
pub(super) const SKIPPABLE_HEADER_SIZE: usize = 8;
/// Bytes of a block's header (§3.1.1.2).
pub(super) const BLOCK_HEADER_SIZE: usize = 3;
/// Most bytes of a block, as it is stored and as text (§3.1.1.2.4).
pub const MAX_BLOCK_SIZE: u32 = 128 << 10;
/// Bytes of a frame's checksum.
pub(super) const CHECKSUM_SIZE: usize = 4;

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beginning {
    Frame,
    Skippable,
    /// Too few bytes to tell.
    Unknown,
    Other,
}

pub(super) fn beginning(input: &[u8]) -> Beginning {
    let Some(magic) = input.first_chunk::<MAGIC_SIZE>() else {
        return Beginning::Unknown;
    };
    if *magic == FRAME_MAGIC {
        return Beginning::Frame;
    }
    match magic {
        [0x50..=0x5f, rest @ ..] if *rest == SKIPPABLE_MAGIC => Beginning::Skippable,
        _ => Beginning::Other,
    }
}

/// Whether bytes begin like a zstd frame, one with text or one without: what containerd takes for zstd.
pub fn begins_frame(input: &[u8]) -> bool {
    matches!(beginning(input), Beginning::Frame | Beginning::Skippable)
}

/// The header of a frame, as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// Bytes of it, with the magic.
    pub size: usize,
    /// Whether the window is the whole text, and not said.
    pub is_single_segment: bool,
    /// Bytes of text that a reader has to remember.
    pub window_size: u64,
    /// Bytes of text, if the header says.
    pub content_size: Option<u64>,
    /// Whether a checksum follows the last block.
    pub has_checksum: bool,
}

impl FrameHeader {
    /// The header that `input` begins with, which is a frame's; else how many bytes are needed.
    ///
    /// # Errors
    /// [`FrameError`] if such a frame is not read.
    pub(super) fn parse(input: &[u8]) -> Result<Result<Self, usize>, FrameError> {
        let Some(&[_, _, _, _, descriptor]) = input.first_chunk() else {
            return Ok(Err(MAGIC_SIZE.saturating_add(1)));
        };
        if descriptor & RESERVED_BIT != 0 {
            let (offset, got) = (0, descriptor & RESERVED_BIT);
            return Err(FrameError::ReservedBits { offset, got });
        }
        let is_single_segment = descriptor & 0x20 != 0;
        let window = usize::from(!is_single_segment);
        let dictionary = match descriptor & 3 {
            3 => 4,
            size => usize::from(size),
        };
        let content = match descriptor >> 6 {
            0 => usize::from(is_single_segment),
            1 => 2,
            2 => 4,
            _ => 8,
        };
        let fields = [MAGIC_SIZE, 1, window, dictionary, content];
        let size = fields.iter().fold(0_usize, |sum, &n| sum.saturating_add(n));
        let mut rest = input.get(MAGIC_SIZE.saturating_add(1)..).unwrap_or(&[]);
        if input.len() < size {
            return Ok(Err(size));
        }
        let mut field = |length| {
            let (bytes, after) = rest.split_at_checked(length).unwrap_or((&[], &[]));
            rest = after;
            number(bytes)
        };
        let window_descriptor = field(window);
        let dictionary_id = field(dictionary);
        let content_size = (content > 0).then(|| match content {
            // Two bytes never say less than one could.
            2 => field(content).saturating_add(256),
            _ => field(content),
        });
        let header = Self {
            size,
            is_single_segment,
            window_size: match content_size {
                Some(size) if is_single_segment => size,
                _ => window_size(window_descriptor),
            },
            content_size,
            has_checksum: descriptor & 4 != 0,
        };
        header.check(dictionary_id)?;
        Ok(Ok(header))
    }

    fn check(&self, dictionary: u64) -> Result<(), FrameError> {
        let offset = 0;
        if dictionary != 0 {
            let got = u32::try_from(dictionary).unwrap_or(u32::MAX);
            return Err(FrameError::Dictionary { offset, got });
        }
        if self.window_size > MAX_ZSTD_WINDOW_SIZE {
            return Err(FrameError::Window {
                offset,
                got: self.window_size,
                expected: MAX_ZSTD_WINDOW_SIZE,
            });
        }
        Ok(())
    }

    /// Most bytes that a block of the frame may have.
    pub(super) fn max_block_size(&self) -> u32 {
        u32::try_from(self.window_size).map_or(MAX_BLOCK_SIZE, |size| size.min(MAX_BLOCK_SIZE))
    }
}

/// A bit that no frame has set (§3.1.1.1.1.4).
const RESERVED_BIT: u8 = 8;

fn number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, &byte| number << 8 | u64::from(byte))
}

/// §3.1.1.1.2.
fn window_size(descriptor: u64) -> u64 {
    let base = 1_u64 << (descriptor >> 3).saturating_add(10).min(63);
    base.saturating_add((base >> 3).saturating_mul(descriptor & 7))
}

/// The header of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BlockHeader {
    pub(super) is_last: bool,
    /// Bytes of the block with its header.
    pub(super) stored_size: usize,
    /// Whether it has no text.
    pub(super) is_empty: bool,
}

impl BlockHeader {
    /// The header that `input` begins with; nothing if it is cut off.
    pub(super) fn parse(input: &[u8], max_size: u32) -> Result<Option<Self>, FrameError> {
        let Some(bytes) = input.first_chunk::<BLOCK_HEADER_SIZE>() else {
            return Ok(None);
        };
        let [low, middle, high] = *bytes;
        let fields = u32::from_le_bytes([low, middle, high, 0]);
        let (kind, got) = (low >> 1 & 3, fields >> 3);
        if kind == 3 {
            return Err(FrameError::BlockType {
                offset: 0,
                got: kind,
            });
        }
        if got > max_size {
            return Err(FrameError::BlockSize {
                offset: 0,
                got,
                expected: max_size,
            });
        }
        // One byte stands for all of the text.
        let stored = if kind == 1 { 1 } else { got };
        let stored = usize::try_from(stored).unwrap_or(usize::MAX);
        Ok(Some(Self {
            is_last: low & 1 != 0,
            stored_size: stored.saturating_add(BLOCK_HEADER_SIZE),
            is_empty: kind != 2 && got == 0,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &[u8]) -> Result<Result<FrameHeader, usize>, FrameError> {
        FrameHeader::parse(&[&FRAME_MAGIC, bytes].concat())
    }

    #[test]
    fn parse_reads_all_forms_of_fields() {
        let header = parse(&[0x04, 0x58]).unwrap().unwrap();
        assert_eq!(header.window_size, 2 << 20);
        assert_eq!((header.content_size, header.has_checksum), (None, true));
        let header = parse(&[0x20, 7]).unwrap().unwrap();
        assert_eq!((header.content_size, header.window_size), (Some(7), 7));
        let header = parse(&[0x60, 1, 0]).unwrap().unwrap();
        assert_eq!((header.content_size, header.size), (Some(257), 7));
        let header = parse(&[0x80 | 3, 0x09, 0, 0, 0, 0, 1, 2, 3, 4]).unwrap();
        let header = header.unwrap();
        assert_eq!(header.content_size, Some(0x0403_0201));
        assert_eq!(header.window_size, 2048 + 256);
        assert_eq!(parse(&[0xc0, 0]), Ok(Err(14)));
        assert_eq!(parse(&[]), Ok(Err(5)));
    }

    #[test]
    fn parse_refuses_what_is_not_read() {
        let offset = 0;
        assert_eq!(
            parse(&[0x08]),
            Err(FrameError::ReservedBits { offset, got: 8 })
        );
        assert_eq!(
            parse(&[1, 0, 5]),
            Err(FrameError::Dictionary { offset, got: 5 })
        );
        let expected = MAX_ZSTD_WINDOW_SIZE;
        let got = expected + expected / 8;
        assert_eq!(
            parse(&[0, 15 << 3 | 1]),
            Err(FrameError::Window {
                offset,
                got,
                expected
            })
        );
        assert!(parse(&[0, 15 << 3]).unwrap().is_ok());
        let got = u64::MAX;
        let longest = [&[0xe0], &[255; 8][..]].concat();
        assert_eq!(
            parse(&longest),
            Err(FrameError::Window {
                offset,
                got,
                expected
            })
        );
    }
}
