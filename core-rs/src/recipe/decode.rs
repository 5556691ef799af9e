//! Reads a recipe in parts, whatever it may hold.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use super::encode::{
    CHUNK_CHECK_SIZE, DIRECTORY_CHECK_SIZE, END_MAGIC, FOOTER_SIZE, HEADER_SIZE, MAGIC, VERSION,
};
use super::error::RecipeError;
use super::section::{CHUNK_SIZE, Section};
use super::summary::Summary;
use crate::compression::decompress;
use crate::limits::MAX_RECIPE_DIRECTORY_SIZE;
use crate::varint::read_varint;

/// Bytes that can be read in any order: a recipe, or what holds one.
pub trait ReadAt {
    /// Why a read fails, a recipe's own problems included.
    type Error: From<RecipeError>;

    /// Bytes there are.
    fn size(&self) -> u64;

    /// The `length` bytes from `offset` on.
    ///
    /// # Errors
    /// If there are not so many, or they cannot be read.
    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, Self::Error>;
}

/// A recipe in memory.
#[derive(Clone, Copy, Debug)]
pub struct RecipeBytes<'a>(pub &'a [u8]);

impl ReadAt for RecipeBytes<'_> {
    type Error = RecipeError;

    fn size(&self) -> u64 {
        u64::try_from(self.0.len()).unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, length: usize) -> Result<Vec<u8>, RecipeError> {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| self.0.get(offset..)?.get(..length))
            .map(<[u8]>::to_vec)
            .ok_or(RecipeError::TooShort {
                got: self.size(),
                expected: offset.saturating_add(u64::try_from(length).unwrap_or(u64::MAX)),
            })
    }
}

/// A stored chunk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Chunk {
    offset: u64,
    stored_length: usize,
    plain_length: usize,
    is_compressed: bool,
    check: [u8; CHUNK_CHECK_SIZE],
}

/// A section's chunks. All but the last have `CHUNK_SIZE` bytes of plain text.
#[derive(Clone, Debug, Default)]
struct SectionChunks {
    chunks: Vec<Chunk>,
    size: u64,
}

/// Where everything is in a recipe, and what it says of its layer.
#[derive(Clone, Debug)]
pub struct RecipeIndex {
    summary: Summary,
    sections: [SectionChunks; Section::ALL.len()],
}

impl RecipeIndex {
    /// Reads header and directory.
    ///
    /// # Errors
    /// If it is no recipe, a damaged one, or one of a later version.
    pub fn read<R: ReadAt>(recipe: &R) -> Result<Self, R::Error> {
        let size = recipe.size();
        let expected = HEADER_SIZE.saturating_add(FOOTER_SIZE);
        if size < expected {
            return Err(RecipeError::TooShort {
                got: size,
                expected,
            }
            .into());
        }
        let header_size = usize::try_from(HEADER_SIZE).unwrap_or(usize::MAX);
        check_header(&recipe.read_at(0, header_size)?)?;
        let footer_offset = size.saturating_sub(FOOTER_SIZE);
        let footer_size = usize::try_from(FOOTER_SIZE).unwrap_or(usize::MAX);
        let footer = Footer::decode(&recipe.read_at(footer_offset, footer_size)?, footer_offset)?;
        let stored = recipe.read_at(footer.offset, footer.stored_length)?;
        check(&stored, &footer.check, footer.offset)?;
        let directory = expand(stored, footer.plain_length, footer.offset)?;
        Ok(Self::decode_directory(&directory, footer.offset)?)
    }

    /// What it says of its layer.
    pub const fn summary(&self) -> &Summary {
        &self.summary
    }

    /// Bytes of a section, decompressed.
    pub fn section_size(&self, section: Section) -> u64 {
        self.section(section).map_or(0, |section| section.size)
    }

    /// Bytes that a section takes in the recipe.
    pub fn stored_size(&self, section: Section) -> u64 {
        let chunks = self
            .section(section)
            .map_or(&[][..], |section| &section.chunks);
        chunks.iter().fold(0, |sum, chunk| {
            u64::try_from(chunk.stored_length).map_or(u64::MAX, |length| length.saturating_add(sum))
        })
    }

