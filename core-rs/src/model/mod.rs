//! What known compressors would have written: their match finders, run over plain text that is known.
//!
//! Finding the tokens of a stream again needs no search for the best ones, only the same search that
//! the compressor made. A model is such a search, restarted at every segment. Where it is wrong, a
//! [correction](crate::segment::corrections) tells, so a model may be wrong; it must only be the same
//! at ingest and at restore: what a compressor's [number](Compressor::encode) predicts never changes.
//! A better model gets another number.

pub mod candidates;
pub mod chains;
pub mod compressor;
pub mod go_fast;
pub mod go_greedy;
pub mod go_lazy;
pub mod go_window;
pub mod klauspost;
pub mod literals;
pub mod models;
pub mod tables;
pub mod text;
pub mod zlib;
mod zlib_chains;
pub mod zlib_fast;
pub mod zlib_lazy;
mod zlib_links;
pub mod zlib_run_length;
mod zlib_search;

pub use candidates::CANDIDATES;
pub use compressor::Compressor;
pub use literals::Literals;
pub use models::{ModelUser, Models};

use crate::deflate::{Token, TokenKind};

/// Bytes of plain text before a segment that a model is given, if there are so many: one call of
/// klauspost's encoder, and more than any window.
pub const CONTEXT_SIZE: usize = 65_535;

/// As many for a model that comes slowly to do what the compressor did: two calls of the encoder.
pub const LONG_CONTEXT_SIZE: usize = 2 * CONTEXT_SIZE;

/// A compressor's match finder.
///
/// All calls for one segment get the same `text`: up to [`Compressor::context_size`] bytes
/// from before the segment, then the segment's plain text. Positions count in `text`. A model answers by what it was
/// told since [`begin`](Self::begin), never by earlier segments, so that segments can be rebuilt in
/// any order and in parallel.
pub trait Model {
    /// Begins at `start`. The text before it is what the compressor saw just before, and all it saw
    /// if there are fewer than [`Compressor::context_size`] bytes. `since_flush` counts the bytes between the
    /// last flush, or the beginning of the stream, and `start`: compressors that take their input in
    /// portions count those from there. `end` is where the compressor's input ended, for all that it
    /// could know: at the next flush or at the end of the text.
    fn begin(&mut self, text: &[u8], start: usize, since_flush: u64, end: usize);

    /// Goes on after a flush at `position`, up to which everything was predicted or skipped; the
    /// next input reaches to `end`.
    fn flush(&mut self, text: &[u8], position: usize, end: usize);

    /// The token that the compressor would write at `position`, which is before `end`; it does not
    /// reach past `end`. [`advance`](Self::advance) follows before the next prediction.
    fn predict(&mut self, text: &[u8], position: usize) -> Token;

    /// Goes on from `position` by the token that really stands there.
    fn advance(&mut self, text: &[u8], position: usize, actual: Token);

    /// For how many tokens from `position` on, as far as is known without a search, the model predicts
    /// literals. It need not be asked for these, nor told that they are right.
    #[inline]
    fn literals_ahead(&self, _position: usize) -> usize {
        0
    }

    /// Where the portion of input ends that `position` is in, if the compressor may have written a
    /// whole portion as literals although it found matches in it.
    fn portion_end(&self, _position: usize) -> Option<usize> {
        None
    }

    /// Goes over `length` bytes at `position` whose tokens are not known, as the compressor wrote
    /// them in another form: follows the model's own predictions.
    fn skip(&mut self, text: &[u8], position: usize, length: usize) {
        let end = position + length;
        let mut position = position;
        while position < end {
            let token = clip(self.predict(text, position), text, position, end);
            self.advance(text, position, token);
            position += token.length();
        }
    }
}

/// The token, or what is left of it when it reaches past `end`.
fn clip(token: Token, text: &[u8], position: usize, end: usize) -> Token {
    let room = end - position;
    match token.kind() {
        TokenKind::Match { distance, .. } if token.length() > room && room >= 3 => {
            Token::matched(u16::try_from(room).unwrap_or(u16::MAX), distance)
        }
        TokenKind::Match { .. } if token.length() > room => Token::literal(text[position]),
        _ => token,
    }
}
