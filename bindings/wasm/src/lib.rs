//! The core in WebAssembly: each function here is conversion, then one call.
//!
//! There are no files and no threads here: `src/wasm-core.ts` reads and writes, piece by piece.
//!
//! | module | what it does |
//! |---|---|
//! | [`hash`] | hashes of bytes at hand, and of content that comes in pieces |
//! | [`ingest`] | layers taken apart |
//! | [`check_pack`] | packs read as a whole |
//! | [`pack_files`] | files of layers on their way into packs |
//! | [`restoration`] | layers made again |
//! | [`error`] | Rust's errors as JavaScript's |

#![deny(unsafe_code)]
#![expect(
    missing_debug_implementations,
    clippy::missing_errors_doc,
    reason = "what is public here is public to JavaScript: src/core.ts documents it"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "wasm-bindgen decides how arguments come"
)]

pub mod check_pack;
pub mod error;
pub mod hash;
pub mod ingest;
pub mod pack_files;
pub mod restoration;

mod number;
mod packs;
mod report;

use wasm_bindgen::prelude::wasm_bindgen;

/// The version of the core.
#[wasm_bindgen]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
