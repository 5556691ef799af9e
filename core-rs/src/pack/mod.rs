//! Packs: append-only files that hold unique files, compressed together in blocks.
//!
//! Files go in one after another ([`PackWriter`]); blocks come out, and the place of each file. A
//! [`TarPacker`] takes the files of a layer while it is taken apart, a [`LayerPacker`] those of one whose
//! recipe is there.
//! A block is found by its place and checked by itself ([`decode_block`]); a whole pack is read from
//! its front when the index is lost ([`Scan`]), and to hash all that is in it ([`PackCheck`]). The bytes are told in `doc/pack-format.md`.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

pub mod block;
pub mod block_cache;
pub mod check;
pub(crate) mod checksum;
pub mod cut;
pub mod decode;
pub mod encode;
pub mod error;
pub mod file_packer;
pub mod header;
pub mod layer_packer;
pub mod place;
pub mod read_file;
pub mod scan;
pub mod tar_packer;
pub mod writer;

pub use block::{Block, Piece};
pub use block_cache::{BlockCache, BlockKey, CachedBlock, LAYER_BLOCKS_SIZE};
pub use check::{CheckedPack, PackCheck, WantedBytes};
pub use cut::BlockCutter;
pub use decode::{decode_block, decode_block_into, decode_pieces};
pub use encode::encode_block;
pub use error::{LayerPackError, PackError, PackWriteError};
pub use file_packer::PackedFiles;
pub use header::{
    BLOCK_HEADER_SIZE, BlockCodec, BlockHeader, BlockLimits, PACK_HEADER_SIZE, decode_block_header,
    decode_pack_header, encode_pack_header,
};
pub use layer_packer::LayerPacker;
pub use place::{PACK_PLACE_SIZE, PackPlace, decode_places, encode_places};
pub use read_file::{BlockSource, FileReader, FileStart, ReadFileError};
pub use scan::{DamagedBlock, Scan, ScannedBlock};
pub use tar_packer::{PackWindow, TarPacker};
pub use writer::{FilePlace, PackOptions, PackWriter, PackedBlock, PackedFile};
