//! Laws of packs: what goes in comes out, and damage is found.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use std::collections::BTreeMap;

use mica_core::digest::FileId;
use mica_core::pack::{
    Block, BlockLimits, FilePlace, PackError, PackOptions, PackWriter, PackedBlock, Scan,
    decode_block, decode_block_header,
};
use proptest::prelude::*;

const LIMITS: BlockLimits = BlockLimits {
    plain_length: 8_388_608,
    piece_count: 65_536,
};

fn write(files: &[Vec<u8>], chunk: usize, block_length: u32) -> Vec<PackedBlock> {
    let mut writer = PackWriter::new(PackOptions {
        block_length,
        level: 1,
    })
    .unwrap();
    let mut blocks = Vec::new();
    for content in files {
        let size = u64::try_from(content.len()).unwrap();
        writer.begin_file(FileId::of(content), size).unwrap();
        for piece in content.chunks(chunk) {
            blocks.extend(writer.push(piece).unwrap());
        }
        writer.end_file().unwrap();
    }
    blocks.extend(writer.flush().unwrap());
    blocks
}

fn pack_of(blocks: &[PackedBlock]) -> Vec<u8> {
    let mut pack = PackWriter::header();
    for block in blocks {
        assert_eq!(block.offset, u64::try_from(pack.len()).unwrap());
        pack.extend(&block.bytes);
    }
    pack
}

fn places(blocks: &[PackedBlock]) -> BTreeMap<FileId, FilePlace> {
    let files = blocks.iter().flat_map(|block| &block.files);
    files.map(|file| (file.id, file.place)).collect()
}

/// Reads a file the way a store does: block after block from its place.
fn read(pack: &[u8], id: FileId, place: FilePlace) -> Vec<u8> {
    let mut content = Vec::new();
    let mut at = usize::try_from(place.block_offset).unwrap();
    let mut offset = place.offset;
    let mut length = usize::try_from(place.block_length).unwrap();
    loop {
        let block = decode_block(&pack[at..at + length], LIMITS).unwrap();
        let piece = block.piece_at(offset).unwrap();
        assert_eq!((piece.id, piece.file_size), (id, place.size));
        assert_eq!(piece.file_offset, u64::try_from(content.len()).unwrap());
        content.extend_from_slice(block.content(piece));
        if piece.is_last() {
            return content;
        }
        (at, offset) = (at + length, 0);
        let header = decode_block_header(&pack[at..], LIMITS).unwrap();
        length = usize::try_from(header.block_length()).unwrap();
    }
}

/// Files of any sizes around the block length, some of them hard to compress.
fn files() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let file = prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..300),
        (any::<u8>(), 0..3000_usize).prop_map(|(byte, length)| vec![byte; length]),
        (0..2000_u16).prop_map(|words| (0..words).flat_map(u16::to_le_bytes).collect()),
    ];
    proptest::collection::vec(file, 0..12)
}

fn small_pack() -> Vec<u8> {
    let files = [
        b"first file".to_vec(),
        b"second file, second file, second file".to_vec(),
        (0..=255).collect(),
    ];
    pack_of(&write(&files, 1000, 50))
}

