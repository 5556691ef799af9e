//! What known compressors would have written: predicts tokens from plain text.

pub mod tables;
