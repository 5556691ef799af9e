//! A layer that can be made again, part by part.

use super::encoder::LayerEncoder;
use super::error::RestoreError;
use super::part::{Content, Part, Places, read_parts};
use super::tar_map::{FileSource, TarMap};
use crate::model::{Compressor, Models};
use crate::recipe::row::check_of;
use crate::recipe::{Encoding, ReadAt, RecipeIndex, Section, SectionReader, SegmentRow};
use crate::segment::blocks::KeptBlocks;
use crate::segment::{SegmentText, decode_corrections, rebuild_segment};

/// What a recipe tells, ready for its parts to be made. It can be shared by threads.
#[derive(Clone, Debug)]
pub struct Restorer {
    index: RecipeIndex,
    tar: TarMap,
    parts: Vec<Part>,
}

/// What one thread keeps from part to part.
#[derive(Debug)]
pub struct Scratch {
    models: Models,
    readers: Readers,
    text: Vec<u8>,
    segment: Vec<u8>,
}

/// A reader of each section that parts are made of.
#[derive(Debug)]
struct Readers {
    skeleton: SectionReader,
    framing: SectionReader,
    blocks: SectionReader,
    corrections: SectionReader,
    raw: SectionReader,
}

impl Default for Scratch {
    fn default() -> Self {
        Self {
            models: Models::default(),
            readers: Readers {
                skeleton: SectionReader::new(Section::Skeleton),
                framing: SectionReader::new(Section::Framing),
                blocks: SectionReader::new(Section::Blocks),
                corrections: SectionReader::new(Section::Corrections),
                raw: SectionReader::new(Section::Raw),
            },
            text: Vec::new(),
            segment: Vec::new(),
        }
    }
}

impl Restorer {
    /// Reads all of a recipe but the skeleton and what its segments keep.
    ///
    /// # Errors
    /// If it cannot be read, or its parts do not fit each other.
    pub fn read<R: ReadAt, E: From<RestoreError> + From<R::Error>>(recipe: &R) -> Result<Self, E> {
        let index = RecipeIndex::read(recipe)?;
        let tar = TarMap::read(recipe, &index)?;
        let parts = read_parts::<R, E>(recipe, &index)?;
        let restorer = Self { index, tar, parts };
        restorer.check_sizes()?;
        Ok(restorer)
    }

