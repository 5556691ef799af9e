//! Takes container layers apart into unique files and gives them back to the bit.
//!
//! A layer's digest is that of its compressed bytes, so a store that keeps only unique files has to
//! make those bytes again exactly. Everything here is bytes in, bytes out: no I/O, no clock, no
//! randomness; the same input gives the same output on every machine.
//!
//! | module | what it does |
//! |---|---|
//! | [`digest`] | file ids and content digests |
//! | [`limits`] | caps on what foreign bytes can make the core keep |
//! | [`tar`] | a tar stream as literal bytes and file contents |
//! | [`gzip`] | headers and trailers of gzip members |
//! | [`deflate`] | a deflate stream as tokens and block headers, and back |
//! | [`compression`] | one zstd frame, with the plain length known beforehand |
//! | [`model`] | what known compressors would have written |
//! | [`segment`] | stretches of a stream that are rebuilt each on its own |

#![forbid(unsafe_code)]

pub mod compression;
pub mod deflate;
pub mod digest;
pub mod gzip;
pub mod ingest;
pub mod limits;
pub mod model;
pub mod recipe;
pub mod restore;
pub mod segment;
pub mod tar;
mod varint;
