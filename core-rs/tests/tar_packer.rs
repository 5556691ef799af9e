//! Files packed while their tar is scanned: whatever the stretches, the answers, and when these come.

#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

#[path = "laws/tar_header.rs"]
mod tar_header;

use std::collections::BTreeSet;

use mica_core::digest::{DigestAlgorithm, FileId};
use mica_core::ingest::{LayerIngest, TarScan};
use mica_core::pack::{
    BlockLimits, LayerPackError, LayerPacker, PackCheck, PackError, PackWindow, PackedFiles,
    TarPacker,
};
use mica_core::recipe::{RecipeBytes, RecipeError};
use mica_core::segment::{PlainText, Proof};
use proptest::prelude::*;
use tar_header::tar_header;

#[derive(Debug)]
struct Problem;

impl From<RecipeError> for Problem {
    fn from(_: RecipeError) -> Self {
        Self
    }
}

impl From<LayerPackError> for Problem {
    fn from(_: LayerPackError) -> Self {
        Self
    }
}

/// How somebody answers: what they want, and after how many stretches more they say so.
#[derive(Clone, Copy, Debug)]
struct Asked {
    wants: fn(&FileId) -> bool,
    patience: usize,
}

const ALL: Asked = Asked {
    wants: |_| true,
    patience: 0,
};

#[derive(Debug, PartialEq)]
struct Packed {
    bytes: Vec<u8>,
    files: PackedFiles,
    questions: Vec<Vec<FileId>>,
}

fn tar_of(contents: &[Vec<u8>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for content in contents {
        tar.extend(tar_header("file", content.len()));
        tar.extend(content);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.extend([0; 1024]);
    tar
}

/// Packs a tar as a job does that goes on reading while it waits.
fn pack(tar: &[u8], stretch: usize, window: PackWindow, asked: Asked, before: &[u8]) -> Packed {
    let size = u64::try_from(before.len()).unwrap();
    let mut packer = TarPacker::new(window, (size, before)).unwrap();
    let mut scan = TarScan::new();
    let mut run = Run {
        asked,
        open: None,
        bytes: Vec::new(),
        questions: Vec::new(),
    };
    for text in tar.chunks(stretch) {
        let part = scan.push(text).unwrap();
        packer.push(PlainText::from(text.to_vec()), &part.files);
        run.go_on(&mut packer);
        assert!(!packer.is_waiting());
    }
    let (part, _) = scan.finish().unwrap();
    packer.push(PlainText::default(), &part.files);
    packer.finish_input();
    run.go_on(&mut packer);
    assert!(packer.is_done());
    let (last, files) = packer.finish().unwrap();
    Packed {
        bytes: [run.bytes, last].concat(),
        files,
        questions: run.questions,
    }
}

struct Run {
    asked: Asked,
    /// The answer that is under way, and how often it was not there yet.
    open: Option<(Vec<u32>, usize)>,
    bytes: Vec<u8>,
    questions: Vec<Vec<FileId>>,
}

impl Run {
    fn go_on(&mut self, packer: &mut TarPacker) {
        loop {
            while packer.step().unwrap() {
                self.bytes.extend(packer.take());
            }
            if let Some(ids) = packer.question() {
                assert!(self.open.is_none(), "one question at a time");
                let wanted = (0..).zip(&ids).filter(|(_, id)| (self.asked.wants)(id));
                self.open = Some((wanted.map(|(position, _)| position).collect(), 0));
                self.questions.push(ids);
            }
            let Some((answer, turns)) = &mut self.open else {
                return;
            };
            if *turns < self.asked.patience && !packer.is_waiting() {
                *turns += 1;
                return;
            }
            packer.answer(answer).unwrap();
            self.open = None;
        }
    }
}

/// The same files as they are packed once a recipe is there.
fn pack_later(tar: &[u8], numbers: &[u32], before: &[u8]) -> (Vec<u8>, PackedFiles) {
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, u64::MAX, Proof::Later);
    let mut recipe = ingest.push(tar).unwrap();
    recipe.extend(ingest.finish().unwrap().0);
    let size = u64::try_from(before.len()).unwrap();
    let packer =
        LayerPacker::new::<_, Problem>(&RecipeBytes(&recipe), Some(numbers), (size, before));
    let mut packer = packer.unwrap();
    packer.push(tar);
    packer.finish_input();
    while packer.step().unwrap() {}
    packer.finish().unwrap()
}

/// What is read back of a pack, in its order.
fn ids_in(pack: &[u8]) -> Vec<FileId> {
    let size = u64::try_from(pack.len()).unwrap();
    let mut check = PackCheck::new(size, BlockLimits::default());
    while let Some(wanted) = check.wanted() {
        let start = usize::try_from(wanted.offset).unwrap();
        check.take(&pack[start..start + wanted.length]);
    }
    let checked = check.finish();
    assert_eq!(checked.damaged_blocks, 0);
    checked.files
}

fn contents() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let content = (0_usize..6000, 0_u8..4).prop_map(|(size, byte)| vec![byte; size]);
    let twice = prop::sample::select(vec![vec![7; 100], vec![8; 5000], Vec::new()]);
    prop::collection::vec(prop_oneof![3 => content, 1 => twice], 0..40)
}

