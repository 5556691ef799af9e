//! The parser: a state machine that is pushed pieces of a tar stream.

use thiserror::Error;

use super::event::{FileEnd, FileEntry, TarSink};
use super::header::{BLOCK_SIZE, Block, Dialect, EntryKind, Header, until_nul};
use super::pax::PaxRecords;
use super::sparse::{SparseFormat, is_extension_extended, is_header_extended};
use crate::limits::{MAX_TAR_FILES, MAX_TAR_METADATA_SIZE};

/// Why a stream is not parsed to its end. Malformed input is no error: it is literal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TarError {
    /// The stream has more regular files than the limit.
    #[error("more than {limit} files: one more has its content at offset {offset}")]
    TooManyFiles {
        /// Where the content of the first file too many begins, from the start of the stream.
        offset: u64,
        /// Most files allowed.
        limit: u64,
    },
}

/// What a parser keeps or counts at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TarLimits {
    /// Longest pax data or GNU long name to interpret, in bytes. After a longer one all is literal.
    pub metadata_size: u64,
    /// Most regular files.
    pub files: u64,
}

impl Default for TarLimits {
    fn default() -> Self {
        Self {
            metadata_size: MAX_TAR_METADATA_SIZE,
            files: MAX_TAR_FILES,
        }
    }
}

/// Splits a tar stream that comes in pieces into literal bytes and file contents.
///
/// Holds one block, the pax records in force and the metadata being read, never content.
///
/// ```
/// use mica_core::tar::{FileEnd, FileEntry, TarParser, TarSink};
///
/// struct Literals(Vec<u8>);
/// impl TarSink for Literals {
///     fn literal(&mut self, bytes: &[u8]) {
///         self.0.extend_from_slice(bytes);
///     }
///     fn begin_file(&mut self, _: FileEntry<'_>) {}
///     fn content(&mut self, _: &[u8]) {}
///     fn end_file(&mut self, _: FileEnd) {}
/// }
///
/// let mut sink = Literals(Vec::new());
/// let mut parser = TarParser::new();
/// parser.push(b"no tar at all", &mut sink)?;
/// parser.finish(&mut sink)?;
/// assert_eq!(sink.0, b"no tar at all");
/// # Ok::<(), mica_core::tar::TarError>(())
/// ```
#[derive(Debug)]
pub struct TarParser {
    limits: TarLimits,
    state: State,
    block: Block,
    block_length: usize,
    metadata: Vec<u8>,
    records: PaxRecords,
    long_name: Vec<u8>,
    offset: u64,
    files: u64,
}

#[derive(Debug)]
enum State {
    /// Collects a header block.
    Header,
    /// Collects an extension block of the old sparse file that follows.
    SparseExtension { size: u64, path: Vec<u8> },
    /// Collects data that say something about other entries.
    Metadata {
        kind: Metadata,
        size: u64,
        remaining: u64,
    },
    /// Inside a file.
    Content { size: u64, remaining: u64 },
    /// Inside padding or data that are no regular file's.
    Skip { remaining: u64 },
    /// No header is expected any more.
    Rest,
    /// A limit was passed.
    Failed(TarError),
}

#[derive(Debug, Clone, Copy)]
enum Metadata {
    LocalPax,
    GlobalPax,
    LongName,
}

impl Default for TarParser {
    fn default() -> Self {
        Self::new()
    }
}

