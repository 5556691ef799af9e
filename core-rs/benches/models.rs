//! Measures the models, each on a text that is always the same:
//! `cargo bench -p mica-core --bench models -- [--model PREFIX] [LAYER...]`.
//!
//! With layers, those whose model fits, or all models whose names begin with PREFIX, are measured on
//! what is in them. `find` is the time of finding where a model is wrong, as at ingest; `rebuild` that
//! of finding the tokens again, as at restore. What is found is compared.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a bench reads a corpus, prints its table, and stops at what fails"
)]

mod timing;

use std::time::Duration;

use mica_core::deflate::Token;
use mica_core::ingest::{LayerEvent, LayerReader};
use mica_core::model::{CANDIDATES, CONTEXT_SIZE, Compressor, Model, ModelUser, Models};
use mica_core::segment::{
    Correction, MatchForm, ReplayError, SegmentText, Stretch, detect, find_corrections, find_tokens,
};
use timing::{arguments, megabytes_per_second, timed};

/// Bytes of the generated text.
const TEXT_SIZE: usize = 4 << 20;
/// Bytes of a segment of it, about what segments of layers have.
const SEGMENT_SIZE: usize = 1 << 20;
/// Words that the text is made of.
const WORDS: u64 = 4096;
/// Each segment is timed this often; the shortest time counts.
const RUNS: usize = 3;

/// Numbers that look random and are always the same (a linear congruential generator with Knuth's
/// factor for MMIX).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// Words, some of them much more frequent than others, and now and then a piece that was there before.
fn generate_text() -> Vec<u8> {
    let mut numbers = Numbers(1);
    let mut text = Vec::with_capacity(TEXT_SIZE);
    while text.len() < TEXT_SIZE {
        if numbers.below(64) == 0 && text.len() > 1000 {
            let length = usize::try_from(20 + numbers.below(200)).unwrap();
            let range = u64::try_from(text.len() - length).unwrap();
            let start = usize::try_from(numbers.below(range)).unwrap();
            text.extend_from_within(start..start + length);
        }
        let rank = numbers.below(WORDS).min(numbers.below(WORDS));
        let mut letters = Numbers(rank);
        for _ in 0..2 + letters.below(8) {
            text.push(b'a' + u8::try_from(letters.below(26)).unwrap());
        }
        text.push(if numbers.below(12) == 0 { b'\n' } else { b' ' });
    }
    text.truncate(TEXT_SIZE);
    text
}

/// A segment as models see it.
struct Replay<'a> {
    text: SegmentText<'a>,
    stretches: &'a [Stretch],
    /// None for a segment of no layer: then those that the model predicts.
    tokens: Option<&'a [Token]>,
}

/// What was found, and how long it took.
#[derive(Clone, Copy, Default)]
struct Figures {
    bytes: usize,
    tokens: usize,
    wrong: usize,
    finding: Duration,
    rebuilding: Duration,
}

impl Figures {
    fn add(&mut self, other: Self) {
        self.bytes += other.bytes;
        self.tokens += other.tokens;
        self.wrong += other.wrong;
        self.finding += other.finding;
        self.rebuilding += other.rebuilding;
    }

    fn print(&self, what: &str, compressor: Compressor) {
        println!(
            "| {what} | {compressor} | {} | {} | {:.1} | {:.1} |",
            self.tokens,
            self.wrong,
            megabytes_per_second(self.bytes, self.finding),
            megabytes_per_second(self.bytes, self.rebuilding),
        );
    }
}

impl Replay<'_> {
    fn rebuild<M: Model>(&self, model: &mut M, corrections: &[Correction]) -> Vec<Token> {
        let mut found = Vec::with_capacity(self.text.text.len());
        find_tokens(model, self.text, self.stretches, corrections, |block| {
            found.extend_from_slice(block.tokens);
            Ok::<(), ReplayError>(())
        })
        .unwrap();
        found
    }
}

impl ModelUser for Replay<'_> {
    type Output = Figures;

    fn run<M: Model>(self, model: &mut M) -> Figures {
        let predicted = match self.tokens {
            None => self.rebuild(model, &[]),
            Some(_) => Vec::new(),
        };
        let tokens = self.tokens.unwrap_or(&predicted);
        let mut figures = Figures {
            bytes: self.text.text.len() - self.text.start,
            tokens: tokens.len(),
            wrong: 0,
            finding: Duration::MAX,
            rebuilding: Duration::MAX,
        };
        for _ in 0..RUNS {
            let (corrections, finding) = timed(|| {
                find_corrections(model, self.text, self.stretches, tokens, MatchForm::Place)
                    .unwrap()
            });
            let (found, rebuilding) = timed(|| self.rebuild(model, &corrections));
            assert!(found == tokens, "tokens differ");
            assert!(
                self.tokens.is_some() || corrections.is_empty(),
                "a model contradicts itself"
            );
            figures.wrong = corrections.len();
            figures.finding = figures.finding.min(finding);
            figures.rebuilding = figures.rebuilding.min(rebuilding);
        }
        figures
    }
}

fn measure_generated(compressors: &[Compressor]) {
    let text = generate_text();
    let mut models = Models::default();
    for &compressor in compressors {
        let mut figures = Figures::default();
        for start in (0..text.len()).step_by(SEGMENT_SIZE) {
            let context = start.saturating_sub(CONTEXT_SIZE);
            let end = text.len().min(start + SEGMENT_SIZE);
            let segment = SegmentText {
                text: &text[context..end],
                start: start - context,
                since_flush: u64::try_from(start).unwrap(),
            };
            let length = end - start;
            let replay = Replay {
                text: segment,
                stretches: &[Stretch::Tokens { length }],
                tokens: None,
            };
            figures.add(models.with(compressor, replay));
        }
        figures.print("generated", compressor);
    }
}

fn measure_layer(path: &str, wanted: &[Compressor]) {
    let mut reader = LayerReader::new(u64::MAX);
    reader.push(&std::fs::read(path).unwrap());
    reader.finish();
    let mut models = Models::default();
    let mut all: Vec<(Compressor, Figures)> = wanted
        .iter()
        .map(|one| (*one, Figures::default()))
        .collect();
    while let Some(event) = reader.next_event().unwrap() {
        let LayerEvent::Segment { segment, .. } = event else {
            continue;
        };
        if all.is_empty() {
            let detected = detect(&mut models, CANDIDATES, None, &segment);
            all.push((detected, Figures::default()));
        }
        for (compressor, figures) in &mut all {
            let replay = Replay {
                text: segment.text_for(*compressor),
                stretches: &segment.stretches(),
                tokens: Some(&segment.tokens),
            };
            figures.add(models.with(*compressor, replay));
        }
    }
    for (compressor, figures) in all {
        figures.print(path, compressor);
    }
}

fn main() {
    let mut paths = arguments();
    let named = paths.iter().position(|argument| argument == "--model");
    let prefix = named.and_then(|index| paths.drain(index..paths.len().min(index + 2)).nth(1));
    println!("MB of plain text a second by the time that the thread ran");
    println!("| text | model | tokens | wrong | find | rebuild |");
    println!("|---|---|---|---|---|---|");
    let matching: Vec<Compressor> = CANDIDATES
        .iter()
        .copied()
        .filter(|one| {
            prefix
                .as_ref()
                .is_none_or(|prefix| one.to_string().starts_with(prefix))
        })
        .collect();
    if paths.is_empty() {
        measure_generated(&matching);
    }
    let wanted = if prefix.is_some() { &matching[..] } else { &[] };
    for path in &paths {
        measure_layer(path, wanted);
    }
}
