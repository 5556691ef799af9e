//! Where a stream differs from what the model of its compressor predicts.

use crate::deflate::Token;

/// One wrong prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Tokens that were predicted rightly since the correction before (or the segment's start).
    /// Those that a [`Change::LiteralPortion`] stands for are not counted.
    pub gap: u32,
    /// What really follows.
    pub change: Change,
}

/// What really stands where something else was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This token.
    Token(Token),
    /// Literals up to the end of the portion of input, while the model goes on with what it predicts:
    /// the compressor found matches and did not use them.
    LiteralPortion,
}
