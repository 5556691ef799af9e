//! Builders of code tables predict every header of the streams that their encoders wrote.

#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

use mica_core::deflate::{
    BitReader, BitWriter, BlockHeader, BlockKind, Inflater, PieceEnd, Token, read_header,
    write_header,
};
use mica_core::gzip::parse_header;
use mica_core::model::tables::{
    BlockFacts, BlockPlace, CallLimit, Frequencies, KlauspostLevel, KlauspostVersion, TableBuilder,
};
use proptest::prelude::*;

struct ReadBlock {
    kind: BlockKind,
    tokens: Vec<Token>,
    plain: Vec<u8>,
    place: BlockPlace,
}

fn read_blocks(name: &str) -> Vec<ReadBlock> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/headers");
    let file = std::fs::read(format!("{folder}/{name}.gz")).unwrap();
    let deflate = &file[parse_header(&file).unwrap().as_bytes().len()..];
    let mut bits = BitReader::new(deflate);
    let mut inflater = Inflater::new(u64::MAX);
    let mut blocks: Vec<ReadBlock> = Vec::new();
    let (mut since_flush, mut flushed) = (0, 0);
    loop {
        let mut tokens = Vec::new();
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut tokens)
            .unwrap();
        let header = piece.header.unwrap();
        let plain = inflater.plain().to_vec();
        let is_flush = plain.is_empty() || header.is_final;
        blocks.push(ReadBlock {
            kind: header.kind,
            tokens,
            place: BlockPlace {
                plain_length: plain.len() as u64,
                is_final: header.is_final,
                bit_offset: piece.bit_offset,
                since_flush,
                input_length: u64::MAX,
            },
            plain,
        });
        since_flush += inflater.plain().len() as u64;
        if is_flush {
            for block in &mut blocks[flushed..] {
                block.place.input_length = since_flush;
            }
            (since_flush, flushed) = (0, blocks.len());
        }
        if piece.end == PieceEnd::Stream {
            return blocks;
        }
    }
}

/// What is known of each call that made a block. Of a stored block the tokens are not: its bytes.
fn calls(block: &ReadBlock, limit: CallLimit) -> Vec<(Frequencies, BlockPlace)> {
    let mut place = block.place;
    if block.tokens.is_empty() {
        return vec![(Frequencies::of_plain(&block.plain), place)];
    }
    let mut calls = Vec::new();
    let mut rest = &block.tokens[..];
    while !rest.is_empty() {
        let (count, plain_length) = limit.first_call(rest);
        place.plain_length = plain_length;
        calls.push((Frequencies::of_tokens(&rest[..count]), place));
        place.since_flush += plain_length;
        rest = &rest[count..];
    }
    calls
}

/// Predicts all headers of a stream, and which calls have none. Gives the number of those.
fn assert_predicts(mut builder: TableBuilder, name: &str) -> usize {
    let mut without_header = 0;
    for (index, block) in read_blocks(name).iter().enumerate() {
        if !block.tokens.is_empty() {
            let predicted = builder.predict_block(&block.tokens, block.place);
            assert_eq!(predicted, block.kind, "{name}, block {index} alone");
        }
        let calls = calls(block, builder.call_limit());
        for (number, (frequencies, place)) in calls.iter().enumerate() {
            let facts = BlockFacts {
                frequencies,
                place: *place,
            };
            let actual = (number == 0).then_some(&block.kind);
            let predicted = builder.predict(&facts);
            assert_eq!(
                predicted.as_ref(),
                actual,
                "{name}, block {index}, call {number}"
            );
            builder.follow(&facts, actual);
            without_header += usize::from(actual.is_none());
        }
    }
    without_header
}

#[test]
fn go_predicts_the_streams_of_go() {
    assert_predicts(TableBuilder::Go, "go-6");
    assert_predicts(TableBuilder::GoFast, "go-1");
}

#[test]
fn zlib_predicts_the_streams_of_zlib_and_gzip() {
    for name in [
        "zlib-1-memory-8",
        "zlib-6-memory-1",
        "zlib-6-memory-8",
        "gzip-6",
    ] {
        assert_predicts(TableBuilder::Zlib, name);
    }
}

