//! Caps on what foreign bytes can make the core keep in memory.

/// Longest data of one pax header or GNU long name that is interpreted, in bytes. Go's `archive/tar`,
/// which unpacks layers in containerd and dockerd, refuses longer ones (`maxSpecialFileSize`).
pub const MAX_TAR_METADATA_SIZE: u64 = 1_048_576;

/// Most regular files in one layer. A reference to a file takes 32 bytes for its id, so this many
/// take 32 MiB: half of the 64 MiB that one layer may cost. A tar of empty files only needs 512
/// bytes for each, so without a cap a small gzip bomb could ask for any amount.
pub const MAX_TAR_FILES: u64 = 1_048_576;

/// Longest plain text of one pack block, in bytes. Blocks are written with about 1 MiB; this leaves
/// room for eight times that, and bounds what decoding one block takes: its stored bytes, its plain
/// text and its table.
pub const MAX_BLOCK_PLAIN_LENGTH: u32 = 8_388_608;

/// Most pieces of files in one pack block. The table of so many takes 2.25 MiB. A block of 1 MiB
/// reaches it only when its files have 16 bytes on average.
pub const MAX_BLOCK_PIECES: u32 = 65_536;

/// Longest manifest, in bytes: what the distribution specification asks registries to take at least.
/// <https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pushing-manifests>
pub const MAX_MANIFEST_LENGTH: u32 = 4_194_304;

/// Longest image configuration, in bytes. It is read into memory as a manifest is, so it gets the same
/// limit.
pub const MAX_CONFIG_LENGTH: u32 = 4_194_304;

/// Most manifests of one difference: an index, an index in it, the image's manifest, and one to spare.
pub const MAX_DIFFERENCE_MANIFESTS: u64 = 4;

/// Most layers of one difference. Docker's layer store stops at 125 (`maxLayerDepth`).
pub const MAX_DIFFERENCE_LAYERS: u64 = 1024;

/// Most references to files in all layers of one difference: twice what one layer may have. The
/// decoder remembers each file of them, about 64 bytes each.
pub const MAX_DIFFERENCE_REFERENCES: u64 = 2_097_152;
