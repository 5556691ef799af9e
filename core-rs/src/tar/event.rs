//! What a parser tells about a tar stream, in the order of its bytes.

use super::sparse::SparseFormat;

/// A regular file whose content follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileEntry<'a> {
    /// Bytes of content that the archive holds. For a sparse file these are its stored pieces (with
    /// pax 1.0, after the map), not its size on disk. The archive may end before.
    pub size: u64,
    /// The path as the archive gives it: any bytes, not normalized, possibly empty.
    pub path: &'a [u8],
    /// How the content leaves out holes, if it does.
    pub sparse: Option<SparseFormat>,
}

/// How the content of a file ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEnd {
    /// All bytes that the entry promised were there.
    Complete,
    /// The stream ended before.
    Truncated,
}

/// Takes what a [`TarParser`](super::TarParser) finds.
///
/// The bytes of [`literal`](Self::literal) and [`content`](Self::content), put together in order, are
/// the input. Neither is called with no bytes. Where runs are cut depends on how the input came; all
/// else does not.
pub trait TarSink {
    /// Bytes that are no file's content: headers, padding, end blocks, whatever is not tar.
    fn literal(&mut self, bytes: &[u8]);

    /// A regular file begins. Up to [`end_file`](Self::end_file) there is only content.
    fn begin_file(&mut self, entry: FileEntry<'_>);

    /// The next bytes of the file that began.
    fn content(&mut self, bytes: &[u8]);

    /// The file that began has ended.
    fn end_file(&mut self, end: FileEnd);
}
