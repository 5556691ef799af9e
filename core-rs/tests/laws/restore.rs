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

/// All parts of a layer, each made on its own, the last one first.
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
            assert_eq!(u64::try_from(bytes.len()), Ok(part.size));
            Ok(bytes)
        })
        .collect();
    parts.reverse();
    Ok(parts)
}
