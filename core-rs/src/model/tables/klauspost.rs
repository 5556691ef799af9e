//! Headers of klauspost/compress and pgzip (buildah, podman, skopeo), and of Go from 1.27 on.
//!
//! The encoder hands over its tokens in calls. A call whose tokens go well into the codes of the
//! block before writes no header: that block goes on. So codes depend on the first call of a block
//! only, and where blocks begin depends on estimates.
//!
//! Source: `flate/huffman_bit_writer.go`, `token.go`, and `deflate.go` for the calls, in v1.11.13, v1.13.6, v1.14.4, v1.15.15, v1.16.7, v1.17.11, v1.18.0 to v1.18.4 and v1.20.0.

use super::code_lengths::{Method, code_lengths};
use super::estimate::{
    ANY_BITS, BitLimits, ONE_TO_15_BITS, literal_bits, looks_random, token_bits,
};
use super::frequencies::{FIRST_LENGTH, Frequencies, coded_bits};
use super::go::{DynamicBlock, MAX_STORED, stored_bits, used};
use super::header::bits_of;
use super::{BlockFacts, BlockPlace, CallLimit};
use crate::deflate::huffman::{DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS, MAX_CODE_BITS};
use crate::deflate::{BlockKind, DynamicCodes};

/// Fewer tokens than this are tried with the fixed code (`maxPredefinedTokens`).
const MAX_FIXED_TOKENS: u64 = 250;
/// Header that literals are reckoned with when no codes are open (`guessHeaderSizeBits`).
const GUESSED_HEADER_BITS: u64 = 70 * 8;
/// A last call of so few bytes is stored (`storeFast`); from v1.20.4 on if it is the first one too.
const MAX_STORED_TAIL: u64 = 32;
/// From v1.20.4 on, so few bytes are always stored (less than `minNonLiteralBlockSize`).
const MAX_STORED_CALL: u64 = 12;

/// Half of the lazy encoder's window, bytes (`windowSize`).
const HALF_WINDOW: u64 = 32_768;
/// Bytes that the lazy encoder wants to see ahead (`minMatchLength + maxMatchLength`).
const MAX_LOOKAHEAD: u64 = 4 + 258;

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
    fn method(self) -> Method {
        if self >= Self::V1_20_4 {
            Method::TreeFirst
        } else {
            Method::PackageMerge
        }
    }
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

/// Codes of a block that is not over.
#[derive(Clone, Debug)]
struct OpenCodes {
    /// Bits of the block's header.
    header_bits: u64,
    literals: [u8; LITERAL_SYMBOLS],
    distances: [u8; DISTANCE_SYMBOLS],
    /// They were made for literals, so matches never use them.
    are_for_literals: bool,
}

impl OpenCodes {
    fn new(codes: &DynamicCodes) -> Self {
        let lengths = codes.lengths();
        let mut literals = [0; LITERAL_SYMBOLS];
        let mut distances = [0; DISTANCE_SYMBOLS];
        for (to, from) in literals.iter_mut().zip(&lengths.literals) {
            *to = *from;
        }
        for (to, from) in distances.iter_mut().zip(&lengths.distances) {
            *to = *from;
        }
        Self {
            header_bits: bits_of(codes),
            literals,
            distances,
            are_for_literals: usize::from(codes.literal_count) == FIRST_LENGTH,
        }
    }

    fn have(&self, frequencies: &Frequencies) -> bool {
        let has_code = |(&count, &length): (&u32, &u8)| count == 0 || length > 0;
        frequencies
            .literals
            .iter()
            .zip(&self.literals)
            .all(has_code)
            && frequencies
                .distances
                .iter()
                .zip(&self.distances)
                .all(has_code)
    }

    /// Bits of literals, if all of them have a code.
    fn literal_bits(&self, literals: &[u32]) -> Option<u64> {
        let literals = &literals[..END_OF_BLOCK];
        let mut pairs = literals.iter().zip(&self.literals);
        pairs
            .all(|(&count, &length)| count == 0 || length > 0)
            .then(|| coded_bits(literals, &self.literals))
    }
}

/// Predicts the headers of one stream.
#[derive(Clone, Debug)]
pub struct Klauspost {
    version: KlauspostVersion,
    level: KlauspostLevel,
    open: Option<OpenCodes>,
}

impl Klauspost {
    /// At the start of a stream.
    pub const fn new(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self {
            version,
            level,
            open: None,
        }
    }

