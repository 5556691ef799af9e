//! The parts that a layer is restored in.

use super::error::RestoreError;
use crate::limits::MAX_SEGMENTS;
use crate::model::Compressor;
use crate::recipe::row::{CHECK_SIZE, ROW_SIZE};
use crate::recipe::{
    Encoding, ReadAt, RecipeError, RecipeIndex, Section, SectionReader, SegmentRow,
};

/// Bytes of a part that is only framing: what follows the last stream.
const FRAMING_PART_SIZE: usize = 1 << 20;

/// A part of a layer that is made on its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    /// Where it begins in the layer.
    pub offset: u64,
    /// Its bytes in the layer.
    pub size: u64,
    /// Where its tar begins.
    pub tar_offset: u64,
    /// Bytes of its tar.
    pub tar_size: u64,
    /// Bytes of tar before its own that a model needs.
    pub context_size: u64,
    pub(super) content: Content,
}

/// What a part is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Content {
    /// Of its tar as it is.
    Tar { check: [u8; CHECK_SIZE] },
    /// Of its tar by libzstd: once its tar and all before it was given to the encoder.
    Encoded { check: [u8; CHECK_SIZE] },
    /// Of framing, and then of a segment.
    Segment { row: SegmentRow, places: Places },
    /// Of framing only.
    Framing { offset: u64 },
}

/// Where a segment's bytes begin in the sections of a recipe.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    pub(super) framing: u64,
    pub(super) blocks: u64,
    pub(super) corrections: u64,
    pub(super) raw: u64,
}

impl Part {
    /// First byte of the layer after it.
    pub const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }

    pub(super) const fn wrong(&self, part: usize) -> RestoreError {
        RestoreError::WrongPart {
            part,
            offset: self.offset,
        }
    }

    /// The tar that it is made of, from and to: the model's context, then its own. Empty if no tar is
    /// needed.
    pub const fn wanted_tar(&self) -> (u64, u64) {
        let end = self.tar_offset.saturating_add(self.tar_size);
        match &self.content {
            Content::Segment { row, .. } if row.raw_size > 0 => (end, end),
            _ => (self.tar_offset.saturating_sub(self.context_size), end),
        }
    }
}

/// The parts of the layer that a recipe is for.
pub(super) fn read_parts<R: ReadAt, E: From<RestoreError> + From<R::Error>>(
    recipe: &R,
    index: &RecipeIndex,
) -> Result<Vec<Part>, E> {
    let encoding = index.summary().encoding;
    if let Some(inexact) = encoding.inexact() {
        return Err(RestoreError::Inexact(inexact).into());
    }
    let rows = read_rows(recipe, index)?;
    let mut parts = Vec::with_capacity(rows.len() / ROW_SIZE + 1);
    let mut walk = Walk::default();
    for (number, bytes) in rows.as_chunks::<ROW_SIZE>().0.iter().enumerate() {
        let part = SegmentRow::decode(bytes).and_then(|row| match encoding {
            Encoding::Gzip => walk.take(row),
            Encoding::Identity => walk.take_plain(row),
            Encoding::Zstd(_) => walk.take_encoded(row),
        });
        parts.push(part.ok_or(RestoreError::Recipe(malformed_row(number)))?);
    }
    walk.places.check(index)?;
    parts.extend(walk.framing_parts(index.section_size(Section::Framing)));
    Ok(parts)
}

fn read_rows<R: ReadAt>(recipe: &R, index: &RecipeIndex) -> Result<Vec<u8>, R::Error> {
    let section = Section::Segments;
    let size = index.section_size(section);
    if size > MAX_SEGMENTS * ROW_SIZE as u64 || !size.is_multiple_of(ROW_SIZE as u64) {
        return Err(RecipeError::Malformed {
            section,
            offset: size.min(MAX_SEGMENTS * ROW_SIZE as u64),
            field: "number of segments",
        }
        .into());
    }
    let mut rows = Vec::new();
    SectionReader::new(section).read(recipe, index, 0, size, &mut rows)?;
    Ok(rows)
}

