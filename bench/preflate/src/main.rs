//! Takes a gzip file apart with preflate-rs and makes it again: `preflate FILE`. Prints a line of JSON.
//!
//! Reading the file and comparing the result are not in the times.

use std::error::Error;
use std::time::{Duration, Instant};

use cpu_time::ProcessTime;
use preflate_rs::{PreflateConfig, preflate_whole_deflate_stream, recreate_whole_deflate_stream};

/// Bytes of a gzip member's trailer (RFC 1952 section 2.3.1).
const TRAILER_SIZE: usize = 8;

fn main() -> Result<(), Box<dyn Error>> {
    let path = std::env::args().nth(1).ok_or("preflate FILE")?;
    let file = std::fs::read(path)?;
    let deflate = file
        .get(header_size(&file)?..file.len().saturating_sub(TRAILER_SIZE))
        .ok_or("no whole gzip member")?;
    let config = PreflateConfig {
        plain_text_limit: usize::MAX,
        // The result is compared here, outside the time.
        verify_compression: false,
        ..PreflateConfig::default()
    };
    let (analyzed, analyze) = timed(|| preflate_whole_deflate_stream(deflate, &config));
    let (chunk, plain) = analyzed.map_err(|error| format!("analyze: {error:?}"))?;
    let (made, recreate) =
        timed(|| recreate_whole_deflate_stream(plain.text(), &chunk.corrections));
    let made = made.map_err(|error| format!("recreate: {error:?}"))?;
    println!(
        r#"{{"analyze":{analyze},"recreate":{recreate},"corrections":{},"plain":{},"isExact":{}}}"#,
        chunk.corrections.len(),
        plain.text().len(),
        made == deflate,
    );
    Ok(())
}

/// Bytes of a gzip header that has no optional field, or only a name.
fn header_size(file: &[u8]) -> Result<usize, Box<dyn Error>> {
    match file {
        [0x1f, 0x8b, 8, 0, ..] => Ok(10),
        [0x1f, 0x8b, 8, 8, rest @ ..] => {
            let name = rest.iter().skip(6).position(|byte| *byte == 0);
            Ok(11 + name.ok_or("a name without an end")?)
        }
        _ => Err("no gzip header, or one with rare fields".into()),
    }
}

/// What `work` gives, and its times as JSON, in seconds.
fn timed<T>(work: impl FnOnce() -> T) -> (T, String) {
    let (clock, processor) = (Instant::now(), ProcessTime::now());
    let result = work();
    let (wall, processor): (Duration, Duration) = (clock.elapsed(), processor.elapsed());
    let times = format!(
        r#"{{"wallSeconds":{},"processorSeconds":{}}}"#,
        wall.as_secs_f64(),
        processor.as_secs_f64()
    );
    (result, times)
}
