//! A whole layer on one thread.

use super::builder::RecipeBuilder;
use super::error::IngestError;
use super::front::{FrontItem, LayerFront};
use super::report::LayerReport;
use crate::digest::DigestAlgorithm;
use crate::model::Models;
use crate::segment::{Proof, Trust, analyze_segment};

/// Takes a layer apart whose bytes come in pieces, on one thread. Where there are several, run
/// [`analyze_segment`] on them instead, as `bindings/node` does.
#[derive(Debug)]
pub struct LayerIngest {
    front: LayerFront,
    models: Models,
    builder: RecipeBuilder,
    trust: Trust,
}

impl LayerIngest {
    /// At the start of a layer whose digest is of that algorithm, and whose tar may have `tar_limit`
    /// bytes.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, tar_limit: u64, proof: Proof) -> Self {
        Self {
            trust: Trust::new(proof),
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
        self.add(bytes);
        while self.step()? {}
        Ok(self.take())
    }

    /// Takes the next bytes of the layer, without any work on them yet: that is done by
    /// [`step`](Self::step), so that other things can be done in between.
    pub fn add(&mut self, bytes: &[u8]) {
        self.front.push(bytes);
    }

    /// Says that there are no more bytes.
    pub fn finish_input(&mut self) {
        self.front.finish_input();
    }

    /// Does the next piece of work, over one segment at most; false if it needs more bytes first, or
    /// is done.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn step(&mut self) -> Result<bool, IngestError> {
        match self.front.next_item()? {
            None => return Ok(false),
            Some(FrontItem::Framing(framing)) => self.builder.add_framing(&framing),
            Some(FrontItem::Segment {
                framing,
                segment,
                compressor,
                tar,
            }) => {
                let proof = self.trust.next(compressor);
                let analyzed = analyze_segment(&mut self.models, compressor, &segment, proof);
                self.trust.note(compressor, proof, &analyzed);
                self.builder.add_tar(&tar);
                self.builder.add_segment(&framing, &analyzed);
            }
        }
        Ok(true)
    }

    /// The bytes of the recipe that are ready; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        self.builder.take()
    }

    /// Ends the layer: the last bytes of its recipe, and what it is.
    ///
    /// # Errors
    /// What is wrong with the layer.
    pub fn finish(mut self) -> Result<(Vec<u8>, LayerReport), IngestError> {
        self.finish_input();
        while self.step()? {}
        let (tar, summary) = self.front.finish()?;
        self.builder.add_tar(&tar);
        Ok(self.builder.finish(summary))
    }
}
