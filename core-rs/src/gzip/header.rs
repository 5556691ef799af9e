//! The header of a gzip member, kept as it is, and what comes after a member.
//!
//! <https://www.rfc-editor.org/rfc/rfc1952#section-2.3>

use super::error::GzipError;
use crate::limits::MAX_GZIP_HEADER_SIZE;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
const METHOD_OFFSET: usize = 2;
const DEFLATE: u8 = 8;
const FLAGS_OFFSET: usize = 3;

const HAS_CRC: u8 = 0x02;
const HAS_EXTRA: u8 = 0x04;
const HAS_NAME: u8 = 0x08;
const HAS_COMMENT: u8 = 0x10;
/// FTEXT and the four above.
const DEFINED_FLAGS: u8 = 0x1f;

/// The header of a gzip member: its bytes as they came, and what they tell about who wrote them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    bytes: Vec<u8>,
    flags: u8,
    modification_time: u32,
    extra_flags: u8,
    operating_system: u8,
    crc: Option<HeaderCrc>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct HeaderCrc {
    written: u16,
    computed: u16,
}

impl Header {
    /// All bytes of the header, as they came. Their number is where the deflate stream begins.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// FLG, all bits.
    #[must_use]
    pub const fn flags(&self) -> u8 {
        self.flags
    }

    /// MTIME, seconds since 1970; 0 means none.
    #[must_use]
    pub const fn modification_time(&self) -> u32 {
        self.modification_time
    }

    /// XFL: 2 if the compressor tried its best, 4 if it was in a hurry, 0 otherwise. A habit of
    /// compressors, not a promise.
    #[must_use]
    pub const fn extra_flags(&self) -> u8 {
        self.extra_flags
    }

    /// OS: 3 is Unix, 255 unknown.
    #[must_use]
    pub const fn operating_system(&self) -> u8 {
        self.operating_system
    }

    /// Whether there is an extra field (FEXTRA).
    #[must_use]
    pub const fn has_extra(&self) -> bool {
        self.flags & HAS_EXTRA != 0
    }

    /// Whether there is a file name (FNAME).
    #[must_use]
    pub const fn has_name(&self) -> bool {
        self.flags & HAS_NAME != 0
    }

    /// Whether there is a comment (FCOMMENT).
    #[must_use]
    pub const fn has_comment(&self) -> bool {
        self.flags & HAS_COMMENT != 0
    }

    /// Whether the header's own check (FHCRC) is right; nothing if it has none.
    ///
    /// A wrong one is no error: Go's reader refuses such a member, others pay no heed, and either
    /// way a client must get these bytes.
    #[must_use]
    pub fn has_right_crc(&self) -> Option<bool> {
        self.crc.map(|crc| crc.written == crc.computed)
    }
}

/// Reads the header that `input` begins with. What comes after it is not looked at.
///
/// ```
/// use mica_core::gzip::{GzipError, parse_header};
///
/// let stream = b"\x1f\x8b\x08\x08\0\0\0\0\0\x03name\0deflate";
/// let header = parse_header(stream)?;
/// assert!(header.has_name());
/// assert_eq!(&stream[header.as_bytes().len()..], b"deflate");
///
/// let error = parse_header(&stream[..12]);
/// assert!(matches!(error, Err(GzipError::Truncated { .. })));
/// # Ok::<(), GzipError>(())
/// ```
///
/// # Errors
/// [`GzipError::Truncated`] if `input` is the beginning of what may be a header. Any other
/// [`GzipError`] stays true whatever follows.
pub fn parse_header(input: &[u8]) -> Result<Header, GzipError> {
    let mut fields = Fields { input, offset: 0 };
    let flags = fields.take_flags()?;
    let modification_time = u32::from_le_bytes(fields.take_array()?);
    let [extra_flags, operating_system] = fields.take_array()?;
    if flags & HAS_EXTRA != 0 {
        let length = u16::from_le_bytes(fields.take_array()?);
        fields.take(usize::from(length))?;
    }
    if flags & HAS_NAME != 0 {
        fields.skip_text()?;
    }
    if flags & HAS_COMMENT != 0 {
        fields.skip_text()?;
    }
    let crc = if flags & HAS_CRC == 0 {
        None
    } else {
        let [low, high, ..] = crc32fast::hash(fields.taken()).to_le_bytes();
        Some(HeaderCrc {
            computed: u16::from_le_bytes([low, high]),
            written: u16::from_le_bytes(fields.take_array()?),
        })
    };
    Ok(Header {
        bytes: fields.taken().to_vec(),
        flags,
        modification_time,
        extra_flags,
        operating_system,
        crc,
    })
}

