//! A `DiffID`: the digest of a layer's uncompressed tar.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Algorithms that the OCI image specification registers, with their number of hex digits.
/// <https://github.com/opencontainers/image-spec/blob/v1.1.1/descriptor.md#registered-algorithms>
const ALGORITHMS: [(&str, usize); 2] = [("sha256:", 64), ("sha512:", 128)];

/// `sha256:` or `sha512:` and lower-case hex.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DiffId(String);

/// Why a text is no `DiffID`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ParseDiffIdError {
    /// The text does not begin with an algorithm that is known.
    #[error("a DiffID begins with sha256: or sha512:")]
    Algorithm,
    /// There are too few or too many digits.
    #[error("a DiffID of this algorithm has {expected} hex digits, got {got} bytes")]
    Length {
        /// Digits of the algorithm.
        expected: usize,
        /// Bytes after the colon.
        got: usize,
    },
    /// A byte is no lower-case hex digit.
    #[error("expected a lower-case hex digit at offset {offset}, got byte {got:#04x}")]
    Digit {
        /// Where the byte is, from the start of the text.
        offset: usize,
        /// The byte.
        got: u8,
    },
}

impl DiffId {
    /// The text, as it stands in an image's configuration.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for DiffId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl FromStr for DiffId {
    type Err = ParseDiffIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        for (algorithm, expected) in ALGORITHMS {
            if let Some(digits) = text.strip_prefix(algorithm) {
                check_digits(algorithm.len(), digits, expected)?;
                return Ok(Self(text.to_owned()));
            }
        }
        Err(ParseDiffIdError::Algorithm)
    }
}

fn check_digits(start: usize, digits: &str, expected: usize) -> Result<(), ParseDiffIdError> {
    let got = digits.len();
    if got != expected {
        return Err(ParseDiffIdError::Length { expected, got });
    }
    for (index, got) in digits.bytes().enumerate() {
        if !matches!(got, b'0'..=b'9' | b'a'..=b'f') {
            let offset = start.saturating_add(index);
            return Err(ParseDiffIdError::Digit { offset, got });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn diff_id_reads_the_text_it_writes() {
        for text in [
            format!("sha256:{}", "0a".repeat(32)),
            format!("sha512:{}", "f9".repeat(64)),
        ] {
            let diff_id: DiffId = text.parse().unwrap();
            assert_eq!(
                (diff_id.as_str(), diff_id.to_string()),
                (&*text, text.clone())
            );
        }
    }

    #[test]
    fn diff_id_refuses_anything_else() {
        let parse = |text: &str| text.parse::<DiffId>();
        for text in ["", "sha256", "md5:00", "SHA256:00"] {
            assert_eq!(parse(text), Err(ParseDiffIdError::Algorithm), "{text}");
        }
        assert_eq!(
            parse("sha512:00"),
            Err(ParseDiffIdError::Length {
                expected: 128,
                got: 2
            })
        );
        assert_eq!(
            parse(&format!("sha256:{}G", "0".repeat(63))),
            Err(ParseDiffIdError::Digit {
                offset: 70,
                got: b'G'
            })
        );
    }
}
