//! Where the blocks of a segment stand, for those who predict their headers.

use super::blocks::{KeptBlock, KeptBlocks};
use crate::model::tables::BlockPlace;

/// The place of each block; where its bits begin is not known yet. `since_flush`: bytes of plain text
/// between the last flush and the segment.
pub(super) fn block_places(kept: &KeptBlocks, since_flush: u64) -> Vec<BlockPlace> {
    let mut places: Vec<BlockPlace> = Vec::with_capacity(kept.blocks.len());
    let mut since_flush = since_flush;
    // First block since the last flush.
    let mut first = 0;
    for block in &kept.blocks {
        places.push(BlockPlace {
            plain_length: u64::from(block.length),
            is_final: matches!(
                block,
                KeptBlock {
                    header: Some((true, _)),
                    ..
                }
            ),
            bit_offset: 0,
            since_flush,
            input_length: u64::MAX,
        });
        since_flush = since_flush.saturating_add(u64::from(block.length));
        if block.stretch().is_flush() {
            set_input_length(&mut places[first..], since_flush);
            since_flush = 0;
            first = places.len();
        }
    }
    if kept.end_padding.is_some() {
        set_input_length(&mut places[first..], since_flush);
    }
    places
}

fn set_input_length(places: &mut [BlockPlace], input_length: u64) {
    for place in places {
        place.input_length = input_length;
    }
}
