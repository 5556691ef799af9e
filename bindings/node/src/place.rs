//! Where files are in packs, as JavaScript keeps it: 16 bytes a file, little-endian.

/// Bytes of a place.
pub(crate) const PLACE_SIZE: usize = 16;

/// Where a file begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PackPlace {
    /// Where its first block begins in the pack.
    pub(crate) block_offset: u64,
    /// Where it begins in that block's plain text.
    pub(crate) offset: u32,
    /// Which of the packs given.
    pub(crate) pack: u32,
}

impl PackPlace {
    pub(crate) fn encode(self) -> [u8; PLACE_SIZE] {
        let numbers = u128::from(self.block_offset)
            | u128::from(self.offset) << 64
            | u128::from(self.pack) << 96;
        numbers.to_le_bytes()
    }

    pub(crate) fn decode(bytes: [u8; PLACE_SIZE]) -> Self {
        let (block_offset, rest) = bytes.split_at(8);
        let (offset, pack) = rest.split_at(4);
        Self {
            block_offset: u64::from_le_bytes(block_offset.try_into().unwrap_or_default()),
            offset: u32::from_le_bytes(offset.try_into().unwrap_or_default()),
            pack: u32::from_le_bytes(pack.try_into().unwrap_or_default()),
        }
    }
}

/// The bytes of places, one after another.
pub(crate) fn encode_places(places: &[PackPlace]) -> Vec<u8> {
    places.iter().flat_map(|place| place.encode()).collect()
}

/// The places of bytes; what is left over is left out.
pub(crate) fn decode_places(bytes: &[u8]) -> Vec<PackPlace> {
    let (places, _) = bytes.as_chunks::<PLACE_SIZE>();
    places.iter().copied().map(PackPlace::decode).collect()
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
        let (first, _) = bytes.split_at(PLACE_SIZE);
        assert_eq!(first, (1..=16).collect::<Vec<u8>>());
        assert_eq!(decode_places(&bytes), places);
    }
}
