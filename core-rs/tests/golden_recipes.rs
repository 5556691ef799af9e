//! Recipes of version 1 that have to be read for ever.
//!
//! `golden/layers/make.sh` made the layers, `cargo test --test golden_recipes -- --ignored` the
//! recipes, once. They are never made again after a release: a change that does not read them needs
//! another version.
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

use ingest::ingest;
use layer_tar::{part_of, tar_of};
use mica_core::compression::decompress;
use mica_core::model::Compressor;
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::row::ROW_SIZE;
use mica_core::recipe::{Encoding, RecipeIndex, Section, SectionReader, SegmentRow};
use mica_core::restore::RestoreError;
use mica_core::zstd_frame::{Inexact, ZstdCall};
use restore::restore_parts;

/// Those that are made again.
const LAYERS: [&str; 13] = [
    "go-1",
    "go-6",
    "gzip-9",
    "identity",
    "klauspost-5",
    "members",
    "pgzip-5",
    "pigz-6",
    "raw",
    "zlib-6",
    "zstd-19",
    "zstd-3",
    "zstd-fast",
];
/// Those whose files are known, and no more.
const INEXACT_LAYERS: [(&str, Inexact); 2] = [
    ("zstd-klauspost", Inexact::OtherCompressor),
    ("zstd-skippable", Inexact::SkippableFrame),
];

/// Those that have a second recipe, in which a first segment is split that is kept whole today.
const SPLIT_LAYERS: [&str; 2] = ["klauspost-5", "pgzip-5"];

/// All of them.
fn names() -> impl Iterator<Item = &'static str> {
    let inexact = INEXACT_LAYERS.into_iter().map(|(name, _)| name);
    LAYERS.into_iter().chain(inexact)
}

fn path(layer: &str, kind: &str) -> String {
    let folder = env!("CARGO_MANIFEST_DIR");
    format!("{folder}/tests/golden/recipe-v1-{layer}.{kind}")
}

fn read(layer: &str, kind: &str) -> Vec<u8> {
    std::fs::read(path(layer, kind)).unwrap()
}

fn rows(recipe: &[u8]) -> Vec<SegmentRow> {
    let source = RecipeBytes(recipe);
    let index = RecipeIndex::read(&source).unwrap();
    let size = index.section_size(Section::Segments);
    let mut bytes = Vec::new();
    SectionReader::new(Section::Segments)
        .read(&source, &index, 0, size, &mut bytes)
        .unwrap();
    let rows = bytes.as_chunks::<ROW_SIZE>().0.iter();
    rows.map(|row| SegmentRow::decode(row).unwrap()).collect()
}

#[test]
fn recipes_of_version_1_make_their_layers() {
    let older = LAYERS.map(|name| (name, "recipe"));
    let split = SPLIT_LAYERS.map(|name| (name, "split.recipe"));
    for (name, kind) in older.into_iter().chain(split) {
        let layer = read(name, "layer");
        let tar = tar_of(&layer);
        let parts = restore_parts(&read(name, kind), &mut |place, offset, length| {
            part_of(&tar, place, offset, length)
        });
        let again = parts.unwrap().into_iter().map(Result::unwrap);
        assert!(again.collect::<Vec<_>>().concat() == layer, "{name}");
    }
}

#[test]
fn a_golden_recipe_with_other_files_gives_no_other_layer() {
    for name in LAYERS {
        let (recipe, tar) = (read(name, "recipe"), tar_of(&read(name, "layer")));
        let restore = |change: u8| {
            let mut calls = 0;
            let parts = restore_parts(&recipe, &mut |place, offset, length| {
                calls += 1;
                let mut bytes = part_of(&tar, place, offset, length);
                let at = bytes.len() * (calls % 7) / 7;
                bytes[at] ^= change;
                bytes
            });
            parts.unwrap()
        };
        let right = restore(0);
        for change in [1, 0x20, 0xff] {
            let parts = restore(change);
            for (got, expected) in parts.iter().zip(&right) {
                let is_right = got == expected;
                let is_refused = matches!(
                    got,
                    Err(RestoreError::WrongPart { .. }
                        | RestoreError::Rebuild { .. }
                        | RestoreError::NoPart { .. })
                );
                assert!(is_right || is_refused, "{name}: {got:?}");
            }
            // A raw segment needs no files.
            assert_eq!(parts.iter().all(Result::is_ok), name == "raw", "{name}");
        }
    }
}

