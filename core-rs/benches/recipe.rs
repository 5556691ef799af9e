//! Measures what chunks of other sizes, and other zstd levels, make of a recipe:
//! `cargo bench -p mica-core --bench recipe -- LAYER...`. Every chunk is expanded again and compared.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench reads a corpus, prints its table, and stops at what fails"
)]

mod timing;

use std::time::Duration;

use mica_core::compression::{compress, decompress};
use mica_core::digest::DigestAlgorithm;
use mica_core::ingest::LayerIngest;
use mica_core::recipe::{RecipeBytes, RecipeIndex, Section, SectionReader};
use mica_core::segment::Proof;
use timing::{arguments, megabytes_per_second, timed};

const CHUNK_SIZES: [usize; 4] = [64 << 10, 256 << 10, 1 << 20, 4 << 20];
const LEVELS: [i32; 6] = [1, 3, 6, 9, 12, 19];
/// Bytes that a chunk takes in the directory, about.
const ENTRY_SIZE: usize = 14;

/// The sections of a layer's recipe that are compressed, and the time that the layer took.
fn sections(layer: &[u8]) -> (Vec<(Section, Vec<u8>)>, Duration) {
    let ((recipe, _), ingesting) = timed(|| {
        let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, u64::MAX, Proof::Now);
        let mut recipe = ingest.push(layer).unwrap();
        let (last, report) = ingest.finish().unwrap();
        recipe.extend(last);
        (recipe, report)
    });
    let source = RecipeBytes(&recipe);
    let index = RecipeIndex::read(&source).unwrap();
    let sections = Section::ALL
        .into_iter()
        .filter(|section| section.is_compressible());
    let read = |section| {
        let mut bytes = Vec::new();
        let size = index.section_size(section);
        SectionReader::new(section)
            .read(&source, &index, 0, size, &mut bytes)
            .unwrap();
        (section, bytes)
    };
    (sections.map(read).collect(), ingesting)
}

/// Bytes of the chunks with their entries, the time to make them, and the time to read one.
fn measure(plain: &[u8], chunk_size: usize, level: i32) -> (usize, Duration, Duration) {
    let chunks: Vec<&[u8]> = plain.chunks(chunk_size).collect();
    let (stored, compressing) = timed(|| {
        let stored = chunks.iter().map(|chunk| compress(chunk, level).unwrap());
        stored.collect::<Vec<_>>()
    });
    let ((), reading) = timed(|| {
        for (chunk, stored) in chunks.iter().zip(&stored) {
            assert!(
                decompress(stored, chunk.len()).unwrap() == *chunk,
                "chunks differ"
            );
        }
    });
    let size = stored.iter().map(|chunk| chunk.len() + ENTRY_SIZE).sum();
    let number = u32::try_from(chunks.len().max(1)).unwrap();
    (size, compressing, reading / number)
}

fn main() {
    for path in arguments() {
        let layer = std::fs::read(&path).unwrap();
        let (sections, ingesting) = sections(&layer);
        println!(
            "\n{path}: {} bytes, ingest {:.2} s",
            layer.len(),
            ingesting.as_secs_f64()
        );
        println!(
            "| chunk | level | bytes | % of the layer | MB/s | % of ingest | a chunk, µs | skeleton |"
        );
        println!("|{}", "---|".repeat(8));
        for chunk_size in CHUNK_SIZES {
            for level in LEVELS {
                let (mut size, mut plain_size, mut skeleton) = (0, 0, 0);
                let (mut compressing, mut reading) = (Duration::ZERO, Duration::ZERO);
                for (section, plain) in &sections {
                    let (stored, compressed, read) = measure(plain, chunk_size, level);
                    size += stored;
                    plain_size += plain.len();
                    compressing += compressed;
                    if *section == Section::Skeleton {
                        (skeleton, reading) = (stored, read);
                    }
                }
                println!(
                    "| {} KiB | {level} | {size} | {:.4} | {:.0} | {:.2} | {} | {skeleton} |",
                    chunk_size >> 10,
                    size as f64 * 100.0 / layer.len() as f64,
                    megabytes_per_second(plain_size, compressing),
                    compressing.as_secs_f64() * 100.0 / ingesting.as_secs_f64(),
                    reading.as_micros(),
                );
            }
        }
    }
}
