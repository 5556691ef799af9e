//! Sizes and offsets as JavaScript's numbers.

/// 2^53 - 1, <https://tc39.es/ecma262/#sec-number.max_safe_integer>.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// The number, or nothing when JavaScript could not hold it exactly.
pub(crate) fn to_number(value: u64) -> Option<i64> {
    if value > MAX_SAFE_INTEGER {
        return None;
    }
    i64::try_from(value).ok()
}

/// A size of something that exists: no file has 2^53 bytes.
pub(crate) fn to_size(value: u64) -> i64 {
    to_number(value).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn to_number_gives_safe_integers_only() {
        assert_eq!(to_number(0), Some(0));
        assert_eq!(
            to_number(9_007_199_254_740_991),
            Some(9_007_199_254_740_991)
        );
        assert_eq!(to_number(9_007_199_254_740_992), None);
        assert_eq!(to_number(u64::MAX), None);
    }
}
