//! Calls of tokens: a new block, or more of the one before (`writeBlockDynamic`).

use super::super::code_lengths::Ties;
use super::super::estimate::{ANY_BITS, BitLimits, ONE_TO_15_BITS, token_bits};
use super::super::frequencies::{FIRST_LENGTH, Frequencies};
use super::super::go::{DynamicBlock, stored_bits, used};
use super::open_codes::OpenCodes;
use super::{BlockFacts, Klauspost, KlauspostVersion};
use crate::deflate::BlockKind;
use crate::deflate::huffman::{DISTANCE_SYMBOLS, END_OF_BLOCK, LITERAL_SYMBOLS};

/// Fewer tokens than this are tried with the fixed code (`maxPredefinedTokens`).
const MAX_FIXED_TOKENS: u64 = 250;

impl Klauspost {
    /// What begins with a call of tokens, if anything does.
    pub(super) fn tokens(
        &self,
        open: Option<&OpenCodes>,
        facts: &BlockFacts<'_>,
    ) -> Option<BlockKind> {
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
    /// The end of the block counts before codes are made.
    counts_end: bool,
    limits: BitLimits,
    ties: Ties,
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
            ties: version.ties(),
        }
    }
}

/// A call, with what all choices are made of.
struct TokenCall {
    rules: Rules,
    frequencies: Frequencies,
    /// Tokens, the end of the block among them if the call has one.
    tokens: u64,
    literal_count: usize,
    distance_count: usize,
    /// Bits that the tokens are reckoned to take in codes of their own.
    estimate: u64,
    /// Bits beside the codes.
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
            self.rules.ties,
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
