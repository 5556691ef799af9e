//! The trailer of a gzip member, and what it has to be for a given plain text.
//!
//! <https://www.rfc-editor.org/rfc/rfc1952#section-2.3>, CRC32 and ISIZE.

use super::error::GzipError;

/// Bytes in a trailer.
pub const TRAILER_SIZE: usize = 8;

/// The last bytes of a member. Nothing says that they are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trailer {
    /// CRC-32 of the plain text.
    pub crc: u32,
    /// Bytes of plain text, modulo 2^32.
    pub size: u32,
}

impl Trailer {
    /// The trailer's bytes.
    #[must_use]
    pub fn encode(self) -> [u8; TRAILER_SIZE] {
        (u64::from(self.crc) | u64::from(self.size) << 32).to_le_bytes()
    }
}

/// Reads the trailer that `input` begins with. What comes after it is not looked at.
///
/// # Errors
/// [`GzipError::Truncated`] if `input` is shorter than a trailer.
pub fn parse_trailer(input: &[u8]) -> Result<Trailer, GzipError> {
    let numbers = input
        .split_first_chunk()
        .and_then(|(crc, rest)| Some((crc, rest.first_chunk()?)));
    let Some((crc, size)) = numbers else {
        return Err(GzipError::Truncated {
            offset: input.len(),
            expected: TRAILER_SIZE,
        });
    };
    Ok(Trailer {
        crc: u32::from_le_bytes(*crc),
        size: u32::from_le_bytes(*size),
    })
}

/// Works out the trailer of a plain text that comes in pieces.
///
/// ```
/// use mica_core::gzip::{MemberCheck, parse_trailer};
///
/// let mut check = MemberCheck::new();
/// check.update(b"hello");
/// check.update(b"\n");
/// let trailer = parse_trailer(b"\x20\x30\x3a\x36\x06\0\0\0")?;
/// assert_eq!(check.finish(), trailer);
/// # Ok::<(), mica_core::gzip::GzipError>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct MemberCheck {
    crc: crc32fast::Hasher,
    size: u64,
}

impl MemberCheck {
    /// A check that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the plain text.
    pub fn update(&mut self, plain: &[u8]) {
        self.crc.update(plain);
        self.size = self
            .size
            .wrapping_add(u64::try_from(plain.len()).unwrap_or_default());
    }

    /// Adds the bytes that another check has seen, as those that come next. So parts of a plain text
    /// can be checked in parallel.
    pub fn append(&mut self, next: &Self) {
        self.crc.combine(&next.crc);
        self.size = self.size.wrapping_add(next.size);
    }

    /// The trailer that belongs to everything added.
    #[must_use]
    pub fn finish(self) -> Trailer {
        let [a, b, c, d, ..] = self.size.to_le_bytes();
        Trailer {
            crc: self.crc.finalize(),
            size: u32::from_le_bytes([a, b, c, d]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_trailer_reads_what_encode_writes() {
        let trailer = Trailer {
            crc: 0x0403_0201,
            size: 0x0807_0605,
        };
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(trailer.encode(), bytes);
        assert_eq!(parse_trailer(&[&bytes[..], b"more"].concat()), Ok(trailer));
    }

    #[test]
    fn parse_trailer_asks_for_more_bytes_when_there_are_less_than_eight() {
        for offset in 0..TRAILER_SIZE {
            let error = GzipError::Truncated {
                offset,
                expected: TRAILER_SIZE,
            };
            assert_eq!(parse_trailer(&[0; TRAILER_SIZE][..offset]), Err(error));
        }
    }

    #[test]
    fn member_check_gives_the_published_crc() {
        let mut check = MemberCheck::new();
        check.update(b"123456789");
        let trailer = check.finish();
        // <https://reveng.sourceforge.io/crc-catalogue/17plus.htm#crc.cat.crc-32-iso-hdlc>, check.
        assert_eq!(
            trailer,
            Trailer {
                crc: 0xcbf4_3926,
                size: 9
            }
        );
        assert_eq!(MemberCheck::new().finish(), Trailer { crc: 0, size: 0 });
    }

    #[test]
    fn member_check_is_the_same_for_parts_put_together() {
        let text: Vec<u8> = (0..=250_u8).cycle().take(5_000).collect();
        let mut whole = MemberCheck::new();
        whole.update(&text);
        let mut parts = MemberCheck::new();
        for part in text.chunks(999) {
            let mut next = MemberCheck::new();
            next.update(part);
            parts.append(&next);
        }
        assert_eq!(parts.finish(), whole.finish());
    }

    #[test]
    fn member_check_counts_the_size_modulo_four_gibibytes() {
        let mut check = MemberCheck::new();
        let mut rest = MemberCheck::new();
        check.update(&[0; 1 << 12]);
        for _ in 0..20 {
            let half = check.clone();
            check.append(&half);
        }
        rest.update(b"abc");
        check.append(&rest);
        assert_eq!(check.finish().size, 3);
    }
}
