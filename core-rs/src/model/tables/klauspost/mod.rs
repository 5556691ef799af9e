//! Headers of klauspost/compress and pgzip (buildah, podman, skopeo), and of Go from 1.27 on.
//!
//! The encoder hands over its tokens in calls. A call whose tokens go well into the codes of the
//! block before writes no header: that block goes on. So codes depend on the first call of a block
//! only, and where blocks begin depends on estimates.
//!
//! Source: `huffman_bit_writer.go`, `huffman_code.go`, `token.go`, and `deflate.go` for the calls, in
//! folder flate of v1.11.13 to v1.20.4. Estimates are in floating point: on processors where Go fuses
//! a multiplication with an addition (arm64), a block may begin elsewhere once in a while.

mod literals;
mod open_codes;
mod tokens;

use self::open_codes::OpenCodes;
use super::code_lengths::{Ties, code_lengths};
use super::go::MAX_STORED;
use super::{BlockFacts, BlockPlace, CallLimit, go};
use crate::deflate::huffman::MAX_CODE_BITS;
use crate::deflate::{BlockKind, DynamicCodes};

/// A last call of so few bytes is stored (`storeFast`); from v1.20.4 on if it is the first one too.
const MAX_STORED_TAIL: u64 = 32;
/// From v1.20.4 on, so few bytes are always stored (less than `minNonLiteralBlockSize`).
const MAX_STORED_CALL: u64 = 12;

/// Half of the lazy encoder's window, bytes (`windowSize`).
const HALF_WINDOW: u64 = 32_768;
/// Bytes that the lazy encoder wants to see ahead (`minMatchLength + maxMatchLength`).
const MAX_LOOKAHEAD: u64 = 4 + 258;

/// The dictionary that pgzip gives to the encoder of each piece but the first, bytes (`tailSize`).
const PGZIP_DICTIONARY: u64 = 16_384;

/// Versions that write other headers for the same tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum KlauspostVersion {
    /// v1.11: literals are estimated, and every symbol gets a code so that it can be reused.
    V1_11,
    /// v1.12 and v1.13: the same, but for calls of literals.
    V1_12,
    /// v1.14 to v1.18.0: symbols that do not occur get no code, but their lengths are announced.
    V1_14,
    /// v1.18.1: lengths are announced up to the last symbol that occurs.
    V1_18_1,
    /// v1.18.2 to v1.20.3, and Go 1.27: the end of a block counts for estimates.
    V1_18_2,
    /// v1.20.4: a Huffman tree is tried before package-merge, and few bytes are not always stored.
    V1_20_4,
}

impl KlauspostVersion {
    fn ties(self) -> Ties {
        if self >= Self::V1_20_4 {
            Ties::SymbolsFirst
        } else {
            Ties::JointsFirst
        }
    }
}

/// Bits of a code for literals alone, by which the lazy encoder judges matches.
pub(in crate::model) fn literal_lengths(
    version: KlauspostVersion,
    frequencies: &[u32; 256],
) -> [u8; 256] {
    let mut lengths = [0; 256];
    code_lengths(version.ties(), frequencies, MAX_CODE_BITS, &mut lengths);
    lengths
}

/// Which of the encoders hands over tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KlauspostLevel {
    /// Huffman only: literals, in calls of 32,768 bytes.
    Literals,
    /// Levels 1 to 6, in calls of 65,535 bytes.
    Fast,
    /// Levels 7 to 9, in calls of so many tokens.
    Lazy,
}

/// Predicts the headers of one stream.
#[derive(Clone, Debug)]
pub struct Klauspost {
    version: KlauspostVersion,
    level: KlauspostLevel,
    /// Bytes that the encoder had seen at the last flush.
    dictionary_length: u64,
    open: Option<OpenCodes>,
}

impl Klauspost {
    /// At the start of a stream.
    pub const fn new(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self {
            version,
            level,
            dictionary_length: 0,
            open: None,
        }
    }

    /// At the start of a stream of pgzip's. That the first piece has no dictionary is not told apart.
    pub const fn in_pgzip(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self {
            dictionary_length: PGZIP_DICTIONARY,
            ..Self::new(version, level)
        }
    }

    /// How far one call of the encoder goes.
    pub const fn call_limit(&self) -> CallLimit {
        match (self.level, self.version) {
            (KlauspostLevel::Literals, _) => CallLimit::Plain(32_768),
            (KlauspostLevel::Fast, _) => CallLimit::Plain(MAX_STORED),
            (KlauspostLevel::Lazy, KlauspostVersion::V1_11 | KlauspostVersion::V1_12) => {
                CallLimit::Tokens(16_384)
            }
            (KlauspostLevel::Lazy, _) => CallLimit::Tokens(32_768),
        }
    }

