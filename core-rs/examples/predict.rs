//! Tells how well a model knows a gzip file: `predict FILE MODEL`.
//!
//! Prints wrong predictions, and the speed of finding corrections and of finding tokens by them, in
//! MB (10^6 bytes) of plain text a second on one core.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a program for the people who write models"
)]

use std::time::{Duration, Instant};

use mica_core::deflate::{BitReader, BlockKind, InflateOptions, Inflater, Token};
use mica_core::model::literals::Literals;
use mica_core::model::zlib::{History, ZlibOptions};
use mica_core::model::zlib_fast::ZlibFast;
use mica_core::model::zlib_lazy::ZlibLazy;
use mica_core::model::zlib_run_length::ZlibRunLength;
use mica_core::model::{CONTEXT_SIZE, Model};
use mica_core::segment::{ReplayError, SegmentText, Stretch, find_corrections, find_tokens};

/// Plain text after which a segment ends with its block.
const SEGMENT_SIZE: usize = 1 << 20;

#[derive(Default)]
struct Segment {
    text: Vec<u8>,
    start: usize,
    since_flush: u64,
    stretches: Vec<Stretch>,
    tokens: Vec<Token>,
}

/// The first member's segments.
fn read_segments(gzip: &[u8]) -> Vec<Segment> {
    let mut bits = BitReader::at(gzip, header_length(gzip) as u64 * 8).unwrap();
    let mut inflater = Inflater::new(InflateOptions::default());
    let (mut segments, mut segment, mut block_tokens) =
        (Vec::new(), Segment::default(), Vec::new());
    let mut since_flush = 0_u64;
    loop {
        let block = inflater.read_block(&mut bits, &mut block_tokens).unwrap();
        let length = inflater.plain().len();
        let stretch = match block.header.kind {
            BlockKind::Stored { .. } => Stretch::Stored { length },
            _ => Stretch::Tokens { length },
        };
        since_flush = if stretch.is_flush() {
            0
        } else {
            since_flush + length as u64
        };
        segment.text.extend_from_slice(inflater.plain());
        segment.stretches.push(stretch);
        segment.tokens.extend_from_slice(&block_tokens);
        let is_long = segment.text.len() - segment.start >= SEGMENT_SIZE;
        if is_long || block.header.is_final {
            let context = segment.text[segment.text.len().saturating_sub(CONTEXT_SIZE)..].to_vec();
            let start = context.len();
            segments.push(std::mem::take(&mut segment));
            segment = Segment {
                text: context,
                start,
                since_flush,
                ..Segment::default()
            };
        }
        if block.header.is_final {
            return segments;
        }
    }
}

/// Bytes of a gzip header with or without a name (RFC 1952 §2.3).
fn header_length(gzip: &[u8]) -> usize {
    match gzip[3] {
        0 => 10,
        8 => 11 + gzip[10..].iter().position(|byte| *byte == 0).unwrap(),
        flags => panic!("flags {flags}"),
    }
}

fn run<M: Model>(mut new_model: impl FnMut() -> M, segments: &[Segment]) {
    let (mut wrong, mut tokens, mut bytes) = (0, 0, 0);
    let (mut finding, mut applying) = (Duration::ZERO, Duration::ZERO);
    let mut model = new_model();
    for segment in segments {
        let text = SegmentText {
            text: &segment.text,
            start: segment.start,
            since_flush: segment.since_flush,
        };
        let started = Instant::now();
        let corrections =
            find_corrections(&mut model, text, &segment.stretches, &segment.tokens).unwrap();
        finding += started.elapsed();
        let started = Instant::now();
        let mut found = Vec::with_capacity(segment.tokens.len());
        find_tokens(
            &mut model,
            text,
            &segment.stretches,
            &corrections,
            |block| {
                found.extend_from_slice(block);
                Ok::<(), ReplayError>(())
            },
        )
        .unwrap();
        applying += started.elapsed();
        assert!(found == segment.tokens, "tokens differ");
        if std::env::args().any(|argument| argument == "--show") {
            println!("{:?}", &corrections[..corrections.len().min(40)]);
        }
        wrong += corrections.len();
        tokens += segment.tokens.len();
        bytes += segment.text.len() - segment.start;
    }
    let speed = |time: Duration| bytes as f64 / 1e6 / time.as_secs_f64();
    println!(
        "{bytes} bytes, {tokens} tokens, {} segments: {wrong} wrong; corrections {:.1} MB/s, tokens {:.1} MB/s",
        segments.len(),
        speed(finding),
        speed(applying)
    );
}

/// `zlib-LEVEL`, `zlib-filtered-LEVEL`, `zlib-mem9-LEVEL`, `zlib-chromium-LEVEL`, or `pigz[-i][-p1]-LEVEL[-KIB]`.
fn zlib_options(name: &str) -> Option<ZlibOptions> {
    let number = |part: &str| part.parse::<usize>().ok();
    let parts: Vec<&str> = name.split('-').collect();
    let numbers: Vec<usize> = parts.iter().filter_map(|part| number(part)).collect();
    let level = u8::try_from(*numbers.first()?).ok()?;
    let block_size = numbers.get(1).unwrap_or(&128) << 10;
    let has = |part: &str| parts.contains(&part);
    let history = match (has("i"), has("p1")) {
        (true, _) => History::Cleared,
        (_, true) => History::Kept,
        _ => History::Primed,
    };
    match parts[0] {
        "pigz" => Some(ZlibOptions::pigz(level, block_size, history)),
        "zlib" => Some(ZlibOptions {
            is_filtered: has("filtered"),
            memory_level: if has("mem9") { 9 } else { 8 },
            is_chromium: has("chromium"),
            ..ZlibOptions::new(level)
        }),
        _ => None,
    }
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let segments = read_segments(&std::fs::read(&arguments[1]).unwrap());
    match arguments[2].as_str() {
        "literals" => run(Literals::default, &segments),
        "zlib-rle" => run(ZlibRunLength::default, &segments),
        other => match zlib_options(other) {
            Some(options) if options.level < 4 => run(|| ZlibFast::new(options), &segments),
            Some(options) => run(|| ZlibLazy::new(options), &segments),
            None => panic!("no model {other}"),
        },
    }
}
