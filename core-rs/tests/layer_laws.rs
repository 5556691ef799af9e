//! Layers that are taken apart come together again, whatever they are and however they come.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

#[path = "laws/ingest.rs"]
mod ingest;
#[path = "laws/layer_round_trip.rs"]
mod laws;
#[path = "laws/layer_tar.rs"]
mod layer_tar;
#[path = "laws/member.rs"]
mod member;
#[path = "laws/restore.rs"]
mod restore;
#[path = "laws/tar_header.rs"]
mod tar_header;
#[path = "laws/restore_wrong_files.rs"]
mod wrong_files;

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::write::GzEncoder;
use flate2::{Compression, GzBuilder};
use ingest::{TAR_LIMIT, ingest, ingest_proven};
use layer_tar::{part_of, tar_of};
use mica_core::deflate::InflateError;
use mica_core::digest::{ContentHasher, DigestAlgorithm, FileId};
use mica_core::gzip::GzipError;
use mica_core::ingest::{IngestError, LayerEvent, LayerIngest, LayerReader};
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::{Encoding, RecipeIndex};
use mica_core::restore::{RestoreError, Restorer, read_file_ids};
use mica_core::segment::Proof;
use mica_core::segment::cut::SEGMENT_SIZE;
use proptest::prelude::*;
use restore::restore_parts;
use tar_header::tar_header;

/// Text of a few words, in an order that `seed` says, and bytes that do not compress among it.
fn text(mut seed: u32, length: usize) -> Vec<u8> {
    const WORDS: [&[u8]; 6] = [
        b"layer ",
        b"file ",
        b"a ",
        b"segment ",
        b"\0\0\0\0\0\0\0\0",
        b"of ",
    ];
    let mut text = Vec::with_capacity(length + 8);
    while text.len() < length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, low, middle, high] = seed.to_le_bytes();
        if middle < 8 {
            text.push(low);
        } else {
            text.extend_from_slice(WORDS[usize::from(high % 6)]);
        }
    }
    text.truncate(length);
    text
}

