//! Tells JavaScript how far a job is, with at most one call under way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use napi::bindgen_prelude::Function;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};

use crate::number::to_size;

/// Weak: the promise, not the progress, keeps the process alive.
type Call = ThreadsafeFunction<(), (), i64, Status, false, true>;

/// A JavaScript function that hears the latest count.
pub(crate) struct Progress {
    call: Call,
    latest: Arc<Latest>,
}

#[derive(Default)]
struct Latest {
    done: AtomicU64,
    /// Whether a call is queued that has not read `done` yet.
    queued: AtomicBool,
}

impl Progress {
    pub(crate) fn new(act: &Function<'_, i64, ()>) -> Result<Self> {
        let latest = Arc::<Latest>::default();
        let read = Arc::clone(&latest);
        let builder = act.build_threadsafe_function::<()>().weak::<true>();
        let call = builder.build_callback(move |_| {
            read.queued.store(false, Ordering::SeqCst);
            Ok(to_size(read.done.load(Ordering::SeqCst)))
        })?;
        Ok(Self { call, latest })
    }

    pub(crate) fn report(&self, done: u64) {
        self.latest.done.store(done, Ordering::SeqCst);
        if !self.latest.queued.swap(true, Ordering::SeqCst) {
            self.call.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }
    }
}
