//! The laws of the tar parser on whatever the fuzzer thinks of. The first bytes are the sizes of the
//! pieces, so that a seed corpus is the archives of `tests/fixtures/tar` with three bytes before.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/laws/tar.rs"]
mod laws;

fuzz_target!(|data: &[u8]| {
    if let Some((cuts, input)) = data.split_first_chunk::<3>() {
        // 7 is no divisor of 512: pieces up to 1,785 bytes end anywhere in a block.
        laws::check(input, &cuts.map(|cut| usize::from(cut) * 7));
    }
});
