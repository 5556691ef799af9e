//! Every way in which a difference can be wrong, and in which it can be written wrongly.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use mica_core::compression::CompressionError;
use mica_core::difference::{
    ContentError, DifferenceDecoder, DifferenceEncoder, DifferenceError, DifferenceLimits,
    DifferenceOptions, DifferenceWriteError, Layer, ParseDiffIdError, Part, Reference, Totals,
};
use mica_core::digest::FileId;
use mica_core::pack::{BlockLimits, PackError, PackOptions, PackWriteError, PackWriter};

const FRAME: usize = 36;

fn length(bytes: &[u8]) -> u32 {
    u32::try_from(bytes.len()).unwrap()
}

fn size(bytes: &[u8]) -> u64 {
    u64::from(length(bytes))
}

fn short_hash(bytes: &[u8]) -> [u8; 16] {
    blake3::hash(bytes).as_bytes()[..16].try_into().unwrap()
}

fn header_of_stream() -> Vec<u8> {
    let mut bytes = b"MICADIFF\x01\0\0\0".to_vec();
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// A frame written by hand, stored raw.
fn frame(marker: [u8; 4], payload: &[u8]) -> Vec<u8> {
    frame_with(marker, [0; 4], length(payload), payload)
}

fn frame_with(marker: [u8; 4], codec_and_flags: [u8; 4], plain: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = marker.to_vec();
    bytes.extend(codec_and_flags);
    bytes.extend(plain.to_le_bytes());
    bytes.extend(length(payload).to_le_bytes());
    bytes.extend(short_hash(payload));
    bytes.extend(crc32fast::hash(&bytes).to_le_bytes());
    bytes.extend(payload);
    bytes
}

fn diff_id() -> String {
    format!("sha256:{}", "5".repeat(64))
}

fn layer_frame(references: u32, tar_part: u64, diff_id: &str) -> Vec<u8> {
    let mut plain = references.to_le_bytes().to_vec();
    plain.extend(tar_part.to_le_bytes());
    plain.extend(diff_id.as_bytes());
    frame(*b"LAYR", &plain)
}

fn reference_frame(references: &[(FileId, u64)]) -> Vec<u8> {
    let mut plain = Vec::new();
    for (id, size) in references {
        plain.extend(id.as_bytes());
        plain.extend(size.to_le_bytes());
    }
    frame(*b"REFS", &plain)
}

/// Blocks of files, each file with an id that may be wrong.
fn blocks(files: &[(FileId, &[u8])], block_length: u32) -> Vec<Vec<u8>> {
    let options = PackOptions {
        block_length,
        level: 1,
    };
    let mut writer = PackWriter::new(options).unwrap();
    let mut blocks = Vec::new();
    for (id, content) in files {
        writer.begin_file(*id, size(content)).unwrap();
        blocks.extend(writer.push(content).unwrap());
        writer.end_file().unwrap();
    }
    blocks.extend(writer.flush().unwrap());
    blocks.into_iter().map(|block| block.bytes).collect()
}

fn end_plain(totals: [u64; 5], checksum: [u8; 16]) -> Vec<u8> {
    let mut plain: Vec<u8> = totals
        .iter()
        .flat_map(|total| total.to_le_bytes())
        .collect();
    plain.extend(checksum);
    plain
}

/// Decodes frames after a stream header. Also gives the offset of the last frame.
fn decode(frames: &[Vec<u8>]) -> (u64, DifferenceError) {
    decode_with(frames, DifferenceLimits::default())
}

fn decode_with(frames: &[Vec<u8>], limits: DifferenceLimits) -> (u64, DifferenceError) {
    let mut decoder = DifferenceDecoder::with_limits(limits);
    let mut offset = 16;
    decoder.push(&header_of_stream(), &mut |_| {}).unwrap();
    let (last, before) = frames.split_last().unwrap();
    for frame in before {
        decoder.push(frame, &mut |_| {}).unwrap();
        offset += size(frame);
    }
    (offset, decoder.push(last, &mut |_| {}).unwrap_err())
}

/// The frames before the first layer.
fn start() -> Vec<Vec<u8>> {
    vec![frame(*b"MANI", b"{}"), frame(*b"CONF", b"{}")]
}

/// The frames before the files, with one layer that refers to files.
fn start_of_files(references: &[(FileId, u64)]) -> Vec<Vec<u8>> {
    let mut frames = start();
    let count = u32::try_from(references.len()).unwrap();
    frames.push(layer_frame(count, 0, &diff_id()));
    if count > 0 {
        frames.push(reference_frame(references));
    }
    frames
}

fn content_error(frames: &[Vec<u8>]) -> ContentError {
    content_error_with(frames, DifferenceLimits::default())
}

fn content_error_with(frames: &[Vec<u8>], limits: DifferenceLimits) -> ContentError {
    let result = match decode_with(frames, limits) {
        (at, DifferenceError::Content { offset, source }) if offset == at => Ok(source),
        other => Err(other),
    };
    result.unwrap()
}

fn with(mut frames: Vec<Vec<u8>>, more: &[Vec<u8>]) -> Vec<Vec<u8>> {
    frames.extend_from_slice(more);
    frames
}

#[test]
fn a_stream_written_by_hand_is_read() {
    let id = FileId::of(b"abc");
    let mut frames = with(start_of_files(&[(id, 3)]), &blocks(&[(id, b"abc")], 100));
    let mut headers = header_of_stream();
    for (index, frame) in frames.iter().enumerate() {
        let header = if index == 4 { 56 } else { FRAME };
        headers.extend(&frame[..header]);
    }
    let plain = end_plain([1, 1, 1, 1, 3], short_hash(&headers));
    frames.push(frame(*b"DEND", &plain));
    let stream = [header_of_stream(), frames.concat()].concat();
    let mut decoder = DifferenceDecoder::new();
    decoder.push(&stream, &mut |_| {}).unwrap();
    let totals = Totals {
        manifests: 1,
        layers: 1,
        references: 1,
        files: 1,
        content_length: 3,
    };
    assert_eq!(decoder.push(b"", &mut |_| {}), Ok(()));
    let offset = size(&stream);
    assert_eq!(
        decoder.push(b"x", &mut |_| {}),
        Err(DifferenceError::TrailingBytes { offset })
    );
    let mut decoder = DifferenceDecoder::new();
    decoder.push(&stream, &mut |_| {}).unwrap();
    assert_eq!(decoder.finish(), Ok(totals));
}

#[test]
fn an_empty_stream_is_cut() {
    let (offset, expected) = (0, 16);
    assert_eq!(
        DifferenceDecoder::default().finish(),
        Err(DifferenceError::Truncated { offset, expected })
    );
}

#[test]
fn stream_headers_of_other_formats_and_versions_are_refused() {
    let changed = |at: usize, byte: u8| {
        let mut bytes = header_of_stream();
        bytes[at] = byte;
        let checksum = crc32fast::hash(&bytes[..12]);
        bytes[12..].copy_from_slice(&checksum.to_le_bytes());
        DifferenceDecoder::new().push(&bytes, &mut |_| {})
    };
    assert_eq!(
        changed(7, b'X'),
        Err(DifferenceError::Magic {
            got: *b"MICADIFX",
            expected: *b"MICADIFF"
        })
    );
    assert_eq!(
        changed(8, 2),
        Err(DifferenceError::Version {
            got: 2,
            expected: 1
        })
    );
    assert_eq!(
        changed(11, 1),
        Err(DifferenceError::Flags {
            offset: 10,
            got: 256
        })
    );
    let mut bytes = header_of_stream();
    bytes[8] = 2;
    assert!(matches!(
        DifferenceDecoder::new().push(&bytes, &mut |_| {}),
        Err(DifferenceError::HeaderChecksum { offset: 12, .. })
    ));
}

#[test]
fn frame_headers_that_are_wrong_are_refused() {
    let (offset, error) = decode(&[frame(*b"XXXX", b"{}")]);
    let got = *b"XXXX";
    assert_eq!(error, DifferenceError::Marker { offset, got });

    let mut damaged = frame(*b"MANI", b"{}");
    damaged[8] ^= 1;
    let (_, error) = decode(&[damaged]);
    assert!(matches!(
        error,
        DifferenceError::HeaderChecksum { offset: 48, .. }
    ));

    let (_, error) = decode(&[frame_with(*b"MANI", [2, 0, 0, 0], 2, b"{}")]);
    assert_eq!(error, DifferenceError::Codec { offset: 20, got: 2 });
    let (_, error) = decode(&[frame_with(*b"MANI", [0, 0, 1, 0], 2, b"{}")]);
    assert_eq!(error, DifferenceError::Flags { offset: 22, got: 1 });
}

#[test]
fn frame_lengths_beyond_their_limits_are_refused() {
    for (marker, part, max) in [
        (*b"MANI", Part::Manifest, 4_194_304),
        (*b"CONF", Part::Config, 4_194_304),
        (*b"LAYR", Part::Layer, 147),
        (*b"REFS", Part::References, 655_360),
        (*b"TARP", Part::TarPart, 1_048_576),
        (*b"DEND", Part::End, 56),
    ] {
        let got = max + 1;
        let (offset, error) = decode(&[frame_with(marker, [1, 0, 0, 0], got, b"")]);
        assert_eq!(
            error,
            DifferenceError::PartLength {
                offset,
                part,
                got,
                max
            }
        );
    }
    for (codec, plain_length) in [(0, 3), (0, 1), (1, 2), (1, 1)] {
        let (offset, error) =
            decode(&[frame_with(*b"MANI", [codec, 0, 0, 0], plain_length, b"{}")]);
        assert_eq!(
            error,
            DifferenceError::StoredLength {
                offset,
                got: 2,
                plain_length
            }
        );
    }
}

#[test]
fn payloads_that_are_wrong_are_refused() {
    let mut damaged = frame(*b"MANI", b"{}");
    damaged[FRAME] = b'[';
    let (_, error) = decode(&[damaged]);
    assert_eq!(
        error,
        DifferenceError::PayloadChecksum {
            offset: 52,
            got: short_hash(b"[}"),
            expected: short_hash(b"{}")
        }
    );
    let (_, error) = decode(&[frame_with(*b"MANI", [1, 0, 0, 0], 3, b"{}")]);
    assert!(matches!(
        error,
        DifferenceError::Payload {
            offset: 52,
            source: CompressionError::Frame { length: 2, .. }
        }
    ));
    let mut block = blocks(&[(FileId::of(b"abc"), b"abc")], 100).remove(0);
    let last = block.len() - 1;
    block[last] ^= 1;
    let (at, error) = decode(&[block.clone()]);
    assert!(matches!(
        error,
        DifferenceError::Block { offset, source: PackError::BodyChecksum { .. } } if offset == at
    ));
    block[50] ^= 1;
    let (at, error) = decode(&[block]);
    assert!(matches!(
        error,
        DifferenceError::Block { offset, source: PackError::HeaderChecksum { .. } } if offset == at
    ));
}

#[test]
fn parts_of_impossible_lengths_are_refused() {
    let layer = || layer_frame(2, 2, &diff_id());
    for (frames, part, got) in [
        (with(start(), &[frame(*b"LAYR", &[0; 11])]), Part::Layer, 11),
        (
            with(start(), &[layer(), frame(*b"REFS", &[0; 39])]),
            Part::References,
            39,
        ),
        (
            with(start(), &[layer(), frame(*b"REFS", &[])]),
            Part::References,
            0,
        ),
        (
            with(start(), &[layer(), frame(*b"TARP", &[])]),
            Part::TarPart,
            0,
        ),
        (with(start(), &[frame(*b"DEND", &[0; 55])]), Part::End, 55),
    ] {
        let (offset, error) = decode(&frames);
        assert_eq!(error, DifferenceError::PartFields { offset, part, got });
    }
    let (offset, error) = decode(&with(start(), &[layer_frame(0, 0, "md5:00")]));
    let source = ParseDiffIdError::Algorithm;
    assert_eq!(error, DifferenceError::DiffId { offset, source });
}

#[test]
fn parts_out_of_order_are_refused() {
    let manifest = || frame(*b"MANI", b"{}");
    let config = || frame(*b"CONF", b"{}");
    let layer = || layer_frame(1, 1, &diff_id());
    let references = || reference_frame(&[(FileId::of(b"abc"), 3)]);
    let tar_part = || frame(*b"TARP", b"t");
    let files = || blocks(&[(FileId::of(b"abc"), b"abc")], 100).remove(0);
    let end = || frame(*b"DEND", &[0; 56]);
    let whole_layer = || with(start(), &[layer(), references(), tar_part()]);
    for (frames, got, expected) in [
        (vec![config()], Part::Config, Part::Manifest),
        (vec![end()], Part::End, Part::Manifest),
        (vec![manifest(), layer()], Part::Layer, Part::Config),
        (vec![manifest(), files()], Part::Files, Part::Config),
        (with(start(), &[manifest()]), Part::Manifest, Part::Layer),
        (
            with(start(), &[references()]),
            Part::References,
            Part::Layer,
        ),
        (with(start(), &[tar_part()]), Part::TarPart, Part::Layer),
        (
            with(start(), &[layer(), tar_part()]),
            Part::TarPart,
            Part::References,
        ),
        (
            with(start(), &[layer(), layer()]),
            Part::Layer,
            Part::References,
        ),
        (
            with(start(), &[layer(), references(), end()]),
            Part::End,
            Part::TarPart,
        ),
        (
            with(start(), &[layer(), references(), files()]),
            Part::Files,
            Part::TarPart,
        ),
        (
            with(whole_layer(), &[files(), layer()]),
            Part::Layer,
            Part::Files,
        ),
        (
            with(whole_layer(), &[files(), config()]),
            Part::Config,
            Part::Files,
        ),
    ] {
        assert_eq!(
            content_error(&frames),
            ContentError::Order { got, expected },
            "{got} instead of {expected}"
        );
    }
}

#[test]
fn more_parts_than_the_limits_are_refused() {
    let limits = DifferenceLimits {
        manifests: 1,
        layers: 1,
        references: 2,
        block: BlockLimits::default(),
    };
    let layer = |references| layer_frame(references, 0, &diff_id());
    for (frames, part, max) in [
        (vec![frame(*b"MANI", b"{}"); 2], Part::Manifest, 1),
        (with(start(), &[layer(0), layer(0)]), Part::Layer, 1),
        (with(start(), &[layer(3)]), Part::References, 2),
    ] {
        assert_eq!(
            content_error_with(&frames, limits),
            ContentError::TooMany { part, max }
        );
    }
}

#[test]
fn layers_with_more_than_they_announced_are_refused() {
    let id = FileId::of(b"abc");
    let layer = |references, tar_part| layer_frame(references, tar_part, &diff_id());
    let (got, expected) = (2, 1);
    let references = reference_frame(&[(id, 3), (id, 3)]);
    assert_eq!(
        content_error(&with(start(), &[layer(1, 0), references])),
        ContentError::ReferenceCount { got, expected }
    );
    assert_eq!(
        content_error(&with(start(), &[layer(0, 1), frame(*b"TARP", b"ab")])),
        ContentError::TarPartLength { got, expected }
    );
}

#[test]
fn references_that_contradict_each_other_are_refused() {
    let id = FileId::of(b"abc");
    let empty = FileId::of(b"");
    for (references, id, got) in [
        (vec![(id, 3), (id, 4)], id, 4),
        (vec![(id, 0)], id, 0),
        (vec![(empty, 1)], empty, 1),
    ] {
        assert_eq!(
            content_error(&start_of_files(&references)),
            ContentError::ReferenceSize { id, got }
        );
    }
}

#[test]
fn files_that_no_layer_asks_for_are_refused() {
    let (id, other) = (FileId::of(b"abc"), FileId::of(b"other"));
    let file = |id| blocks(&[(id, b"abc")], 100);
    let start = || start_of_files(&[(id, 3)]);
    assert_eq!(
        content_error(&with(start(), &file(other))),
        ContentError::UnknownFile { id: other }
    );
    assert_eq!(
        content_error(&[start(), file(id), file(id)].concat()),
        ContentError::RepeatedFile { id }
    );
    assert_eq!(
        content_error(&with(start_of_files(&[(id, 4)]), &file(id))),
        ContentError::FileSize {
            id,
            got: 3,
            expected: 4
        }
    );
}

#[test]
fn files_that_are_not_whole_are_refused() {
    let (id, other) = (FileId::of(b"abcdef"), FileId::of(b"xyz"));
    let pieces = blocks(&[(id, b"abcdef")], 2);
    assert_eq!(pieces.len(), 3);
    let start = || start_of_files(&[(id, 6), (other, 3)]);
    assert_eq!(
        content_error(&with(start(), &pieces[1..2])),
        ContentError::FileOffset {
            id,
            got: 2,
            expected: 0
        }
    );
    assert_eq!(
        content_error(&with(start(), &[pieces[0].clone(), pieces[2].clone()])),
        ContentError::FileOffset {
            id,
            got: 4,
            expected: 2
        }
    );
    let cut = ContentError::FileCut {
        id,
        got: 2,
        expected: 6,
    };
    for next in [
        blocks(&[(other, b"xyz")], 100).remove(0),
        frame(*b"DEND", &[0; 56]),
        frame(*b"MANI", b"{}"),
    ] {
        assert_eq!(
            content_error(&with(start(), &[pieces[0].clone(), next])),
            cut
        );
    }
}

#[test]
fn content_with_another_id_is_refused() {
    let expected = FileId::of(b"abc");
    let block = blocks(&[(expected, b"xyz")], 100);
    let (offset, error) = decode(&with(start_of_files(&[(expected, 3)]), &block));
    let got = FileId::of(b"xyz");
    assert_eq!(
        error,
        DifferenceError::FileId {
            offset,
            got,
            expected
        }
    );
}

#[test]
fn an_end_that_tells_something_else_is_refused() {
    let expected = Totals {
        manifests: 1,
        ..Totals::default()
    };
    let (offset, error) = decode(&with(start(), &[frame(*b"DEND", &[0; 56])]));
    assert_eq!(
        error,
        DifferenceError::Totals {
            offset,
            got: Totals::default(),
            expected
        }
    );
    let mut headers = header_of_stream();
    for frame in start() {
        headers.extend(&frame[..FRAME]);
    }
    let got = [7; 16];
    let end = frame(*b"DEND", &end_plain([1, 0, 0, 0, 0], got));
    let (offset, error) = decode(&with(start(), &[end]));
    assert_eq!(
        error,
        DifferenceError::StreamChecksum {
            offset,
            got,
            expected: short_hash(&headers)
        }
    );
}

fn encoder() -> DifferenceEncoder {
    DifferenceEncoder::new(DifferenceOptions::default()).unwrap()
}

fn content<T: std::fmt::Debug>(result: Result<T, DifferenceWriteError>) -> ContentError {
    let result = match result.unwrap_err() {
        DifferenceWriteError::Content(error) => Ok(error),
        other => Err(other),
    };
    result.unwrap()
}

#[test]
fn the_encoder_refuses_parts_out_of_order() {
    let mut encoder = encoder();
    let order = |got, expected| ContentError::Order { got, expected };
    assert_eq!(
        content(encoder.config(b"{}")),
        order(Part::Config, Part::Manifest)
    );
    encoder.manifest(b"{}").unwrap();
    encoder.config(b"{}").unwrap();
    let layer = Layer {
        diff_id: diff_id().parse().unwrap(),
        reference_count: 1,
        tar_part_length: 1,
    };
    encoder.begin_layer(&layer).unwrap();
    assert_eq!(
        content(encoder.tar_part(b"t")),
        order(Part::TarPart, Part::References)
    );
    assert_eq!(encoder.tar_part(b""), Ok(Vec::new()));
    let id = FileId::of(b"abc");
    let reference = Reference { id, size: 3 };
    let (got, expected) = (2, 1);
    assert_eq!(
        content(encoder.references(&[reference; 2])),
        ContentError::ReferenceCount { got, expected }
    );
    encoder.references(&[reference]).unwrap();
    assert_eq!(encoder.references(&[]), Ok(Vec::new()));
    assert_eq!(
        content(encoder.begin_file(id, 3)),
        order(Part::Files, Part::TarPart)
    );
    encoder.tar_part(b"t").unwrap();
    assert_eq!(
        content(encoder.begin_file(FileId::of(b"x"), 3)),
        ContentError::UnknownFile {
            id: FileId::of(b"x")
        }
    );
    encoder.begin_file(id, 3).unwrap();
    assert!(matches!(
        encoder.end_file(),
        Err(DifferenceWriteError::Files(PackWriteError::FileOpen { .. }))
    ));
    assert!(matches!(
        encoder.finish(),
        Err(DifferenceWriteError::Files(PackWriteError::FileOpen { .. }))
    ));
}

#[test]
fn the_encoder_refuses_files_that_come_again() {
    let id = FileId::of(b"abc");
    let mut encoder = encoder();
    encoder.manifest(b"{}").unwrap();
    encoder.config(b"{}").unwrap();
    let layer = Layer {
        diff_id: diff_id().parse().unwrap(),
        reference_count: 1,
        tar_part_length: 0,
    };
    encoder.begin_layer(&layer).unwrap();
    encoder.references(&[Reference { id, size: 3 }]).unwrap();
    let block = blocks(&[(id, b"abc")], 100).remove(0);
    encoder.block(&block).unwrap();
    assert_eq!(
        content(encoder.block(&block)),
        ContentError::RepeatedFile { id }
    );
    assert_eq!(
        content(encoder.begin_file(id, 3)),
        ContentError::RepeatedFile { id }
    );
    assert!(matches!(
        encoder.block(&block[..94]),
        Err(DifferenceWriteError::Block(PackError::Truncated { .. }))
    ));
}

#[test]
fn the_encoder_refuses_parts_and_options_beyond_their_limits() {
    let (got, max) = (4_194_305, 4_194_304);
    assert_eq!(
        encoder().manifest(&vec![0; 4_194_305]),
        Err(DifferenceWriteError::PartLength {
            part: Part::Manifest,
            got,
            max
        })
    );
    let pack = PackOptions {
        block_length: 0,
        level: 0,
    };
    assert!(matches!(
        DifferenceEncoder::new(DifferenceOptions { pack }),
        Err(DifferenceWriteError::Files(
            PackWriteError::BlockLength { .. }
        ))
    ));
    let pack = PackOptions {
        block_length: 1,
        level: 0,
    };
    let source = CompressionError::Level {
        got: 0,
        min: 1,
        max: 19,
    };
    assert_eq!(
        DifferenceEncoder::new(DifferenceOptions { pack })
            .unwrap()
            .manifest(&[b'{'; 200]),
        Err(DifferenceWriteError::Compress {
            part: Part::Manifest,
            source
        })
    );
}
