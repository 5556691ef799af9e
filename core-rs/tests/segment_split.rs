//! A segment that is split is as if the cutter had ended it sooner, and both halves can be rebuilt.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

#[path = "laws/ingest.rs"]
mod ingest;
#[path = "laws/layer_tar.rs"]
mod layer_tar;
#[path = "laws/restore.rs"]
mod restore;

use std::io::Write;

use flate2::Compression;
use flate2::write::{DeflateEncoder, GzEncoder};
use ingest::{ingest, ingest_proven};
use layer_tar::{part_of, tar_of};
use mica_core::model::{Compressor, Models};
use mica_core::recipe::decode::RecipeBytes;
use mica_core::restore::{RestoreError, Restorer};
use mica_core::segment::cut::SEGMENT_SIZE;
use mica_core::segment::split::{FIRST_SEGMENT_SIZE, split_first};
use mica_core::segment::{Cut, Cutter, Proof, Segment, analyze_segment};
use proptest::prelude::*;
use restore::restore_parts;

/// Mostly literals, so that blocks are short; and few matches, so that a model of another compressor is
/// right often enough.
fn text(mut seed: u32, length: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(length + 16);
    while text.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, low, middle, high] = seed.to_le_bytes();
        let back = usize::from(low) * 100 + 9;
        if high < 4 && text.len() > back {
            text.extend_from_within(text.len() - back..text.len() - back + 9);
        } else {
            text.push(middle % 192);
        }
    }
    text.truncate(length);
    text
}

/// A stream that is flushed after each of the pieces.
fn deflate(pieces: &[&[u8]], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    for (number, piece) in pieces.iter().enumerate() {
        if number > 0 {
            encoder.flush().unwrap();
        }
        encoder.write_all(piece).unwrap();
    }
    encoder.finish().unwrap()
}

/// The segments of a stream, ended with the first block that brings each to its size.
fn cut(stream: &[u8], sizes: &[usize]) -> Vec<Segment> {
    let mut cutter = Cutter::new(u64::MAX);
    let mut rest = stream;
    let mut segments = Vec::new();
    for &size in sizes {
        cutter.set_segment_size(size);
        let cut = cutter.read_segment(rest).unwrap();
        let (Cut::Segment(segment) | Cut::Last(segment)) = cut;
        rest = &rest[segment.stored.len()..];
        segments.push(*segment);
    }
    segments
}

fn one(stream: &[u8]) -> Segment {
    cut(stream, &[usize::MAX]).pop().unwrap()
}

/// Plain text up to the end of each block.
fn ends(segment: &Segment) -> Vec<usize> {
    let lengths = segment.blocks.iter().map(|block| block.length);
    let mut end = 0;
    lengths
        .map(|length| {
            end += length;
            end
        })
        .collect()
}

/// Whether a segment is made again by a model, whose proof is that it was.
fn is_rebuilt(segment: &Segment) -> bool {
    let compressor = Compressor::zlib(6);
    let analyzed = analyze_segment(&mut Models::default(), compressor, segment, Proof::Now);
    analyzed.row.compressor == compressor
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn a_split_segment_is_as_the_cutter_ends_it(
        seed: u32,
        lengths in prop::collection::vec(100_000_usize..400_000, 1..4),
        level in 0_u32..10,
    ) {
        let text = text(seed, lengths.iter().sum());
        let mut rest = &text[..];
        let mut pieces = Vec::new();
        for length in lengths {
            let (piece, after) = rest.split_at(length);
            pieces.push(piece);
            rest = after;
        }
        let stream = deflate(&pieces, level);
        let whole = one(&stream);
        let mut first = whole.clone();
        let Some(second) = split_first(&mut first) else {
            let most = text.len().saturating_sub(FIRST_SEGMENT_SIZE);
            prop_assert!(!ends(&whole).iter().any(|end| (FIRST_SEGMENT_SIZE..=most).contains(end)));
            prop_assert!(first == whole);
            return Ok(());
        };
        for half in [&first, &second] {
            prop_assert!(half.plain().len() >= FIRST_SEGMENT_SIZE);
            prop_assert!(is_rebuilt(half));
        }
        let expected = cut(&stream, &[first.plain().len(), usize::MAX]);
        // The cutter ends a segment before a flush that would be its last block.
        if !first.blocks.last().unwrap().stretch().is_flush() {
            prop_assert!([first, second] == *expected);
        }
    }
}

