//! What must hold for any bytes that are read as a difference.

use mica_core::difference::{
    DifferenceDecoder, DifferenceError, DifferenceLimits, Event, Layer, Reference, Totals,
};
use mica_core::digest::FileId;
use mica_core::pack::BlockLimits;

/// Small, so that what passes them is reached soon.
const LIMITS: DifferenceLimits = DifferenceLimits {
    manifests: 2,
    layers: 4,
    references: 50,
    block: BlockLimits {
        plain_length: 65_536,
        piece_count: 50,
    },
};
const STREAM_HEADER: usize = 16;
const FRAME_HEADER: usize = 36;
const BLOCK_HEADER: usize = 56;

/// Reads bytes as they are, and with checksums that fit: without these a fuzzer gets no further than
/// the first header. Each is cut in different ways.
pub(crate) fn check(input: &[u8]) {
    check_stream(input);
    let mut sealed = input.to_vec();
    seal(&mut sealed);
    check_stream(&sealed);
}

fn check_stream(stream: &[u8]) {
    let whole = decode(stream, usize::MAX);
    assert_eq!(decode(stream, 1), whole);
    assert_eq!(decode(stream, 13), whole);
    let (told, result) = whole;
    match result {
        Ok(totals) => assert_eq!(told.totals, Some(totals)),
        Err(DifferenceError::TrailingBytes { .. }) => assert!(told.totals.is_some()),
        Err(_) => assert_eq!(told.totals, None),
    }
}

/// What events tell, in short, checked on the way.
#[derive(Debug, Default, PartialEq)]
struct Told {
    parts: Vec<(&'static str, usize)>,
    layer: Option<(Layer, u64, u64)>,
    file: Option<(Reference, Vec<u8>)>,
    content_length: u64,
    files: u64,
    totals: Option<Totals>,
}

impl Told {
    fn take(&mut self, event: Event<'_>) {
        assert_eq!(self.totals, None, "the end is the last event");
        match event {
            Event::Manifest(bytes) => self.parts.push(("manifest", bytes.len())),
            Event::Config(bytes) => self.parts.push(("config", bytes.len())),
            Event::Layer(layer) => {
                assert_eq!(self.layer, None);
                self.layer = Some((layer.clone(), 0, 0));
            }
            Event::References(references) => {
                let (_, count, _) = self.layer.as_mut().unwrap();
                *count += length(references.len());
                self.parts.push(("references", references.len()));
            }
            Event::TarPart(bytes) => {
                let (_, _, tar_part) = self.layer.as_mut().unwrap();
                *tar_part += length(bytes.len());
                self.parts.push(("tar part", bytes.len()));
            }
            Event::EndLayer => {
                let (layer, references, tar_part) = self.layer.take().unwrap();
                assert_eq!(u64::from(layer.reference_count), references);
                assert_eq!(layer.tar_part_length, tar_part);
            }
            Event::File(file) => {
                assert_eq!((&self.file, &self.layer), (&None, &None));
                self.file = Some((file, Vec::new()));
            }
            Event::Content(bytes) => {
                assert!(!bytes.is_empty());
                self.file.as_mut().unwrap().1.extend_from_slice(bytes);
                self.parts.push(("content", bytes.len()));
            }
            Event::EndFile => {
                let (file, content) = self.file.take().unwrap();
                assert_eq!(file.size, length(content.len()));
                assert_eq!(file.id, FileId::of(&content));
                self.content_length += file.size;
                self.files += 1;
            }
            Event::End(totals) => {
                assert_eq!(
                    (totals.files, totals.content_length),
                    (self.files, self.content_length)
                );
                self.totals = Some(totals);
            }
        }
    }
}

fn length(length: usize) -> u64 {
    u64::try_from(length).unwrap()
}

fn decode(stream: &[u8], chunk: usize) -> (Told, Result<Totals, DifferenceError>) {
    let mut told = Told::default();
    let mut decoder = DifferenceDecoder::with_limits(LIMITS);
    for run in stream.chunks(chunk) {
        if let Err(error) = decoder.push(run, &mut |event| told.take(event)) {
            return (told, Err(error));
        }
    }
    (told, decoder.finish())
}

/// Makes the checksums of all headers and payloads fit, as far as there are whole frames.
fn seal(bytes: &mut [u8]) {
    let Some((header, mut rest)) = bytes.split_at_mut_checked(STREAM_HEADER) else {
        return;
    };
    header[..8].copy_from_slice(b"MICADIFF");
    seal_header(header);
    let mut headers = header.to_vec();
    while let Some(marker) = rest.get(..4) {
        let is_end = marker == b"DEND";
        let (size, body_length) = if marker == b"MBLK" {
            (BLOCK_HEADER, block_body_length(rest))
        } else {
            (FRAME_HEADER, field(rest, 12))
        };
        let Some((header, body)) = rest.split_at_mut_checked(size) else {
            return;
        };
        let Some((body, after)) = body.split_at_mut_checked(body_length) else {
            return;
        };
        if is_end && body.len() == 56 {
            body[40..].copy_from_slice(&blake3::hash(&headers).as_bytes()[..16]);
        }
        header[size - 20..size - 4].copy_from_slice(&blake3::hash(body).as_bytes()[..16]);
        seal_header(header);
        headers.extend_from_slice(header);
        rest = after;
    }
}

fn block_body_length(block: &[u8]) -> usize {
    field(block, 8)
        .saturating_mul(36)
        .saturating_add(field(block, 16))
}

fn field(bytes: &[u8], at: usize) -> usize {
    let field = bytes.get(at..at + 4).map(|field| field.try_into().unwrap());
    usize::try_from(u32::from_le_bytes(field.unwrap_or_default())).unwrap()
}

fn seal_header(header: &mut [u8]) {
    let end = header.len() - 4;
    let checksum = crc32fast::hash(&header[..end]);
    header[end..].copy_from_slice(&checksum.to_le_bytes());
}
