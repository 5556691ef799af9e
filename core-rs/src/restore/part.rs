//! The parts that a layer is restored in.

use crate::model::CONTEXT_SIZE;
use crate::recipe::row::ROW_SIZE;
use crate::recipe::{
    Encoding, ReadAt, RecipeError, RecipeIndex, Section, SectionReader, SegmentRow,
};

/// Bytes of a part that is no segment: of a tar that is not compressed, or of what follows a stream.
const PLAIN_PART_SIZE: usize = 1 << 20;

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
    Tar,
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
pub(super) fn read_parts<R: ReadAt>(
    recipe: &R,
    index: &RecipeIndex,
) -> Result<Vec<Part>, R::Error> {
    match index.summary().encoding {
        Encoding::Gzip => read_segments(recipe, index),
        Encoding::Identity => Ok(tar_parts(index.summary().tar_size)),
    }
}

fn tar_parts(size: u64) -> Vec<Part> {
    let part = |offset| {
        let part_size = (PLAIN_PART_SIZE as u64).min(size - offset);
        Part {
            offset,
            size: part_size,
            tar_offset: offset,
            tar_size: part_size,
            context_size: 0,
            content: Content::Tar,
        }
    };
    (0..size).step_by(PLAIN_PART_SIZE).map(part).collect()
}

fn read_segments<R: ReadAt>(recipe: &R, index: &RecipeIndex) -> Result<Vec<Part>, R::Error> {
    let section = Section::Segments;
    let size = index.section_size(section);
    let mut bytes = Vec::new();
    SectionReader::new(section).read(recipe, index, 0, size, &mut bytes)?;
    let (rows, rest) = bytes.as_chunks::<ROW_SIZE>();
    let malformed = |number: usize| RecipeError::Malformed {
        section,
        offset: (number * ROW_SIZE) as u64,
        field: "row of a segment",
    };
    if !rest.is_empty() {
        return Err(malformed(rows.len()).into());
    }
    let mut parts = Vec::with_capacity(rows.len() + 1);
    let mut walk = Walk::default();
    for (number, bytes) in rows.iter().enumerate() {
        let row = SegmentRow::decode(bytes).ok_or(malformed(number))?;
        parts.push(walk.take(row));
    }
    let framing = index
        .section_size(Section::Framing)
        .saturating_sub(walk.places.framing);
    parts.extend(walk.framing_parts(framing));
    Ok(parts)
}

/// Sums of what the rows so far say. Sizes are of 32 bits, so that the sums cannot overflow.
#[derive(Default)]
struct Walk {
    offset: u64,
    tar_offset: u64,
    member_start: u64,
    places: Places,
}

impl Walk {
    fn take(&mut self, row: SegmentRow) -> Part {
        // Every member has a header, and nothing else stands before a segment.
        if row.framing_size > 0 {
            self.member_start = self.tar_offset;
        }
        let part = Part {
            offset: self.offset,
            size: u64::from(row.framing_size) + u64::from(row.stored_size),
            tar_offset: self.tar_offset,
            tar_size: u64::from(row.plain_size),
            context_size: (self.tar_offset - self.member_start).min(CONTEXT_SIZE as u64),
            content: Content::Segment {
                row,
                places: self.places,
            },
        };
        self.offset += part.size;
        self.tar_offset += part.tar_size;
        self.places.framing += u64::from(row.framing_size);
        self.places.blocks += u64::from(row.blocks_size);
        self.places.corrections += u64::from(row.corrections_size);
        self.places.raw += u64::from(row.raw_size);
        part
    }

    /// What follows the last segment.
    fn framing_parts(&self, size: u64) -> Vec<Part> {
        let part = |start: u64| Part {
            offset: self.offset + start,
            size: (PLAIN_PART_SIZE as u64).min(size - start),
            tar_offset: self.tar_offset,
            tar_size: 0,
            context_size: 0,
            content: Content::Framing {
                offset: self.places.framing + start,
            },
        };
        (0..size).step_by(PLAIN_PART_SIZE).map(part).collect()
    }
}
