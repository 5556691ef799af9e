//! Decides, segment after segment, whose model is run over it.

use crate::model::{CANDIDATES, Compressor, Models};
use crate::segment::{Segment, detect};

/// Matches that tell compressors apart for certain.
const ENOUGH_MATCHES: usize = 1000;
/// Segments with fewer that are looked at before the last guess is kept.
const MAX_GUESSES: u32 = 4;

/// Knows the compressor of a stream as soon as a segment has told it. Has to be asked for all segments
/// of a layer, in order.
#[derive(Debug, Default)]
pub struct Detector {
    known: Option<Compressor>,
    is_certain: bool,
    guesses: u32,
}

impl Detector {
    /// The compressor of the next segment.
    pub fn compressor_of(&mut self, models: &mut Models, segment: &Segment) -> Compressor {
        let is_certain = segment.matches() >= ENOUGH_MATCHES;
        match self.known {
            Some(known) if self.is_certain => return known,
            Some(guess) if !is_certain && self.guesses >= MAX_GUESSES => return guess,
            _ => {}
        }
        let detected = detect(models, CANDIDATES, segment);
        self.known = Some(detected);
        self.is_certain = is_certain;
        self.guesses += 1;
        detected
    }
}