    fn check_sizes(&self) -> Result<(), RestoreError> {
        let summary = self.index.summary();
        let size = self.parts.last().map_or(0, Part::end);
        let tar_size = self
            .parts
            .last()
            .map_or(0, |part| part.tar_offset + part.tar_size);
        for (what, got, expected) in [
            ("layer", size, summary.size),
            ("tar", tar_size, summary.tar_size),
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

    /// What the recipe tells beside its parts.
    pub const fn index(&self) -> &RecipeIndex {
        &self.index
    }

    /// The layer's tar.
    pub const fn tar(&self) -> &TarMap {
        &self.tar
    }

    /// The layer's parts, in order, without gaps.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The parts that `start..end` of the layer lies in, as a range of their numbers.
    pub fn parts_within(&self, start: u64, end: u64) -> std::ops::Range<usize> {
        let first = self.parts.partition_point(|part| part.end() <= start);
        let last = self.parts.partition_point(|part| part.offset < end);
        first..last.max(first)
    }

    /// What the tar of a zstd layer is to be passed through; none for other layers.
    ///
    /// # Errors
    /// [`RestoreError::Encode`] if there is no memory.
    pub fn encoder(&self) -> Result<Option<LayerEncoder>, RestoreError> {
        match self.index.summary().encoding {
            Encoding::Zstd(Ok(call)) => LayerEncoder::new(call, self.tar.size()).map(Some),
            Encoding::Zstd(Err(_)) | Encoding::Identity | Encoding::Gzip => Ok(None),
        }
    }

    /// Appends a part's bytes to `output`. They are those of the layer, or it is an error. Of a zstd layer
    /// they are its tar, which nobody has checked: all parts, in order, have to be passed through one
    /// [`encoder`](Self::encoder).
    ///
    /// # Errors
    /// If recipe or files cannot be read, or the files are other ones than those of the layer. Part
    /// of the bytes may have been appended by then.
    pub fn restore_part<R, F, E>(
        &self,
        scratch: &mut Scratch,
        recipe: &R,
        files: &mut F,
        number: usize,
        output: &mut Vec<u8>,
    ) -> Result<(), E>
    where
        R: ReadAt,
        F: FileSource,
        E: From<RestoreError> + From<R::Error> + From<F::Error>,
    {
        let Some(part) = self.parts.get(number) else {
            return Err(RestoreError::NoPart {
                got: number,
                expected: self.parts.len(),
            }
            .into());
        };
        let range = part.wanted_tar();
        let index = &self.index;
        let readers = &mut scratch.readers;
        match part.content {
            Content::Tar { check } => {
                let (skeleton, start) = (&mut readers.skeleton, output.len());
                self.tar
                    .read_tar::<R, F, E>(recipe, index, skeleton, files, range, output)?;
                if check_of(&output[start..]) != check {
                    output.truncate(start);
                    return Err(part.wrong(number).into());
                }
            }
            Content::Encoded { .. } => {
                let skeleton = &mut readers.skeleton;
                self.tar
                    .read_tar::<R, F, E>(recipe, index, skeleton, files, range, output)?;
            }
            Content::Framing { offset } => {
                readers
                    .framing
                    .read(recipe, index, offset, part.size, output)?;
            }
            Content::Segment { row, places } => {
                scratch.text.clear();
                let length = usize::try_from(range.1 - range.0).unwrap_or(0);
                scratch.text.reserve_exact(length);
                let (skeleton, text) = (&mut readers.skeleton, &mut scratch.text);
                self.tar
                    .read_tar::<R, F, E>(recipe, index, skeleton, files, range, text)?;
                let size = u64::from(row.framing_size);
                readers
                    .framing
                    .read(recipe, index, places.framing, size, output)?;
                self.restore_segment::<R, E>(scratch, recipe, number, row, places)?;
                let bytes = &scratch.segment;
                if bytes.len() as u64 != u64::from(row.stored_size) || check_of(bytes) != row.check
                {
                    return Err(part.wrong(number).into());
                }
                output.extend_from_slice(bytes);
            }
        }
        Ok(())
    }

    /// Makes the segment in `scratch.segment`.
    fn restore_segment<R: ReadAt, E: From<RestoreError> + From<R::Error>>(
        &self,
        scratch: &mut Scratch,
        recipe: &R,
        part: usize,
        row: SegmentRow,
        places: Places,
    ) -> Result<(), E> {
        let read = |reader: &mut SectionReader, offset, size: u32| {
            let mut bytes = Vec::new();
            reader
                .read(recipe, &self.index, offset, u64::from(size), &mut bytes)
                .map(|()| bytes)
        };
        let readers = &mut scratch.readers;
        scratch.segment.clear();
        scratch.segment.reserve_exact(row.stored_size as usize);
        if row.compressor == Compressor::Unknown {
            let size = u64::from(row.raw_size);
            let segment = &mut scratch.segment;
            let raw = &mut readers.raw;
            return Ok(raw.read(recipe, &self.index, places.raw, size, segment)?);
        }
        let blocks = read(&mut readers.blocks, places.blocks, row.blocks_size)?;
        let blocks = KeptBlocks::decode(&blocks).map_err(|offset| {
            RestoreError::malformed(Section::Blocks, places.blocks + offset as u64)
        })?;
        let size = row.corrections_size;
        let corrections = read(&mut readers.corrections, places.corrections, size)?;
        let corrections = decode_corrections(&corrections).map_err(|offset| {
            RestoreError::malformed(Section::Corrections, places.corrections + offset as u64)
        })?;
        let text = SegmentText {
            text: &scratch.text,
            start: scratch.text.len().saturating_sub(row.plain_size as usize),
            since_flush: row.since_flush,
        };
        let (models, segment) = (&mut scratch.models, &mut scratch.segment);
        rebuild_segment(models, row.compressor, &blocks, &corrections, text, segment)
            .map_err(|problem| RestoreError::Rebuild { part, problem }.into())
    }
}
