//! Any bytes as a block and as blocks of a pack.
#![no_main]

#[path = "../checks/pack_block.rs"]
mod pack_block;

libfuzzer_sys::fuzz_target!(|input: &[u8]| pack_block::check(input));
