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

use mica_core::deflate::{BitReader, BlockKind, Inflater, PieceEnd, Token};
use mica_core::model::go_lazy::GoLazy;
use mica_core::model::klauspost::{self, FlushKind, Version};
use mica_core::model::literals::Literals;
use mica_core::model::{CONTEXT_SIZE, Model};
use mica_core::segment::{ReplayError, SegmentText, Stretch, find_corrections, find_tokens};

/// Plain text after which a segment ends with its block.
const SEGMENT_SIZE: usize = match option_env!("ONE") {
    Some(_) => 1 << 40,
    None => 1 << 20,
};

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
    let mut inflater = Inflater::new(u64::MAX);
    let (mut segments, mut segment, mut block_tokens) =
        (Vec::new(), Segment::default(), Vec::new());
    let mut since_flush = 0_u64;
    loop {
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut block_tokens)
            .unwrap();
        let header = piece.header.unwrap();
        let length = inflater.plain().len();
        let stretch = match header.kind {
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
        if is_long || piece.end == PieceEnd::Stream {
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
        if piece.end == PieceEnd::Stream {
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
                found.extend_from_slice(block.tokens);
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

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let segments = read_segments(&std::fs::read(&arguments[1]).unwrap());
    if let Some(name) = arguments[2].strip_prefix("klauspost") {
        return run_klauspost(name, &segments);
    }
    match arguments[2].as_str() {
        "none" => run(|| NoModel, &segments),
        "literals" => run(Literals::default, &segments),
        "go4" => run(|| GoLazy::new(4), &segments),
        "go5" => run(|| GoLazy::new(5), &segments),
        "go6" => run(|| GoLazy::new(6), &segments),
        "go7" => run(|| GoLazy::new(7), &segments),
        "go8" => run(|| GoLazy::new(8), &segments),
        "go9" => run(|| GoLazy::new(9), &segments),
        other => panic!("no model {other}"),
    }
}

/// `VERSION-LEVEL`, and `p` for pgzip.
fn run_klauspost(name: &str, segments: &[Segment]) {
    let (version, level) = name.split_once('-').unwrap();
    let (level, flush_kind) = match level.strip_suffix('p') {
        Some(level) => (level, FlushKind::Restarts),
        None => (level, FlushKind::Keeps),
    };
    let version = match version {
        "11" => Version::V11,
        "12" => Version::V12,
        "15" => Version::V15,
        _ => Version::V18,
    };
    match level {
        "1" => run(|| klauspost::level1(version, flush_kind), segments),
        "2" => run(|| klauspost::level2(version, flush_kind), segments),
        "3" => run(|| klauspost::level3(version, flush_kind), segments),
        "4" => run(|| klauspost::level4(version, flush_kind), segments),
        "5" => run(|| klauspost::level5(version, flush_kind), segments),
        "6" => run(|| klauspost::level6(version, flush_kind), segments),
        other => panic!("no level {other}"),
    }
}

/// Predicts literals only.
struct NoModel;

impl Model for NoModel {
    fn begin(&mut self, _: &[u8], _: usize, _: u64, _: usize) {}
    fn flush(&mut self, _: &[u8], _: usize, _: usize) {}
    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        Token::literal(text[position])
    }
    fn advance(&mut self, _: &[u8], _: usize, _: Token) {}
}
