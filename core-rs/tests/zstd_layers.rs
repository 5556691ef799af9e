//! Layers of zstd frames: those of libzstd come together again, of all others the files are known.
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
#[path = "laws/tar_header.rs"]
mod tar_header;

use ingest::ingest;
use layer_tar::{part_of, tar_of};
use mica_core::error::CoreError;
use mica_core::ingest::IngestError;
use mica_core::limits::MAX_ZSTD_WINDOW_SIZE;
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::{Encoding, RecipeIndex, Summary};
use mica_core::restore::{RestoreError, Restorer, TarMap};
use mica_core::zstd_frame::{FrameEncoder, FrameError, Inexact, ZstdCall};
use proptest::prelude::*;
use restore::restore_parts;
use tar_header::tar_header;
use zstd::zstd_safe::{CCtx, CParameter};

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];
const BLOCK: usize = 128 << 10;

/// A tar of one file that has `length` bytes: words of a few letters in an order that `seed` says.
fn tar(mut seed: u32, length: usize) -> Vec<u8> {
    let mut tar = tar_header("file", length).to_vec();
    while tar.len() < 512 + length {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let [_, low, middle, high] = seed.to_le_bytes();
        let word = [b'a' + middle % 26, b'a' + low % 7, b'e', high % 64, b' '];
        tar.extend_from_slice(&word[usize::from(high >> 6)..]);
    }
    tar.truncate(512 + length);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}

fn call(level: i8, has_checksum: bool, has_content_size: bool) -> ZstdCall {
    ZstdCall::new(level, has_checksum, has_content_size).unwrap()
}

fn frame(text: &[u8], call: ZstdCall) -> Vec<u8> {
    let mut frame = Vec::new();
    let mut encoder = FrameEncoder::new(call, text.len() as u64).unwrap();
    encoder.finish(text, &mut frame).unwrap();
    frame
}

fn summary(recipe: &[u8]) -> Summary {
    let index = RecipeIndex::read(&RecipeBytes(recipe)).unwrap();
    index.summary().clone()
}

/// Takes a layer apart and makes it again; the call that it is made by.
fn round_trip(layer: &[u8], pieces: &[usize]) -> ZstdCall {
    let recipe = ingest(layer, pieces).unwrap();
    let tar = tar_of(layer);
    let parts = restore_parts(&recipe, &mut |place, offset, length| {
        part_of(&tar, place, offset, length)
    });
    let parts: Vec<_> = parts.unwrap().into_iter().map(Result::unwrap).collect();
    assert!(parts.concat() == layer, "layers differ");
    let call = match summary(&recipe).encoding {
        Encoding::Zstd(call) => call.ok(),
        Encoding::Identity | Encoding::Gzip => None,
    };
    call.unwrap()
}

/// The layer is not made again, but its files are known.
fn assert_inexact(layer: &[u8], expected: Inexact, files: u64) {
    for pieces in [[usize::MAX], [9973]] {
        let recipe = ingest(layer, &pieces).unwrap();
        let source = RecipeBytes(&recipe);
        let index = RecipeIndex::read(&source).unwrap();
        let got = index.summary();
        assert_eq!(got.encoding, Encoding::Zstd(Err(expected)));
        assert_eq!((got.files, got.size), (files, layer.len() as u64));
        let tar = TarMap::read(&source, &index).unwrap();
        assert_eq!(tar.files().len() as u64, files);
        let error = Restorer::read::<_, RestoreError>(&source).unwrap_err();
        assert_eq!(error, RestoreError::Inexact(expected));
        assert_eq!(error.code(), "RESTORE_INEXACT");
        assert_eq!(error.coded_source().unwrap().code(), expected.code());
    }
}

#[test]
fn layers_of_every_level_come_together_again() {
    let tar = tar(7, 400_000);
    for level in (-5..=19).filter(|level| *level != 0) {
        let (has_checksum, has_content_size) = (level & 1 != 0, level % 9 == 0);
        let made_by = call(level, has_checksum, has_content_size);
        let layer = frame(&tar, made_by);
        let found = round_trip(&layer, &[250_000]);
        assert_eq!(
            (found.has_checksum(), found.has_content_size()),
            (has_checksum, has_content_size)
        );
        // Another level that writes the same is as good.
        assert!(frame(&tar, found) == layer, "{level}");
    }
}

/// A frame whose last block is full ends with it or with an empty one, as it was ended.
#[test]
fn layers_that_end_with_a_full_block_come_together_again() {
    for blocks in [1, 2, 8, 9, 16] {
        let text = tar(3, blocks * BLOCK - 512 - 1024);
        assert_eq!(text.len(), blocks * BLOCK);
        for call in [call(3, true, false), call(1, false, true)] {
            let ended = frame(&text, call);
            round_trip(&ended, &[70_000]);
            let mut empty_end = Vec::new();
            let mut encoder = FrameEncoder::new(call, text.len() as u64).unwrap();
            encoder.push(&text, &mut empty_end).unwrap();
            encoder.finish(b"", &mut empty_end).unwrap();
            round_trip(&empty_end, &[70_000]);
            if blocks > 1 {
                assert!(ended != empty_end);
            }
        }
    }
}

