//! Takes container layers apart into unique files and gives them back to the bit.
//!
//! A layer's digest is that of its compressed bytes, so a store that keeps only unique files has to
//! make those bytes again exactly. Everything here is bytes in, bytes out: no I/O, no clock, no
//! randomness; the same input gives the same output on every machine.
//!
//! | module | what it does |
//! |---|---|
//! | [`digest`] | file ids and content digests |
//! | [`error`] | codes and numbers of all errors |
//! | [`limits`] | caps on what foreign bytes can make the core keep |
//! | [`tar`] | a tar stream as literal bytes and file contents |
//! | [`gzip`] | headers and trailers of gzip members |
//! | [`deflate`] | a deflate stream as tokens and block headers, and back |
//! | [`model`] | what known compressors would have written |

#![forbid(unsafe_code)]

pub mod deflate;
pub mod digest;
pub mod error;
pub mod gzip;
pub mod limits;
pub mod model;
pub mod tar;