    fn section(&self, section: Section) -> Option<&SectionChunks> {
        self.sections.get(usize::from(section.number()))
    }

    fn decode_directory(directory: &[u8], end: u64) -> Result<Self, RecipeError> {
        let malformed = |rest: &[u8], field| RecipeError::Directory {
            offset: u64::try_from(directory.len().saturating_sub(rest.len())).unwrap_or(u64::MAX),
            field,
        };
        let (summary, rest) = Summary::decode(directory).ok_or(malformed(directory, "summary"))?;
        let (count, mut rest) = read_varint(rest).ok_or(malformed(rest, "number of chunks"))?;
        let mut sections: [SectionChunks; Section::ALL.len()] = Default::default();
        let mut offset = HEADER_SIZE;
        for _ in 0..count {
            let (section, chunk, after) =
                Chunk::decode(rest, offset).ok_or(malformed(rest, "chunk"))?;
            offset = offset.saturating_add(u64::try_from(chunk.stored_length).unwrap_or(u64::MAX));
            let place = sections.get_mut(usize::from(section.number()));
            place
                .and_then(|chunks| chunks.push(chunk))
                .ok_or(malformed(rest, "chunk after a short one"))?;
            rest = after;
        }
        if !rest.is_empty() || offset != end {
            return Err(malformed(rest, "end"));
        }
        Ok(Self { summary, sections })
    }
}

impl SectionChunks {
    /// Nothing if a chunk before is not full.
    fn push(&mut self, chunk: Chunk) -> Option<()> {
        if self
            .chunks
            .last()
            .is_some_and(|last| last.plain_length != CHUNK_SIZE)
        {
            return None;
        }
        self.size = self
            .size
            .checked_add(u64::try_from(chunk.plain_length).ok()?)?;
        self.chunks.push(chunk);
        Some(())
    }
}

impl Chunk {
    fn decode(input: &[u8], offset: u64) -> Option<(Section, Self, &[u8])> {
        let (&kind, rest) = input.split_first()?;
        let section = Section::of_number(kind >> 1)?;
        let is_compressed = kind & 1 != 0;
        let (stored, rest) = read_varint(rest)?;
        let (plain, rest) = if is_compressed {
            read_varint(rest)?
        } else {
            (stored, rest)
        };
        let (check, rest) = rest.split_first_chunk()?;
        let chunk = Self {
            offset,
            stored_length: usize::try_from(stored).ok()?,
            plain_length: usize::try_from(plain).ok()?,
            is_compressed,
            check: *check,
        };
        let is_possible = chunk.plain_length > 0
            && chunk.plain_length <= CHUNK_SIZE
            && chunk.stored_length > 0
            && (!is_compressed || chunk.stored_length < chunk.plain_length);
        is_possible.then_some((section, chunk, rest))
    }

    fn read<R: ReadAt>(&self, recipe: &R) -> Result<Vec<u8>, R::Error> {
        let stored = recipe.read_at(self.offset, self.stored_length)?;
        check(&stored, &self.check, self.offset)?;
        if self.is_compressed {
            return Ok(expand(stored, self.plain_length, self.offset)?);
        }
        Ok(stored)
    }
}

struct Footer {
    offset: u64,
    stored_length: usize,
    plain_length: usize,
    check: [u8; DIRECTORY_CHECK_SIZE],
}

impl Footer {
    fn decode(bytes: &[u8], footer_offset: u64) -> Result<Self, RecipeError> {
        let magic = RecipeError::Magic {
            offset: footer_offset,
        };
        let number = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
        let (offset, rest) = bytes.split_first_chunk().ok_or(magic)?;
        let (stored_length, rest) = rest.split_first_chunk().ok_or(magic)?;
        let (plain_length, rest) = rest.split_first_chunk().ok_or(magic)?;
        let (check, rest) = rest.split_first_chunk().ok_or(magic)?;
        if rest != END_MAGIC {
            return Err(magic);
        }
        let (offset, stored, plain) = (number(offset), number(stored_length), number(plain_length));
        let place = RecipeError::DirectoryPlace {
            offset,
            length: stored,
            size: footer_offset.saturating_add(FOOTER_SIZE),
        };
        if offset < HEADER_SIZE
            || offset.checked_add(stored) != Some(footer_offset)
            || stored > plain
            || plain > MAX_RECIPE_DIRECTORY_SIZE
        {
            return Err(place);
        }
        Ok(Self {
            offset,
            stored_length: usize::try_from(stored).map_err(|_| place)?,
            plain_length: usize::try_from(plain).map_err(|_| place)?,
            check: *check,
        })
    }
}

