//! Reading and comparing plain text a few bytes at a time.

/// The bytes at `position`, if they are before the end.
///
/// Texts are shorter than 4 GiB. That a position fits in 32 bits saves the check whether its end is
/// past the highest number.
#[inline]
#[expect(clippy::cast_possible_truncation, reason = "see above")]
pub fn chunk<const SIZE: usize>(text: &[u8], position: usize) -> Option<&[u8; SIZE]> {
    let start = position as u32 as usize;
    text.get(start..start.wrapping_add(SIZE))?.first_chunk()
}

/// Four bytes, the first lowest; what is past the end is zero.
#[inline]
pub fn load32(text: &[u8], position: usize) -> u32 {
    match chunk(text, position) {
        Some(bytes) => u32::from_le_bytes(*bytes),
        None => last_bytes(text, position),
    }
}

#[cold]
#[inline(never)]
fn last_bytes(text: &[u8], position: usize) -> u32 {
    text.iter()
        .skip(position)
        .rev()
        .fold(0, |bytes, byte| bytes << 8 | u32::from(*byte))
}

/// How many of the first `longest` bytes at `earlier` and `position` are the same. Both have so many
/// before the end of the text.
#[inline]
pub fn match_length(text: &[u8], earlier: usize, position: usize, longest: usize) -> usize {
    let left = &text[earlier..earlier + longest];
    let right = &text[position..position + longest];
    let (left, left_rest) = left.as_chunks::<8>();
    let (right, right_rest) = right.as_chunks::<8>();
    let mut length = 0;
    for (left, right) in left.iter().zip(right) {
        let difference = u64::from_le_bytes(*left) ^ u64::from_le_bytes(*right);
        if difference != 0 {
            return length + difference.trailing_zeros() as usize / 8;
        }
        length += 8;
    }
    let same = left_rest.iter().zip(right_rest);
    length + same.take_while(|(left, right)| left == right).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn match_length_counts_the_same_bytes(
            text in proptest::collection::vec(0_u8..2, 2..700),
            earlier: proptest::sample::Index,
            position: proptest::sample::Index,
            same in 0_usize..300,
        ) {
            let mut text = text;
            let length = text.len();
            let position = 1 + position.index(length - 1);
            let earlier = earlier.index(position);
            for index in position..length.min(position + same) {
                text[index] = text[index - (position - earlier)];
            }
            let longest = (length - position).min(258);
            let plain = (0..longest)
                .take_while(|index| text[earlier + index] == text[position + index])
                .count();
            prop_assert_eq!(match_length(&text, earlier, position, longest), plain);
        }
    }

    #[test]
    fn load32_pads_with_zeros_at_the_end() {
        let text = [1, 2, 3, 4, 5];
        assert_eq!(load32(&text, 1), 0x0504_0302);
        assert_eq!(load32(&text, 3), 0x0000_0504);
        assert_eq!(load32(&text, 9), 0);
    }
}
