//! Models of klauspost's encoders, compared with streams that those wrote, and run over anything.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use mica_core::deflate::{BitReader, BlockKind, Inflater, PieceEnd, Token, TokenKind};
use mica_core::model::compressor::KlauspostRelease;
use mica_core::model::compressor::KlauspostRelease::{V1_11, V1_12, V1_15, V1_20_4};
use mica_core::model::klauspost::FlushKind::{Keeps, Restarts};
use mica_core::model::klauspost::Klauspost;
use mica_core::model::{CONTEXT_SIZE, Model, ModelUser};
use mica_core::segment::{
    MatchForm, ReplayError, SegmentText, Stretch, find_corrections, find_tokens,
};
use proptest::prelude::*;

/// A gzip file's blocks.
struct Stream {
    text: Vec<u8>,
    stretches: Vec<Stretch>,
    tokens: Vec<Token>,
}

/// Reads a gzip file that has no name (RFC 1952 section 2.3).
fn read(gzip: &[u8]) -> Stream {
    let mut bits = BitReader::at(gzip, 80).unwrap();
    let mut inflater = Inflater::new(u64::MAX);
    let mut stream = Stream {
        text: Vec::new(),
        stretches: Vec::new(),
        tokens: Vec::new(),
    };
    let mut block_tokens = Vec::new();
    loop {
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut block_tokens)
            .unwrap();
        let length = inflater.plain().len();
        stream.text.extend_from_slice(inflater.plain());
        stream.tokens.extend_from_slice(&block_tokens);
        stream.stretches.push(match piece.header.unwrap().kind {
            BlockKind::Stored { .. } => Stretch::Stored { length },
            _ => Stretch::Tokens { length },
        });
        if piece.end == PieceEnd::Stream {
            return stream;
        }
    }
}

/// Checks that the model is right all along the stream.
struct Exact<'a>(&'a Stream);

impl ModelUser for Exact<'_> {
    type Output = ();

    fn run<M: Model>(self, model: &mut M) {
        let Self(stream) = self;
        let segment = SegmentText {
            text: &stream.text,
            start: 0,
            since_flush: 0,
        };
        let corrections = find_corrections(
            model,
            segment,
            &stream.stretches,
            &stream.tokens,
            MatchForm::Place,
        )
        .unwrap();
        assert_eq!(corrections, []);
        let mut found = Vec::new();
        find_tokens(model, segment, &stream.stretches, &[], |block| {
            found.extend_from_slice(block.tokens);
            Ok::<(), ReplayError>(())
        })
        .unwrap();
        assert!(found == stream.tokens, "tokens differ");
    }
}

macro_rules! exact {
    ($($test:ident: $release:ident, $level:literal, $flush_kind:ident, $fixture:literal;)*) => {$(
        #[test]
        fn $test() {
            let gzip = include_bytes!(concat!("fixtures/klauspost/", $fixture, ".gz"));
            Klauspost::new($release, $level, $flush_kind).with(Exact(&read(gzip)));
        }
    )*};
}

exact! {
    level_1_is_exact: V1_20_4, 1, Keeps, "v1.20.4-level-1";
    level_2_is_exact: V1_20_4, 2, Keeps, "v1.20.4-level-2";
    level_3_is_exact: V1_20_4, 3, Keeps, "v1.20.4-level-3";
    level_4_is_exact_before_v1_18: V1_15, 4, Keeps, "v1.15.15-level-4";
    level_5_is_exact: V1_20_4, 5, Keeps, "v1.20.4-level-5";
    level_5_is_exact_in_v1_13: V1_12, 5, Keeps, "v1.13.6-level-5";
    level_5_is_exact_in_v1_11: V1_11, 5, Keeps, "v1.11.13-level-5";
    level_6_is_exact: V1_20_4, 6, Keeps, "v1.20.4-level-6";
    level_7_is_exact: V1_20_4, 7, Keeps, "v1.20.4-level-7";
    level_8_is_exact: V1_20_4, 8, Keeps, "v1.20.4-level-8";
    level_9_is_exact: V1_20_4, 9, Keeps, "v1.20.4-level-9";
    pgzip_is_exact: V1_20_4, 5, Restarts, "pgzip-v1.3.0";
}

/// A segment of anything, and how to go over it.
#[derive(Clone, Debug)]
struct Walk {
    text: Vec<u8>,
    start: usize,
    since_flush: u64,
    steps: Vec<Step>,
}

#[derive(Clone, Copy, Debug)]
enum Step {
    /// What is predicted is right, so many times.
    Right(usize),
    /// A literal stands there.
    Literal,
    /// A match stands there, if there is one at this distance, of at most this length.
    Match(usize, usize),
    /// So many bytes are stored.
    Skip(usize),
    Flush,
    /// The portion is written as literals.
    Portion,
}

