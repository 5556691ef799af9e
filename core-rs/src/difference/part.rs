//! The plain text of a frame as events.

use super::error::{ContentError, DifferenceError, Part};
use super::event::{Event, Layer, Reference, Totals};
use super::frame::{END_SIZE, LAYER_FIELDS_SIZE, REFERENCE_SIZE};
use super::rules::Rules;
use crate::digest::FileId;
use crate::fields::{Fields, length_u64};
use crate::pack::checksum::Checksum;

/// Reads the plain text of one frame.
pub(super) struct PartReader<'a> {
    /// Where the frame begins in the stream.
    pub(super) offset: u64,
    pub(super) plain: &'a [u8],
    pub(super) rules: &'a mut Rules,
}

impl PartReader<'_> {
    fn check(&self, result: Result<(), ContentError>) -> Result<(), DifferenceError> {
        let offset = self.offset;
        result.map_err(|source| DifferenceError::Content { offset, source })
    }

    fn wrong_length(&self, part: Part) -> DifferenceError {
        DifferenceError::PartFields {
            offset: self.offset,
            part,
            got: length_u64(self.plain.len()),
        }
    }

    pub(super) fn manifest(
        &mut self,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        let result = self.rules.take_manifest();
        self.check(result)?;
        sink(Event::Manifest(self.plain));
        Ok(())
    }

    pub(super) fn config(
        &mut self,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        let result = self.rules.take_config();
        self.check(result)?;
        sink(Event::Config(self.plain));
        Ok(())
    }

    pub(super) fn layer(
        &mut self,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        let wrong_length = self.wrong_length(Part::Layer);
        let mut fields = Fields::new(self.plain);
        let reference_count = fields.u32().ok_or(wrong_length)?;
        let tar_part_length = fields.u64().ok_or(wrong_length)?;
        let text = self.plain.get(LAYER_FIELDS_SIZE..).unwrap_or_default();
        let diff_id = std::str::from_utf8(text)
            .unwrap_or_default()
            .parse()
            .map_err(|source| DifferenceError::DiffId {
                offset: self.offset,
                source,
            })?;
        let layer = Layer {
            diff_id,
            reference_count,
            tar_part_length,
        };
        let result = self.rules.take_layer(&layer);
        self.check(result)?;
        sink(Event::Layer(&layer));
        self.end_layer(sink);
        Ok(())
    }

    pub(super) fn references(
        &mut self,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        let (fields, rest) = self.plain.as_chunks::<REFERENCE_SIZE>();
        if fields.is_empty() || !rest.is_empty() {
            return Err(self.wrong_length(Part::References));
        }
        let references: Vec<Reference> = fields
            .iter()
            .filter_map(|reference| {
                let mut fields = Fields::new(reference);
                let id = FileId::from(fields.array()?);
                let size = fields.u64()?;
                Some(Reference { id, size })
            })
            .collect();
        let result = self.rules.take_references(&references);
        self.check(result)?;
        sink(Event::References(&references));
        self.end_layer(sink);
        Ok(())
    }

    pub(super) fn tar_part(
        &mut self,
        sink: &mut impl FnMut(Event<'_>),
    ) -> Result<(), DifferenceError> {
        if self.plain.is_empty() {
            return Err(self.wrong_length(Part::TarPart));
        }
        let result = self.rules.take_tar_part(self.plain.len());
        self.check(result)?;
        sink(Event::TarPart(self.plain));
        self.end_layer(sink);
        Ok(())
    }

    fn end_layer(&self, sink: &mut impl FnMut(Event<'_>)) {
        if self.rules.expects(Part::Layer) {
            sink(Event::EndLayer);
        }
    }

    pub(super) fn end(&mut self, expected: Checksum) -> Result<(), DifferenceError> {
        let wrong_length = self.wrong_length(Part::End);
        if self.plain.len() != END_SIZE {
            return Err(wrong_length);
        }
        let mut fields = Fields::new(self.plain);
        let totals = Totals {
            manifests: fields.u64().ok_or(wrong_length)?,
            layers: fields.u64().ok_or(wrong_length)?,
            references: fields.u64().ok_or(wrong_length)?,
            files: fields.u64().ok_or(wrong_length)?,
            content_length: fields.u64().ok_or(wrong_length)?,
        };
        let got = fields.array().ok_or(wrong_length)?;
        let result = self.rules.take_end();
        self.check(result)?;
        let offset = self.offset;
        if totals != self.rules.totals() {
            return Err(DifferenceError::Totals {
                offset,
                got: totals,
                expected: self.rules.totals(),
            });
        }
        if got != expected {
            return Err(DifferenceError::StreamChecksum {
                offset,
                got,
                expected,
            });
        }
        Ok(())
    }
}
