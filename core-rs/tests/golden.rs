//! Bytes of version 1 that have to be read for ever.
//!
//! `pack-v1.bin` and `difference-v1.bin` were made once by the functions here, with libzstd 1.5.7.
//! They are never made again: a change that does not read them needs another version.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use mica_core::difference::{
    DifferenceDecoder, DifferenceEncoder, DifferenceOptions, Event, Layer, Reference,
};
use mica_core::digest::FileId;
use mica_core::pack::{BlockLimits, PackOptions, PackWriter, Scan, decode_block};

const PACK: &[u8] = include_bytes!("golden/pack-v1.bin");
const DIFFERENCE: &[u8] = include_bytes!("golden/difference-v1.bin");

const OPTIONS: PackOptions = PackOptions {
    block_length: 200,
    level: 6,
};

/// One that shares a block, one that is cut, one that shares the block of its last piece, and one whose
/// block does not shrink.
fn files() -> [Vec<u8>; 4] {
    [
        b"a small file\n".to_vec(),
        b"one line of a longer file\n".repeat(20),
        (0..=120).map(|byte: u8| byte.wrapping_mul(151)).collect(),
        (0..=40).map(|byte: u8| byte.wrapping_mul(89)).collect(),
    ]
}

fn reference(content: &[u8]) -> Reference {
    Reference {
        id: FileId::of(content),
        size: u64::try_from(content.len()).unwrap(),
    }
}

fn encode_pack() -> Vec<u8> {
    let mut writer = PackWriter::new(OPTIONS).unwrap();
    let mut pack = PackWriter::header();
    for content in files() {
        let Reference { id, size } = reference(&content);
        writer.begin_file(id, size).unwrap();
        for block in writer.push(&content).unwrap() {
            pack.extend(block.bytes);
        }
        writer.end_file().unwrap();
    }
    pack.extend(writer.flush().unwrap().unwrap().bytes);
    pack
}

fn layer() -> Layer {
    Layer {
        diff_id: format!("sha256:{}", "0123456789abcdef".repeat(4))
            .parse()
            .unwrap(),
        reference_count: 5,
        tar_part_length: 1024,
    }
}

fn references() -> [Reference; 5] {
    let [first, second, third, fourth] = files();
    [&*first, &*second, &*third, &*fourth, b""].map(reference)
}

fn encode_difference() -> Vec<u8> {
    let mut encoder = DifferenceEncoder::new(DifferenceOptions { pack: OPTIONS }).unwrap();
    let mut stream = encoder.manifest(b"{\"layers\":[]}").unwrap();
    stream.extend(encoder.config(b"{\"rootfs\":{}}").unwrap());
    stream.extend(encoder.begin_layer(&layer()).unwrap());
    stream.extend(encoder.references(&references()).unwrap());
    stream.extend(encoder.tar_part(&[0; 1024]).unwrap());
    for content in files() {
        let Reference { id, size } = reference(&content);
        encoder.begin_file(id, size).unwrap();
        stream.extend(encoder.push(&content).unwrap());
        encoder.end_file().unwrap();
    }
    stream.extend(encoder.finish().unwrap());
    stream
}

#[test]
fn packs_of_version_1_are_read() {
    let mut contents: Vec<Vec<u8>> = Vec::new();
    for block in Scan::new(PACK, BlockLimits::default()).unwrap() {
        let block = block.unwrap();
        let start = usize::try_from(block.offset).unwrap();
        let end = start + usize::try_from(block.length).unwrap();
        let block = decode_block(&PACK[start..end], BlockLimits::default()).unwrap();
        for piece in block.pieces() {
            if piece.file_offset == 0 {
                contents.push(Vec::new());
            }
            contents.last_mut().unwrap().extend(block.content(piece));
        }
    }
    assert_eq!(contents, files());
}

#[test]
fn differences_of_version_1_are_read() {
    let mut layers = Vec::new();
    let mut listed = Vec::new();
    let mut contents: Vec<Vec<u8>> = Vec::new();
    let mut others = Vec::new();
    let mut decoder = DifferenceDecoder::new();
    decoder
        .push(DIFFERENCE, &mut |event: Event<'_>| match event {
            Event::Layer(layer) => layers.push(layer.clone()),
            Event::References(run) => listed.extend_from_slice(run),
            Event::File(_) => contents.push(Vec::new()),
            Event::Content(run) => contents.last_mut().unwrap().extend(run),
            Event::Manifest(run) | Event::Config(run) | Event::TarPart(run) => {
                others.push(run.to_vec());
            }
            Event::EndLayer | Event::EndFile | Event::End(_) => {}
        })
        .unwrap();
    assert_eq!(decoder.finish().unwrap().files, 4);
    assert_eq!((layers, &*listed), (vec![layer()], &references()[..]));
    let expected: [&[u8]; 3] = [b"{\"layers\":[]}", b"{\"rootfs\":{}}", &[0; 1024]];
    assert_eq!(others, expected);
    assert_eq!(contents, files());
}

/// Holds on every machine as long as libzstd is 1.5.7. A newer one may find shorter frames; then this
/// test gets files of its own.
#[test]
fn the_same_input_gives_the_same_bytes_on_every_machine() {
    assert_eq!(encode_pack(), PACK);
    assert_eq!(encode_difference(), DIFFERENCE);
}
