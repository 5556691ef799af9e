//! A layer that is restored with other files than its own.
#![no_main]

#[path = "../../tests/laws/ingest.rs"]
mod ingest;
#[path = "../../tests/laws/restore.rs"]
mod restore;
#[path = "../../tests/laws/restore_wrong_files.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::check(input));