/// What the bytes after a trailer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Following {
    /// No bytes.
    Nothing,
    /// Another member: magic, method and flags are right. Its header may still be too long or cut
    /// off, which [`parse_header`] tells.
    Member,
    /// Not a member: padding with zeros or anything else.
    Trailing,
    /// Too few bytes to tell. If the stream ends here they are trailing bytes.
    Unknown,
}

/// Tells what `input`, which begins where a trailer ended, is. Four bytes are enough to tell.
#[must_use]
pub fn what_follows(input: &[u8]) -> Following {
    let mut fields = Fields { input, offset: 0 };
    match fields.take_flags() {
        Ok(_) => Following::Member,
        Err(GzipError::Truncated { .. }) if input.is_empty() => Following::Nothing,
        Err(GzipError::Truncated { .. }) => Following::Unknown,
        Err(_) => Following::Trailing,
    }
}

/// The fields of a header from its first byte on.
struct Fields<'a> {
    input: &'a [u8],
    offset: usize,
}

impl<'a> Fields<'a> {
    /// What was taken so far.
    fn taken(&self) -> &'a [u8] {
        self.input.get(..self.offset).unwrap_or_default()
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], GzipError> {
        let end = self.offset.saturating_add(length);
        if end > MAX_GZIP_HEADER_SIZE {
            return Err(self.too_long(end));
        }
        let field = self
            .input
            .get(self.offset..end)
            .ok_or(self.truncated(end))?;
        self.offset = end;
        Ok(field)
    }

    fn take_array<const LENGTH: usize>(&mut self) -> Result<[u8; LENGTH], GzipError> {
        let mut array = [0; LENGTH];
        array.copy_from_slice(self.take(LENGTH)?);
        Ok(array)
    }

    /// Magic, method and flags, each refused as soon as it is there.
    fn take_flags(&mut self) -> Result<u8, GzipError> {
        for (offset, expected) in MAGIC.into_iter().enumerate() {
            let [got] = self.take_array()?;
            if got != expected {
                return Err(GzipError::Magic {
                    offset,
                    got,
                    expected,
                });
            }
        }
        let [method] = self.take_array()?;
        if method != DEFLATE {
            return Err(GzipError::Method {
                offset: METHOD_OFFSET,
                got: method,
                expected: DEFLATE,
            });
        }
        let [flags] = self.take_array()?;
        if flags & !DEFINED_FLAGS != 0 {
            return Err(GzipError::ReservedFlags {
                offset: FLAGS_OFFSET,
                got: flags,
                expected: DEFINED_FLAGS,
            });
        }
        Ok(flags)
    }

    /// Takes a text with the NUL that ends it.
    fn skip_text(&mut self) -> Result<(), GzipError> {
        let rest = self.input.get(self.offset..).unwrap_or_default();
        let room = MAX_GZIP_HEADER_SIZE.saturating_sub(self.offset);
        match rest.iter().take(room).position(|byte| *byte == 0) {
            Some(length) => self.take(length.saturating_add(1)).map(|_| ()),
            None if rest.len() >= room => {
                Err(self.too_long(MAX_GZIP_HEADER_SIZE.saturating_add(1)))
            }
            None => Err(self.truncated(self.input.len().saturating_add(1))),
        }
    }

    fn truncated(&self, expected: usize) -> GzipError {
        GzipError::Truncated {
            offset: self.input.len(),
            expected,
        }
    }

    fn too_long(&self, got: usize) -> GzipError {
        GzipError::HeaderTooLong {
            offset: self.offset,
            got,
            expected: MAX_GZIP_HEADER_SIZE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A member without optional fields: Go, `gzip.NewWriter`.
    const PLAIN: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

    fn with_flags(flags: u8, rest: &[u8]) -> Vec<u8> {
        let mut bytes = PLAIN.to_vec();
        bytes[FLAGS_OFFSET] = flags;
        bytes.extend_from_slice(rest);
        bytes
    }

    #[test]
    fn parse_header_takes_each_optional_field_and_stops_after_the_last() {
        let fields: [(u8, &[u8]); 4] = [
            (HAS_EXTRA, b"\x03\0\0ab"),
            (HAS_NAME, b"n\0"),
            (HAS_COMMENT, b"\0"),
            (HAS_CRC, b"xy"),
        ];
        for chosen in 0..16_u8 {
            let (mut flags, mut rest) = (0, Vec::new());
            for (index, (flag, field)) in fields.iter().enumerate() {
                if chosen & (1 << index) != 0 {
                    flags |= flag;
                    rest.extend_from_slice(field);
                }
            }
            let expected = with_flags(flags, &rest);
            let header = parse_header(&[&expected[..], b"more"].concat()).unwrap();
            assert_eq!(header.as_bytes(), expected);
            assert_eq!(header.has_extra(), flags & HAS_EXTRA != 0);
            assert_eq!(header.has_name(), flags & HAS_NAME != 0);
            assert_eq!(header.has_comment(), flags & HAS_COMMENT != 0);
            assert_eq!(header.has_right_crc().is_some(), flags & HAS_CRC != 0);
        }
    }

    #[test]
    fn parse_header_asks_for_more_bytes_at_every_place_where_a_header_can_be_cut() {
        let bytes = with_flags(0x1f, b"\x02\0ab\nname\0comment\0xy");
        for end in 0..bytes.len() {
            let Err(GzipError::Truncated { offset, expected }) = parse_header(&bytes[..end]) else {
                panic!("cut at {end}");
            };
            assert_eq!(offset, end);
            assert!(expected > end && expected <= bytes.len(), "cut at {end}");
        }
        assert_eq!(parse_header(&bytes).unwrap().as_bytes(), bytes);
    }

    #[test]
    fn parse_header_tells_whether_the_header_crc_is_right() {
        let mut bytes = with_flags(HAS_CRC, b"");
        let crc = crc32fast::hash(&bytes).to_le_bytes();
        bytes.extend_from_slice(&crc[..2]);
        assert_eq!(parse_header(&bytes).unwrap().has_right_crc(), Some(true));
        bytes[10] ^= 1;
        let wrong = parse_header(&bytes).unwrap();
        assert_eq!(wrong.has_right_crc(), Some(false));
        assert_eq!(wrong.as_bytes(), bytes);
        assert_eq!(parse_header(&PLAIN).unwrap().has_right_crc(), None);
    }

    #[test]
    fn parse_header_refuses_other_magic_at_its_first_wrong_byte() {
        let magic = |offset, got, expected| {
            Err(GzipError::Magic {
                offset,
                got,
                expected,
            })
        };
        assert_eq!(parse_header(b"PK"), magic(0, b'P', 0x1f));
        assert_eq!(parse_header(b"\x1f\x9d\x90"), magic(1, 0x9d, 0x8b));
    }

    #[test]
    fn parse_header_refuses_methods_other_than_deflate() {
        let error = GzipError::Method {
            offset: 2,
            got: 7,
            expected: 8,
        };
        assert_eq!(parse_header(&[0x1f, 0x8b, 7]), Err(error));
    }

    #[test]
    fn parse_header_refuses_reserved_flags() {
        for got in [0x20, 0x40, 0x9f] {
            let error = GzipError::ReservedFlags {
                offset: 3,
                got,
                expected: 0x1f,
            };
            assert_eq!(parse_header(&[0x1f, 0x8b, 8, got]), Err(error));
        }
    }

    #[test]
    fn parse_header_refuses_headers_longer_than_the_limit() {
        let longest = vec![b'n'; MAX_GZIP_HEADER_SIZE - PLAIN.len() - 1];
        let mut bytes = with_flags(HAS_NAME, &longest);
        let missing = GzipError::Truncated {
            offset: MAX_GZIP_HEADER_SIZE - 1,
            expected: MAX_GZIP_HEADER_SIZE,
        };
        assert_eq!(parse_header(&bytes), Err(missing));
        bytes.push(0);
        assert_eq!(parse_header(&bytes).unwrap().as_bytes(), bytes);

        let too_long = |offset| GzipError::HeaderTooLong {
            offset,
            got: MAX_GZIP_HEADER_SIZE + 1,
            expected: MAX_GZIP_HEADER_SIZE,
        };
        bytes[FLAGS_OFFSET] |= HAS_COMMENT;
        assert_eq!(
            parse_header(&bytes),
            Err(too_long(MAX_GZIP_HEADER_SIZE)),
            "comment"
        );
        let last = bytes.len() - 1;
        bytes[last] = b'n';
        assert_eq!(parse_header(&bytes), Err(too_long(PLAIN.len())), "name");
    }

    #[test]
    fn what_follows_tells_members_from_trailing_bytes() {
        let cases: [(&[u8], Following); 9] = [
            (b"", Following::Nothing),
            (b"\0", Following::Trailing),
            (b"\x1f", Following::Unknown),
            (b"\x1f\x8b\x08", Following::Unknown),
            (b"\x1f\x8b\x08\0", Following::Member),
            (&PLAIN, Following::Member),
            (b"\x1f\0", Following::Trailing),
            (b"\x1f\x8b\0", Following::Trailing),
            (b"\x1f\x8b\x08\x80", Following::Trailing),
        ];
        for (input, expected) in cases {
            assert_eq!(what_follows(input), expected, "{input:?}");
        }
    }
}