impl TarParser {
    /// A parser at the start of a stream.
    #[must_use]
    pub fn new() -> Self {
        Self::with_limits(TarLimits::default())
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(limits: TarLimits) -> Self {
        Self {
            limits,
            state: State::Header,
            block: [0; BLOCK_SIZE],
            block_length: 0,
            metadata: Vec::new(),
            records: PaxRecords::default(),
            long_name: Vec::new(),
            offset: 0,
            files: 0,
        }
    }

    /// Takes the next bytes of the stream and gives all of them to the sink.
    ///
    /// # Errors
    /// [`TarError`] when a limit is passed. The sink then has all bytes before the error's offset;
    /// the parser takes no more.
    pub fn push(&mut self, mut input: &[u8], sink: &mut impl TarSink) -> Result<(), TarError> {
        while !input.is_empty() {
            let (piece, rest) = self.split_input(input);
            self.offset = self.offset.saturating_add(length_of(piece));
            match self.state {
                State::Failed(error) => return Err(error),
                State::Content { .. } => sink.content(piece),
                _ => sink.literal(piece),
            }
            self.take(piece, sink)?;
            input = rest;
        }
        match self.state {
            State::Failed(error) => Err(error),
            _ => Ok(()),
        }
    }

    /// Tells the parser that the stream has ended.
    ///
    /// # Errors
    /// The [`TarError`] of an earlier [`push`](Self::push).
    pub fn finish(self, sink: &mut impl TarSink) -> Result<(), TarError> {
        match self.state {
            State::Content { .. } => sink.end_file(FileEnd::Truncated),
            State::Failed(error) => return Err(error),
            _ => {}
        }
        Ok(())
    }

    /// The part of the input that is wholly in the present state, and the rest.
    fn split_input<'a>(&self, input: &'a [u8]) -> (&'a [u8], &'a [u8]) {
        let wanted = match self.state {
            State::Header | State::SparseExtension { .. } => {
                BLOCK_SIZE.saturating_sub(self.block_length)
            }
            State::Metadata { remaining, .. }
            | State::Content { remaining, .. }
            | State::Skip { remaining } => usize::try_from(remaining).unwrap_or(usize::MAX),
            State::Rest | State::Failed(_) => input.len(),
        };
        input.split_at_checked(wanted).unwrap_or((input, &[]))
    }

    /// Goes on by a piece that the sink has been given.
    fn take(&mut self, piece: &[u8], sink: &mut impl TarSink) -> Result<(), TarError> {
        match &mut self.state {
            State::Header | State::SparseExtension { .. } => {
                if self.fill_block(piece) {
                    return self.take_block(sink);
                }
            }
            State::Metadata { remaining, .. } => {
                *remaining = remaining.saturating_sub(length_of(piece));
                self.metadata.extend_from_slice(piece);
            }
            State::Content { remaining, .. } | State::Skip { remaining } => {
                *remaining = remaining.saturating_sub(length_of(piece));
            }
            State::Rest | State::Failed(_) => {}
        }
        self.leave_ended_state(sink);
        Ok(())
    }

    /// Adds to the block; true when it is whole.
    fn fill_block(&mut self, piece: &[u8]) -> bool {
        let end = self.block_length.saturating_add(piece.len());
        if let Some(space) = self.block.get_mut(self.block_length..end) {
            space.copy_from_slice(piece);
        }
        self.block_length = if end < BLOCK_SIZE { end } else { 0 };
        self.block_length == 0
    }

    fn take_block(&mut self, sink: &mut impl TarSink) -> Result<(), TarError> {
        match std::mem::replace(&mut self.state, State::Rest) {
            State::SparseExtension { size, path } => {
                if is_extension_extended(&self.block) {
                    self.state = State::SparseExtension { size, path };
                    return Ok(());
                }
                self.begin_file(size, &path, Some(SparseFormat::OldGnu), sink)
            }
            _ => match Header::parse(&self.block) {
                Some(header) => self.take_header(header, sink),
                None => Ok(()),
            },
        }
    }

    /// Decides what follows a header. The state is `Rest` before, and stays so if nothing is known.
    fn take_header(&mut self, header: Header, sink: &mut impl TarSink) -> Result<(), TarError> {
        let size = match u64::try_from(header.size) {
            Ok(size) => size,
            Err(_) if header.kind == EntryKind::NoData => 0,
            Err(_) => return Ok(()),
        };
        match header.kind {
            EntryKind::LocalPax => self.begin_metadata(Metadata::LocalPax, size),
            EntryKind::GlobalPax => self.begin_metadata(Metadata::GlobalPax, size),
            EntryKind::LongName => self.begin_metadata(Metadata::LongName, size),
            // The target of a link (`K`) is between a path's metadata and its entry: not an entry.
            EntryKind::LongLink => self.skip_data(size),
            _ => return self.take_entry(header, sink),
        }
        self.leave_ended_state(sink);
        Ok(())
    }

