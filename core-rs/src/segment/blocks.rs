//! A segment's blocks as a recipe keeps them: all that tokens and text do not tell.
//!
//! `doc/recipe-format.md` has the layout. A header that the compressor's own table builder gives again
//! is not kept, only that it does.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use super::cut::FirstBits;
use super::replay::Stretch;
use crate::deflate::{BitReader, BitWriter, BlockHeader, BlockKind, read_header, write_header};
use crate::limits::MAX_SEGMENT_BLOCKS;
use crate::varint::{read_varint, write_varint};

/// Bits of a block's first byte: how its header is kept, …
const HEADER_MASK: u8 = 0b111;
const NO_HEADER: u8 = 0;
const PREDICTED: u8 = 1;
const STORED: u8 = 2;
const STORED_WITH_PADDING: u8 = 3;
const FIXED: u8 = 4;
const DYNAMIC: u8 = 5;
/// … whether it is the last of its stream, …
const IS_FINAL: u8 = 1 << 3;
/// … whether it ends in the segment, …
const IS_ENDED: u8 = 1 << 4;
/// … and whether it has long forms.
const HAS_LONG_FORMS: u8 = 1 << 5;

/// Bits of a segment's first byte: the number of its first bits, …
const FIRST_BITS_MASK: u8 = 0b111;
/// … whether it begins within a block, …
const HAS_OPEN: u8 = 1 << 3;
/// … and whether its stream ends.
const HAS_END: u8 = 1 << 4;

/// Bits of a byte that are up to the next byte, at most.
const MAX_PADDING: u8 = 0x7f;

/// Longest dynamic header, in whole bytes: three bits, 14 of counts, 19 lengths of 3, and 316 symbols
/// of at most 7 bits with 7 extra (RFC 1951 §3.2.7).
const MAX_HEADER_SIZE: u64 = (3 + 14 + 19 * 3 + 316 * 14) / 8 + 1;

/// How a block's header is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeptKind {
    /// As the compressor's table builder makes it of the block's tokens.
    Predicted,
    /// As it is.
    Verbatim(BlockKind),
}

/// A block, or the part of one that is in a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBlock {
    /// Its header and whether it is the last of its stream, unless it began in an earlier segment.
    pub header: Option<(bool, KeptKind)>,
    /// Bytes of plain text.
    pub length: u32,
    /// Tokens, by index, that are matches of 258 bytes in the unusual form.
    pub long_forms: Vec<u32>,
    /// Whether it ends in the segment.
    pub is_ended: bool,
}

impl KeptBlock {
    /// The block as a model sees it.
    pub fn stretch(&self) -> Stretch {
        let length = usize::try_from(self.length).unwrap_or(usize::MAX);
        match &self.header {
            Some((_, KeptKind::Verbatim(BlockKind::Stored { .. }))) => Stretch::Stored { length },
            _ => Stretch::Tokens { length },
        }
    }
}

/// A segment's blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptBlocks {
    /// Bits of its first byte that are not its own.
    pub first_bits: FirstBits,
    /// How the block is written that it goes on with.
    pub open: Option<BlockKind>,
    /// Its blocks.
    pub blocks: Vec<KeptBlock>,
    /// The bits after the last block, if the stream ends.
    pub end_padding: Option<u8>,
}

