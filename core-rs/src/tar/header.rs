//! One header block: the checksum, numbers in octal and base-256, type and path.
//!
//! Fields: <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06> and
//! <https://www.gnu.org/software/tar/manual/html_node/Standard.html>.

use std::ops::Range;

/// Bytes in a block, the unit of tar.
pub(super) const BLOCK_SIZE: usize = 512;

/// One block of a tar stream.
pub(super) type Block = [u8; BLOCK_SIZE];

const NAME: Range<usize> = 0..100;
const SIZE: Range<usize> = 124..136;
const CHECKSUM: Range<usize> = 148..156;
const TYPE_FLAG: usize = 156;
const MAGIC: Range<usize> = 257..265;
const PREFIX: Range<usize> = 345..500;
/// In star's format times follow the shorter prefix.
const STAR_PREFIX: Range<usize> = 345..476;
const STAR_TRAILER: Range<usize> = 508..512;

/// Which program's fields a header has, by its magic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    V7,
    Ustar,
    Star,
    Gnu,
}

/// What an entry is, as far as its data are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file (`0`, contiguous `7`).
    File,
    /// A file of a v7 archive (type 0), or a directory if its path ends in a slash.
    OldFile,
    /// Old GNU sparse file (`S`).
    OldSparseFile,
    /// Has no data whatever its size says: links, devices, directories, pipes.
    NoData,
    /// pax records for the next entry (`x`).
    LocalPax,
    /// pax records for all entries that follow (`g`).
    GlobalPax,
    /// Path of the next entry (`L`).
    LongName,
    /// Target of the next entry, a link (`K`).
    LongLink,
    /// Anything else; its data are no regular file's.
    Other,
}

/// What a header block says that matters for telling data from the rest.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) size: u64,
    pub(super) kind: EntryKind,
    pub(super) dialect: Dialect,
    pub(super) path: Vec<u8>,
}

impl Header {
    /// Nothing if the block is no header: a wrong checksum or a size that is no number.
    pub(super) fn parse(block: &Block) -> Option<Self> {
        if !has_right_checksum(block) {
            return None;
        }
        let dialect = dialect(block)?;
        Some(Self {
            size: parse_number(block.get(SIZE)?)?,
            kind: entry_kind(*block.get(TYPE_FLAG)?),
            dialect,
            path: path(block, dialect)?,
        })
    }
}

/// Field bytes up to the first NUL.
pub(super) fn until_nul(field: &[u8]) -> &[u8] {
    field.split(|byte| *byte == 0).next().unwrap_or_default()
}

fn dialect(block: &Block) -> Option<Dialect> {
    let magic = block.get(MAGIC)?;
    Some(if magic == b"ustar  \0" {
        Dialect::Gnu
    } else if !magic.starts_with(b"ustar\0") {
        Dialect::V7
    } else if block.get(STAR_TRAILER)? == b"tar\0" {
        Dialect::Star
    } else {
        Dialect::Ustar
    })
}

fn entry_kind(type_flag: u8) -> EntryKind {
    match type_flag {
        b'0' | b'7' => EntryKind::File,
        0 => EntryKind::OldFile,
        b'S' => EntryKind::OldSparseFile,
        b'1'..=b'6' => EntryKind::NoData,
        b'x' => EntryKind::LocalPax,
        b'g' => EntryKind::GlobalPax,
        b'L' => EntryKind::LongName,
        b'K' => EntryKind::LongLink,
        _ => EntryKind::Other,
    }
}

fn path(block: &Block, dialect: Dialect) -> Option<Vec<u8>> {
    let prefix = match dialect {
        Dialect::Ustar => until_nul(block.get(PREFIX)?),
        Dialect::Star => until_nul(block.get(STAR_PREFIX)?),
        Dialect::V7 | Dialect::Gnu => &[],
    };
    let name = until_nul(block.get(NAME)?);
    if prefix.is_empty() {
        return Some(name.to_vec());
    }
    Some([prefix, name].join(&b'/'))
}

