//! A layer that is made again, as JavaScript holds it.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, Float64Array, Object};
use napi::{Env, Result};
use napi_derive::napi;

use crate::job::{self, JobControl};
use crate::pool::Pool;
use crate::report::LayerSummary;
use crate::restore::Restoration;

/// A layer that can be made again.
#[napi]
pub struct OpenedRestoration {
    pub(crate) restoration: Arc<Restoration>,
    pub(crate) pool: Arc<Pool>,
}

#[napi]
impl OpenedRestoration {
    /// The layer.
    #[napi(getter)]
    pub fn summary(&self) -> LayerSummary {
        LayerSummary::of_index(self.restoration.restorer().index())
    }

    /// Where each part ends in the layer, bytes.
    #[napi]
    pub fn part_ends(&self) -> Float64Array {
        let parts = self.restoration.restorer().parts();
        let ends = parts.iter().map(|part| to_double(part.end()));
        Float64Array::new(ends.collect())
    }

    /// Resolves with a part's bytes.
    #[napi(ts_return_type = "Promise<Buffer>")]
    pub fn part<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        number: u32,
    ) -> Result<Object<'env>> {
        let restoration = Arc::clone(&self.restoration);
        let number = usize::try_from(number).unwrap_or(usize::MAX);
        job::start(env, &self.pool, control, move |context| {
            restoration.part(number, context).map(Buffer::from)
        })
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
