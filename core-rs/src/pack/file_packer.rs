//! Files of a tar that are wanted, in its order, as the bytes to append to a pack.

use std::collections::VecDeque;

use super::error::LayerPackError;
use super::header::{PACK_HEADER_SIZE, decode_pack_header};
use super::place::PackPlace;
use super::writer::{PackOptions, PackWriter, PackedBlock};
use crate::digest::{FileHasher, FileId};
use crate::fields::length_u64;
use crate::restore::FilePlace;

/// Files that were written into a pack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PackedFiles {
    /// Bytes of the pack before.
    pub start: u64,
    /// Bytes of the pack after.
    pub end: u64,
    /// Numbers of the files in the recipe, in the order of the pack.
    pub files: Vec<u32>,
    /// Where they are; the pack is number 0.
    pub places: Vec<PackPlace>,
}

/// A file to be written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) number: u32,
    pub(super) id: FileId,
    pub(super) offset: u64,
    pub(super) size: u64,
}

impl Wanted {
    pub(super) const fn new(number: u32, place: FilePlace, id: FileId) -> Self {
        Self {
            number,
            id,
            offset: place.offset,
            size: place.size,
        }
    }

    /// Where it ends in the tar.
    pub(super) const fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// Takes a tar in pieces, and writes what is wanted of it.
#[derive(Debug)]
pub(super) struct FilePacker {
    writer: PackWriter,
    /// Of the open file; nothing if ids were made of this very text.
    hasher: Option<FileHasher>,
    /// Bytes of tar that went by.
    offset: u64,
    /// The files not taken yet; the first may be open.
    wanted: VecDeque<Wanted>,
    ready: Vec<u8>,
    packed: PackedFiles,
}

impl FilePacker {
    /// Files are wanted as they are found in the tar. The pack has `size` bytes and begins with `front`.
    pub(super) fn of_tar(size: u64, front: &[u8]) -> Result<Self, LayerPackError> {
        let ready = if size == 0 {
            PackWriter::header()
        } else {
            decode_pack_header(front)?;
            Vec::new()
        };
        let end = size.max(length_u64(PACK_HEADER_SIZE));
        Ok(Self {
            writer: PackWriter::append(PackOptions::default(), end)?,
            hasher: None,
            offset: 0,
            wanted: VecDeque::new(),
            ready,
            packed: PackedFiles {
                start: size,
                end,
                ..PackedFiles::default()
            },
        })
    }

    /// These files are wanted, as a recipe has them. The tar may be another one: they are hashed.
    pub(super) fn of_recipe(
        wanted: VecDeque<Wanted>,
        size: u64,
        front: &[u8],
    ) -> Result<Self, LayerPackError> {
        Ok(Self {
            wanted,
            hasher: Some(FileHasher::new()),
            ..Self::of_tar(size, front)?
        })
    }

    /// Bytes of tar that went by.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// One more file is wanted, behind those before, of which nothing went by.
    pub(super) fn want(&mut self, file: Wanted) {
        self.wanted.push_back(file);
    }

    /// The first file that was not taken yet.
    pub(super) fn first(&self) -> Option<&Wanted> {
        self.wanted.front()
    }

    /// Takes the next bytes of the tar.
    pub(super) fn take_tar(&mut self, tar: &[u8]) -> Result<(), LayerPackError> {
        let start = self.offset;
        self.offset = start.saturating_add(length_u64(tar.len()));
        while let Some(&file) = self.wanted.front() {
            let end = file.end();
            let (from, to) = (file.offset.max(start), end.min(self.offset));
            if from >= to {
                return Ok(());
            }
            if from == file.offset {
                self.writer.begin_file(file.id, file.size)?;
            }
            let within = |offset: u64| usize::try_from(offset.saturating_sub(start)).ok();
            let content = within(from).zip(within(to));
            let content = content.and_then(|(from, to)| tar.get(from..to));
            let content = content.unwrap_or_default();
            if let Some(hasher) = &mut self.hasher {
                hasher.update(content);
            }
            let full = self.writer.push(content)?;
            self.write(full);
            if to < end {
                return Ok(());
            }
            self.end_file(file)?;
        }
        Ok(())
    }

    /// The bytes that are ready for the pack; they are given out once.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.ready)
    }

    /// Ends the pack's last block: the bytes that were not taken yet, and what was written.
    pub(super) fn finish(mut self) -> Result<(Vec<u8>, PackedFiles), LayerPackError> {
        if let Some(&Wanted { number, offset, .. }) = self.first() {
            return Err(LayerPackError::FileMissing { number, offset });
        }
        let last = self.writer.flush()?;
        self.write(last);
        Ok((self.ready, self.packed))
    }

    fn end_file(&mut self, file: Wanted) -> Result<(), LayerPackError> {
        let got = self.hasher.as_mut().map(std::mem::take);
        let got = got.map_or(file.id, FileHasher::finish);
        if got != file.id {
            return Err(LayerPackError::OtherFile {
                number: file.number,
                offset: file.offset,
                got,
                expected: file.id,
            });
        }
        self.writer.end_file()?;
        self.packed.files.push(file.number);
        self.wanted.pop_front();
        Ok(())
    }

    fn write(&mut self, blocks: impl IntoIterator<Item = PackedBlock>) {
        for block in blocks {
            self.ready.extend_from_slice(&block.bytes);
            self.packed.end = block.offset.saturating_add(length_u64(block.bytes.len()));
            let places = block.files.iter().map(|file| PackPlace {
                block_offset: file.place.block_offset,
                offset: file.place.offset,
                pack: 0,
            });
            self.packed.places.extend(places);
        }
    }
}
