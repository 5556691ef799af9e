//! Recipes come out as they went in; whatever else is read as one is an error, and costs no more than
//! its limits.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

#[path = "laws/recipe.rs"]
mod laws;
#[path = "laws/restore.rs"]
mod restore;
#[path = "laws/segment_blocks.rs"]
mod segment_blocks;

use mica_core::deflate::{BitReader, BlockKind, read_header};
use mica_core::model::{CANDIDATES, Compressor};
use mica_core::recipe::row::{ROW_SIZE, check_of};
use mica_core::recipe::section::CHUNK_SIZE;
use mica_core::recipe::{
    Encoding, RecipeBytes, RecipeError, RecipeIndex, RecipeWriter, Section, SectionReader,
    SegmentRow, Summary,
};
use mica_core::restore::{RestoreError, read_file_ids};
use mica_core::segment::FirstBits;
use mica_core::segment::blocks::{KeptBlock, KeptBlocks, KeptKind};
use mica_core::zstd_frame::{Inexact, ZstdCall};
use proptest::prelude::*;
use restore::restore_parts;

fn compressor() -> impl Strategy<Value = Compressor> {
    prop::sample::select(CANDIDATES)
}

fn row() -> impl Strategy<Value = SegmentRow> {
    let sizes = (
        1_u32..=8 << 20,
        0_u32..=2 << 20,
        0_u32..=131_080,
        0_u32..=1 << 20,
        0_u32..=1 << 20,
    );
    let rest = (any::<u64>(), compressor(), any::<[u8; 8]>(), any::<bool>());
    (sizes, rest).prop_map(
        |(sizes, (since_flush, compressor, check, is_raw))| SegmentRow {
            stored_size: sizes.0,
            plain_size: sizes.1,
            framing_size: sizes.2,
            blocks_size: if is_raw { 0 } else { sizes.3 },
            corrections_size: if is_raw { 0 } else { sizes.4 },
            raw_size: if is_raw { sizes.0 } else { 0 },
            since_flush,
            compressor: if is_raw {
                Compressor::Unknown
            } else {
                compressor
            },
            check,
        },
    )
}

/// The header of a dynamic block: <https://www.rfc-editor.org/rfc/rfc1951#section-3.2.7>.
fn dynamic() -> BlockKind {
    let stream =
        miniz_oxide::deflate::compress_to_vec(&b"dynamic codes, words, codes ".repeat(9), 6);
    read_header(&mut BitReader::new(&stream)).unwrap().kind
}

fn kept_blocks() -> impl Strategy<Value = KeptBlocks> {
    let kind = prop_oneof![
        Just(None),
        Just(Some(BlockKind::Fixed)),
        Just(Some(dynamic())),
        (0_u8..128).prop_map(|padding| Some(BlockKind::Stored { length: 0, padding })),
    ];
    let forms = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::btree_set(any::<u32>(), 0..5)
            .prop_map(|forms| forms.into_iter().collect::<Vec<u32>>()),
    ];
    let block = (kind, any::<u32>(), forms);
    let first = (
        0_u8..8,
        any::<u8>(),
        prop::option::of(0_u8..128),
        any::<bool>(),
        0_u8..3,
    );
    (first, prop::collection::vec(block, 0..8)).prop_map(|(first, blocks)| {
        let (count, bits, end_padding, is_open, last) = first;
        let number = blocks.len();
        let blocks = blocks
            .into_iter()
            .enumerate()
            .map(|(index, (kind, length, long_forms))| {
                let is_last = index + 1 == number;
                let kind = match kind {
                    None => KeptKind::Predicted,
                    Some(kind) => KeptKind::Verbatim(kind),
                };
                let mut block = KeptBlock {
                    header: Some((is_last && last == 1, kind)),
                    length,
                    long_forms,
                    is_ended: !is_last || last != 2,
                };
                if index == 0 && is_open {
                    block.header = None;
                }
                if let Some((_, KeptKind::Verbatim(BlockKind::Stored { length, .. }))) =
                    &mut block.header
                {
                    block.length &= 0xffff;
                    *length = u16::try_from(block.length).unwrap();
                    block.long_forms.clear();
                    block.is_ended = true;
                }
                block
            });
        KeptBlocks {
            first_bits: FirstBits {
                bits: bits & ((1 << count) - 1),
                count,
            },
            open: (is_open && number > 0).then(dynamic),
            blocks: blocks.collect(),
            end_padding,
        }
    })
}

