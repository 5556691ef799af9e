//! The models of zlib against a plain account of what zlib does, and against what it made.
#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

mod plain_zlib;

use mica_core::deflate::{BitReader, Inflater, PieceEnd, Token, TokenKind};
use mica_core::model::Model;
use mica_core::model::zlib::{History, ZlibOptions};
use mica_core::model::zlib_fast::ZlibFast;
use mica_core::model::zlib_lazy::ZlibLazy;
use mica_core::segment::{
    MatchForm, ReplayError, SegmentText, Stretch, find_corrections, find_tokens,
};
use plain_zlib::Plain;
use proptest::prelude::*;

/// Text of few words and runs, with something new now and then.
fn text() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => (0_usize..40).prop_map(|word| format!("{} word{:x} ", word % 7, word * 0x3b5).into_bytes()),
        1 => proptest::collection::vec(any::<u8>(), 1..12),
        1 => (any::<u8>(), 1_usize..300).prop_map(|(byte, count)| vec![byte; count]),
        1 => proptest::collection::vec(0_u8..2, 1..40),
    ];
    proptest::collection::vec(piece, 0..300).prop_map(|pieces| pieces.concat())
}

fn options() -> impl Strategy<Value = ZlibOptions> {
    (
        1_u8..10,
        (any::<bool>(), any::<bool>()),
        prop_oneof![Just(1_u8), Just(8), Just(9)],
        proptest::option::of(1_usize..2000),
        prop_oneof![
            Just(History::Kept),
            Just(History::Primed),
            Just(History::Cleared)
        ],
    )
        .prop_map(
            |(level, (is_filtered, is_chromium), memory_level, portion, history)| ZlibOptions {
                level,
                is_filtered,
                memory_level,
                is_chromium,
                portion,
                history,
            },
        )
}

enum AnyModel {
    Fast(ZlibFast),
    Lazy(ZlibLazy),
}

impl AnyModel {
    fn new(options: ZlibOptions) -> Self {
        if options.level < 4 {
            Self::Fast(ZlibFast::new(options))
        } else {
            Self::Lazy(ZlibLazy::new(options))
        }
    }

    fn get(&mut self) -> &mut dyn Model {
        match self {
            Self::Fast(model) => model,
            Self::Lazy(model) => model,
        }
    }
}

impl Model for AnyModel {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.get().begin(text, start, since_flush, end);
    }
    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        self.get().flush(text, position, end);
    }
    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        self.get().predict(text, position)
    }
    fn advance(&mut self, text: &[u8], position: usize, actual: Token) {
        self.get().advance(text, position, actual);
    }
}