fn check_header(header: &[u8]) -> Result<(), RecipeError> {
    let magic = RecipeError::Magic { offset: 0 };
    let version = header.strip_prefix(&MAGIC).ok_or(magic)?;
    let got = u16::from_le_bytes(*version.first_chunk().ok_or(magic)?);
    if got == 0 || got > VERSION {
        return Err(RecipeError::Version {
            got,
            expected: VERSION,
        });
    }
    Ok(())
}

fn check(stored: &[u8], expected: &[u8], offset: u64) -> Result<(), RecipeError> {
    if blake3::hash(stored).as_bytes().starts_with(expected) {
        return Ok(());
    }
    Err(RecipeError::Checksum {
        offset,
        length: u64::try_from(stored.len()).unwrap_or(u64::MAX),
    })
}

/// Bytes of a known length, which are stored as they are if they are so long.
fn expand(stored: Vec<u8>, plain_length: usize, offset: u64) -> Result<Vec<u8>, RecipeError> {
    if stored.len() == plain_length {
        return Ok(stored);
    }
    decompress(&stored, plain_length)
        .map_err(|problem| RecipeError::Compression { offset, problem })
}

/// Reads parts of one section, of one recipe or many; keeps the last chunk, so that reading on costs
/// nothing more.
#[derive(Debug)]
pub struct SectionReader {
    section: Section,
    last: Option<(Chunk, Vec<u8>)>,
}

impl SectionReader {
    /// A reader of that section.
    pub const fn new(section: Section) -> Self {
        Self {
            section,
            last: None,
        }
    }

    /// Appends the bytes from `offset` of the section on, `length` of them, to `output`.
    ///
    /// # Errors
    /// If the section has fewer, or a chunk cannot be read or is damaged. Part of the bytes may have
    /// been appended by then.
    pub fn read<R: ReadAt>(
        &mut self,
        recipe: &R,
        index: &RecipeIndex,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        let end = RecipeError::SectionEnd {
            section: self.section,
            got: index.section_size(self.section),
            expected: offset.saturating_add(length),
        };
        if offset
            .checked_add(length)
            .is_none_or(|wanted| wanted > index.section_size(self.section))
        {
            return Err(end.into());
        }
        let (mut offset, mut length) = (
            usize::try_from(offset).map_err(|_| end)?,
            usize::try_from(length).map_err(|_| end)?,
        );
        while length > 0 {
            let chunk = self.chunk(recipe, index, offset.checked_div(CHUNK_SIZE).ok_or(end)?)?;
            let from = offset.checked_rem(CHUNK_SIZE).ok_or(end)?;
            let bytes = chunk.get(from..).unwrap_or(&[]);
            let bytes = bytes.get(..length).unwrap_or(bytes);
            if bytes.is_empty() {
                return Err(end.into());
            }
            output.extend_from_slice(bytes);
            offset = offset.saturating_add(bytes.len());
            length = length.saturating_sub(bytes.len());
        }
        Ok(())
    }

    fn chunk<R: ReadAt>(
        &mut self,
        recipe: &R,
        index: &RecipeIndex,
        number: usize,
    ) -> Result<&[u8], R::Error> {
        let chunks = index
            .section(self.section)
            .map_or(&[][..], |section| &section.chunks);
        let Some(chunk) = chunks.get(number) else {
            return Ok(&[]);
        };
        // A chunk is known by its checksum too: a reader may have read another recipe before.
        if self.last.as_ref().is_none_or(|(last, _)| last != chunk) {
            self.last = Some((*chunk, chunk.read(recipe)?));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}
