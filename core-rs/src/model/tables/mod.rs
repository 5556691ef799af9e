//! What header each known encoder would have written for a block.
//!
//! A header is a third of what it takes to rebuild a block, and it says nothing new: encoders make
//! it from the block's tokens alone. So it is predicted, and kept only where the prediction is wrong.
//!
//! | module | encoders |
//! |---|---|
//! | [`go`] | Go's compress/flate up to 1.26 |
//! | [`klauspost`] | klauspost/compress, pgzip, Go from 1.27 on |
//! | [`zlib`] | zlib, pigz, GNU gzip |
//!
//! Prediction has no state but for klauspost's, where the codes of a block may be used on; tell it
//! what was really written by [`TableBuilder::follow`].

mod code_lengths;
mod estimate;
pub mod frequencies;
mod go;
mod header;
pub mod klauspost;
mod package_merge;
mod zlib;

pub use frequencies::Frequencies;
pub use klauspost::{CallLimit, Klauspost, KlauspostLevel, KlauspostVersion};

use crate::deflate::BlockKind;

/// What an encoder knew when it wrote a header: of one block, or for klauspost of one of the calls
/// that a block is made of.
#[derive(Clone, Copy, Debug)]
pub struct BlockFacts<'a> {
    /// Counts of the tokens.
    pub frequencies: &'a Frequencies,
    /// Bytes of plain text.
    pub plain_length: u64,
    /// No block follows.
    pub is_final: bool,
    /// The encoder was told to flush or to end the stream. Matters to klauspost's only.
    pub is_flushed: bool,
    /// Where the header begins, bits from the start of any byte. Matters to empty blocks of pigz's only.
    pub bit_offset: u64,
}

impl BlockFacts<'_> {
    fn stored(&self) -> BlockKind {
        BlockKind::Stored {
            length: u16::try_from(self.plain_length).unwrap_or(u16::MAX),
            padding: 0,
        }
    }
}

/// Predicts the headers of one stream, as one encoder writes them.
#[derive(Clone, Debug)]
pub enum TableBuilder {
    /// Nothing but stored blocks: level 0 of all encoders.
    Stored,
    /// Go 1.7 to 1.26, levels 2 to 9.
    Go,
    /// Go 1.7 to 1.26, level 1 and Huffman only.
    GoFast,
    /// zlib and GNU gzip.
    Zlib,
    /// zlib, with empty blocks up to the next byte between pieces.
    Pigz,
    /// klauspost/compress and Go from 1.27 on.
    Klauspost(Box<Klauspost>),
}

impl TableBuilder {
    /// klauspost's, at the start of a stream.
    pub fn klauspost(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self::Klauspost(Box::new(Klauspost::new(version, level)))
    }

    /// How much of a block one set of facts is about, at most.
    pub fn call_limit(&self) -> CallLimit {
        match self {
            Self::Klauspost(klauspost) => klauspost.call_limit(),
            _ => CallLimit::Block,
        }
    }

    /// The kind of the block that begins with these tokens. None: no block begins, the one before
    /// goes on.
    pub fn predict(&self, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        match self {
            Self::Stored => Some(facts.stored()),
            Self::Go => Some(go::predict(facts)),
            Self::GoFast => Some(go::predict_fast(facts)),
            Self::Zlib => Some(zlib::predict(facts)),
            Self::Pigz => Some(zlib::predict_pigz(facts)),
            Self::Klauspost(klauspost) => klauspost.predict(facts),
        }
    }

    /// Takes note of what was really written for these facts: a block of this kind, or none.
    pub fn follow(&mut self, facts: &BlockFacts<'_>, kind: Option<&BlockKind>) {
        if let Self::Klauspost(klauspost) = self {
            klauspost.follow(facts, kind);
        }
    }
}
