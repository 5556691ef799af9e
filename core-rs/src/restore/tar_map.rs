//! Which bytes of a layer's tar are which file's, and the tar itself, put together from both.

use super::error::RestoreError;
use crate::digest::{FILE_ID_SIZE, FileId};
use crate::limits::MAX_TAR_FILES;
use crate::recipe::{ReadAt, RecipeError, RecipeIndex, Section, SectionReader};
use crate::varint::read_varint;

/// Longest pair of a gap and a size in section `References`, bytes.
const MAX_REFERENCE_SIZE: usize = 20;
/// Shortest pair, bytes.
const MIN_REFERENCE_SIZE: u64 = 2;
/// Bytes of section `References` that are held at once.
const WINDOW_SIZE: u64 = 16 << 10;

/// Gives the contents of a layer's files.
pub trait FileSource {
    /// Why a file cannot be read.
    type Error;

    /// Appends `length` bytes of a file from `offset` on to `output`. Files are counted in the order
    /// of the recipe, those that occur twice twice.
    ///
    /// # Errors
    /// If the file is not there, or has fewer bytes.
    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), Self::Error>;
}

/// Where a file's content is in the tar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilePlace {
    /// Its first byte in the tar.
    pub offset: u64,
    /// Its bytes.
    pub size: u64,
}

impl FilePlace {
    const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileRange {
    /// Which file, by its place in the recipe.
    pub file: u64,
    /// Its first byte in the file.
    pub offset: u64,
    /// Its bytes.
    pub length: u64,
}

/// The tar of a layer, as files and skeleton. It takes 16 bytes of memory for each file.
#[derive(Clone, Debug)]
pub struct TarMap {
    /// Where each file begins, and where the tar ends.
    bounds: Vec<Bound>,
}

/// Where a file begins, and with it a stretch of skeleton ends. Two of them tell the size of what lies
/// between.
#[derive(Clone, Copy, Debug, Default)]
struct Bound {
    /// In the tar.
    offset: u64,
    /// Bytes of skeleton before.
    skeleton: u64,
}
const _: () = assert!(size_of::<Bound>() == 16);

impl TarMap {
    /// Reads the map from a recipe.
    ///
    /// # Errors
    /// If the recipe cannot be read, or its parts do not fit each other.
    pub fn read<R: ReadAt>(recipe: &R, index: &RecipeIndex) -> Result<Self, R::Error> {
        let summary = index.summary();
        let mut references = References::new(recipe, index);
        let size = references.size;
        if summary.files > MAX_TAR_FILES
            || size > summary.files.saturating_mul(MAX_REFERENCE_SIZE as u64)
            || size < summary.files.saturating_mul(MIN_REFERENCE_SIZE)
            || index.section_size(Section::Files) != summary.files * FILE_ID_SIZE as u64
        {
            return Err(malformed(size, "number of files").into());
        }
        let mut bounds = Vec::with_capacity(usize::try_from(summary.files).unwrap_or(0) + 1);
        let mut end = Bound::default();
        for _ in 0..summary.files {
            let start = references.offset();
            let next = references.next(end)?;
            let (bound, after) = next.ok_or(malformed(start, "gap and size of a file"))?;
            bounds.push(bound);
            end = after;
        }
        let offset = references.offset();
        let tail = summary.tar_size.checked_sub(end.offset);
        let tail = tail.ok_or(malformed(offset, "files larger than the tar"))?;
        let skeleton = index.section_size(Section::Skeleton);
        if offset != size || end.skeleton.checked_add(tail) != Some(skeleton) {
            return Err(malformed(offset, "sizes of files and skeleton").into());
        }
        bounds.push(Bound {
            offset: summary.tar_size,
            skeleton,
        });
        Ok(Self { bounds })
    }

    /// Files with content.
    pub const fn file_count(&self) -> usize {
        self.bounds.len().saturating_sub(1)
    }

    /// The file of a number.
    pub fn file(&self, number: usize) -> Option<FilePlace> {
        let bounds = self.bounds.get(number..)?.first_chunk()?;
        Some(place_between(bounds))
    }

    /// The files with content, in the order of the tar.
    pub fn files(&self) -> impl ExactSizeIterator<Item = FilePlace> {
        self.bounds
            .windows(2)
            .map(|pair| place_between(&[pair[0], pair[1]]))
    }

    /// Bytes of the tar.
    pub fn size(&self) -> u64 {
        self.bounds.last().map_or(0, |end| end.offset)
    }

    /// Files that begin before an offset of the tar.
    fn count_before(&self, offset: u64) -> usize {
        let files = &self.bounds[..self.file_count()];
        files.partition_point(|file| file.offset < offset)
    }

    /// Files that end at an offset of the tar or before.
    fn count_ended(&self, offset: u64) -> usize {
        let begun = self.count_before(offset);
        let last = begun.checked_sub(1).and_then(|last| self.file(last));
        begun - usize::from(last.is_some_and(|last| last.end() > offset))
    }

    /// The files that `start..end` of the tar has a part of, as a range of their numbers.
    pub fn files_within(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        if start >= end {
            return 0..0;
        }
        let first = self.count_ended(start);
        first..self.count_before(end).max(first)
    }

    /// What of files lies in `start..end` of the tar, in its order: just what
    /// [`read_tar`](Self::read_tar) asks its source for.
    pub fn file_ranges(&self, start: u64, end: u64) -> impl Iterator<Item = FileRange> {
        self.files_within(start, end).filter_map(move |number| {
            let file = self.file(number)?;
            let from = file.offset.max(start);
            Some(FileRange {
                file: number as u64,
                offset: from - file.offset,
                length: file.end().min(end) - from,
            })
        })
    }

