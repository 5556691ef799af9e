//! Of which segments the model is taken to be right without a look.
//!
//! To run a model takes most of the time that a segment takes, and those of many compressors are right about
//! everything ([`Compressor::forgets_beyond_window`]). Where the whole layer is made again anyway, that shows as
//! well whether it was right.

use super::analyze::{AnalyzedSegment, Proof};
use crate::model::Compressor;

/// Segments in a row about which the model has to be right first: some eight mebibytes of tar.
const RIGHT_FIRST: u32 = 8;

/// After them one segment in so many is looked at all the same.
const LOOK_EVERY: u32 = 8;

/// A layer's segments so far.
#[derive(Debug)]
pub struct Trust {
    proof: Proof,
    compressor: Compressor,
    /// Segments that were looked at, about all of which the model was right.
    right: u32,
    /// Segments since the last one that is looked at.
    assumed: u32,
    /// The model was wrong about one: it is looked at all others.
    is_lost: bool,
}

impl Trust {
    /// At the start of a layer whose proof is to be this one.
    #[must_use]
    pub const fn new(proof: Proof) -> Self {
        Self {
            proof,
            compressor: Compressor::Unknown,
            right: 0,
            assumed: 0,
            is_lost: false,
        }
    }

    /// The proof of the next segment, which is of this compressor.
    pub fn next(&mut self, compressor: Compressor) -> Proof {
        if compressor != self.compressor {
            (self.compressor, self.right) = (compressor, 0);
        }
        let is_given =
            compressor.forgets_beyond_window() && !self.is_lost && self.right >= RIGHT_FIRST;
        if self.proof != Proof::Later || !is_given || self.assumed + 1 >= LOOK_EVERY {
            self.assumed = 0;
            return self.proof;
        }
        self.assumed += 1;
        Proof::Assumed
    }

    /// Takes what was found about a segment of this compressor, with the proof that it was given.
    pub fn note(&mut self, compressor: Compressor, proof: Proof, analyzed: &AnalyzedSegment) {
        if proof == Proof::Assumed {
            return;
        }
        let is_right = analyzed.row.compressor == compressor
            && analyzed.corrections.is_empty()
            && analyzed.raw.is_empty();
        self.is_lost |= !is_right;
        if compressor == self.compressor {
            self.right = self.right.saturating_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Models;
    use crate::model::compressor::GoLevel;
    use crate::segment::{Segment, analyze_segment};

    const GO: Compressor = Compressor::Go(GoLevel::Level(6));

    fn analyzed(compressor: Compressor, corrections: &[u8], raw: &[u8]) -> AnalyzedSegment {
        let segment = Segment::not_compressed(b"text");
        let mut analyzed = analyze_segment(
            &mut Models::default(),
            Compressor::Unknown,
            &segment,
            Proof::Later,
        );
        analyzed.row.compressor = compressor;
        analyzed.corrections = corrections.to_vec();
        analyzed.raw = raw.to_vec();
        analyzed
    }

    /// The next segments' proofs, each found to be right.
    fn go_on(trust: &mut Trust, compressor: Compressor, segments: usize) -> Vec<Proof> {
        let right = analyzed(compressor, &[], &[]);
        let proofs = (0..segments).map(|_| {
            let proof = trust.next(compressor);
            trust.note(compressor, proof, &right);
            proof
        });
        proofs.collect()
    }

    fn assumed(proofs: &[Proof]) -> usize {
        let assumed = |proof: &&Proof| **proof == Proof::Assumed;
        proofs.iter().filter(assumed).count()
    }

    #[test]
    fn most_segments_are_assumed_once_the_model_was_right_for_long() {
        let mut trust = Trust::new(Proof::Later);
        assert_eq!(assumed(&go_on(&mut trust, GO, 8)), 0);
        let proofs = go_on(&mut trust, GO, 80);
        assert_eq!(assumed(&proofs), 70);
        assert!(proofs.chunks(8).all(|some| some.contains(&Proof::Later)));
    }

    #[test]
    fn nothing_is_assumed_where_each_segment_is_to_be_proven() {
        let mut trust = Trust::new(Proof::Now);
        assert!(
            go_on(&mut trust, GO, 50)
                .iter()
                .all(|&proof| proof == Proof::Now)
        );
    }

    #[test]
    fn nothing_is_assumed_once_the_model_was_wrong() {
        let wrong = [
            analyzed(GO, &[0], &[]),
            analyzed(GO, &[], &[1]),
            analyzed(Compressor::Unknown, &[], &[]),
        ];
        for wrong in wrong {
            let mut trust = Trust::new(Proof::Later);
            go_on(&mut trust, GO, 20);
            trust.note(GO, Proof::Later, &wrong);
            assert_eq!(assumed(&go_on(&mut trust, GO, 50)), 0);
        }
    }

    #[test]
    fn nothing_is_assumed_of_compressors_that_may_know_more_than_their_model() {
        let mut trust = Trust::new(Proof::Later);
        let compressor = Compressor::Go(GoLevel::Level(1));
        assert_eq!(assumed(&go_on(&mut trust, compressor, 50)), 0);
    }

    #[test]
    fn another_compressor_has_to_be_right_first() {
        let other = Compressor::Go(GoLevel::Level(9));
        let mut trust = Trust::new(Proof::Later);
        go_on(&mut trust, GO, 20);
        assert_eq!(assumed(&go_on(&mut trust, other, 8)), 0);
        assert!(assumed(&go_on(&mut trust, other, 8)) > 0);
    }
}
