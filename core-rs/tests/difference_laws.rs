//! Laws of differences: what goes in comes out, however the stream is cut, and damage is found.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use std::collections::BTreeSet;

use mica_core::difference::{
    DifferenceDecoder, DifferenceEncoder, DifferenceError, DifferenceOptions, Event, Layer,
    Reference, Totals,
};
use mica_core::digest::FileId;
use mica_core::pack::{PackOptions, PackWriter};
use proptest::prelude::*;

/// An [`Event`] that owns its bytes.
#[derive(Debug, Clone, PartialEq)]
enum Told {
    Manifest(Vec<u8>),
    Config(Vec<u8>),
    Layer(Layer),
    References(Vec<Reference>),
    TarPart(Vec<u8>),
    EndLayer,
    File(Reference),
    Content(Vec<u8>),
    EndFile,
    End(Totals),
}

impl From<Event<'_>> for Told {
    fn from(event: Event<'_>) -> Self {
        match event {
            Event::Manifest(bytes) => Self::Manifest(bytes.to_vec()),
            Event::Config(bytes) => Self::Config(bytes.to_vec()),
            Event::Layer(layer) => Self::Layer(layer.clone()),
            Event::References(references) => Self::References(references.to_vec()),
            Event::TarPart(bytes) => Self::TarPart(bytes.to_vec()),
            Event::EndLayer => Self::EndLayer,
            Event::File(file) => Self::File(file),
            Event::Content(bytes) => Self::Content(bytes.to_vec()),
            Event::EndFile => Self::EndFile,
            Event::End(totals) => Self::End(totals),
        }
    }
}

#[derive(Debug, Clone, Default)]
struct Image {
    manifests: Vec<Vec<u8>>,
    config: Vec<u8>,
    /// Each layer's tar part, and which of the files it has.
    layers: Vec<(Vec<u8>, Vec<usize>)>,
    files: Vec<Vec<u8>>,
}

fn options(block_length: u32) -> DifferenceOptions {
    DifferenceOptions {
        pack: PackOptions {
            block_length,
            level: 1,
        },
    }
}

fn size(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap()
}

fn reference(content: &[u8]) -> Reference {
    Reference {
        id: FileId::of(content),
        size: size(content),
    }
}

fn layer(image: &Image, index: usize) -> Layer {
    let (tar_part, files) = &image.layers[index];
    Layer {
        diff_id: format!("sha256:{index:064x}").parse().unwrap(),
        reference_count: u32::try_from(files.len()).unwrap(),
        tar_part_length: size(tar_part),
    }
}

/// The files that layers refer to and that have bytes, in the order of first use.
fn sent(image: &Image) -> Vec<&[u8]> {
    let mut seen = BTreeSet::new();
    let uses = image.layers.iter().flat_map(|(_, files)| files);
    uses.map(|index| &*image.files[*index])
        .filter(|content| !content.is_empty() && seen.insert(FileId::of(content)))
        .collect()
}

/// Everything before the files.
fn encode_layers(encoder: &mut DifferenceEncoder, image: &Image, chunk: usize) -> Vec<u8> {
    let mut stream = Vec::new();
    for manifest in &image.manifests {
        stream.extend(encoder.manifest(manifest).unwrap());
    }
    stream.extend(encoder.config(&image.config).unwrap());
    for (index, (tar_part, files)) in image.layers.iter().enumerate() {
        stream.extend(encoder.begin_layer(&layer(image, index)).unwrap());
        let references: Vec<_> = files
            .iter()
            .map(|file| reference(&image.files[*file]))
            .collect();
        for run in references.chunks(chunk) {
            stream.extend(encoder.references(run).unwrap());
        }
        for run in tar_part.chunks(chunk) {
            stream.extend(encoder.tar_part(run).unwrap());
        }
    }
    stream
}

fn encode(image: &Image, chunk: usize, block_length: u32) -> Vec<u8> {
    let mut encoder = DifferenceEncoder::new(options(block_length)).unwrap();
    let mut stream = encode_layers(&mut encoder, image, chunk);
    for content in sent(image) {
        let Reference { id, size } = reference(content);
        encoder.begin_file(id, size).unwrap();
        for run in content.chunks(chunk) {
            stream.extend(encoder.push(run).unwrap());
        }
        encoder.end_file().unwrap();
    }
    stream.extend(encoder.finish().unwrap());
    stream
}

fn decode(stream: &[u8], chunk: usize) -> (Vec<Told>, Result<Totals, DifferenceError>) {
    let mut told = Vec::new();
    let mut decoder = DifferenceDecoder::new();
    for run in stream.chunks(chunk) {
        if let Err(error) = decoder.push(run, &mut |event| told.push(event.into())) {
            assert_eq!(decoder.push(b"more", &mut |_| {}), Err(error));
            assert_eq!(decoder.finish(), Err(error));
            return (told, Err(error));
        }
    }
    (told, decoder.finish())
}

