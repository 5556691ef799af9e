//! pax records: what they say about path, size and holes of the entries that follow.
//!
//! <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_03>

use super::sparse::{PaxSparse, SparseFormat};

/// Records that matter for telling data from the rest. Later records of the same name win; one with
/// an empty value takes earlier ones back.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PaxRecords {
    path: Option<Vec<u8>>,
    size: Option<u64>,
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

    /// What holds for all entries if these records are global. Go takes nothing from global records,
    /// GNU tar all; only the size decides where the next header stands. A long global path would be
    /// copied for each entry of a hostile archive.
    pub(super) fn size_only(&self) -> Self {
        Self {
            size: self.size,
            ..Self::default()
        }
    }

    /// The bytes of data, if a record overrides the header's.
    pub(super) const fn size(&self) -> Option<u64> {
        self.size
    }

    /// The entry's path, if a record overrides the header's.
    pub(super) fn path(&self) -> Option<&[u8]> {
        self.path.as_deref()
    }

    /// The path of a sparse file; its header holds a made-up one.
    pub(super) fn sparse_path(&self) -> Option<&[u8]> {
        self.sparse.path.as_deref()
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
            b"size" => self.size = Some(parse_size(value)?),
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
    let (key, value) = body.split_at_checked(equals)?;
    (!key.is_empty()).then_some((key, value.get(1..)?, rest))
}

fn parse_size(value: &[u8]) -> Option<u64> {
    let size = parse_decimal(value)?;
    i64::try_from(size).ok().map(|_| size)
}

fn parse_decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
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
        let text = b"14 path=a=\n\xff\0\n";
        assert_eq!(text.len(), 14);
        let records = PaxRecords::default().extended_by(text).unwrap();
        assert_eq!(records.path(), Some(&b"a=\n\xff\0"[..]));
    }

    #[test]
    fn extended_by_takes_records_back_when_their_value_is_empty() {
        let global = records("9 size=1\n9 path=a\n").unwrap();
        let merged = global.extended_by(b"8 size=\n8 path=\n").unwrap();
        assert_eq!(merged, PaxRecords::default());
    }

    #[test]
    fn extended_by_refuses_malformed_records() {
        for text in [
            "9 size=1",
            "8 size=1\n",
            "99 size=1\n",
            "9 size=x\n",
            "10 size=-1\n",
            "28 size=9223372036854775808\n",
            "7 size\n",
            "5 =a\n",
            " size=1\n",
            "x size=1\n",
            "0 size=1\n",
            "1 ",
            "9 size=1\n\0",
            "99999999999999999999999 a=b\n",
        ] {
            assert_eq!(records(text), None, "{text:?}");
        }
    }
}