/// The sum of all bytes, those of the checksum itself taken as spaces. Some old writers added signed
/// bytes: <https://www.gnu.org/software/tar/manual/html_node/Standard.html>, `chksum`.
fn has_right_checksum(block: &Block) -> bool {
    let Some(written) = block.get(CHECKSUM).and_then(parse_octal) else {
        return false;
    };
    let (mut unsigned, mut signed) = (0_i64, 0_i64);
    for (offset, byte) in block.iter().enumerate() {
        let byte = if CHECKSUM.contains(&offset) {
            b' '
        } else {
            *byte
        };
        unsigned = unsigned.saturating_add(i64::from(byte));
        signed = signed.saturating_add(i64::from(byte.cast_signed()));
    }
    let written = i64::try_from(written);
    written == Ok(unsigned) || written == Ok(signed)
}

/// A number field: base-256 if its first bit is set, else octal. Nothing if it is neither, negative
/// or above 2^63 - 1.
/// <https://www.gnu.org/software/tar/manual/html_node/Extensions.html>, "Large fields".
pub(super) fn parse_number(field: &[u8]) -> Option<u64> {
    let (first, rest) = field.split_first()?;
    let value = match first {
        0x80..=0xbf => rest
            .iter()
            .try_fold(u64::from(first & 0x3f), |value, byte| {
                value.checked_mul(256)?.checked_add(u64::from(*byte))
            })?,
        0xc0..=0xff => return None,
        _ => parse_octal(field)?,
    };
    i64::try_from(value).ok().map(|_| value)
}

/// Octal digits between spaces and NULs, ended by the first NUL; no digits are zero.
fn parse_octal(field: &[u8]) -> Option<u64> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | 0);
    let Some(first) = field.iter().position(|byte| !is_blank(byte)) else {
        return Some(0);
    };
    let digits = until_nul(field.get(first..)?).trim_ascii_end();
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_number_reads_octal_in_every_spelling() {
        for field in [
            "00000000644\0",
            "        644 ",
            "644\0\0\0",
            "\0 644 \0",
            "644\0junk",
        ] {
            assert_eq!(parse_number(field.as_bytes()), Some(0o644), "{field:?}");
        }
        assert_eq!(parse_number(b"777777777777"), Some(0o777_777_777_777));
        assert_eq!(parse_number(b"            "), Some(0));
        assert_eq!(parse_number(&[0; 12]), Some(0));
    }

    #[test]
    fn parse_number_refuses_what_is_no_octal_number() {
        for field in ["00000000648\0", "-0000000644\0", "6 44", "0x1f", "١"] {
            assert_eq!(parse_number(field.as_bytes()), None, "{field:?}");
        }
        assert_eq!(parse_number(b""), None);
    }

    #[test]
    fn parse_number_reads_base_256_up_to_63_bits() {
        let field = |tail: [u8; 8]| [&[0x80, 0, 0, 0], &tail[..]].concat();
        assert_eq!(
            parse_number(&field([0, 0, 0, 1, 0, 0, 0, 5])),
            Some((1 << 32) + 5)
        );
        let most = i64::MAX.cast_unsigned();
        assert_eq!(parse_number(&field(most.to_be_bytes())), Some(most));
        assert_eq!(parse_number(&field((most + 1).to_be_bytes())), None);
        assert_eq!(parse_number(&[0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]), None);
        assert_eq!(parse_number(&[0xff; 12]), None, "minus one");
    }

    #[test]
    fn has_right_checksum_takes_signed_sums_too() {
        let mut block = [0; BLOCK_SIZE];
        block[0] = 0xe9;
        let blanks = 8 * 0x20;
        for (sum, is_right) in [
            (blanks + 0xe9, true),
            (blanks + 0xe9 - 256, true),
            (1, false),
        ] {
            block[CHECKSUM].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
            assert_eq!(has_right_checksum(&block), is_right, "{sum}");
        }
        assert!(!has_right_checksum(&[0; BLOCK_SIZE]));
    }
}
