//! Sizes and offsets as JavaScript's numbers.

/// 2^53 - 1, <https://tc39.es/ecma262/#sec-number.max_safe_integer>.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The number, or nothing when JavaScript could not hold it exactly.
pub(crate) fn to_number(value: u64) -> Option<f64> {
    (value <= MAX_SAFE_INTEGER).then(|| to_size(value))
}

/// A size of something that exists: no file has 2^53 bytes.
#[expect(
    clippy::as_conversions,
    clippy::cast_precision_loss,
    reason = "JavaScript's numbers are of this type, and sizes keep all their digits in it"
)]
pub(crate) const fn to_size(value: u64) -> f64 {
    value as f64
}

/// A size that JavaScript gives.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is no size becomes the nearest one"
)]
pub(crate) const fn from_size(value: f64) -> u64 {
    value as u64
}
