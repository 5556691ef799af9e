//! The compressors that there are models for, by name and by number.

use std::fmt;

use crate::segment::cut::{MAX_SEGMENT_SIZE, SEGMENT_SIZE};

use super::tables::{KlauspostLevel, KlauspostVersion, TableBuilder};
use super::{CONTEXT_SIZE, LONG_CONTEXT_SIZE};

/// A compressor with all that decides what it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Compressor {
    /// Nothing is known of who wrote it.
    Unknown,
    /// Go's compress/flate up to Go 1.26.
    Go(GoLevel),
    /// klauspost/compress, and Go's compress/flate since 1.27.
    Klauspost {
        /// Which versions of it.
        release: KlauspostRelease,
        /// -2 (Huffman only) or 1 to 9.
        level: i8,
    },
    /// klauspost/pgzip over a klauspost/compress.
    Pgzip {
        /// Which versions of klauspost/compress.
        release: KlauspostRelease,
        /// -2 (Huffman only) or 1 to 9.
        level: i8,
    },
    /// zlib and all that link it, and GNU gzip.
    Zlib {
        /// 1 to 9.
        level: u8,
        /// What it looks for.
        strategy: ZlibStrategy,
        /// 8 by default, or 9.
        memory_level: u8,
    },
    /// Chromium's zlib on processors with CRC-32 instructions, which Node has.
    Chromium {
        /// 1 to 9.
        level: u8,
    },
    /// pigz.
    Pigz {
        /// 1 to 9.
        level: u8,
        /// KiB of its blocks, 128 by default.
        block_size: u16,
        /// What a block knows of the text before.
        history: PigzHistory,
    },
}

/// Levels of Go's compress/flate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GoLevel {
    /// `HuffmanOnly`, -2.
    Literals,
    /// 1 to 9.
    Level(u8),
}

/// The first one of klauspost/compress's versions that write the same streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KlauspostRelease {
    /// v1.11 (podman 3).
    V1_11,
    /// v1.12 and v1.13 (podman 4).
    V1_12,
    /// v1.14.
    V1_14,
    /// v1.15 to v1.17.
    V1_15,
    /// v1.18.0.
    V1_18_0,
    /// v1.18.1.
    V1_18_1,
    /// v1.18.2 to v1.20.3, and Go 1.27.
    V1_18_2,
    /// Since v1.20.4.
    V1_20_4,
}

/// zlib's strategies, as far as they look for different repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ZlibStrategy {
    /// `Z_DEFAULT_STRATEGY`, and `Z_FIXED`.
    Default,
    /// `Z_FILTERED`.
    Filtered,
    /// `Z_HUFFMAN_ONLY`.
    Literals,
    /// `Z_RLE`.
    RunLength,
}

/// What a block of pigz knows of the text before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PigzHistory {
    /// What the block before knew (`-p 1`).
    Kept,
    /// The 32 KiB before.
    Primed,
    /// Nothing (`-i`).
    Cleared,
}

/// Bytes of a compressor in a recipe.
pub const COMPRESSOR_SIZE: usize = 8;

const UNKNOWN: u8 = 0;
const GO: u8 = 1;
const KLAUSPOST: u8 = 2;
const PGZIP: u8 = 3;
const ZLIB: u8 = 4;
const PIGZ: u8 = 5;
const CHROMIUM: u8 = 6;

/// Level of those that search no repeats.
pub const LITERALS_LEVEL: i8 = -2;

impl Compressor {
    /// Bytes of plain text that its segments should have. A table that remembers one place for each
    /// hash is wrong for long after a segment's start, and the fast levels have time for larger ones.
    #[must_use]
    pub const fn segment_size(self) -> usize {
        match self {
            Self::Go(GoLevel::Level(1)) | Self::Klauspost { level: 1..=4, .. } => MAX_SEGMENT_SIZE,
            _ => SEGMENT_SIZE,
        }
    }

    /// Whether it knows nothing but its window, all of which its model is given: such a model is right about
    /// all, or the compressor is another one. Tables of one or a few places for each hash keep older ones too,
    /// and their models are wrong now and then.
    #[must_use]
    pub const fn forgets_beyond_window(self) -> bool {
        match self {
            Self::Go(level) => !matches!(level, GoLevel::Level(1)),
            Self::Zlib { .. } | Self::Chromium { .. } | Self::Pigz { .. } => true,
            Self::Unknown | Self::Klauspost { .. } | Self::Pgzip { .. } => false,
        }
    }

