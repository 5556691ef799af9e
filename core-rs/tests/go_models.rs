//! Laws of the models of Go's compressors, and what they predict against plain forms of the searches.

#![expect(
    clippy::cast_possible_truncation,
    clippy::unwrap_used,
    reason = "lengths and distances fit in 16 bits; a failed test may panic"
)]

use mica_core::deflate::{Token, TokenKind};
use mica_core::model::Model;
use mica_core::model::go_fast::GoFast;
use mica_core::model::go_greedy::GoGreedy;
use mica_core::model::go_lazy::GoLazy;
use mica_core::segment::{MatchForm, SegmentText, Stretch, find_corrections};
use proptest::prelude::*;

/// A piece of text: `length` bytes of an alphabet, or from `back` bytes before.
#[derive(Clone, Debug)]
enum Piece {
    Fresh {
        length: usize,
        letters: u8,
        seed: u32,
    },
    Repeat {
        length: usize,
        back: usize,
    },
}

fn piece(longest: usize) -> impl Strategy<Value = Piece> {
    prop_oneof![
        (1..longest, 1_u8.., any::<u32>()).prop_map(|(length, letters, seed)| Piece::Fresh {
            length,
            letters,
            seed
        }),
        (3..longest, prop_oneof![1_usize..300, 1_usize..40_000])
            .prop_map(|(length, back)| Piece::Repeat { length, back }),
    ]
}

/// Repeats from where the search's limits are: the end of its window, and that of short matches.
fn edge_piece() -> impl Strategy<Value = Piece> {
    (
        4_usize..20,
        prop_oneof![32_480_usize..32_770, 4_090_usize..4_100],
    )
        .prop_map(|(length, back)| Piece::Repeat {
            length: if back < 5_000 { 4 } else { length },
            back,
        })
}

fn text_of(pieces: &[Piece]) -> Vec<u8> {
    let mut text = Vec::new();
    for piece in pieces {
        match *piece {
            Piece::Fresh {
                length,
                letters,
                mut seed,
            } => {
                for _ in 0..length {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    text.push(seed.to_be_bytes()[0] % letters);
                }
            }
            Piece::Repeat { length, back } => {
                let back = back.min(text.len());
                for _ in 0..length * usize::from(back > 0) {
                    text.push(text[text.len() - back]);
                }
            }
        }
    }
    text
}

/// How a level of Go's searches, as in its table of levels.
#[derive(Clone, Copy)]
struct Level {
    lazy: usize,
    nice: usize,
    chain: usize,
    /// Levels 2 and 3: the longest match whose inside is inserted.
    longest_inserted: Option<usize>,
}

/// The encoder as Go has it, without its buffers: chains that grow while it goes.
struct PlainGo<'a> {
    text: &'a [u8],
    level: Level,
    heads: Vec<Option<usize>>,
    before: Vec<Option<usize>>,
    /// Where the buffer begins.
    base: usize,
}

