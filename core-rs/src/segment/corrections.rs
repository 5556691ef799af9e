//! Where a stream differs from what the model of its compressor predicts, and how that is written.
//!
//! A correction is a varint of the gap times four plus its kind; after a match its length less 3 in one
//! byte and its distance less 1 in two, little-endian, or the number of its place in a varint.

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

use crate::deflate::{MAX_DISTANCE, MIN_MATCH, Token, TokenKind};
use crate::varint::{read_varint, write_varint};

/// One wrong prediction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Correction {
    /// Tokens that were predicted rightly since the correction before, or since the segment's start.
    /// Those that a [`Change::LiteralPortion`] stands for are not counted.
    pub gap: u32,
    /// What really follows.
    pub change: Change,
}

/// What really stands where something else was predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// The byte of plain text that is there.
    Literal,
    /// This match.
    Match {
        /// 3 to 258 bytes.
        length: u16,
        /// 1 to 32,768 bytes back.
        distance: u16,
    },
    /// The longest match with the place of this number: so many places with the same first four bytes
    /// are nearer.
    Place {
        /// 0 for the nearest one.
        number: u16,
    },
    /// Literals up to the end of the portion of input, while the model goes on with what it predicts:
    /// the compressor found matches and did not use them.
    LiteralPortion,
}

impl Change {
    /// To what the token is.
    pub const fn of(token: Token) -> Self {
        match token.kind() {
            TokenKind::Literal(_) => Self::Literal,
            TokenKind::Match { length, distance } => Self::Match { length, distance },
        }
    }
}

const LITERAL: u64 = 0;
const MATCH: u64 = 1;
const LITERAL_PORTION: u64 = 2;
const PLACE: u64 = 3;
const KIND_BITS: u32 = 2;

/// Most corrections of a segment that name a [`Change::Place`]: to find it takes up to 30 µs.
pub(super) const MAX_PLACES: usize = 2048;

/// Appends corrections.
pub fn encode_corrections(output: &mut Vec<u8>, corrections: &[Correction]) {
    for correction in corrections {
        let kind = match correction.change {
            Change::Literal => LITERAL,
            Change::Match { .. } => MATCH,
            Change::Place { .. } => PLACE,
            Change::LiteralPortion => LITERAL_PORTION,
        };
        write_varint(output, u64::from(correction.gap) << KIND_BITS | kind);
        match correction.change {
            Change::Match { length, distance } => {
                let [length, _] = length.wrapping_sub(MIN_MATCH).to_le_bytes();
                output.push(length);
                output.extend_from_slice(&distance.wrapping_sub(1).to_le_bytes());
            }
            Change::Place { number } => write_varint(output, u64::from(number)),
            Change::Literal | Change::LiteralPortion => {}
        }
    }
}

/// Reads all corrections in `input`.
///
/// # Errors
/// The offset of one that is none, or the first of too many that name a [`Change::Place`].
pub fn decode_corrections(input: &[u8]) -> Result<Vec<Correction>, usize> {
    let mut corrections = Vec::new();
    let mut rest = input;
    let mut places_left = MAX_PLACES;
    while !rest.is_empty() {
        let offset = input.len().saturating_sub(rest.len());
        let (correction, after) = decode_correction(rest).ok_or(offset)?;
        if matches!(correction.change, Change::Place { .. }) {
            places_left = places_left.checked_sub(1).ok_or(offset)?;
        }
        corrections.push(correction);
        rest = after;
    }
    Ok(corrections)
}

fn decode_correction(input: &[u8]) -> Option<(Correction, &[u8])> {
    let (value, rest) = read_varint(input)?;
    let gap = u32::try_from(value >> KIND_BITS).ok()?;
    let (change, rest) = match value & ((1 << KIND_BITS) - 1) {
        LITERAL => (Change::Literal, rest),
        MATCH => {
            let ([length, low, high], rest) = rest.split_first_chunk()?;
            let length = u16::from(*length).checked_add(MIN_MATCH)?;
            let distance = u16::from_le_bytes([*low, *high]).checked_add(1)?;
            (Change::Match { length, distance }, rest)
        }
        PLACE => {
            let (number, rest) = read_varint(rest)?;
            let number = u16::try_from(number).ok()?;
            (Change::Place { number }, rest)
        }
        _ => (Change::LiteralPortion, rest),
    };
    let is_possible = !matches!(change, Change::Match { distance, .. } if distance > MAX_DISTANCE);
    is_possible.then_some((Correction { gap, change }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn change() -> impl Strategy<Value = Change> {
        prop_oneof![
            Just(Change::Literal),
            Just(Change::LiteralPortion),
            any::<u16>().prop_map(|number| Change::Place { number }),
            (3_u16..=258, 1_u16..=32_768)
                .prop_map(|(length, distance)| Change::Match { length, distance }),
        ]
    }

    proptest! {
        #[test]
        fn decode_gives_what_encode_wrote(
            list in prop::collection::vec((any::<u32>(), change()), 0..50),
        ) {
            let corrections: Vec<_> =
                list.into_iter().map(|(gap, change)| Correction { gap, change }).collect();
            let mut bytes = Vec::new();
            encode_corrections(&mut bytes, &corrections);
            prop_assert_eq!(decode_corrections(&bytes), Ok(corrections));
        }

        #[test]
        fn decode_of_any_bytes_gives_them_again_or_an_offset(
            bytes in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            match decode_corrections(&bytes) {
                Ok(corrections) => {
                    let mut again = Vec::new();
                    encode_corrections(&mut again, &corrections);
                    prop_assert_eq!(again, bytes);
                }
                Err(offset) => prop_assert!(offset < bytes.len()),
            }
        }
    }
}
