//! The core as an addon for Node: each function here is conversion, then one call.
//!
//! | module | what it does |
//! |---|---|
//! | [`hash`] | hashes of bytes at hand |
//! | [`threads`] | the jobs that run on threads |
//! | [`job`] | how a job runs, is canceled and settles its promise |
//! | [`error`] | Rust's errors as JavaScript's |

#![deny(unsafe_code)]
#![expect(
    missing_debug_implementations,
    clippy::missing_errors_doc,
    reason = "what is public here is public to JavaScript: src/core.ts documents it"
)]
#![expect(
    clippy::needless_pass_by_value,
    clippy::trivially_copy_pass_by_ref,
    reason = "napi decides how arguments come, and promises borrow the environment"
)]

pub mod error;
pub mod hash;
pub mod hash_file;
pub mod job;
pub mod packed_files;
pub mod report;
pub mod restoration;
pub mod threads;

mod cancel;
mod check_pack;
mod file;
mod ingest;
mod layer_pack;
mod number;
mod pack_files;
mod packs;
mod pool;
mod progress;
mod questions;
mod recipe_file;
mod restore;
mod restore_memory;
mod shared_blocks;
mod spares;

use napi_derive::napi;

/// The version of the core.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