impl PlainGo<'_> {
    fn insert(&mut self, position: usize) {
        if let Some(bytes) = self.text.get(position..position + 4) {
            let bytes = u32::from_be_bytes(bytes.try_into().unwrap());
            let hash = (bytes.wrapping_mul(0x1e35_a7bd) >> 15) as usize;
            self.before[position] = self.heads[hash].replace(position);
        }
    }

    fn search(&mut self, position: usize) -> (usize, usize) {
        if position - self.base >= 65_275 {
            self.base += 32_768;
        }
        let longest = (self.text.len() - position).min(258);
        let (mut length, mut distance) = (3, 0);
        let mut candidate = self.before[position];
        for _ in 0..self.level.chain {
            let Some(earlier) = candidate else { break };
            if earlier < self.base || position - earlier > 32_768 || longest < 4 {
                break;
            }
            let same = (0..longest)
                .take_while(|index| self.text[earlier + index] == self.text[position + index])
                .count();
            if same > length && (same > 4 || position - earlier <= 4_096) {
                (length, distance) = (same, position - earlier);
                if same >= self.level.nice.min(longest) {
                    break;
                }
            }
            candidate = self.before[earlier];
        }
        (length, distance)
    }

    fn tokens(mut self) -> Vec<Token> {
        let matched =
            |(length, distance): (usize, usize)| Token::matched(length as u16, distance as u16);
        let mut tokens = Vec::new();
        let mut position = 0;
        let mut previous = None;
        while position < self.text.len() {
            self.insert(position);
            let found = match previous {
                Some((length, _)) if length >= self.level.lazy => (3, 0),
                _ => self.search(position),
            };
            let (token, inserted) = match (self.level.longest_inserted, previous) {
                (Some(longest), _) if found.0 > 3 => (matched(found), found.0 <= longest),
                (Some(_), _) => (Token::literal(self.text[position]), true),
                (None, Some(best)) if best.0 > 3 && found.0 <= best.0 => {
                    position -= 1;
                    (matched(best), true)
                }
                (None, Some(_)) => (Token::literal(self.text[position - 1]), true),
                (None, None) => {
                    previous = Some(found);
                    position += 1;
                    continue;
                }
            };
            tokens.push(token);
            let is_lazy = self.level.longest_inserted.is_none();
            let first = position + 1 + usize::from(is_lazy);
            for inside in first..position + token.length() {
                if inserted && token.is_match() {
                    self.insert(inside);
                }
            }
            position += token.length();
            previous = (is_lazy && !token.is_match()).then_some(found);
        }
        if previous.is_some() {
            tokens.push(Token::literal(self.text[position - 1]));
        }
        tokens
    }
}

fn plain_tokens(text: &[u8], level: Level) -> Vec<Token> {
    let go = PlainGo {
        text,
        level,
        heads: vec![None; 1 << 17],
        before: vec![None; text.len()],
        base: 0,
    };
    go.tokens()
}

const LAZY_LEVELS: [(u8, Level); 6] = {
    const fn level(lazy: usize, nice: usize, chain: usize) -> Level {
        Level {
            lazy,
            nice,
            chain,
            longest_inserted: None,
        }
    }
    [
        (4, level(4, 16, 16)),
        (5, level(16, 32, 32)),
        (6, level(16, 128, 128)),
        (7, level(32, 128, 256)),
        (8, level(128, 258, 1024)),
        (9, level(258, 258, 4096)),
    ]
};

const GREEDY_LEVELS: [(u8, Level); 2] = [
    (
        2,
        Level {
            lazy: 0,
            nice: 16,
            chain: 8,
            longest_inserted: Some(5),
        },
    ),
    (
        3,
        Level {
            lazy: 0,
            nice: 32,
            chain: 32,
            longest_inserted: Some(6),
        },
    ),
];

fn assert_predicts<M: Model>(mut model: M, text: &[u8], level: u8, tokens: &[Token]) {
    let segment = SegmentText {
        text,
        start: 0,
        since_flush: 0,
    };
    let stretches = [Stretch::Tokens { length: text.len() }];
    let corrections =
        find_corrections(&mut model, segment, &stretches, tokens, MatchForm::Place).unwrap();
    assert_eq!(corrections, [], "level {level}");
}

fn assert_all_predict(text: &[u8]) {
    for (level, plain) in LAZY_LEVELS {
        assert_predicts(GoLazy::new(level), text, level, &plain_tokens(text, plain));
    }
    for (level, plain) in GREEDY_LEVELS {
        assert_predicts(
            GoGreedy::new(level),
            text,
            level,
            &plain_tokens(text, plain),
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn models_of_levels_2_to_9_predict_what_the_plain_search_finds(
        pieces in proptest::collection::vec(piece(2_000), 1..150),
    ) {
        assert_all_predict(&text_of(&pieces));
    }

    #[test]
    fn models_of_levels_2_to_9_forget_what_the_encoder_moves_out(
        noise in 65_240_usize..65_300,
        seed: u32,
        edges in proptest::collection::vec(edge_piece(), 1..30),
    ) {
        let mut pieces = vec![Piece::Fresh { length: noise, letters: 255, seed }];
        pieces.extend(edges);
        assert_all_predict(&text_of(&pieces));
    }
}

/// Something that a driver does.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Takes what is predicted, so many times.
    Follow(usize),
    Literal,
    /// The match of at most so many bytes at this distance, if it is one.
    Match(usize, usize),
    Skip(usize),
    /// A flush, and how many bytes follow before the next.
    Flush(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_usize..200).prop_map(Step::Follow),
        2 => Just(Step::Literal),
        2 => (3_usize..=258, 1_usize..=32_768).prop_map(|(length, back)| Step::Match(length, back)),
        1 => (0_usize..70_000).prop_map(Step::Skip),
        1 => prop_oneof![0_usize..20, 0_usize..200, 0_usize..70_000].prop_map(Step::Flush),
    ]
}

