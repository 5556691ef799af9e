//! The jobs that JavaScript can start, each as conversion and one call.

use std::sync::Arc;
use std::thread;

use napi::bindgen_prelude::{Either, Object};
use napi::{Env, Result};
use napi_derive::napi;

use crate::error::to_js_error;
use crate::file::Input;
use crate::hash::parse_algorithm;
use crate::hash_file::HashFile;
use crate::job::{self, JobControl};
use crate::pool::Pool;

/// Threads that run jobs. They end with the JavaScript environment that made them.
#[napi]
pub struct Threads {
    pool: Arc<Pool>,
}

#[napi]
impl Threads {
    /// At most `size` threads; as many as the machine can run at once when absent.
    #[napi(constructor)]
    pub fn new(env: Env, size: Option<u32>) -> Result<Self> {
        let size = size.and_then(|size| usize::try_from(size).ok());
        let pool = Arc::new(Pool::new(size.unwrap_or_else(available_parallelism)));
        // The addon's code may be unloaded after the environment has ended: no thread may be in it.
        env.add_env_cleanup_hook(Arc::clone(&pool), |pool| pool.close())?;
        Ok(Self { pool })
    }

    /// Resolves with a [`crate::hash_file::FileDigest`]. `expected_size` is in bytes.
    #[napi(ts_return_type = "Promise<FileDigest>")]
    pub fn hash_file<'env>(
        &self,
        env: &'env Env,
        control: &JobControl,
        file: Either<i32, String>,
        algorithm: String,
        expected_size: Option<i64>,
    ) -> Result<Object<'env>> {
        let job = HashFile {
            input: Input::new(file).map_err(|error| to_js_error(env, &error))?,
            algorithm: parse_algorithm(env, &algorithm)?,
            expected_size: expected_size.and_then(|size| u64::try_from(size).ok()),
        };
        job::start(env, &self.pool, control, |context| job.run(context))
    }
}

fn available_parallelism() -> usize {
    thread::available_parallelism().map_or(1, usize::from)
}
