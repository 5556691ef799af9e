//! What can be wrong with a segment that is to be replayed.

use crate::deflate::Token;

/// Why tokens, corrections and plain text do not fit together. Positions count in the segment's text,
/// its context included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// There are fewer tokens than the blocks' plain text needs.
    #[error("no token for position {position}")]
    TokensEnd {
        /// Where one is missing.
        position: usize,
    },
    /// The last token of a block reaches past the block.
    #[error("tokens of a block reach to position {position}, expected {end}")]
    Overrun {
        /// Where the last token ends.
        position: usize,
        /// Where the block ends.
        end: usize,
    },
    /// A block is longer than the text.
    #[error("block at position {position} ends at {end}, after the text")]
    TextEnds {
        /// Where the block begins.
        position: usize,
        /// Where it would end.
        end: usize,
    },
    /// The blocks end before the text.
    #[error("blocks end at position {position}, the text at {end}")]
    TextLeft {
        /// Where the last block ends.
        position: usize,
        /// Bytes of text.
        end: usize,
    },
    /// A correction stands where its compressor takes no portions of input.
    #[error("correction at position {position} is for a portion of input, and there is none")]
    NoPortion {
        /// Where it would begin.
        position: usize,
    },
    /// A correction is for a place that is not there.
    #[error("correction at position {position} is for place {number} with the same bytes")]
    NoPlace {
        /// Where it stands.
        position: usize,
        /// The place's number.
        number: u16,
    },
    /// A corrected or predicted token does not give the text.
    #[error("{token:?} at position {position} does not give the text")]
    WrongToken {
        /// Where it stands.
        position: usize,
        /// The token.
        token: Token,
    },
    /// The model is wrong more often than is of use.
    #[error("more than {most} corrections up to position {position}")]
    TooMany {
        /// Behind the last prediction that was wrong.
        position: usize,
        /// Corrections that were allowed.
        most: usize,
    },
    /// Corrections are for more tokens than there are.
    #[error("corrections go on after the last block")]
    CorrectionsLeft,
}
