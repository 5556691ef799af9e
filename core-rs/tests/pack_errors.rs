//! Every way in which a pack can be wrong, and in which it can be written wrongly.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use mica_core::compression::CompressionError;
use mica_core::digest::FileId;
use mica_core::pack::{
    Block, BlockCutter, BlockLimits, PackError, PackOptions, PackWriteError, PackWriter,
    decode_block, decode_pack_header, encode_block, encode_pack_header,
};

const HEADER: usize = 56;

fn decode(bytes: &[u8]) -> Result<Block, PackError> {
    decode_block(bytes, BlockLimits::default())
}

fn block_of(contents: &[&[u8]]) -> Vec<u8> {
    let mut cutter = BlockCutter::new(1_048_576).unwrap();
    for content in contents {
        let size = u64::try_from(content.len()).unwrap();
        cutter.begin_file(FileId::of(content), size).unwrap();
        cutter.push(content).unwrap();
        cutter.end_file().unwrap();
    }
    encode_block(&cutter.flush().unwrap().unwrap(), 3).unwrap()
}

/// Two files of 3 and 4 bytes, stored raw, with one field changed and the checksums made to fit.
fn with_field(at: usize, field: &[u8]) -> Vec<u8> {
    let mut bytes = block_of(&[b"abc", b"defg"]);
    bytes[at..at + field.len()].copy_from_slice(field);
    seal(&mut bytes);
    bytes
}

fn seal(bytes: &mut [u8]) {
    let body = *blake3::hash(&bytes[HEADER..]).as_bytes();
    bytes[36..52].copy_from_slice(&body[..16]);
    let checksum = crc32fast::hash(&bytes[..52]);
    bytes[52..HEADER].copy_from_slice(&checksum.to_le_bytes());
}

#[test]
fn the_layout_is_as_the_document_says() {
    let bytes = block_of(&[b"abc", b"defg"]);
    assert_eq!(&bytes[..4], b"MBLK");
    assert_eq!(bytes[4..8], [0; 4], "raw, no flags");
    assert_eq!(bytes[8..12], 2_u32.to_le_bytes());
    assert_eq!(bytes[12..16], 7_u32.to_le_bytes());
    assert_eq!(bytes[16..20], 7_u32.to_le_bytes());
    assert_eq!(bytes[20..36], [0; 16]);
    assert_eq!(&bytes[56..88], FileId::of(b"abc").as_bytes());
    assert_eq!(bytes[88..92], 3_u32.to_le_bytes());
    assert_eq!(&bytes[92..124], FileId::of(b"defg").as_bytes());
    assert_eq!(bytes[124..128], 4_u32.to_le_bytes());
    assert_eq!(&bytes[128..], b"abcdefg");
    let mut sealed = bytes.clone();
    seal(&mut sealed);
    assert_eq!(sealed, bytes);
}

#[test]
fn decode_block_refuses_bytes_that_are_no_block() {
    let mut bytes = with_field(0, b"MBLX");
    let (got, expected) = (*b"MBLX", *b"MBLK");
    assert_eq!(decode(&bytes), Err(PackError::BlockMagic { got, expected }));
    bytes[0..4].copy_from_slice(b"MBLK");
    let got = u32::from_le_bytes(bytes[52..56].try_into().unwrap());
    let expected = crc32fast::hash(&bytes[..52]);
    assert_eq!(
        decode(&bytes),
        Err(PackError::HeaderChecksum {
            offset: 52,
            got,
            expected
        })
    );
}

#[test]
fn decode_block_refuses_codecs_and_flags_it_does_not_know() {
    assert_eq!(
        decode(&with_field(4, &[2, 0])),
        Err(PackError::Codec { offset: 4, got: 2 })
    );
    assert_eq!(
        decode(&with_field(6, &[0, 1])),
        Err(PackError::Flags {
            offset: 6,
            got: 256
        })
    );
}

#[test]
fn decode_block_refuses_counts_and_lengths_beyond_its_limits() {
    let max = 65_536;
    for got in [0, max + 1, u32::MAX] {
        assert_eq!(
            decode(&with_field(8, &got.to_le_bytes())),
            Err(PackError::PieceCount { got, max })
        );
    }
    let max = 8_388_608;
    for got in [0, max + 1, u32::MAX] {
        assert_eq!(
            decode(&with_field(12, &got.to_le_bytes())),
            Err(PackError::PlainLength { got, max })
        );
    }
    let tight = BlockLimits {
        plain_length: 6,
        piece_count: 1,
    };
    let bytes = block_of(&[b"abc", b"defg"]);
    assert_eq!(
        decode_block(&bytes, tight),
        Err(PackError::PieceCount { got: 2, max: 1 })
    );
    assert_eq!(
        decode_block(
            &bytes,
            BlockLimits {
                piece_count: 2,
                ..tight
            }
        ),
        Err(PackError::PlainLength { got: 7, max: 6 })
    );
}

#[test]
fn decode_block_refuses_payloads_longer_than_their_plain_text() {
    for got in [6_u32, 8, u32::MAX] {
        assert_eq!(
            decode(&with_field(16, &got.to_le_bytes())),
            Err(PackError::StoredLength {
                got,
                plain_length: 7
            }),
            "raw"
        );
    }
    let mut bytes = with_field(4, &[1]);
    assert_eq!(
        decode(&bytes),
        Err(PackError::StoredLength {
            got: 7,
            plain_length: 7
        }),
        "zstd"
    );
    bytes[12..16].copy_from_slice(&8_u32.to_le_bytes());
    bytes[124..128].copy_from_slice(&5_u32.to_le_bytes());
    seal(&mut bytes);
    assert!(matches!(
        decode(&bytes),
        Err(PackError::Payload {
            offset: 128,
            source: CompressionError::Frame { length: 7, .. }
        })
    ));
}

