//! The compressors that there are models for, by name and by number.

use std::fmt;

use super::tables::TableBuilder;

/// A compressor with all that decides what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compressor {
    /// None: nothing is known of who wrote it.
    Unknown,
    /// Go's compress/flate up to Go 1.26.
    Go(GoLevel),
}

/// Levels of Go's compress/flate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoLevel {
    /// `HuffmanOnly`, -2.
    Literals,
    /// 1 to 9.
    Level(u8),
}

/// Bytes of a compressor in a recipe.
pub const COMPRESSOR_SIZE: usize = 8;

const UNKNOWN: u8 = 0;
const GO: u8 = 1;

impl Compressor {
    /// All that there are models for, the likeliest first.
    pub const CANDIDATES: &[Self] = &[
        Self::Go(GoLevel::Level(6)),
        Self::Go(GoLevel::Level(1)),
        Self::Go(GoLevel::Level(9)),
        Self::Go(GoLevel::Level(8)),
        Self::Go(GoLevel::Level(7)),
        Self::Go(GoLevel::Level(5)),
        Self::Go(GoLevel::Level(4)),
        Self::Go(GoLevel::Level(3)),
        Self::Go(GoLevel::Level(2)),
        Self::Go(GoLevel::Literals),
    ];

    /// Its number: family, level, and what else there is.
    #[must_use]
    pub const fn encode(self) -> [u8; COMPRESSOR_SIZE] {
        let (family, level) = match self {
            Self::Unknown => (UNKNOWN, 0),
            Self::Go(GoLevel::Literals) => (GO, 0),
            Self::Go(GoLevel::Level(level)) => (GO, level),
        };
        [family, level, 0, 0, 0, 0, 0, 0]
    }

    /// The compressor of a number.
    #[must_use]
    pub const fn decode(number: &[u8; COMPRESSOR_SIZE]) -> Option<Self> {
        let [family, level, 0, 0, 0, 0, 0, 0] = *number else {
            return None;
        };
        match (family, level) {
            (UNKNOWN, 0) => Some(Self::Unknown),
            (GO, 0) => Some(Self::Go(GoLevel::Literals)),
            (GO, 1..=9) => Some(Self::Go(GoLevel::Level(level))),
            _ => None,
        }
    }

    /// What makes the headers of its blocks.
    #[must_use]
    pub fn table_builder(self) -> TableBuilder {
        match self {
            Self::Unknown => TableBuilder::Stored,
            Self::Go(GoLevel::Literals) => TableBuilder::GoLiterals,
            Self::Go(GoLevel::Level(1)) => TableBuilder::GoFast,
            Self::Go(GoLevel::Level(_)) => TableBuilder::Go,
        }
    }
}

impl fmt::Display for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown => formatter.write_str("unknown"),
            Self::Go(GoLevel::Literals) => formatter.write_str("go -2"),
            Self::Go(GoLevel::Level(level)) => write!(formatter, "go {level}"),
        }
    }
}
