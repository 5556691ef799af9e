//! Files of layers on their way into packs, their ids and their sizes.

use js_sys::{Error, Object, Uint8Array, Uint32Array};
use mica_core::pack::{LayerPackError, PackedFiles, encode_places};
use mica_core::recipe::{RecipeBytes, RecipeError, RecipeIndex};
use mica_core::restore::{TarMap, read_file_ids};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::to_js_error;
use crate::ingest::finished;
use crate::number::from_size;
use crate::packs::SourceError;
use crate::report::{object, size};

/// The ids of a recipe's files, 32 bytes each.
#[wasm_bindgen(js_name = fileIds)]
pub fn file_ids(recipe: &[u8]) -> Result<Vec<u8>, Error> {
    let recipe = RecipeBytes(recipe);
    let ids = RecipeIndex::read(&recipe).and_then(|index| read_file_ids(&recipe, &index));
    let ids = ids.map_err(|error: RecipeError| to_js_error(&error))?;
    Ok(ids.iter().flat_map(|id| *id.as_bytes()).collect())
}

/// The sizes of a recipe's files, 8 bytes little-endian each.
#[wasm_bindgen(js_name = fileSizes)]
pub fn file_sizes(recipe: &[u8]) -> Result<Vec<u8>, Error> {
    let recipe = RecipeBytes(recipe);
    let map = RecipeIndex::read(&recipe).and_then(|index| TarMap::read(&recipe, &index));
    let map = map.map_err(|error: RecipeError| to_js_error(&error))?;
    let sizes = map.files().map(|file| file.size.to_le_bytes());
    Ok(sizes.flatten().collect())
}

/// Packs the files of a layer: `add` bytes, `step` until it is false, and so on, until `isDone`; then
/// `finish`. The pack's bytes are to be had from `take`.
#[wasm_bindgen]
pub struct LayerPacker(Option<mica_core::pack::LayerPacker>);

#[wasm_bindgen]
impl LayerPacker {
    /// `files` are numbers in the recipe, ascending; each different file once when absent. The pack
    /// has `pack_size` bytes and begins with `pack_front`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        recipe: &[u8],
        files: Option<Vec<u32>>,
        pack_size: f64,
        pack_front: &[u8],
    ) -> Result<Self, Error> {
        let packer = mica_core::pack::LayerPacker::new::<_, SourceError>(
            &RecipeBytes(recipe),
            files.as_deref(),
            (from_size(pack_size), pack_front),
        );
        Ok(Self(Some(packer.map_err(|error| error.to_js())?)))
    }

    /// Whether no more bytes are needed.
    #[wasm_bindgen(js_name = isDone)]
    pub fn is_done(&mut self) -> Result<bool, Error> {
        Ok(self.open()?.is_done())
    }

    /// Takes the next bytes of the layer.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.open()?.push(bytes);
        Ok(())
    }

    /// Says that there are no more bytes.
    #[wasm_bindgen(js_name = finishInput)]
    pub fn finish_input(&mut self) -> Result<(), Error> {
        self.open()?.finish_input();
        Ok(())
    }

    /// Does the next piece of work; false if it needs more bytes first, or is done.
    pub fn step(&mut self) -> Result<bool, Error> {
        self.open()?.step().map_err(|error| to_js_error(&error))
    }

    /// The bytes that are ready for the pack.
    pub fn take(&mut self) -> Result<Vec<u8>, Error> {
        Ok(self.open()?.take())
    }

    /// Ends the pack's last block: the pack's last bytes, and what was written.
    pub fn finish(&mut self) -> Result<FinishedPacker, Error> {
        let packer = self.0.take().ok_or_else(finished)?;
        let (bytes, files) = packer
            .finish()
            .map_err(|error: LayerPackError| to_js_error(&error))?;
        Ok(FinishedPacker {
            bytes,
            packed: packed_files(&files),
        })
    }

    fn open(&mut self) -> Result<&mut mica_core::pack::LayerPacker, Error> {
        self.0.as_mut().ok_or_else(finished)
    }
}

/// The end of what is appended to a pack.
#[wasm_bindgen(getter_with_clone)]
pub struct FinishedPacker {
    /// Its last bytes.
    pub bytes: Vec<u8>,
    /// `PackedFiles`.
    pub packed: Object,
}

/// `PackedFiles`.
fn packed_files(packed: &PackedFiles) -> Object {
    let places = encode_places(&packed.places);
    object([
        ("start", size(packed.start)),
        ("end", size(packed.end)),
        ("files", Uint32Array::from(&packed.files[..]).into()),
        ("places", Uint8Array::from(&places[..]).into()),
    ])
}
