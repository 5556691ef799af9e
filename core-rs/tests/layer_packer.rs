//! The files of a layer in a pack, and recipes, whatever pieces the layer comes in.

#![expect(clippy::unwrap_used, reason = "what the tests set up has to work")]

#[path = "laws/tar_header.rs"]
mod tar_header;

use mica_core::digest::{DigestAlgorithm, FileId};
use mica_core::ingest::LayerIngest;
use mica_core::pack::{LayerPackError, LayerPacker, PackError, PackedFiles};
use mica_core::recipe::{RecipeBytes, RecipeError};
use mica_core::segment::Proof;
use tar_header::tar_header;

#[derive(Debug, PartialEq)]
enum Problem {
    Recipe(RecipeError),
    Pack(LayerPackError),
}

impl From<RecipeError> for Problem {
    fn from(error: RecipeError) -> Self {
        Self::Recipe(error)
    }
}

impl From<LayerPackError> for Problem {
    fn from(error: LayerPackError) -> Self {
        Self::Pack(error)
    }
}

fn entry(name: &str, content: &[u8]) -> Vec<u8> {
    let header = tar_header(name, content.len());
    let padding = vec![0; content.len().next_multiple_of(512) - content.len()];
    [&header, content, &padding].concat()
}

/// A tar of so many small files that their ids fill several chunks of a recipe.
fn many_files() -> Vec<u8> {
    let numbers = 0_u32..10_000;
    let mut tar: Vec<u8> = numbers
        .flat_map(|number| entry("file", &number.to_le_bytes()))
        .collect();
    tar.extend([0; 1024]);
    tar
}

fn ingest(layer: &[u8], piece: usize) -> Vec<u8> {
    let mut ingest = LayerIngest::new(DigestAlgorithm::Sha256, u64::MAX, Proof::Now);
    let mut recipe = Vec::new();
    for piece in layer.chunks(piece) {
        recipe.extend(ingest.push(piece).unwrap());
    }
    recipe.extend(ingest.finish().unwrap().0);
    recipe
}

fn pack(
    recipe: &[u8],
    layer: &[u8],
    piece: usize,
    numbers: Option<&[u32]>,
    before: &[u8],
) -> Result<(Vec<u8>, PackedFiles), Problem> {
    let recipe = RecipeBytes(recipe);
    let size = u64::try_from(before.len()).unwrap();
    let mut packer = LayerPacker::new::<_, Problem>(&recipe, numbers, (size, before))?;
    let mut bytes = Vec::new();
    for piece in layer.chunks(piece) {
        packer.push(piece);
        while packer.step()? {
            bytes.extend(packer.take());
        }
    }
    packer.finish_input();
    while packer.step()? {}
    let (last, files) = packer.finish()?;
    bytes.extend(last);
    Ok((bytes, files))
}

#[test]
fn recipe_and_pack_are_the_same_whatever_the_pieces() {
    let layer = many_files();
    let recipe = ingest(&layer, layer.len());
    let packed = pack(&recipe, &layer, layer.len(), None, &[]).unwrap();
    for piece in [100_003, 1 << 20] {
        assert!(ingest(&layer, piece) == recipe, "recipe by {piece}");
        let other = pack(&recipe, &layer, piece, None, &[]).unwrap();
        assert!(other == packed, "pack by {piece}");
    }
}

#[test]
fn numbers_have_to_ascend_and_be_of_files() {
    let layer = [entry("a", b"one"), entry("b", b"two"), vec![0; 1024]].concat();
    let recipe = ingest(&layer, layer.len());
    let (_, files) = pack(&recipe, &layer, 700, Some(&[1]), &[]).unwrap();
    assert_eq!(files.files, [1]);
    for numbers in [&[2][..], &[1, 0], &[0, 0]] {
        let got = numbers[numbers.len() - 1];
        let problem = pack(&recipe, &layer, 700, Some(numbers), &[]);
        let expected = LayerPackError::FileNumber { got, expected: 2 };
        assert_eq!(problem.unwrap_err(), Problem::Pack(expected));
    }
}

#[test]
fn other_layers_and_what_is_no_pack_are_refused() {
    let layer = [entry("a", b"one"), vec![0; 1024]].concat();
    let recipe = ingest(&layer, layer.len());
    let other = [entry("a", b"two"), vec![0; 1024]].concat();
    let problem = pack(&recipe, &other, 100, None, &[]).unwrap_err();
    let expected = LayerPackError::OtherFile {
        number: 0,
        offset: 512,
        got: FileId::of(b"two"),
        expected: FileId::of(b"one"),
    };
    assert_eq!(problem, Problem::Pack(expected));
    let problem = pack(&recipe, &layer[..514], 100, None, &[]).unwrap_err();
    let expected = LayerPackError::FileMissing {
        number: 0,
        offset: 512,
    };
    assert_eq!(problem, Problem::Pack(expected));
    let problem = pack(&recipe, &layer, 100, None, b"MICAP").unwrap_err();
    let expected = PackError::Truncated {
        offset: 5,
        expected: 16,
    };
    assert_eq!(problem, Problem::Pack(expected.into()));
}
