//! Hashes of bytes in memory, on JavaScript's thread.

use mica_core::digest::{self, FileId};
use mica_core::error::CoreError;
use napi::{Env, Result};
use napi_derive::napi;
use thiserror::Error;

use crate::error::to_js_error;

/// The BLAKE3-256 hash of a file's content in lower-case hex.
#[napi]
pub fn file_id(bytes: &[u8]) -> String {
    FileId::of(bytes).to_string()
}

/// The digest of content at hand: algorithm, colon, lower-case hex.
#[napi]
pub fn content_digest(env: Env, algorithm: String, bytes: &[u8]) -> Result<String> {
    let mut hasher = digest::ContentHasher::new(parse_algorithm(&env, &algorithm)?);
    hasher.update(bytes);
    Ok(hasher.finish())
}

/// A hasher was used after it gave its digest.
#[derive(Debug, Error)]
#[error("the hasher has given its digest")]
struct FinishedError;

impl CoreError for FinishedError {
    fn code(&self) -> &'static str {
        "FINISHED"
    }
}

/// Makes a digest from content that comes in pieces.
#[napi]
pub struct ContentHasher(Option<digest::ContentHasher>);

#[napi]
impl ContentHasher {
    /// A hasher that has seen nothing.
    #[napi(constructor)]
    pub fn new(env: Env, algorithm: String) -> Result<Self> {
        let algorithm = parse_algorithm(&env, &algorithm)?;
        Ok(Self(Some(digest::ContentHasher::new(algorithm))))
    }

    /// Adds the next bytes of the content.
    #[napi]
    pub fn update(&mut self, env: Env, bytes: &[u8]) -> Result<()> {
        let hasher = self.0.as_mut().ok_or(FinishedError);
        hasher
            .map_err(|error| to_js_error(&env, &error))?
            .update(bytes);
        Ok(())
    }

    /// The digest of everything added. The hasher cannot be used after it.
    #[napi]
    pub fn finish(&mut self, env: Env) -> Result<String> {
        let hasher = self.0.take().ok_or(FinishedError);
        Ok(hasher.map_err(|error| to_js_error(&env, &error))?.finish())
    }
}

pub(crate) fn parse_algorithm(env: &Env, name: &str) -> Result<digest::DigestAlgorithm> {
    name.parse()
        .map_err(|error: digest::UnknownAlgorithmError| to_js_error(env, &error))
}
