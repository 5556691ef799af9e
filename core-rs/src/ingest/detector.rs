//! Decides, segment after segment, whose model is run over it.

use crate::model::{CANDIDATES, Compressor, Models};
use crate::segment::{Segment, detect};

/// Matches that tell compressors apart for certain.
const ENOUGH_MATCHES: usize = 1000;
/// Segments with fewer that are looked at before the last guess is kept.
const MAX_GUESSES: u32 = 4;

/// Block of pigz by default, and its smallest one (option -b), KiB.
const PIGZ_BLOCK: u16 = 128;

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
        let candidates = candidates(self.is_flushed, flush);
        let detected = detect(models, &candidates, self.known, segment);
        self.known = Some(detected);
        self.is_certain = is_telling;
        self.guesses += 1;
        detected
    }
}

/// Those that are worth a try. `flush`: bytes of plain text up to the first flush of the stream.
fn candidates(is_flushed: bool, flush: Option<u64>) -> Vec<Compressor> {
    // Where repeats tell nothing, blocks that end like pigz's are pigz's.
    let mut candidates: Vec<Compressor> = pigz_blocks(flush).flat_map(pigz_with).collect();
    candidates.extend(CANDIDATES.iter().filter(|candidate| match candidate {
        Compressor::Pigz { .. } => false,
        Compressor::Pgzip { .. } => is_flushed,
        _ => true,
    }));
    candidates
}

/// What pigz's blocks may have, KiB. One that ends with a whole byte is not flushed, so the first
/// flush can stand after several.
fn pigz_blocks(flush: Option<u64>) -> impl Iterator<Item = u16> {
    let largest = flush.and_then(|flush| u16::try_from(flush.div_ceil(1024)).ok());
    let largest = largest.filter(|size| *size >= PIGZ_BLOCK);
    let default = largest.filter(|size| *size > PIGZ_BLOCK && size % PIGZ_BLOCK == 0);
    default.map(|_| PIGZ_BLOCK).into_iter().chain(largest)
}

/// The candidates of pigz, with blocks of `block_size` KiB.
fn pigz_with(block_size: u16) -> impl Iterator<Item = Compressor> {
    CANDIDATES
        .iter()
        .filter_map(move |&candidate| match candidate {
            Compressor::Pigz { level, history, .. } => Some(Compressor::Pigz {
                level,
                history,
                block_size,
            }),
            _ => None,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pigz_blocks_may_be_the_default_ones_before_a_later_flush() {
        let blocks = |kib: u64| pigz_blocks(Some(kib << 10)).collect::<Vec<_>>();
        assert_eq!(blocks(64), Vec::<u16>::new());
        assert_eq!(blocks(128), [128]);
        assert_eq!(blocks(200), [200]);
        assert_eq!(blocks(384), [128, 384]);
        assert_eq!(pigz_blocks(None).count(), 0);
    }
}
