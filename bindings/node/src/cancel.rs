//! Tells a job that nobody waits for its result any more.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// A flag that is set once, with something to do at that moment. Copies share it.
#[derive(Clone, Default)]
pub(crate) struct CancelToken(Arc<Shared>);

#[derive(Default)]
struct Shared {
    canceled: AtomicBool,
    on_cancel: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl CancelToken {
    /// Sets the flag; the first call does what `on_cancel` was given.
    pub(crate) fn cancel(&self) {
        self.0.canceled.store(true, Ordering::SeqCst);
        self.take_and_run();
    }

    /// Whether `cancel` was called.
    pub(crate) fn is_canceled(&self) -> bool {
        self.0.canceled.load(Ordering::SeqCst)
    }

    /// Sets what `cancel` does; at once when it was called already.
    pub(crate) fn on_cancel(&self, act: impl FnOnce() + Send + 'static) {
        *self.lock() = Some(Box::new(act));
        if self.is_canceled() {
            self.take_and_run();
        }
    }

    fn take_and_run(&self) {
        // Taken first, as what it does may take its time.
        let act = self.lock().take();
        if let Some(act) = act {
            act();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Box<dyn FnOnce() + Send>>> {
        self.0
            .on_cancel
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    #[test]
    fn cancel_acts_once_whenever_the_act_was_given() {
        for cancel_first in [false, true] {
            let token = CancelToken::default();
            let count = Arc::new(AtomicUsize::new(0));
            let act = Arc::clone(&count);
            if cancel_first {
                token.clone().cancel();
            }
            assert_eq!(token.is_canceled(), cancel_first);
            token.on_cancel(move || {
                act.fetch_add(1, Ordering::SeqCst);
            });
            token.cancel();
            token.cancel();
            assert!(token.is_canceled());
            assert_eq!(count.load(Ordering::SeqCst), 1);
            assert_eq!(Arc::strong_count(&count), 1, "the act was dropped");
        }
    }
}
