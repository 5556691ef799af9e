//! Which bytes of a layer's tar are which file's, and the tar itself, put together from both.

use super::error::RestoreError;
use crate::digest::{FILE_ID_SIZE, FileId};
use crate::limits::MAX_TAR_FILES;
use crate::recipe::{ReadAt, RecipeError, RecipeIndex, Section, SectionReader};
use crate::varint::read_varint;

/// Longest pair of a gap and a size in section `References`, bytes.
const MAX_REFERENCE_SIZE: u64 = 20;

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
    /// Bytes of skeleton before it.
    skeleton: u64,
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

/// The tar of a layer, as files and skeleton.
#[derive(Clone, Debug)]
pub struct TarMap {
    files: Vec<FilePlace>,
    size: u64,
}

impl TarMap {
    /// Reads the map from a recipe.
    ///
    /// # Errors
    /// If the recipe cannot be read, or its parts do not fit each other.
    pub fn read<R: ReadAt>(recipe: &R, index: &RecipeIndex) -> Result<Self, R::Error> {
        let summary = index.summary();
        let section = Section::References;
        let size = index.section_size(section);
        let malformed = |rest: &[u8], field| RecipeError::Malformed {
            section,
            offset: size.saturating_sub(rest.len() as u64),
            field,
        };
        if summary.files > MAX_TAR_FILES
            || size > summary.files.saturating_mul(MAX_REFERENCE_SIZE)
            || index.section_size(Section::Files) != summary.files * FILE_ID_SIZE as u64
        {
            return Err(malformed(&[], "number of files").into());
        }
        let mut bytes = Vec::new();
        SectionReader::new(section).read(recipe, index, 0, size, &mut bytes)?;
        let mut rest = &bytes[..];
        let mut files = Vec::new();
        let (mut offset, mut skeleton) = (0_u64, 0_u64);
        for _ in 0..summary.files {
            let (place, after) = read_reference(rest, offset, skeleton)
                .ok_or(malformed(rest, "gap and size of a file"))?;
            offset = place.end();
            skeleton = place.skeleton;
            files.push(place);
            rest = after;
        }
        let tail = summary.tar_size.checked_sub(offset);
        let tail = tail.ok_or(malformed(rest, "files larger than the tar"))?;
        if !rest.is_empty()
            || skeleton.checked_add(tail) != Some(index.section_size(Section::Skeleton))
        {
            return Err(malformed(rest, "sizes of files and skeleton").into());
        }
        Ok(Self {
            files,
            size: summary.tar_size,
        })
    }

    /// The files with content, in the order of the tar.
    pub fn files(&self) -> &[FilePlace] {
        &self.files
    }

    /// Bytes of the tar.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// The files that `start..end` of the tar has a part of, as a range of their numbers.
    pub fn files_within(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        if start >= end {
            return 0..0;
        }
        let first = self.files.partition_point(|file| file.end() <= start);
        let last = self.files.partition_point(|file| file.offset < end);
        first..last.max(first)
    }

    /// What of files lies in `start..end` of the tar, in its order: just what
    /// [`read_tar`](Self::read_tar) asks its source for.
    pub fn file_ranges(&self, start: u64, end: u64) -> impl Iterator<Item = FileRange> {
        let numbers = self.files_within(start, end);
        let files = numbers.clone().zip(&self.files[numbers]);
        files.map(move |(number, file)| {
            let from = file.offset.max(start);
            FileRange {
                file: number as u64,
                offset: from - file.offset,
                length: file.end().min(end) - from,
            }
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
            let file = &self.files[number];
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
        let before = self.files.partition_point(|file| file.end() <= start);
        let offset = match before.checked_sub(1).and_then(|last| self.files.get(last)) {
            Some(file) => file.skeleton + (start - file.end()),
            None => start,
        };
        skeleton.read(recipe, index, offset, end - start, output)
    }
}

fn read_reference(input: &[u8], offset: u64, skeleton: u64) -> Option<(FilePlace, &[u8])> {
    let (gap, rest) = read_varint(input)?;
    let (size, rest) = read_varint(rest)?;
    let place = FilePlace {
        offset: offset.checked_add(gap)?,
        size,
        skeleton: skeleton.checked_add(gap)?,
    };
    place.offset.checked_add(size)?;
    (size > 0).then_some((place, rest))
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
