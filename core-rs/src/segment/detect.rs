//! Finds out which compressor made a stream, by trying their models on a segment.

use super::analyze::find_with;
use super::corrections::encode_corrections;
use super::cut::Segment;
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

/// Finds the compressor whose model needs the fewest bytes of corrections; `Unknown` if all need too
/// many. `candidates`: the likeliest ones first, which win if others are as good.
pub fn detect(models: &mut Models, candidates: &[Compressor], segment: &Segment) -> Compressor {
    let sample = segment.sample(SAMPLE_SIZE);
    let mut ranking = rank(models, candidates, &sample);
    if sample.text.len() < segment.text.len() {
        ranking.truncate(FINALISTS);
        let finalists: Vec<Compressor> = ranking.iter().map(|(_, one)| *one).collect();
        ranking = rank(models, &finalists, segment);
    }
    match ranking.first() {
        Some((cost, winner)) if !is_too_much(*cost, segment) => *winner,
        _ => Compressor::Unknown,
    }
}

/// The candidates with the bytes that their corrections take, fewest first.
fn rank(
    models: &mut Models,
    candidates: &[Compressor],
    segment: &Segment,
) -> Vec<(usize, Compressor)> {
    let cost = |&compressor: &Compressor| {
        let corrections = find_with(models, compressor, segment)?;
        let mut bytes = Vec::new();
        encode_corrections(&mut bytes, &corrections);
        Some((bytes.len(), compressor))
    };
    let mut ranking: Vec<_> = candidates.iter().filter_map(cost).collect();
    ranking.sort_by_key(|(cost, _)| *cost);
    ranking
}
