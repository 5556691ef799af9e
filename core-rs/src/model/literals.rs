//! Compressors that search no repeats: `HuffmanOnly` (-2) of Go and klauspost.

use super::Model;
use crate::deflate::Token;

/// Predicts literals only.
#[derive(Clone, Copy, Debug, Default)]
pub struct Literals;

impl Model for Literals {
    fn begin(&mut self, _text: &[u8], _start: usize, _since_flush: u64, _end: usize) {}

    fn flush(&mut self, _text: &[u8], _position: usize, _end: usize) {}

    #[inline]
    fn predict(&mut self, text: &[u8], position: usize) -> Token {
        Token::literal(text[position])
    }

    #[inline]
    fn advance(&mut self, _text: &[u8], _position: usize, _actual: Token) {}

    fn skip(&mut self, _text: &[u8], _position: usize, _length: usize) {}
}