proptest! {
    #[test]
    fn every_file_is_read_back_from_its_place(
        files in files(), chunk in 1..2000_usize, block_length in 40..1500_u32,
    ) {
        let blocks = write(&files, chunk, block_length);
        let pack = pack_of(&blocks);
        let places = places(&blocks);
        for content in &files {
            let id = FileId::of(content);
            match places.get(&id) {
                Some(place) => prop_assert_eq!(&read(&pack, id, *place), content),
                None => prop_assert!(content.is_empty()),
            }
        }
    }

    #[test]
    fn chunks_do_not_change_the_bytes(
        files in files(), chunk in 1..2000_usize, block_length in 40..1500_u32,
    ) {
        prop_assert_eq!(
            write(&files, chunk, block_length),
            write(&files, usize::MAX, block_length)
        );
    }

    #[test]
    fn blocks_keep_to_their_length_and_small_files_are_not_cut(
        files in files(), block_length in 40..1500_u32,
    ) {
        let blocks = write(&files, 100, block_length);
        for (index, packed) in blocks.iter().enumerate() {
            let block = decode_block(&packed.bytes, LIMITS).unwrap();
            let length = u32::try_from(block.plain().len()).unwrap();
            prop_assert!(length < 2 * block_length);
            prop_assert!(length >= block_length || index + 1 == blocks.len());
            for piece in block.pieces() {
                let is_whole = u64::from(piece.length) == piece.file_size;
                prop_assert!(is_whole || piece.file_size > u64::from(block_length));
            }
        }
    }

    #[test]
    fn scan_finds_the_places_that_the_writer_gave(
        files in files(), block_length in 40..1500_u32,
    ) {
        let blocks = write(&files, 100, block_length);
        let pack = pack_of(&blocks);
        let mut scan = Scan::new(&pack, LIMITS).unwrap();
        let mut found = BTreeMap::new();
        let mut begun = None;
        for block in scan.by_ref() {
            let block = block.unwrap();
            for piece in block.pieces {
                let here = (block.offset, piece.offset, piece.file_size);
                let place = if piece.file_offset == 0 { here } else { begun.unwrap() };
                begun = Some(place);
                if piece.is_last() {
                    found.insert(piece.id, place);
                }
            }
        }
        prop_assert_eq!(scan.valid_length(), u64::try_from(pack.len()).unwrap());
        let expected: BTreeMap<_, _> = places(&blocks)
            .into_iter()
            .map(|(id, place)| (id, (place.block_offset, place.offset, place.size)))
            .collect();
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn decode_block_takes_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(decode_block(&bytes, LIMITS).is_err());
    }
}

