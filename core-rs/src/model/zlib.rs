//! What zlib and its relatives have in common: levels, strategies, and how far their matches reach.
//!
//! The same search has been in GNU gzip since 1992, in zlib since 1995, and in all that link zlib:
//! Python, Java, pigz. `deflate_fast` (levels 1 to 3) takes the first match that it finds,
//! `deflate_slow` (levels 4 to 9) looks whether the next byte begins a longer one.
//! Sources: zlib 1.2.13 and gzip 1.12, `deflate.c`.

use crate::deflate::{MAX_MATCH, Token};

/// Shortest match.
pub(super) const MIN_LENGTH: usize = 3;
/// Farthest match, bytes back: the window of 32 KiB less the 262 bytes that zlib reads ahead.
pub(super) const MAX_REACH: usize = 32_768 - MIN_LOOKAHEAD;
/// Bytes that zlib wants to see before it goes on, but for the end of its input.
const MIN_LOOKAHEAD: usize = MAX_MATCH as usize + 3 + 1;

/// How a stream was made, as far as its tokens depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZlibOptions {
    /// 1 to 9; others are taken as the nearest of these.
    pub level: u8,
    /// `Z_FILTERED`: matches of up to five bytes are not taken.
    pub is_filtered: bool,
    /// zlib's `memLevel`, by which the hash of three bytes has so many bits and seven more. The
    /// default is 8, that of gzip too.
    pub memory_level: u8,
    /// pigz: the input is cut into portions of so many bytes, counted from the beginning.
    pub portion: Option<usize>,
    /// What is known of the text before a portion or a flush.
    pub history: History,
}

/// What a compressor knows of the text before a portion or a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum History {
    /// What it knew (`Z_SYNC_FLUSH`; pigz with one thread).
    Kept,
    /// Every string of the 32 KiB before (`deflateSetDictionary`; pigz).
    Primed,
    /// Nothing (`Z_FULL_FLUSH`, `deflateReset`; pigz `-i`).
    Cleared,
}

impl ZlibOptions {
    /// zlib and GNU gzip at a level, all else as it is by default.
    pub const fn new(level: u8) -> Self {
        Self {
            level,
            is_filtered: false,
            memory_level: 8,
            portion: None,
            history: History::Kept,
        }
    }

    /// pigz with blocks of `block_size` bytes, 131,072 by default.
    pub const fn pigz(level: u8, block_size: usize, history: History) -> Self {
        Self {
            portion: Some(block_size),
            history,
            ..Self::new(level)
        }
    }
}

/// How hard a level searches (`configuration_table`).
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// A quarter of the candidates is enough after a match of so many bytes.
    pub(super) good: u16,
    /// The search at the next byte is left out after a match of so many bytes; levels 1 to 3: longer
    /// matches' insides are not remembered.
    pub(super) lazy: u16,
    /// The search ends with a match of so many bytes.
    pub(super) nice: u16,
    /// Candidates that are looked at.
    pub(super) chain: u16,
}

impl Effort {
    pub(super) const fn of_level(level: u8) -> Self {
        let (good, lazy, nice, chain) = match level {
            0 | 1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Self {
            good,
            lazy,
            nice,
            chain,
        }
    }
}

/// A repeat that was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) length: usize,
    pub(super) distance: usize,
}

impl Found {
    #[expect(clippy::cast_possible_truncation, reason = "at most 258 and 32,768")]
    pub(super) const fn token(self) -> Token {
        Token::matched(self.length as u16, self.distance as u16)
    }
}

/// What the compressor can see: the portion of its input that it is in.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sight {
    /// The first position that it knows. Never part of a match, as zlib takes window index 0 for
    /// "none"; where the beginning is farther back than a match reaches, that makes no difference.
    pub(super) base: usize,
    /// Where the portion ends.
    pub(super) end: usize,
    input_end: usize,
}

impl Sight {
    /// At `start`, `since_flush` bytes after the beginning of the input that ends at `input_end`.
    pub(super) fn new(
        options: &ZlibOptions,
        start: usize,
        since_flush: u64,
        input_end: usize,
    ) -> Self {
        let passed = match options.portion {
            Some(portion) if portion > 0 => since_flush % portion as u64,
            _ => since_flush,
        };
        let passed = usize::try_from(passed).unwrap_or(usize::MAX);
        let base = match options.history {
            History::Cleared => start.saturating_sub(passed),
            History::Kept | History::Primed => 0,
        };
        let end = options.portion.map_or(input_end, |portion| {
            let left = portion.max(1).saturating_sub(passed);
            input_end.min(start.saturating_add(left))
        });
        Self {
            base,
            end,
            input_end,
        }
    }

    /// The portion after this one, which is done.
    pub(super) fn next(self, options: &ZlibOptions) -> Self {
        Self::new(options, self.end, 0, self.input_end)
    }
}
