//! Layers taken apart, piece by piece.

use js_sys::{Error, Object};
use mica_core::error::CoreError;
use mica_core::ingest;
use mica_core::segment::Proof;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{FinishedError, to_js_error};
use crate::hash::parse_algorithm;
use crate::number::from_size;
use crate::report::ingested_layer;

/// Takes a layer apart: `add` bytes, `step` until it is false, and so on; then `finishInput`, `step`
/// again, and `finish`. The recipe's bytes are to be had from `take`.
#[wasm_bindgen]
pub struct LayerIngest(Option<ingest::LayerIngest>);

#[wasm_bindgen]
impl LayerIngest {
    /// At the start of a layer. `tar_limit` is in bytes; none when absent.
    #[wasm_bindgen(constructor)]
    pub fn new(
        algorithm: &str,
        tar_limit: Option<f64>,
        is_proven_later: Option<bool>,
    ) -> Result<Self, Error> {
        let algorithm = parse_algorithm(algorithm)?;
        let tar_limit = tar_limit.map_or(u64::MAX, from_size);
        let proof = match is_proven_later {
            Some(true) => Proof::Later,
            _ => Proof::Now,
        };
        let ingest = ingest::LayerIngest::new(algorithm, tar_limit, proof);
        Ok(Self(Some(ingest)))
    }

    /// Takes the next bytes of the layer.
    pub fn add(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.open()?.add(bytes);
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

    /// The bytes of the recipe that are ready.
    pub fn take(&mut self) -> Result<Vec<u8>, Error> {
        Ok(self.open()?.take())
    }

    /// Ends the layer: the recipe's last bytes, and what was found.
    pub fn finish(&mut self) -> Result<FinishedIngest, Error> {
        self.open()?;
        let ingest = self.0.take().ok_or_else(finished)?;
        let (bytes, report) = ingest.finish().map_err(|error| to_js_error(&error))?;
        Ok(FinishedIngest {
            bytes,
            ingested: ingested_layer(&report),
        })
    }

    fn open(&mut self) -> Result<&mut ingest::LayerIngest, Error> {
        self.0.as_mut().ok_or_else(finished)
    }
}

/// The end of a recipe.
#[wasm_bindgen(getter_with_clone)]
pub struct FinishedIngest {
    /// Its last bytes.
    pub bytes: Vec<u8>,
    /// `IngestedLayer`.
    pub ingested: Object,
}

pub(crate) fn finished() -> Error {
    let error: &dyn CoreError = &FinishedError;
    to_js_error(error)
}
