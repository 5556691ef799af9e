//! Decides, segment after segment, whose model is run over it.

use crate::model::{CANDIDATES, Compressor, Models};
use crate::segment::{Segment, detect};

/// Matches that tell compressors apart for certain.
const ENOUGH_MATCHES: usize = 1000;
/// Segments with fewer that are looked at before the last guess is kept.
const MAX_GUESSES: u32 = 4;

/// Smallest block of pigz, KiB (option -b).
const MIN_PIGZ_BLOCK: u16 = 128;

/// Knows the compressor of a stream as soon as a segment has told it. Has to be asked for all segments
/// of a layer, in order.
#[derive(Debug, Default)]
pub struct Detector {
    known: Option<Compressor>,
    is_certain: bool,
    guesses: u32,
    /// Whether there was a flush: what becomes of history there tells pgzip from klauspost.
    is_flushed: bool,
}

impl Detector {
    /// The compressor of the next segment.
    pub fn compressor_of(&mut self, models: &mut Models, segment: &Segment) -> Compressor {
        if !segment.is_compressed() {
            return Compressor::Unknown;
        }
        let flush = segment.first_flush();
        let is_news = flush.is_some() && !self.is_flushed;
        self.is_flushed |= is_news;
        if let Some(known) = self.known.filter(|_| self.is_certain && !is_news) {
            return known;
        }
        let is_telling = segment.matches() >= ENOUGH_MATCHES;
        let is_enough = !is_telling && self.guesses >= MAX_GUESSES;
        if let Some(guess) = self.known.filter(|_| is_enough) {
            return guess;
        }
        let detected = detect(models, &candidates(self.is_flushed, flush), segment);
        self.known = Some(detected);
        self.is_certain = is_telling;
        self.guesses += 1;
        detected
    }
}

/// Those that are worth a try. `flush`: bytes of plain text up to the first flush of the stream.
fn candidates(is_flushed: bool, flush: Option<u64>) -> Vec<Compressor> {
    let block_size = flush.and_then(|flush| u16::try_from(flush.div_ceil(1024)).ok());
    let possible = |&candidate: &Compressor| match candidate {
        Compressor::Pigz { level, history, .. } => Some(Compressor::Pigz {
            level,
            history,
            block_size: block_size.filter(|size| *size >= MIN_PIGZ_BLOCK)?,
        }),
        Compressor::Pgzip { .. } => is_flushed.then_some(candidate),
        _ => Some(candidate),
    };
    let mut candidates: Vec<Compressor> = CANDIDATES.iter().filter_map(possible).collect();
    // Where repeats tell nothing, blocks that end like pigz's are pigz's.
    candidates.sort_by_key(|candidate| !matches!(candidate, Compressor::Pigz { .. }));
    candidates
}
