//! Deflate streams read as tokens and written again have the same bits.

#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress, write::DeflateEncoder};
use mica_core::deflate::{
    BitReader, BitWriter, BlockHeader, BlockKind, BlockWriter, InflateError, Inflater, Piece,
    PieceEnd, Token, WriteError,
};
use proptest::prelude::*;

/// Bytes of plain text that streams may give.
const LIMIT: u64 = 1 << 20;

struct Read {
    plain: Vec<u8>,
    pieces: Vec<(Piece, Vec<Token>)>,
    /// The stream written again.
    again: Vec<u8>,
    /// Bytes of the input that belong to the stream.
    used: usize,
}

/// Reads a whole stream in pieces that end every `step` bytes, and writes it again, padding of the
/// last byte included.
fn read_and_write(stream: &[u8], step: u64) -> Result<Read, InflateError> {
    let mut inflater = Inflater::new(LIMIT);
    let mut reader = BitReader::new(stream);
    let mut writer = BitWriter::new();
    let mut block_writer = BlockWriter::default();
    let mut tokens = Vec::new();
    let mut plain = Vec::new();
    let mut pieces = Vec::new();
    loop {
        let end = inflater.total().saturating_add(step);
        let piece = inflater.read_piece(&mut reader, end, &mut tokens)?;
        assert_eq!(piece.bit_offset, writer.bit_length());
        plain.extend_from_slice(inflater.plain());
        write_piece(
            &mut block_writer,
            &mut writer,
            &piece,
            &tokens,
            inflater.plain(),
        );
        assert_eq!(piece.bit_end, writer.bit_length());
        let end = piece.end;
        pieces.push((piece, tokens.clone()));
        if end == PieceEnd::Stream {
            break;
        }
    }
    writer.write_padding(reader.read_padding());
    let used = usize::try_from(reader.bit_offset() / 8).unwrap();
    assert_eq!(inflater.total(), plain.len() as u64);
    Ok(Read {
        plain,
        pieces,
        again: writer.finish(),
        used,
    })
}

fn write_piece(
    blocks: &mut BlockWriter,
    bits: &mut BitWriter,
    piece: &Piece,
    tokens: &[Token],
    plain: &[u8],
) {
    if let Some(header) = &piece.header {
        if let BlockKind::Stored { .. } = header.kind {
            return blocks.write_stored(bits, header, plain).unwrap();
        }
        blocks.begin_block(bits, header).unwrap();
    }
    blocks
        .write_tokens(bits, tokens, &piece.long_forms)
        .unwrap();
    if piece.end != PieceEnd::Open {
        blocks.end_block(bits).unwrap();
    }
}

fn assert_exact(stream: &[u8], plain: &[u8]) -> Vec<(Piece, Vec<Token>)> {
    let read = read_and_write(stream, u64::MAX).unwrap();
    assert!(read.plain == plain, "plain text differs");
    assert!(read.again == stream[..read.used], "bits differ");
    let parts = read_and_write(stream, 1000).unwrap();
    assert!(parts.plain == plain, "plain text of parts differs");
    assert!(parts.again == stream[..read.used], "bits of parts differ");
    read.pieces
}

/// Text with repeats near and far, and bytes without any pattern.
fn sample(length: usize) -> Vec<u8> {
    let mut state = 12_345_u32;
    let mut bytes = Vec::with_capacity(length + 300);
    while bytes.len() < length {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let pick = (state >> 16) as usize;
        match pick % 4 {
            0 if bytes.len() > 40_000 => {
                let start = bytes.len() - 1 - (pick * 7) % 33_000;
                let end = (start + pick % 290).min(bytes.len());
                bytes.extend_from_within(start..end);
            }
            1 => bytes.extend(std::iter::repeat_n(pick.to_le_bytes()[0], pick % 600)),
            2 => bytes.extend_from_slice(format!("/usr/lib/{pick}/file\n").as_bytes()),
            _ => bytes.extend_from_slice(&state.to_le_bytes()),
        }
    }
    bytes.truncate(length);
    bytes
}

fn deflate(plain: &[u8], level: u32) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn read_piece_and_write_block_give_the_same_bits_for_all_levels() {
    for length in [0, 1, 100, 70_000, 700_000] {
        let plain = sample(length);
        for level in 0..=9 {
            assert_exact(&deflate(&plain, level), &plain);
            let by_miniz = miniz_oxide::deflate::compress_to_vec(&plain, level.to_le_bytes()[0]);
            assert_exact(&by_miniz, &plain);
        }
    }
}

#[test]
fn read_piece_reads_flushes_of_every_kind() {
    let plain = sample(200_000);
    let mut stream = Vec::with_capacity(400_000);
    let mut compress = Compress::new(Compression::new(6), false);
    let flushes = [
        FlushCompress::Sync,
        FlushCompress::Partial,
        FlushCompress::Full,
    ];
    for (index, part) in plain.chunks(1_777).enumerate() {
        let flush = flushes[index % 3];
        compress.compress_vec(part, &mut stream, flush).unwrap();
    }
    compress
        .compress_vec(&[], &mut stream, FlushCompress::Finish)
        .unwrap();
    let blocks = assert_exact(&stream, &plain);
    assert!(blocks.len() > 200);
}

