//! zlib's strategy `Z_RLE`. That of `Z_HUFFMAN_ONLY` is [`Literals`](super::literals::Literals).

use super::Model;
use super::text::match_length;
use super::zlib::MIN_LENGTH;
use crate::deflate::{MAX_MATCH, Token};

/// `Z_RLE`: only repeats of the byte before.
#[derive(Debug, Default)]
pub struct ZlibRunLength {
    end: usize,
}

impl Model for ZlibRunLength {
    fn begin(&mut self, text: &[u8], _start: usize, _since_flush: u64, end: usize) {
        self.end = end.min(text.len());
    }

    fn flush(&mut self, text: &[u8], _position: usize, end: usize) {
        self.end = end.min(text.len());
    }

    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        let max = self
            .end
            .saturating_sub(position)
            .min(usize::from(MAX_MATCH));
        let length = match position.checked_sub(1) {
            Some(before) => match_length(text, before, position, max),
            None => 0,
        };
        if length < MIN_LENGTH {
            return Token::literal(text[position]);
        }
        Token::matched(u16::try_from(length).unwrap_or(MAX_MATCH), 1)
    }

    fn advance(&mut self, _text: &[u8], _position: usize, _actual: Token) {}
}
