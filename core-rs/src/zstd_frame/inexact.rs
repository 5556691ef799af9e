//! Why a layer of zstd frames is not made again.

use thiserror::Error;

/// What stands against making a layer again to the bit. Its files are known all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Inexact {
    /// No call of libzstd that is tried makes the same frame.
    #[error("not made by libzstd 1.5.7 at any level we know")]
    OtherCompressor,
    /// There is more than one frame.
    #[error("several zstd frames")]
    SeveralFrames,
    /// There are frames without text, such as those of zstd:chunked.
    #[error("skippable zstd frames")]
    SkippableFrame,
    /// Something follows that is no frame.
    #[error("bytes that are no zstd frame after the last one")]
    TrailingBytes,
}

impl Inexact {
    const ALL: [Self; 4] = [
        Self::OtherCompressor,
        Self::SeveralFrames,
        Self::SkippableFrame,
        Self::TrailingBytes,
    ];

    /// The number that stands for it in a recipe.
    pub(crate) const fn number(self) -> u8 {
        match self {
            Self::OtherCompressor => 1,
            Self::SeveralFrames => 2,
            Self::SkippableFrame => 3,
            Self::TrailingBytes => 4,
        }
    }

    /// What a number stands for.
    pub(crate) fn of_number(number: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|inexact| inexact.number() == number)
    }
}
