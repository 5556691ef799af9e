//! A whole layer on one thread.

use super::builder::RecipeBuilder;
use super::detector::Detector;
use super::error::IngestError;
use super::reader::{LayerEvent, LayerReader};
use super::scan::TarScan;
use crate::digest::{ContentHasher, DigestAlgorithm};
use crate::model::Models;
use crate::recipe::Summary;
use crate::segment::analyze_segment;

/// Takes a layer apart whose bytes come in pieces, on one thread. Where there are several, run its
/// parts on them instead: `bindings/node` does.
#[derive(Debug)]
pub struct LayerIngest {
    digest: ContentHasher,
    size: u64,
    tar_size: u64,
    reader: LayerReader,
    scan: TarScan,
    detector: Detector,
    models: Models,
    builder: RecipeBuilder,
}

impl LayerIngest {
    /// At the start of a layer whose digest is of that algorithm, and whose tar may have `tar_limit`
    /// bytes.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, tar_limit: u64) -> Self {
        Self {
            digest: ContentHasher::new(algorithm),
            size: 0,
            tar_size: 0,
            reader: LayerReader::new(tar_limit),
            scan: TarScan::new(),
            detector: Detector::default(),
            models: Models::default(),
            builder: RecipeBuilder::new(),
        }
    }

    /// Takes the next bytes of the layer; gives the next ones of its recipe.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, IngestError> {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.reader.push(bytes);
        self.take_events()?;
        Ok(self.builder.take())
    }

    /// Ends the layer: the last bytes of its recipe, and what it is.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn finish(mut self) -> Result<(Vec<u8>, Summary), IngestError> {
        self.reader.finish();
        self.take_events()?;
        let (part, diff_id) = self.scan.finish()?;
        self.builder.add_tar(&part);
        let summary = Summary {
            encoding: self.reader.encoding(),
            digest: self.digest.finish(),
            size: self.size,
            diff_id,
            tar_size: self.tar_size,
            files: self.builder.files(),
        };
        Ok((self.builder.finish(&summary), summary))
    }

    fn take_events(&mut self) -> Result<(), IngestError> {
        while let Some(event) = self.reader.next_event()? {
            match event {
                LayerEvent::Plain(tar) => self.take_tar(&tar)?,
                LayerEvent::Framing(framing) => self.builder.add_framing(&framing),
                LayerEvent::Segment { framing, segment } => {
                    self.take_tar(segment.plain())?;
                    let compressor = self.detector.compressor_of(&mut self.models, &segment);
                    let analyzed = analyze_segment(&mut self.models, compressor, &segment);
                    self.builder.add_segment(&framing, &analyzed);
                }
            }
        }
        Ok(())
    }

    fn take_tar(&mut self, tar: &[u8]) -> Result<(), IngestError> {
        self.tar_size += tar.len() as u64;
        let part = self.scan.push(tar)?;
        self.builder.add_tar(&part);
        Ok(())
    }
}
