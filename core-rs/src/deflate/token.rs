//! What a deflate stream says: literal bytes, and repeats of bytes before.

use std::fmt;

/// Shortest repeat, bytes (RFC 1951 §3.2.5).
pub const MIN_MATCH: u16 = 3;
/// Longest repeat, bytes (RFC 1951 §3.2.5).
pub const MAX_MATCH: u16 = 258;
/// Farthest repeat, bytes back (RFC 1951 §2).
pub const MAX_DISTANCE: u16 = 32_768;

/// Set in matches, which have their length above `LENGTH_SHIFT` and their distance below.
const IS_MATCH: u32 = 1 << 31;
const LENGTH_SHIFT: u32 = 16;
const LOW_BITS: u32 = 0xffff;

/// One symbol of a compressed block, before the Huffman code: [`TokenKind`] in four bytes, as a
/// segment has up to a million of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Token(u32);

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// A byte as it is.
    Literal(u8),
    /// `length` bytes that are the same as those `distance` bytes before.
    Match {
        /// 3 to 258 bytes.
        length: u16,
        /// 1 to 32,768 bytes.
        distance: u16,
    },
}

impl Token {
    /// A byte as it is.
    #[inline]
    #[must_use]
    pub const fn literal(byte: u8) -> Self {
        Self(byte as u32)
    }

    /// `length` bytes (3 to 258 in deflate) from `distance` bytes (1 to 32,768) before.
    #[inline]
    #[must_use]
    pub const fn matched(length: u16, distance: u16) -> Self {
        Self(IS_MATCH | ((length & 0x7fff) as u32) << LENGTH_SHIFT | distance as u32)
    }

    /// What it is.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> TokenKind {
        let [low, high, length_low, length_high] = self.0.to_le_bytes();
        if self.is_match() {
            TokenKind::Match {
                length: u16::from_le_bytes([length_low, length_high & 0x7f]),
                distance: u16::from_le_bytes([low, high]),
            }
        } else {
            TokenKind::Literal(low)
        }
    }

    /// Whether it is a repeat.
    #[inline]
    #[must_use]
    pub const fn is_match(self) -> bool {
        self.0 & IS_MATCH != 0
    }

    /// Bytes of plain text that the token stands for.
    #[inline]
    #[must_use]
    pub const fn length(self) -> usize {
        if self.is_match() {
            (self.0 >> LENGTH_SHIFT & (LOW_BITS >> 1)) as usize
        } else {
            1
        }
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind().fmt(formatter)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kind_gives_what_the_token_was_made_of() {
        for byte in 0..=255 {
            let token = Token::literal(byte);
            assert_eq!(token.kind(), TokenKind::Literal(byte));
            assert_eq!(token.length(), 1);
        }
        for length in MIN_MATCH..=MAX_MATCH {
            for distance in [1, 2, 255, 256, 32_767, MAX_DISTANCE] {
                let token = Token::matched(length, distance);
                assert_eq!(token.kind(), TokenKind::Match { length, distance });
                assert_eq!(token.length(), usize::from(length));
                assert!(token.is_match());
            }
        }
    }
}
