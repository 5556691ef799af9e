//! Replays the seeds of the fuzz targets through the checks that those run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

#[path = "../fuzz/checks/difference.rs"]
mod difference;
#[path = "laws/ingest.rs"]
mod ingest;
#[path = "laws/layer_round_trip.rs"]
mod layer_round_trip;
#[path = "laws/layer_tar.rs"]
mod layer_tar;
#[path = "laws/member.rs"]
mod member;
#[path = "../fuzz/checks/pack_block.rs"]
mod pack_block;
#[path = "laws/recipe.rs"]
mod recipe;
#[path = "laws/restore.rs"]
mod restore;
#[path = "laws/restore_wrong_files.rs"]
mod restore_wrong_files;
#[path = "laws/segment_blocks.rs"]
mod segment_blocks;

/// Runs a check on every seed of a target.
fn replay(target: &str, check: fn(&[u8])) {
    let folder = format!("{}/fuzz/seeds/{target}", env!("CARGO_MANIFEST_DIR"));
    let mut seeds = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        check(&std::fs::read(entry.unwrap().path()).unwrap());
        seeds += 1;
    }
    assert!(seeds > 0, "no seeds for {target}");
}

#[test]
fn pack_block_holds_for_its_seeds() {
    replay("pack_block", pack_block::check);
}

#[test]
fn difference_holds_for_its_seeds() {
    replay("difference", difference::check);
}

#[test]
fn recipe_holds_for_its_seeds() {
    replay("recipe", recipe::check);
}

#[test]
fn layer_round_trip_holds_for_its_seeds() {
    replay("layer_round_trip", |input| {
        let (pieces, input) = input.split_first_chunk::<2>().unwrap();
        layer_round_trip::check(input, &pieces.map(usize::from));
    });
}

#[test]
fn restore_wrong_files_holds_for_its_seeds() {
    replay("restore_wrong_files", restore_wrong_files::check);
}

#[test]
fn segment_blocks_holds_for_its_seeds() {
    replay("segment_blocks", segment_blocks::check);
}

/// Writes the seeds of the targets that take layers and recipes: `cargo test --test fuzz_seeds --
/// --ignored`. Fuzzers that start from nothing make no recipe in a day.
#[test]
#[ignore = "makes the seeds"]
fn make_seeds() {
    let folder = env!("CARGO_MANIFEST_DIR");
    let write = |target: &str, name: &str, bytes: &[u8]| {
        let folder = format!("{folder}/fuzz/seeds/{target}");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(format!("{folder}/{name}"), bytes).unwrap();
    };
    for name in ["zstd-klauspost", "zstd-skippable"] {
        let path = format!("{folder}/tests/golden/recipe-v1-{name}.layer");
        let layer = std::fs::read(path).unwrap();
        write("layer_round_trip", name, &[&[90, 200], &layer[..]].concat());
    }
    for name in ["go-1", "gzip-9", "identity", "members", "zlib-6", "zstd-19"] {
        let path = format!("{folder}/tests/golden/recipe-v1-{name}.recipe");
        write("recipe", name, &std::fs::read(path).unwrap());
    }
    let text = b"a text that says the text again that it says again, ".repeat(12);
    for level in [0, 1, 5, 9, 10_u8] {
        let head = [level, 77, 0, 1];
        write(
            "restore_wrong_files",
            &level.to_string(),
            &[&head[..], &text].concat(),
        );
        let stream = miniz_oxide::deflate::compress_to_vec(&text, level.min(9));
        write(
            "layer_round_trip",
            &level.to_string(),
            &[&[7, 100], &stream[..]].concat(),
        );
    }
    write(
        "layer_round_trip",
        "tar",
        &[&[200, 1], &[0; 1024][..], &text].concat(),
    );
    for family in 1..=5 {
        // Of 600 bytes with a header as predicted, and an end; then a correction.
        let (kept, corrections) = ([0x10, 0, 0x19, 0xb0, 0x09], [40, 16, 1, 4, 51, 0]);
        let sizes = [5, 6, 1, 100, 0];
        let head = [
            &[family, 6, 0, 0, 0, 0, 0, 0],
            &sizes[..],
            &kept,
            &corrections,
        ]
        .concat();
        write(
            "segment_blocks",
            &family.to_string(),
            &[&head, &*text].concat(),
        );
        let row = [family * 7, 88, 2, 5, 6, 0, 100, 60];
        let one = [&row[..], &kept, &corrections].concat();
        write("recipe", &format!("segments-{family}"), &one.repeat(3));
    }
}
