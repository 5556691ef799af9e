//! Splits a layer's first segment, so that the layer's first bytes are soon there.
//!
//! A part is given out only when all of it was made and checked. The first one has no text before it that
//! its model would have to be warmed up with, so that a small one costs next to nothing.

use super::cut::{FirstBits, Segment, SegmentBlock};
use crate::model::LONG_CONTEXT_SIZE;

/// Plain text after which the first segment ends with its block, bytes; and least that is split off, as
/// less is not worth a model's warming up. With half of it the first bytes come 1 to 5 ms sooner, but are
/// fewer to go on with until the second part is made, which is longer then.
pub const FIRST_SEGMENT_SIZE: usize = 256 << 10;

/// Least that is stored of each half, bytes. What a model is wrong about as it lacks older text is too much
/// to keep of a kilobyte that holds a file of zeros, and little of this.
pub const LEAST_STORED: usize = 64 << 10;

/// Leaves a small segment, and gives the rest. Nothing if no block ends where both would be long enough.
pub fn split_first(segment: &mut Segment) -> Option<Segment> {
    let Half {
        blocks,
        plain,
        stored,
    } = first_half(segment)?;
    let is_enough = segment.plain().len() - plain >= FIRST_SEGMENT_SIZE
        && segment.stored.len() - stored >= LEAST_STORED;
    is_enough.then(|| split_off(segment, blocks))
}

/// What is left of a segment: blocks, and bytes of both kinds.
struct Half {
    blocks: usize,
    plain: usize,
    stored: usize,
}

/// Up to the first block that begins where enough is before it. A flush right after the half is a part of
/// it: a model begins best where the compressor did.
fn first_half(segment: &Segment) -> Option<Half> {
    let mut plain = 0;
    for (blocks, block) in segment.blocks.iter().enumerate() {
        let stored = stored_before(block);
        let is_enough = plain >= FIRST_SEGMENT_SIZE && stored >= LEAST_STORED;
        if is_enough && !block.stretch().is_flush() {
            return Some(Half {
                blocks,
                plain,
                stored,
            });
        }
        plain += block.length;
    }
    None
}

/// Whole bytes of a segment that are before a block of it.
fn stored_before(block: &SegmentBlock) -> usize {
    usize::try_from(block.bit_offset / 8).unwrap_or(usize::MAX)
}

/// Leaves the first `blocks`, and gives a segment of those after them, of which there is one at least.
fn split_off(segment: &mut Segment, blocks: usize) -> Segment {
    let mut rest = Segment {
        blocks: segment.blocks.split_off(blocks),
        end_padding: segment.end_padding.take(),
        since_flush: segment.since_flush,
        ..Segment::default()
    };
    let (mut length, mut tokens) = (0, 0);
    for block in &segment.blocks {
        length += block.length;
        tokens += block.tokens;
        rest.since_flush += block.length as u64;
        if block.stretch().is_flush() {
            rest.since_flush = 0;
        }
    }
    rest.tokens = segment.tokens.split_off(tokens);
    split_text(segment, &mut rest, segment.start + length);
    split_stored(segment, &mut rest);
    rest
}

/// The rest's text is what is after `end`, and what is long enough before it.
fn split_text(segment: &mut Segment, rest: &mut Segment, end: usize) {
    let context = end.saturating_sub(LONG_CONTEXT_SIZE);
    rest.text = segment.text[context..].to_vec();
    rest.start = end - context;
    segment.text.truncate(end);
}

/// The rest's bytes begin with the one that its first block's first bit is in.
fn split_stored(segment: &mut Segment, rest: &mut Segment) {
    let bit_offset = rest.blocks.first().map_or(0, |block| block.bit_offset);
    let whole = rest.blocks.first().map_or(0, stored_before);
    let [count, ..] = (bit_offset % 8).to_le_bytes();
    rest.stored = segment.stored.split_off(whole.min(segment.stored.len()));
    let first = rest.stored.first().copied().unwrap_or(0);
    rest.first_bits = FirstBits {
        bits: first & ((1 << count) - 1),
        count,
    };
    for block in &mut rest.blocks {
        block.bit_offset -= bit_offset - u64::from(count);
    }
}
