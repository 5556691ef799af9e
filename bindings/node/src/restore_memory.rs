//! What the layers share that are made again on the same threads, so that memory does not grow with
//! their number.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use mica_core::pack::FileReader;
use mica_core::restore::{FileIds, Scratch};

use crate::shared_blocks::SharedBlocks;
use crate::spares::Spares;

/// It goes with the last layer that is open.
#[derive(Default)]
pub(crate) struct RestoreMemory {
    pub(crate) blocks: Arc<SharedBlocks>,
    pub(crate) spares: Arc<Spares>,
    pub(crate) workers: Workers,
}

/// The memory of those that are open now.
#[derive(Default)]
pub(crate) struct OpenMemory(Mutex<Weak<RestoreMemory>>);

/// What threads that make no part have left here: never more than there are threads. Who left it last is
/// last.
#[derive(Default)]
pub(crate) struct Workers(Mutex<Vec<Worker>>);

/// What a thread keeps from part to part.
#[derive(Default)]
pub(crate) struct Worker {
    /// The layer that the last part was of.
    layer: u64,
    /// It knows a recipe's chunks by their checksums, and so may go from layer to layer.
    pub(crate) scratch: Scratch,
    /// As the scratch.
    pub(crate) ids: FileIds,
    /// It knows its place by the number of a pack, which another layer has too.
    pub(crate) reader: FileReader,
    /// The block that was read last, as it is stored.
    pub(crate) stored: Vec<u8>,
}

impl OpenMemory {
    pub(crate) fn get(&self) -> Arc<RestoreMemory> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(memory) = open.upgrade() {
            return memory;
        }
        let memory = Arc::default();
        *open = Arc::downgrade(&memory);
        memory
    }
}

impl Workers {
    /// The one that made the layer's last part, or that was not used for longest, or a new one.
    pub(crate) fn take(&self, layer: u64) -> Worker {
        let mut idle = self.lock();
        let index = idle.iter().rposition(|worker| worker.layer == layer);
        let mut worker = if idle.is_empty() {
            Worker::default()
        } else {
            idle.remove(index.unwrap_or(0))
        };
        drop(idle);
        worker.begin(layer);
        worker
    }

    pub(crate) fn put_back(&self, worker: Worker) {
        self.lock().push(worker);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Worker>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    fn begin(&mut self, layer: u64) {
        if self.layer != layer {
            self.layer = layer;
            self.reader = FileReader::default();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_memory_stays_as_long_as_any_layer_has_it() {
        let open = OpenMemory::default();
        let first = open.get();
        let second = open.get();
        assert!(Arc::ptr_eq(&first, &second));
        drop(first);
        assert!(Arc::ptr_eq(&second, &open.get()));
        let gone = Arc::downgrade(&second);
        drop(second);
        assert!(gone.upgrade().is_none());
        assert_eq!(Arc::strong_count(&open.get()), 1);
    }

    fn worker(stored: u8, layer: u64) -> Worker {
        Worker {
            layer,
            stored: vec![stored],
            ..Worker::default()
        }
    }

    #[test]
    fn a_layer_gets_its_own_worker_back_or_else_the_one_that_waits_longest() {
        let workers = Workers::default();
        for stored in 1..=3 {
            workers.put_back(worker(stored, u64::from(stored)));
        }
        assert_eq!(workers.take(2).stored, [2]);
        assert_eq!(workers.take(2).stored, [1]);
        assert_eq!(workers.take(2).stored, [3]);
        assert!(workers.take(2).stored.is_empty());
    }
}