/// Pieces of a few bytes, repeats of those before, and long runs.
fn texts() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (any::<u64>(), 1_usize..20).prop_map(|(seed, length)| (0, seed, length)),
        6 => (any::<u64>(), 3_usize..60).prop_map(|(seed, length)| (1, seed, length)),
        1 => (any::<u64>(), 200_usize..3000).prop_map(|(seed, length)| (1, seed, length)),
        1 => (any::<u64>(), 10_usize..9_000).prop_map(|(seed, length)| (2, seed, length)),
    ];
    prop::collection::vec(piece, 0..120).prop_map(|pieces| {
        let mut text: Vec<u8> = Vec::new();
        for (kind, seed, length) in pieces {
            let from = usize::try_from(seed).unwrap() % text.len().max(1);
            let bytes = seed.to_le_bytes();
            for index in 0..length {
                text.push(match kind {
                    1 if from + index < text.len() => text[from + index],
                    2 => bytes[0],
                    _ => bytes[index % 8],
                });
            }
        }
        text
    })
}

fn walks() -> impl Strategy<Value = Walk> {
    let step = prop_oneof![
        8 => (1_usize..200).prop_map(Step::Right),
        2 => Just(Step::Literal),
        2 => (1_usize..40_000, 3_usize..259).prop_map(|(distance, length)| Step::Match(distance, length)),
        1 => (1_usize..3000).prop_map(Step::Skip),
        1 => Just(Step::Flush),
        1 => Just(Step::Portion),
    ];
    let since_flush = prop_oneof![
        Just(0),
        0_u64..200_000,
        Just(65_535),
        Just(131_070),
        any::<u64>()
    ];
    (
        texts(),
        any::<prop::sample::Index>(),
        since_flush,
        prop::collection::vec(step, 1..60),
    )
        .prop_map(|(text, start, since_flush, steps)| Walk {
            start: start.index(text.len() + 1).min(CONTEXT_SIZE),
            text,
            since_flush,
            steps,
        })
}

/// Goes over the segment and gives what was predicted; fails on predictions that cannot be.
fn predictions<M: Model>(model: &mut M, walk: &Walk) -> Vec<Token> {
    let text = &walk.text;
    let mut predictions = Vec::new();
    let mut position = walk.start;
    // Flushes are where the steps come to them, but ends are told before.
    let end = text.len();
    model.begin(text, position, walk.since_flush, end);
    for step in walk.steps.iter().cycle().take(3_000) {
        let times = match step {
            Step::Flush => {
                model.flush(text, position, end);
                continue;
            }
            Step::Skip(length) => {
                let length = (*length).min(end - position);
                model.skip(text, position, length);
                position += length;
                continue;
            }
            Step::Right(times) => *times,
            _ => 1,
        };
        for _ in 0..times {
            if position == end {
                return predictions;
            }
            let predicted = model.predict(text, position);
            check(predicted, text, position);
            predictions.push(predicted);
            let actual = match step {
                Step::Portion => {
                    let portion = model.portion_end(position).unwrap_or(position).min(end);
                    if portion > position {
                        model.skip(text, position, portion - position);
                        position = portion;
                        continue;
                    }
                    predicted
                }
                Step::Literal => Token::literal(text[position]),
                Step::Match(distance, length) => {
                    match_at(text, position, *distance, *length).unwrap_or(predicted)
                }
                _ => predicted,
            };
            model.advance(text, position, actual);
            position += actual.length();
        }
    }
    predictions
}

/// The match at `position`, of at most `length` bytes.
fn match_at(text: &[u8], position: usize, distance: usize, length: usize) -> Option<Token> {
    let distance = distance % 32_768 + 1;
    let there = &text[position.checked_sub(distance)?..];
    let same = there
        .iter()
        .zip(&text[position..])
        .take(length)
        .take_while(|(a, b)| a == b)
        .count();
    (same >= 3).then(|| Token::matched(same.try_into().unwrap(), distance.try_into().unwrap()))
}

fn check(token: Token, text: &[u8], position: usize) {
    match token.kind() {
        TokenKind::Literal(byte) => assert_eq!(byte, text[position]),
        TokenKind::Match { length, distance } => {
            let (length, distance) = (usize::from(length), usize::from(distance));
            assert!((3..=258).contains(&length) && (1..=32_768).contains(&distance));
            assert!(distance <= position && position + length <= text.len());
            for index in position..position + length {
                assert_eq!(
                    text[index],
                    text[index - distance],
                    "{token:?} at {position}"
                );
            }
        }
    }
}

struct Predictions<'a>(&'a Walk);

impl ModelUser for Predictions<'_> {
    type Output = Vec<Token>;

    fn run<M: Model>(self, model: &mut M) -> Vec<Token> {
        predictions(model, self.0)
    }
}

/// The model gives valid predictions for both segments, and for the second one what a new model
/// gives.
fn assert_lawful(new: impl Fn() -> Klauspost, first: &Walk, second: &Walk) {
    let mut model = new();
    model.with(Predictions(first));
    let again = model.with(Predictions(second));
    assert_eq!(again, new().with(Predictions(second)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    #[test]
    fn models_predict_valid_tokens_by_nothing_but_the_segment(
        first in walks(),
        second in walks(),
        release in prop::sample::select(&KlauspostRelease::ALL[..]),
    ) {
        for level in 1..=9 {
            for flush_kind in [Keeps, Restarts] {
                assert_lawful(|| Klauspost::new(release, level, flush_kind), &first, &second);
            }
        }
    }
}
