//! Bytes as one zstd frame, and back to a length that is known beforehand.
//!
//! One thread, no dictionary, no checksum of zstd's own (whoever keeps a frame has a checksum beside
//! it). libzstd makes the same frame from the same bytes and level on every machine, as long as its
//! version is the same; every version reads what any other wrote.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::ops::RangeInclusive;

use thiserror::Error;
use zstd::zstd_safe::{
    self, CCtx, CParameter, DCtx, find_frame_compressed_size, get_error_name,
    get_frame_content_size,
};

/// Levels that make sense for layers. Negative ones and 0, which libzstd reads as 3, are not used;
/// above 19 a frame may ask its reader for more than 8 MiB of window.
pub const LEVELS: RangeInclusive<i32> = 1..=19;

/// Why bytes are not compressed, or a frame does not give the bytes it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum CompressionError {
    /// The level is not one of [`LEVELS`].
    #[error("compression level is {got}, expected {min} to {max}")]
    Level {
        /// The level asked for.
        got: i32,
        /// Lowest level.
        min: i32,
        /// Highest level.
        max: i32,
    },
    /// There is no memory for the result or for the work.
    #[error("no memory to make {length} bytes")]
    Memory {
        /// Most bytes that the result could have.
        length: usize,
    },
    /// libzstd could not compress.
    #[error("zstd cannot compress {length} bytes: {reason}")]
    Compress {
        /// Bytes to compress.
        length: usize,
        /// What libzstd says.
        reason: &'static str,
    },
    /// The stored bytes are no valid zstd frame.
    #[error("no zstd frame in {length} stored bytes: {reason}")]
    Frame {
        /// Stored bytes.
        length: usize,
        /// What libzstd says.
        reason: &'static str,
    },
    /// The frame ends before the stored bytes do.
    #[error("zstd frame ends at offset {offset}, expected {expected}")]
    TrailingBytes {
        /// Where the frame ends.
        offset: usize,
        /// Stored bytes.
        expected: usize,
    },
    /// The frame gives another number of bytes than expected, or does not say how many.
    #[error("zstd frame gives {got:?} bytes, expected {expected}")]
    PlainLength {
        /// Bytes that the frame says it gives, or gave.
        got: Option<u64>,
        /// Bytes expected.
        expected: usize,
    },
}

/// Compresses bytes into one zstd frame that records their length.
///
/// ```
/// use mica_core::compression::{compress, decompress};
///
/// let plain = vec![7; 1000];
/// let stored = compress(&plain, 3)?;
/// assert!(stored.len() < 50);
/// assert_eq!(decompress(&stored, 1000)?, plain);
/// # Ok::<(), mica_core::compression::CompressionError>(())
/// ```
///
/// # Errors
/// [`CompressionError::Level`], [`CompressionError::Memory`], and [`CompressionError::Compress`] when
/// libzstd fails otherwise.
pub fn compress(plain: &[u8], level: i32) -> Result<Vec<u8>, CompressionError> {
    if !LEVELS.contains(&level) {
        return Err(CompressionError::Level {
            got: level,
            min: *LEVELS.start(),
            max: *LEVELS.end(),
        });
    }
    let failed = |code| CompressionError::Compress {
        length: plain.len(),
        reason: get_error_name(code),
    };
    let length = zstd_safe::compress_bound(plain.len());
    let mut stored = Vec::new();
    make_room(&mut stored, length)?;
    let mut context = CCtx::try_create().ok_or(CompressionError::Memory { length })?;
    context
        .set_parameter(CParameter::CompressionLevel(level))
        .map_err(failed)?;
    context.compress2(&mut stored, plain).map_err(failed)?;
    Ok(stored)
}

/// Gives back the bytes of a frame that [`compress`] made.
///
/// `plain_length` may come from foreign bytes if it was held against a limit before: no more memory
/// than that is taken, and none if the frame itself says otherwise.
///
/// # Errors
/// [`CompressionError`] unless the stored bytes are exactly one frame that gives exactly
/// `plain_length` bytes.
pub fn decompress(stored: &[u8], plain_length: usize) -> Result<Vec<u8>, CompressionError> {
    let mut plain = Vec::new();
    decompress_into(stored, plain_length, &mut plain)?;
    Ok(plain)
}

/// Does as [`decompress`], in the memory of `plain`, whose bytes it replaces.
///
/// # Errors
/// As [`decompress`]; `plain` may have lost its bytes by then.
pub fn decompress_into(
    stored: &[u8],
    plain_length: usize,
    plain: &mut Vec<u8>,
) -> Result<(), CompressionError> {
    let malformed = |reason| CompressionError::Frame {
        length: stored.len(),
        reason,
    };
    let offset =
        find_frame_compressed_size(stored).map_err(|code| malformed(get_error_name(code)))?;
    if offset != stored.len() {
        return Err(CompressionError::TrailingBytes {
            offset,
            expected: stored.len(),
        });
    }
    let got = get_frame_content_size(stored).map_err(|_| malformed("bad frame header"))?;
    check_plain_length(got, plain_length)?;

    plain.clear();
    make_room(plain, plain_length)?;
    let mut context = DCtx::try_create().ok_or(CompressionError::Memory {
        length: plain_length,
    })?;
    context
        .decompress(plain, stored)
        .map_err(|code| malformed(get_error_name(code)))?;
    check_plain_length(u64::try_from(plain.len()).ok(), plain_length)
}