#[test]
fn read_piece_keeps_odd_padding_of_stored_blocks() {
    // Final, stored, padding 0b10110; one byte.
    let stream = [0b1011_0001, 1, 0, 0xfe, 0xff, b'x'];
    let blocks = assert_exact(&stream, b"x");
    assert_eq!(
        blocks[0].0.header.as_ref().unwrap().kind,
        BlockKind::Stored {
            length: 1,
            padding: 0b1_0110
        }
    );
}

#[test]
fn read_piece_keeps_both_forms_of_the_longest_match() {
    let tokens = |count| {
        let longest = Token::matched(258, 1);
        let mut tokens = vec![Token::literal(b'a')];
        tokens.extend(std::iter::repeat_n(longest, count));
        tokens
    };
    let header = BlockHeader {
        is_final: true,
        kind: BlockKind::Fixed,
    };
    let mut writer = BitWriter::new();
    let mut blocks = BlockWriter::default();
    blocks.begin_block(&mut writer, &header).unwrap();
    blocks
        .write_tokens(&mut writer, &tokens(5), &[2, 4])
        .unwrap();
    blocks.end_block(&mut writer).unwrap();
    let stream = writer.finish();
    let blocks = assert_exact(&stream, &vec![b'a'; 1 + 5 * 258]);
    assert_eq!(blocks[0].0.header.as_ref(), Some(&header));
    assert_eq!(blocks[0].0.long_forms, [2, 4]);
    assert_eq!(blocks[0].1, tokens(5));
    let mut plain = Vec::new();
    std::io::Read::read_to_end(
        &mut flate2::read::DeflateDecoder::new(&stream[..]),
        &mut plain,
    )
    .unwrap();
    assert_eq!(plain.len(), 1 + 5 * 258);
}

#[test]
fn write_tokens_refuses_a_long_form_that_is_none() {
    let mut blocks = BlockWriter::default();
    blocks.open_block(&BlockKind::Fixed).unwrap();
    let tokens = [Token::literal(b'a')];
    let result = blocks.write_tokens(&mut BitWriter::new(), &tokens, &[0]);
    assert_eq!(result, Err(WriteError::LongForm { index: 0 }));
}

#[test]
fn read_piece_stays_before_a_block_that_is_not_all_there() {
    let plain = sample(150_000);
    let stream = deflate(&plain, 6);
    let mut inflater = Inflater::new(u64::MAX);
    let (mut have, mut bit_offset) = (0, 0);
    let (mut tokens, mut result) = (Vec::new(), Vec::new());
    loop {
        let mut reader = BitReader::at(&stream[..have], bit_offset).unwrap();
        match inflater.read_piece(&mut reader, inflater.total() + 70_000, &mut tokens) {
            Ok(piece) => {
                result.extend_from_slice(inflater.plain());
                bit_offset = piece.bit_end;
                if piece.end == PieceEnd::Stream {
                    break;
                }
            }
            Err(InflateError::Truncated { .. }) => have += 997.min(stream.len() - have),
            Err(error) => panic!("{error}"),
        }
    }
    assert!(result == plain);
}

#[test]
fn read_piece_stops_at_the_limit() {
    let stream = deflate(&vec![0; 2_000_000], 9);
    for step in [1000, u64::MAX] {
        assert!(matches!(
            read_and_write(&stream, step),
            Err(InflateError::OutputLimit {
                expected: LIMIT,
                ..
            })
        ));
    }
}

#[test]
fn read_piece_says_truncated_for_every_prefix() {
    let stream = deflate(&sample(3_000), 6);
    for length in 0..stream.len() {
        let result = read_and_write(&stream[..length], 100);
        assert!(
            matches!(result, Err(InflateError::Truncated { .. })),
            "{length}"
        );
    }
}

/// What zlib makes of the same bytes: its plain text, if it accepts them.
fn oracle(stream: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let mut decoder = flate2::bufread::DeflateDecoder::new(stream);
    std::io::Read::read_to_end(&mut decoder, &mut plain).ok()?;
    Some(plain)
}

proptest! {
    #[test]
    fn reading_any_bytes_ends_and_what_is_read_is_exact(
        stream in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(read) = read_and_write(&stream, 500) {
            prop_assert_eq!(&read.again[..], &stream[..read.used]);
            prop_assert_eq!(Some(read.plain), oracle(&stream));
        }
    }

    #[test]
    fn reading_mutated_streams_ends_and_what_is_read_is_exact(
        level in 0_u32..10,
        length in 0_usize..6_000,
        changes in proptest::collection::vec((any::<prop::sample::Index>(), 0_u32..8), 1..4),
    ) {
        let mut stream = deflate(&sample(length), level);
        for (index, bit) in changes {
            let length = stream.len();
            stream[index.index(length)] ^= 1 << bit;
        }
        match read_and_write(&stream, 500) {
            Ok(read) => {
                prop_assert_eq!(&read.again[..], &stream[..read.used]);
                prop_assert_eq!(Some(read.plain), oracle(&stream));
            }
            Err(InflateError::Truncated { .. } | InflateError::OutputLimit { .. }) => {}
            Err(error) => prop_assert!(oracle(&stream).is_none(), "{}", error),
        }
    }

    #[test]
    fn reading_any_text_back_is_exact(
        plain in proptest::collection::vec(0_u8..4, 0..20_000),
        level in 0_u32..10,
    ) {
        assert_exact(&deflate(&plain, level), &plain);
    }
}
