//! A deflate stream (RFC 1951) as tokens and block headers, and back to the bit.

pub mod bit_reader;
pub mod bit_writer;
pub mod block;
pub mod error;
pub mod huffman;
pub mod inflate;
pub mod token;
mod token_codes;

pub use bit_reader::BitReader;
pub use bit_writer::BitWriter;
pub use block::{BlockHeader, BlockKind, BlockWriter, DynamicCodes, read_header, write_header};
pub use error::{InflateError, WriteError};
pub use inflate::{Inflater, Piece, PieceEnd};
pub use token::{MAX_DISTANCE, MAX_MATCH, MIN_MATCH, Token, TokenKind};
