//! The files of a tar that is just being scanned on their way into a pack, while somebody is asked which
//! of them are new.

use std::collections::{BTreeSet, VecDeque};

use super::error::LayerPackError;
use super::file_packer::{FilePacker, PackedFiles, Wanted};
use crate::digest::FileId;
use crate::fields::{length_u64, length_usize};
use crate::ingest::FileReference;
use crate::restore::FilePlace;
use crate::segment::PlainText;

/// How much text waits for answers. It decides which files are left out, and nothing else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackWindow {
    /// Bytes of text that are kept at most, but for the one that was pushed last. 32 MiB by default: half
    /// of what a layer may cost in memory, and more than the binaries of a compiler have.
    pub size: u64,
    /// Bytes of tar with which a question is asked. 8 MiB by default, some hundred files: three more
    /// fit into the window while the answer is under way.
    pub question_size: u64,
}

impl Default for PackWindow {
    fn default() -> Self {
        Self {
            size: 32 << 20,
            question_size: 8 << 20,
        }
    }
}

/// Takes the stretches of a tar with the files that end in each, and gives the bytes to append to a pack.
///
/// After each [`push`](Self::push), and after [`finish_input`](Self::finish_input): [`step`](Self::step)
/// until it is false, then the [`question`](Self::question), if there is one; its
/// [`answer`](Self::answer) may come at any time, and is followed by the same. While it
/// [`is_waiting`](Self::is_waiting), nothing is to be pushed before the answer has come. Once it
/// [`is_done`](Self::is_done): [`finish`](Self::finish). Bytes that are ready can be
/// [taken](Self::take) at any time.
///
/// A file that the window is too small for is left out: nobody is asked about it, and it is not among
/// the [`PackedFiles`]. A [`LayerPacker`](super::LayerPacker) takes it later.
#[derive(Debug)]
pub struct TarPacker {
    files: FilePacker,
    window: PackWindow,
    /// Stretches that may have files in them nobody has decided on, or that are not ended.
    texts: VecDeque<PlainText>,
    /// Bytes of memory that they take.
    kept: u64,
    /// Where the last file ends in the tar.
    files_end: u64,
    /// The number of the next file.
    number: u32,
    /// Files that are asked about once.
    seen: BTreeSet<FileId>,
    /// Files that nobody has decided on yet, all of whose text is kept.
    undecided: VecDeque<Wanted>,
    /// How many of them are in the question that is open.
    asked: usize,
    is_finished: bool,
}

impl TarPacker {
    /// At the start of a tar. The pack has `size` bytes and begins with `front`, of which as many are
    /// looked at as a pack header has.
    ///
    /// # Errors
    /// If the pack is none.
    pub fn new(window: PackWindow, (size, front): (u64, &[u8])) -> Result<Self, LayerPackError> {
        Ok(Self {
            files: FilePacker::of_tar(size, front)?,
            window,
            texts: VecDeque::new(),
            kept: 0,
            files_end: 0,
            number: 0,
            seen: BTreeSet::new(),
            undecided: VecDeque::new(),
            asked: 0,
            is_finished: false,
        })
    }

    /// Takes the next stretch of tar, and the files that end in it.
    pub fn push(&mut self, text: PlainText, files: &[FileReference]) {
        self.kept = self.kept.saturating_add(length_u64(text.memory_size()));
        self.texts.push_back(text);
        for file in files {
            let offset = self.files_end.saturating_add(file.gap);
            let size = file.size;
            let wanted = Wanted::new(self.number, FilePlace { offset, size }, file.id);
            self.files_end = wanted.end();
            self.number = self.number.saturating_add(1);
            if offset >= self.files.offset() && self.seen.insert(file.id) {
                self.undecided.push_back(wanted);
            }
        }
    }

    /// Says that there is no more text.
    pub fn finish_input(&mut self) {
        self.is_finished = true;
    }

    /// Writes, or lets go of, the first stretch that is kept; false if files in it are undecided, or may
    /// still end behind it.
    ///
    /// # Errors
    /// If a block cannot be made.
    pub fn step(&mut self) -> Result<bool, LayerPackError> {
        let Some(text) = self.texts.pop_front_if(|text| {
            let end = self
                .files
                .offset()
                .saturating_add(length_u64(text.plain().len()));
            match self.undecided.front() {
                Some(file) => end <= file.offset,
                None => end <= self.files_end || self.is_finished || self.kept > self.window.size,
            }
        }) else {
            return Ok(false);
        };
        self.kept = self.kept.saturating_sub(length_u64(text.memory_size()));
        self.files.take_tar(text.plain())?;
        Ok(true)
    }

    /// The ids of the next files that somebody has to decide on, if there are enough of them, or the
    /// window is full, or there is no more text. There is one question at a time.
    pub fn question(&mut self) -> Option<Vec<FileId>> {
        let first = self.undecided.front().filter(|_| self.asked == 0)?;
        let size = self.files_end.saturating_sub(first.offset);
        if !self.is_waiting() && size < self.window.question_size {
            return None;
        }
        self.asked = self.undecided.len();
        Some(self.undecided.iter().map(|file| file.id).collect())
    }

    /// Takes the answer to the question that is open: which of its files are wanted, by their
    /// positions in it, which ascend.
    ///
    /// # Errors
    /// [`LayerPackError::FileNumber`]. The packer is of no use after it.
    pub fn answer(&mut self, wanted: &[u32]) -> Result<(), LayerPackError> {
        let expected = std::mem::take(&mut self.asked);
        let mut wanted = wanted.iter().copied().peekable();
        for (position, file) in self.undecided.drain(..expected).enumerate() {
            if wanted
                .next_if(|&wanted| length_usize(wanted) == position)
                .is_some()
            {
                self.files.want(file);
            }
        }
        match wanted.next() {
            Some(got) => Err(LayerPackError::FileNumber { got, expected }),
            None => Ok(()),
        }
    }

    /// Whether an answer has to come before anything else: the window is full, or there is no more text.
    pub fn is_waiting(&self) -> bool {
        let is_at_end = self.is_finished || self.kept > self.window.size;
        is_at_end && !self.undecided.is_empty()
    }

    /// Whether there is no more text, and nothing to be decided.
    pub fn is_done(&self) -> bool {
        self.is_finished && self.texts.is_empty()
    }

    /// The bytes that are ready for the pack; they are given out once.
    pub fn take(&mut self) -> Vec<u8> {
        self.files.take()
    }

    /// Ends the pack's last block: the bytes that were not taken yet, and what was written.
    ///
    /// # Errors
    /// If the block cannot be made, or files that are wanted were not written yet.
    pub fn finish(self) -> Result<(Vec<u8>, PackedFiles), LayerPackError> {
        self.files.finish()
    }
}
