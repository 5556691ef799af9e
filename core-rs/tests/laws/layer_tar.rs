//! The tar of a layer, as a source of its files.

use mica_core::ingest::{LayerEvent, LayerReader};
use mica_core::restore::FilePlace;

/// The tar of a layer that can be taken apart.
pub(crate) fn tar_of(layer: &[u8]) -> Vec<u8> {
    let mut reader = LayerReader::new(u64::MAX);
    reader.push(layer);
    reader.finish();
    let mut tar = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        if let LayerEvent::Segment { segment, .. } | LayerEvent::FrameSegment { segment, .. } =
            event
        {
            tar.extend_from_slice(segment.plain());
        }
    }
    tar
}

/// A part of a file, from an offset, so many bytes.
pub(crate) fn part_of(tar: &[u8], place: FilePlace, offset: u64, length: u64) -> Vec<u8> {
    let start = usize::try_from(place.offset + offset).unwrap();
    tar[start..start + usize::try_from(length).unwrap()].to_vec()
}