fn asked() -> impl Strategy<Value = Asked> {
    let wants = prop::sample::select(vec![
        (|_| true) as fn(&FileId) -> bool,
        |_| false,
        |id| id.as_bytes()[0] > 99,
        |id| id.as_bytes()[0] < 40,
    ]);
    (wants, 0_usize..9).prop_map(|(wants, patience)| Asked { wants, patience })
}

proptest! {
    #[test]
    fn what_fits_is_asked_once_and_what_is_wanted_is_packed(
        contents in contents(),
        stretch in 1_usize..4000,
        size in 1_u64..40_000,
        question_size in 1_u64..20_000,
        asked in asked(),
        is_first in any::<bool>(),
    ) {
        let tar = tar_of(&contents);
        let before = pack_later(&tar_of(&[vec![9; 300]]), &[0], &[]).0;
        let before = if is_first { &[][..] } else { &before };
        let window = PackWindow { size, question_size };
        let packed = pack(&tar, stretch, window, asked, before);

        let asked_ids: Vec<FileId> = packed.questions.concat();
        let different: BTreeSet<FileId> = asked_ids.iter().copied().collect();
        prop_assert_eq!(different.len(), asked_ids.len(), "each different id once");
        let filled = contents.iter().filter(|content| !content.is_empty());
        let ids: Vec<FileId> = filled.clone().map(|content| FileId::of(content)).collect();
        prop_assert!(different.iter().all(|id| ids.contains(id)));
        for content in filled {
            // The stretches in which it begins and ends may be another's for the most part.
            let is_sure_to_fit = content.len() + 2 * stretch <= usize::try_from(size).unwrap();
            prop_assert!(!is_sure_to_fit || different.contains(&FileId::of(content)));
        }

        let wanted: Vec<FileId> = asked_ids.into_iter().filter(asked.wants).collect();
        let numbers = packed.files.files.iter().map(|number| usize::try_from(*number).unwrap());
        prop_assert_eq!(&numbers.map(|number| ids[number]).collect::<Vec<_>>(), &wanted);
        let whole = [before, &packed.bytes].concat();
        let of_before = usize::from(!is_first);
        prop_assert_eq!(&ids_in(&whole)[of_before..], &wanted);
        let later = pack_later(&tar, &packed.files.files, before);
        prop_assert!((packed.bytes, packed.files) == later, "the same bytes");
    }

    #[test]
    fn when_answers_come_does_not_show_in_the_pack(
        contents in contents(),
        stretch in 1_usize..4000,
        size in 1_u64..40_000,
        mut asked in asked(),
    ) {
        let tar = tar_of(&contents);
        let window = PackWindow { size, question_size: 1 };
        let late = pack(&tar, stretch, window, asked, &[]);
        asked.patience = 0;
        let early = pack(&tar, stretch, window, asked, &[]);
        prop_assert!((late.bytes, late.files) == (early.bytes, early.files));
    }
}

#[test]
fn files_that_do_not_fit_are_left_out_and_numbers_count_them() {
    let large = vec![1; 200_000];
    let tar = tar_of(&[b"one".to_vec(), large, Vec::new(), b"two".to_vec()]);
    let window = PackWindow {
        size: 50_000,
        question_size: 10_000,
    };
    let packed = pack(&tar, 10_000, window, ALL, &[]);
    assert_eq!(packed.files.files, [0, 2]);
    let packed = pack(&tar, 10_000, PackWindow::default(), ALL, &[]);
    assert_eq!(packed.files.files, [0, 1, 2]);
    assert_eq!(packed.questions.len(), 1);
}

#[test]
fn a_file_that_the_tar_cuts_short_is_packed_as_far_as_it_goes() {
    let tar = tar_of(&[vec![1; 5000]]);
    let packed = pack(&tar[..3000], 1000, PackWindow::default(), ALL, &[]);
    assert_eq!(packed.files.files, [0]);
    assert_eq!(ids_in(&packed.bytes), [FileId::of(&[1; 3000 - 512])]);
}

#[test]
fn answers_are_positions_in_the_question_that_ascend() {
    for wanted in [&[2][..], &[1, 0], &[0, 0], &[0, 1, 2]] {
        let contents = [b"one".to_vec(), b"two".to_vec()];
        let tar = tar_of(&contents);
        let mut packer = TarPacker::new(PackWindow::default(), (0, &[])).unwrap();
        let part = TarScan::new().push(&tar).unwrap();
        packer.push(PlainText::from(tar), &part.files);
        packer.finish_input();
        assert!(!packer.step().unwrap());
        assert_eq!(
            packer.question(),
            Some(contents.map(|content| FileId::of(&content)).to_vec())
        );
        assert_eq!(packer.question(), None, "it is open");
        let got = wanted[wanted.len() - 1];
        let problem = packer.answer(wanted).unwrap_err();
        assert_eq!(problem, LayerPackError::FileNumber { got, expected: 2 });
    }
}

#[test]
fn what_is_no_pack_is_refused() {
    let problem = TarPacker::new(PackWindow::default(), (5, b"MICAP")).unwrap_err();
    let expected = PackError::Truncated {
        offset: 5,
        expected: 16,
    };
    assert_eq!(problem, expected.into());
}
