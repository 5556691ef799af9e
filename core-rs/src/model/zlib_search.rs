//! One search for a match as zlib's `longest_match` makes it, with fewer looks at the text.

use super::text::{load32, match_length};
use super::zlib::{Found, MAX_REACH, MIN_LENGTH};
use super::zlib_links::ZlibLinks;

/// A match of three bytes that is farther back costs more than three literals (`TOO_FAR`).
const TOO_FAR: usize = 4096;

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Search<'a> {
    pub(super) text: &'a [u8],
    pub(super) position: usize,
    /// Only longer matches count.
    pub(super) shortest: usize,
    /// Bytes that a match can have, as the input ends then or the format allows no more.
    pub(super) longest: usize,
    /// A match of so many bytes ends the search.
    pub(super) nice: usize,
    /// Candidates that zlib looks at.
    pub(super) chain: u16,
    /// Farthest candidate, bytes back.
    pub(super) reach: usize,
}

/// The links that a search follows: those of the four bytes at `offset` in the string. The next
/// candidate is `distance` back.
#[derive(Clone, Copy, Debug)]
struct Path {
    offset: usize,
    distance: usize,
}

impl Search<'_> {
    /// The nearest of the longest matches of four bytes or more.
    ///
    /// Every four bytes of a longer match are the same, so any four lead to all candidates; the ones
    /// that were seen last the longest ago lead past the most that are no good.
    pub(super) fn find_long(&self, links: &ZlibLinks) -> Option<Found> {
        let mut best = Found {
            length: self.shortest.max(MIN_LENGTH),
            distance: 0,
        };
        if self.longest <= best.length {
            return None;
        }
        let mut path = self.first_path(links, best.length - MIN_LENGTH);
        while let Some(found) = path.and_then(|path| self.follow(links, path, best.length)) {
            best = found;
            if best.length >= self.nice {
                break;
            }
            path = self.next_path(links, best);
        }
        (best.distance > 0).then_some(best)
    }

    /// To the candidates for a match whose last four bytes are at `end`.
    #[inline]
    fn first_path(&self, links: &ZlibLinks, end: usize) -> Option<Path> {
        let mut path = Path {
            offset: end,
            distance: links.long_link(self.position + end),
        };
        for offset in 0..end {
            let link = links.long_link(self.position + offset);
            if link == 0 {
                return None;
            }
            if link > path.distance {
                path = Path {
                    offset,
                    distance: link,
                };
            }
        }
        (path.distance > 0).then_some(path)
    }

    /// To the candidates for a match that is longer than `best`, and farther back.
    #[inline]
    fn next_path(&self, links: &ZlibLinks, best: Found) -> Option<Path> {
        let end = best.length - MIN_LENGTH;
        let mut path = Path {
            offset: end,
            distance: links.long_link(self.position + end),
        };
        if path.distance == 0 {
            return None;
        }
        if path.distance <= best.distance {
            path.distance = 0;
        }
        for offset in 0..end {
            let link = links.long_link(self.position - best.distance + offset);
            if link == 0 {
                return None;
            }
            if best.distance + link > path.distance {
                path = Path {
                    offset,
                    distance: best.distance + link,
                };
            }
        }
        Some(path)
    }

    /// The first match that is longer than `length`.
    #[inline]
    fn follow(&self, links: &ZlibLinks, path: Path, length: usize) -> Option<Found> {
        let Self { text, position, .. } = *self;
        let Path {
            offset,
            mut distance,
        } = path;
        let end = length - MIN_LENGTH;
        let first = load32(text, position);
        let last = load32(text, position + end);
        while distance <= self.reach {
            let candidate = position - distance;
            if load32(text, candidate + end) == last && load32(text, candidate) == first {
                let steps = links.steps(position, candidate);
                if steps > self.chain || distance == MAX_REACH && steps > 1 {
                    return None;
                }
                let found = match_length(text, candidate, position, self.longest);
                if found > length {
                    return Some(Found {
                        length: found,
                        distance,
                    });
                }
            }
            let link = links.long_link(candidate + offset);
            if link == 0 {
                return None;
            }
            distance += link;
        }
        None
    }

    /// The nearest match of three bytes.
    pub(super) fn find_short(&self, links: &ZlibLinks) -> Option<Found> {
        let Self { text, position, .. } = *self;
        if self.longest < MIN_LENGTH {
            return None;
        }
        let string = load32(text, position) << 8;
        let mut distance = 0;
        for _ in 0..self.chain {
            let link = links.link(position - distance);
            distance += link;
            if link == 0 || distance > self.reach.min(TOO_FAR) {
                return None;
            }
            if load32(text, position - distance) << 8 == string {
                return Some(Found {
                    length: MIN_LENGTH,
                    distance,
                });
            }
        }
        None
    }
}