const fn malformed_row(number: usize) -> RecipeError {
    RecipeError::Malformed {
        section: Section::Segments,
        offset: (number * ROW_SIZE) as u64,
        field: "row of a segment",
    }
}

impl Places {
    /// Whether the sections have what all rows together say; framing may go on.
    fn check(&self, index: &RecipeIndex) -> Result<(), RestoreError> {
        let size = |section| index.section_size(section);
        let framing = size(Section::Framing).min(self.framing);
        for (what, got, expected) in [
            ("framing", framing, self.framing),
            ("blocks", size(Section::Blocks), self.blocks),
            ("corrections", size(Section::Corrections), self.corrections),
            ("raw segments", size(Section::Raw), self.raw),
        ] {
            if got != expected {
                return Err(RestoreError::Inconsistent {
                    what,
                    got,
                    expected,
                });
            }
        }
        Ok(())
    }
}

/// Sums of what the rows so far say. There are at most `MAX_SEGMENTS` of them, and their sizes are of
/// 32 bits, so that the sums cannot overflow.
#[derive(Default)]
struct Walk {
    offset: u64,
    tar_offset: u64,
    member_start: u64,
    places: Places,
}

impl Walk {
    /// Nothing if the row is none of a gzip layer.
    fn take(&mut self, row: SegmentRow) -> Option<Part> {
        let is_raw = row.compressor == Compressor::Unknown;
        if is_raw && row.raw_size != row.stored_size {
            return None;
        }
        // Every member has a header, and nothing else stands before a segment.
        if row.framing_size > 0 {
            self.member_start = self.tar_offset;
        }
        let before = self.tar_offset - self.member_start;
        let content = Content::Segment {
            row,
            places: self.places,
        };
        let part = self.part(
            row,
            before.min(row.compressor.context_size() as u64),
            content,
        );
        (row.since_flush <= before).then_some(part)
    }

    /// Nothing if the row is none of a layer that is not compressed.
    fn take_plain(&mut self, row: SegmentRow) -> Option<Part> {
        let content = Content::Tar { check: row.check };
        let is_plain = row.compressor == Compressor::Unknown
            && row.stored_size == row.plain_size
            && (row.framing_size, row.raw_size, row.since_flush) == (0, 0, 0);
        is_plain.then(|| self.part(row, 0, content))
    }

    /// Nothing if the row is none of a zstd layer.
    fn take_encoded(&mut self, row: SegmentRow) -> Option<Part> {
        let content = Content::Encoded { check: row.check };
        let is_encoded = row.compressor == Compressor::Unknown
            && (row.framing_size, row.raw_size, row.since_flush) == (0, 0, 0);
        is_encoded.then(|| self.part(row, 0, content))
    }

    fn part(&mut self, row: SegmentRow, context_size: u64, content: Content) -> Part {
        let part = Part {
            offset: self.offset,
            size: u64::from(row.framing_size) + u64::from(row.stored_size),
            tar_offset: self.tar_offset,
            tar_size: u64::from(row.plain_size),
            context_size,
            content,
        };
        self.offset += part.size;
        self.tar_offset += part.tar_size;
        self.places.framing += u64::from(row.framing_size);
        self.places.blocks += u64::from(row.blocks_size);
        self.places.corrections += u64::from(row.corrections_size);
        self.places.raw += u64::from(row.raw_size);
        part
    }

    /// What follows the last segment; `size`: of all framing.
    fn framing_parts(&self, size: u64) -> impl Iterator<Item = Part> {
        let (offset, tar_offset, first) = (self.offset, self.tar_offset, self.places.framing);
        (first..size)
            .step_by(FRAMING_PART_SIZE)
            .map(move |start| Part {
                offset: offset + (start - first),
                size: (FRAMING_PART_SIZE as u64).min(size - start),
                tar_offset,
                tar_size: 0,
                context_size: 0,
                content: Content::Framing { offset: start },
            })
    }
}