#[test]
fn layers_without_text_come_together_again() {
    for call in [call(3, true, false), call(3, false, true)] {
        round_trip(&frame(b"", call), &[1]);
    }
}

#[test]
fn other_tars_give_no_other_layer() {
    let text = tar(5, 2_500_000);
    let layer = frame(&text, call(3, true, true));
    let recipe = ingest(&layer, &[usize::MAX]).unwrap();
    for at in [0, 1 << 20, 2_400_000] {
        let parts = restore_parts(&recipe, &mut |place, offset, length| {
            let mut bytes = part_of(&text, place, offset, length);
            let start = usize::try_from(place.offset + offset).unwrap();
            if let Some(byte) = (start + bytes.len() > at)
                .then(|| bytes.get_mut(at.saturating_sub(start)))
                .flatten()
            {
                *byte ^= 1;
            }
            bytes
        });
        let parts = parts.unwrap();
        let wrong = parts.iter().position(Result::is_err).unwrap();
        assert!(matches!(
            parts[wrong],
            Err(RestoreError::WrongPart { part, .. }) if part == wrong
        ));
        let right: Vec<u8> = parts
            .into_iter()
            .take(wrong)
            .flat_map(Result::unwrap)
            .collect();
        assert!(layer.starts_with(&right));
    }
}

#[test]
fn frames_of_others_are_not_exact() {
    let text = tar(9, 1_200_000);
    let mut context = CCtx::create();
    context.set_parameter(CParameter::MinMatch(7)).unwrap();
    let mut other = Vec::with_capacity(2 << 20);
    context.compress2(&mut other, &text).unwrap();
    assert_inexact(&other, Inexact::OtherCompressor, 1);
    // Raw blocks in a window that no level has.
    let mut raw = [&MAGIC[..], &[0, 0x51]].concat();
    for (number, block) in text.chunks(50_000).enumerate() {
        let is_last = u32::from((number + 1) * 50_000 >= text.len());
        let header = u32::try_from(block.len() << 3).unwrap() | is_last;
        raw.extend_from_slice(&header.to_le_bytes()[..3]);
        raw.extend_from_slice(block);
    }
    assert_inexact(&raw, Inexact::OtherCompressor, 1);
}

