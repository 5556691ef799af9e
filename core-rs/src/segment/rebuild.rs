//! Writes a segment's bytes again, from what a recipe keeps of it and its plain text.

use super::blocks::{KeptBlock, KeptBlocks, KeptKind};
use super::corrections::Correction;
use super::error::ReplayError;
use super::headers::{HeaderFacts, Headers};
use super::replay::{FoundBlock, SegmentText, Stretch, find_tokens};
use crate::deflate::{BitWriter, BlockHeader, BlockKind, BlockWriter, WriteError};
use crate::model::{Compressor, Model, ModelUser, Models};

/// Why a segment cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RebuildError {
    /// Blocks, corrections and text do not fit together.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// A block cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// A header is said to be as predicted, and nothing predicts it.
    #[error("no header is predicted for block {index}")]
    NoHeader {
        /// Which block of the segment.
        index: usize,
    },
}

/// The segment's bytes, as they stand in the stream.
///
/// # Errors
/// If what is given does not fit together; not if it is only other text than it was made for.
pub fn rebuild_segment(
    models: &mut Models,
    compressor: Compressor,
    kept: &KeptBlocks,
    corrections: &[Correction],
    text: SegmentText<'_>,
) -> Result<Vec<u8>, RebuildError> {
    models.with(
        compressor,
        Rebuild {
            compressor,
            kept,
            corrections,
            text,
        },
    )
}

struct Rebuild<'a> {
    compressor: Compressor,
    kept: &'a KeptBlocks,
    corrections: &'a [Correction],
    text: SegmentText<'a>,
}

impl ModelUser for Rebuild<'_> {
    type Output = Result<Vec<u8>, RebuildError>;

    fn run<M: Model>(self, model: &mut M) -> Self::Output {
        let stretches: Vec<Stretch> = self.kept.blocks.iter().map(KeptBlock::stretch).collect();
        let mut writer = SegmentWriter::new(self.compressor, self.kept)?;
        find_tokens(model, self.text, &stretches, self.corrections, |block| {
            writer.write_block(block)
        })?;
        Ok(writer.finish())
    }
}

struct SegmentWriter<'a> {
    kept: &'a KeptBlocks,
    headers: Headers,
    blocks: BlockWriter,
    bits: BitWriter,
}

impl<'a> SegmentWriter<'a> {
    fn new(compressor: Compressor, kept: &'a KeptBlocks) -> Result<Self, WriteError> {
        let mut blocks = BlockWriter::default();
        if let Some(open) = &kept.open {
            blocks.open_block(open)?;
        }
        Ok(Self {
            kept,
            headers: Headers::new(compressor),
            blocks,
            bits: BitWriter::within_byte(kept.first_bits.bits, kept.first_bits.count),
        })
    }

    fn write_block(&mut self, block: FoundBlock<'_>) -> Result<(), RebuildError> {
        let kept = &self.kept.blocks[block.index];
        if let Some((is_final, _)) = kept.header {
            let kind = self.kind(block)?;
            let header = BlockHeader { is_final, kind };
            if let BlockKind::Stored { .. } = header.kind {
                self.blocks
                    .write_stored(&mut self.bits, &header, block.plain)?;
                return Ok(());
            }
            self.blocks.begin_block(&mut self.bits, &header)?;
        }
        self.blocks
            .write_tokens(&mut self.bits, block.tokens, &kept.long_forms)?;
        if kept.is_ended {
            self.blocks.end_block(&mut self.bits)?;
        }
        Ok(())
    }

    /// The block's kind, and the next prediction is told of it.
    fn kind(&mut self, block: FoundBlock<'_>) -> Result<BlockKind, RebuildError> {
        let index = block.index;
        let facts = self.kept.header_facts(block, self.bits.bit_length());
        let kind = if let Some((_, KeptKind::Verbatim(kind))) = &self.kept.blocks[index].header {
            kind.clone()
        } else {
            let kind = self.headers.predict(facts);
            kind.ok_or(RebuildError::NoHeader { index })?
        };
        self.headers.follow(facts, &kind);
        Ok(kind)
    }

    fn finish(mut self) -> Vec<u8> {
        if let Some(padding) = self.kept.end_padding {
            self.bits.write_padding(padding);
        }
        self.bits.take()
    }
}

impl KeptBlocks {
    /// What a predictor of headers is told of a block.
    pub(super) fn header_facts<'a>(
        &self,
        block: FoundBlock<'a>,
        bit_offset: u64,
    ) -> HeaderFacts<'a> {
        let FoundBlock {
            index,
            tokens,
            plain,
        } = block;
        let is_final = matches!(
            self.blocks.get(index),
            Some(KeptBlock {
                header: Some((true, _)),
                ..
            })
        );
        let is_flushed = self
            .blocks
            .get(index + 1)
            .is_some_and(|next| next.stretch().is_flush());
        HeaderFacts {
            tokens,
            plain,
            is_final,
            is_flushed,
            bit_offset,
        }
    }
}
