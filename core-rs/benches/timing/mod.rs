//! How long work takes, as benches count it.
#![expect(
    clippy::disallowed_methods,
    reason = "a bench takes the time and reads what the system tells of it"
)]

use std::time::{Duration, Instant};

/// What this thread has run so far, where the system tells (Linux): other work on the machine then
/// disturbs less than by the clock.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

/// What `work` gives, and the time that this thread ran for it.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (start, clock) = (thread_time(), Instant::now());
    let result = work();
    let time = match (start, thread_time()) {
        (Some(start), Some(end)) => end.saturating_sub(start),
        _ => clock.elapsed(),
    };
    (result, time)
}

/// Millions of bytes a second.
#[expect(
    clippy::cast_precision_loss,
    reason = "three digits of a rate are shown"
)]
pub(crate) fn megabytes_per_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}

/// What cargo passes on to a bench, without its own options.
pub(crate) fn arguments() -> Vec<String> {
    let is_own = |argument: &String| argument != "--bench";
    std::env::args().skip(1).filter(is_own).collect()
}