/// A tar with files of these sizes.
fn tar(seed: u32, sizes: &[usize]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (number, &size) in sizes.iter().enumerate() {
        let header = tar_header(&format!("file{number:04}"), size);
        tar.extend_from_slice(&header);
        tar.extend(text(seed ^ u32::try_from(number).unwrap(), size));
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}

fn gzip(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

/// Makes the layer again, and compares it and what the recipe says with slow and plain ways.
fn assert_exact(layer: &[u8], tar: &[u8], encoding: Encoding) {
    let recipe = ingest(layer, &[usize::MAX]).unwrap();
    let unproven = ingest_proven(layer, &[usize::MAX], Proof::Later);
    assert!(unproven.unwrap() == recipe, "recipes differ");
    let source = RecipeBytes(&recipe);
    let index = RecipeIndex::read(&source).unwrap();
    let summary = index.summary();
    let digest = |bytes: &[u8]| {
        let mut hasher = ContentHasher::new(DigestAlgorithm::Sha256);
        hasher.update(bytes);
        hasher.finish()
    };
    assert_eq!(
        (summary.encoding, &summary.digest, &summary.diff_id),
        (encoding, &digest(layer), &digest(tar))
    );
    assert_eq!(
        (summary.size, summary.tar_size),
        (layer.len() as u64, tar.len() as u64)
    );
    let restorer = Restorer::read::<_, RestoreError>(&source).unwrap();
    let places = restorer.tar().files();
    let ids = read_file_ids(&source, &index).unwrap();
    assert_eq!((places.len(), ids.len() as u64), (ids.len(), summary.files));
    for (place, id) in places.zip(ids) {
        assert_eq!(FileId::of(&part_of(tar, place, 0, place.size)), id);
    }
    let parts = restore_parts(&recipe, &mut |place, offset, length| {
        part_of(tar, place, offset, length)
    });
    let parts: Vec<_> = parts.unwrap().into_iter().map(Result::unwrap).collect();
    assert!(parts.concat() == layer, "layers differ");
    assert_ranges(&restorer, &parts, layer);
}

/// Every range lies in the parts that are told for it.
fn assert_ranges(restorer: &Restorer, parts: &[Vec<u8>], layer: &[u8]) {
    let steps = layer.len() / 7 + 1;
    for start in (0..=layer.len()).step_by(steps) {
        for end in (start..=layer.len()).step_by(steps) {
            let range = restorer.parts_within(start as u64, end as u64);
            let before = restorer
                .parts()
                .get(range.start)
                .map_or(0, |part| part.offset);
            let got = parts[range].concat();
            let offset = start - usize::try_from(before).unwrap().min(start);
            if start < end {
                assert!(got[offset..][..end - start] == layer[start..end]);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_a_layer(
        bytes in prop::collection::vec(any::<u8>(), 0..2000),
        pieces in prop::collection::vec(0_usize..900, 1..4),
    ) {
        laws::check(&bytes, &pieces);
    }

    #[test]
    fn a_tar_is_a_layer(seed: u32, sizes in prop::collection::vec(0_usize..3000, 0..5)) {
        let tar = tar(seed, &sizes);
        assert_exact(&tar, &tar, Encoding::Identity);
    }

    #[test]
    fn a_compressed_tar_is_a_layer(
        seed: u32,
        sizes in prop::collection::vec(0_usize..4000, 0..4),
        level in 0_u32..10,
        pieces in prop::collection::vec(1_usize..3000, 1..4),
    ) {
        let tar = tar(seed, &sizes);
        let layer = gzip(&tar, level);
        assert_exact(&layer, &tar, Encoding::Gzip);
        prop_assert!(ingest(&layer, &pieces) == ingest(&layer, &[usize::MAX]));
    }

    #[test]
    fn members_one_after_the_other_and_what_follows_are_a_layer(
        seed: u32,
        sizes in prop::collection::vec(0_usize..2000, 1..5),
        comment in "[a-z]{0,40}",
        trailing in prop_oneof![Just(Vec::new()), Just(vec![0; 700]), Just(b"more".to_vec())],
        pieces in prop::collection::vec(1_usize..600, 1..4),
    ) {
        let tar = tar(seed, &sizes);
        let mut layer = Vec::new();
        for piece in tar.chunks(1111) {
            let builder = GzBuilder::new().comment(comment.clone()).extra(comment.clone());
            let mut encoder = builder.write(Vec::new(), Compression::new(seed % 10));
            encoder.write_all(piece).unwrap();
            layer.extend(encoder.finish().unwrap());
        }
        layer.extend(trailing);
        assert_exact(&layer, &tar, Encoding::Gzip);
        prop_assert!(ingest(&layer, &pieces) == ingest(&layer, &[usize::MAX]));
    }

    #[test]
    fn a_changed_layer_comes_together_again_or_is_refused(
        seed: u32,
        level in 0_u32..10,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        pieces in prop::collection::vec(1_usize..900, 1..4),
    ) {
        let mut layer = gzip(&tar(seed, &[1500, 300]), level);
        for (at, change) in changes {
            let at = at.index(layer.len());
            layer[at] ^= change;
        }
        laws::check(&layer, &pieces);
        laws::check(&layer[10..], &pieces);
        if let Ok(recipe) = ingest(&layer, &pieces) {
            let index = RecipeIndex::read(&RecipeBytes(&recipe)).unwrap();
            if index.summary().encoding == Encoding::Gzip {
                let mut plain = Vec::new();
                let read = MultiGzDecoder::new(&layer[..]).read_to_end(&mut plain);
                prop_assert!(read.is_err() || tar_of(&layer) == plain);
            }
        }
    }

    #[test]
    fn a_layer_that_is_cut_off_is_refused(
        seed: u32,
        level in 0_u32..10,
        at: prop::sample::Index,
        piece in 1_usize..900,
    ) {
        let mut layer = gzip(&tar(seed, &[900]), level);
        layer.truncate(4 + at.index(layer.len() - 4));
        let expected = matches!(
            ingest(&layer, &[piece]),
            Err(IngestError::Gzip { problem: GzipError::Truncated { .. }, .. }
                | IngestError::Inflate(InflateError::Truncated { .. }))
        );
        prop_assert!(expected);
    }

    #[test]
    fn other_files_give_no_other_layer(
        level in 0_u8..12,
        at: u16,
        change: u8,
        seed: u32,
        length in 0_usize..3000,
    ) {
        let [low, high] = at.to_le_bytes();
        let input = [&[level, low, high, change], &*text(seed, length)].concat();
        wrong_files::check(&input);
    }
}

/// A segment's framing and its bytes.
type Framed = (Vec<u8>, Vec<u8>);

/// The segments of a layer whose bytes come in pieces of a size.
fn segments(layer: &[u8], piece: usize, limit: u64) -> Result<Vec<Framed>, IngestError> {
    let mut reader = LayerReader::new(limit);
    let mut segments = Vec::new();
    let mut pieces = layer.chunks(piece);
    loop {
        while let Some(event) = reader.next_event()? {
            segments.push(match event {
                LayerEvent::Segment { framing, segment } => (framing, segment.stored),
                LayerEvent::FrameSegment { segment, .. } => (Vec::new(), segment.stored),
                LayerEvent::Framing(framing) => (framing, Vec::new()),
            });
        }
        match pieces.next() {
            Some(piece) => reader.push(piece),
            None if reader.is_finished() => return Ok(segments),
            None => reader.finish(),
        }
    }
}

/// Segments that are cut within a block and at its end, and repeats from one to the next.
#[test]
fn a_long_layer_has_parts_that_are_made_each_on_its_own() {
    let tar = tar(1, &[40_000, SEGMENT_SIZE + 50_000]);
    let layer = gzip(&tar, 1);
    assert_exact(&layer, &tar, Encoding::Gzip);
    assert_exact(&tar, &tar, Encoding::Identity);
    for layer in [&layer, &tar, &gzip(&tar, 0), &gzip(&vec![7; 5 << 20], 9)] {
        let whole = segments(layer, usize::MAX, u64::MAX).unwrap();
        assert!(whole.len() > 1);
        let joined = |(framing, stored): &Framed| [&**framing, stored].concat();
        assert!(whole.iter().map(joined).collect::<Vec<_>>().concat() == **layer);
        for piece in [9973, 300_000] {
            assert!(segments(layer, piece, u64::MAX).unwrap() == whole);
        }
    }
}

#[test]
fn a_bomb_stops_at_the_limit_of_the_tar() {
    let bomb = gzip(&vec![0; 20 << 20], 9);
    assert!(bomb.len() < 30_000);
    let limit = 4 << 20;
    let error = Err(IngestError::TarLimit { limit });
    assert_eq!(segments(&bomb, 50_000, limit), error);
    assert_eq!(segments(&vec![0; 5 << 20], 50_000, limit), error);
    let members = gzip(&vec![0; 1 << 20], 9).repeat(5);
    assert_eq!(segments(&members, 50_000, limit), error);
    assert!(segments(&members, 50_000, 5 << 20).is_ok());
}

#[test]
fn whoever_goes_on_after_an_error_gets_it_again() {
    let mut layer = gzip(b"text", 6);
    layer[14] ^= 1;
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, TAR_LIMIT, Proof::Now);
    let error = ingest.push(&layer).unwrap_err();
    assert_eq!(ingest.push(&layer), Err(error));
    assert_eq!(ingest.finish(), Err(error));
}

/// A stream of 10 bits for each empty block, and one of five bytes: it would take as many segments.
#[test]
fn empty_blocks_without_end_come_in_segments() {
    let mut fixed = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    // 0 1 0 0000000, four times in five bytes.
    fixed.extend([0x02, 0x08, 0x20, 0x80, 0x00].repeat(20_000));
    let mut stored = fixed[..10].to_vec();
    stored.extend([0, 0, 0, 0xff, 0xff].repeat(20_000));
    for mut layer in [fixed, stored] {
        layer.extend([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        assert!(segments(&layer, 5000, 0).unwrap().len() >= 20_000 / 4096);
        assert_exact(&layer, b"", Encoding::Gzip);
    }
}

/// Each member took as long as the input that was there when it was read.
#[test]
fn members_without_end_take_no_more_than_their_bytes() {
    let layer = gzip(b"", 6).repeat(20_000);
    let segments = segments(&layer, usize::MAX, 0).unwrap();
    // The last trailer is framing of its own.
    assert_eq!(segments.len(), 20_001);
    assert_exact(&gzip(b"", 6).repeat(50), b"", Encoding::Gzip);
}
