//! Where files are in several packs, as callers keep it: 16 bytes a file, little-endian.

use crate::fields::Fields;

/// Bytes of a place.
pub const PACK_PLACE_SIZE: usize = 16;

/// Where a file begins in one of several packs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PackPlace {
    /// Where its first block begins in the pack.
    pub block_offset: u64,
    /// Where it begins in that block's plain text.
    pub offset: u32,
    /// Which of the packs given.
    pub pack: u32,
}
const _: () = assert!(size_of::<PackPlace>() == PACK_PLACE_SIZE);

impl PackPlace {
    fn encode(self) -> [u8; PACK_PLACE_SIZE] {
        let numbers = u128::from(self.block_offset)
            | u128::from(self.offset) << 64
            | u128::from(self.pack) << 96;
        numbers.to_le_bytes()
    }
}

/// The bytes of places, one after another.
pub fn encode_places(places: &[PackPlace]) -> Vec<u8> {
    places.iter().flat_map(|place| place.encode()).collect()
}

/// The places that bytes hold; what is left over is left out.
pub fn decode_places(bytes: &[u8]) -> Vec<PackPlace> {
    let mut fields = Fields::new(bytes);
    let mut places = Vec::with_capacity(bytes.len() / PACK_PLACE_SIZE);
    let next = || {
        Some(PackPlace {
            block_offset: fields.u64()?,
            offset: fields.u32()?,
            pack: fields.u32()?,
        })
    };
    places.extend(std::iter::from_fn(next));
    places
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_places_gives_what_encode_places_wrote() {
        let places = [
            PackPlace {
                block_offset: 0x0807_0605_0403_0201,
                offset: 0x0c0b_0a09,
                pack: 0x100f_0e0d,
            },
            PackPlace {
                block_offset: 16,
                offset: 0,
                pack: u32::MAX,
            },
        ];
        let bytes = encode_places(&places);
        let (first, _) = bytes.split_at(PACK_PLACE_SIZE);
        assert_eq!(first, (1..=16).collect::<Vec<u8>>());
        assert_eq!(decode_places(&bytes), places);
        assert_eq!(decode_places(&bytes[..31]), places[..1]);
    }
}
