//! The laws of the gzip header parser on whatever the fuzzer thinks of. The first byte says where the
//! input is cut, so that a seed corpus is any gzip files with one byte before.
#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../../tests/laws/gzip_header.rs"]
mod laws;

fuzz_target!(|data: &[u8]| {
    if let Some((cut, input)) = data.split_first() {
        laws::check(input, usize::from(*cut));
    }
});