    /// Appends the tar's bytes from `start` to `end` to `output`; none if that is not after it.
    ///
    /// # Errors
    /// If the skeleton or a file cannot be read, or a file has not the bytes asked for.
    pub fn read_tar<
        R: ReadAt,
        F: FileSource,
        E: From<RestoreError> + From<R::Error> + From<F::Error>,
    >(
        &self,
        recipe: &R,
        index: &RecipeIndex,
        skeleton: &mut SectionReader,
        files: &mut F,
        (start, end): (u64, u64),
        output: &mut Vec<u8>,
    ) -> Result<(), E> {
        if start >= end {
            return Ok(());
        }
        let mut position = start;
        for number in self.files_within(start, end) {
            let file = place_between(&[self.bounds[number], self.bounds[number + 1]]);
            let literal_end = file.offset.clamp(position, end);
            self.read_skeleton(recipe, index, skeleton, position, literal_end, output)?;
            position = literal_end;
            let content_end = file.end().min(end);
            let (offset, length) = (position - file.offset, content_end - position);
            let before = output.len();
            files.read_file(number as u64, offset, length, output)?;
            let got = (output.len() as u64).saturating_sub(before as u64);
            if got != length {
                return Err(RestoreError::FileLength {
                    file: number as u64,
                    offset,
                    got,
                    expected: length,
                }
                .into());
            }
            position = content_end;
        }
        self.read_skeleton(recipe, index, skeleton, position, end, output)?;
        Ok(())
    }

    /// A stretch of the tar that is no file's.
    fn read_skeleton<R: ReadAt>(
        &self,
        recipe: &R,
        index: &RecipeIndex,
        skeleton: &mut SectionReader,
        start: u64,
        end: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        if start >= end {
            return Ok(());
        }
        let next = self.bounds[self.count_ended(start)];
        let offset = next.skeleton - (next.offset - start);
        skeleton.read(recipe, index, offset, end - start, output)
    }
}

/// The file that begins at the first of two bounds.
const fn place_between([start, next]: &[Bound; 2]) -> FilePlace {
    FilePlace {
        offset: start.offset,
        size: (next.offset - start.offset) - (next.skeleton - start.skeleton),
    }
}

/// Reads section `References`, a window at a time.
struct References<'a, R> {
    recipe: &'a R,
    index: &'a RecipeIndex,
    reader: SectionReader,
    /// Bytes of the section.
    size: u64,
    /// Bytes of it that were put into the window so far.
    end: u64,
    window: Vec<u8>,
    /// Where the next pair begins in the window.
    at: usize,
}

impl<'a, R: ReadAt> References<'a, R> {
    fn new(recipe: &'a R, index: &'a RecipeIndex) -> Self {
        Self {
            recipe,
            index,
            reader: SectionReader::new(Section::References),
            size: index.section_size(Section::References),
            end: 0,
            window: Vec::new(),
            at: 0,
        }
    }

    /// Where the next pair begins in the section.
    const fn offset(&self) -> u64 {
        self.end - (self.window.len() - self.at) as u64
    }

    /// The next file's bound, and where it ends; nothing if the pair is none. `before`: where the file
    /// before ends.
    fn next(&mut self, before: Bound) -> Result<Option<(Bound, Bound)>, R::Error> {
        if self.window.len() - self.at < MAX_REFERENCE_SIZE && self.end < self.size {
            self.window.drain(..self.at);
            self.at = 0;
            let length = WINDOW_SIZE.min(self.size - self.end);
            let (recipe, index) = (self.recipe, self.index);
            self.reader
                .read(recipe, index, self.end, length, &mut self.window)?;
            self.end += length;
        }
        let rest = &self.window[self.at..];
        let Some((bound, end, after)) = read_reference(rest, before) else {
            return Ok(None);
        };
        self.at = self.window.len() - after.len();
        Ok(Some((bound, end)))
    }
}

fn read_reference(input: &[u8], before: Bound) -> Option<(Bound, Bound, &[u8])> {
    let (gap, rest) = read_varint(input)?;
    let (size, rest) = read_varint(rest)?;
    let bound = Bound {
        offset: before.offset.checked_add(gap)?,
        skeleton: before.skeleton.checked_add(gap)?,
    };
    let end = Bound {
        offset: bound.offset.checked_add(size)?,
        ..bound
    };
    (size > 0).then_some((bound, end, rest))
}

const fn malformed(offset: u64, field: &'static str) -> RecipeError {
    RecipeError::Malformed {
        section: Section::References,
        offset,
        field,
    }
}

/// The ids of a recipe's files, in its order.
///
/// # Errors
/// If the recipe cannot be read, or has more files than a layer may have.
pub fn read_file_ids<R: ReadAt>(recipe: &R, index: &RecipeIndex) -> Result<Vec<FileId>, R::Error> {
    let size = index.section_size(Section::Files);
    let limit = MAX_TAR_FILES * FILE_ID_SIZE as u64;
    if size > limit || !size.is_multiple_of(FILE_ID_SIZE as u64) {
        return Err(RecipeError::Malformed {
            section: Section::Files,
            offset: size.min(limit),
            field: "number of files",
        }
        .into());
    }
    let mut bytes = Vec::new();
    SectionReader::new(Section::Files).read(recipe, index, 0, size, &mut bytes)?;
    let (ids, _) = bytes.as_chunks::<FILE_ID_SIZE>();
    Ok(ids.iter().copied().map(FileId::from).collect())
}
