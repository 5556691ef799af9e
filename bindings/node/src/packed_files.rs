//! What was written into a pack, for JavaScript.

use mica_core::pack::{self, encode_places};
use napi::bindgen_prelude::{Buffer, Uint32Array};
use napi_derive::napi;

use crate::number::to_size;

/// Files that were written into a pack.
#[napi(object)]
pub struct PackedFiles {
    /// Bytes of the pack before.
    pub start: i64,
    /// Bytes of the pack after.
    pub end: i64,
    /// Numbers of the files in the recipe, in the order of the pack.
    pub files: Uint32Array,
    /// Where they are, 16 bytes each.
    pub places: Buffer,
}

impl From<pack::PackedFiles> for PackedFiles {
    fn from(packed: pack::PackedFiles) -> Self {
        Self {
            start: to_size(packed.start),
            end: to_size(packed.end),
            files: Uint32Array::new(packed.files),
            places: encode_places(&packed.places).into(),
        }
    }
}
