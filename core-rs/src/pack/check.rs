//! A pack read from its front to its end, every block decompressed and every file hashed: what of it is
//! whole.
//!
//! The bytes are asked for piece by piece ([`PackCheck::wanted`]), so that whoever has the pack reads it.

use super::block::Block;
use super::decode::decode_block_into;
use super::error::PackError;
use super::header::{
    BLOCK_HEADER_SIZE, BlockLimits, PACK_HEADER_SIZE, decode_block_header, decode_pack_header,
};
use super::scan::DamagedBlock;
use crate::digest::{FileHasher, FileId};
use crate::fields::length_u64;

/// What of a pack is whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CheckedPack {
    /// Blocks that are whole.
    pub blocks: u64,
    /// Blocks that are not. Behind one whose header is damaged none is looked for.
    pub damaged_blocks: u64,
    /// The first of these.
    pub damage: Option<DamagedBlock>,
    /// Files that are whole and hash to their ids, in the order of their ends.
    pub files: Vec<FileId>,
}

/// Bytes of a pack.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WantedBytes {
    /// Where they begin.
    pub offset: u64,
    /// How many.
    pub length: usize,
}

/// What the bytes asked for are.
#[derive(Debug, Clone, Copy)]
enum Stage {
    PackHeader,
    BlockHeader,
    Block { length: usize },
    Done,
}

/// A file whose last byte is still to come.
#[derive(Debug)]
struct OpenFile {
    id: FileId,
    /// Bytes so far.
    size: u64,
    hasher: FileHasher,
}

/// Checks one pack.
#[derive(Debug)]
pub struct PackCheck {
    limits: BlockLimits,
    /// Bytes of the pack that are to be checked.
    size: u64,
    offset: u64,
    stage: Stage,
    block: Block,
    open: Option<OpenFile>,
    checked: CheckedPack,
}

impl PackCheck {
    /// Checks the first `size` bytes of a pack. Of none, nothing is damaged.
    pub fn new(size: u64, limits: BlockLimits) -> Self {
        let stage = if size == 0 {
            Stage::Done
        } else {
            Stage::PackHeader
        };
        Self {
            limits,
            size,
            offset: 0,
            stage,
            block: Block::default(),
            open: None,
            checked: CheckedPack::default(),
        }
    }

