//! Why a layer, or a part of one, cannot be made again.

use crate::recipe::{RecipeError, Section};
use crate::segment::RebuildError;
use crate::zstd_frame::{EncodeError, Inexact};

/// What is wrong with a recipe or with the files given for it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RestoreError {
    /// The recipe cannot be read.
    #[error("recipe: {0}")]
    Recipe(#[from] RecipeError),
    /// The recipe was made for a layer of other parts than it tells.
    #[error("recipe tells of {got} bytes of {what}, expected {expected}")]
    Inconsistent {
        /// What was counted.
        what: &'static str,
        /// Bytes counted.
        got: u64,
        /// Bytes that the summary says.
        expected: u64,
    },
    /// A part that was made is not the layer's: the files given are not those of the recipe.
    #[error(
        "part {part} of the layer, at offset {offset}, comes out wrong: the files given for it are other ones"
    )]
    WrongPart {
        /// Which part.
        part: usize,
        /// Where it begins in the layer.
        offset: u64,
    },
    /// A file source gave another number of bytes than asked for.
    #[error("file {file} gave {got} bytes at offset {offset}, expected {expected}")]
    FileLength {
        /// Which file, by its place in the recipe.
        file: u64,
        /// Where in it.
        offset: u64,
        /// Bytes given.
        got: u64,
        /// Bytes asked for.
        expected: u64,
    },
    /// There is not one place for each file of the recipe.
    #[error("places of {got} files are given, expected {expected}")]
    Places {
        /// Places given.
        got: usize,
        /// Files of the recipe.
        expected: usize,
    },
    /// A file is said to be in a pack that was not given.
    #[error("pack {pack} is not among the {packs} given")]
    NoPack {
        /// Which pack.
        pack: u32,
        /// Packs given.
        packs: usize,
    },
    /// A pack ends before a block does that a file is said to be in.
    #[error("pack {pack} ends before byte {end}")]
    PackEnd {
        /// Which of the packs given.
        pack: u32,
        /// Where the block, or its header, would end.
        end: u64,
    },
    /// There is no such part.
    #[error("no part {got} of the layer, which has {expected}")]
    NoPart {
        /// The part asked for.
        got: usize,
        /// Parts there are.
        expected: usize,
    },
    /// The recipe tells the layer's files, but not how to make the layer.
    #[error("the layer cannot be made again: {0}")]
    Inexact(Inexact),
    /// The layer's text cannot be compressed.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// A segment cannot be made of its text: the files given are other ones, or the recipe is wrong.
    #[error("part {part} of the layer cannot be made: {problem}")]
    Rebuild {
        /// Which part.
        part: usize,
        /// What does not fit.
        problem: RebuildError,
    },
}

impl RestoreError {
    pub(super) const fn malformed(section: Section, offset: u64) -> Self {
        Self::Recipe(RecipeError::Malformed {
            section,
            offset,
            field: "what is kept of a segment",
        })
    }
}