impl KeptBlocks {
    /// Their bytes.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut output = vec![
            self.first_bits.count & FIRST_BITS_MASK
                | flag(self.open.is_some(), HAS_OPEN)
                | flag(self.end_padding.is_some(), HAS_END),
        ];
        if self.first_bits.count > 0 {
            output.push(self.first_bits.bits);
        }
        output.extend(self.end_padding);
        if let Some(open) = &self.open {
            encode_kind(&mut output, open);
        }
        let mut before = 0;
        for block in &self.blocks {
            block.encode(&mut output, before);
            before = block.length;
        }
        output
    }

    /// Reads all blocks of a segment.
    ///
    /// # Errors
    /// The offset of what cannot be there.
    pub fn decode(input: &[u8]) -> Result<Self, usize> {
        let mut rest = input;
        Self::decode_from(&mut rest).ok_or_else(|| input.len().saturating_sub(rest.len()))
    }

    /// Leaves `rest` before what cannot be read.
    fn decode_from(rest: &mut &[u8]) -> Option<Self> {
        let flags = take_byte(rest)?;
        if flags & !(FIRST_BITS_MASK | HAS_OPEN | HAS_END) != 0 {
            return None;
        }
        let count = flags & FIRST_BITS_MASK;
        let bits = if count > 0 { take_byte(rest)? } else { 0 };
        if bits >> count != 0 {
            return None;
        }
        let end_padding = match flags & HAS_END {
            0 => None,
            _ => Some(take_byte(rest).filter(|padding| *padding <= MAX_PADDING)?),
        };
        let mut open = None;
        if flags & HAS_OPEN != 0 {
            let kind = take_byte(rest).filter(|kind| matches!(*kind, FIXED | DYNAMIC))?;
            open = Some(decode_kind(rest, kind)?);
        }
        let mut blocks: Vec<KeptBlock> = Vec::new();
        while !rest.is_empty() {
            let start = *rest;
            let before = blocks.last();
            let block = KeptBlock::decode(rest, before.map_or(0, |before| before.length))?;
            let goes_on = before.is_none() && open.is_some();
            let is_over = before.is_some_and(|before| !before.is_ended || before.is_final());
            if is_over || goes_on == block.header.is_some() || blocks.len() == MAX_SEGMENT_BLOCKS {
                *rest = start;
                return None;
            }
            blocks.push(block);
        }
        Some(Self {
            first_bits: FirstBits { bits, count },
            open,
            blocks,
            end_padding,
        })
    }
}

impl KeptBlock {
    const fn is_final(&self) -> bool {
        matches!(self.header, Some((true, _)))
    }

    const fn is_stored(&self) -> bool {
        matches!(
            self.header,
            Some((_, KeptKind::Verbatim(BlockKind::Stored { .. })))
        )
    }

    /// `before`: length of the block before.
    fn encode(&self, output: &mut Vec<u8>, before: u32) {
        let place = output.len();
        match &self.header {
            None => output.push(NO_HEADER),
            Some((_, KeptKind::Predicted)) => output.push(PREDICTED),
            Some((_, KeptKind::Verbatim(kind))) => encode_kind(output, kind),
        }
        if let Some(flags) = output.get_mut(place) {
            *flags |= flag(self.is_final(), IS_FINAL)
                | flag(self.is_ended, IS_ENDED)
                | flag(!self.long_forms.is_empty(), HAS_LONG_FORMS);
        }
        let difference = i64::from(self.length).wrapping_sub(i64::from(before));
        write_varint(output, zigzag(difference));
        if !self.long_forms.is_empty() {
            write_varint(output, u64::try_from(self.long_forms.len()).unwrap_or(0));
            let mut before = 0;
            for &form in &self.long_forms {
                write_varint(output, u64::from(form.wrapping_sub(before)));
                before = form;
            }
        }
    }

    fn decode(rest: &mut &[u8], before: u32) -> Option<Self> {
        let flags = take_byte(rest)?;
        if flags & !(HEADER_MASK | IS_FINAL | IS_ENDED | HAS_LONG_FORMS) != 0 {
            return None;
        }
        let mut verbatim = None;
        let kept = flags & HEADER_MASK;
        if !matches!(kept, NO_HEADER | PREDICTED) {
            verbatim = Some(decode_kind(rest, kept)?);
        }
        let difference = unzigzag(take_varint(rest)?);
        let length = u32::try_from(i64::from(before).checked_add(difference)?).ok()?;
        if let Some(BlockKind::Stored { length: stored, .. }) = &mut verbatim {
            *stored = u16::try_from(length).ok()?;
        }
        let is_final = flags & IS_FINAL != 0;
        let header = match (kept, verbatim) {
            (NO_HEADER, _) if is_final => return None,
            (NO_HEADER, _) => None,
            (_, None) => Some((is_final, KeptKind::Predicted)),
            (_, Some(kind)) => Some((is_final, KeptKind::Verbatim(kind))),
        };
        let long_forms = match flags & HAS_LONG_FORMS {
            0 => Vec::new(),
            _ => decode_long_forms(rest)?,
        };
        let block = Self {
            header,
            length,
            long_forms,
            is_ended: flags & IS_ENDED != 0,
        };
        let is_possible = !block.is_stored() || block.is_ended && block.long_forms.is_empty();
        is_possible.then_some(block)
    }
}

