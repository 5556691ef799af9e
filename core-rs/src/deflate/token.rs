//! What a deflate stream says: literal bytes, and repeats of bytes before.

/// Shortest repeat, bytes (RFC 1951 §3.2.5).
pub const MIN_MATCH: u16 = 3;
/// Longest repeat, bytes (RFC 1951 §3.2.5).
pub const MAX_MATCH: u16 = 258;
/// Farthest repeat, bytes back (RFC 1951 §2).
pub const MAX_DISTANCE: u16 = 32_768;

/// One symbol of a compressed block, before the Huffman code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Token {
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
    /// Bytes of plain text that the token stands for.
    pub const fn length(self) -> usize {
        match self {
            Self::Literal(_) => 1,
            Self::Match { length, .. } => length as usize,
        }
    }
}
