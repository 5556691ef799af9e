//! What can be wrong with a recipe that is read.

use super::section::Section;
use crate::compression::CompressionError;

/// Why a recipe, or a part of one, cannot be read. Offsets count from the start of the recipe unless
/// said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecipeError {
    /// It is too short to be one.
    #[error("recipe of {got} bytes, expected at least {expected}")]
    TooShort {
        /// Its bytes.
        got: u64,
        /// Bytes of an empty recipe.
        expected: u64,
    },
    /// It does not begin, or end, like one.
    #[error("no recipe: wrong magic at offset {offset}")]
    Magic {
        /// Where the magic should be.
        offset: u64,
    },
    /// It was written by a later version of this software.
    #[error("recipe has version {got}, expected at most {expected}")]
    Version {
        /// Its version.
        got: u16,
        /// The latest one known.
        expected: u16,
    },
    /// The directory is not where, or as large as, it can be.
    #[error("recipe's directory is {length} bytes at offset {offset}, of {size} bytes in all")]
    DirectoryPlace {
        /// Where it should be.
        offset: u64,
        /// How large it should be.
        length: u64,
        /// Bytes of the recipe.
        size: u64,
    },
    /// Stored bytes are not those that were written.
    #[error("{length} bytes at offset {offset} are damaged: their checksum differs")]
    Checksum {
        /// Where they begin.
        offset: u64,
        /// Their number.
        length: u64,
    },
    /// Stored bytes do not decompress.
    #[error("bytes at offset {offset} do not decompress: {problem}")]
    Compression {
        /// Where they begin.
        offset: u64,
        /// What is wrong.
        problem: CompressionError,
    },
    /// The directory has something that cannot be there.
    #[error("recipe's directory is malformed at its byte {offset}: {field}")]
    Directory {
        /// Where, from the start of the directory.
        offset: u64,
        /// What was being read.
        field: &'static str,
    },
    /// A section ends where more should follow.
    #[error("section {section:?} has {got} bytes, expected {expected}")]
    SectionEnd {
        /// Which section.
        section: Section,
        /// Bytes it has.
        got: u64,
        /// Bytes that were to be read.
        expected: u64,
    },
    /// A section has something that cannot be there.
    #[error("section {section:?} is malformed at its byte {offset}: {field}")]
    Malformed {
        /// Which section.
        section: Section,
        /// Where, from the start of the section.
        offset: u64,
        /// What was being read.
        field: &'static str,
    },
}
