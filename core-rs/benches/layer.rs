//! Measures how layers are taken apart and made again on one thread:
//! `cargo bench -p mica-core --bench layer -- LAYER...`. What is made again is compared.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench reads a corpus, prints its table, and stops at what fails"
)]

mod timing;

use std::time::Duration;

use mica_core::digest::DigestAlgorithm;
use mica_core::ingest::{LayerEvent, LayerIngest, LayerReader, LayerReport};
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::{RecipeIndex, Section};
use mica_core::restore::{FileSource, RestoreError, Restorer, Scratch, TarMap};
use mica_core::segment::Proof;
use timing::{arguments, megabytes_per_second, timed};

/// Bytes of a layer that are given at once, as when it is read from a disk.
const PIECE_SIZE: usize = 1 << 18;
/// Each work is timed this often; the shortest time counts.
const RUNS: usize = 3;

/// A layer's files as parts of its tar: what packs cost is not measured here.
struct TarFiles<'a> {
    tar: &'a [u8],
    map: TarMap,
}

impl FileSource for TarFiles<'_> {
    type Error = RestoreError;

    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), RestoreError> {
        let place = self.map.file(usize::try_from(file).unwrap()).unwrap();
        let start = usize::try_from(place.offset + offset).unwrap();
        let end = start + usize::try_from(length).unwrap();
        output.extend_from_slice(&self.tar[start..end]);
        Ok(())
    }
}

fn ingest(layer: &[u8], proof: Proof) -> (Vec<u8>, LayerReport) {
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, u64::MAX, proof);
    let mut recipe = Vec::new();
    for piece in layer.chunks(PIECE_SIZE) {
        recipe.extend(ingest.push(piece).unwrap());
    }
    let (last, report) = ingest.finish().unwrap();
    recipe.extend(last);
    (recipe, report)
}

/// Inflates to tokens and plain text, and nothing else.
fn inflate(layer: &[u8]) -> Vec<u8> {
    let mut reader = LayerReader::new(u64::MAX);
    reader.push(layer);
    reader.finish();
    let mut tar = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        match event {
            LayerEvent::Segment { segment, .. } | LayerEvent::FrameSegment { segment, .. } => {
                tar.extend_from_slice(segment.plain());
            }
            LayerEvent::Framing(_) => {}
        }
    }
    tar
}

fn restore(recipe: &[u8], tar: &[u8]) -> Vec<u8> {
    let source = RecipeBytes(recipe);
    let restorer = Restorer::read::<_, RestoreError>(&source).unwrap();
    let map = restorer.tar().clone();
    let mut files = TarFiles { tar, map };
    let mut scratch = Scratch::default();
    let mut layer = Vec::new();
    for part in 0..restorer.parts().len() {
        restorer
            .restore_part::<_, _, RestoreError>(&mut scratch, &source, &mut files, part, &mut layer)
            .unwrap();
    }
    layer
}

/// The result and the shortest time.
fn best<T>(work: impl Fn() -> T) -> (T, Duration) {
    let runs = (0..RUNS).map(|_| timed(&work));
    runs.min_by_key(|(_, time)| *time).unwrap()
}

fn percent(part: u64, whole: usize) -> f64 {
    part as f64 * 100.0 / whole as f64
}

fn measure(path: &str) {
    let layer = std::fs::read(path).unwrap();
    let ((recipe, report), ingesting) = best(|| ingest(&layer, Proof::Now));
    let (_, finding) = best(|| ingest(&layer, Proof::Later));
    let (tar, inflating) = best(|| inflate(&layer));
    let (again, restoring) = best(|| restore(&recipe, &tar));
    assert!(again == layer, "layers differ");
    let rate = |time| megabytes_per_second(tar.len(), time);
    print!(
        "| {path} | {} | {:.1} | {:.1} | {:.1} | {:.1} | {:.3} |",
        report.compressor,
        rate(ingesting),
        rate(finding),
        rate(inflating),
        rate(restoring),
        percent(recipe.len() as u64, layer.len()),
    );
    let index = RecipeIndex::read(&RecipeBytes(&recipe)).unwrap();
    for section in Section::ALL {
        print!(" {:.4} |", percent(index.stored_size(section), layer.len()));
    }
    println!();
}

fn main() {
    let paths = arguments();
    if paths.is_empty() {
        println!("cargo bench -p mica-core --bench layer -- LAYER...");
        return;
    }
    println!(
        "MB of tar a second by the time that the thread ran; recipe and its sections in % of the layer"
    );
    print!("| layer | compressor | ingest | proven later | inflate | restore | recipe |");
    for section in Section::ALL {
        print!(" {section:?} |");
    }
    println!("\n|{}", "---|".repeat(7 + Section::ALL.len()));
    for path in paths {
        measure(&path);
    }
}
