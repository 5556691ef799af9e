//! A recipe: what turns files back into the exact layer.
//!
//! It is written front to back while a layer is taken apart, and read from its end in parts, so that
//! neither needs memory for the whole. `doc/recipe-format.md` has the layout.

pub mod decode;
pub mod encode;
pub mod error;
pub mod row;
pub mod section;
pub mod summary;

pub use decode::{ReadAt, RecipeBytes, RecipeIndex, SectionReader};
pub use encode::{FinishedRecipe, RecipeWriter};
pub use error::RecipeError;
pub use row::SegmentRow;
pub use section::Section;
pub use summary::{Encoding, Summary};
