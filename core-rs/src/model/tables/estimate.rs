//! klauspost's estimates of what a new block would take, in the same arithmetic.

use super::frequencies::{FIRST_LENGTH, Frequencies};
use crate::deflate::huffman::{DISTANCES, END_OF_BLOCK, LENGTHS};

/// Bits that the end of the block is reckoned with.
const END_BITS: f32 = 15.0;

/// Fewest and most bits that an estimate reckons with for one symbol.
pub(super) type BitLimits = (f32, f32);
/// As the format has it.
pub(super) const ONE_TO_15_BITS: BitLimits = (1.0, 15.0);
/// A code has one bit at least.
pub(super) const AT_LEAST_ONE_BIT: BitLimits = (1.0, f32::INFINITY);
/// Entropy alone.
pub(super) const ANY_BITS: BitLimits = (f32::NEG_INFINITY, f32::INFINITY);

/// Bits of tokens in codes that would fit them, as estimated by `EstimatedBits`.
///
/// `total`: tokens that the frequencies of literals and lengths are taken of.
pub(super) fn token_bits(frequencies: &Frequencies, total: u64, limits: BitLimits) -> u64 {
    if total == 0 {
        return 0;
    }
    let lengths = &frequencies.literals[FIRST_LENGTH..];
    let mut sum = 0.0;
    add_bits(
        &mut sum,
        &frequencies.literals[..END_OF_BLOCK],
        total,
        limits,
    );
    sum += END_BITS;
    add_bits(&mut sum, lengths, total, limits);
    let matches = frequencies.matches();
    if matches > 0 {
        add_bits(&mut sum, &frequencies.distances, matches, limits);
    }
    whole(sum) + extra_bits(lengths, &LENGTHS) + extra_bits(&frequencies.distances, &DISTANCES)
}

/// Bits of literals in a code that would fit them (`histogramSize` up to v1.11).
pub(super) fn literal_bits(literals: &[u32], total: u64) -> u64 {
    let mut sum = 0.0;
    add_bits(&mut sum, literals, total, AT_LEAST_ONE_BIT);
    whole(sum + 0.99)
}

/// Says that bytes are spread so evenly that no code helps (`writeBlockHuff` from v1.14 on). There
/// it is reckoned in floating point, exactly; here in units of 2^-16.
pub(super) fn looks_random(literals: &[u32], length: u64) -> bool {
    let square = |&count: &u32| {
        let difference = (u64::from(count) * 256).abs_diff(length);
        u128::from(difference) * u128::from(difference)
    };
    length > 1024 && literals.iter().map(square).sum::<u128>() < u128::from(length * 2) << 16
}

fn extra_bits(counts: &[u32], symbols: &[(u16, u8)]) -> u64 {
    let bits = |(&count, &(_, extra)): (&u32, &(u16, u8))| u64::from(count) * u64::from(extra);
    counts.iter().zip(symbols).map(bits).sum()
}

/// Adds the entropy of each symbol. Sums of floats depend on the order: by symbol.
fn add_bits(sum: &mut f32, counts: &[u32], total: u64, limits: BitLimits) {
    let share = 1.0 / real(total);
    for &count in counts {
        if count > 0 {
            let count = real(u64::from(count));
            *sum += (-fast_log2(count * share)).clamp(limits.0, limits.1) * count;
        }
    }
}

/// Logarithm to base 2, roughly: exponent, and a parabola for the mantissa (`mFastLog2`).
///
/// Source of the constants: <https://stackoverflow.com/a/28730362>.
fn fast_log2(value: f32) -> f32 {
    const MANTISSA: u32 = 0x807f_ffff;
    const ONE: u32 = 127 << 23;
    let bits = value.to_bits();
    let exponent = real(u64::from(bits >> 23 & 0xff)) - 128.0;
    let mantissa = f32::from_bits((bits & MANTISSA) + ONE);
    exponent + ((-0.344_848_43 * mantissa + 2.024_665_8) * mantissa - 0.674_877_6)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the encoder's calls have fewer than 2^17 tokens; larger ones are not its own"
)]
const fn real(value: u64) -> f32 {
    value as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sums of positive numbers, cut to whole bits as the encoder does"
)]
const fn whole(value: f32) -> u64 {
    value as u64
}
