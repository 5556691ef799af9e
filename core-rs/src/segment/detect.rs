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
/// many. `candidates`: the likeliest ones first, which win if others are as good. `known`: what made the
/// stream as far as was known before; who fits the segment less well is not looked at for long.
pub fn detect(
    models: &mut Models,
    candidates: &[Compressor],
    known: Option<Compressor>,
    segment: &Segment,
) -> Compressor {
    // What becomes of history at a flush only shows after it.
    let sample = segment.sample(segment.first_flush_offset().unwrap_or(0) + SAMPLE_SIZE);
    let is_all = sample.text.len() == segment.text.len();
    let bound = known.and_then(|known| cost_of(models, known, usize::MAX, &sample));
    let mut ranking = Ranking::new(FINALISTS, bound);
    let mut tries_left = FINALISTS;
    for &candidate in candidates {
        let Some(cost) = ranking.enter(models, candidate, &sample) else {
            continue;
        };
        if cost > 0 || tries_left == 0 {
            continue;
        }
        tries_left -= 1;
        // Nobody is better, and who comes later does not win if as good.
        if is_all || cost_of(models, candidate, 0, segment).is_some() {
            return with_fewest_headers(candidate, segment);
        }
    }
    if !is_all {
        let finalists = std::mem::replace(&mut ranking, Ranking::new(1, None));
        for (_, candidate) in finalists.best {
            ranking.enter(models, candidate, segment);
        }
    }
    match ranking.best.first() {
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

/// The best of those that were tried.
struct Ranking {
    /// With the bytes that their corrections take, fewest first.
    best: Vec<(usize, Compressor)>,
    places: usize,
    /// Bytes that are too many for a place.
    bound: Option<usize>,
}

impl Ranking {
    const fn new(places: usize, bound: Option<usize>) -> Self {
        Self {
            best: Vec::new(),
            places,
            bound,
        }
    }

    /// Tries one, and gives its cost if it has got a place.
    fn enter(
        &mut self,
        models: &mut Models,
        compressor: Compressor,
        segment: &Segment,
    ) -> Option<usize> {
        let last = self.best.get(self.places - 1).map(|(cost, _)| *cost);
        let most = last.or(self.bound).unwrap_or(usize::MAX);
        let cost = cost_of(models, compressor, most, segment)?;
        let place = self.best.partition_point(|(other, _)| *other <= cost);
        self.best.insert(place, (cost, compressor));
        self.best.truncate(self.places);
        (place < self.places).then_some(cost)
    }
}

/// Bytes that the corrections of a segment take; nothing if the model cannot be run over it, or is given
/// up on the way, as they are more than `most`.
fn cost_of(
    models: &mut Models,
    compressor: Compressor,
    most: usize,
    segment: &Segment,
) -> Option<usize> {
    // A correction takes a byte at least.
    let form = MatchForm::Distance { most };
    let corrections = find_with(models, compressor, segment, form)?;
    let mut bytes = Vec::new();
    encode_corrections(&mut bytes, &corrections);
    (bytes.len() <= most).then_some(bytes.len())
}
