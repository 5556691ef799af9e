//! The checksum over stored bytes.

/// Bytes of a checksum.
pub(crate) const CHECKSUM_SIZE: usize = 16;

/// The first 16 bytes of a BLAKE3 hash.
pub(crate) type Checksum = [u8; CHECKSUM_SIZE];

/// The checksum of parts, put together.
pub(crate) fn checksum_of(parts: &[&[u8]]) -> Checksum {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    finish_checksum(&hasher)
}

/// The checksum of what a hasher was given.
pub(crate) fn finish_checksum(hasher: &blake3::Hasher) -> Checksum {
    let mut checksum = [0; CHECKSUM_SIZE];
    hasher.finalize_xof().fill(&mut checksum);
    checksum
}