    /// Bytes of plain text before a segment that its model is given, if there are so many.
    #[must_use]
    pub const fn context_size(self) -> usize {
        match self {
            Self::Klauspost { level: 1..=4, .. } => LONG_CONTEXT_SIZE,
            _ => CONTEXT_SIZE,
        }
    }

    /// zlib at a level, all else as it is by default.
    #[must_use]
    pub const fn zlib(level: u8) -> Self {
        Self::Zlib {
            level,
            strategy: ZlibStrategy::Default,
            memory_level: 8,
        }
    }

    /// pigz at a level, all else as it is by default.
    #[must_use]
    pub const fn pigz(level: u8) -> Self {
        Self::Pigz {
            level,
            block_size: 128,
            history: PigzHistory::Primed,
        }
    }

    /// Its number: family, level, two more of what there is, and four bytes of zero.
    #[must_use]
    pub const fn encode(self) -> [u8; COMPRESSOR_SIZE] {
        let [low, high] = match self {
            Self::Pigz { block_size, .. } => block_size.to_le_bytes(),
            _ => [0, 0],
        };
        let (family, level, variant, detail) = match self {
            Self::Unknown => (UNKNOWN, 0, 0, 0),
            Self::Go(GoLevel::Literals) => (GO, LITERALS_LEVEL.cast_unsigned(), 0, 0),
            Self::Go(GoLevel::Level(level)) => (GO, level, 0, 0),
            Self::Klauspost { release, level } => {
                (KLAUSPOST, level.cast_unsigned(), release.number(), 0)
            }
            Self::Pgzip { release, level } => (PGZIP, level.cast_unsigned(), release.number(), 0),
            Self::Zlib {
                level,
                strategy,
                memory_level,
            } => (ZLIB, level, strategy.number(), memory_level),
            Self::Pigz { level, history, .. } => (PIGZ, level, history.number(), 0),
            Self::Chromium { level } => (CHROMIUM, level, 0, 0),
        };
        [family, level, variant, detail, low, high, 0, 0]
    }

    /// The compressor of a number.
    #[must_use]
    pub fn decode(number: &[u8; COMPRESSOR_SIZE]) -> Option<Self> {
        let [family, level, variant, detail, low, high, _, _] = *number;
        let signed = level.cast_signed();
        let compressor = match family {
            UNKNOWN => Self::Unknown,
            GO if signed == LITERALS_LEVEL => Self::Go(GoLevel::Literals),
            GO => Self::Go(GoLevel::Level(level)),
            KLAUSPOST => Self::Klauspost {
                release: KlauspostRelease::of_number(variant)?,
                level: signed,
            },
            PGZIP => Self::Pgzip {
                release: KlauspostRelease::of_number(variant)?,
                level: signed,
            },
            ZLIB => Self::Zlib {
                level,
                strategy: ZlibStrategy::of_number(variant)?,
                memory_level: detail,
            },
            PIGZ => Self::Pigz {
                level,
                block_size: u16::from_le_bytes([low, high]),
                history: PigzHistory::of_number(variant)?,
            },
            CHROMIUM => Self::Chromium { level },
            _ => return None,
        };
        (compressor.is_possible() && compressor.encode() == *number).then_some(compressor)
    }

    fn is_possible(self) -> bool {
        let is_level = |level: u8| (1..=9).contains(&level);
        match self {
            Self::Unknown | Self::Go(GoLevel::Literals) => true,
            Self::Go(GoLevel::Level(level)) | Self::Chromium { level } => is_level(level),
            Self::Klauspost { level, .. } | Self::Pgzip { level, .. } => {
                level == LITERALS_LEVEL || (1..=9).contains(&level)
            }
            Self::Zlib {
                level,
                memory_level,
                ..
            } => is_level(level) && is_level(memory_level),
            Self::Pigz {
                level, block_size, ..
            } => is_level(level) && block_size > 0,
        }
    }

