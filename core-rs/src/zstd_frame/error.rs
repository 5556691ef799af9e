//! What can be wrong with a layer of zstd frames.

use thiserror::Error;

/// Why frames cannot be read. Offsets count from the start of what was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FrameError {
    /// The input ends within a frame.
    #[error("input ends at offset {offset}, expected at least {expected} bytes")]
    Truncated {
        /// Where the input ends.
        offset: u64,
        /// Fewest bytes that may be enough.
        expected: u64,
    },
    /// A reserved bit is set: the frame means something that nobody knows.
    #[error("frame at offset {offset} has reserved bits {got:#04x} set, expected none")]
    ReservedBits {
        /// Where the frame begins.
        offset: u64,
        /// Those that are set.
        got: u8,
    },
    /// A reader of the frame has to remember more text than is allowed.
    #[error(
        "frame at offset {offset} asks for a window of {got} bytes, expected at most {expected}"
    )]
    Window {
        /// Where the frame begins.
        offset: u64,
        /// Bytes it asks for.
        got: u64,
        /// Bytes allowed.
        expected: u64,
    },
    /// The frame needs a dictionary, which layers do not have.
    #[error("frame at offset {offset} needs dictionary {got}")]
    Dictionary {
        /// Where the frame begins.
        offset: u64,
        /// The dictionary's number.
        got: u32,
    },
    /// A block is of the reserved type.
    #[error("block at offset {offset} has type {got}, expected less")]
    BlockType {
        /// Where the block begins.
        offset: u64,
        /// Its type.
        got: u8,
    },
    /// A block is larger than any of its frame may be.
    #[error("block at offset {offset} has {got} bytes, expected at most {expected}")]
    BlockSize {
        /// Where the block begins.
        offset: u64,
        /// Bytes it has.
        got: u32,
        /// Bytes allowed.
        expected: u32,
    },
    /// libzstd cannot read a header, a block or a checksum.
    #[error("libzstd cannot read what begins at offset {offset}: {reason}")]
    Decode {
        /// Where it begins.
        offset: u64,
        /// What libzstd says.
        reason: &'static str,
    },
}

impl FrameError {
    /// The same for input that begins after so many bytes.
    #[must_use]
    pub const fn moved_by(mut self, bytes: u64) -> Self {
        if let Self::Truncated { expected, .. } = &mut self {
            *expected = expected.saturating_add(bytes);
        }
        let (Self::Truncated { offset, .. }
        | Self::ReservedBits { offset, .. }
        | Self::Window { offset, .. }
        | Self::Dictionary { offset, .. }
        | Self::BlockType { offset, .. }
        | Self::BlockSize { offset, .. }
        | Self::Decode { offset, .. }) = &mut self;
        *offset = offset.saturating_add(bytes);
        self
    }
}
