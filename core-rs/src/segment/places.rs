//! Names for matches that are shorter than their distance: the how-manieth place before with the same
//! bytes it is. What a model lacks is mostly one of the nearest, and a match goes on as long as it can.

use crate::deflate::{MAX_DISTANCE, MAX_MATCH};
use crate::model::text::{load32, match_length};

/// Bytes that are the same at all places that are counted.
const COUNTED_LENGTH: usize = 4;

/// How many places there are between `position` and the one `distance` bytes before it that have the
/// same four bytes as these two; nothing if these two differ in them, or if the match has another
/// `length` than the longest one up to `end`.
pub(super) fn number_of(
    text: &[u8],
    position: usize,
    end: usize,
    (length, distance): (u16, u16),
) -> Option<u16> {
    let is_named = longest_match(text, position, end, distance) == length
        && usize::from(length) >= COUNTED_LENGTH;
    let between = || distances(text, position).take_while(|nearer| *nearer < distance);
    is_named.then(|| u16::try_from(between().count()).ok())?
}

/// Length and distance of the match that has this number; nothing if there is no such place.
pub(super) fn match_of(
    text: &[u8],
    position: usize,
    end: usize,
    number: u16,
) -> Option<(u16, u16)> {
    let distance = distances(text, position).nth(usize::from(number))?;
    let length = longest_match(text, position, end, distance);
    (usize::from(length) >= COUNTED_LENGTH).then_some((length, distance))
}

/// How far before `position` the same four bytes stand, the nearest first.
fn distances(text: &[u8], position: usize) -> impl Iterator<Item = u16> {
    let wanted = load32(text, position);
    let before = &text[..text.len().min(position + COUNTED_LENGTH - 1)];
    let places = before.windows(COUNTED_LENGTH).rev();
    (1..=MAX_DISTANCE)
        .zip(places)
        .filter(move |(_, bytes)| load32(bytes, 0) == wanted)
        .map(|(distance, _)| distance)
}

fn longest_match(text: &[u8], position: usize, end: usize, distance: u16) -> u16 {
    let longest = end.saturating_sub(position).min(usize::from(MAX_MATCH));
    let Some(earlier) = position.checked_sub(usize::from(distance)) else {
        return 0;
    };
    let length = match_length(text, earlier, position, longest);
    u16::try_from(length).unwrap_or(MAX_MATCH)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_number_gives_the_match_that_it_is_of(
            text in prop::collection::vec(0_u8..3, 12..600),
            position: prop::sample::Index,
            distance: prop::sample::Index,
        ) {
            let position = 1 + position.index(text.len() - 1);
            let distance = u16::try_from(1 + distance.index(position)).unwrap();
            let end = text.len();
            let length = longest_match(&text, position, end, distance);
            let number = number_of(&text, position, end, (length, distance));
            prop_assert_eq!(number.is_some(), length >= 4);
            if let Some(number) = number {
                let found = match_of(&text, position, end, number);
                prop_assert_eq!(found, Some((length, distance)));
            }
            prop_assert_eq!(number_of(&text, position, end, (length + 1, distance)), None);
        }

        #[test]
        fn any_number_gives_a_match_or_nothing(
            text in prop::collection::vec(0_u8..3, 1..100),
            position: prop::sample::Index,
            number: u16,
        ) {
            let position = position.index(text.len());
            if let Some((length, distance)) = match_of(&text, position, text.len(), number) {
                let (length, distance) = (usize::from(length), usize::from(distance));
                let matched = &text[position..position + length];
                prop_assert_eq!(matched, &text[position - distance..][..length]);
            }
        }
    }
}