/// Bytes that are the same at `position` and `distance` before, up to `end`.
fn same(text: &[u8], position: usize, distance: usize, end: usize) -> usize {
    (position..end)
        .take_while(|index| distance <= position && text[*index] == text[index - distance])
        .count()
}

fn follow<M: Model>(
    model: &mut M,
    text: &[u8],
    position: usize,
    end: usize,
    actual: Option<Token>,
) -> usize {
    let predicted = model.predict(text, position);
    match predicted.kind() {
        TokenKind::Literal(byte) => assert_eq!(byte, text[position]),
        TokenKind::Match { length, distance } => {
            let length = usize::from(length);
            assert!((3..=258).contains(&length) && (1..=32_768).contains(&distance));
            assert!(
                same(text, position, usize::from(distance), end) >= length,
                "{position} {predicted:?}"
            );
        }
    }
    let token = actual.unwrap_or(predicted);
    model.advance(text, position, token);
    position + token.length()
}

fn drive<M: Model>(mut model: M, text: &[u8], start: usize, since_flush: u64, steps: &[Step]) {
    let mut position = start;
    let mut end = text.len();
    if start == end {
        return;
    }
    if let Some(Step::Flush(length)) = steps.first() {
        end = end.min(position + 1 + length);
    }
    model.begin(text, start, since_flush, end);
    for step in steps {
        if position == end {
            if end == text.len() {
                break;
            }
            let length = match step {
                Step::Flush(length) => *length,
                _ => text.len(),
            };
            end = text.len().min(end + 1 + length);
            model.flush(text, position, end);
        }
        match *step {
            Step::Follow(times) => {
                for _ in 0..times {
                    if position < end {
                        position = follow(&mut model, text, position, end, None);
                    }
                }
            }
            Step::Match(length, distance) if same(text, position, distance, end) >= 3 => {
                let length = length.min(same(text, position, distance, end));
                let token = Token::matched(length as u16, distance as u16);
                position = follow(&mut model, text, position, end, Some(token));
            }
            Step::Literal | Step::Match(..) => {
                let token = Token::literal(text[position]);
                position = follow(&mut model, text, position, end, Some(token));
            }
            Step::Skip(length) => {
                let length = length.min(end - position);
                model.skip(text, position, length);
                position += length;
            }
            Step::Flush(_) => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn models_predict_only_what_gives_the_text(
        pieces in proptest::collection::vec(piece(4_000), 1..60),
        start: prop::sample::Index,
        since_flush in prop_oneof![0_u64..300, 0_u64..100_000, any::<u64>()],
        steps in proptest::collection::vec(step(), 1..100),
    ) {
        let text = text_of(&pieces);
        let start = start.index(text.len() + 1);
        drive(GoFast::default(), &text, start, since_flush, &steps);
        drive(GoGreedy::new(2), &text, start, since_flush, &steps);
        drive(GoGreedy::new(3), &text, start, since_flush, &steps);
        drive(GoLazy::new(4), &text, start, since_flush, &steps);
        drive(GoLazy::new(6), &text, start, since_flush, &steps);
        drive(GoLazy::new(9), &text, start, since_flush, &steps);
    }
}