#[test]
fn recipes_of_version_1_have_all_that_a_recipe_can_have() {
    assert!(rows(&read("go-6", "recipe")).len() > 1);
    assert!(
        rows(&read("members", "recipe"))
            .iter()
            .all(|row| row.framing_size > 0)
    );
    let kinds = |name| {
        rows(&read(name, "recipe"))
            .into_iter()
            .map(|row| row.compressor)
    };
    assert!(
        kinds("raw")
            .chain(kinds("identity"))
            .all(|of| of == Compressor::Unknown)
    );
    assert!(
        rows(&read("raw", "recipe"))
            .iter()
            .all(|row| row.raw_size > 0)
    );
    assert!(kinds("zlib-6").all(|of| of != Compressor::Unknown));
}

#[test]
fn recipes_of_version_1_tell_who_made_a_zstd_layer() {
    let encoding = |name| {
        let recipe = read(name, "recipe");
        let index = RecipeIndex::read(&RecipeBytes(&recipe)).unwrap();
        index.summary().encoding
    };
    let made_by = |level, has_checksum, has_content_size| {
        let call = ZstdCall::new(level, has_checksum, has_content_size);
        Encoding::Zstd(Ok(call.unwrap()))
    };
    assert_eq!(encoding("zstd-3"), made_by(3, true, false));
    assert_eq!(encoding("zstd-19"), made_by(19, false, true));
    assert_eq!(encoding("zstd-fast"), made_by(-2, true, true));
    for (name, inexact) in INEXACT_LAYERS {
        assert_eq!(encoding(name), Encoding::Zstd(Err(inexact)));
        let recipe = read(name, "recipe");
        let error = restore_parts(&recipe, &mut |_, _, _| Vec::new());
        assert_eq!(error, Err(RestoreError::Inexact(inexact)));
    }
}

/// The three bytes of an encoding, as `doc/recipe-format.md` tells them.
fn encoding_plainly(name: &str) -> [u8; 3] {
    match name {
        "identity" => [0, 0, 0],
        "zstd-19" => [2, 19, 2],
        "zstd-3" => [2, 3, 1],
        "zstd-fast" => [2, 254, 3],
        "zstd-klauspost" => [2, 0, 1],
        "zstd-skippable" => [2, 0, 3],
        _ => [1, 0, 0],
    }
}

/// Takes numbers and bytes off the front, as `doc/recipe-format.md` tells it.
struct Plain<'a>(&'a [u8]);

impl<'a> Plain<'a> {
    fn bytes(&mut self, length: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(length);
        self.0 = rest;
        bytes
    }

    fn number(&mut self, width: usize) -> usize {
        let bytes = self.bytes(width).iter().rev();
        bytes.fold(0, |number, byte| number << 8 | usize::from(*byte))
    }

    fn varint(&mut self) -> usize {
        let byte = self.number(1);
        if byte < 0x80 {
            byte
        } else {
            byte - 0x80 + (self.varint() << 7)
        }
    }

    fn digest(&mut self) -> &'a [u8] {
        let length = self.varint();
        self.bytes(length)
    }
}

fn expand(stored: &[u8], length: usize) -> Vec<u8> {
    if stored.len() == length {
        stored.to_vec()
    } else {
        decompress(stored, length).unwrap()
    }
}