#[test]
fn layers_of_more_than_one_frame_are_not_exact() {
    let text = tar(2, 1_500_000);
    let made_by = call(3, true, false);
    let whole = frame(&text, made_by);
    let (first, second) = text.split_at(700_123);
    let frames = [frame(first, made_by), frame(second, made_by)].concat();
    assert_inexact(&frames, Inexact::SeveralFrames, 1);
    let skippable = [0x5e, 0x2a, 0x4d, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
    let chunked = [&whole[..], &skippable, &skippable].concat();
    assert_inexact(&chunked, Inexact::SkippableFrame, 1);
    let chunked = [&skippable, &whole[..]].concat();
    assert_inexact(&chunked, Inexact::SkippableFrame, 1);
    assert_inexact(&skippable, Inexact::SkippableFrame, 0);
    for trailing in [&b"\0"[..], b"abc", &[0; 512], &MAGIC[..3]] {
        let layer = [&whole[..], trailing].concat();
        assert_inexact(&layer, Inexact::TrailingBytes, 1);
    }
    // Frames without text, as many as one likes.
    let many = frame(b"", made_by).repeat(20_000);
    assert_inexact(&many, Inexact::SeveralFrames, 0);
}

#[test]
fn a_layer_that_is_cut_off_is_refused() {
    let text = tar(4, 300_000);
    let whole = frame(&text, call(3, true, true));
    let frames = [&whole[..], &[0x50, 0x2a, 0x4d, 0x18, 9, 0, 0, 0, 1]].concat();
    for length in (4..20).chain((20..whole.len()).step_by(997)) {
        let error = ingest(&whole[..length], &[7]).unwrap_err();
        let IngestError::Zstd(FrameError::Truncated { offset, expected }) = error else {
            panic!("{error}");
        };
        assert!(offset == length as u64 && expected > offset);
        assert_eq!(error.code(), "LAYER_ZSTD");
        assert_eq!(error.coded_source().unwrap().code(), "ZSTD_TRUNCATED");
        assert_eq!(error.values().offset, Some(offset));
        assert_eq!(error.values().expected, Some(expected));
        assert_eq!(ingest(&whole[..length], &[usize::MAX]), Err(error));
    }
    let error = ingest(&frames, &[usize::MAX]).unwrap_err();
    let truncated = |error| matches!(error, IngestError::Zstd(FrameError::Truncated { .. }));
    assert!(truncated(error));
}

#[test]
fn frames_that_cannot_be_read_are_refused_at_their_offset() {
    let refused = |bytes: &[u8]| {
        let layer = [&MAGIC, bytes].concat();
        let whole = ingest(&layer, &[usize::MAX]).unwrap_err();
        assert_eq!(ingest(&layer, &[1]), Err(whole));
        let IngestError::Zstd(problem) = whole else {
            panic!("{whole}");
        };
        problem
    };
    let got = MAX_ZSTD_WINDOW_SIZE * 2;
    let expected = MAX_ZSTD_WINDOW_SIZE;
    let window = FrameError::Window {
        offset: 0,
        got,
        expected,
    };
    assert_eq!(refused(&[0, 16 << 3]), window);
    let offset = 0;
    assert_eq!(
        refused(&[1, 0, 3]),
        FrameError::Dictionary { offset, got: 3 }
    );
    assert_eq!(
        refused(&[8, 0]),
        FrameError::ReservedBits { offset, got: 8 }
    );
    let offset = 6;
    assert_eq!(
        refused(&[0, 0x58, 7, 0, 0]),
        FrameError::BlockType { offset, got: 3 }
    );
    let size = FrameError::BlockSize {
        offset,
        got: 0x1f_ffff,
        expected: 128 << 10,
    };
    assert_eq!(refused(&[0, 0x58, 0xfd, 0xff, 0xff]), size);
    // A raw block, and then a compressed one of two bytes that say nothing.
    let problem = refused(&[0, 0x58, 0x08, 0, 0, b'x', 0x15, 0, 0, 0xff, 0xff]);
    assert!(matches!(problem, FrameError::Decode { offset: 10, .. }));
    // The checksum is wrong, and then the length.
    let mut layer = frame(b"text", call(3, true, false));
    let last = layer.len() - 1;
    layer[last] ^= 1;
    let problem = refused(&layer[4..]);
    let expected = last as u64 - 3;
    assert!(matches!(problem, FrameError::Decode { offset, .. } if offset == expected));
    let mut layer = frame(b"text", call(3, false, true));
    layer[5] += 1;
    assert!(matches!(
        refused(&layer[4..]),
        FrameError::Decode { offset: 6, .. }
    ));
}

#[test]
fn a_bomb_stops_at_the_limit_of_the_tar() {
    let bomb = frame(&vec![0; 20 << 20], call(3, false, false));
    assert!(bomb.len() < 3000);
    let limit = ingest::TAR_LIMIT;
    assert_eq!(
        ingest(&bomb, &[usize::MAX]),
        Err(IngestError::TarLimit { limit })
    );
}

/// Blocks of three bytes without text: segments have an end all the same.
#[test]
fn empty_blocks_without_end_come_in_segments() {
    let mut layer = [&MAGIC[..], &[0, 0x58]].concat();
    layer.extend([0, 0, 0].repeat(2 << 20));
    layer.extend([1, 0, 0]);
    assert_inexact_quickly(&layer);
}

fn assert_inexact_quickly(layer: &[u8]) {
    let recipe = ingest(layer, &[usize::MAX]).unwrap();
    let inexact = summary(&recipe).encoding.inexact();
    assert_eq!(inexact, Some(Inexact::OtherCompressor));
}

#[test]
fn an_encoder_refuses_more_tar_than_the_layer_has() {
    let text = tar(1, 1000);
    let layer = frame(&text, call(3, true, false));
    let recipe = ingest(&layer, &[usize::MAX]).unwrap();
    let restorer = Restorer::read::<_, RestoreError>(&RecipeBytes(&recipe)).unwrap();
    let mut encoder = restorer.encoder().unwrap().unwrap();
    let mut output = Vec::new();
    encoder.push(&restorer, &text, &mut output).unwrap();
    assert!(output == layer);
    let error = encoder.push(&restorer, b"more", &mut output).unwrap_err();
    assert_eq!(error.code(), "RECIPE_INCONSISTENT");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_frame_of_libzstd_is_a_layer_however_it_comes(
        seed: u32,
        length in prop_oneof![0_usize..3000, 120_000_usize..400_000],
        level in prop_oneof![-5_i8..=-1, 1_i8..=12],
        has_checksum: bool,
        has_content_size: bool,
        pieces in prop::collection::vec(1_usize..90_000, 1..4),
    ) {
        let layer = frame(&tar(seed, length), call(level, has_checksum, has_content_size));
        round_trip(&layer, &pieces);
        prop_assert!(ingest(&layer, &pieces) == ingest(&layer, &[usize::MAX]));
    }

    #[test]
    fn the_bytes_of_a_frame_do_not_depend_on_the_pieces(
        seed: u32,
        length in 0_usize..500_000,
        pieces in prop::collection::vec(1_usize..200_000, 1..5),
    ) {
        let (text, call) = (tar(seed, length), call(3, true, false));
        let mut made = Vec::new();
        let mut encoder = FrameEncoder::new(call, 0).unwrap();
        let (mut rest, mut sizes) = (&text[..], pieces.iter().cycle());
        let size = loop {
            let size = *sizes.next().unwrap();
            if rest.len() <= size {
                break rest.len();
            }
            encoder.push(&rest[..size], &mut made).unwrap();
            rest = &rest[size..];
        };
        encoder.finish(&rest[..size], &mut made).unwrap();
        prop_assert!(made == frame(&text, call));
    }
}
