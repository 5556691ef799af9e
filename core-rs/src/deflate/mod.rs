//! A deflate stream (RFC 1951) as tokens and block headers, and back to the bit.

pub mod token;

pub use token::Token;
