//! The sections of a recipe, and the chunks that they are stored in.

/// Bytes of a section in one chunk. Larger ones compress better, smaller ones are faster to read a
/// part of: a Debian root's skeleton of 8,117,355 bytes takes 209,704 in chunks of 64 KiB, 189,853 of
/// 256 KiB and 182,474 of 1 MiB (`zstd -b9 -B64K`, and so on).
pub const CHUNK_SIZE: usize = 256 << 10;

/// What kind of bytes. Each section is one run of bytes, cut into chunks in the order of writing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// Ids of the files, 32 bytes each, in the order of the archive.
    Files,
    /// For each file the literal bytes before it and its size, as varints.
    References,
    /// The literal bytes: all of the tar that is no file's content.
    Skeleton,
    /// A [row](super::row::SegmentRow) for each segment.
    Segments,
    /// Blocks of the segments: their lengths, and headers that are not as predicted.
    Blocks,
    /// Corrections of the segments.
    Corrections,
    /// Segments that no model knows, as they stand in the stream.
    Raw,
    /// Bytes between the segments: gzip headers and trailers, and what follows them.
    Framing,
}

impl Section {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 8] = [
        Self::Files,
        Self::References,
        Self::Skeleton,
        Self::Segments,
        Self::Blocks,
        Self::Corrections,
        Self::Raw,
        Self::Framing,
    ];

    /// The number that stands for it in the directory.
    pub const fn number(self) -> u8 {
        match self {
            Self::Files => 0,
            Self::References => 1,
            Self::Skeleton => 2,
            Self::Segments => 3,
            Self::Blocks => 4,
            Self::Corrections => 5,
            Self::Raw => 6,
            Self::Framing => 7,
        }
    }

    /// The section of a number.
    pub fn of_number(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }

    /// Whether compressing its bytes is worth a try: hashes and deflate streams do not shrink.
    pub const fn is_compressible(self) -> bool {
        !matches!(self, Self::Files | Self::Raw)
    }
}
