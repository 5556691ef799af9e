//! What a recipe says of its layer as a whole.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use crate::varint::{read_varint, write_varint};

/// Longest text of a digest: `sha512:` and 128 hex digits, with room for others to come.
const MAX_DIGEST_LENGTH: u64 = 256;

/// How the layer's tar is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Identity,
    /// gzip, described by segments.
    Gzip,
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
        let number = match self.encoding {
            Encoding::Identity => 0,
            Encoding::Gzip => 1,
        };
        output.extend_from_slice(&[number, 0, 0]);
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
        let encoding = match encoding {
            [0, 0, 0] => Encoding::Identity,
            [1, 0, 0] => Encoding::Gzip,
            _ => return None,
        };
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
