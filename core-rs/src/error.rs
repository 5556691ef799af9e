//! What every error of the core can tell beside its message, so that whoever passes it on needs to
//! know no error by its type.

use crate::digest::{ParseFileIdError, UnknownAlgorithmError};

/// The numbers that show an error; those without meaning for it are absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ErrorValues {
    /// Where it was seen, bytes from the start of the input.
    pub offset: Option<u64>,
    /// What is there.
    pub got: Option<u64>,
    /// What should be there.
    pub expected: Option<u64>,
}

/// An error with a code that stays the same from version to version.
pub trait CoreError: std::error::Error {
    /// Upper case with underscores, such as `FILE_ID_LENGTH`.
    fn code(&self) -> &'static str;

    /// The numbers that show the error.
    fn values(&self) -> ErrorValues {
        ErrorValues::default()
    }

    /// The error that led to this one, where it has a code too. Others are had from `source()`.
    fn coded_source(&self) -> Option<&dyn CoreError> {
        None
    }
}

impl CoreError for ParseFileIdError {
    fn code(&self) -> &'static str {
        match self {
            Self::Length { .. } => "FILE_ID_LENGTH",
            Self::Digit { .. } => "FILE_ID_DIGIT",
        }
    }

    fn values(&self) -> ErrorValues {
        match *self {
            Self::Length { expected, got } => ErrorValues {
                got: u64::try_from(got).ok(),
                expected: u64::try_from(expected).ok(),
                ..ErrorValues::default()
            },
            Self::Digit { offset, got } => ErrorValues {
                offset: u64::try_from(offset).ok(),
                got: Some(u64::from(got)),
                ..ErrorValues::default()
            },
        }
    }
}

impl CoreError for UnknownAlgorithmError {
    fn code(&self) -> &'static str {
        "UNKNOWN_ALGORITHM"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::{DigestAlgorithm, FileId};

    #[test]
    fn errors_have_codes_and_the_numbers_that_show_them() {
        let error = "ab".parse::<FileId>().unwrap_err();
        assert_eq!(error.code(), "FILE_ID_LENGTH");
        assert_eq!(error.values().got, Some(2));
        assert_eq!(error.values().expected, Some(64));
        assert_eq!(error.values().offset, None);
        let error = format!("{}G", "0".repeat(63)).parse::<FileId>();
        let error = error.unwrap_err();
        assert_eq!(error.code(), "FILE_ID_DIGIT");
        assert_eq!(error.values().offset, Some(63));
        let error = "md5".parse::<DigestAlgorithm>().unwrap_err();
        assert_eq!(error.code(), "UNKNOWN_ALGORITHM");
        assert_eq!(error.values(), ErrorValues::default());
        assert!(error.coded_source().is_none());
    }
}
