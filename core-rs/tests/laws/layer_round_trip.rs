//! The law of taking apart: what comes of it, if anything does, makes the layer again. Tests and the
//! fuzz target share this file.

use crate::ingest::{TAR_LIMIT, ingest};
use crate::layer_tar::{part_of, tar_of};
use crate::member::member_of;
use crate::restore::restore_parts;

/// Checks bytes as a layer, and as the deflate stream of two gzip members with something after them. Few
/// layers that are thought of at random have right checksums.
pub(crate) fn check(input: &[u8], pieces: &[usize]) {
    check_layer(input, pieces);
    if let Some(member) = member_of(input, TAR_LIMIT) {
        let trailing = input.get(..9).unwrap_or(input);
        check_layer(&[&*member, &*member, trailing].concat(), pieces);
    }
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
    let again = parts.unwrap().into_iter().map(Result::unwrap);
    assert!(again.collect::<Vec<_>>().concat() == layer, "layers differ");
}