fn decode_long_forms(rest: &mut &[u8]) -> Option<Vec<u32>> {
    let count = take_varint(rest)?;
    let mut forms: Vec<u32> = Vec::new();
    for _ in 0..count {
        let difference = u32::try_from(take_varint(rest)?).ok()?;
        let form = match forms.last() {
            Some(before) if difference > 0 => before.checked_add(difference)?,
            Some(_) => return None,
            None => difference,
        };
        forms.push(form);
    }
    (!forms.is_empty()).then_some(forms)
}

/// A stored block's length is not written: it is that of its plain text.
fn encode_kind(output: &mut Vec<u8>, kind: &BlockKind) {
    match kind {
        BlockKind::Stored { padding: 0, .. } => output.push(STORED),
        BlockKind::Stored { padding, .. } => {
            output.extend_from_slice(&[STORED_WITH_PADDING, *padding]);
        }
        BlockKind::Fixed => output.push(FIXED),
        BlockKind::Dynamic(_) => {
            let mut bits = BitWriter::new();
            let header = BlockHeader {
                is_final: false,
                kind: kind.clone(),
            };
            // Headers that were read can be written.
            let _ = write_header(&mut bits, &header);
            let bytes = bits.finish();
            output.push(DYNAMIC);
            write_varint(output, u64::try_from(bytes.len()).unwrap_or(u64::MAX));
            output.extend_from_slice(&bytes);
        }
    }
}

/// A stored block is given with length 0.
fn decode_kind(rest: &mut &[u8], kept: u8) -> Option<BlockKind> {
    match kept {
        STORED => Some(BlockKind::Stored {
            length: 0,
            padding: 0,
        }),
        STORED_WITH_PADDING => {
            let padding = take_byte(rest)?;
            let is_possible = (1..=MAX_PADDING).contains(&padding);
            is_possible.then_some(BlockKind::Stored { length: 0, padding })
        }
        FIXED => Some(BlockKind::Fixed),
        DYNAMIC => {
            let size = take_varint(rest)?;
            if size > MAX_HEADER_SIZE {
                return None;
            }
            let (bytes, after) = rest.split_at_checked(usize::try_from(size).ok()?)?;
            let mut bits = BitReader::new(bytes);
            let header = read_header(&mut bits).ok()?;
            let is_whole = bits.bit_offset().div_ceil(8) == size && bits.read_padding() == 0;
            let kind = matches!(header.kind, BlockKind::Dynamic(_)).then_some(header.kind);
            *rest = after;
            kind.filter(|_| is_whole && !header.is_final)
        }
        _ => None,
    }
}

const fn flag(is_set: bool, bit: u8) -> u8 {
    if is_set { bit } else { 0 }
}

/// Small numbers of either sign as small numbers: 0, -1, 1, -2, …
const fn zigzag(value: i64) -> u64 {
    (value.wrapping_shl(1) ^ (value >> 63)).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ (value & 1).cast_signed().wrapping_neg()
}

fn take_byte(rest: &mut &[u8]) -> Option<u8> {
    let (&byte, after) = rest.split_first()?;
    *rest = after;
    Some(byte)
}

fn take_varint(rest: &mut &[u8]) -> Option<u64> {
    let (value, after) = read_varint(rest)?;
    *rest = after;
    Some(value)
}