#[test]
fn a_flush_stays_with_the_text_before_it() {
    let text = text(1, 3 * FIRST_SEGMENT_SIZE);
    let (before, after) = text.split_at(FIRST_SEGMENT_SIZE);
    let mut first = one(&deflate(&[before, after], 6));
    let second = split_first(&mut first).unwrap();
    assert_eq!(first.plain(), before);
    assert_eq!(first.first_flush_offset(), Some(before.len()));
    assert_eq!((second.plain(), second.since_flush), (after, 0));
    assert_eq!(second.first_flush_offset(), None);
}

#[test]
fn a_segment_whose_half_would_be_small_stays_whole() {
    let text = text(1, 2 * FIRST_SEGMENT_SIZE - 1);
    let whole = one(&deflate(&[&text], 6));
    assert!(whole.blocks.len() > 2);
    let mut segment = whole.clone();
    assert!(split_first(&mut segment).is_none());
    assert!(segment == whole);
}

/// What a model has to be told about a file of zeros, as it does not know what was before them, may be more
/// than what is stored of them.
#[test]
fn a_segment_whose_half_would_be_small_in_the_layer_stays_whole() {
    let text = [text(1, FIRST_SEGMENT_SIZE), vec![0; 2 * FIRST_SEGMENT_SIZE]].concat();
    let whole = one(&deflate(&[&text], 6));
    assert!(whole.blocks.len() > 2);
    let mut segment = whole.clone();
    assert!(split_first(&mut segment).is_none());
    assert!(segment == whole);
}

/// One that is cut within a block has no end of a block in it.
#[test]
fn a_segment_within_a_block_stays_whole() {
    let stream = deflate(&[&vec![0; 5 << 20]], 9);
    let mut whole = cut(&stream, &[1 << 20]).pop().unwrap();
    assert_eq!(whole.blocks.len(), 1);
    assert!(split_first(&mut whole).is_none());
    assert!(split_first(&mut Segment::not_compressed(&vec![0; 1 << 20])).is_none());
}

/// Level 0 has blocks that are stored; the others' begin and end anywhere in a byte.
#[test]
fn the_first_part_of_a_layer_is_small() {
    let text = text(1, SEGMENT_SIZE + 600_000);
    for level in [0, 6, 9] {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
        encoder.write_all(&text).unwrap();
        let layer = encoder.finish().unwrap();
        let recipe = ingest(&layer, &[usize::MAX]).unwrap();
        assert!(ingest(&layer, &[9973, 1]).unwrap() == recipe);
        assert!(ingest_proven(&layer, &[300_000], Proof::Later).unwrap() == recipe);
        let restorer = Restorer::read::<_, RestoreError>(&RecipeBytes(&recipe)).unwrap();
        let sizes: Vec<_> = restorer.parts().iter().map(|part| part.tar_size).collect();
        let small = FIRST_SEGMENT_SIZE as u64;
        assert!((small..small + 100_000).contains(&sizes[0]), "{sizes:?}");
        assert!(sizes[1] > small && sizes[0] + sizes[1] >= SEGMENT_SIZE as u64);
        assert!(sizes[2] > small, "only the first one is split");
        let tar = tar_of(&layer);
        let parts = restore_parts(&recipe, &mut |place, offset, length| {
            part_of(&tar, place, offset, length)
        });
        let again = parts.unwrap().into_iter().map(Result::unwrap);
        assert!(again.collect::<Vec<_>>().concat() == layer, "layers differ");
    }
}
