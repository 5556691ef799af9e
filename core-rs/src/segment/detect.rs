//! Finds out which compressor made a stream, by trying their models on a segment.

use super::analyze::{find_with, keep_blocks};
use super::corrections::encode_corrections;
use super::cut::Segment;
use super::replay::MatchForm;
use crate::model::candidates::same_search;
use crate::model::{Compressor, Models};

/// Plain text that every model is tried on, bytes: enough for a thousand matches or more, and a tenth
/// of a segment, as most models are wrong ones.
const SAMPLE_SIZE: usize = 96 << 10;
/// Models that are tried on the whole segment then: neighbouring levels differ little.
const FINALISTS: usize = 3;

/// Share of a segment's bytes that blocks and corrections may cost, in percent, before it is kept as
/// it is: beyond it the model does not know the compressor.
const MAX_COST_PERCENT: usize = 10;
/// Bytes of blocks and corrections that are never too many: segments of a few bytes.
const MAX_SMALL_COST: usize = 16;

/// Whether what is kept of a segment is so much that the model does not know its compressor.
pub(super) const fn is_too_much(cost: usize, segment: &Segment) -> bool {
    cost * 100 > segment.stored.len() * MAX_COST_PERCENT && cost > MAX_SMALL_COST
}

/// Whether a segment has so many blocks that what is kept of them, two bytes each at least, is too
/// much.
pub(super) const fn has_too_many_blocks(segment: &Segment) -> bool {
    is_too_much(segment.blocks.len() * 2, segment)
}

/// Finds the compressor whose model needs the fewest bytes of corrections; `Unknown` if all need too
/// many. `candidates`: the likeliest ones first, which win if others are as good.
pub fn detect(models: &mut Models, candidates: &[Compressor], segment: &Segment) -> Compressor {
    // What becomes of history at a flush only shows after it.
    let sample = segment.sample(segment.first_flush_offset().unwrap_or(0) + SAMPLE_SIZE);
    let mut ranking = rank(models, candidates, &sample);
    if sample.text.len() < segment.text.len() {
        ranking.truncate(FINALISTS);
        let finalists: Vec<Compressor> = ranking.iter().map(|(_, one)| *one).collect();
        ranking = rank(models, &finalists, segment);
    }
    match ranking.first() {
        Some((cost, winner)) if !is_too_much(*cost, segment) => {
            with_fewest_headers(*winner, segment)
        }
        _ => Compressor::Unknown,
    }
}

/// Of those that find the same repeats, the one that makes most of the segment's headers.
fn with_fewest_headers(compressor: Compressor, segment: &Segment) -> Compressor {
    let cost = |one: &Compressor| keep_blocks(*one, segment).encode().len();
    let all = same_search(compressor);
    all.into_iter().min_by_key(cost).unwrap_or(compressor)
}

/// The candidates with the bytes that their corrections take, fewest first.
fn rank(
    models: &mut Models,
    candidates: &[Compressor],
    segment: &Segment,
) -> Vec<(usize, Compressor)> {
    let cost = |&compressor: &Compressor| {
        let corrections = find_with(models, compressor, segment, MatchForm::Distance)?;
        let mut bytes = Vec::new();
        encode_corrections(&mut bytes, &corrections);
        Some((bytes.len(), compressor))
    };
    let mut ranking: Vec<_> = candidates.iter().filter_map(cost).collect();
    ranking.sort_by_key(|(cost, _)| *cost);
    ranking
}
