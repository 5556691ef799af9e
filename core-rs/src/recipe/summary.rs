//! What a recipe says of its layer as a whole.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use crate::varint::{read_varint, write_varint};
use crate::zstd_frame::{Inexact, ZstdCall};

/// Longest text of a digest: `sha512:` and 128 hex digits, with room for others to come.
const MAX_DIGEST_LENGTH: u64 = 256;

const ZSTD: u8 = 2;

/// How the layer's tar is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip, described by segments.
    Gzip,
    /// zstd: by a call of libzstd that makes it again, or why there is none.
    Zstd(Result<ZstdCall, Inexact>),
}

impl Encoding {
    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Gzip => "gzip",
            Self::Zstd(_) => "zstd",
        }
    }

    /// Why the layer cannot be made again of its recipe; none if it can.
    #[must_use]
    pub const fn inexact(self) -> Option<Inexact> {
        match self {
            Self::Zstd(Err(inexact)) => Some(inexact),
            Self::Identity | Self::Gzip | Self::Zstd(Ok(_)) => None,
        }
    }

    fn encode(self) -> [u8; 3] {
        match self {
            Self::Identity => [0, 0, 0],
            Self::Gzip => [1, 0, 0],
            Self::Zstd(Ok(call)) => {
                let [level, flags] = call.encode();
                [ZSTD, level, flags]
            }
            // No call has level 0.
            Self::Zstd(Err(inexact)) => [ZSTD, 0, inexact.number()],
        }
    }

    fn decode(number: [u8; 3]) -> Option<Self> {
        match number {
            [0, 0, 0] => Some(Self::Identity),
            [1, 0, 0] => Some(Self::Gzip),
            [ZSTD, 0, reason] => Some(Self::Zstd(Err(Inexact::of_number(reason)?))),
            [ZSTD, level, flags] => Some(Self::Zstd(Ok(ZstdCall::decode([level, flags])?))),
            _ => None,
        }
    }
}

/// The layer as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// How the tar is compressed.
    pub encoding: Encoding,
    /// Digest of the layer: of its compressed bytes.
    pub digest: String,
    /// Bytes of the layer.
    pub size: u64,
    /// Digest of the tar.
    pub diff_id: String,
    /// Bytes of the tar.
    pub tar_size: u64,
    /// Files with content, counted as often as they occur.
    pub files: u64,
}

impl Summary {
    pub(super) fn encode(&self, output: &mut Vec<u8>) {
        output.extend_from_slice(&self.encoding.encode());
        for digest in [&self.digest, &self.diff_id] {
            write_varint(output, u64::try_from(digest.len()).unwrap_or(u64::MAX));
            output.extend_from_slice(digest.as_bytes());
        }
        for number in [self.size, self.tar_size, self.files] {
            write_varint(output, number);
        }
    }

    /// The summary that `input` begins with, and what follows it.
    pub(super) fn decode(input: &[u8]) -> Option<(Self, &[u8])> {
        let (encoding, rest) = input.split_first_chunk::<3>()?;
        let encoding = Encoding::decode(*encoding)?;
        let (digest, rest) = decode_text(rest)?;
        let (diff_id, rest) = decode_text(rest)?;
        let (size, rest) = read_varint(rest)?;
        let (tar_size, rest) = read_varint(rest)?;
        let (files, rest) = read_varint(rest)?;
        let summary = Self {
            encoding,
            digest,
            size,
            diff_id,
            tar_size,
            files,
        };
        Some((summary, rest))
    }
}

fn decode_text(input: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = read_varint(input)?;
    if length > MAX_DIGEST_LENGTH {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
    Some((String::from_utf8(bytes.to_vec()).ok()?, rest))
}