fn check_plain_length(got: Option<u64>, expected: usize) -> Result<(), CompressionError> {
    if got.is_some_and(|got| usize::try_from(got) == Ok(expected)) {
        return Ok(());
    }
    Err(CompressionError::PlainLength { got, expected })
}

/// Gives an empty buffer room for so many bytes. A length too great for the machine is an error, no
/// abort.
fn make_room(buffer: &mut Vec<u8>, length: usize) -> Result<(), CompressionError> {
    buffer
        .try_reserve_exact(length)
        .map_err(|_| CompressionError::Memory { length })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Words in an order that repeats only after a while.
    fn text(length: usize) -> Vec<u8> {
        let words: [&[u8]; 4] = [b"layer ", b"file ", b"pack ", b"block "];
        let mut state = 1_u32;
        let mut text = Vec::new();
        while text.len() < length {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            text.extend_from_slice(words[usize::from(state.to_be_bytes()[0] & 3)]);
        }
        text.truncate(length);
        text
    }

    #[test]
    fn decompress_gives_back_what_compress_was_given_at_every_level() {
        for length in [0, 1, 100, 20_000, 300_000] {
            let plain = text(length);
            for level in LEVELS.step_by(6) {
                let stored = compress(&plain, level).unwrap();
                assert_eq!(decompress(&stored, length), Ok(plain.clone()), "{level}");
            }
        }
    }

    #[test]
    fn compress_refuses_levels_out_of_range() {
        for got in [-1, 0, 20] {
            let (min, max) = (1, 19);
            assert_eq!(
                compress(b"", got),
                Err(CompressionError::Level { got, min, max })
            );
        }
    }

    #[test]
    fn decompress_refuses_a_frame_of_another_length_before_it_makes_room() {
        let stored = compress(&text(1000), 3).unwrap();
        for expected in [0, 999, 1001, usize::MAX] {
            assert_eq!(
                decompress(&stored, expected),
                Err(CompressionError::PlainLength {
                    got: Some(1000),
                    expected
                })
            );
        }
    }

    #[test]
    fn decompress_refuses_a_frame_that_does_not_say_its_length() {
        let mut context = CCtx::create();
        context
            .set_parameter(CParameter::ContentSizeFlag(false))
            .unwrap();
        let mut stored = Vec::with_capacity(100);
        context.compress2(&mut stored, b"mica").unwrap();
        assert_eq!(
            decompress(&stored, 4),
            Err(CompressionError::PlainLength {
                got: None,
                expected: 4
            })
        );
    }

    /// The header's field for the length of the content lies: RFC 8878 §3.1.1.1.4.
    #[test]
    fn decompress_refuses_a_frame_that_lies_about_its_length() {
        let mut stored = compress(&text(1000), 3).unwrap();
        assert_eq!(stored[5..7], (1000_u16 - 256).to_le_bytes());
        for (claimed, name) in [(999_u16, "less"), (1001, "more")] {
            stored[5..7].copy_from_slice(&(claimed - 256).to_le_bytes());
            assert!(
                matches!(
                    decompress(&stored, usize::from(claimed)),
                    Err(CompressionError::Frame { .. })
                ),
                "{name}"
            );
        }
    }

    #[test]
    fn decompress_says_when_there_is_no_memory_for_what_a_frame_promises() {
        let huge = 1_u64 << 62;
        let mut stored = vec![0x28, 0xb5, 0x2f, 0xfd, 0xe0];
        stored.extend_from_slice(&huge.to_le_bytes());
        stored.extend_from_slice(&[1, 0, 0]);
        let length = usize::try_from(huge).unwrap();
        assert_eq!(
            decompress(&stored, length),
            Err(CompressionError::Memory { length })
        );
    }

    #[test]
    fn decompress_refuses_anything_but_exactly_one_frame() {
        let mut stored = compress(b"mica", 3).unwrap();
        let offset = stored.len();
        for length in 0..offset {
            let got = decompress(&stored[..length], 4);
            assert!(
                matches!(got, Err(CompressionError::Frame { length: l, .. }) if l == length),
                "{got:?}"
            );
        }
        stored.extend_from_within(..);
        assert_eq!(
            decompress(&stored, 8),
            Err(CompressionError::TrailingBytes {
                offset,
                expected: stored.len()
            })
        );
    }

    proptest! {
        #[test]
        fn decompress_never_panics_and_never_gives_another_length(
            stored in proptest::collection::vec(any::<u8>(), 0..200),
            plain_length in 0_usize..1000,
        ) {
            let mut framed = vec![0x28, 0xb5, 0x2f, 0xfd];
            framed.extend_from_slice(&stored);
            for bytes in [stored, framed] {
                if let Ok(plain) = decompress(&bytes, plain_length) {
                    prop_assert_eq!(plain.len(), plain_length);
                }
            }
        }

        #[test]
        fn decompress_never_panics_on_a_damaged_frame(
            at in any::<prop::sample::Index>(),
            bit in 0_u32..8,
            length in 0_usize..3000,
        ) {
            let mut stored = compress(&text(length), 6).unwrap();
            let at = at.index(stored.len());
            stored[at] ^= 1 << bit;
            if let Ok(plain) = decompress(&stored, length) {
                prop_assert_eq!(plain.len(), length);
            }
        }
    }
}
