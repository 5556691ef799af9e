//! Headers and trailers of gzip members (RFC 1952).
//!
//! A stream is one or more members, each a [`Header`], a deflate stream and a [`Trailer`]; after the
//! last one there may be padding or anything else. What stands between them and in what order is
//! the caller's; [`what_follows`] tells what comes after a trailer.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

pub mod error;
pub mod header;
pub mod trailer;

pub use error::GzipError;
pub use header::{Following, Header, parse_header, what_follows};
pub use trailer::{MemberCheck, TRAILER_SIZE, Trailer, parse_trailer};