    /// What the encoder does with one call: goes on with the open block, or begins one of some kind.
    pub(super) fn predict(&self, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        self.predict_after(self.open.as_ref(), facts)
    }

    /// What block the encoder begins with a call. Whether codes were open tells a little of what the
    /// call was reckoned to take; that is not known here.
    pub(super) fn predict_new(&self, facts: &BlockFacts<'_>) -> BlockKind {
        self.predict_after(None, facts).unwrap_or(BlockKind::Fixed)
    }

    fn predict_after(&self, open: Option<&OpenCodes>, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        if facts.place.plain_length == 0 {
            return Some(if facts.place.is_final {
                BlockKind::Fixed
            } else {
                facts.stored()
            });
        }
        let has_matches = facts.frequencies.matches() > 0;
        match self.level {
            KlauspostLevel::Fast if !has_matches && self.is_stored_untried(facts) => {
                Some(facts.stored())
            }
            // `writeBlock`, which closes the block and chooses as Go's.
            KlauspostLevel::Lazy if self.fills() => Some(go::predict(facts)),
            KlauspostLevel::Fast if !has_matches => self.literals(open, facts),
            KlauspostLevel::Fast | KlauspostLevel::Lazy => self.tokens(open, facts),
            KlauspostLevel::Literals => self.literals(open, facts),
        }
    }

    /// A call without matches that is stored whatever its bytes are. That no match was found at all,
    /// not even one too short to help, is said by facts without tokens.
    fn is_stored_untried(&self, facts: &BlockFacts<'_>) -> bool {
        let is_few = if self.version < KlauspostVersion::V1_20_4 {
            self.is_flushed(facts.place) && facts.place.plain_length <= MAX_STORED_TAIL
        } else {
            let has_history = facts.place.since_flush > 0 || self.dictionary_length > 0;
            let is_alone = self.is_flushed(facts.place) && !has_history;
            facts.place.plain_length <= MAX_STORED_CALL
                || is_alone && facts.place.plain_length <= MAX_STORED_TAIL
        };
        is_few || facts.frequencies.tokens() == 0
    }

    /// Takes note of what the encoder did with a call.
    pub(super) fn follow(&mut self, facts: &BlockFacts<'_>, kind: Option<&BlockKind>) {
        if self.is_flushed(facts.place) {
            self.open = None;
        } else if let Some(kind) = kind {
            self.open = match kind {
                BlockKind::Dynamic(codes) => self.open_codes(codes),
                BlockKind::Fixed | BlockKind::Stored { .. } => None,
            };
        }
    }

    /// Codes that later calls may use.
    fn open_codes(&self, codes: &DynamicCodes) -> Option<OpenCodes> {
        let is_lazy = self.level == KlauspostLevel::Lazy;
        if is_lazy && self.fills() {
            return None;
        }
        let mut open = OpenCodes::new(codes);
        open.are_for_literals &= !is_lazy;
        Some(open)
    }

    /// The encoder wrote the call when it was told to flush, or to end the stream. The lazy one then
    /// takes all that is left in its window, which holds two halves and is filled one half at a time;
    /// without a flush it stops when a match might reach past what it has.
    fn is_flushed(&self, place: BlockPlace) -> bool {
        let end = place.since_flush.saturating_add(place.plain_length);
        if self.level != KlauspostLevel::Lazy {
            return end >= place.input_length;
        }
        let seen = |length: u64| self.dictionary_length.saturating_add(length);
        let before_flush = match seen(place.input_length).saturating_sub(1) / HALF_WINDOW {
            0 | 1 => 0,
            halves => halves * HALF_WINDOW - MAX_LOOKAHEAD,
        };
        seen(end) > before_flush
    }

    /// Gives each symbol a code, unless the block ends with the call.
    const fn fills(&self) -> bool {
        matches!(
            self.version,
            KlauspostVersion::V1_11 | KlauspostVersion::V1_12
        )
    }

    /// What an estimate gets on top, as a shift (`logNewTablePenalty`).
    const fn penalty(&self) -> u32 {
        match self.level {
            KlauspostLevel::Fast if !self.fills() => 7,
            KlauspostLevel::Literals if !matches!(self.version, KlauspostVersion::V1_11) => 10,
            _ => 8,
        }
    }
}
