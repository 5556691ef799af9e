//! The law of taking apart: what comes of it, if anything does, makes the layer again. Tests and the
//! fuzz target share this file.

use crate::ingest::{TAR_LIMIT, ingest};
use crate::layer_tar::{part_of, tar_of};
use crate::member::member_of;
use crate::restore::restore_parts;
use mica_core::restore::RestoreError;
use mica_core::zstd_frame::{FrameEncoder, ZstdCall};

/// Checks bytes as a layer, as the deflate stream of two gzip members with something after them, as what
/// follows a zstd frame's magic, and as the text of such a frame. Few layers that are thought of at random
/// have right checksums.
pub(crate) fn check(input: &[u8], pieces: &[usize]) {
    check_layer(input, pieces);
    if let Some(member) = member_of(input, TAR_LIMIT) {
        let trailing = input.get(..9).unwrap_or(input);
        check_layer(&[&*member, &*member, trailing].concat(), pieces);
    }
    check_layer(&[&ZSTD_MAGIC, input].concat(), pieces);
    if let Some((&[way, level, at, change], text)) = input.split_first_chunk() {
        let mut frame = frame_of(text, way, level);
        check_layer(&frame, pieces);
        let at = usize::from(at) % frame.len();
        frame[at] ^= change;
        check_layer(&frame, pieces);
    }
}

const ZSTD_MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// A frame of libzstd; its levels that take no long time.
fn frame_of(text: &[u8], way: u8, level: u8) -> Vec<u8> {
    let level = i8::try_from(level % 12).unwrap() - 5;
    let level = if level < 1 { level - 1 } else { level };
    let call = ZstdCall::new(level.max(-5), way & 1 != 0, way & 2 != 0).unwrap();
    let mut frame = Vec::new();
    let mut encoder = FrameEncoder::new(call, u64::try_from(text.len()).unwrap()).unwrap();
    encoder.finish(text, &mut frame).unwrap();
    frame
}

fn check_layer(layer: &[u8], pieces: &[usize]) {
    let whole = ingest(layer, &[usize::MAX]);
    let same = ingest(layer, pieces) == whole;
    assert!(same, "recipes differ by the pieces");
    let Ok(recipe) = whole else { return };
    let tar = tar_of(layer);
    let parts = restore_parts(&recipe, &mut |place, offset, length| {
        part_of(&tar, place, offset, length)
    });
    if matches!(parts, Err(RestoreError::Inexact(_))) {
        return;
    }
    let again = parts.unwrap().into_iter().map(Result::unwrap);
    assert!(again.collect::<Vec<_>>().concat() == layer, "layers differ");
}