/// The directory's place, and the sections, read without any of the code that is tested.
fn read_plainly(recipe: &[u8]) -> (Vec<u8>, [Vec<u8>; 8]) {
    assert_eq!(&recipe[..10], b"MICARCPE\x01\0");
    let (body, footer) = recipe.split_at(recipe.len() - 48);
    let mut footer = Plain(footer);
    let [offset, stored, length] = [(); 3].map(|()| footer.number(8));
    assert_eq!(offset + stored, body.len());
    let hash = blake3::hash(&body[offset..]);
    assert_eq!(footer.bytes(16), &hash.as_bytes()[..16]);
    assert_eq!(footer.0, b"EPCRACIM");
    let directory = expand(&body[offset..], length);
    let mut entries = Plain(&directory);
    entries.bytes(3);
    for _ in 0..2 {
        entries.digest();
    }
    let _sizes = [(); 3].map(|()| entries.varint());
    let mut sections: [Vec<u8>; 8] = Default::default();
    let mut chunks = Plain(&body[10..offset]);
    for _ in 0..entries.varint() {
        let kind = entries.number(1);
        let stored = chunks.bytes(entries.varint());
        let length = if kind & 1 == 1 {
            entries.varint()
        } else {
            stored.len()
        };
        assert_eq!(entries.bytes(8), &blake3::hash(stored).as_bytes()[..8]);
        sections[kind >> 1].extend(expand(stored, length));
    }
    assert!(entries.0.is_empty() && chunks.0.is_empty());
    (directory, sections)
}

/// The tar: gaps of skeleton and files, one after the other.
fn tar_plainly(sections: &[Vec<u8>; 8], tar: &[u8]) -> Vec<u8> {
    let [files, references, skeleton, ..] = sections;
    let (mut references, mut skeleton) = (Plain(references), Plain(skeleton));
    let mut again = Vec::new();
    for id in files.chunks_exact(32) {
        let (gap, size) = (references.varint(), references.varint());
        again.extend_from_slice(skeleton.bytes(gap));
        let content = &tar[again.len()..][..size];
        assert_eq!(blake3::hash(content).as_bytes(), id);
        again.extend_from_slice(content);
    }
    again.extend_from_slice(skeleton.0);
    again
}

#[test]
fn the_format_is_as_its_document_tells() {
    for name in names() {
        let layer = read(name, "layer");
        let tar = tar_of(&layer);
        let (directory, sections) = read_plainly(&read(name, "recipe"));
        assert_eq!(directory[..3], encoding_plainly(name));
        assert!(tar_plainly(&sections, &tar) == tar, "{name}");
        let [_, _, _, rows, blocks, corrections, raw, framing] = &sections;
        let (mut raw, mut framing) = (Plain(raw), Plain(framing));
        let (mut offset, mut tar_offset, mut kept) = (0, 0, [0; 2]);
        for row in rows.chunks_exact(48) {
            let mut row = Plain(row);
            let sizes = [(); 6].map(|()| row.number(4));
            assert_eq!(framing.bytes(sizes[2]), &layer[offset..][..sizes[2]]);
            offset += sizes[2];
            let segment = &layer[offset..][..sizes[0]];
            assert_eq!(&row.0[16..], &blake3::hash(segment).as_bytes()[..8]);
            assert!([&[][..], segment].contains(&raw.bytes(sizes[5])));
            offset += sizes[0];
            tar_offset += sizes[1];
            kept = [kept[0] + sizes[3], kept[1] + sizes[4]];
        }
        let is_skipped = name == "zstd-skippable";
        assert_eq!(framing.0, if is_skipped { b"" } else { &layer[offset..] });
        assert_eq!(
            (tar_offset, kept),
            (tar.len(), [blocks.len(), corrections.len()])
        );
    }
}

/// Holds on every machine as long as libzstd is 1.5.7 and the models are the same. When they get
/// better, this test gets recipes of its own.
#[test]
fn the_same_layer_gives_the_same_recipe_on_every_machine() {
    for name in names() {
        let recipe = ingest(&read(name, "layer"), &[100_000]).unwrap();
        assert!(recipe == read(name, "recipe"), "{name}");
    }
}

#[test]
#[ignore = "makes the recipes"]
fn make_recipes() {
    for name in names() {
        let recipe = ingest(&read(name, "layer"), &[100_000]).unwrap();
        std::fs::write(path(name, "recipe"), recipe).unwrap();
    }
}
