//! Any bytes as a difference.
#![no_main]

#[path = "../checks/difference.rs"]
mod difference;

libfuzzer_sys::fuzz_target!(|input: &[u8]| difference::check(input));
