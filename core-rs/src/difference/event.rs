//! What a difference tells, in the order of its bytes.

use super::diff_id::DiffId;
use crate::digest::FileId;

/// A file that a layer has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reference {
    /// The file.
    pub id: FileId,
    /// Its bytes. A file without any is never sent.
    pub size: u64,
}

/// A layer that the node lacks, and how much about it follows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// What the tar's digest has to be.
    pub diff_id: DiffId,
    /// References to files, in the order of the tar; a file may be there more than once.
    pub reference_count: u32,
    /// Bytes of the recipe's tar part.
    pub tar_part_length: u64,
}

/// What a whole difference has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Manifests.
    pub manifests: u64,
    /// Layers.
    pub layers: u64,
    /// References to files, of all layers.
    pub references: u64,
    /// Files sent.
    pub files: u64,
    /// Bytes of all files sent.
    pub content_length: u64,
}

/// What a [`DifferenceDecoder`](super::DifferenceDecoder) finds.
///
/// One or more manifests, the configuration, the layers, the files, the end. A layer's references come
/// before its tar part; both may come in several runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event<'a> {
    /// A manifest's bytes: an index before the manifest it leads to. Their digest is for the caller
    /// to check, who knows what was asked for.
    Manifest(&'a [u8]),
    /// The image configuration's bytes. The manifest has their digest.
    Config(&'a [u8]),
    /// A layer begins.
    Layer(&'a Layer),
    /// The layer's next references.
    References(&'a [Reference]),
    /// The next bytes of the layer's tar part.
    TarPart(&'a [u8]),
    /// The layer that began has ended.
    EndLayer,
    /// A file begins that a layer refers to.
    File(Reference),
    /// The next bytes of the file that began. They are not checked before it ends.
    Content(&'a [u8]),
    /// The file that began has ended, and its content has the id it should have.
    EndFile,
    /// The difference is whole. Bytes that come after it are an error that cannot be told earlier.
    End(Totals),
}
