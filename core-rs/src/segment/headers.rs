//! The headers that a compressor writes for its blocks.

use crate::deflate::{BlockKind, Token};
use crate::model::Compressor;

/// What is known of a block before its header is.
#[derive(Clone, Copy, Debug)]
pub struct HeaderFacts<'a> {
    /// Its tokens, all of them.
    pub tokens: &'a [Token],
    /// Its plain text.
    pub plain: &'a [u8],
    /// No block follows.
    pub is_final: bool,
    /// A flush follows.
    pub is_flushed: bool,
    /// Where the header begins, bits from the start of any byte.
    pub bit_offset: u64,
}

/// Predicts headers of a segment, block after block.
#[derive(Debug)]
pub struct Headers {}

impl Headers {
    /// At the start of a segment.
    pub fn new(_compressor: Compressor) -> Self {
        Self {}
    }

    /// The kind of the next block.
    pub fn predict(&mut self, _facts: HeaderFacts<'_>) -> Option<BlockKind> {
        None
    }

    /// Takes note of what the block is.
    pub fn follow(&mut self, _facts: HeaderFacts<'_>, _kind: &BlockKind) {}
}
