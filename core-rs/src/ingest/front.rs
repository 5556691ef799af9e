//! The part of taking a layer apart that goes byte after byte: inflating, hashing, scanning the tar.

use super::detector::Detector;
use super::error::IngestError;
use super::reader::{LayerEvent, LayerReader};
use super::scan::{ScanPart, TarScan};
use crate::digest::{ContentHasher, DigestAlgorithm};
use crate::model::{Compressor, Models};
use crate::recipe::Encoding;
use crate::segment::{Segment, split_first};
use crate::zstd_frame::{FrameHeader, FrameMatcher, FrameSegment};

/// What comes next in a layer, with all that has to be found out in order.
#[derive(Debug)]
pub enum FrontItem {
    /// A segment, whose compressor seems to be that one.
    Segment {
        /// Bytes before it that belong to no segment.
        framing: Vec<u8>,
        /// The segment.
        segment: Box<Segment>,
        /// Its compressor, as far as is known.
        compressor: Compressor,
        /// What was found in its plain text.
        tar: ScanPart,
    },
    /// Bytes after the last segment.
    Framing(Vec<u8>),
}

/// The layer as a whole, once its last byte was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrontSummary {
    /// How it is compressed.
    pub encoding: Encoding,
    /// Its digest.
    pub digest: String,
    /// Its bytes.
    pub size: u64,
    /// Digest of its tar.
    pub diff_id: String,
    /// Bytes of its tar.
    pub tar_size: u64,
}

/// Takes a layer whose bytes come in pieces: [`push`](Self::push), take items until there is none, and
/// so on; then [`finish_input`](Self::finish_input), and take the last ones.
#[derive(Debug)]
pub struct LayerFront {
    digest: ContentHasher,
    size: u64,
    tar_size: u64,
    reader: LayerReader,
    scan: TarScan,
    /// What was split off the first segment, and its compressor.
    rest: Option<(Box<Segment>, Compressor)>,
    detector: Detector,
    models: Models,
    matcher: FrameMatcher,
}

impl LayerFront {
    /// At the start of a layer whose digest is of that algorithm, and whose tar may have `tar_limit`
    /// bytes.
    #[must_use]
    pub fn new(algorithm: DigestAlgorithm, tar_limit: u64) -> Self {
        Self {
            digest: ContentHasher::new(algorithm),
            size: 0,
            tar_size: 0,
            reader: LayerReader::new(tar_limit),
            scan: TarScan::new(),
            rest: None,
            detector: Detector::default(),
            models: Models::default(),
            matcher: FrameMatcher::new(),
        }
    }

    /// Takes the next bytes of the layer.
    pub fn push(&mut self, bytes: &[u8]) {
        self.digest.update(bytes);
        self.size += bytes.len() as u64;
        self.reader.push(bytes);
    }

    /// Says that there are no more bytes.
    pub fn finish_input(&mut self) {
        self.reader.finish();
    }

    /// How the layer is compressed, once its first item was there. Who made a zstd layer is known at its end.
    #[must_use]
    pub const fn encoding(&self) -> Encoding {
        self.reader.encoding()
    }

    /// The next item; none if more bytes are needed first, or at the layer's end.
    ///
    /// # Errors
    /// What is wrong with the layer. There are no items after it.
    pub fn next_item(&mut self) -> Result<Option<FrontItem>, IngestError> {
        if let Some((rest, compressor)) = self.rest.take() {
            return self.segment_item(Vec::new(), rest, compressor).map(Some);
        }
        let Some(event) = self.reader.next_event()? else {
            return Ok(None);
        };
        match event {
            LayerEvent::Framing(framing) => Ok(FrontItem::Framing(framing)),
            LayerEvent::FrameSegment {
                segment,
                header,
                is_last,
            } => {
                self.match_segment(&header, &segment, is_last);
                self.segment_item(Vec::new(), segment, Compressor::Unknown)
            }
            LayerEvent::Segment {
                framing,
                mut segment,
            } => {
                let compressor = self.detector.compressor_of(&mut self.models, &segment);
                self.reader.set_segment_size(compressor.segment_size());
                self.split_first(&mut segment, compressor);
                self.segment_item(framing, segment, compressor)
            }
        }
        .map(Some)
    }

    /// After the last item: what was still open in the tar, and the layer as a whole.
    ///
    /// # Errors
    /// If the tar had more than its limits.
    pub fn finish(self) -> Result<(ScanPart, FrontSummary), IngestError> {
        let encoding = match self.reader.encoding() {
            Encoding::Zstd(_) => Encoding::Zstd(match self.reader.inexact() {
                Some(inexact) => Err(inexact),
                None => self.matcher.call(),
            }),
            encoding => encoding,
        };
        let (part, diff_id) = self.scan.finish()?;
        let summary = FrontSummary {
            encoding,
            digest: self.digest.finish(),
            size: self.size,
            diff_id,
            tar_size: self.tar_size,
        };
        Ok((part, summary))
    }

    /// Splits the first segment that has text, once its compressor was found by all of it. Those without a
    /// model are copied, which takes no time.
    fn split_first(&mut self, segment: &mut Segment, compressor: Compressor) {
        if self.tar_size > 0 || compressor == Compressor::Unknown {
            return;
        }
        if let Some(rest) = split_first(segment) {
            self.reader.count_split();
            self.rest = Some((Box::new(rest), compressor));
        }
    }

    fn segment_item(
        &mut self,
        framing: Vec<u8>,
        segment: Box<Segment>,
        compressor: Compressor,
    ) -> Result<FrontItem, IngestError> {
        let tar = self.scan_tar(segment.plain())?;
        Ok(FrontItem::Segment {
            framing,
            segment,
            compressor,
            tar,
        })
    }

    fn match_segment(&mut self, header: &FrameHeader, segment: &Segment, is_last: bool) {
        let segment = FrameSegment {
            text: segment.plain(),
            stored: &segment.stored,
            is_last,
        };
        self.matcher.push(header, &segment);
    }

    fn scan_tar(&mut self, tar: &[u8]) -> Result<ScanPart, IngestError> {
        self.tar_size += tar.len() as u64;
        Ok(self.scan.push(tar)?)
    }
}
