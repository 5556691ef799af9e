//! Takes a layer apart and makes it again, on one thread: `layer FILE`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "a program for the people who write the core"
)]

use std::time::Instant;

use mica_core::digest::DigestAlgorithm;
use mica_core::ingest::{LayerEvent, LayerIngest, LayerReader};
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::{RecipeIndex, Section};
use mica_core::restore::{FileSource, RestoreError, Restorer, Scratch, TarMap};

struct Files<'a> {
    tar: &'a [u8],
    map: TarMap,
}

impl FileSource for Files<'_> {
    type Error = RestoreError;

    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), RestoreError> {
        let start = (self.map.files()[file as usize].offset + offset) as usize;
        output.extend_from_slice(&self.tar[start..start + length as usize]);
        Ok(())
    }
}

fn read_tar(layer: &[u8]) -> Vec<u8> {
    let mut reader = LayerReader::new(u64::MAX);
    reader.push(layer);
    reader.finish();
    let mut tar = Vec::new();
    while let Some(event) = reader.next_event().unwrap() {
        match event {
            LayerEvent::Segment { segment, .. } => tar.extend_from_slice(segment.plain()),
            LayerEvent::Framing(_) => {}
        }
    }
    tar
}

fn main() {
    let layer = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    let started = Instant::now();
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, u64::MAX);
    let mut recipe = Vec::new();
    for piece in layer.chunks(1 << 18) {
        recipe.extend(ingest.push(piece).unwrap());
    }
    let (last, report) = ingest.finish().unwrap();
    let summary = &report.summary;
    recipe.extend(last);
    let speed = |time: std::time::Duration| summary.tar_size as f64 / 1e6 / time.as_secs_f64();
    println!("{report:?}");
    println!("ingest {:.1} MB/s", speed(started.elapsed()));
    let source = RecipeBytes(&recipe);
    let index = RecipeIndex::read(&source).unwrap();
    for section in Section::ALL {
        let size = index.stored_size(section);
        let percent = size as f64 * 100.0 / layer.len() as f64;
        println!(
            "{section:?}: {size} bytes, {percent:.4} %, of {} ",
            index.section_size(section)
        );
    }
    let started = Instant::now();
    let tar = read_tar(&layer);
    println!("inflate {:.1} MB/s", speed(started.elapsed()));
    let started = Instant::now();
    let restorer = Restorer::read::<_, RestoreError>(&source).unwrap();
    let mut files = Files {
        tar: &tar,
        map: restorer.tar().clone(),
    };
    let mut scratch = Scratch::default();
    let mut again = Vec::new();
    for part in 0..restorer.parts().len() {
        restorer
            .restore_part::<_, _, RestoreError>(&mut scratch, &source, &mut files, part, &mut again)
            .unwrap();
    }
    println!("restore {:.1} MB/s", speed(started.elapsed()));
    println!(
        "recipe {} bytes, {:.3} % of {}",
        recipe.len(),
        recipe.len() as f64 * 100.0 / layer.len() as f64,
        layer.len()
    );
    assert!(again == layer, "layers differ");
}
