//! Splits a layer's first segment, so that the layer's first bytes are soon there.
//!
//! A part is given out only when all of it was made and checked. The first one has no text before it that
//! its model would have to be warmed up with, so that a small one costs next to nothing.

use super::cut::{FirstBits, Segment};
use crate::model::LONG_CONTEXT_SIZE;

/// Plain text after which the first segment ends with its block, bytes; and least that is split off, as
/// less is not worth a model's warming up. With half of it the first bytes come 1 to 5 ms sooner, but are
/// fewer to go on with until the second part is made, which is longer then.
pub const FIRST_SEGMENT_SIZE: usize = 256 << 10;

/// Leaves a small segment, and gives the rest. Nothing if no block ends where both would be long enough.
pub fn split_first(segment: &mut Segment) -> Option<Segment> {
    let (blocks, length) = blocks_up_to(segment, FIRST_SEGMENT_SIZE);
    let least = length.min(segment.plain().len() - length);
    (least >= FIRST_SEGMENT_SIZE).then(|| split_off(segment, blocks))
}

/// How many blocks it takes to `size` bytes of plain text, and to what length they come. A flush right
/// after them is one of them: a model begins best where the compressor did.
fn blocks_up_to(segment: &Segment, size: usize) -> (usize, usize) {
    let (mut count, mut length) = (0, 0);
    for block in &segment.blocks {
        if length >= size && !block.stretch().is_flush() {
            break;
        }
        count += 1;
        length += block.length;
    }
    (count, length)
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
    let whole = usize::try_from(bit_offset / 8).unwrap_or(usize::MAX);
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
