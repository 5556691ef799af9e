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
const GNU_ACCESS_TIME: Range<usize> = 345..357;
const GNU_CHANGE_TIME: Range<usize> = 357..369;
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
    /// May be negative; what has no data may then still be an entry.
    pub(super) size: i64,
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
        Dialect::Gnu => go_1_7_prefix(block)?,
        Dialect::V7 => &[],
    };
    let name = until_nul(block.get(NAME)?);
    if prefix.is_empty() {
        return Some(name.to_vec());
    }
    Some([prefix, name].join(&b'/'))
}

/// Go before 1.8 wrote a prefix where GNU tar has times: <https://go.dev/issue/12594>. So what is no
/// time but ASCII is a prefix.
fn go_1_7_prefix(block: &Block) -> Option<&[u8]> {
    let is_time = |field: &[u8]| field.starts_with(&[0]) || parse_number(field).is_some();
    if is_time(block.get(GNU_ACCESS_TIME)?) && is_time(block.get(GNU_CHANGE_TIME)?) {
        return Some(&[]);
    }
    let prefix = until_nul(block.get(PREFIX)?);
    Some(if prefix.is_ascii() { prefix } else { &[] })
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
    written == unsigned || written == signed
}

/// A number field: base-256, a two's complement after the first bit, if that is set; else octal.
/// Nothing if it is neither or needs more than 64 bits.
/// <https://www.gnu.org/software/tar/manual/html_node/Extensions.html>, "Large fields".
fn parse_number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 == 0 {
        return parse_octal(field);
    }
    let is_negative = first & 0x40 != 0;
    let mask = if is_negative { 0xff } else { 0 };
    let value = rest
        .iter()
        .try_fold(i64::from((first ^ mask) & 0x3f), |value, byte| {
            value.checked_mul(256)?.checked_add(i64::from(byte ^ mask))
        })?;
    Some(if is_negative { !value } else { value })
}

/// Octal digits between spaces and NULs; what stands after a NUL among them is not looked at. No
/// digits are zero.
fn parse_octal(field: &[u8]) -> Option<i64> {
    let is_digit = |byte: &u8| !matches!(byte, b' ' | 0);
    let Some(first) = field.iter().position(is_digit) else {
        return Some(0);
    };
    let last = field.iter().rposition(is_digit)?;
    let digits = until_nul(field.get(first..=last)?);
    digits.iter().try_fold(0_i64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 8)?;
        value.checked_mul(8)?.checked_add(i64::from(digit))
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
        for field in [
            "00000000648\0",
            "-0000000644\0",
            "6 44",
            "0x1f",
            "644\t",
            "644 \0junk",
        ] {
            assert_eq!(parse_number(field.as_bytes()), None, "{field:?}");
        }
        assert_eq!(parse_number(b""), None);
    }

    #[test]
    fn parse_number_reads_base_256_up_to_64_bits() {
        let field = |sign: u8, number: i64| [&[0x80 | sign; 4], &number.to_be_bytes()[..]].concat();
        for number in [(1 << 32) + 5, i64::MAX, -1, i64::MIN] {
            let sign = if number < 0 { 0xff } else { 0x80 };
            let tail = if number < 0 { 0xff } else { 0 };
            let mut field = field(0, number);
            field[0] = sign;
            field[1..4].fill(tail);
            assert_eq!(parse_number(&field), Some(number), "{number}");
            field[3] ^= 1;
            assert_eq!(parse_number(&field), None, "{number} and one bit more");
        }
        assert_eq!(parse_number(&[0xff; 8]), Some(-1));
        assert_eq!(parse_number(&[0x80, 0, 0, 0, 0, 0, 0, 7]), Some(7));
    }

    #[test]
    fn go_1_7_prefix_is_what_is_no_time_but_ascii() {
        let prefix = |field: &[u8]| {
            let mut block = [0; BLOCK_SIZE];
            block[PREFIX][..field.len()].copy_from_slice(field);
            go_1_7_prefix(&block).unwrap().to_vec()
        };
        assert_eq!(prefix(b""), b"");
        assert_eq!(prefix(b"14524770400 14524770400 "), b"");
        assert_eq!(prefix(b"\0not a time"), b"");
        assert_eq!(prefix(&[0xff; 24]), b"", "minus one");
        assert_eq!(prefix(b"some/folder"), b"some/folder");
        assert_eq!(prefix(b"14524770400\0folder"), b"14524770400");
        assert_eq!(prefix(b"f\xf6lder"), b"");
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
