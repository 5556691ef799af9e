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
use mica_core::model::Compressor;
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::row::ROW_SIZE;
use mica_core::recipe::{RecipeIndex, Section, SectionReader, SegmentRow};
use restore::restore_parts;

const LAYERS: [&str; 10] = [
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
];

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
    for name in LAYERS {
        let layer = read(name, "layer");
        let tar = tar_of(&layer);
        let parts = restore_parts(&read(name, "recipe"), &mut |place, offset, length| {
            part_of(&tar, place, offset, length)
        });
        let again = parts.unwrap().into_iter().map(Result::unwrap);
        assert!(again.collect::<Vec<_>>().concat() == layer, "{name}");
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

/// Holds on every machine as long as libzstd is 1.5.7 and the models are the same. When they get
/// better, this test gets recipes of its own.
#[test]
fn the_same_layer_gives_the_same_recipe_on_every_machine() {
    for name in LAYERS {
        let recipe = ingest(&read(name, "layer"), &[100_000]).unwrap();
        assert!(recipe == read(name, "recipe"), "{name}");
    }
}

#[test]
#[ignore = "makes the recipes"]
fn make_recipes() {
    for name in LAYERS {
        let recipe = ingest(&read(name, "layer"), &[100_000]).unwrap();
        std::fs::write(path(name, "recipe"), recipe).unwrap();
    }
}
