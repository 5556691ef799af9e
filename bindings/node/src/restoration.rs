//! A layer that is made again, as JavaScript holds it.

use std::sync::Arc;

use mica_core::error::CoreError;
use napi::bindgen_prelude::{BufferSlice, Float64Array, Object};
use napi::{Env, Result};
use napi_derive::napi;
use thiserror::Error;

use crate::error::to_js_error;
use crate::job::{self, JobControl};
use crate::pool::Pool;
use crate::report::LayerSummary;
use crate::restore::{PartBytes, Restoration};

/// A layer that can be made again, until it is closed.
#[napi]
pub struct OpenedRestoration {
    restoration: Option<Arc<Restoration>>,
    pool: Arc<Pool>,
}

/// A restoration was used after it was closed.
#[derive(Debug, Error)]
#[error("the restoration is closed")]
struct ClosedError;

impl CoreError for ClosedError {
    fn code(&self) -> &'static str {
        "RESTORATION_CLOSED"
    }
}

/// Why a part cannot be taken.
#[derive(Debug, Error)]
enum PartError {
    #[error("the part was taken before")]
    Gone,
    #[error("the part has {expected} bytes, and there is room for {got}")]
    Room { got: usize, expected: usize },
}

impl CoreError for PartError {
    fn code(&self) -> &'static str {
        match self {
            Self::Gone => "PART_GONE",
            Self::Room { .. } => "PART_ROOM",
        }
    }
}

impl OpenedRestoration {
    pub(crate) fn new(restoration: Arc<Restoration>, pool: Arc<Pool>) -> Self {
        Self {
            restoration: Some(restoration),
            pool,
        }
    }

    fn open(&self, env: &Env) -> Result<&Arc<Restoration>> {
        let restoration = self.restoration.as_ref().ok_or(ClosedError);
        restoration.map_err(|error| to_js_error(env, &error))
    }
}

#[napi]
impl OpenedRestoration {
    /// The layer.
    #[napi(getter)]
    pub fn summary(&self, env: &Env) -> Result<LayerSummary> {
        let restorer = self.open(env)?.restorer();
        Ok(LayerSummary::new(restorer.index().summary()))
    }

    /// Where each part ends in the layer, bytes.
    #[napi]
    pub fn part_ends(&self, env: &Env) -> Result<Float64Array> {
        let parts = self.open(env)?.restorer().parts();
        let ends = parts.iter().map(|part| to_double(part.end()));
        Ok(Float64Array::new(ends.collect()))
    }

    /// Resolves with a [`MadePart`].
    #[napi(ts_return_type = "Promise<MadePart>")]
    pub fn part<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        number: u32,
    ) -> Result<Object<'env>> {
        let restoration = Arc::clone(self.open(env)?);
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        job::start(env, &self.pool, control, move |context| {
            restoration.part(number, context).map(MadePart::new)
        })
    }

    /// Lets go of recipe and packs, as soon as no part is made any more.
    #[napi]
    pub fn close(&mut self) {
        self.restoration = None;
    }
}

/// A part of a layer, whose bytes the addon keeps until they are taken. JavaScript's collector does
/// not see them: who does not take them has to let go of them.
#[napi]
pub struct MadePart {
    bytes: Option<PartBytes>,
}

impl MadePart {
    const fn new(bytes: PartBytes) -> Self {
        Self { bytes: Some(bytes) }
    }
}

#[napi]
impl MadePart {
    /// Writes the part to the beginning of `into` and lets go of it.
    #[napi]
    pub fn take_into(&mut self, env: &Env, mut into: BufferSlice) -> Result<()> {
        let bytes = self.bytes.take();
        let bytes = bytes.ok_or_else(|| to_js_error(env, &PartError::Gone))?;
        let (got, expected) = (into.len(), bytes.len());
        let room = into.get_mut(..expected);
        room.ok_or_else(|| to_js_error(env, &PartError::Room { got, expected }))?
            .copy_from_slice(&bytes);
        Ok(())
    }

    /// Lets go of the bytes.
    #[napi]
    pub fn let_go(&mut self) {
        self.bytes = None;
    }
}

/// No layer has 2^53 bytes.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "JavaScript's numbers are of this type"
)]
const fn to_double(value: u64) -> f64 {
    value as f64
}