/// The token if it really stands at `position`, else a literal.
fn valid(token: Token, text: &[u8], position: usize, end: usize) -> Token {
    let is_valid = match token.kind() {
        TokenKind::Literal(byte) => text[position] == byte,
        TokenKind::Match { length, distance } => {
            let (length, distance) = (usize::from(length), usize::from(distance));
            distance > 0
                && distance <= position.min(32_768)
                && (3..=258).contains(&length)
                && length <= end - position
                && (0..length)
                    .all(|index| text[position + index] == text[position + index - distance])
        }
    };
    if is_valid {
        token
    } else {
        Token::literal(text[position])
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn models_do_what_zlib_does(text in text(), options in options(), cuts in proptest::collection::vec(0_usize..6000, 0..4)) {
        let mut cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < text.len()).collect();
        cuts.push(text.len());
        cuts.sort_unstable();
        cuts.dedup();
        let mut plain = Plain::new(&text, options);
        let mut stretches = Vec::new();
        let mut position = 0;
        for cut in cuts {
            stretches.push(Stretch::Tokens { length: cut - position });
            stretches.push(Stretch::Stored { length: 0 });
            while position < cut {
                position = cut.min(options.portion.map_or(cut, |portion| position + portion));
                plain.run(position);
            }
        }
        let segment = SegmentText { text: &text, start: 0, since_flush: 0 };
        let corrections = find_corrections(&mut AnyModel::new(options), segment, &stretches, &plain.tokens, MatchForm::Place)?;
        prop_assert_eq!(corrections, vec![]);
    }

    #[test]
    fn models_bear_any_tokens(
        text in text(),
        options in options(),
        start: proptest::sample::Index,
        since_flush in any::<u64>(),
        ends in proptest::collection::vec(1_usize..3000, 1..20),
        actual in proptest::collection::vec((3_u16..259, 1_u16..200, any::<bool>()), 1..50),
    ) {
        prop_assume!(!text.is_empty());
        let mut model = AnyModel::new(options);
        for round in 0..2 {
            let mut position = start.index(text.len()) * round;
            let mut end = text.len().min(position + ends[0]);
            let since_flush = since_flush >> (since_flush % 64);
            model.begin(&text, position, since_flush, end);
            let mut ends = ends.iter().cycle();
            for &(length, distance, is_match) in actual.iter().cycle() {
                if position == end {
                    end = text.len().min(end + ends.next().unwrap());
                    model.flush(&text, position, end);
                }
                if position == text.len() {
                    break;
                }
                let predicted = model.predict(&text, position);
                prop_assert_eq!(predicted, valid(predicted, &text, position, end));
                let token = if is_match { Token::matched(length, distance) } else { predicted };
                let token = valid(token, &text, position, end);
                model.advance(&text, position, token);
                position += token.length();
            }
        }
    }

    #[test]
    fn models_answer_by_the_segment_alone(first in text(), second in text(), options in options()) {
        let stretches = |text: &[u8]| vec![Stretch::Tokens { length: text.len() }];
        let tokens = |model: &mut AnyModel, text: &[u8]| {
            let segment = SegmentText { text, start: 0, since_flush: 0 };
            let mut tokens = Vec::new();
            find_tokens(model, segment, &stretches(text), &[], |block| {
                tokens.extend_from_slice(block.tokens);
                Ok::<(), ReplayError>(())
            })
            .map(|()| tokens)
        };
        let mut used = AnyModel::new(options);
        tokens(&mut used, &first)?;
        prop_assert_eq!(tokens(&mut used, &second)?, tokens(&mut AnyModel::new(options), &second)?);
    }
}

/// Raw deflate streams of 80,000 bytes of words, runs, noise and far repeats: `zlib-LEVEL` by Python's
/// `zlib.compressobj(LEVEL, wbits=-15)`, `pigz-6` by `pigz -n -p2 -b 32 -6`, less
/// header and trailer; `node-6` by `zlib.deflateRawSync(bytes, { level: 6 })`.
fn check_fixture(deflated: &[u8], options: ZlibOptions) {
    let mut bits = BitReader::at(deflated, 0).unwrap();
    let mut inflater = Inflater::new(u64::MAX);
    let (mut text, mut tokens, mut block, mut stretches) = (vec![], vec![], vec![], vec![]);
    loop {
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut block)
            .unwrap();
        text.extend_from_slice(inflater.plain());
        tokens.extend_from_slice(&block);
        stretches.push(Stretch::Tokens {
            length: inflater.plain().len(),
        });
        if piece.end == PieceEnd::Stream {
            break;
        }
    }
    let segment = SegmentText {
        text: &text,
        start: 0,
        since_flush: 0,
    };
    let corrections = find_corrections(
        &mut AnyModel::new(options),
        segment,
        &stretches,
        &tokens,
        MatchForm::Place,
    )
    .unwrap();
    assert_eq!(corrections, []);
}

#[test]
fn models_know_what_zlib_1_2_13_made() {
    check_fixture(
        include_bytes!("fixtures/zlib-1.deflate"),
        ZlibOptions::new(1),
    );
    check_fixture(
        include_bytes!("fixtures/zlib-6.deflate"),
        ZlibOptions::new(6),
    );
    check_fixture(
        include_bytes!("fixtures/zlib-9.deflate"),
        ZlibOptions::new(9),
    );
}

#[test]
fn models_know_what_node_20_made() {
    check_fixture(
        include_bytes!("fixtures/node-6.deflate"),
        ZlibOptions {
            is_chromium: true,
            ..ZlibOptions::new(6)
        },
    );
}

#[test]
fn models_know_what_pigz_2_6_made() {
    check_fixture(
        include_bytes!("fixtures/pigz-6.deflate"),
        ZlibOptions::pigz(6, 32 << 10, History::Primed),
    );
}
