//! Numbers of variable width: seven bits a byte, lowest first, the highest bit set in all but the last
//! (LEB128, <https://dwarfstd.org/doc/DWARF5.pdf> section 7.6).

#![deny(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    clippy::as_conversions
)]

/// Appends a number.
pub(crate) fn write_varint(output: &mut Vec<u8>, mut value: u64) {
    loop {
        let [low, ..] = value.to_le_bytes();
        value >>= 7;
        if value == 0 {
            output.push(low & 0x7f);
            return;
        }
        output.push(low | 0x80);
    }
}

/// The number that `input` begins with, and what follows it. `None` if it is cut off, does not fit 64
/// bits, or has a needless byte at its end: every number is written in one way only.
pub(crate) fn read_varint(input: &[u8]) -> Option<(u64, &[u8])> {
    let mut value = 0_u64;
    let mut rest = input;
    for shift in (0..64).step_by(7) {
        let (&byte, after) = rest.split_first()?;
        rest = after;
        let bits = u64::from(byte & 0x7f);
        let shifted = bits << shift;
        if shifted >> shift != bits {
            return None;
        }
        value |= shifted;
        if byte & 0x80 == 0 {
            return (byte != 0 || shift == 0).then_some((value, rest));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_varint_gives_what_write_varint_wrote() {
        let edges = (0..64).flat_map(|bit| [1_u64 << bit, (1 << bit) - 1, (1 << bit) + 1]);
        for value in edges.chain([0, u64::MAX]) {
            let mut bytes = Vec::new();
            write_varint(&mut bytes, value);
            bytes.push(0x55);
            assert_eq!(read_varint(&bytes), Some((value, &[0x55][..])));
            assert_eq!(read_varint(&bytes[..bytes.len() - 2]), None);
        }
    }

    #[test]
    fn read_varint_refuses_long_forms_and_large_numbers() {
        for bytes in [&[0x80, 0][..], &[0x80; 11], &[0xff; 10]] {
            assert_eq!(read_varint(bytes), None);
        }
        let mut large = [0xff; 10];
        large[9] = 2;
        assert_eq!(read_varint(&large), None);
    }
}
