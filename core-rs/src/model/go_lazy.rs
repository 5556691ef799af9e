//! Go's compress/flate up to Go 1.26, levels 4 to 9: hash chains and lazy matches.
//!
//! Source: <https://github.com/golang/go/blob/go1.26.0/src/compress/flate/deflate.go>

use super::Model;
use super::chains::Chains;
use super::go_window::{FAR_FOR_SHORT, Found, GoHash, MAX_MATCH, MIN_MATCH, WINDOW, reach};
use super::text::{load32, match_length};
use crate::deflate::Token;

/// Where a search is.
#[derive(Clone, Copy, Debug)]
struct Place {
    position: usize,
    /// The four bytes there.
    first: u32,
    /// How long a match can be, bytes.
    longest: usize,
    /// How far a match can be, bytes back.
    reach: usize,
}

/// A chain has too many candidates.
#[derive(Debug)]
struct Crowded;

/// Go's lazy levels.
#[derive(Debug)]
pub struct GoLazy {
    /// A match so long is taken without a look at the next position.
    lazy: usize,
    /// A match so long ends a search.
    nice: usize,
    /// Candidates that are tried.
    chain: usize,
    chains: Chains<GoHash>,
    end: usize,
    /// Bytes of the stream before the text, as far as is known.
    phase: u64,
    /// What was found at the position after the last literal.
    pending: Option<(usize, Found)>,
}

impl GoLazy {
    /// A model of `level`, 4 to 9. Others are taken for the nearest of these.
    pub fn new(level: u8) -> Self {
        let (lazy, nice, chain) = match level {
            ..=4 => (4, 16, 16),
            5 => (16, 32, 32),
            6 => (16, 128, 128),
            7 => (32, 128, 256),
            8 => (128, 258, 1024),
            9.. => (258, 258, 4096),
        };
        Self {
            lazy,
            nice,
            chain,
            chains: Chains::default(),
            end: 0,
            phase: 0,
            pending: None,
        }
    }

    /// The longest of the matches at `position` that are longer than `shortest`, and the nearest of
    /// these, as the encoder finds it. If there is none, its length is `shortest`.
    ///
    /// The encoder starts each search with no match at all. To start with the one at the position
    /// before gives the same, as it takes a match only if it is longer than that.
    fn search(&self, text: &[u8], position: usize, shortest: usize) -> Found {
        let mut best = Found {
            length: shortest,
            distance: 0,
        };
        let longest = MAX_MATCH.min(self.end - position);
        if longest <= shortest {
            return best;
        }
        let place = Place {
            position,
            first: load32(text, position),
            longest,
            reach: reach(self.phase, position),
        };
        if shortest < MIN_MATCH {
            match self.nearest(text, place) {
                Some(found) => best = found,
                None => return best,
            }
        }
        let nice = self.nice.min(longest);
        while best.length < nice {
            match self.nearest_longer(text, place, best) {
                Some(found) => best = found,
                None => break,
            }
        }
        best
    }

    /// The nearest match.
    #[inline]
    fn nearest(&self, text: &[u8], place: Place) -> Option<Found> {
        let mut distance = 0;
        for _ in 0..self.chain {
            distance += usize::from(self.chains.link(place.position - distance));
            if distance > place.reach {
                return None;
            }
            let candidate = place.position - distance;
            if load32(text, candidate) == place.first {
                let length = match_length(text, candidate, place.position, place.longest);
                if length > MIN_MATCH || distance <= FAR_FOR_SHORT {
                    return Some(Found { length, distance });
                }
            }
        }
        None
    }

    /// The nearest match that is longer than `best`, which is the longest of those up to its
    /// distance.
    #[inline]
    fn nearest_longer(&self, text: &[u8], place: Place, best: Found) -> Option<Found> {
        let (distance, chain_at) = self.sparse_chain(place.position, best);
        let followed = self.follow(text, place, best.length, distance, chain_at);
        followed.unwrap_or_else(|Crowded| self.nearest_longer_in_own_chain(text, place, best))
    }

    /// The same, by the chain that the encoder follows.
    #[cold]
    #[inline(never)]
    fn nearest_longer_in_own_chain(&self, text: &[u8], place: Place, best: Found) -> Option<Found> {
        let nearest = self.chains.link(place.position - best.distance);
        let distance = best.distance + usize::from(nearest);
        self.follow(text, place, best.length, distance, 0)
            .unwrap_or(None)
    }

