//! Finds the call of libzstd that made a frame, by making the frame beside it.

use super::call::ZstdCall;
use super::encoder::{EncodeError, FrameEncoder};
use super::header::{FrameHeader, MAX_BLOCK_SIZE};
use super::inexact::Inexact;
use super::reader::FrameSegment;
use crate::limits::MAX_ZSTD_ENCODERS_SIZE;

/// Calls that are run over all of a frame: those that make its first segment.
const MAX_RUNS: usize = 3;
/// Text after which the bytes of a call are compared, bytes.
const BLOCK_SIZE: usize = MAX_BLOCK_SIZE as usize;

/// Is given a frame, segment after segment, and knows at its end whose it is. What it says was proven:
/// the call has made all bytes of the frame.
#[derive(Debug, Default)]
pub struct FrameMatcher {
    /// None before the first segment.
    runs: Option<Vec<Run>>,
    is_ended: bool,
}

/// A call that has made all bytes so far.
#[derive(Debug)]
struct Run {
    call: ZstdCall,
    encoder: FrameEncoder,
}

impl FrameMatcher {
    /// At the start of a frame.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next segment of the frame.
    pub fn push(&mut self, header: &FrameHeader, segment: &FrameSegment<'_>) {
        match &mut self.runs {
            None => self.runs = Some(begin_runs(header, segment)),
            Some(runs) => runs.retain_mut(|run| run.makes(segment)),
        }
        self.is_ended = segment.is_last;
    }

    /// The call that made the frame.
    ///
    /// # Errors
    /// [`Inexact::OtherCompressor`] if none did, or the frame has not ended.
    pub fn call(&self) -> Result<ZstdCall, Inexact> {
        let run = self.runs.iter().flatten().next();
        run.filter(|_| self.is_ended)
            .map(|run| run.call)
            .ok_or(Inexact::OtherCompressor)
    }
}

/// The calls that make the first segment.
fn begin_runs(header: &FrameHeader, segment: &FrameSegment<'_>) -> Vec<Run> {
    let (mut runs, mut memory) = (Vec::new(), 0);
    for call in ZstdCall::of_header(header) {
        let size = memory + call.encoder_size();
        if size > MAX_ZSTD_ENCODERS_SIZE {
            continue;
        }
        let encoder = FrameEncoder::new(call, header.content_size.unwrap_or(0));
        let run = encoder.ok().map(|encoder| Run { call, encoder });
        if let Some(run) = run.and_then(|mut run| run.makes(segment).then_some(run)) {
            runs.push(run);
            memory = size;
        }
        if runs.len() == MAX_RUNS {
            break;
        }
    }
    runs
}

impl Run {
    /// Whether the encoder makes the segment's bytes, no fewer and no more.
    fn makes(&mut self, segment: &FrameSegment<'_>) -> bool {
        self.compare(segment).unwrap_or(false)
    }

    fn compare(&mut self, segment: &FrameSegment<'_>) -> Result<bool, EncodeError> {
        let mut left = segment.stored;
        let mut text = segment.text;
        let mut bytes = Vec::new();
        while text.len() > BLOCK_SIZE || !segment.is_last && !text.is_empty() {
            let (block, after) = text.split_at(text.len().min(BLOCK_SIZE));
            text = after;
            bytes.clear();
            self.encoder.push(block, &mut bytes)?;
            match left.strip_prefix(&bytes[..]) {
                Some(after) => left = after,
                None => return Ok(false),
            }
        }
        if !segment.is_last {
            return Ok(left.is_empty());
        }
        bytes.clear();
        self.encoder.finish(text, &mut bytes)?;
        Ok(left == bytes)
    }
}