    /// The bytes that are needed next; none at the end.
    pub fn wanted(&self) -> Option<WantedBytes> {
        let length = match self.stage {
            Stage::PackHeader => PACK_HEADER_SIZE,
            Stage::BlockHeader => BLOCK_HEADER_SIZE,
            Stage::Block { length } => length,
            Stage::Done => return None,
        };
        let left = usize::try_from(self.size.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        Some(WantedBytes {
            offset: self.offset,
            length: length.min(left),
        })
    }

    /// Takes the bytes that were wanted; fewer of them if the pack ends before.
    pub fn take(&mut self, bytes: &[u8]) {
        match self.stage {
            Stage::PackHeader => match decode_pack_header(bytes) {
                Ok(()) => self.go_on(length_u64(PACK_HEADER_SIZE)),
                Err(error) => self.end(error),
            },
            Stage::BlockHeader => match decode_block_header(bytes, self.limits) {
                Ok(header) => {
                    let length = usize::try_from(header.block_length()).unwrap_or(usize::MAX);
                    self.stage = Stage::Block { length };
                }
                Err(error) => self.end(error),
            },
            Stage::Block { length } => self.take_block(bytes, length),
            Stage::Done => {}
        }
    }

    /// What was found.
    pub fn finish(self) -> CheckedPack {
        self.checked
    }

    fn take_block(&mut self, bytes: &[u8], length: usize) {
        let room = std::mem::take(&mut self.block);
        match decode_block_into(bytes, self.limits, room) {
            Ok(block) => {
                self.checked.blocks = self.checked.blocks.saturating_add(1);
                self.hash(&block);
                self.block = block;
            }
            Err(error) => {
                self.open = None;
                self.note(error);
            }
        }
        self.go_on(length_u64(length));
    }

    fn hash(&mut self, block: &Block) {
        for piece in block.pieces() {
            let before = self.open.take();
            let mut file = if piece.file_offset == 0 {
                OpenFile {
                    id: piece.id,
                    size: 0,
                    hasher: FileHasher::new(),
                }
            } else {
                match before {
                    Some(open) if open.id == piece.id && open.size == piece.file_offset => open,
                    // The block before was damaged, or is none that goes with this one.
                    _ => continue,
                }
            };
            file.hasher.update(block.content(piece));
            file.size = file.size.saturating_add(u64::from(piece.length));
            if !piece.is_last() {
                self.open = Some(file);
            } else if file.hasher.finish() == piece.id {
                self.checked.files.push(piece.id);
            }
        }
    }

    fn go_on(&mut self, length: u64) {
        self.offset = self.offset.saturating_add(length);
        self.stage = if self.offset >= self.size {
            Stage::Done
        } else {
            Stage::BlockHeader
        };
    }

    fn end(&mut self, error: PackError) {
        self.note(error);
        self.stage = Stage::Done;
    }

    fn note(&mut self, source: PackError) {
        let offset = self.offset;
        self.checked.damaged_blocks = self.checked.damaged_blocks.saturating_add(1);
        if self.checked.damage.is_none() {
            self.checked.damage = Some(DamagedBlock { offset, source });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pack::{PackOptions, PackWriter};

    /// Files of which some share a block and one takes several.
    fn contents() -> Vec<Vec<u8>> {
        [10_usize, 700, 3000, 50, 999]
            .iter()
            .enumerate()
            .map(|(number, size)| {
                (0..*size)
                    .map(|at| at.wrapping_mul(31) ^ number.wrapping_mul(7))
                    .map(|value| u8::try_from(value & 0xff).unwrap_or(0))
                    .collect()
            })
            .collect()
    }

    /// A pack, and where its blocks begin.
    fn make_pack(contents: &[Vec<u8>]) -> (Vec<u8>, Vec<usize>) {
        let options = PackOptions {
            block_length: 800,
            ..PackOptions::default()
        };
        let mut writer = PackWriter::new(options).expect("a writer");
        let mut blocks = Vec::new();
        for content in contents {
            let size = u64::try_from(content.len()).expect("a size");
            writer
                .begin_file(FileId::of(content), size)
                .expect("a file");
            blocks.extend(writer.push(content).expect("blocks"));
            writer.end_file().expect("its end");
        }
        blocks.extend(writer.flush().expect("the last block"));
        let mut pack = PackWriter::header();
        let mut starts = Vec::new();
        for block in blocks {
            starts.push(pack.len());
            pack.extend(block.bytes);
        }
        (pack, starts)
    }

    fn check(pack: &[u8], size: usize) -> CheckedPack {
        let size = u64::try_from(size).expect("a size");
        let mut check = PackCheck::new(size, BlockLimits::default());
        while let Some(WantedBytes { offset, length }) = check.wanted() {
            let start = usize::try_from(offset).expect("an offset").min(pack.len());
            let end = start.saturating_add(length).min(pack.len());
            check.take(&pack[start..end]);
        }
        check.finish()
    }

    #[test]
    fn a_whole_pack_has_all_files() {
        let contents = contents();
        let (pack, starts) = make_pack(&contents);
        let ids: Vec<FileId> = contents.iter().map(|content| FileId::of(content)).collect();
        let checked = check(&pack, pack.len());
        assert_eq!(checked.files, ids);
        assert_eq!(
            checked.blocks,
            u64::try_from(starts.len()).expect("a count")
        );
        assert_eq!((checked.damaged_blocks, checked.damage), (0, None));
        assert_eq!(check(&[], 0), CheckedPack::default());
    }

    #[test]
    fn every_flipped_byte_is_damage_and_leaves_no_file_that_it_is_in() {
        let contents = contents();
        let (pack, starts) = make_pack(&contents);
        let whole = check(&pack, pack.len()).files;
        for at in 0..pack.len() {
            let mut damaged = pack.clone();
            damaged[at] ^= 0x40;
            let checked = check(&damaged, pack.len());
            let block = starts.iter().rfind(|start| **start <= at).copied();
            let offset = u64::try_from(block.unwrap_or(0)).expect("an offset");
            assert_eq!(checked.damage.map(|damage| damage.offset), Some(offset));
            assert!(checked.files.len() < whole.len());
            assert!(checked.files.iter().all(|id| whole.contains(id)));
        }
    }

    #[test]
    fn a_cut_is_damage_wherever_it_is() {
        let (pack, _) = make_pack(&contents());
        let whole = check(&pack, pack.len()).files;
        for end in 0..pack.len() {
            let checked = check(&pack[..end], pack.len());
            assert!(checked.damaged_blocks > 0, "cut at {end}");
            assert!(whole.starts_with(&checked.files) && checked.files.len() < whole.len());
        }
    }

    #[test]
    fn a_file_whose_bytes_are_not_of_its_id_is_not_whole() {
        let mut writer = PackWriter::new(PackOptions::default()).expect("a writer");
        let (right, wrong) = (FileId::of(b"right"), FileId::of(b"other"));
        for id in [right, wrong] {
            writer.begin_file(id, 5).expect("a file");
            writer.push(b"right").expect("its bytes");
            writer.end_file().expect("its end");
        }
        let block = writer.flush().expect("a flush").expect("a block");
        let pack = [PackWriter::header(), block.bytes].concat();
        let checked = check(&pack, pack.len());
        assert_eq!((checked.files, checked.damaged_blocks), (vec![right], 0));
    }
}