/// The image that events tell of; they have to come in the right order.
fn image_of(told: &[Told]) -> ImageTold {
    let (mut manifests, mut config) = (Vec::new(), Vec::new());
    let (mut layers, mut files) = (Vec::<LayerTold>::new(), Vec::<Vec<u8>>::new());
    for event in told {
        match event {
            Told::Manifest(bytes) => manifests.push(bytes.clone()),
            Told::Config(bytes) => config.clone_from(bytes),
            Told::Layer(layer) => layers.push((layer.clone(), Vec::new(), Vec::new())),
            Told::References(run) => layers.last_mut().unwrap().1.extend(run),
            Told::TarPart(run) => layers.last_mut().unwrap().2.extend(run),
            Told::File(_) => files.push(Vec::new()),
            Told::Content(run) => files.last_mut().unwrap().extend(run),
            Told::EndLayer | Told::EndFile | Told::End(_) => {}
        }
    }
    (manifests, config, layers, files)
}

type LayerTold = (Layer, Vec<Reference>, Vec<u8>);

/// Manifests, configuration, layers, files.
type ImageTold = (Vec<Vec<u8>>, Vec<u8>, Vec<LayerTold>, Vec<Vec<u8>>);

fn image() -> impl Strategy<Value = Image> {
    let bytes = || proptest::collection::vec(any::<u8>(), 0..200);
    let file = prop_oneof![
        bytes(),
        (any::<u8>(), 0..2000_usize).prop_map(|(byte, length)| vec![byte; length])
    ];
    let files = proptest::collection::vec(file, 1..6);
    let layer = (
        bytes(),
        proptest::collection::vec(any::<prop::sample::Index>(), 0..8),
    );
    let layers = proptest::collection::vec(layer, 0..4);
    let manifests = proptest::collection::vec(bytes(), 1..4);
    (manifests, bytes(), layers, files).prop_map(|(manifests, config, layers, files)| Image {
        manifests,
        config,
        layers: layers
            .into_iter()
            .map(|(tar_part, uses)| {
                let uses = uses.iter().map(|index| index.index(files.len()));
                (tar_part, uses.collect())
            })
            .collect(),
        files,
    })
}

fn small_image() -> Image {
    Image {
        manifests: vec![b"{\"manifests\":[]}".to_vec(), b"{\"layers\":[]}".to_vec()],
        config: b"{\"rootfs\":{}}".to_vec(),
        layers: vec![
            (vec![0; 512], vec![0, 1, 0, 3]),
            (b"second".to_vec(), vec![2]),
            (Vec::new(), Vec::new()),
        ],
        files: vec![
            b"first file".to_vec(),
            vec![b'x'; 250],
            b"second file".to_vec(),
            Vec::new(),
        ],
    }
}

proptest! {
    #[test]
    fn an_image_comes_out_as_it_went_in(
        image in image(), chunk in 1..300_usize, block_length in 20..300_u32,
    ) {
        let stream = encode(&image, 100, block_length);
        let (told, totals) = decode(&stream, chunk);
        let (manifests, config, layers, files) = image_of(&told);
        prop_assert_eq!(manifests, image.manifests.clone());
        prop_assert_eq!(config, image.config.clone());
        prop_assert_eq!(&files, &sent(&image));
        prop_assert_eq!(layers.len(), image.layers.len());
        for (index, (told_layer, references, tar_part)) in layers.iter().enumerate() {
            let (expected, uses) = &image.layers[index];
            prop_assert_eq!(told_layer, &layer(&image, index));
            prop_assert_eq!(tar_part, expected);
            let expected: Vec<_> = uses.iter().map(|file| reference(&image.files[*file])).collect();
            prop_assert_eq!(references, &expected);
        }
        let totals = totals.unwrap();
        prop_assert_eq!(told.last(), Some(&Told::End(totals)));
        prop_assert_eq!(totals.content_length, files.iter().map(|file| size(file)).sum::<u64>());
    }

    #[test]
    fn chunks_change_neither_bytes_nor_events(
        image in image(), chunk in 1..300_usize, block_length in 20..300_u32,
    ) {
        let stream = encode(&image, chunk, block_length);
        prop_assert_eq!(&stream, &encode(&image, usize::MAX, block_length));
        prop_assert_eq!(decode(&stream, chunk), decode(&stream, usize::MAX));
    }

    #[test]
    fn every_event_before_an_error_is_right(
        image in image(), at in any::<prop::sample::Index>(), bit in 0..8_u32,
    ) {
        let mut stream = encode(&image, 100, 100);
        let (expected, _) = decode(&stream, usize::MAX);
        let at = at.index(stream.len());
        stream[at] ^= 1 << bit;
        let (told, result) = decode(&stream, 100);
        prop_assert!(result.is_err());
        prop_assert_eq!(&expected[..told.len()], &told);
    }

    #[test]
    fn any_bytes_are_taken(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut stream = encode(&small_image(), 100, 100);
        stream.truncate(16);
        for start in [Vec::new(), stream] {
            let whole = [start, bytes.clone()].concat();
            prop_assert_eq!(decode(&whole, 1), decode(&whole, usize::MAX));
            prop_assert!(decode(&whole, 1).1.is_err());
        }
    }
}

