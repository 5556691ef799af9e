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
//! | [`compression`] | one zstd frame, with the plain length known beforehand |
//! | [`zstd_frame`] | a layer's zstd frame: read, and made again by libzstd |
//! | [`model`] | what known compressors would have written |
//! | [`segment`] | stretches of a stream that are rebuilt each on its own |
//! | [`recipe`] | what turns files back into the exact layer |
//! | [`ingest`] | a layer taken apart |
//! | [`restore`] | a layer made again |
//! | [`pack`] | unique files, compressed together in blocks |
//! | [`difference`] | what a node lacks of an image, as one stream |

#![forbid(unsafe_code)]

mod codes;
pub mod compression;
pub mod deflate;
pub mod difference;
pub mod digest;
pub mod error;
mod fields;
pub mod gzip;
pub mod ingest;
pub mod limits;
pub mod model;
pub mod pack;
pub mod recipe;
pub mod restore;
pub mod segment;
pub mod tar;
mod varint;
pub mod zstd_frame;
