//! Any bytes as a recipe, or as parts of one.
#![no_main]

#[path = "../../tests/laws/restore.rs"]
mod restore;
#[path = "../../tests/laws/recipe.rs"]
mod laws;

libfuzzer_sys::fuzz_target!(|input: &[u8]| laws::check(input));