fn summary() -> impl Strategy<Value = Summary> {
    let encoding = prop_oneof![
        Just(Encoding::Identity),
        Just(Encoding::Gzip),
        (1_i8..20, any::<bool>(), any::<bool>()).prop_map(|(level, checksum, size)| {
            Encoding::Zstd(Ok(ZstdCall::new(level, checksum, size).unwrap()))
        }),
        Just(Encoding::Zstd(Err(Inexact::SeveralFrames))),
    ];
    let digest = "[a-z0-9]{1,12}:[0-9a-f]{0,128}";
    (encoding, digest, digest, any::<[u64; 3]>()).prop_map(
        |(encoding, digest, diff_id, [size, tar_size, files])| Summary {
            encoding,
            digest,
            size,
            diff_id,
            tar_size,
            files,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn decode_of_a_row_gives_what_encode_wrote(row in row()) {
        prop_assert_eq!(SegmentRow::decode(&row.encode()), Some(row));
    }

    #[test]
    fn decode_of_any_row_gives_one_that_encodes_to_it(bytes in any::<[[u8; 8]; 6]>()) {
        let mut bytes: [u8; ROW_SIZE] = bytes.concat().try_into().unwrap();
        for at in [2, 3, 6, 7, 10, 11, 14, 15, 18, 19, 20, 21, 22, 23, 33, 34, 35, 36, 37, 38, 39] {
            bytes[at] = 0;
        }
        bytes[32] %= 2;
        if let Some(row) = SegmentRow::decode(&bytes) {
            prop_assert_eq!(row.encode(), bytes);
        }
    }

    #[test]
    fn decode_of_blocks_gives_what_encode_wrote(kept in kept_blocks()) {
        prop_assert_eq!(KeptBlocks::decode(&kept.encode()), Ok(kept));
    }

    #[test]
    fn decode_of_any_blocks_gives_some_that_encode_to_them(
        bytes in prop::collection::vec(prop_oneof![0_u8..64, any::<u8>()], 0..40),
        kept in kept_blocks(),
        at: prop::sample::Index,
        change: u8,
    ) {
        segment_blocks::check(&bytes);
        let mut changed = kept.encode();
        let at = at.index(changed.len());
        changed[at] ^= change;
        for bytes in [bytes, changed] {
            match KeptBlocks::decode(&bytes) {
                Ok(kept) => prop_assert_eq!(kept.encode(), bytes),
                Err(offset) => prop_assert!(offset <= bytes.len()),
            }
        }
    }

    #[test]
    fn a_section_gives_what_was_appended(
        summary in summary(),
        pieces in prop::collection::vec((0_usize..8, 0_usize..400_000), 0..6),
        ranges in prop::collection::vec(any::<[prop::sample::Index; 2]>(), 1..6),
    ) {
        let mut writer = RecipeWriter::new();
        let mut expected: [Vec<u8>; 8] = Default::default();
        let mut recipe = Vec::new();
        for (round, &(number, length)) in pieces.iter().enumerate() {
            let section = Section::ALL[number];
            let bytes: Vec<u8> = (0..length).map(|at| ((at >> 3) ^ (at * round)).to_le_bytes()[0]).collect();
            writer.append(section, &bytes);
            expected[number].extend(bytes);
            recipe.extend(writer.take());
        }
        let finished = writer.finish(&summary);
        recipe.extend(finished.bytes);
        prop_assert_eq!(recipe.len() as u64, finished.size);
        let source = RecipeBytes(&recipe);
        let index = RecipeIndex::read(&source).unwrap();
        prop_assert_eq!(index.summary(), &summary);
        for section in Section::ALL {
            let expected = &expected[usize::from(section.number())];
            prop_assert_eq!(index.section_size(section), expected.len() as u64);
            let stored = finished.section_sizes.get(&section).copied().unwrap_or(0);
            prop_assert_eq!(index.stored_size(section), stored);
            let mut reader = SectionReader::new(section);
            for [start, end] in &ranges {
                let (start, end) = (start.index(expected.len() + 1), end.index(expected.len() + 1));
                let (start, end) = (start.min(end), start.max(end));
                let length = (end - start) as u64;
                let mut bytes = b"before".to_vec();
                reader.read(&source, &index, start as u64, length, &mut bytes).unwrap();
                prop_assert!(bytes[6..] == expected[start..end]);
                let beyond = expected.len() as u64 - start as u64 + 1;
                for length in [beyond, u64::MAX] {
                    let error = reader.read(&source, &index, start as u64, length, &mut bytes);
                    let is_end = matches!(error, Err(RecipeError::SectionEnd { .. }));
                    prop_assert!(is_end);
                }
            }
        }
    }

    #[test]
    fn any_bytes_are_no_recipe(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        laws::check(&bytes);
        prop_assert!(RecipeIndex::read(&RecipeBytes(&bytes)).is_err());
    }
}

fn golden(name: &str) -> Vec<u8> {
    let folder = env!("CARGO_MANIFEST_DIR");
    std::fs::read(format!("{folder}/tests/golden/recipe-v1-{name}.recipe")).unwrap()
}

/// Reads all that is in a recipe.
fn read_all(recipe: &[u8]) -> Result<Vec<Vec<u8>>, RecipeError> {
    let source = RecipeBytes(recipe);
    let index = RecipeIndex::read(&source)?;
    let read = |section| {
        let mut bytes = Vec::new();
        let size = index.section_size(section);
        SectionReader::new(section).read(&source, &index, 0, size, &mut bytes)?;
        Ok(bytes)
    };
    Section::ALL.into_iter().map(read).collect()
}

#[test]
fn a_recipe_with_a_byte_changed_or_cut_off_is_an_error() {
    for name in ["members", "identity", "zlib-6"] {
        let recipe = golden(name);
        assert!(read_all(&recipe).is_ok());
        for at in 0..recipe.len() {
            let mut changed = recipe.clone();
            changed[at] ^= 0x41;
            assert!(read_all(&changed).is_err(), "{name}, byte {at}");
            assert!(read_all(&recipe[..at]).is_err(), "{name}, {at} bytes");
        }
    }
}

#[test]
fn a_recipe_of_a_later_version_is_refused() {
    let mut recipe = golden("members");
    for (version, is_known) in [(0_u16, false), (1, true), (2, false), (u16::MAX, false)] {
        recipe[8..10].copy_from_slice(&version.to_le_bytes());
        let error = RecipeError::Version {
            got: version,
            expected: 1,
        };
        let got = RecipeIndex::read(&RecipeBytes(&recipe));
        assert_eq!(got.map(|_| ()), if is_known { Ok(()) } else { Err(error) });
    }
}

fn gzip_summary(size: u64, tar_size: u64, files: u64) -> Summary {
    Summary {
        encoding: Encoding::Gzip,
        digest: String::new(),
        size,
        diff_id: String::new(),
        tar_size,
        files,
    }
}

fn restore_error(recipe: &[u8]) -> RestoreError {
    restore_parts(recipe, &mut |_, _, _| Vec::new()).unwrap_err()
}

fn raw_row(stored: &[u8]) -> SegmentRow {
    let size = u32::try_from(stored.len()).unwrap();
    SegmentRow {
        stored_size: size,
        plain_size: 0,
        framing_size: 0,
        blocks_size: 0,
        corrections_size: 0,
        raw_size: size,
        since_flush: 0,
        compressor: Compressor::Unknown,
        check: check_of(stored),
    }
}

/// One file of eight exbibytes, and a part for each mebibyte of it: there was no memory for so many.
#[test]
fn a_tar_of_any_size_is_restored_in_no_more_parts_than_there_are_segments() {
    let mut writer = RecipeWriter::new();
    writer.append(Section::Files, &[0; 32]);
    let size = 1_u64 << 62;
    writer.append(
        Section::References,
        &[0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x40],
    );
    let summary = Summary {
        encoding: Encoding::Identity,
        ..gzip_summary(size, size, 1)
    };
    let error = restore_error(&writer.finish(&summary).bytes);
    let what = "layer";
    assert_eq!(
        error,
        RestoreError::Inconsistent {
            what,
            got: 0,
            expected: size
        }
    );
}

/// A chunk of the same rows takes 30 bytes in a recipe and a megabyte as parts.
#[test]
fn a_recipe_of_more_segments_than_there_may_be_is_refused_before_they_are_read() {
    let chunk = raw_row(b"a").encode().repeat(CHUNK_SIZE / ROW_SIZE);
    let mut writer = RecipeWriter::new();
    for _ in 0..=262_144 * ROW_SIZE / chunk.len() {
        writer.append(Section::Segments, &chunk);
    }
    let recipe = writer.finish(&gzip_summary(0, 0, 0)).bytes;
    assert!(recipe.len() < 20_000);
    let expected = RecipeError::Malformed {
        section: Section::Segments,
        offset: 262_144 * 48,
        field: "number of segments",
    };
    assert_eq!(restore_error(&recipe), RestoreError::Recipe(expected));
}

#[test]
fn a_recipe_of_more_files_than_there_may_be_is_refused_before_they_are_read() {
    let mut writer = RecipeWriter::new();
    for _ in 0..=128 {
        writer.append(Section::Files, &vec![0; CHUNK_SIZE]);
    }
    let recipe = writer.finish(&gzip_summary(0, 0, 0)).bytes;
    let source = RecipeBytes(&recipe);
    let index = RecipeIndex::read(&source).unwrap();
    let error = read_file_ids(&source, &index).unwrap_err();
    let is_malformed = matches!(
        error,
        RecipeError::Malformed {
            section: Section::Files,
            offset: 33_554_432,
            ..
        }
    );
    assert!(is_malformed, "{error:?}");
}

/// Four million blocks in a mebibyte took half a gibibyte.
#[test]
fn a_segment_of_more_blocks_than_there_may_be_is_refused() {
    let block = |is_ended| KeptBlock {
        header: Some((false, KeptKind::Predicted)),
        length: 0,
        long_forms: Vec::new(),
        is_ended,
    };
    let mut kept = KeptBlocks {
        first_bits: FirstBits::default(),
        open: None,
        blocks: vec![block(true); 4096],
        end_padding: None,
    };
    assert_eq!(KeptBlocks::decode(&kept.encode()), Ok(kept.clone()));
    kept.blocks.push(block(true));
    assert_eq!(KeptBlocks::decode(&kept.encode()), Err(1 + 2 * 4096));
}

#[test]
fn rows_that_do_not_fit_the_sections_are_refused() {
    let row = raw_row(b"segment");
    let recipe = |row: SegmentRow, raw: &[u8], size| {
        let mut writer = RecipeWriter::new();
        writer.append(Section::Segments, &row.encode());
        writer.append(Section::Raw, raw);
        writer.finish(&gzip_summary(size, 0, 0)).bytes
    };
    let parts = restore_parts(&recipe(row, b"segment", 7), &mut |_, _, _| Vec::new()).unwrap();
    assert_eq!(parts, [Ok(b"segment".to_vec())]);
    let inconsistent = |what, got, expected| RestoreError::Inconsistent {
        what,
        got,
        expected,
    };
    assert_eq!(
        restore_error(&recipe(row, b"segments", 7)),
        inconsistent("raw segments", 8, 7)
    );
    assert_eq!(
        restore_error(&recipe(row, b"segment", 8)),
        inconsistent("layer", 7, 8)
    );
    let malformed = |row| {
        let error = restore_error(&recipe(row, b"segment", 7));
        let field = "row of a segment";
        let expected = RecipeError::Malformed {
            section: Section::Segments,
            offset: 0,
            field,
        };
        assert_eq!(error, RestoreError::Recipe(expected));
    };
    // More since the last flush than there is of the stream.
    malformed(SegmentRow {
        since_flush: 1,
        ..row
    });
    malformed(SegmentRow { raw_size: 0, ..row });
    malformed(SegmentRow {
        stored_size: 0,
        raw_size: 0,
        ..row
    });
}

/// A reader keeps a chunk, which may be at the same place of another recipe.
#[test]
fn a_reader_does_not_take_one_recipe_for_another() {
    let recipe = |byte| {
        let mut writer = RecipeWriter::new();
        writer.append(Section::Raw, &[byte; 10]);
        writer.finish(&gzip_summary(0, 0, 0)).bytes
    };
    let mut reader = SectionReader::new(Section::Raw);
    for byte in [1, 2, 1] {
        let recipe = recipe(byte);
        let source = RecipeBytes(&recipe);
        let index = RecipeIndex::read(&source).unwrap();
        let mut bytes = Vec::new();
        reader.read(&source, &index, 2, 5, &mut bytes).unwrap();
        assert_eq!(bytes, [byte; 5]);
    }
}

#[test]
fn a_part_that_is_not_there_and_a_range_that_ends_before_it_begins_give_nothing() {
    let recipe = golden("identity");
    let source = RecipeBytes(&recipe);
    let restorer = mica_core::restore::Restorer::read::<_, RestoreError>(&source).unwrap();
    let size = restorer.tar().size();
    assert!(restorer.parts_within(size, 0).is_empty());
    assert!(restorer.parts_within(size + 1, u64::MAX).is_empty());
    assert!(restorer.tar().files_within(size, 0).is_empty());
    assert_eq!(restorer.tar().file_ranges(1000, 600).count(), 0);
}
