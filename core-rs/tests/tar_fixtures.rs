//! What the tar parser finds in archives with oddities, against what other readers found in them.
//!
//! `fixtures/tar/make.sh` says how each archive was made. `files.expected` is what Go's `archive/tar`
//! found, `sparse.expected` what Python's `tarfile` found stored of files with holes. After the name
//! of an archive there is a line for each regular file:
//!
//! | line | meaning |
//! |---|---|
//! | `file SIZE HASH PATH` | the first 8 bytes of the SHA-256 of its content, in hex |
//! | `truncated SIZE PATH` | the archive ends before SIZE bytes |
//! | `sparse SIZE HASH PATH` | of what is stored; in `files.expected` without size and hash |
//! | `end ERROR` | how reading ended |
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use mica_core::digest::{ContentHasher, DigestAlgorithm};
use mica_core::tar::{FileEnd, FileEntry, SparseFormat, TarParser, TarSink};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/tar");

/// All bytes in order, and the files among them.
#[derive(Debug, Default, PartialEq)]
struct Found {
    bytes: Vec<u8>,
    files: Vec<File>,
}

#[derive(Debug, PartialEq)]
struct File {
    size: u64,
    path: Vec<u8>,
    sparse: Option<SparseFormat>,
    content: Vec<u8>,
    end: Option<FileEnd>,
}

impl TarSink for Found {
    fn literal(&mut self, bytes: &[u8]) {
        assert!(self.files.last().is_none_or(|file| file.end.is_some()));
        self.bytes.extend_from_slice(bytes);
    }
    fn begin_file(&mut self, entry: FileEntry<'_>) {
        self.files.push(File {
            size: entry.size,
            path: entry.path.to_vec(),
            sparse: entry.sparse,
            content: Vec::new(),
            end: None,
        });
    }
    fn content(&mut self, bytes: &[u8]) {
        self.files
            .last_mut()
            .unwrap()
            .content
            .extend_from_slice(bytes);
        self.bytes.extend_from_slice(bytes);
    }
    fn end_file(&mut self, end: FileEnd) {
        self.files.last_mut().unwrap().end = Some(end);
    }
}

impl File {
    /// The line of `files.expected`.
    fn line(&self) -> String {
        let path = escaped(&self.path);
        if self.sparse.is_some() {
            return format!("sparse {path}");
        }
        if self.end == Some(FileEnd::Truncated) {
            return format!("truncated {} {path}", self.size);
        }
        format!("file {} {} {path}", self.size, hash(&self.content))
    }

    /// The line of `sparse.expected`.
    fn stored_line(&self) -> String {
        let stored = match self.sparse {
            Some(SparseFormat::Pax1) => &self.content[map_size(&self.content)..],
            _ => &self.content[..],
        };
        let path = escaped(&self.path);
        format!("sparse {} {} {path}", stored.len(), hash(stored))
    }
}

/// Bytes of the blocks with the map at the start of a sparse file of pax 1.0: the number of pieces,
/// then offset and size of each, a line for each number.
fn map_size(content: &[u8]) -> usize {
    let first = content.split(|byte| *byte == b'\n').next().unwrap();
    let pieces: usize = str::from_utf8(first).unwrap().parse().unwrap();
    let mut lines = content
        .iter()
        .enumerate()
        .filter(|(_, byte)| **byte == b'\n');
    let (last, _) = lines.nth(2 * pieces).unwrap();
    (last + 1).next_multiple_of(512)
}

fn hash(bytes: &[u8]) -> String {
    let mut hasher = ContentHasher::new(DigestAlgorithm::Sha256);
    hasher.update(bytes);
    hasher.finish()["sha256:".len()..][..16].to_string()
}

fn escaped(path: &[u8]) -> String {
    let mut text = String::new();
    for byte in path {
        match byte {
            b'\\' => text.push_str("\\x5c"),
            b' '..=b'~' => text.push(char::from(*byte)),
            _ => write!(text, "\\x{byte:02x}").unwrap(),
        }
    }
    text
}

fn found(input: &[u8], piece: usize) -> Found {
    let (mut parser, mut sink) = (TarParser::new(), Found::default());
    for piece in input.chunks(piece) {
        parser.push(piece, &mut sink).unwrap();
    }
    parser.finish(&mut sink).unwrap();
    sink
}

/// The lines about files, by archive.
fn expected(name: &str) -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(Path::new(FOLDER).join(name)).unwrap();
    let mut archives: BTreeMap<_, Vec<_>> = BTreeMap::new();
    let mut archive = String::new();
    for line in text.lines() {
        match line.strip_prefix("  ") {
            None => line.clone_into(&mut archive),
            Some(line) if line.starts_with("end ") => {}
            Some(line) => {
                let lines = archives.entry(archive.clone()).or_default();
                lines.push(line.to_string());
                continue;
            }
        }
        archives.entry(archive.clone()).or_default();
    }
    archives
}

fn archive(name: &str) -> Vec<u8> {
    fs::read(Path::new(FOLDER).join(name)).unwrap()
}

#[test]
fn push_finds_the_files_that_go_finds() {
    let expected = expected("files.expected");
    assert!(expected.len() >= 100);
    let mut wrong = Vec::new();
    for (name, lines) in expected {
        let found: Vec<_> = found(&archive(&name), usize::MAX)
            .files
            .iter()
            .map(File::line)
            .collect();
        if found != lines {
            wrong.push((name, found, lines));
        }
    }
    assert!(wrong.is_empty(), "(archive, found, expected): {wrong:#?}");
}

#[test]
fn push_finds_the_stored_parts_of_sparse_files_that_python_finds() {
    let stored = expected("sparse.expected");
    let mut formats = Vec::new();
    for (name, lines) in &stored {
        let found = found(&archive(name), usize::MAX);
        for file in found.files.iter().filter(|file| file.sparse.is_some()) {
            assert_eq!(lines, &[file.stored_line()], "{name}");
            formats.extend(file.sparse);
        }
    }
    for format in [SparseFormat::OldGnu, SparseFormat::Pax0, SparseFormat::Pax1] {
        assert!(formats.contains(&format), "{format:?}");
    }
}
