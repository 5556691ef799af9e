//! Writes a segment's bytes again, from what a recipe keeps of it and its plain text.

use super::blocks::{KeptBlock, KeptBlocks, KeptKind};
use super::corrections::Correction;
use super::error::ReplayError;
use super::headers::block_places;
use super::replay::{FoundBlock, SegmentText, Stretch, find_tokens};
use crate::deflate::{BitWriter, BlockHeader, BlockKind, BlockWriter, WriteError};
use crate::model::tables::{BlockPlace, TableBuilder};
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
}

/// Makes `output` the segment's bytes, as they stand in the stream; what it had before is lost.
///
/// # Errors
/// If what is given does not fit together; not if it is only other text than it was made for.
pub fn rebuild_segment(
    models: &mut Models,
    compressor: Compressor,
    kept: &KeptBlocks,
    corrections: &[Correction],
    text: SegmentText<'_>,
    output: &mut Vec<u8>,
) -> Result<(), RebuildError> {
    models.with(
        compressor,
        Rebuild {
            compressor,
            kept,
            corrections,
            text,
            output,
        },
    )
}

struct Rebuild<'a> {
    compressor: Compressor,
    kept: &'a KeptBlocks,
    corrections: &'a [Correction],
    text: SegmentText<'a>,
    output: &'a mut Vec<u8>,
}

impl ModelUser for Rebuild<'_> {
    type Output = Result<(), RebuildError>;

    fn run<M: Model>(self, model: &mut M) -> Self::Output {
        let stretches: Vec<Stretch> = self.kept.blocks.iter().map(KeptBlock::stretch).collect();
        let since_flush = self.text.since_flush;
        let buffer = std::mem::take(self.output);
        let mut writer = SegmentWriter::new(self.compressor, self.kept, since_flush, buffer)?;
        find_tokens(model, self.text, &stretches, self.corrections, |block| {
            Ok::<_, RebuildError>(writer.write_block(block)?)
        })?;
        *self.output = writer.finish();
        Ok(())
    }
}

struct SegmentWriter<'a> {
    kept: &'a KeptBlocks,
    places: Vec<BlockPlace>,
    tables: TableBuilder,
    blocks: BlockWriter,
    bits: BitWriter,
}

impl<'a> SegmentWriter<'a> {
    fn new(
        compressor: Compressor,
        kept: &'a KeptBlocks,
        since_flush: u64,
        buffer: Vec<u8>,
    ) -> Result<Self, WriteError> {
        let mut blocks = BlockWriter::default();
        if let Some(open) = &kept.open {
            blocks.open_block(open)?;
        }
        Ok(Self {
            kept,
            places: block_places(kept, since_flush),
            tables: compressor.table_builder(),
            blocks,
            bits: BitWriter::within_byte(kept.first_bits.bits, kept.first_bits.count, buffer),
        })
    }

    fn write_block(&mut self, block: FoundBlock<'_>) -> Result<(), WriteError> {
        let kept = &self.kept.blocks[block.index];
        if let Some((is_final, kind)) = &kept.header {
            let header = BlockHeader {
                is_final: *is_final,
                kind: self.kind(kind, block),
            };
            if let BlockKind::Stored { .. } = header.kind {
                return self
                    .blocks
                    .write_stored(&mut self.bits, &header, block.plain);
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

    fn kind(&self, kept: &KeptKind, block: FoundBlock<'_>) -> BlockKind {
        match kept {
            KeptKind::Verbatim(kind) => kind.clone(),
            KeptKind::Predicted => {
                let place = BlockPlace {
                    bit_offset: self.bits.bit_length(),
                    ..self.places[block.index]
                };
                self.tables.predict_block(block.tokens, place)
            }
        }
    }

    fn finish(mut self) -> Vec<u8> {
        if let Some(padding) = self.kept.end_padding {
            self.bits.write_padding(padding);
        }
        self.bits.take()
    }
}
