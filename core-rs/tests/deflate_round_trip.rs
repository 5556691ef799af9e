//! Deflate streams read as tokens and written again have the same bits.

#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

use std::io::Write;

use flate2::{Compress, Compression, FlushCompress, write::DeflateEncoder};
use mica_core::deflate::{
    BitReader, BitWriter, Block, BlockHeader, BlockKind, BlockWriter, InflateError, InflateOptions,
    Inflater, Token, WriteError,
};
use proptest::prelude::*;

struct Read {
    plain: Vec<u8>,
    blocks: Vec<(Block, Vec<Token>)>,
    /// The stream written again.
    again: Vec<u8>,
    /// Bytes of the input that belong to the stream.
    used: usize,
}

/// Reads a whole stream and writes it again, padding of the last byte included.
fn read_and_write(stream: &[u8], options: InflateOptions) -> Result<Read, InflateError> {
    let mut inflater = Inflater::new(options);
    let mut reader = BitReader::new(stream);
    let mut writer = BitWriter::new();
    let mut block_writer = BlockWriter::default();
    let mut tokens = Vec::new();
    let mut plain = Vec::new();
    let mut blocks = Vec::new();
    loop {
        let block = inflater.read_block(&mut reader, &mut tokens)?;
        assert_eq!(block.bit_offset, writer.bit_length());
        plain.extend_from_slice(inflater.plain());
        match block.header.kind {
            BlockKind::Stored { .. } => block_writer
                .write_stored(&mut writer, &block.header, inflater.plain())
                .unwrap(),
            _ => block_writer
                .write_tokens(&mut writer, &block.header, &tokens)
                .unwrap(),
        }
        assert_eq!(block.bit_end, writer.bit_length());
        let is_final = block.header.is_final;
        blocks.push((block, tokens.clone()));
        if is_final {
            break;
        }
    }
    writer.write_padding(reader.read_padding());
    let used = usize::try_from(reader.bit_offset() / 8).unwrap();
    assert_eq!(inflater.total(), plain.len() as u64);
    Ok(Read {
        plain,
        blocks,
        again: writer.finish(),
        used,
    })
}

fn assert_exact(stream: &[u8], plain: &[u8]) -> Vec<(Block, Vec<Token>)> {
    let read = read_and_write(stream, InflateOptions::default()).unwrap();
    assert!(read.plain == plain, "plain text differs");
    assert!(read.again == stream[..read.used], "bits differ");
    read.blocks
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
fn read_block_and_write_block_give_the_same_bits_for_all_levels() {
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
fn read_block_reads_flushes_of_every_kind() {
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
fn read_block_keeps_odd_padding_of_stored_blocks() {
    // Final, stored, padding 0b10110; one byte.
    let stream = [0b1011_0001, 1, 0, 0xfe, 0xff, b'x'];
    let blocks = assert_exact(&stream, b"x");
    assert_eq!(
        blocks[0].0.header.kind,
        BlockKind::Stored {
            length: 1,
            padding: 0b1_0110
        }
    );
}

#[test]
fn read_block_keeps_both_forms_of_the_longest_match() {
    let tokens = |count| {
        let longest = Token::matched(258, 1);
        let mut tokens = vec![Token::literal(b'a')];
        tokens.extend(std::iter::repeat_n(longest, count));
        tokens
    };
    let header = BlockHeader {
        is_final: true,
        kind: BlockKind::Fixed,
        long_forms: vec![2, 4],
    };
    let mut writer = BitWriter::new();
    BlockWriter::default()
        .write_tokens(&mut writer, &header, &tokens(5))
        .unwrap();
    let stream = writer.finish();
    let blocks = assert_exact(&stream, &vec![b'a'; 1 + 5 * 258]);
    assert_eq!(blocks[0].0.header, header);
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
    let header = BlockHeader {
        is_final: true,
        kind: BlockKind::Fixed,
        long_forms: vec![0],
    };
    let result = BlockWriter::default().write_tokens(
        &mut BitWriter::new(),
        &header,
        &[Token::literal(b'a')],
    );
    assert_eq!(result, Err(WriteError::LongForm { index: 0 }));
}

#[test]
fn read_block_goes_on_from_any_block_with_its_window() {
    let plain = sample(600_000);
    let stream = deflate(&plain, 6);
    let blocks = assert_exact(&stream, &plain);
    let mut start = 0;
    for (block, tokens) in &blocks {
        let mut inflater = Inflater::with_window(InflateOptions::default(), &plain[..start]);
        let mut reader = BitReader::at(&stream, block.bit_offset).unwrap();
        let mut again = Vec::new();
        assert_eq!(
            &inflater.read_block(&mut reader, &mut again).unwrap(),
            block
        );
        assert_eq!(&again, tokens);
        assert!(inflater.plain() == &plain[start..start + inflater.plain().len()]);
        start += inflater.plain().len();
    }
}

#[test]
fn read_block_stays_before_a_block_that_is_not_all_there() {
    let plain = sample(150_000);
    let stream = deflate(&plain, 6);
    let mut inflater = Inflater::new(InflateOptions::default());
    let (mut have, mut bit_offset) = (0, 0);
    let (mut tokens, mut result) = (Vec::new(), Vec::new());
    loop {
        let mut reader = BitReader::at(&stream[..have], bit_offset).unwrap();
        match inflater.read_block(&mut reader, &mut tokens) {
            Ok(block) => {
                result.extend_from_slice(inflater.plain());
                bit_offset = block.bit_end;
                if block.header.is_final {
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
fn read_block_stops_at_its_limits() {
    let stream = deflate(&vec![0; 1_000_000], 9);
    let options = InflateOptions {
        output_limit: 500_000,
        ..InflateOptions::default()
    };
    assert!(matches!(
        read_and_write(&stream, options),
        Err(InflateError::OutputLimit {
            expected: 500_000,
            ..
        })
    ));
    let options = InflateOptions {
        block_limit: 400_000,
        ..InflateOptions::default()
    };
    assert!(matches!(
        read_and_write(&stream, options),
        Err(InflateError::BlockLimit {
            expected: 400_000,
            ..
        })
    ));
}

#[test]
fn read_block_says_truncated_for_every_prefix() {
    let stream = deflate(&sample(3_000), 6);
    for length in 0..stream.len() {
        let result = read_and_write(&stream[..length], InflateOptions::default());
        assert!(
            matches!(result, Err(InflateError::Truncated { .. })),
            "{length}"
        );
    }
}

fn limits() -> InflateOptions {
    InflateOptions {
        output_limit: 1 << 20,
        block_limit: 1 << 20,
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
        if let Ok(read) = read_and_write(&stream, limits()) {
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
        match read_and_write(&stream, limits()) {
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