#[test]
fn pigz_predicts_the_streams_of_pigz() {
    assert_predicts(TableBuilder::Pigz, "pigz-6");
}

#[test]
fn klauspost_predicts_the_streams_of_its_versions() {
    use KlauspostLevel::{Fast, Lazy};
    use KlauspostVersion::{V1_11, V1_12, V1_14, V1_18_1, V1_18_2, V1_20_4};
    let mut without_header = 0;
    for (version, level, name) in [
        (V1_11, Fast, "klauspost-1.11.13-5"),
        (V1_12, Fast, "klauspost-1.13.6-5"),
        (V1_12, Lazy, "klauspost-1.13.6-9"),
        (V1_14, Fast, "klauspost-1.15.15-5"),
        (V1_14, Lazy, "klauspost-1.15.15-9"),
        (V1_18_1, Fast, "klauspost-1.18.1-5"),
        (V1_18_2, Fast, "klauspost-1.20.2-5"),
        (V1_20_4, Fast, "klauspost-1.20.4-5"),
        (V1_20_4, Lazy, "klauspost-1.20.4-9"),
    ] {
        without_header += assert_predicts(TableBuilder::klauspost(version, level), name);
    }
    assert!(without_header >= 6, "some blocks go on over calls");
}

#[test]
fn first_call_takes_as_many_tokens_as_the_limit_says() {
    let tokens = [
        Token::literal(1),
        Token::matched(10, 1),
        Token::literal(2),
        Token::literal(3),
    ];
    assert_eq!(CallLimit::Block.first_call(&tokens), (4, 13));
    assert_eq!(CallLimit::Plain(11).first_call(&tokens), (2, 11));
    assert_eq!(CallLimit::Plain(12).first_call(&tokens), (3, 12));
    assert_eq!(CallLimit::Tokens(1).first_call(&tokens), (1, 1));
    assert_eq!(CallLimit::Tokens(9).first_call(&[]), (0, 0));
}

fn builders() -> Vec<TableBuilder> {
    use KlauspostLevel::{Fast, Lazy, Literals};
    use KlauspostVersion::{V1_11, V1_12, V1_14, V1_18_1, V1_18_2, V1_20_4};
    let mut builders = vec![
        TableBuilder::Stored,
        TableBuilder::Go,
        TableBuilder::GoFast,
        TableBuilder::GoLiterals,
        TableBuilder::Zlib,
        TableBuilder::Pigz,
    ];
    for version in [V1_11, V1_12, V1_14, V1_18_1, V1_18_2, V1_20_4] {
        for level in [Fast, Lazy, Literals] {
            builders.push(TableBuilder::klauspost(version, level));
            builders.push(TableBuilder::pgzip(version, level));
        }
    }
    builders
}

fn token() -> impl Strategy<Value = Token> {
    prop_oneof![
        3 => any::<u8>().prop_map(Token::literal),
        2 => (0_u8..3).prop_map(Token::literal),
        2 => (3_u16..=258, 1_u16..=32_768)
            .prop_map(|(length, distance)| Token::matched(length, distance)),
        1 => (3_u16..6, 1_u16..4).prop_map(|(length, distance)| Token::matched(length, distance)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn a_predicted_header_can_be_written_and_read(
        tokens in prop::collection::vec(token(), 0..2000),
        is_final in any::<bool>(),
        bit_offset in 0_u64..8,
        since_flush in prop_oneof![Just(0_u64), 0_u64..200_000],
        left in prop_oneof![Just(0_u64), 0_u64..200_000, Just(u64::MAX)],
    ) {
        let plain_length = tokens.iter().map(|token| token.length() as u64).sum();
        let place = BlockPlace {
            plain_length,
            is_final,
            bit_offset,
            since_flush,
            input_length: left.saturating_add(since_flush + plain_length),
        };
        for builder in builders() {
            let header = BlockHeader {
                is_final,
                kind: builder.predict_block(&tokens, place),
            };
            let mut bits = BitWriter::new();
            write_header(&mut bits, &header).unwrap();
            let bytes = bits.finish();
            prop_assert_eq!(read_header(&mut BitReader::new(&bytes)).unwrap(), header);
        }
    }
}
