//! A layer that is made again, as JavaScript holds it.

use std::sync::{Arc, Mutex, PoisonError};

use mica_core::error::CoreError;
use mica_core::restore::LayerEncoder;
use napi::bindgen_prelude::{BufferSlice, Float64Array, Object};
use napi::{Env, Result};
use napi_derive::napi;
use thiserror::Error;

use crate::error::to_js_error;
use crate::job::{self, JobControl};
use crate::pool::{Due, Pool};
use crate::report::LayerSummary;
use crate::restore::Restoration;
use crate::spares::PartBytes;

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

    /// Resolves with a [`MadePart`]. `due`: when its reader should have everything, ms; what is due first
    /// is made first.
    #[napi(ts_return_type = "Promise<MadePart>")]
    pub fn part<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        number: u32,
        due: i64,
    ) -> Result<Object<'env>> {
        let restoration = Arc::clone(self.open(env)?);
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        let due = Due(u64::try_from(due).unwrap_or(0));
        job::start_due(env, (&self.pool, due), control, move |context| {
            restoration.part(number, context).map(MadePart::new)
        })
    }

    /// What the parts are to be passed through, in order and from the first on; absent where they are the
    /// layer.
    #[napi]
    pub fn encoder(&self, env: &Env) -> Result<Option<PartEncoder>> {
        let restoration = self.open(env)?;
        let encoder = restoration.restorer().encoder();
        let encoder = encoder.map_err(|error| to_js_error(env, &error))?;
        Ok(encoder.map(|encoder| PartEncoder {
            encoding: Some(Arc::new(Encoding {
                restoration: Arc::clone(restoration),
                encoder: Mutex::new(encoder),
            })),
            pool: Arc::clone(&self.pool),
        }))
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

    fn take(&mut self, env: &Env) -> Result<PartBytes> {
        let bytes = self.bytes.take();
        bytes.ok_or_else(|| to_js_error(env, &PartError::Gone))
    }
}

#[napi]
impl MadePart {
    /// Its bytes; none once they were taken.
    #[napi(getter)]
    pub fn length(&self) -> u32 {
        let length = self.bytes.as_ref().map_or(0, |bytes| bytes.len());
        u32::try_from(length).unwrap_or(u32::MAX)
    }

    /// Writes the part to the beginning of `into` and lets go of it.
    #[napi]
    pub fn take_into(&mut self, env: &Env, mut into: BufferSlice) -> Result<()> {
        let bytes = self.take(env)?;
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

/// Makes a layer of its parts, until it is closed.
#[napi]
pub struct PartEncoder {
    encoding: Option<Arc<Encoding>>,
    pool: Arc<Pool>,
}

struct Encoding {
    restoration: Arc<Restoration>,
    encoder: Mutex<LayerEncoder>,
}

#[napi]
impl PartEncoder {
    /// Takes a part. Resolves with a [`MadePart`]: what of the layer is ready then. One call at a time.
    #[napi(ts_return_type = "Promise<MadePart>")]
    pub fn encode<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        part: &mut MadePart,
    ) -> Result<Object<'env>> {
        let encoding = self.encoding.as_ref().ok_or(ClosedError);
        let encoding = Arc::clone(encoding.map_err(|error| to_js_error(env, &error))?);
        let part = part.take(env)?;
        job::start(env, &self.pool, control, move |context| {
            context.check()?;
            let encoder = encoding.encoder.lock();
            let mut encoder = encoder.unwrap_or_else(PoisonError::into_inner);
            let made = encoding.restoration.encode(&mut encoder, &part)?;
            Ok(MadePart::new(made))
        })
    }

    /// Lets go of the encoder and of the restoration, as soon as nothing is encoded any more.
    #[napi]
    pub fn close(&mut self) {
        self.encoding = None;
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
