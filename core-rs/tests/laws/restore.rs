//! Layers made again in memory.

use mica_core::recipe::decode::RecipeBytes;
use mica_core::restore::{FilePlace, FileSource, RestoreError, Restorer, Scratch, TarMap};

/// Gives a part of a file that stands at a place of the tar: from an offset, so many bytes.
pub(crate) type ReadFile<'a> = &'a mut dyn FnMut(FilePlace, u64, u64) -> Vec<u8>;

struct Files<'a, 'b> {
    tar: &'a TarMap,
    read: ReadFile<'b>,
}

impl FileSource for Files<'_, '_> {
    type Error = RestoreError;

    fn read_file(
        &mut self,
        file: u64,
        offset: u64,
        length: u64,
        output: &mut Vec<u8>,
    ) -> Result<(), RestoreError> {
        let place = self.tar.file(usize::try_from(file).unwrap()).unwrap();
        assert!(offset.checked_add(length) <= Some(place.size));
        output.extend((self.read)(place, offset, length));
        Ok(())
    }
}

/// All parts of a layer, each made on its own, the last one first. Those of a zstd layer are passed
/// through an encoder then, and there are none after the first that is wrong.
pub(crate) fn restore_parts(
    recipe: &[u8],
    read: ReadFile<'_>,
) -> Result<Vec<Result<Vec<u8>, RestoreError>>, RestoreError> {
    let source = RecipeBytes(recipe);
    let restorer = Restorer::read::<_, RestoreError>(&source)?;
    let mut files = Files {
        tar: restorer.tar(),
        read,
    };
    let mut scratch = Scratch::default();
    let mut parts: Vec<_> = (0..restorer.parts().len())
        .rev()
        .map(|number| {
            let part = restorer.parts()[number];
            assert_eq!(
                restorer.parts_within(part.offset, part.end()),
                number..number + 1
            );
            let mut bytes = b"before".to_vec();
            restorer.restore_part::<_, _, RestoreError>(
                &mut scratch,
                &source,
                &mut files,
                number,
                &mut bytes,
            )?;
            let bytes = bytes.split_off(6);
            assert!([part.size, part.tar_size].contains(&u64::try_from(bytes.len()).unwrap()));
            Ok(bytes)
        })
        .collect();
    parts.reverse();
    let Some(mut encoder) = restorer.encoder()? else {
        return Ok(parts);
    };
    let mut encode = |tar: Vec<u8>| {
        let mut output = b"before".to_vec();
        let (first, rest) = tar.split_at(tar.len() / 3);
        for piece in [first, rest] {
            encoder.push(&restorer, piece, &mut output)?;
        }
        Ok(output.split_off(6))
    };
    let mut is_right = true;
    Ok(parts
        .into_iter()
        .map(|part| {
            let made = part.and_then(|tar| {
                let broken = RestoreError::NoPart {
                    got: 0,
                    expected: 0,
                };
                if is_right { encode(tar) } else { Err(broken) }
            });
            is_right &= made.is_ok();
            made
        })
        .collect())
}
