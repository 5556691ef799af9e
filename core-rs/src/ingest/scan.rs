//! The tar of a layer: its digest, its skeleton, and its files' ids.

use crate::digest::{ContentHasher, DigestAlgorithm, FileHasher, FileId};
use crate::tar::{FileEnd, FileEntry, TarError, TarParser, TarSink};

/// A file with content, where it occurs in a tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileReference {
    /// Bytes of the tar that are no file's, since the file before or the tar's start.
    pub gap: u64,
    /// Bytes of its content, at least 1.
    pub size: u64,
    /// The content's id.
    pub id: FileId,
}

/// What was found in a stretch of tar.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScanPart {
    /// Its bytes that are no file's.
    pub skeleton: Vec<u8>,
    /// The files that ended in it.
    pub files: Vec<FileReference>,
}

/// Scans a tar that comes in pieces.
#[derive(Debug)]
pub struct TarScan {
    diff_id: ContentHasher,
    parser: TarParser,
    sink: ScanSink,
}

#[derive(Debug, Default)]
struct ScanSink {
    part: ScanPart,
    gap: u64,
    size: u64,
    hasher: Option<FileHasher>,
}

impl Default for TarScan {
    fn default() -> Self {
        Self::new()
    }
}

impl TarScan {
    /// At the start of a tar.
    #[must_use]
    pub fn new() -> Self {
        Self {
            diff_id: ContentHasher::new(DigestAlgorithm::Sha256),
            parser: TarParser::new(),
            sink: ScanSink::default(),
        }
    }

    /// Takes the next bytes of the tar, and gives what was found in them.
    ///
    /// # Errors
    /// If the tar has more files than allowed.
    pub fn push(&mut self, tar: &[u8]) -> Result<ScanPart, TarError> {
        self.diff_id.update(tar);
        self.parser.push(tar, &mut self.sink)?;
        Ok(std::mem::take(&mut self.sink.part))
    }

    /// Ends the tar: what was still open, and the tar's digest.
    ///
    /// # Errors
    /// If an earlier [`push`](Self::push) had one.
    pub fn finish(mut self) -> Result<(ScanPart, String), TarError> {
        self.parser.finish(&mut self.sink)?;
        Ok((self.sink.part, self.diff_id.finish()))
    }
}

impl TarSink for ScanSink {
    fn literal(&mut self, bytes: &[u8]) {
        self.gap += bytes.len() as u64;
        self.part.skeleton.extend_from_slice(bytes);
    }

    fn begin_file(&mut self, _entry: FileEntry<'_>) {
        self.size = 0;
        self.hasher = Some(FileHasher::new());
    }

    fn content(&mut self, bytes: &[u8]) {
        self.size += bytes.len() as u64;
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
    }

    fn end_file(&mut self, _end: FileEnd) {
        let Some(hasher) = self.hasher.take().filter(|_| self.size > 0) else {
            return;
        };
        self.part.files.push(FileReference {
            gap: std::mem::take(&mut self.gap),
            size: self.size,
            id: hasher.finish(),
        });
    }
}
