//! File ids and content digests.
//!
//! A [`FileId`] names the content of one file inside this store. A content digest is what a registry
//! calls a blob: `sha256:` or `sha512:` and lower-case hex.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use std::fmt::{self, Write};
use std::str::FromStr;

use sha2::{Digest, Sha256, Sha512};
use thiserror::Error;

/// Bytes in a file id.
pub const FILE_ID_SIZE: usize = 32;

/// Lower-case hex digits in the text of a file id.
const FILE_ID_HEX_SIZE: usize = 64;

/// The BLAKE3-256 hash of a file's content. Its text is 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId([u8; FILE_ID_SIZE]);

/// Why a text is not a file id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseFileIdError {
    /// The text is too short or too long.
    #[error("a file id has {expected} hex digits, got {got} bytes")]
    Length {
        /// Bytes that a file id's text has.
        expected: usize,
        /// Bytes that the text has.
        got: usize,
    },
    /// A byte is no lower-case hex digit.
    #[error("expected a lower-case hex digit at offset {offset}, got byte {got:#04x}")]
    Digit {
        /// Where the byte is, from 0.
        offset: usize,
        /// The byte.
        got: u8,
    },
}

impl FileId {
    /// The id of a file whose whole content is at hand.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        Self(*blake3::hash(content).as_bytes())
    }

    /// The id's bytes, as they stand in recipes and packs.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; FILE_ID_SIZE] {
        &self.0
    }
}

impl From<[u8; FILE_ID_SIZE]> for FileId {
    fn from(bytes: [u8; FILE_ID_SIZE]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_hex(formatter, &self.0)
    }
}

impl fmt::Debug for FileId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "FileId({self})")
    }
}

impl FromStr for FileId {
    type Err = ParseFileIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() != FILE_ID_HEX_SIZE {
            return Err(ParseFileIdError::Length {
                expected: FILE_ID_HEX_SIZE,
                got: text.len(),
            });
        }
        let mut bytes = [0; FILE_ID_SIZE];
        for (offset, got) in text.bytes().enumerate() {
            let digit = hex_value(got).ok_or(ParseFileIdError::Digit { offset, got })?;
            if let Some(byte) = bytes.get_mut(offset >> 1) {
                *byte = (*byte << 4) | digit;
            }
        }
        Ok(Self(bytes))
    }
}

/// Makes a [`FileId`] from content that comes in pieces.
#[derive(Debug, Clone, Default)]
pub struct FileHasher(blake3::Hasher);

impl FileHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The id of everything added.
    #[must_use]
    pub fn finish(self) -> FileId {
        FileId(*self.0.finalize().as_bytes())
    }
}

/// An algorithm that the OCI image specification registers for digests.
/// <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms>
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// A text that names no [`DigestAlgorithm`].
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("expected the algorithm sha256 or sha512, got {got:?}")]
pub struct UnknownAlgorithmError {
    /// The text.
    pub got: String,
}

impl FromStr for DigestAlgorithm {
    type Err = UnknownAlgorithmError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "sha256" => Ok(Self::Sha256),
            "sha512" => Ok(Self::Sha512),
            _ => Err(UnknownAlgorithmError {
                got: text.to_owned(),
            }),
        }
    }
}

/// Makes the text of a content digest, such as `sha256:e3b0…`, from content that comes in pieces.
#[derive(Debug, Clone)]
pub struct ContentHasher(ContentHasherState);

#[derive(Debug, Clone)]
enum ContentHasherState {
    Sha256(Sha256),
    Sha512(Sha512),
}

impl ContentHasher {
    /// A hasher that has seen nothing.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm) -> Self {
        Self(match algorithm {
            DigestAlgorithm::Sha256 => ContentHasherState::Sha256(Sha256::new()),
            DigestAlgorithm::Sha512 => ContentHasherState::Sha512(Sha512::new()),
        })
    }

    /// Adds the next bytes of the content.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            ContentHasherState::Sha256(hasher) => hasher.update(bytes),
            ContentHasherState::Sha512(hasher) => hasher.update(bytes),
        }
    }

    /// The digest of everything added: algorithm, colon, lower-case hex.
    #[must_use]
    pub fn finish(self) -> String {
        match self.0 {
            ContentHasherState::Sha256(hasher) => digest_text("sha256:", &hasher.finalize()),
            ContentHasherState::Sha512(hasher) => digest_text("sha512:", &hasher.finalize()),
        }
    }
}

