//! Caps on what foreign bytes can make the core keep in memory.

/// Longest data of one pax header or GNU long name that is interpreted, in bytes. Go's `archive/tar`,
/// which unpacks layers in containerd and dockerd, refuses longer ones (`maxSpecialFileSize`).
pub const MAX_TAR_METADATA_SIZE: u64 = 1_048_576;

/// Most regular files in one layer. To restore it takes 32 bytes of memory for each, half of them for its
/// place in a pack, so this many take 32 MiB: half of the 64 MiB that one layer may cost. A tar of empty files only needs 512
/// bytes for each, so without a cap a small gzip bomb could ask for any amount.
pub const MAX_TAR_FILES: u64 = 1_048_576;

/// Longest directory of a recipe, in bytes. A chunk of 256 KiB takes at most 16 bytes in it, so this
/// is enough for 64 GiB of skeleton and raw segments.
pub const MAX_RECIPE_DIRECTORY_SIZE: u64 = 4 << 20;

/// Longest header of a gzip member, in bytes. Go's `compress/gzip`, which unpacks layers in
/// containerd and dockerd, refuses names and comments of more than 511 bytes, and an extra field has
/// at most 65,535: no header that it takes has more than 66,573 bytes. This is about twice that.
pub const MAX_GZIP_HEADER_SIZE: usize = 131_072;

/// Largest window of a zstd frame, in bytes: what its reader has to remember. klauspost's encoder asks for
/// 32 MiB at its best level, libzstd for 8 MiB up to level 19.
pub const MAX_ZSTD_WINDOW_SIZE: u64 = 32 << 20;

/// Most memory of all encoders of libzstd that are run over a layer at once to find the one that made it,
/// in bytes. One for level 19 takes 90 MiB, for 17 58 MiB, for 9 15 MiB, for 3 4 MiB, and nothing less
/// makes the same bytes. To restore takes one encoder.
pub const MAX_ZSTD_ENCODERS_SIZE: usize = 128 << 20;

/// Most plain text of one segment, in bytes: it is cut at the latest after 3.5 MiB, and may go on to the
/// end of a match or of a stored block of 65,535 bytes.
pub const MAX_SEGMENT_TAR_SIZE: u32 = 4 << 20;

/// Most bytes of a stream that one segment stands for. 3.5 MiB of literals take 15 bits each at most
/// (RFC 1951 §3.2.7), 4,096 block headers 330 bytes each.
pub const MAX_SEGMENT_STORED_SIZE: u32 = 8 << 20;

/// Most bytes of section `Blocks`, and most of section `Corrections`, for one segment. A segment for
/// which they are more than a tenth of what it stands for is kept as it is.
pub const MAX_SEGMENT_KEPT_SIZE: u32 = 1 << 20;

/// Most blocks of a segment: more of them make next to no plain text. Decoded, each takes about 150
/// bytes, and a header of its own 400 more.
pub const MAX_SEGMENT_BLOCKS: usize = 4096;

/// Most framing before one segment, in bytes: the trailer of a member and the header of the next.
pub const MAX_SEGMENT_FRAMING_SIZE: u32 = 131_072 + 8;
const _: () = assert!(MAX_SEGMENT_FRAMING_SIZE as usize == MAX_GZIP_HEADER_SIZE + 8);

/// Most segments of one layer, and most parts that one is restored in. Cut at a mebibyte, they make
/// 256 GiB of tar. Layers of many small gzip members, such as eStargz, have a segment for each. A part
/// takes about 150 bytes in memory: 40 MiB in all.
pub const MAX_SEGMENTS: u64 = 262_144;

/// Longest plain text of one pack block, in bytes. Blocks are written with about 3 MiB, and less than twice
/// that; this leaves room for more, and bounds what decoding one block takes: its stored bytes, its plain
/// text and its table.
pub const MAX_BLOCK_PLAIN_LENGTH: u32 = 8_388_608;

/// Most pieces of files in one pack block. The table of so many takes 2.25 MiB. A block of 3 MiB
/// reaches it only when its files have 48 bytes on average.
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
