//! Caps on what foreign bytes can make the core keep in memory.

/// Longest data of one pax header or GNU long name that is interpreted, in bytes. Go's `archive/tar`,
/// which unpacks layers in containerd and dockerd, refuses longer ones (`maxSpecialFileSize`).
pub const MAX_TAR_METADATA_SIZE: u64 = 1_048_576;

/// Most regular files in one layer. A reference to a file takes 32 bytes for its id, so this many
/// take 32 MiB: half of the 64 MiB that one layer may cost. A tar of empty files only needs 512
/// bytes for each, so without a cap a small gzip bomb could ask for any amount.
pub const MAX_TAR_FILES: u64 = 1_048_576;

/// Longest directory of a recipe, in bytes. A chunk of 256 KiB takes at most 16 bytes in it, so this
/// is enough for a skeleton of 64 GiB.
pub const MAX_RECIPE_DIRECTORY_SIZE: u64 = 4 << 20;

/// Longest header of a gzip member, in bytes. Go's `compress/gzip`, which unpacks layers in
/// containerd and dockerd, refuses names and comments of more than 511 bytes, and an extra field has
/// at most 65,535: no header that it takes has more than 66,573 bytes. This is about twice that.
pub const MAX_GZIP_HEADER_SIZE: usize = 131_072;