fn digest_text(prefix: &str, hash: &[u8]) -> String {
    let mut text = String::from(prefix);
    for byte in hash {
        text.push(hex_digit(byte >> 4));
        text.push(hex_digit(byte & 0x0f));
    }
    text
}

fn write_hex(output: &mut impl Write, bytes: &[u8]) -> fmt::Result {
    for byte in bytes {
        output.write_char(hex_digit(byte >> 4))?;
        output.write_char(hex_digit(byte & 0x0f))?;
    }
    Ok(())
}

fn hex_digit(value: u8) -> char {
    char::from_digit(u32::from(value), 16).unwrap_or('0')
}

fn hex_value(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => digit.checked_sub(b'0'),
        b'a'..=b'f' => digit.checked_sub(b'a')?.checked_add(10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// <https://github.com/BLAKE3-team/BLAKE3/blob/master/test_vectors/test_vectors.json>, length 0.
    const EMPTY_ID: &str = "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262";
    /// The same file, length 1: the byte 0.
    const ONE_BYTE_ID: &str = "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213";

    fn content_digest(algorithm: DigestAlgorithm, pieces: &[&[u8]]) -> String {
        let mut hasher = ContentHasher::new(algorithm);
        for piece in pieces {
            hasher.update(piece);
        }
        hasher.finish()
    }

    #[test]
    fn file_id_gives_the_published_hashes() {
        assert_eq!(FileId::of(b"").to_string(), EMPTY_ID);
        assert_eq!(FileId::of(&[0]).to_string(), ONE_BYTE_ID);
    }

    #[test]
    fn file_hasher_gives_the_same_id_when_content_comes_in_pieces() {
        let content: Vec<u8> = (0..=250_u8).cycle().take(10_000).collect();
        let mut hasher = FileHasher::new();
        for piece in content.chunks(333) {
            hasher.update(piece);
        }
        assert_eq!(hasher.finish(), FileId::of(&content));
        assert_eq!(FileHasher::new().finish().to_string(), EMPTY_ID);
    }

    #[test]
    fn file_id_reads_the_text_it_writes() {
        let id = FileId::of(b"mica");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(FileId::from(*id.as_bytes()), id);
        assert_eq!(format!("{id:?}"), format!("FileId({id})"));
    }

    #[test]
    fn file_id_refuses_text_of_another_length() {
        let expected = FILE_ID_HEX_SIZE;
        for text in [String::new(), EMPTY_ID.repeat(2), "a".repeat(63)] {
            let got = text.len();
            assert_eq!(
                text.parse::<FileId>(),
                Err(ParseFileIdError::Length { expected, got })
            );
        }
    }

    #[test]
    fn file_id_refuses_digits_that_are_not_lower_case_hex() {
        let error = |offset, got| Err(ParseFileIdError::Digit { offset, got });
        assert_eq!(
            EMPTY_ID.to_uppercase().parse::<FileId>(),
            error(0, b'A'),
            "upper case"
        );
        let late = format!("{}g", "0".repeat(63));
        assert_eq!(late.parse::<FileId>(), error(63, b'g'));
    }

    #[test]
    fn digest_algorithm_reads_registered_names_only() {
        assert_eq!("sha256".parse(), Ok(DigestAlgorithm::Sha256));
        assert_eq!("sha512".parse(), Ok(DigestAlgorithm::Sha512));
        for text in ["", "SHA256", "sha256:", "md5"] {
            let got = text.to_owned();
            assert_eq!(
                text.parse::<DigestAlgorithm>(),
                Err(UnknownAlgorithmError { got })
            );
        }
    }

    /// FIPS 180-4 examples, <https://csrc.nist.gov/projects/cryptographic-standards-and-guidelines/example-values>.
    #[test]
    fn content_hasher_gives_the_published_digests() {
        assert_eq!(
            content_digest(DigestAlgorithm::Sha256, &[b"a", b"", b"bc"]),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        );
        assert_eq!(
            content_digest(DigestAlgorithm::Sha256, &[]),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            content_digest(DigestAlgorithm::Sha512, &[b"ab", b"c"]),
            "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"
        );
    }
}
