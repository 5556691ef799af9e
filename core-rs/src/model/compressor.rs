//! The compressors that there are models for, by name and by number.

use std::fmt;

/// A compressor with all that decides what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compressor {
    /// One that searches no repeats, whoever's.
    Literals,
}

/// Bytes of a compressor in a recipe.
pub const COMPRESSOR_SIZE: usize = 8;

impl Compressor {
    /// Its number: family, level, and what else there is.
    #[must_use]
    pub const fn encode(self) -> [u8; COMPRESSOR_SIZE] {
        match self {
            Self::Literals => [0, 0, 0, 0, 0, 0, 0, 0],
        }
    }

    /// The compressor of a number.
    #[must_use]
    pub const fn decode(number: &[u8; COMPRESSOR_SIZE]) -> Option<Self> {
        match number {
            [0, 0, 0, 0, 0, 0, 0, 0] => Some(Self::Literals),
            _ => None,
        }
    }
}

impl fmt::Display for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literals => formatter.write_str("literals"),
        }
    }
}
