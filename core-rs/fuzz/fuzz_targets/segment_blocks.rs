//! Any bytes as what is kept of a segment, with any text.
#![no_main]

#[path = "../../tests/laws/segment_blocks.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::check(input));
