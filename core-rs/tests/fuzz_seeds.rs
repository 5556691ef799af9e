//! Replays the seeds of the fuzz targets through the checks that those run.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

#[path = "../fuzz/checks/difference.rs"]
mod difference;
#[path = "../fuzz/checks/pack_block.rs"]
mod pack_block;

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
