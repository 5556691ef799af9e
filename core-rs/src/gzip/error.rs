//! What can be wrong with the frame of a gzip member.

use thiserror::Error;

/// Why bytes are no header or trailer. `offset` counts from their first byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum GzipError {
    /// All is right so far, but the bytes end before the frame does: try again with more of them.
    #[error("input ends at offset {offset}, expected at least {expected} bytes")]
    Truncated {
        /// Where the input ends.
        offset: usize,
        /// Fewest bytes that may be enough.
        expected: usize,
    },
    /// The first two bytes are not those of a gzip member.
    #[error(
        "byte at offset {offset} is {got:#04x}, expected {expected:#04x} as in all gzip members"
    )]
    Magic {
        /// Which byte is wrong.
        offset: usize,
        /// The byte.
        got: u8,
        /// The byte of a gzip member.
        expected: u8,
    },
    /// Compressed by something other than deflate.
    #[error("compression method at offset {offset} is {got}, expected {expected} (deflate)")]
    Method {
        /// Where the method stands.
        offset: usize,
        /// The method.
        got: u8,
        /// The number of deflate.
        expected: u8,
    },
    /// Reserved flags are set: there may be fields of which nobody knows the length.
    #[error("flags at offset {offset} are {got:#04x}, expected none but {expected:#04x}")]
    ReservedFlags {
        /// Where the flags stand.
        offset: usize,
        /// All flags.
        got: u8,
        /// All flags that RFC 1952 defines.
        expected: u8,
    },
    /// The header is longer than allowed.
    #[error(
        "field at offset {offset} ends the header after {got} bytes or more, allowed are {expected}"
    )]
    HeaderTooLong {
        /// Where the field that is too long begins.
        offset: usize,
        /// Fewest bytes that the header has.
        got: usize,
        /// Bytes allowed.
        expected: usize,
    },
}
