//! pax records: what they say about path, size and holes of the entries that follow.
//!
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03>

use super::sparse::{PaxSparse, SparseFormat};

/// Records that matter for telling data from the rest. Later records of the same name win; one with
/// an empty value takes earlier ones back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PaxRecords {
    path: Option<Vec<u8>>,
    size: Option<i64>,
    sparse: PaxSparse,
}

impl PaxRecords {
    /// Adds the records in `text`. Nothing if it is malformed, as then the size of what follows is
    /// not known for sure.
    pub(super) fn extended_by(mut self, mut text: &[u8]) -> Option<Self> {
        while !text.is_empty() {
            let (key, value, rest) = split_record(text)?;
            self.set(key, value)?;
            text = rest;
        }
        Some(self)
    }

    /// The bytes of data, if a record overrides the header's; may be negative.
    pub(super) const fn size(&self) -> Option<i64> {
        self.size
    }

    /// The entry's path, if a record overrides the header's.
    pub(super) fn path(&self) -> Option<&[u8]> {
        self.path.as_deref()
    }

    /// The path of a sparse file in a known format; its header holds a made-up one.
    pub(super) fn sparse_path(&self) -> Option<&[u8]> {
        self.sparse.format().and(self.sparse.path.as_deref())
    }

    /// How the data leave out holes, if they do.
    pub(super) fn sparse_format(&self) -> Option<SparseFormat> {
        self.sparse.format()
    }

    fn set(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let text = (!value.is_empty()).then(|| value.to_vec());
        match key {
            b"path" => self.path = text,
            b"size" if value.is_empty() => self.size = None,
            b"size" => self.size = Some(parse_decimal(value)?),
            _ => self.sparse.set(key, text),
        }
        Some(())
    }
}

/// One record, `length key=value\n` with the length of all of it, and what follows it.
fn split_record(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = text.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(parse_decimal(text.get(..space)?)?).ok()?;
    let (record, rest) = text.split_at_checked(length)?;
    let body = record.get(space.checked_add(1)?..)?.strip_suffix(b"\n")?;
    let equals = body.iter().position(|byte| *byte == b'=')?;
    let (key, value) = (body.get(..equals)?, body.get(equals.checked_add(1)?..)?);
    is_allowed(key, value).then_some((key, value, rest))
}

/// As Go has it: no empty key, no NUL in a key, none in what also has a field in the header.
fn is_allowed(key: &[u8], value: &[u8]) -> bool {
    let text = match key {
        b"" => return false,
        b"path" | b"linkpath" | b"uname" | b"gname" => value,
        _ => key,
    };
    !text.contains(&0)
}

/// Decimal digits, with a sign if need be.
fn parse_decimal(text: &[u8]) -> Option<i64> {
    str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> Option<PaxRecords> {
        PaxRecords::default().extended_by(text.as_bytes())
    }

    #[test]
    fn extended_by_takes_the_last_of_equal_records() {
        let records = records("9 size=1\n9 path=a\n11 size=22\n").unwrap();
        assert_eq!(records.size(), Some(22));
        assert_eq!(records.path(), Some(&b"a"[..]));
    }

    #[test]
    fn extended_by_takes_values_with_any_bytes() {
        let text = b"13 path=a=\n\xff\n";
        assert_eq!(text.len(), 13);
        let records = PaxRecords::default().extended_by(text).unwrap();
        assert_eq!(records.path(), Some(&b"a=\n\xff"[..]));
        assert!(records.extended_by(b"9 x.y=\0\xff\n").is_some());
    }

    #[test]
    fn extended_by_takes_numbers_with_a_sign() {
        assert_eq!(records("+11 size=1\n").unwrap().size(), Some(1));
        assert_eq!(records("11 size=+1\n").unwrap().size(), Some(1));
        assert_eq!(records("11 size=-1\n").unwrap().size(), Some(-1));
    }

    #[test]
    fn sparse_path_is_taken_in_known_formats_only() {
        let path = "21 GNU.sparse.name=a\n";
        let version = |major| format!("{path}22 GNU.sparse.major={major}\n22 GNU.sparse.minor=0\n");
        assert_eq!(records(path).unwrap().sparse_path(), None);
        assert_eq!(records(&version(2)).unwrap().sparse_path(), None);
        let known = records(&version(1)).unwrap();
        assert_eq!(known.sparse_path(), Some(&b"a"[..]));
    }

    #[test]
    fn extended_by_takes_records_back_when_their_value_is_empty() {
        let records = records("9 size=1\n9 path=a\n8 size=\n8 path=\n");
        assert_eq!(records, Some(PaxRecords::default()));
    }

    #[test]
    fn extended_by_refuses_malformed_records() {
        for text in [
            "9 size=1",
            "8 size=1\n",
            "99 size=1\n",
            "9 size=x\n",
            "-9 size=1\n",
            "11 size=1_\n",
            "28 size=9223372036854775808\n",
            "7 size\n",
            "5 =a\n",
            " size=1\n",
            "x size=1\n",
            "0 size=1\n",
            "1 ",
            "9 size=1\n\0",
            "9 path=\0\n",
            "9 path\0=a\n",
            "99999999999999999999999 a=b\n",
        ] {
            assert_eq!(records(text), None, "{text:?}");
        }
    }
}
