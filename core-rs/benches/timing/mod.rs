//! How long work takes, as benches count it.
use std::time::Duration;

use cpu_time::ThreadTime;

/// What `work` gives, and the time that this thread ran for it: other work on the machine then
/// disturbs less than by the clock.
pub(crate) fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = ThreadTime::now();
    let result = work();
    (result, start.elapsed())
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
