//! Packs the files of a layer while it is taken apart, those that JavaScript wants.

use mica_core::ingest::FileReference;
use mica_core::pack::{PACK_HEADER_SIZE, PackWindow, PackedFiles, TarPacker};
use mica_core::segment::PlainText;

use crate::file::OutputFile;
use crate::job::{JobContext, JobError};
use crate::questions::Questions;

/// A pack that is appended to.
pub(crate) struct LayerPack {
    packer: TarPacker,
    pack: OutputFile,
    questions: Questions,
}

impl LayerPack {
    /// # Errors
    /// The file's, and the pack's if it is none.
    pub(crate) fn open(path: String, questions: Questions) -> Result<Self, JobError> {
        let pack = OutputFile::append(path)?;
        let front = pack.read_front(PACK_HEADER_SIZE)?;
        Ok(Self {
            packer: TarPacker::new(PackWindow::default(), (pack.size(), &front))?,
            pack,
            questions,
        })
    }

    /// Takes the next stretch of tar, and the files that end in it. Waits for an answer only if it
    /// cannot keep more.
    ///
    /// # Errors
    /// The file's, those of wrong answers, and [`JobError::Canceled`].
    pub(crate) fn push(
        &mut self,
        text: PlainText,
        files: &[FileReference],
        context: &JobContext,
    ) -> Result<(), JobError> {
        self.packer.push(text, files);
        self.go_on(context)
    }

    /// Waits for the last answers, and until the pack is on the disk.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub(crate) fn finish(mut self, context: &JobContext) -> Result<PackedFiles, JobError> {
        self.packer.finish_input();
        self.go_on(context)?;
        let (last, files) = self.packer.finish()?;
        self.pack.write(&last)?;
        self.pack.sync()?;
        Ok(files)
    }

    fn go_on(&mut self, context: &JobContext) -> Result<(), JobError> {
        loop {
            while self.packer.step()? {
                context.check()?;
                self.pack.write(&self.packer.take())?;
            }
            if let Some(ids) = self.packer.question() {
                let ids = ids.iter().flat_map(|id| *id.as_bytes());
                self.questions.ask(ids.collect());
            }
            let answer = if self.packer.is_waiting() {
                Some(self.questions.wait(context)?)
            } else {
                self.questions.answer()
            };
            let Some(wanted) = answer else { return Ok(()) };
            self.packer.answer(&wanted)?;
        }
    }
}
