//! Laws of what a recipe keeps of a segment: any bytes are an error or come out again, and any text
//! with them is rebuilt in one way only. Tests and the fuzz target share this file.

use mica_core::model::{CANDIDATES, Compressor, Models};
use mica_core::segment::blocks::KeptBlocks;
use mica_core::segment::{SegmentText, decode_corrections, encode_corrections, rebuild_segment};

/// The first eight bytes are the compressor, the next the lengths of blocks and corrections, what is before the
/// segment, and its bytes since the last flush; the text comes after blocks and corrections.
pub(crate) fn check(input: &[u8]) {
    let Some((compressor, rest)) = input.split_first_chunk() else {
        return;
    };
    let Some((&[blocks, corrections, context, low, high], rest)) = rest.split_first_chunk() else {
        return;
    };
    let (blocks, rest) = rest.split_at(rest.len().min(usize::from(blocks)));
    let (corrections, text) = rest.split_at(rest.len().min(usize::from(corrections)));
    let kept = KeptBlocks::decode(blocks);
    match &kept {
        Ok(kept) => assert_eq!(kept.encode(), blocks),
        Err(offset) => assert!(*offset <= blocks.len()),
    }
    let decoded = decode_corrections(corrections);
    match &decoded {
        Ok(list) => {
            let mut again = Vec::new();
            encode_corrections(&mut again, list);
            assert_eq!(again, corrections);
        }
        Err(offset) => assert!(*offset < corrections.len()),
    }
    let (Ok(kept), Ok(list)) = (kept, decoded) else {
        return;
    };
    let start = usize::from(context) * 64;
    let text = repeat_text(text, start, &kept);
    let compressor = Compressor::decode(compressor)
        .unwrap_or(CANDIDATES[usize::from(compressor[0]) % CANDIDATES.len()]);
    let segment = SegmentText {
        text: &text,
        start: start.min(text.len()),
        since_flush: u64::from(u16::from_le_bytes([low, high])) * 0x1_0000_0001,
    };
    let mut models = Models::default();
    let mut rebuild = |corrections: &[_], text| {
        let mut bytes = b"before".to_vec();
        rebuild_segment(
            &mut models,
            compressor,
            &kept,
            corrections,
            text,
            &mut bytes,
        )
        .map(|()| bytes)
    };
    let first = rebuild(&list, segment);
    // A model that ran over something else meanwhile gives the same.
    let other = SegmentText {
        start: 0,
        since_flush: 0,
        ..segment
    };
    let _ = rebuild(&[], other);
    let again = rebuild(&list, segment);
    assert!(first == again, "rebuilt differently");
}

/// As much text as blocks say, which is mostly less than there is.
fn repeat_text(text: &[u8], start: usize, kept: &KeptBlocks) -> Vec<u8> {
    let lengths = kept.blocks.iter().map(|block| block.stretch().length());
    let wanted = lengths.fold(start, usize::saturating_add);
    text.iter()
        .copied()
        .cycle()
        .take(wanted.min(1 << 16))
        .collect()
}