#[test]
fn decode_block_refuses_more_bytes_than_the_block_has() {
    let mut bytes = block_of(&[b"abc"]);
    let offset = u64::try_from(bytes.len()).unwrap();
    bytes.push(0);
    assert_eq!(
        decode(&bytes),
        Err(PackError::TrailingBytes {
            offset,
            got: offset + 1
        })
    );
}

#[test]
fn decode_block_refuses_a_damaged_body() {
    let mut bytes = block_of(&[b"abc"]);
    let expected = bytes[36..52].try_into().unwrap();
    bytes[HEADER] ^= 1;
    let hash = blake3::hash(&bytes[HEADER..]);
    let got = hash.as_bytes()[..16].try_into().unwrap();
    assert_eq!(
        decode(&bytes),
        Err(PackError::BodyChecksum { got, expected })
    );
}

#[test]
fn decode_block_refuses_tables_that_do_not_fit_the_plain_text() {
    assert_eq!(
        decode(&with_field(88, &0_u32.to_le_bytes())),
        Err(PackError::EmptyPiece { offset: 56 })
    );
    assert_eq!(
        decode(&with_field(124, &0_u32.to_le_bytes())),
        Err(PackError::EmptyPiece { offset: 92 })
    );
    for (length, got) in [(3_u32, 6_u64), (5, 8), (u32::MAX, 4_294_967_298)] {
        assert_eq!(
            decode(&with_field(124, &length.to_le_bytes())),
            Err(PackError::PieceLengths { got, expected: 7 })
        );
    }
}

#[test]
fn decode_block_refuses_files_larger_than_any() {
    assert_eq!(
        decode(&with_field(20, &u64::MAX.to_le_bytes())),
        Err(PackError::FileSize { offset: 56 })
    );
    assert_eq!(
        decode(&with_field(28, &u64::MAX.to_le_bytes())),
        Err(PackError::FileSize { offset: 92 })
    );
    let most = (u64::MAX - 4).to_le_bytes();
    let block = decode(&with_field(28, &most)).unwrap();
    assert_eq!(block.pieces()[1].file_size, u64::MAX);
    assert!(!block.pieces()[1].is_last());
}

#[test]
fn decode_pack_header_refuses_anything_else() {
    let header = encode_pack_header();
    assert_eq!(decode_pack_header(&header), Ok(()));
    for length in 0..16 {
        let offset = u64::try_from(length).unwrap();
        let expected = 16;
        assert_eq!(
            decode_pack_header(&header[..length]),
            Err(PackError::Truncated { offset, expected })
        );
    }
    let changed = |at: usize, field: &[u8]| {
        let mut bytes = header.clone();
        bytes[at..at + field.len()].copy_from_slice(field);
        let checksum = crc32fast::hash(&bytes[..12]);
        bytes[12..].copy_from_slice(&checksum.to_le_bytes());
        decode_pack_header(&bytes)
    };
    assert_eq!(
        changed(0, b"micapack"),
        Err(PackError::PackMagic {
            got: *b"micapack",
            expected: *b"MICAPACK"
        })
    );
    assert_eq!(
        changed(8, &[2, 0]),
        Err(PackError::Version {
            got: 2,
            expected: 1
        })
    );
    assert_eq!(
        changed(10, &[1, 0]),
        Err(PackError::Flags { offset: 10, got: 1 })
    );
    let mut damaged = header;
    damaged[9] ^= 1;
    assert!(matches!(
        decode_pack_header(&damaged),
        Err(PackError::HeaderChecksum { offset: 12, .. })
    ));
}

#[test]
fn the_writer_refuses_calls_out_of_order() {
    let mut writer = PackWriter::new(PackOptions::default()).unwrap();
    assert_eq!(writer.push(b"a"), Err(PackWriteError::NoFile));
    assert_eq!(writer.end_file(), Err(PackWriteError::NoFile));
    let id = FileId::of(b"abc");
    writer.begin_file(id, 3).unwrap();
    writer.push(b"ab").unwrap();
    let open = PackWriteError::FileOpen {
        id,
        got: 2,
        expected: 3,
    };
    assert_eq!(writer.begin_file(id, 3), Err(open));
    assert_eq!(writer.end_file(), Err(open));
    assert_eq!(writer.flush(), Err(open));
    let (got, expected) = (4, 3);
    assert_eq!(
        writer.push(b"cd"),
        Err(PackWriteError::TooLong { id, got, expected })
    );
    writer.push(b"c").unwrap();
    writer.end_file().unwrap();
    assert!(writer.flush().unwrap().is_some());
    assert_eq!(writer.flush(), Ok(None));
}

#[test]
fn the_writer_refuses_lengths_and_levels_out_of_range() {
    let max = 4_194_304;
    for got in [0, max + 1] {
        let options = PackOptions {
            block_length: got,
            ..PackOptions::default()
        };
        assert_eq!(
            PackWriter::new(options).err(),
            Some(PackWriteError::BlockLength { got, max })
        );
    }
    let options = PackOptions {
        level: 20,
        ..PackOptions::default()
    };
    let mut writer = PackWriter::new(options).unwrap();
    writer.begin_file(FileId::of(b"a"), 1).unwrap();
    writer.push(b"a").unwrap();
    writer.end_file().unwrap();
    let source = CompressionError::Level {
        got: 20,
        min: 1,
        max: 19,
    };
    assert_eq!(
        writer.flush(),
        Err(PackWriteError::Compress { length: 1, source })
    );
}
