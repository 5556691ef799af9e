//! The oracle of zlib's models: `deflate_fast` and `deflate_slow` with nothing made faster.

use mica_core::deflate::Token;
use mica_core::model::zlib::{History, ZlibOptions};

/// zlib, slow and plain: one position after the other, all chains walked step by step.
pub(super) struct Plain<'a> {
    text: &'a [u8],
    options: ZlibOptions,
    /// good, lazy, nice, chain.
    effort: (usize, usize, usize, usize),
    heads: Vec<Option<usize>>,
    before: Vec<Option<usize>>,
    base: usize,
    end: usize,
    pub(super) tokens: Vec<Token>,
}

impl<'a> Plain<'a> {
    pub(super) fn new(text: &'a [u8], options: ZlibOptions) -> Self {
        let effort = match options.level {
            1 => (4, 4, 8, 4),
            2 => (4, 5, 16, 8),
            3 => (4, 6, 32, 32),
            4 => (4, 4, 16, 16),
            5 => (8, 16, 32, 32),
            6 => (8, 16, 128, 128),
            7 => (8, 32, 128, 256),
            8 => (32, 128, 258, 1024),
            _ => (32, 258, 258, 4096),
        };
        Self {
            text,
            options,
            effort,
            heads: vec![None; 1 << 16],
            before: vec![None; text.len()],
            base: 0,
            end: 0,
            tokens: Vec::new(),
        }
    }

    fn insert(&mut self, position: usize) {
        let Some(&[first, second, third]) = self.text.get(position..position + 3) else {
            return;
        };
        let mut bits = usize::from(self.options.memory_level) + 7;
        let mut hash = usize::from(third);
        if self.options.is_chromium {
            let fourth = self.text.get(position + 3).copied().unwrap_or(0);
            let product = u32::from_le_bytes([first, second, third, fourth]).wrapping_mul(66_521);
            hash = (product.wrapping_add(66_521) >> 16) as usize;
            bits = bits.max(15);
        } else {
            let shift = bits.div_ceil(3);
            hash ^= usize::from(first) << shift << shift ^ usize::from(second) << shift;
        }
        hash &= (1 << bits) - 1;
        self.before[position] = self.heads[hash];
        self.heads[hash] = Some(position);
    }

    /// Length and distance of the match that is taken at `position`, if longer than `shortest`.
    fn find(&self, position: usize, shortest: usize, chain: usize) -> Option<(usize, usize)> {
        let left = self.end - position;
        let mut best = (shortest, 0);
        let mut candidate = self.before[position];
        for step in 0..chain {
            let Some(start) = candidate.filter(|start| *start > self.base) else {
                break;
            };
            if position - start > 32_506 - usize::from(step > 0) {
                break;
            }
            let length = (0..left.min(258))
                .take_while(|index| self.text[start + index] == self.text[position + index])
                .count();
            if length > best.0 {
                best = (length, position - start);
                if length >= self.effort.2.min(left) {
                    break;
                }
            }
            candidate = self.before[start];
        }
        (best.1 > 0).then_some(best)
    }

    fn push(&mut self, length: usize, distance: usize) {
        let length = u16::try_from(length).unwrap();
        let distance = u16::try_from(distance).unwrap();
        self.tokens.push(Token::matched(length, distance));
    }

    fn fast(&mut self, start: usize) {
        let mut position = start;
        while position < self.end {
            let mut found = None;
            if self.end - position >= 3 {
                self.insert(position);
                found = self.find(position, 2, self.effort.3);
            }
            let Some((length, distance)) = found else {
                self.tokens.push(Token::literal(self.text[position]));
                position += 1;
                continue;
            };
            self.push(length, distance);
            if length <= self.effort.1 && self.end - position - length >= 3 {
                (position + 1..position + length).for_each(|inner| self.insert(inner));
            }
            position += length;
        }
    }

    fn slow(&mut self, start: usize) {
        let mut position = start;
        let mut held: Option<(usize, usize)> = None;
        let mut is_literal_held = false;
        while position < self.end {
            let mut found = None;
            let held_length = held.map_or(2, |held| held.0);
            if self.end - position >= 3 {
                self.insert(position);
                if held_length < self.effort.1 {
                    let is_good = held_length >= self.effort.0;
                    let chain = if is_good {
                        self.effort.3 / 4
                    } else {
                        self.effort.3
                    };
                    found =
                        self.find(position, held_length, chain)
                            .filter(|&(length, distance)| {
                                !(length == 3 && distance > 4096
                                    || length <= 5 && self.options.is_filtered)
                            });
                }
            }
            if let Some((length, distance)) = held
                && found.is_none()
            {
                self.push(length, distance);
                let last = (position + length - 1).min(self.end - 2);
                (position + 1..last).for_each(|inner| self.insert(inner));
                position += length - 1;
                held = None;
                is_literal_held = false;
                continue;
            }
            if is_literal_held {
                self.tokens.push(Token::literal(self.text[position - 1]));
            }
            is_literal_held = true;
            held = found;
            position += 1;
        }
        if is_literal_held {
            self.tokens.push(Token::literal(self.text[position - 1]));
        }
    }

    /// Compresses up to `end`, then comes a flush or another portion.
    pub(super) fn run(&mut self, end: usize) {
        let start = self.end;
        self.end = end;
        if self.options.level < 4 {
            self.fast(start);
        } else {
            self.slow(start);
        }
        match self.options.history {
            History::Kept => (end.saturating_sub(2)..end).for_each(|last| self.insert(last)),
            History::Primed => {
                self.heads.fill(None);
                (end.saturating_sub(32_768)..end).for_each(|last| self.insert(last));
            }
            History::Cleared => {
                self.heads.fill(None);
                self.base = end;
            }
        }
    }
}