    /// Within a stream, between two calls; `open`: the codes of the block that may go on there.
    pub fn within(
        version: KlauspostVersion,
        level: KlauspostLevel,
        open: Option<&DynamicCodes>,
    ) -> Self {
        let mut klauspost = Self::new(version, level);
        klauspost.open = open.and_then(|codes| klauspost.open_codes(codes));
        klauspost
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
            KlauspostLevel::Lazy if self.fills() => Some(Self::alone(facts)),
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
            let is_alone = self.is_flushed(facts.place) && facts.place.since_flush == 0;
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
        let filled = place.input_length.saturating_sub(1) / HALF_WINDOW;
        let before_flush = match filled {
            0 | 1 => 0,
            halves => halves * HALF_WINDOW - MAX_LOOKAHEAD,
        };
        end > before_flush
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

/// Calls of tokens.
impl Klauspost {
    /// A block that is closed by its one call (`writeBlock` of levels 7 to 9 up to v1.13): chosen as
    /// Go does.
    fn alone(facts: &BlockFacts<'_>) -> BlockKind {
        super::go::predict(facts)
    }

    /// `writeBlockDynamic`.
    fn tokens(&self, open: Option<&OpenCodes>, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        let call = TokenCall::new(self.version, facts, self.is_flushed(facts.place));
        let open = open.filter(|open| !open.are_for_literals && open.have(&call.frequencies));
        if let Some(open) = open {
            let reuse_bits = call.bits_in(open);
            let new_bits = self.new_bits(open, &call);
            if let Some(kind) = call.without_codes(reuse_bits.min(new_bits), facts) {
                return Some(kind);
            }
            if reuse_bits <= new_bits {
                return None;
            }
        }
        Some(call.new_block(facts))
    }

    /// What a new block is reckoned to take: a header like the one before, and the tokens.
    fn new_bits(&self, open: &OpenCodes, call: &TokenCall) -> u64 {
        let bits = open.header_bits + call.estimate;
        let end = if call.rules.fills {
            0
        } else {
            u64::from(open.literals[END_OF_BLOCK])
        };
        bits + end + (bits >> self.penalty())
    }
}

/// How versions differ in calls of tokens.
#[derive(Clone, Copy, Debug)]
struct Rules {
    /// Every symbol gets a code, if the block may go on.
    fills: bool,
    /// All lengths are announced, if the block may go on.
    announces_all: bool,
    /// The end of the block counts from the start.
    counts_end: bool,
    limits: BitLimits,
    method: Method,
}

impl Rules {
    fn new(version: KlauspostVersion) -> Self {
        Self {
            fills: version <= KlauspostVersion::V1_12,
            announces_all: version <= KlauspostVersion::V1_14,
            counts_end: version >= KlauspostVersion::V1_18_2,
            limits: if version == KlauspostVersion::V1_11 {
                ANY_BITS
            } else {
                ONE_TO_15_BITS
            },
            method: version.method(),
        }
    }
}

struct TokenCall {
    rules: Rules,
    frequencies: Frequencies,
    /// Tokens, the end of the block among them if the call has one.
    tokens: u64,
    literal_count: usize,
    distance_count: usize,
    estimate: u64,
    extra_bits: u64,
    /// Bits of a stored block, if it can be one.
    stored_bits: Option<u64>,
}

impl TokenCall {
    fn new(version: KlauspostVersion, facts: &BlockFacts<'_>, is_flushed: bool) -> Self {
        let rules = Rules::new(version);
        let mut frequencies = facts.frequencies.clone();
        let end = u32::from(is_flushed || rules.counts_end);
        let mut total = frequencies.tokens();
        let tokens = total + u64::from(is_flushed);
        if rules.fills {
            if !is_flushed {
                total += fill(&mut frequencies);
            }
        } else {
            total = tokens;
        }
        let estimate = token_bits(&frequencies, total, rules.limits);
        frequencies.literals[END_OF_BLOCK] = frequencies.literals[END_OF_BLOCK].max(end);
        let (literal_count, distance_count) = if rules.announces_all && !is_flushed {
            (LITERAL_SYMBOLS, DISTANCE_SYMBOLS)
        } else {
            if frequencies.matches() == 0 {
                frequencies.distances[0] = 1;
            }
            let literal_count = used(&frequencies.literals).max(FIRST_LENGTH);
            (literal_count, used(&frequencies.distances))
        };
        Self {
            rules,
            tokens,
            literal_count,
            distance_count,
            estimate,
            extra_bits: frequencies.extra_bits(),
            stored_bits: stored_bits(facts.place.plain_length),
            frequencies,
        }
    }

    fn bits_in(&self, open: &OpenCodes) -> u64 {
        self.frequencies.coded_bits(&open.literals, &open.distances) + self.extra_bits
    }

    /// A stored or fixed block, if it is better than what the call takes in codes.
    fn without_codes(&self, bits: u64, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        if self.rules.fills {
            return self
                .is_stored_unless_much_better(bits)
                .then(|| facts.stored());
        }
        let is_stored = self.stored_bits.is_some_and(|stored| stored <= bits);
        if is_stored {
            return Some(facts.stored());
        }
        let fixed_bits = 3 + self.frequencies.fixed_bits() + self.extra_bits + 7;
        (self.tokens < MAX_FIXED_TOKENS && fixed_bits < bits).then_some(BlockKind::Fixed)
    }

    fn is_stored_unless_much_better(&self, bits: u64) -> bool {
        self.stored_bits
            .is_some_and(|stored| stored < bits + (bits >> 4))
    }

    fn new_block(mut self, facts: &BlockFacts<'_>) -> BlockKind {
        self.frequencies.literals[END_OF_BLOCK] = 1;
        let dynamic = DynamicBlock::announcing(
            self.rules.method,
            &self.frequencies,
            self.literal_count,
            self.distance_count,
        );
        let bits = dynamic.bits + self.extra_bits;
        if self.rules.fills {
            if self.is_stored_unless_much_better(bits) {
                return facts.stored();
            }
            return BlockKind::Dynamic(dynamic.header.codes);
        }
        let fixed_bits = 3 + self.frequencies.fixed_bits() + self.extra_bits;
        let is_fixed = self.tokens < MAX_FIXED_TOKENS && fixed_bits <= bits;
        let best = if is_fixed { fixed_bits } else { bits };
        if self.stored_bits.is_some_and(|stored| stored <= best) {
            facts.stored()
        } else if is_fixed {
            BlockKind::Fixed
        } else {
            BlockKind::Dynamic(dynamic.header.codes)
        }
    }
}

/// Counts each symbol that does not occur once. Gives the number of those among literals, the end
/// of the block, and lengths.
fn fill(frequencies: &mut Frequencies) -> u64 {
    let mut filled = 0;
    for count in frequencies.literals.iter_mut().filter(|count| **count == 0) {
        *count = 1;
        filled += 1;
    }
    for count in frequencies
        .distances
        .iter_mut()
        .filter(|count| **count == 0)
    {
        *count = 1;
    }
    filled
}

/// Calls of literals.
impl Klauspost {
    /// `writeBlockHuff`.
    fn literals(&self, open: Option<&OpenCodes>, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        let stored_bits = stored_bits(facts.place.plain_length);
        let literals = &facts.frequencies.literals;
        let looks_random =
            !self.fills() && looks_random(&literals[..END_OF_BLOCK], facts.place.plain_length);
        if stored_bits.is_some() && looks_random {
            return Some(facts.stored());
        }
        let mut frequencies = Frequencies::default();
        frequencies.literals[..END_OF_BLOCK].copy_from_slice(&literals[..END_OF_BLOCK]);
        let bits = self.literal_bits(open, facts, &mut frequencies);
        if stored_bits.is_some_and(|stored| self.is_stored(stored, bits)) {
            return Some(facts.stored());
        }
        if let Some(open) = open
            && open
                .literal_bits(literals)
                .is_some_and(|reuse| reuse <= bits)
        {
            return None;
        }
        let dynamic =
            DynamicBlock::announcing(self.version.method(), &frequencies, FIRST_LENGTH, 1);
        Some(BlockKind::Dynamic(dynamic.header.codes))
    }

    /// What a new block is reckoned to take. Completes the frequencies that its codes are made of.
    fn literal_bits(
        &self,
        open: Option<&OpenCodes>,
        facts: &BlockFacts<'_>,
        frequencies: &mut Frequencies,
    ) -> u64 {
        let is_flushed = self.is_flushed(facts.place);
        frequencies.distances[0] = 1;
        let literals = &mut frequencies.literals[..FIRST_LENGTH];
        let mut bits = if self.version == KlauspostVersion::V1_11 {
            let mut total = facts.place.plain_length;
            if !is_flushed {
                total += literals[..END_OF_BLOCK]
                    .iter()
                    .map(|&count| u64::from(count == 0))
                    .sum::<u64>();
            }
            let bits =
                literal_bits(&literals[..END_OF_BLOCK], total) + facts.place.plain_length / 32;
            if !is_flushed {
                for count in literals.iter_mut() {
                    *count = (*count).max(1);
                }
            }
            literals[END_OF_BLOCK] = 1;
            bits
        } else {
            literals[END_OF_BLOCK] = 1;
            let mut lengths = [0; LITERAL_SYMBOLS];
            code_lengths(self.version.method(), literals, MAX_CODE_BITS, &mut lengths);
            coded_bits(literals, &lengths)
        };
        bits += open.map_or(GUESSED_HEADER_BITS, |open| open.header_bits);
        bits + (bits >> self.penalty())
    }

    const fn is_stored(&self, stored_bits: u64, bits: u64) -> bool {
        match self.version {
            KlauspostVersion::V1_11 => stored_bits < bits,
            _ => stored_bits <= bits,
        }
    }
}
