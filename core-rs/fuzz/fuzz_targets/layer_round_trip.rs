//! Any bytes as a layer, and as a deflate stream in one. The first bytes are the sizes of the pieces.
#![no_main]

#[path = "../../tests/laws/ingest.rs"]
mod ingest;
#[path = "../../tests/laws/layer_tar.rs"]
mod layer_tar;
#[path = "../../tests/laws/member.rs"]
mod member;
#[path = "../../tests/laws/restore.rs"]
mod restore;
#[path = "../../tests/laws/layer_round_trip.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    if let Some((pieces, input)) = input.split_first_chunk::<2>() {
        laws::check(input, &pieces.map(usize::from));
    }
});
