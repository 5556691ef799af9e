//! Sparse files: which of GNU tar's formats one is in, and its extension blocks.
//!
//! <https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html>

use super::header::{BLOCK_SIZE, Block};

/// In a header of type `S`: whether an extension block follows.
const HEADER_IS_EXTENDED: usize = 482;
/// The same in an extension block, after its 21 pieces of 24 bytes.
const EXTENSION_IS_EXTENDED: usize = 504;
const _: () = assert!(EXTENSION_IS_EXTENDED == 21 * 24 && EXTENSION_IS_EXTENDED < BLOCK_SIZE);

/// How an archive leaves out the holes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SparseFormat {
    /// Type `S`: the map is in the header and in extension blocks, which are literal.
    OldGnu,
    /// pax 0.0 and 0.1: the map is in the pax records.
    Pax0,
    /// pax 1.0: the map is the first blocks of the content.
    Pax1,
}

/// What pax records say about holes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct PaxSparse {
    major: Option<Vec<u8>>,
    minor: Option<Vec<u8>>,
    has_map: bool,
    pub(super) path: Option<Vec<u8>>,
}

impl PaxSparse {
    /// Notes a record, if it is about holes.
    pub(super) fn set(&mut self, key: &[u8], value: Option<Vec<u8>>) {
        match key {
            b"GNU.sparse.major" => self.major = value,
            b"GNU.sparse.minor" => self.minor = value,
            b"GNU.sparse.map" | b"GNU.sparse.offset" => self.has_map = value.is_some(),
            b"GNU.sparse.name" => self.path = value,
            _ => {}
        }
    }

    /// The format, by the version or, as 0.0 and 0.1 need not have one, by the map.
    pub(super) fn format(&self) -> Option<SparseFormat> {
        match (self.major.as_deref(), self.minor.as_deref()) {
            (Some(b"1"), Some(b"0")) => Some(SparseFormat::Pax1),
            (Some(b"0"), Some(b"0" | b"1")) => Some(SparseFormat::Pax0),
            (None, None) if self.has_map => Some(SparseFormat::Pax0),
            _ => None,
        }
    }
}

/// Whether an extension block follows a header of type `S`.
pub(super) fn is_header_extended(header: &Block) -> bool {
    header
        .get(HEADER_IS_EXTENDED)
        .is_some_and(|flag| *flag != 0)
}

/// Whether another extension block follows this one.
pub(super) fn is_extension_extended(extension: &Block) -> bool {
    extension
        .get(EXTENSION_IS_EXTENDED)
        .is_some_and(|flag| *flag != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn format_goes_by_version_and_then_by_map() {
        let format = |records: &[(&str, &str)]| {
            let mut sparse = PaxSparse::default();
            for (key, value) in records {
                let key = format!("GNU.sparse.{key}");
                sparse.set(key.as_bytes(), Some(value.as_bytes().to_vec()));
            }
            sparse.format()
        };
        assert_eq!(
            format(&[("major", "1"), ("minor", "0")]),
            Some(SparseFormat::Pax1)
        );
        assert_eq!(
            format(&[("major", "0"), ("minor", "1")]),
            Some(SparseFormat::Pax0)
        );
        assert_eq!(format(&[("map", "0,1")]), Some(SparseFormat::Pax0));
        assert_eq!(
            format(&[("offset", "0"), ("numbytes", "1")]),
            Some(SparseFormat::Pax0)
        );
        assert_eq!(
            format(&[("major", "2"), ("minor", "0"), ("map", "0,1")]),
            None
        );
        assert_eq!(format(&[]), None);
    }
}
