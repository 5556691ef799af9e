//! Laws of the gzip header parser for any input. The tests and the fuzz target share this file.

use mica_core::gzip::{Following, GzipError, parse_header, what_follows};

/// A header is a prefix of the input and parses to itself; a shorter input asks for more bytes or is
/// refused for the same reason; what follows a trailer is told in the same way.
pub(crate) fn check(input: &[u8], cut: usize) {
    let whole = parse_header(input);
    match &whole {
        Ok(header) => {
            assert!(input.starts_with(header.as_bytes()));
            assert_eq!(parse_header(header.as_bytes()), whole);
        }
        Err(GzipError::Truncated { offset, expected }) => {
            assert_eq!(*offset, input.len());
            assert!(expected > offset);
        }
        Err(_) => {}
    }
    let prefix = parse_header(input.get(..cut).unwrap_or(input));
    if !matches!(prefix, Err(GzipError::Truncated { .. })) {
        assert_eq!(prefix, whole);
    }
    let expected = match whole {
        _ if input.is_empty() => Following::Nothing,
        Err(GzipError::Truncated { .. }) if input.len() < 4 => Following::Unknown,
        Ok(_) | Err(GzipError::Truncated { .. } | GzipError::HeaderTooLong { .. }) => {
            Following::Member
        }
        Err(_) => Following::Trailing,
    };
    assert_eq!(what_follows(input), expected);
}
