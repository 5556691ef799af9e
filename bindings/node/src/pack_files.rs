//! Writes the files of a layer into a pack.

use mica_core::pack::{LayerPacker, PACK_HEADER_SIZE, PackedFiles};

use crate::file::{Input, InputFile, OutputFile};
use crate::job::{JobContext, JobError};
use crate::recipe_file::{RecipeFile, SourceError};

/// Bytes read at once.
const PIECE_SIZE: usize = 256 * 1024;

/// The job's inputs.
pub(crate) struct PackFiles {
    pub(crate) layer: Input,
    pub(crate) recipe: Input,
    /// Path of the pack, which is appended to, and made if need be.
    pub(crate) pack: String,
    /// Numbers of the files in the recipe, in order; each different file once when absent.
    pub(crate) files: Option<Vec<u32>>,
}

impl PackFiles {
    /// # Errors
    /// The files' errors, the layer's and the recipe's, and [`JobError::Canceled`]. What the pack has
    /// after its old end is of no use then.
    pub(crate) fn run(self, context: &JobContext) -> Result<PackedFiles, JobError> {
        let layer = self.layer.open()?;
        let recipe = RecipeFile::new(self.recipe.open()?)?;
        let mut pack = OutputFile::append(self.pack)?;
        let front = pack.read_front(PACK_HEADER_SIZE)?;
        let files = self.files.as_deref();
        let mut packer = LayerPacker::new::<_, SourceError>(&recipe, files, (pack.size(), &front))?;
        take_layer(&mut packer, &layer, &mut pack, context)?;
        let (last, files) = packer.finish()?;
        pack.write(&last)?;
        pack.sync()?;
        Ok(files)
    }
}

fn take_layer(
    packer: &mut LayerPacker,
    layer: &InputFile,
    pack: &mut OutputFile,
    context: &JobContext,
) -> Result<(), JobError> {
    let mut piece = vec![0; PIECE_SIZE];
    let mut offset = 0_u64;
    while !packer.is_done() {
        context.check()?;
        match layer.read(&mut piece, offset)? {
            0 => packer.finish_input(),
            count => {
                packer.push(piece.get(..count).unwrap_or_default());
                offset = offset.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            }
        }
        while packer.step()? {
            context.check()?;
            pack.write(&packer.take())?;
        }
        context.progress(offset);
    }
    Ok(())
}
