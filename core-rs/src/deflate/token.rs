//! What a deflate stream says: literal bytes, and repeats of bytes before.

use std::fmt;

/// Shortest repeat, bytes (RFC 1951 §3.2.5).
pub const MIN_MATCH: u16 = 3;
/// Longest repeat, bytes (RFC 1951 §3.2.5).
pub const MAX_MATCH: u16 = 258;
/// Farthest repeat, bytes back (RFC 1951 §2).
pub const MAX_DISTANCE: u16 = 32_768;

/// Set in matches. Above stands the length less [`MIN_MATCH`], below the distance. Literals have their
/// byte above and nothing below.
const IS_MATCH: u32 = 1 << 16;
const VALUE_SHIFT: u32 = 17;
/// Set in matches of distance 0, which deflate does not have, so that they have one bit more than all
/// that it has.
const HAS_NO_DISTANCE: u32 = 1 << 31;
const DISTANCE_BITS: u32 = 0xffff;

/// Numbers that [`Token::index`] gives of tokens that deflate has.
pub(crate) const TOKEN_INDEXES: usize = 512;

/// One symbol of a compressed block, before the Huffman code: [`TokenKind`] in four bytes, as a
/// segment has up to a million of them. What is done to each of them needs no branch by its kind: that
/// cannot be foretold, and a processor's wrong guess costs more than the rest.
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
        Self((byte as u32) << VALUE_SHIFT)
    }

    /// `length` bytes (3 to 258 in deflate) from `distance` bytes (1 to 32,768) before.
    #[inline]
    #[must_use]
    pub const fn matched(length: u16, distance: u16) -> Self {
        let above = (length.wrapping_sub(MIN_MATCH) & 0x3fff) as u32;
        let no_distance = if distance == 0 { HAS_NO_DISTANCE } else { 0 };
        Self(no_distance | above << VALUE_SHIFT | IS_MATCH | distance as u32)
    }

    /// What it is.
    #[inline]
    #[must_use]
    pub const fn kind(self) -> TokenKind {
        let [low, high, ..] = self.0.to_le_bytes();
        let [value, value_high, ..] = (self.0 >> VALUE_SHIFT).to_le_bytes();
        if self.is_match() {
            let above = u16::from_le_bytes([value, value_high]);
            TokenKind::Match {
                length: above.wrapping_add(MIN_MATCH) & 0x3fff,
                distance: u16::from_le_bytes([low, high]),
            }
        } else {
            TokenKind::Literal(value)
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
        let length = (self.0 >> VALUE_SHIFT).wrapping_add(MIN_MATCH as u32) & 0x3fff;
        if self.is_match() { length as usize } else { 1 }
    }

    /// A number for its first code: of a literal twice its byte, of a match 1 and twice the length less
    /// [`MIN_MATCH`]. It is less than [`TOKEN_INDEXES`], and the distance not 0, for all tokens that
    /// deflate has.
    #[inline]
    pub(crate) const fn index(self) -> usize {
        (self.0 >> 16) as usize
    }

    /// The distance of a match, 0 for a literal.
    #[inline]
    pub(crate) const fn distance_or_0(self) -> u32 {
        self.0 & DISTANCE_BITS
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

    #[test]
    fn index_and_distance_or_0_tell_what_deflate_has() {
        for byte in 0..=255 {
            let token = Token::literal(byte);
            assert_eq!(token.index(), 2 * usize::from(byte));
            assert_eq!(token.distance_or_0(), 0);
        }
        for length in 0..=2 * MAX_MATCH {
            for distance in [0, 1, MAX_DISTANCE, MAX_DISTANCE + 1] {
                let token = Token::matched(length, distance);
                assert_eq!(token.kind(), TokenKind::Match { length, distance });
                assert_eq!(token.length(), usize::from(length));
                assert_eq!(token.distance_or_0(), u32::from(distance));
                let is_there = (MIN_MATCH..=MAX_MATCH).contains(&length) && distance > 0;
                assert_eq!(token.index() < TOKEN_INDEXES, is_there);
                if is_there {
                    assert_eq!(token.index(), 1 + 2 * usize::from(length - MIN_MATCH));
                }
            }
        }
    }
}