    /// Its name without the level; `None` if it is not known.
    #[must_use]
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Self::Unknown => None,
            Self::Go(_) => Some("go"),
            Self::Klauspost { .. } => Some("klauspost"),
            Self::Pgzip { .. } => Some("pgzip"),
            Self::Zlib { .. } => Some("zlib"),
            Self::Pigz { .. } => Some("pigz"),
            Self::Chromium { .. } => Some("chromium-zlib"),
        }
    }

    /// Its level; -2 is Huffman only.
    #[must_use]
    pub const fn level(self) -> Option<i8> {
        match self {
            Self::Unknown => None,
            Self::Go(GoLevel::Literals) => Some(LITERALS_LEVEL),
            Self::Klauspost { level, .. } | Self::Pgzip { level, .. } => Some(level),
            Self::Go(GoLevel::Level(level))
            | Self::Zlib { level, .. }
            | Self::Chromium { level }
            | Self::Pigz { level, .. } => Some(level.cast_signed()),
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
            Self::Klauspost { release, level } => {
                TableBuilder::klauspost(release.table_version(), klauspost_tables(level))
            }
            Self::Pgzip { release, level } => {
                TableBuilder::pgzip(release.table_version(), klauspost_tables(level))
            }
            Self::Zlib { .. }
            | Self::Chromium { .. }
            | Self::Pigz {
                history: PigzHistory::Cleared,
                ..
            } => TableBuilder::Zlib,
            Self::Pigz { .. } => TableBuilder::Pigz,
        }
    }
}

const fn klauspost_tables(level: i8) -> KlauspostLevel {
    match level {
        1..=6 => KlauspostLevel::Fast,
        7..=9 => KlauspostLevel::Lazy,
        _ => KlauspostLevel::Literals,
    }
}

impl KlauspostRelease {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::V1_11,
        Self::V1_12,
        Self::V1_14,
        Self::V1_15,
        Self::V1_18_0,
        Self::V1_18_1,
        Self::V1_18_2,
        Self::V1_20_4,
    ];

    const fn number(self) -> u8 {
        match self {
            Self::V1_11 => 0,
            Self::V1_12 => 1,
            Self::V1_14 => 2,
            Self::V1_15 => 3,
            Self::V1_18_0 => 4,
            Self::V1_18_1 => 5,
            Self::V1_18_2 => 6,
            Self::V1_20_4 => 7,
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// The version as far as codes go.
    pub(super) const fn table_version(self) -> KlauspostVersion {
        match self {
            Self::V1_11 => KlauspostVersion::V1_11,
            Self::V1_12 => KlauspostVersion::V1_12,
            Self::V1_14 | Self::V1_15 | Self::V1_18_0 => KlauspostVersion::V1_14,
            Self::V1_18_1 => KlauspostVersion::V1_18_1,
            Self::V1_18_2 => KlauspostVersion::V1_18_2,
            Self::V1_20_4 => KlauspostVersion::V1_20_4,
        }
    }
}

impl ZlibStrategy {
    const ALL: [Self; 4] = [
        Self::Default,
        Self::Filtered,
        Self::Literals,
        Self::RunLength,
    ];

    const fn number(self) -> u8 {
        match self {
            Self::Default => 0,
            Self::Filtered => 1,
            Self::Literals => 2,
            Self::RunLength => 3,
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl PigzHistory {
    const ALL: [Self; 3] = [Self::Kept, Self::Primed, Self::Cleared];

    const fn number(self) -> u8 {
        match self {
            Self::Kept => 0,
            Self::Primed => 1,
            Self::Cleared => 2,
        }
    }

    fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

impl fmt::Display for Compressor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.name(), self.level()) {
            (Some(name), Some(level)) => write!(formatter, "{name} {level}"),
            _ => formatter.write_str("unknown"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::candidates::CANDIDATES;

    #[test]
    fn decode_gives_what_encode_wrote() {
        for &compressor in CANDIDATES {
            assert_eq!(
                Compressor::decode(&compressor.encode()),
                Some(compressor),
                "{compressor}"
            );
        }
        assert_eq!(
            Compressor::decode(&Compressor::Unknown.encode()),
            Some(Compressor::Unknown)
        );
    }

    #[test]
    fn decode_refuses_what_no_compressor_has() {
        for number in [
            [7, 1, 0, 0, 0, 0, 0, 0],
            [0, 1, 0, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0, 0, 0],
            [1, 10, 0, 0, 0, 0, 0, 0],
            [1, 6, 1, 0, 0, 0, 0, 0],
            [2, 5, 8, 0, 0, 0, 0, 0],
            [4, 6, 0, 0, 0, 0, 0, 0],
            [4, 6, 4, 8, 0, 0, 0, 0],
            [5, 6, 1, 0, 0, 0, 0, 0],
            [5, 6, 1, 0, 128, 0, 0, 1],
        ] {
            assert_eq!(Compressor::decode(&number), None, "{number:?}");
        }
    }
}
