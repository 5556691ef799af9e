//! In which order the parts of a difference come, and how they have to fit together. Both sides keep
//! to it by the same code.

use std::collections::BTreeMap;

use super::decode::DifferenceLimits;
use super::error::{ContentError, Part};
use super::event::{Layer, Reference, Totals};
use crate::digest::FileId;
use crate::fields::length_u64;
use crate::pack::Piece;

/// What has come so far.
#[derive(Debug)]
pub(super) struct Rules {
    limits: DifferenceLimits,
    /// The part that may come besides those that may be skipped.
    next: Part,
    totals: Totals,
    layer: OpenLayer,
    files: BTreeMap<FileId, Wanted>,
    open: Option<OpenFile>,
    empty: FileId,
}

#[derive(Debug, Default)]
struct OpenLayer {
    references: u64,
    references_expected: u64,
    tar_part: u64,
    tar_part_expected: u64,
}

#[derive(Debug)]
struct Wanted {
    size: u64,
    has_come: bool,
}

#[derive(Debug)]
struct OpenFile {
    reference: Reference,
    received: u64,
}

impl Rules {
    pub(super) fn new(limits: DifferenceLimits) -> Self {
        Self {
            limits,
            next: Part::Manifest,
            totals: Totals::default(),
            layer: OpenLayer::default(),
            files: BTreeMap::new(),
            open: None,
            empty: FileId::of(&[]),
        }
    }

    pub(super) fn totals(&self) -> Totals {
        self.totals
    }

    pub(super) fn take_manifest(&mut self) -> Result<(), ContentError> {
        let part = Part::Manifest;
        if !matches!(self.next, Part::Manifest | Part::Config) {
            return Err(self.out_of_order(part));
        }
        count(&mut self.totals.manifests, 1, part, self.limits.manifests)?;
        self.next = Part::Config;
        Ok(())
    }

    pub(super) fn take_config(&mut self) -> Result<(), ContentError> {
        if self.next != Part::Config {
            return Err(self.out_of_order(Part::Config));
        }
        self.next = Part::Layer;
        Ok(())
    }

    pub(super) fn take_layer(&mut self, layer: &Layer) -> Result<(), ContentError> {
        if self.next != Part::Layer {
            return Err(self.out_of_order(Part::Layer));
        }
        count(&mut self.totals.layers, 1, Part::Layer, self.limits.layers)?;
        let references = u64::from(layer.reference_count);
        count(
            &mut self.totals.references,
            references,
            Part::References,
            self.limits.references,
        )?;
        self.layer = OpenLayer {
            references_expected: references,
            tar_part_expected: layer.tar_part_length,
            ..OpenLayer::default()
        };
        self.next = self.layer.next();
        Ok(())
    }

    pub(super) fn take_references(&mut self, references: &[Reference]) -> Result<(), ContentError> {
        if self.next != Part::References {
            return Err(self.out_of_order(Part::References));
        }
        let expected = self.layer.references_expected;
        let got = (self.layer.references).saturating_add(length_u64(references.len()));
        if got > expected {
            return Err(ContentError::ReferenceCount { got, expected });
        }
        for reference in references {
            self.remember(*reference)?;
        }
        self.layer.references = got;
        self.next = self.layer.next();
        Ok(())
    }

    fn remember(&mut self, Reference { id, size }: Reference) -> Result<(), ContentError> {
        let wanted = self.files.entry(id).or_insert(Wanted {
            size,
            has_come: false,
        });
        if wanted.size != size || (size == 0) != (id == self.empty) {
            return Err(ContentError::ReferenceSize { id, got: size });
        }
        Ok(())
    }

    pub(super) fn take_tar_part(&mut self, length: usize) -> Result<(), ContentError> {
        if self.next != Part::TarPart {
            return Err(self.out_of_order(Part::TarPart));
        }
        let expected = self.layer.tar_part_expected;
        let got = self.layer.tar_part.saturating_add(length_u64(length));
        if got > expected {
            return Err(ContentError::TarPartLength { got, expected });
        }
        self.layer.tar_part = got;
        self.next = self.layer.next();
        Ok(())
    }

    /// Whether this part comes next, unless a later one may come already.
    pub(super) fn expects(&self, part: Part) -> bool {
        self.next == part
    }

    /// Whether a file may begin now.
    pub(super) fn check_file(&self, file: Reference) -> Result<(), ContentError> {
        if !matches!(self.next, Part::Layer | Part::Files) {
            return Err(self.out_of_order(Part::Files));
        }
        let Reference { id, size } = file;
        match self.files.get(&id) {
            None => Err(ContentError::UnknownFile { id }),
            Some(wanted) if wanted.has_come => Err(ContentError::RepeatedFile { id }),
            Some(wanted) if wanted.size != size => Err(ContentError::FileSize {
                id,
                got: size,
                expected: wanted.size,
            }),
            Some(_) => Ok(()),
        }
    }

    pub(super) fn take_piece(&mut self, piece: &Piece) -> Result<(), ContentError> {
        let file = Reference {
            id: piece.id,
            size: piece.file_size,
        };
        let expected = match &self.open {
            Some(open) if open.reference == file => open.received,
            Some(open) => return Err(open.cut()),
            None => {
                self.check_file(file)?;
                0
            }
        };
        if piece.file_offset != expected {
            return Err(ContentError::FileOffset {
                id: piece.id,
                got: piece.file_offset,
                expected,
            });
        }
        self.next = Part::Files;
        if piece.is_last() {
            self.open = None;
            self.end_file(file);
        } else {
            self.open = Some(OpenFile {
                reference: file,
                received: expected.saturating_add(u64::from(piece.length)),
            });
        }
        Ok(())
    }

    fn end_file(&mut self, file: Reference) {
        if let Some(wanted) = self.files.get_mut(&file.id) {
            wanted.has_come = true;
        }
        self.totals.files = self.totals.files.saturating_add(1);
        self.totals.content_length = self.totals.content_length.saturating_add(file.size);
    }

    pub(super) fn take_end(&mut self) -> Result<(), ContentError> {
        if let Some(open) = &self.open {
            return Err(open.cut());
        }
        if !matches!(self.next, Part::Layer | Part::Files) {
            return Err(self.out_of_order(Part::End));
        }
        self.next = Part::End;
        Ok(())
    }

    fn out_of_order(&self, got: Part) -> ContentError {
        let expected = self.next;
        match &self.open {
            Some(open) => open.cut(),
            None => ContentError::Order { got, expected },
        }
    }
}

impl OpenLayer {
    fn next(&self) -> Part {
        if self.references < self.references_expected {
            Part::References
        } else if self.tar_part < self.tar_part_expected {
            Part::TarPart
        } else {
            Part::Layer
        }
    }
}

impl OpenFile {
    fn cut(&self) -> ContentError {
        ContentError::FileCut {
            id: self.reference.id,
            got: self.received,
            expected: self.reference.size,
        }
    }
}

fn count(total: &mut u64, more: u64, part: Part, max: u64) -> Result<(), ContentError> {
    let got = total.saturating_add(more);
    if got > max {
        return Err(ContentError::TooMany { part, max });
    }
    *total = got;
    Ok(())
}
