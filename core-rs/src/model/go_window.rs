//! What Go's levels 2 to 9 have in common: their hash, their window, and which matches they take.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflate.go>

use super::chains::ChainHash;
use crate::deflate::Token;

/// Shortest match that is looked for, bytes.
pub const MIN_MATCH: usize = 4;
/// Longest match, bytes.
pub const MAX_MATCH: usize = 258;
/// Farthest match, bytes back.
pub const WINDOW: usize = 32_768;
/// A match of [`MIN_MATCH`] bytes is not taken from farther.
pub const FAR_FOR_SHORT: usize = 4_096;
/// Where in the second half of its buffer of two windows the encoder moves everything down by one
/// window, as less than the longest match and hash are left in it. It forgets what it moved out.
const MOVE_DOWN: usize = WINDOW - MIN_MATCH - MAX_MATCH + 1;

/// Go's hash of four bytes, the first highest, in 17 bits.
#[derive(Debug)]
pub struct GoHash;

impl ChainHash for GoHash {
    const BYTES: usize = MIN_MATCH;
    const BITS: u32 = 17;
    const WINDOW: usize = WINDOW;

    #[inline]
    fn hash(bytes: u32) -> u32 {
        bytes.swap_bytes().wrapping_mul(0x1e35_a7bd) >> (32 - Self::BITS)
    }
}

/// A match that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// Bytes.
    pub length: usize,
    /// Bytes back.
    pub distance: usize,
}

impl Found {
    /// The token for it.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "both fit in 16 bits")]
    pub fn token(self) -> Token {
        Token::matched(self.length as u16, self.distance as u16)
    }
}

/// The farthest candidate, bytes back from `position`, when the stream has `phase` bytes before the
/// text. Input that is written in pieces that end just before the buffer's end can make it move down
/// a little earlier.
#[inline]
#[expect(
    clippy::cast_possible_truncation,
    reason = "a remainder of the window fits"
)]
pub fn reach(phase: u64, position: usize) -> usize {
    let in_window = (phase.wrapping_add(position as u64) % WINDOW as u64) as usize;
    let reach = if in_window >= MOVE_DOWN {
        in_window
    } else {
        WINDOW
    };
    reach.min(position)
}
