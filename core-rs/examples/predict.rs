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
use mica_core::model::{CANDIDATES, CONTEXT_SIZE, Compressor, Model, ModelUser, Models};
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

/// What both ways over a segment give.
struct Replay<'a>(&'a Segment);

impl ModelUser for Replay<'_> {
    type Output = (usize, Duration, Duration);

    fn run<M: Model>(self, model: &mut M) -> Self::Output {
        let Self(segment) = self;
        let text = SegmentText {
            text: &segment.text,
            start: segment.start,
            since_flush: segment.since_flush,
        };
        let started = Instant::now();
        let corrections =
            find_corrections(model, text, &segment.stretches, &segment.tokens).unwrap();
        let finding = started.elapsed();
        let started = Instant::now();
        let mut found = Vec::with_capacity(segment.tokens.len());
        find_tokens(model, text, &segment.stretches, &corrections, |block| {
            found.extend_from_slice(block.tokens);
            Ok::<(), ReplayError>(())
        })
        .unwrap();
        let applying = started.elapsed();
        assert!(found == segment.tokens, "tokens differ");
        if std::env::args().any(|argument| argument == "--show") {
            println!("{:?}", &corrections[..corrections.len().min(40)]);
        }
        (corrections.len(), finding, applying)
    }
}

fn run(compressor: Compressor, segments: &[Segment]) {
    let (mut wrong, mut tokens, mut bytes) = (0, 0, 0);
    let (mut finding, mut applying) = (Duration::ZERO, Duration::ZERO);
    let mut models = Models::default();
    for segment in segments {
        let (corrections, find, apply) = models.with(compressor, Replay(segment));
        wrong += corrections;
        finding += find;
        applying += apply;
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
    let wanted = arguments.get(2).map_or("", |name| name.as_str());
    for &compressor in CANDIDATES {
        if compressor.to_string().starts_with(wanted) {
            print!("{compressor:?}: ");
            run(compressor, &segments);
        }
    }
}
