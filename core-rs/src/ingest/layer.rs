//! A whole layer on one thread.

use super::builder::RecipeBuilder;
use super::error::IngestError;
use super::front::{FrontItem, LayerFront};
use super::report::LayerReport;
use crate::digest::DigestAlgorithm;
use crate::model::Models;
use crate::segment::analyze_segment;

/// Takes a layer apart whose bytes come in pieces, on one thread. Where there are several, run
/// [`analyze_segment`] on them instead, as `bindings/node` does.
#[derive(Debug)]
pub struct LayerIngest {
    front: LayerFront,
    models: Models,
    builder: RecipeBuilder,
}

impl LayerIngest {
    /// At the start of a layer whose digest is of that algorithm, and whose tar may have `tar_limit`
    /// bytes.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, tar_limit: u64) -> Self {
        Self {
            front: LayerFront::new(algorithm, tar_limit),
            models: Models::default(),
            builder: RecipeBuilder::new(),
        }
    }

    /// Takes the next bytes of the layer; gives the next ones of its recipe.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn push(&mut self, bytes: &[u8]) -> Result<Vec<u8>, IngestError> {
        self.front.push(bytes);
        self.take_items()?;
        Ok(self.builder.take())
    }

    /// Ends the layer: the last bytes of its recipe, and what it is.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn finish(mut self) -> Result<(Vec<u8>, LayerReport), IngestError> {
        self.front.finish_input();
        self.take_items()?;
        let (tar, summary) = self.front.finish()?;
        self.builder.add_tar(&tar);
        Ok(self.builder.finish(summary))
    }

    fn take_items(&mut self) -> Result<(), IngestError> {
        while let Some(item) = self.front.next_item()? {
            match item {
                FrontItem::Framing(framing) => self.builder.add_framing(&framing),
                FrontItem::Segment {
                    framing,
                    segment,
                    compressor,
                    tar,
                } => {
                    let analyzed = analyze_segment(&mut self.models, compressor, &segment);
                    self.builder.add_tar(&tar);
                    self.builder.add_segment(&framing, &analyzed);
                }
            }
        }
        Ok(())
    }
}
