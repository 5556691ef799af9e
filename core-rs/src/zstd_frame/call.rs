//! The calls of libzstd that are known, each with all that decides what it writes.

use super::header::FrameHeader;

/// Bytes of a call in a recipe.
pub const CALL_SIZE: usize = 2;

/// Levels that are tried, most likely ones first: 3 is the default. Above 19 an encoder takes hundreds of
/// megabytes.
pub(super) const LEVELS: [i8; 24] = [
    3, 1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, -1, -2, -3, -4, -5,
];

const CHECKSUM: u8 = 1;
const CONTENT_SIZE: u8 = 2;

/// One frame by the streaming interface of libzstd 1.5.7, on one thread, with no parameters but these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZstdCall {
    level: i8,
    has_checksum: bool,
    has_content_size: bool,
}

impl ZstdCall {
    /// Of a level; nothing if it is none of 1 to 19 and -1 to -5.
    #[must_use]
    pub fn new(level: i8, has_checksum: bool, has_content_size: bool) -> Option<Self> {
        LEVELS.contains(&level).then_some(Self {
            level,
            has_checksum,
            has_content_size,
        })
    }

    /// Its level.
    #[must_use]
    pub const fn level(self) -> i8 {
        self.level
    }

    /// Whether the frame ends with a checksum.
    #[must_use]
    pub const fn has_checksum(self) -> bool {
        self.has_checksum
    }

    /// Whether libzstd was told beforehand how long the text is; then the frame's header says it.
    #[must_use]
    pub const fn has_content_size(self) -> bool {
        self.has_content_size
    }

    /// Its number. The four highest bits of the second byte are for other versions of libzstd.
    pub(crate) fn encode(self) -> [u8; CALL_SIZE] {
        let checksum = if self.has_checksum { CHECKSUM } else { 0 };
        let content_size = if self.has_content_size {
            CONTENT_SIZE
        } else {
            0
        };
        [self.level.cast_unsigned(), checksum | content_size]
    }

    /// The call of a number.
    pub(crate) fn decode([level, flags]: [u8; CALL_SIZE]) -> Option<Self> {
        let (checksum, content_size) = (flags & CHECKSUM != 0, flags & CONTENT_SIZE != 0);
        let call = Self::new(level.cast_signed(), checksum, content_size)?;
        (call.encode() == [level, flags]).then_some(call)
    }

    /// The calls that can have made a frame with this header.
    pub(super) fn of_header(header: &FrameHeader) -> impl Iterator<Item = Self> {
        let FrameHeader {
            has_checksum,
            content_size,
            ..
        } = *header;
        let possible = move |call: &Self| call.can_make(header);
        LEVELS
            .into_iter()
            .filter_map(move |level| Self::new(level, has_checksum, content_size.is_some()))
            .filter(possible)
    }

    fn can_make(self, header: &FrameHeader) -> bool {
        let window = 1_u64 << window_log(self.level);
        let Some(size) = header.content_size else {
            return header.window_size == window;
        };
        // What libzstd does with less depends on more than the level.
        if size <= SMALL_SIZE {
            return true;
        }
        let window = window.min(size.next_power_of_two());
        if header.is_single_segment {
            window >= size
        } else {
            header.window_size == window
        }
    }

    /// Bytes that an encoder of it takes at most, libzstd's `ZSTD_sizeof_CCtx` rounded up.
    pub(super) const fn encoder_size(self) -> usize {
        let mebibytes = match self.level {
            ..=2 => 3,
            3..=6 => 6,
            7..=9 => 15,
            10 | 11 => 25,
            12 | 13 | 16 => 45,
            14 | 17 | 18 => 58,
            15 => 69,
            _ => 90,
        };
        mebibytes << 20
    }
}

/// Bytes of text up to which libzstd has other tables of parameters (`ZSTD_getCParamRowSize`).
const SMALL_SIZE: u64 = 256 << 10;

/// Binary logarithm of the window of a long text (`ZSTD_defaultCParameters`).
const fn window_log(level: i8) -> u32 {
    match level {
        ..=1 => 19,
        2 => 20,
        3..=8 => 21,
        9..=16 => 22,
        _ => 23,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zstd_frame::encoder::FrameEncoder;

    #[test]
    fn decode_gives_what_encode_wrote_and_refuses_other_numbers() {
        let mut known = 0;
        for number in 0..=u16::MAX {
            let number = number.to_le_bytes();
            if let Some(call) = ZstdCall::decode(number) {
                assert_eq!(call.encode(), number);
                known += 1;
            }
        }
        assert_eq!(known, LEVELS.len() * 4);
        assert_eq!(ZstdCall::decode([0, 0]), None);
        assert_eq!(ZstdCall::decode([3, 16]), None);
    }

    /// What is known here of libzstd's parameters is what libzstd does.
    #[test]
    fn windows_and_sizes_of_encoders_are_those_of_libzstd() {
        for level in LEVELS {
            for content_size in [None, Some(300_000), Some(5 << 20), Some(1 << 30)] {
                let call = ZstdCall::new(level, false, content_size.is_some()).unwrap();
                let mut encoder = FrameEncoder::new(call, content_size.unwrap_or(0)).unwrap();
                let mut frame = Vec::new();
                encoder.push(&vec![7; 1 << 17], &mut frame).unwrap();
                let header = FrameHeader::parse(&frame).unwrap().unwrap();
                assert!(call.can_make(&header), "{level} {content_size:?}");
                assert!(
                    encoder.memory() <= call.encoder_size(),
                    "{level}: {}",
                    encoder.memory()
                );
            }
        }
    }
}