#[test]
fn every_damaged_byte_is_found() {
    let stream = encode(&small_image(), 100, 100);
    for at in 0..stream.len() {
        for bit in [1, 0x80, 0xff] {
            let mut damaged = stream.clone();
            damaged[at] ^= bit;
            assert!(decode(&damaged, usize::MAX).1.is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_stream_that_is_cut_anywhere_is_told_so() {
    let stream = encode(&small_image(), 100, 100);
    let mut ends = BTreeSet::new();
    for length in 0..stream.len() {
        let (told, result) = decode(&stream[..length], 7);
        assert!(!matches!(told.last(), Some(Told::End(_))));
        let Err(DifferenceError::Truncated { offset, expected }) = result else {
            panic!("cut at {length}: {result:?}");
        };
        assert_eq!(offset, u64::try_from(length).unwrap());
        assert!(offset < expected && expected <= size(&stream));
        ends.insert(expected);
    }
    assert_eq!(ends.last(), Some(&size(&stream)));
}

#[test]
fn frames_that_are_dropped_repeated_or_swapped_are_found() {
    let stream = encode(&small_image(), 100, 100);
    let mut starts: Vec<usize> = (16..stream.len())
        .filter(|at| {
            let marker = stream.get(*at..at + 4).unwrap_or_default();
            let known: [&[u8]; 7] = [
                b"MANI", b"CONF", b"LAYR", b"REFS", b"TARP", b"MBLK", b"DEND",
            ];
            known.contains(&marker)
        })
        .collect();
    assert_eq!(starts.len(), 14);
    starts.push(stream.len());
    for pair in starts.windows(2) {
        let (start, end) = (pair[0], pair[1]);
        let dropped = [&stream[..start], &stream[end..]].concat();
        assert!(decode(&dropped, usize::MAX).1.is_err(), "without {start}");
        let repeated = [&stream[..end], &stream[start..]].concat();
        assert!(decode(&repeated, usize::MAX).1.is_err(), "twice {start}");
    }
    for triple in starts.windows(3) {
        let (start, middle, end) = (triple[0], triple[1], triple[2]);
        let parts = [
            &stream[..start],
            &stream[middle..end],
            &stream[start..middle],
            &stream[end..],
        ];
        assert!(
            decode(&parts.concat(), usize::MAX).1.is_err(),
            "swap {start}"
        );
    }
}

#[test]
fn blocks_of_a_pack_are_passed_on_as_they_are() {
    let image = small_image();
    let mut writer = PackWriter::new(options(100).pack).unwrap();
    let mut blocks = Vec::new();
    for content in sent(&image) {
        let Reference { id, size } = reference(content);
        writer.begin_file(id, size).unwrap();
        blocks.extend(writer.push(content).unwrap());
        writer.end_file().unwrap();
    }
    blocks.extend(writer.flush().unwrap());
    assert!(blocks.len() > 2, "a file is cut");

    let mut encoder = DifferenceEncoder::new(options(100)).unwrap();
    let mut stream = encode_layers(&mut encoder, &image, 100);
    for block in &blocks {
        stream.extend(encoder.block(&block.bytes).unwrap());
    }
    stream.extend(encoder.finish().unwrap());
    assert_eq!(stream, encode(&image, 100, 100));
}

#[test]
fn blocks_and_files_may_alternate() {
    let image = small_image();
    let files = sent(&image);
    let first = reference(files[0]);
    let mut writer = PackWriter::new(options(100).pack).unwrap();
    writer.begin_file(first.id, first.size).unwrap();
    writer.push(files[0]).unwrap();
    writer.end_file().unwrap();
    let block = writer.flush().unwrap().unwrap().bytes;

    let mut encoder = DifferenceEncoder::new(options(100)).unwrap();
    let mut stream = encode_layers(&mut encoder, &image, 100);
    let third = reference(files[2]);
    encoder.begin_file(third.id, third.size).unwrap();
    stream.extend(encoder.push(files[2]).unwrap());
    encoder.end_file().unwrap();
    stream.extend(encoder.block(&block).unwrap());
    stream.extend(encoder.finish().unwrap());
    let (told, totals) = decode(&stream, usize::MAX);
    assert_eq!(image_of(&told).3, [files[2], files[0]]);
    assert_eq!(totals.unwrap().files, 2);
}

#[test]
fn long_parts_come_in_several_frames() {
    let files: Vec<Vec<u8>> = (0..3_u8).map(|byte| vec![byte; 10]).collect();
    let image = Image {
        manifests: vec![b"{}".to_vec()],
        config: b"{}".to_vec(),
        layers: vec![(vec![9; 2_500_000], (0..40_000).map(|n| n % 3).collect())],
        files,
    };
    let stream = encode(&image, 30_000, 1000);
    assert_eq!(stream, encode(&image, 100_000, 1000));
    let (told, _) = decode(&stream, 5000);
    let lengths: Vec<usize> = told
        .iter()
        .filter_map(|event| match event {
            Told::References(run) => Some(run.len()),
            Told::TarPart(run) => Some(run.len()),
            _ => None,
        })
        .collect();
    assert_eq!(
        lengths,
        [16_384, 16_384, 7232, 1_048_576, 1_048_576, 402_848]
    );
}
