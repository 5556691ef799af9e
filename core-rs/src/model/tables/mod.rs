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
pub(super) use klauspost::literal_lengths;
pub use klauspost::{Klauspost, KlauspostLevel, KlauspostVersion};

use crate::deflate::{BlockKind, Token};

/// Where a block, or a call of klauspost's encoder, stands.
#[derive(Clone, Copy, Debug)]
pub struct BlockPlace {
    /// Its bytes of plain text.
    pub plain_length: u64,
    /// No block follows.
    pub is_final: bool,
    /// Where its header begins, bits from the start of any byte. Matters to empty blocks of pigz's.
    pub bit_offset: u64,
    /// Bytes of plain text from the last flush, or the start of the stream, up to it. Matters to
    /// klauspost's, like the next.
    pub since_flush: u64,
    /// Bytes of plain text from the last flush to the next one or the end of the stream;
    /// `u64::MAX` if that is not near.
    pub input_length: u64,
}

/// What an encoder knew when it wrote a header: of one block, or for klauspost of one of the calls
/// that a block is made of.
#[derive(Clone, Copy, Debug)]
pub struct BlockFacts<'a> {
    /// Counts of the tokens. Of a stored block, those that were not written, if they are known.
    pub frequencies: &'a Frequencies,
    /// Where it stands.
    pub place: BlockPlace,
}

impl BlockFacts<'_> {
    fn stored(&self) -> BlockKind {
        BlockKind::Stored {
            length: u16::try_from(self.place.plain_length).unwrap_or(u16::MAX),
            padding: 0,
        }
    }
}

/// How many of a block's tokens one set of facts is about, at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallLimit {
    /// All of them.
    Block,
    /// Those of so many bytes of plain text.
    Plain(u64),
    /// So many.
    Tokens(usize),
}

impl CallLimit {
    /// The tokens of a block's first call: their number, and their bytes of plain text.
    pub fn first_call(self, tokens: &[Token]) -> (usize, u64) {
        let most = match self {
            Self::Tokens(most) => most,
            Self::Block | Self::Plain(_) => usize::MAX,
        };
        let enough = match self {
            Self::Plain(enough) => enough,
            Self::Block | Self::Tokens(_) => u64::MAX,
        };
        let (mut count, mut plain_length) = (0, 0);
        for token in tokens.iter().take(most) {
            if plain_length >= enough {
                break;
            }
            count += 1;
            plain_length += token.length() as u64;
        }
        (count, plain_length)
    }
}

/// Predicts the headers of one stream, as one encoder writes them.
#[derive(Clone, Debug)]
pub enum TableBuilder {
    /// Nothing but stored blocks: level 0 of all encoders.
    Stored,
    /// Go 1.7 to 1.26, levels 2 to 9.
    Go,
    /// Go 1.7 to 1.26, level 1.
    GoFast,
    /// Go 1.7 to 1.26, Huffman only.
    GoLiterals,
    /// zlib and GNU gzip.
    Zlib,
    /// pigz: zlib, with empty blocks up to the next byte between pieces. With independent pieces
    /// (`-i`) it writes as zlib does.
    Pigz,
    /// klauspost/compress and Go from 1.27 on.
    Klauspost(Box<Klauspost>),
}

impl TableBuilder {
    /// klauspost's, at the start of a stream.
    pub fn klauspost(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self::Klauspost(Box::new(Klauspost::new(version, level)))
    }

    /// pgzip's: klauspost's encoder, begun anew after each flush with a dictionary.
    pub fn pgzip(version: KlauspostVersion, level: KlauspostLevel) -> Self {
        Self::Klauspost(Box::new(Klauspost::in_pgzip(version, level)))
    }

    /// How many of a block's tokens one set of facts is about.
    pub fn call_limit(&self) -> CallLimit {
        match self {
            Self::Klauspost(klauspost) => klauspost.call_limit(),
            _ => CallLimit::Block,
        }
    }

    /// The kind of a block that is known to begin with these tokens; `place`: of the block as far as
    /// they go.
    pub fn predict_block(&self, tokens: &[Token], place: BlockPlace) -> BlockKind {
        let limit = self.call_limit();
        let (count, plain_length) = match limit {
            CallLimit::Plain(enough) if place.plain_length > enough => limit.first_call(tokens),
            CallLimit::Tokens(most) if tokens.len() > most => limit.first_call(tokens),
            _ => (tokens.len(), place.plain_length),
        };
        let frequencies = &Frequencies::of_tokens(tokens.get(..count).unwrap_or(tokens));
        let facts = BlockFacts {
            frequencies,
            place: BlockPlace {
                plain_length,
                ..place
            },
        };
        match self {
            Self::Klauspost(klauspost) => klauspost.predict_new(&facts),
            _ => self.predict(&facts).unwrap_or(BlockKind::Fixed),
        }
    }

    /// What begins with these tokens: a block of some kind, or none, as the one before goes on.
    pub fn predict(&self, facts: &BlockFacts<'_>) -> Option<BlockKind> {
        match self {
            Self::Stored => Some(facts.stored()),
            Self::Go => Some(go::predict(facts)),
            Self::GoFast => Some(go::predict_fast(facts)),
            Self::GoLiterals => Some(go::predict_literals(facts)),
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
