//! Finds out how to write a segment again, and proves it.

use super::blocks::{KeptBlock, KeptBlocks, KeptKind};
use super::corrections::{Correction, decode_corrections, encode_corrections};
use super::cut::Segment;
use super::detect::{detect, has_too_many_blocks, is_too_much};
use super::headers::block_places;
use super::rebuild::rebuild_segment;
use super::replay::{MatchForm, SegmentText, Stretch, find_corrections};
use crate::model::tables::BlockPlace;
use crate::model::{CANDIDATES, Compressor, Model, ModelUser, Models};
use crate::recipe::row::{SegmentRow, check_of};

/// A segment of fewer bytes is not tried with other models: to clear their tables takes longer than to
/// run them over it, and a layer can have a gzip member of 20 bytes after the other.
const MIN_DETECTED_SIZE: usize = 4096;

/// A segment as it goes into a recipe. Framing before it is not counted in its row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AnalyzedSegment {
    /// Its row.
    pub row: SegmentRow,
    /// Its part of section `Blocks`.
    pub blocks: Vec<u8>,
    /// Its part of section `Corrections`.
    pub corrections: Vec<u8>,
    /// Its bytes as they are, if no model makes them.
    pub raw: Vec<u8>,
}

/// When it is proven that a segment comes out the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// When it is analyzed: it is rebuilt and compared, and kept as it is if it is another one.
    Now,
    /// When the whole layer is made again, which is for the caller to do.
    Later,
    /// As `Later`; and that the model is right about the segment is not even looked at.
    Assumed,
}

/// Analyzes a segment with the model of a compressor; with another's if that one does not know the
/// segment, unless it is [`Compressor::Unknown`]. A segment that costs too much is kept as it is.
pub fn analyze_segment(
    models: &mut Models,
    compressor: Compressor,
    segment: &Segment,
    proof: Proof,
) -> AnalyzedSegment {
    if !segment.is_compressed() {
        return keep_check(segment);
    }
    if compressor == Compressor::Unknown || has_too_many_blocks(segment) {
        return keep_raw(segment);
    }
    let analyzed = match proof {
        Proof::Assumed => keep(compressor, segment, &[]),
        Proof::Now | Proof::Later => analyze_with(models, compressor, segment, proof),
    };
    if let Some(analyzed) = analyzed {
        return analyzed;
    }
    if segment.stored.len() < MIN_DETECTED_SIZE {
        return keep_raw(segment);
    }
    let other = detect(models, CANDIDATES, None, segment);
    (other != compressor)
        .then(|| analyze_with(models, other, segment, proof))
        .flatten()
        .unwrap_or_else(|| keep_raw(segment))
}

/// Nothing if the segment does not come out the same, or costs too much.
fn analyze_with(
    models: &mut Models,
    compressor: Compressor,
    segment: &Segment,
    proof: Proof,
) -> Option<AnalyzedSegment> {
    let corrections = find_with(models, compressor, segment, MatchForm::Place)?;
    let analyzed = keep(compressor, segment, &corrections)?;
    match proof {
        Proof::Later | Proof::Assumed => Some(analyzed),
        Proof::Now => comes_out_the_same(models, &analyzed, segment).then_some(analyzed),
    }
}

/// Where the model of a compressor is wrong about a segment; nothing if it cannot be run over it.
pub(crate) fn find_with(
    models: &mut Models,
    compressor: Compressor,
    segment: &Segment,
    form: MatchForm,
) -> Option<Vec<Correction>> {
    struct Find<'a>(&'a Segment, SegmentText<'a>, MatchForm);
    impl ModelUser for Find<'_> {
        type Output = Option<Vec<Correction>>;
        fn run<M: Model>(self, model: &mut M) -> Self::Output {
            let Self(segment, text, form) = self;
            find_corrections(model, text, &segment.stretches(), &segment.tokens, form).ok()
        }
    }
    models.with(
        compressor,
        Find(segment, segment.text_for(compressor), form),
    )
}

