//! Laws of the tar parser, on any bytes, on broken archives and on streams that are too long to keep.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use std::fs;

use mica_core::tar::{FileEnd, FileEntry, TarParser, TarSink};
use proptest::prelude::*;
use proptest::sample::Index;

#[path = "laws/tar.rs"]
mod laws;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tar");

/// All archives with oddities, in the order of their names.
fn archives() -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(FOLDER)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| {
        let extension = path.extension().unwrap().to_str().unwrap();
        ["tar", "cpio", "zip", "txt", "bin"].contains(&extension)
    });
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

fn header(kind: u8, path: &str, size: u64) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..path.len()].copy_from_slice(path.as_bytes());
    block[124..136].copy_from_slice(&[&[0x80, 0, 0, 0], &size.to_be_bytes()[..]].concat());
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar  \0");
    with_checksum(block)
}

fn with_checksum(mut block: Vec<u8>) -> Vec<u8> {
    block[148..156].fill(b' ');
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Some blocks of two archives, a few bytes of them changed, most of them with checksums that are
/// right for a header.
fn broken_archive() -> impl Strategy<Value = Vec<u8>> {
    let archive = (0..archives().len(), any::<Index>(), 1..12_usize);
    // Type, size, path, magic, prefix, whether there are extension blocks; or any other byte.
    let place = prop_oneof![
        Just(156),
        124..136_usize,
        Just(0),
        Just(262),
        Just(345),
        Just(482),
        0..512_usize
    ];
    let byte = prop_oneof![
        prop::sample::select(&b"\0 01257xgLKSZ9+-=\xff\x80"[..]),
        any::<u8>()
    ];
    let change = (any::<Index>(), place, byte, prop::bool::weighted(0.9));
    (
        archive.clone(),
        archive,
        prop::collection::vec(change, 0..6),
        any::<Index>(),
    )
        .prop_map(|(first, second, changes, cut)| {
            let archives = archives();
            let mut bytes = Vec::new();
            for (archive, start, count) in [first, second] {
                let blocks: Vec<_> = archives[archive].chunks(512).collect();
                let start = start.index(blocks.len() + 1);
                let start = if start % 2 == 0 { 0 } else { start };
                bytes.extend(blocks.iter().skip(start).take(count).copied().flatten());
            }
            for (block, place, byte, is_header) in changes {
                let start = block.index(bytes.len() / 512 + 1) * 512;
                if let Some(block) = bytes.get_mut(start..start + 512) {
                    block[place] = byte;
                    if is_header {
                        let right = with_checksum(block.to_vec());
                        block.copy_from_slice(&right);
                    }
                }
            }
            bytes.truncate(
                bytes
                    .len()
                    .saturating_sub(cut.index(4000).saturating_sub(3000)),
            );
            bytes
        })
}

fn cuts() -> impl Strategy<Value = Vec<usize>> {
    prop::collection::vec(prop_oneof![0..5_usize, 500..520_usize, 0..2000_usize], 1..6)
}

proptest! {
    #[test]
    fn push_keeps_its_laws_on_any_bytes(
        input in prop::collection::vec(any::<u8>(), 0..3000),
        cuts in cuts(),
    ) {
        laws::check(&input, &cuts);
    }

    #[test]
    fn push_keeps_its_laws_on_broken_archives(input in broken_archive(), cuts in cuts()) {
        laws::check(&input, &cuts);
    }
}

#[test]
fn push_keeps_its_laws_on_archives_with_oddities() {
    for archive in archives() {
        for cuts in [
            &[1_usize][..],
            &[7],
            &[0, 511],
            &[512],
            &[513, 3],
            &[1024, 0, 100],
        ] {
            laws::check(&archive, cuts);
        }
    }
}

/// Keeps sums only.
#[derive(Default)]
struct Sums {
    literal: u64,
    content: u64,
    files: Vec<(u64, Option<FileEnd>)>,
}

impl TarSink for Sums {
    fn literal(&mut self, bytes: &[u8]) {
        self.literal += bytes.len() as u64;
    }
    fn begin_file(&mut self, entry: FileEntry<'_>) {
        self.files.push((entry.size, None));
    }
    fn content(&mut self, bytes: &[u8]) {
        self.content += bytes.len() as u64;
    }
    fn end_file(&mut self, end: FileEnd) {
        self.files.last_mut().unwrap().1 = Some(end);
    }
}

fn sums(parts: impl IntoIterator<Item = Vec<u8>>) -> Sums {
    let (mut parser, mut sums) = (TarParser::new(), Sums::default());
    for part in parts {
        parser.push(&part, &mut sums).unwrap();
    }
    parser.finish(&mut sums).unwrap();
    sums
}

#[test]
fn push_finds_what_comes_after_a_file_of_more_than_four_gibibytes() {
    const PIECE: usize = 1 << 24;
    const PIECES: usize = 257;
    let size = (PIECE * PIECES) as u64 - 5;
    let mut parser = TarParser::new();
    let mut sums = Sums::default();
    let zeros = vec![0; PIECE];
    parser.push(&header(b'0', "big", size), &mut sums).unwrap();
    for _ in 0..PIECES {
        parser.push(&zeros, &mut sums).unwrap();
    }
    parser.push(&header(b'0', "after", 0), &mut sums).unwrap();
    parser.finish(&mut sums).unwrap();
    let complete = Some(FileEnd::Complete);
    assert_eq!(sums.files, [(size, complete), (0, complete)]);
    assert_eq!((sums.content, sums.literal), (size, 1024 + 5));
}

#[test]
fn push_takes_the_largest_size_that_a_header_can_have() {
    let most = i64::MAX.cast_unsigned();
    let file = sums([header(b'0', "most", most), vec![1; 5000]]);
    assert_eq!(file.files, [(most, Some(FileEnd::Truncated))]);
    assert_eq!((file.content, file.literal), (5000, 512));
    let other = sums([header(b'Z', "most", most), vec![1; 5000]]);
    assert_eq!((other.content, other.literal), (0, 5512));
}

#[test]
fn push_takes_endless_extension_blocks_as_literal() {
    let mut sparse = header(b'S', "sparse", 3);
    sparse[482] = 1;
    let mut extension = vec![0; 512];
    extension[504] = 1;
    let parts = [with_checksum(sparse), extension.repeat(10_000)];
    let endless = sums(parts.clone());
    assert_eq!((endless.literal, endless.files.len()), (512 * 10_001, 0));
    let ended = sums(parts.into_iter().chain([vec![0; 512], vec![7; 512]]));
    assert_eq!(ended.files, [(3, Some(FileEnd::Complete))]);
}

#[test]
fn push_takes_all_as_literal_after_metadata_longer_than_the_limit() {
    for kind in *b"xgL" {
        let archive = |size: usize| {
            let record = format!("{size} a={}\n", "b".repeat(size - 11));
            [header(kind, "long", size as u64), record.into_bytes()]
                .into_iter()
                .chain([
                    vec![0; size.next_multiple_of(512) - size],
                    header(b'0', "file", 0),
                ])
        };
        assert_eq!(sums(archive(1_048_576)).files.len(), 1);
        assert_eq!(sums(archive(1_048_577)).files.len(), 0);
    }
}
