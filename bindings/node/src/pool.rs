//! A bounded set of threads that run jobs as they are due, and else in the order in which they came.
//!
//! libuv's four threads are not used: the runtime needs them for files and names while jobs take
//! seconds. Threads start when there is work for them and stay until the pool is closed.
//!
//! Threads of a background pool give way to all others of the machine.

use std::cmp::{Ordering as Order, Reverse};
use std::collections::BinaryHeap;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

/// Work for one thread. It must not panic.
pub(crate) type Work = Box<dyn FnOnce() + Send>;

/// When somebody wants to have the work done, ms since any moment; what is due first runs first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Due(pub(crate) u64);

/// The threads. Closing it waits for what is running.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    size: usize,
    is_background: bool,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when work comes or the pool closes.
    changed: Condvar,
    closing: Arc<AtomicBool>,
}

#[derive(Default)]
struct State {
    queue: BinaryHeap<Reverse<Queued>>,
    /// How much was queued so far.
    count: u64,
    threads: Vec<JoinHandle<()>>,
    /// Threads that wait for work.
    idle: usize,
}

struct Queued {
    due: Due,
    /// How much was queued before.
    number: u64,
    work: Work,
}

impl Queued {
    const fn key(&self) -> (Due, u64) {
        (self.due, self.number)
    }
}

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Queued {}

impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl Ord for Queued {
    fn cmp(&self, other: &Self) -> Order {
        self.key().cmp(&other.key())
    }
}

impl Pool {
    /// A pool of at most `size` threads, at least one.
    pub(crate) fn new(size: usize, is_background: bool) -> Self {
        let shared = Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            closing: Arc::default(),
        };
        Self {
            shared: Arc::new(shared),
            size: size.max(1),
            is_background,
        }
    }

    /// Threads at most.
    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    /// Becomes true when the pool closes: then running work should end soon.
    pub(crate) fn closing(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.shared.closing)
    }

    /// Queues work; once the pool is closed the work is dropped.
    ///
    /// # Errors
    /// The system's, when no thread could be started and none is there.
    pub(crate) fn submit(&self, due: Due, work: Work) -> io::Result<()> {
        let mut state = self.shared.lock();
        if self.shared.is_closing() {
            return Ok(());
        }
        if state.idle <= state.queue.len() && state.threads.len() < self.size {
            match self.start_thread() {
                Ok(thread) => state.threads.push(thread),
                // Those that are there will come to it.
                Err(_) if !state.threads.is_empty() => {}
                Err(error) => return Err(error),
            }
        }
        let number = state.count;
        state.count = number.saturating_add(1);
        state.queue.push(Reverse(Queued { due, number, work }));
        drop(state);
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Drops what is queued and waits for the threads.
    pub(crate) fn close(&self) {
        let mut state = self.shared.lock();
        self.shared.closing.store(true, Ordering::Relaxed);
        let queue = std::mem::take(&mut state.queue);
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        self.shared.changed.notify_all();
        drop(queue);
        for thread in threads {
            // A thread that panicked has nothing left to wait for.
            drop(thread.join());
        }
    }

    fn start_thread(&self) -> io::Result<JoinHandle<()>> {
        let shared = Arc::clone(&self.shared);
        let is_background = self.is_background;
        thread::Builder::new()
            .name("mica-core".to_owned())
            .spawn(move || {
                if is_background {
                    give_way();
                }
                shared.run();
            })
    }
}

/// Gives this thread, and those that it starts, the lowest priority, as far as the system has priorities
/// of threads: on Linux a thread's nice value is its own. Source: sched(7), "the nice value".
fn give_way() {
    const LOWEST: i32 = 19;
    // A thread that keeps its priority does the same work.
    let _ = rustix::process::setpriority_process(None, LOWEST);
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No work runs while the lock is held, so that a panic cannot leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }

    /// What one thread does.
    fn run(&self) {
        while let Some(work) = self.next() {
            work();
        }
    }

    fn next(&self) -> Option<Work> {
        let mut state = self.lock();
        loop {
            if self.is_closing() {
                return None;
            }
            if let Some(Reverse(next)) = state.queue.pop() {
                return Some(next.work);
            }
            state.idle = state.idle.saturating_add(1);
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle = state.idle.saturating_sub(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Barrier;
    use std::sync::atomic::AtomicUsize;
    use std::sync::mpsc;

    fn submit(pool: &Pool, work: impl FnOnce() + Send + 'static) {
        pool.submit(Due::default(), Box::new(work)).unwrap();
    }

    #[test]
    fn submit_runs_first_what_is_due_first() {
        let pool = Pool::new(1, false);
        let (begin, may_begin) = mpsc::channel::<()>();
        submit(&pool, move || may_begin.recv().unwrap());
        let (sender, receiver) = mpsc::channel();
        for (number, due) in [(0, 30), (1, 10), (2, 20), (3, 10), (4, 0)] {
            let sender = sender.clone();
            let work = move || sender.send(number).unwrap();
            pool.submit(Due(due), Box::new(work)).unwrap();
        }
        drop(sender);
        begin.send(()).unwrap();
        assert_eq!(receiver.iter().collect::<Vec<i32>>(), [4, 1, 3, 2, 0]);
    }

    #[test]
    fn submit_runs_all_work_in_order_on_one_thread() {
        let pool = Pool::new(1, false);
        let (sender, receiver) = mpsc::channel();
        for number in 0..100 {
            let sender = sender.clone();
            submit(&pool, move || sender.send(number).unwrap());
        }
        drop(sender);
        let numbers: Vec<i32> = receiver.iter().collect();
        assert_eq!(numbers, (0..100).collect::<Vec<_>>());
    }

    #[test]
    fn submit_uses_as_many_threads_as_there_is_work_for_but_no_more() {
        let pool = Pool::new(3, false);
        let together = Arc::new(Barrier::new(3));
        let (sender, receiver) = mpsc::channel();
        for _ in 0..9 {
            let together = Arc::clone(&together);
            let sender = sender.clone();
            submit(&pool, move || {
                together.wait();
                sender.send(thread::current().id()).unwrap();
            });
        }
        drop(sender);
        let mut threads: Vec<String> = receiver.iter().map(|id| format!("{id:?}")).collect();
        assert_eq!(threads.len(), 9);
        threads.sort();
        threads.dedup();
        assert_eq!(threads.len(), 3);
        assert_eq!(pool.shared.lock().threads.len(), 3);
    }

    #[test]
    fn close_waits_for_running_work_and_drops_the_queue() {
        let pool = Pool::new(1, false);
        let done = Arc::new(AtomicUsize::new(0));
        let (started, has_started) = mpsc::channel();
        for _ in 0..5 {
            let (done, started, closing) = (Arc::clone(&done), started.clone(), pool.closing());
            submit(&pool, move || {
                started.send(()).unwrap();
                while !closing.load(Ordering::Relaxed) {
                    thread::yield_now();
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        has_started.recv().unwrap();
        pool.close();
        assert_eq!(done.load(Ordering::Relaxed), 1);
        let late = Arc::clone(&done);
        submit(&pool, move || {
            late.fetch_add(1, Ordering::Relaxed);
        });
        drop(pool);
        assert_eq!(done.load(Ordering::Relaxed), 1);
        assert_eq!(Arc::strong_count(&done), 1, "the queue's work was dropped");
    }
}