    /// Decides what follows the header of an entry, with all that came before about it.
    fn take_entry(&mut self, header: Header, sink: &mut impl TarSink) -> Result<(), TarError> {
        let records = std::mem::take(&mut self.records);
        let long_name = std::mem::take(&mut self.long_name);
        let size = records.size().unwrap_or(header.size);
        let path = match (long_name.is_empty(), records.path()) {
            (false, _) => long_name,
            (true, Some(path)) => path.to_vec(),
            (true, None) => header.path,
        };
        match (header.kind, u64::try_from(size)) {
            (EntryKind::NoData, _) => self.skip_data(0),
            (EntryKind::OldFile, _) if path.ends_with(b"/") => self.skip_data(0),
            (_, Err(_)) => {}
            (EntryKind::File | EntryKind::OldFile, Ok(size)) => {
                let path = records.sparse_path().unwrap_or(&path);
                return self.begin_file(size, path, records.sparse_format(), sink);
            }
            (EntryKind::OldSparseFile, _) if header.dialect != Dialect::Gnu => {}
            (EntryKind::OldSparseFile, Ok(size)) if is_header_extended(&self.block) => {
                self.state = State::SparseExtension { size, path };
            }
            (EntryKind::OldSparseFile, Ok(size)) => {
                return self.begin_file(size, &path, Some(SparseFormat::OldGnu), sink);
            }
            (_, Ok(size)) => self.skip_data(size),
        }
        self.leave_ended_state(sink);
        Ok(())
    }

    fn begin_metadata(&mut self, kind: Metadata, size: u64) {
        if size <= self.limits.metadata_size {
            self.metadata.clear();
            self.state = State::Metadata {
                kind,
                size,
                remaining: size,
            };
        }
    }

    fn begin_file(
        &mut self,
        size: u64,
        path: &[u8],
        sparse: Option<SparseFormat>,
        sink: &mut impl TarSink,
    ) -> Result<(), TarError> {
        if self.files >= self.limits.files {
            let error = TarError::TooManyFiles {
                offset: self.offset,
                limit: self.limits.files,
            };
            self.state = State::Failed(error);
            return Err(error);
        }
        self.files = self.files.saturating_add(1);
        sink.begin_file(FileEntry { size, path, sparse });
        self.state = State::Content {
            size,
            remaining: size,
        };
        self.leave_ended_state(sink);
        Ok(())
    }

    fn skip_data(&mut self, size: u64) {
        self.state = State::Skip {
            remaining: size.saturating_add(padding_after(size)),
        };
    }

    /// Passes on from states that have nothing left to take.
    fn leave_ended_state(&mut self, sink: &mut impl TarSink) {
        match self.state {
            State::Content { size, remaining: 0 } => {
                sink.end_file(FileEnd::Complete);
                self.skip_padding(size);
            }
            State::Metadata {
                kind,
                size,
                remaining: 0,
            } => {
                if self.take_metadata(kind).is_some() {
                    self.skip_padding(size);
                } else {
                    self.state = State::Rest;
                }
            }
            State::Skip { remaining: 0 } => self.state = State::Header,
            _ => {}
        }
    }

    fn skip_padding(&mut self, size: u64) {
        self.state = match padding_after(size) {
            0 => State::Header,
            remaining => State::Skip { remaining },
        };
    }

    /// Nothing if the data are malformed.
    fn take_metadata(&mut self, kind: Metadata) -> Option<()> {
        let data = std::mem::take(&mut self.metadata);
        match kind {
            Metadata::LocalPax => self.records = PaxRecords::default().extended_by(&data)?,
            // Go takes nothing from global records, and forgets what came before about an entry.
            Metadata::GlobalPax => {
                PaxRecords::default().extended_by(&data)?;
                self.records = PaxRecords::default();
                self.long_name.clear();
            }
            Metadata::LongName => self.long_name = until_nul(&data).to_vec(),
        }
        Some(())
    }
}

fn length_of(piece: &[u8]) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}

/// Bytes from the end of data to the next block.
fn padding_after(size: u64) -> u64 {
    size.wrapping_neg() & 511
}