#[test]
fn decode_block_finds_every_damaged_byte() {
    for packed in write(&[vec![7; 300], (0..200).collect()], 100, 1000) {
        for at in 0..packed.bytes.len() {
            for bit in [1, 0x80, 0xff] {
                let mut bytes = packed.bytes.clone();
                bytes[at] ^= bit;
                assert!(decode_block(&bytes, LIMITS).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn decode_block_says_where_a_block_is_cut() {
    let packed = write(&[b"content".to_vec()], 100, 1000).remove(0);
    let whole = packed.bytes.len();
    for length in 0..whole {
        let expected = if length < 56 { 56 } else { whole };
        assert_eq!(
            decode_block(&packed.bytes[..length], LIMITS),
            Err(PackError::Truncated {
                offset: u64::try_from(length).unwrap(),
                expected: u64::try_from(expected).unwrap(),
            })
        );
    }
}

#[test]
fn scan_gives_the_whole_blocks_before_a_cut() {
    let pack = small_pack();
    let mut ends = vec![16];
    ends.extend(Scan::new(&pack, LIMITS).unwrap().map(|block| {
        let block = block.unwrap();
        usize::try_from(block.offset + block.length).unwrap()
    }));
    assert!(ends.len() > 3);
    for length in 16..=pack.len() {
        let mut scan = Scan::new(&pack[..length], LIMITS).unwrap();
        let results: Vec<_> = scan.by_ref().collect();
        let whole = ends.iter().rposition(|end| *end <= length).unwrap();
        let valid = u64::try_from(ends[whole]).unwrap();
        assert_eq!(scan.valid_length(), valid);
        assert_eq!(
            results.iter().filter(|result| result.is_ok()).count(),
            whole
        );
        if ends[whole] < length {
            let damage = results.last().unwrap().clone().unwrap_err();
            assert_eq!(damage.offset, valid);
            assert!(matches!(damage.source, PackError::Truncated { .. }));
        }
    }
}

#[test]
fn scan_passes_over_a_block_whose_payload_is_damaged() {
    let mut pack = small_pack();
    let blocks: Vec<_> = Scan::new(&pack, LIMITS)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let second = &blocks[1];
    let end = usize::try_from(second.offset + second.length).unwrap();
    pack[end - 1] ^= 1;
    let mut scan = Scan::new(&pack, LIMITS).unwrap();
    let results: Vec<_> = scan.by_ref().collect();
    assert_eq!(results.len(), blocks.len());
    for (index, (result, block)) in results.into_iter().zip(&blocks).enumerate() {
        match result {
            Ok(found) => assert_eq!(&found, block),
            Err(damage) => {
                assert_eq!((index, damage.offset), (1, second.offset));
                assert!(matches!(damage.source, PackError::BodyChecksum { .. }));
            }
        }
    }
    assert_eq!(scan.valid_length(), second.offset);
}

#[test]
fn scan_ends_where_there_is_no_whole_header() {
    let mut pack = small_pack();
    let first = Scan::new(&pack, LIMITS).unwrap().next().unwrap().unwrap();
    let second = first.offset + first.length;
    pack[usize::try_from(second).unwrap() + 20] ^= 1;
    let mut scan = Scan::new(&pack, LIMITS).unwrap();
    assert_eq!(scan.next(), Some(Ok(first)));
    let damage = scan.next().unwrap().unwrap_err();
    assert_eq!(damage.offset, second);
    assert!(matches!(damage.source, PackError::HeaderChecksum { .. }));
    assert_eq!(scan.next(), None);
    assert_eq!(scan.valid_length(), second);
}

#[test]
fn scan_of_a_part_goes_on_where_another_ended() {
    let pack = small_pack();
    let whole: Vec<_> = Scan::new(&pack, LIMITS).unwrap().flatten().collect();
    let mut found = Vec::new();
    let mut offset = 16;
    let mut window = 60;
    while offset < pack.len() {
        let end = pack.len().min(offset + window);
        let base = u64::try_from(offset).unwrap();
        let mut scan = Scan::part(&pack[offset..end], base, LIMITS);
        found.extend(scan.by_ref().flatten());
        let valid = usize::try_from(scan.valid_length()).unwrap();
        window = if valid == offset { window * 2 } else { 60 };
        offset = valid;
    }
    assert_eq!(found, whole);
}

#[test]
fn a_pack_without_files_is_its_header() {
    let pack = pack_of(&write(&[Vec::new()], 1, 1));
    assert_eq!(pack.len(), 16);
    let mut scan = Scan::new(&pack, LIMITS).unwrap();
    assert_eq!(scan.next(), None);
    assert_eq!(scan.valid_length(), 16);
}

#[test]
fn a_writer_that_appends_counts_from_the_offset_it_was_given() {
    let mut writer = PackWriter::append(PackOptions::default(), 1000).unwrap();
    writer.begin_file(FileId::of(b"a"), 1).unwrap();
    writer.push(b"a").unwrap();
    writer.end_file().unwrap();
    let block = writer.flush().unwrap().unwrap();
    assert_eq!(
        (block.offset, block.files[0].place.block_offset),
        (1000, 1000)
    );
    writer.begin_file(FileId::of(b"b"), 1).unwrap();
    writer.push(b"b").unwrap();
    writer.end_file().unwrap();
    let next = writer.flush().unwrap().unwrap();
    assert_eq!(
        next.offset,
        1000 + u64::try_from(block.bytes.len()).unwrap()
    );
}

#[test]
fn a_block_of_very_many_files_is_closed_at_the_limit() {
    let files: Vec<Vec<u8>> = (0..70_000_u32).map(|n| n.to_le_bytes().to_vec()).collect();
    let blocks = write(&files, 4, 1_048_576);
    let counts: Vec<usize> = blocks.iter().map(|block| block.files.len()).collect();
    assert_eq!(counts, [65_536, 4464]);
    let block: Block = decode_block(&blocks[0].bytes, LIMITS).unwrap();
    assert_eq!(block.plain().len(), 4 * 65_536);
}
