//! Hashes of bytes in memory.

use js_sys::Error;
use mica_core::digest::{self, DigestAlgorithm, FileId, UnknownAlgorithmError};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::{FinishedError, to_js_error};

/// The BLAKE3-256 hash of a file's content in lower-case hex.
#[wasm_bindgen(js_name = fileId)]
pub fn file_id(bytes: &[u8]) -> String {
    FileId::of(bytes).to_string()
}

/// The digest of content at hand: algorithm, colon, lower-case hex.
#[wasm_bindgen(js_name = contentDigest)]
pub fn content_digest(algorithm: &str, bytes: &[u8]) -> Result<String, Error> {
    let mut hasher = digest::ContentHasher::new(parse_algorithm(algorithm)?);
    hasher.update(bytes);
    Ok(hasher.finish())
}

/// Makes a digest from content that comes in pieces.
#[wasm_bindgen]
pub struct ContentHasher(Option<digest::ContentHasher>);

#[wasm_bindgen]
impl ContentHasher {
    /// A hasher that has seen nothing.
    #[wasm_bindgen(constructor)]
    pub fn new(algorithm: &str) -> Result<Self, Error> {
        let algorithm = parse_algorithm(algorithm)?;
        Ok(Self(Some(digest::ContentHasher::new(algorithm))))
    }

    /// Adds the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let hasher = self.0.as_mut().ok_or(FinishedError);
        hasher.map_err(|error| to_js_error(&error))?.update(bytes);
        Ok(())
    }

    /// The digest of everything added. The hasher cannot be used after it.
    pub fn finish(&mut self) -> Result<String, Error> {
        let hasher = self.0.take().ok_or(FinishedError);
        Ok(hasher.map_err(|error| to_js_error(&error))?.finish())
    }
}

pub(crate) fn parse_algorithm(name: &str) -> Result<DigestAlgorithm, Error> {
    name.parse()
        .map_err(|error: UnknownAlgorithmError| to_js_error(&error))
}