/// Nothing if it costs too much.
fn keep(
    compressor: Compressor,
    segment: &Segment,
    corrections: &[Correction],
) -> Option<AnalyzedSegment> {
    let blocks = keep_blocks(compressor, segment).encode();
    let mut encoded = Vec::new();
    encode_corrections(&mut encoded, corrections);
    if is_too_much(blocks.len() + encoded.len(), segment) {
        return None;
    }
    Some(AnalyzedSegment {
        row: row(segment, compressor, blocks.len(), encoded.len(), 0),
        blocks,
        corrections: encoded,
        raw: Vec::new(),
    })
}

/// Whether a segment can be rebuilt from what is kept of it.
fn comes_out_the_same(models: &mut Models, kept: &AnalyzedSegment, segment: &Segment) -> bool {
    let compressor = kept.row.compressor;
    let (Ok(blocks), Ok(corrections)) = (
        KeptBlocks::decode(&kept.blocks),
        decode_corrections(&kept.corrections),
    ) else {
        return false;
    };
    let text = segment.text_for(compressor);
    let mut again = Vec::new();
    rebuild_segment(models, compressor, &blocks, &corrections, text, &mut again).is_ok()
        && again == segment.stored
}

/// Nothing but a check: the segment is its plain text, or made of it by libzstd.
fn keep_check(segment: &Segment) -> AnalyzedSegment {
    AnalyzedSegment {
        row: row(segment, Compressor::Unknown, 0, 0, 0),
        blocks: Vec::new(),
        corrections: Vec::new(),
        raw: Vec::new(),
    }
}

fn keep_raw(segment: &Segment) -> AnalyzedSegment {
    AnalyzedSegment {
        row: row(segment, Compressor::Unknown, 0, 0, segment.stored.len()),
        blocks: Vec::new(),
        corrections: Vec::new(),
        raw: segment.stored.clone(),
    }
}

fn row(
    segment: &Segment,
    compressor: Compressor,
    blocks: usize,
    corrections: usize,
    raw: usize,
) -> SegmentRow {
    let size = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    SegmentRow {
        stored_size: size(segment.stored.len()),
        plain_size: size(segment.plain().len()),
        framing_size: 0,
        blocks_size: size(blocks),
        corrections_size: size(corrections),
        raw_size: size(raw),
        since_flush: segment.since_flush,
        compressor,
        check: check_of(&segment.stored),
    }
}

/// What is to be kept of a segment's blocks.
pub(super) fn keep_blocks(compressor: Compressor, segment: &Segment) -> KeptBlocks {
    let blocks = segment.blocks.iter().map(|block| KeptBlock {
        header: block.header.as_ref().map(|header| {
            let kind = KeptKind::Verbatim(header.kind.clone());
            (header.is_final, kind)
        }),
        length: u32::try_from(block.length).unwrap_or(u32::MAX),
        long_forms: block.long_forms.clone(),
        is_ended: block.is_ended,
    });
    let mut kept = KeptBlocks {
        first_bits: segment.first_bits,
        open: segment.open.clone(),
        blocks: blocks.collect(),
        end_padding: segment.end_padding,
    };
    leave_out_predicted(&mut kept, compressor, segment);
    kept
}

/// Takes out the headers that are as predicted.
fn leave_out_predicted(kept: &mut KeptBlocks, compressor: Compressor, segment: &Segment) {
    let tables = compressor.table_builder();
    let places = block_places(kept, segment.since_flush);
    let mut tokens = &segment.tokens[..];
    let blocks = segment.blocks.iter().zip(&mut kept.blocks).zip(places);
    for ((block, kept), place) in blocks {
        let (own, others) = tokens.split_at(block.tokens);
        tokens = others;
        let Some(header) = &block.header else {
            continue;
        };
        let place = BlockPlace {
            bit_offset: block.bit_offset,
            ..place
        };
        let is_stored = matches!(block.stretch(), Stretch::Stored { .. });
        if !is_stored && tables.predict_block(own, place) == header.kind {
            kept.header = Some((header.is_final, KeptKind::Predicted));
        }
    }
}