    /// The first match that is longer than `length` in the chain that begins `chain_at` bytes after
    /// the place, from `distance` on. It gives up after as many candidates as the encoder tries, for
    /// the work to be bounded.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "what it gives would go through memory; the second call is hardly ever made"
    )]
    fn follow(
        &self,
        text: &[u8],
        place: Place,
        length: usize,
        distance: usize,
        chain_at: usize,
    ) -> Result<Option<Found>, Crowded> {
        let last_at = length + 1 - MIN_MATCH;
        let last = load32(text, place.position + last_at);
        if distance > place.reach {
            return Ok(None);
        }
        let mut candidate = place.position - distance;
        // How much farther it may go.
        let mut left = place.reach - distance;
        for tried in 1.. {
            if load32(text, candidate + last_at) == last && load32(text, candidate) == place.first {
                if usize::from(self.chains.steps(place.position, candidate)) > self.chain {
                    return Ok(None);
                }
                let found = match_length(text, candidate, place.position, place.longest);
                if found > length {
                    return Ok(Some(Found {
                        length: found,
                        distance: place.position - candidate,
                    }));
                }
            }
            if tried == self.chain {
                break;
            }
            let link = usize::from(self.chains.link(candidate + chain_at));
            if link > left {
                return Ok(None);
            }
            left -= link;
            candidate -= link;
        }
        Err(Crowded)
    }

    /// The chain to follow for matches that are longer and farther than `best`, by how many bytes
    /// after `position` it begins, and the distance of the first candidate in it.
    ///
    /// A longer match has each four bytes of `best` and one more, so it is in the chains of all of
    /// these, with the same distance. The one that goes farthest in its first step leaves out most.
    #[inline]
    fn sparse_chain(&self, position: usize, best: Found) -> (usize, usize) {
        let last_at = best.length + 1 - MIN_MATCH;
        let mut chain_at = last_at;
        // Of the chain of the new last bytes it is not known where it is at the best match's distance.
        let mut distance = usize::from(self.chains.link(position + last_at));
        if distance <= best.distance {
            distance += usize::from(self.chains.link(position + last_at - distance));
        }
        if distance <= best.distance {
            distance = 0;
        }
        let candidate = position - best.distance;
        if distance > WINDOW {
            return (distance, chain_at);
        }
        for at in 0..last_at {
            let other = best.distance + usize::from(self.chains.link(candidate + at));
            if other > distance {
                (distance, chain_at) = (other, at);
            }
        }
        (distance, chain_at)
    }
}

impl Model for GoLazy {
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize) {
        self.chains.reset(start.saturating_sub(WINDOW));
        self.phase = since_flush.wrapping_sub(start as u64) % WINDOW as u64;
        self.end = end.min(text.len());
        self.pending = None;
    }

    fn flush(&mut self, text: &[u8], position: usize, end: usize) {
        let inserted = position.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, inserted, inserted);
        self.chains.leave_out(position);
        self.end = end.min(text.len());
        self.pending = None;
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        let inserted = self.end.saturating_sub(MIN_MATCH - 1);
        self.chains.build(text, position + 2 * MAX_MATCH, inserted);
        let here = match self.pending {
            Some((at, found)) if at == position => found,
            _ if usize::from(self.chains.link(position)) > WINDOW => {
                return Token::literal(text[position]);
            }
            _ => self.search(text, position, MIN_MATCH - 1),
        };
        if here.length < MIN_MATCH {
            return Token::literal(text[position]);
        }
        if here.length < self.lazy {
            let next = self.search(text, position + 1, here.length);
            if next.length > here.length {
                self.pending = Some((position + 1, next));
                return Token::literal(text[position]);
            }
        }
        here.token()
    }

    #[inline]
    fn literals_ahead(&self, position: usize) -> usize {
        match self.pending {
            Some((at, _)) if at == position => 0,
            _ => self.chains.count_unlinked(position, WINDOW),
        }
    }

    #[inline]
    fn advance(&mut self, _text: &[u8], _position: usize, _actual: Token) {}
}
