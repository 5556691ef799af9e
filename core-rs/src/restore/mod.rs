//! Makes a layer again from its recipe and its files.
//!
//! A layer is restored in [parts](Restorer::parts), each on its own, in any order, on as many threads
//! as there are; a range needs only the parts that it lies in. The parts of a zstd layer are its tar; they
//! are all passed in order through a [`LayerEncoder`], whatever range is wanted.

pub mod encoder;
pub mod error;
pub mod file_map;
pub mod layer;
pub mod part;
pub mod tar_map;

pub use encoder::LayerEncoder;
pub use error::RestoreError;
pub use file_map::{FileIds, FileMap};
pub use layer::{Restorer, Scratch};
pub use part::Part;
pub use tar_map::{FilePlace, FileRange, FileSource, TarMap, read_file_ids};
