//! Bits out of a byte slice, lowest bit of each byte first (RFC 1951 §3.1.1).

use super::error::InflateError;

/// A place in a slice of bytes, counted in bits. Cheap to clone: clone it to look ahead.
#[derive(Clone, Debug)]
pub struct BitReader<'a> {
    input: &'a [u8],
    /// First byte that is not counted in `count`.
    next: usize,
    /// Bits from the current place on, first one lowest. Those above `count` are bits of the input
    /// or zero.
    buffer: u64,
    count: u32,
}

impl<'a> BitReader<'a> {
    /// At the first bit of the input.
    pub const fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            next: 0,
            buffer: 0,
            count: 0,
        }
    }

    /// At a bit of the input.
    ///
    /// # Errors
    /// `Truncated` if the input ends before that bit.
    pub fn at(input: &'a [u8], bit_offset: u64) -> Result<Self, InflateError> {
        let available = input.len() as u64 * 8;
        let next = usize::try_from(bit_offset / 8).unwrap_or(usize::MAX);
        if bit_offset > available {
            return Err(InflateError::Truncated {
                bit_offset: available,
                got: 0,
                expected: bit_offset - available,
            });
        }
        let mut reader = Self {
            input,
            next,
            buffer: 0,
            count: 0,
        };
        let bit_in_byte = u32::from(bit_offset.to_le_bytes()[0] & 7);
        reader.read(bit_in_byte)?;
        Ok(reader)
    }

    /// Bits before the current place.
    #[inline]
    pub const fn bit_offset(&self) -> u64 {
        self.next as u64 * 8 - self.count as u64
    }

    /// The whole input, as given.
    pub const fn input(&self) -> &'a [u8] {
        self.input
    }

    /// Fills the buffer: afterwards at least 56 bits are there, or all that the input has.
    #[inline]
    pub(super) fn refill(&mut self) {
        if let Some(chunk) = self
            .input
            .get(self.next..)
            .and_then(<[u8]>::first_chunk::<8>)
        {
            self.buffer |= u64::from_le_bytes(*chunk) << self.count;
            self.next += ((63 - self.count) >> 3) as usize;
            self.count |= 0b11_1000;
        } else {
            self.refill_at_end();
        }
    }

    #[cold]
    fn refill_at_end(&mut self) {
        while self.count < 56 {
            let Some(&byte) = self.input.get(self.next) else {
                return;
            };
            self.buffer |= u64::from(byte) << self.count;
            self.next += 1;
            self.count += 8;
        }
    }

    /// The buffer: `count()` bits, first one lowest.
    #[inline]
    pub(super) const fn peek(&self) -> u64 {
        self.buffer
    }

    /// Bits in the buffer.
    #[inline]
    pub(super) const fn count(&self) -> u32 {
        self.count
    }

    /// Goes on by bits that are in the buffer, at most 56.
    #[inline]
    pub(super) const fn skip(&mut self, bits: u32) {
        self.buffer >>= bits;
        self.count -= bits;
    }

    /// The error of an input that ends where `expected` bits should be.
    #[cold]
    pub(super) fn truncated(&self, expected: u64) -> InflateError {
        let bit_offset = self.bit_offset();
        InflateError::Truncated {
            bit_offset,
            got: self.input.len() as u64 * 8 - bit_offset,
            expected,
        }
    }

    /// The next bits (at most 32) as a number, first bit lowest.
    ///
    /// # Errors
    /// `Truncated` if the input has fewer.
    pub fn read(&mut self, bits: u32) -> Result<u32, InflateError> {
        debug_assert!(bits <= 32);
        if self.count < bits {
            self.refill();
            if self.count < bits {
                return Err(self.truncated(u64::from(bits)));
            }
        }
        let mask = (1_u64 << bits) - 1;
        let value = u32::try_from(self.buffer & mask).unwrap_or(u32::MAX);
        self.skip(bits);
        Ok(value)
    }

    /// The bits up to the next whole byte (0 to 7 of them) as a number.
    pub fn read_padding(&mut self) -> u8 {
        let bits = self.count & 7;
        let padding = self.buffer.to_le_bytes()[0] & ((1_u8 << bits) - 1);
        self.skip(bits);
        padding
    }

    /// The next bytes, from a place between bytes.
    ///
    /// # Errors
    /// `Truncated` if the input has fewer.
    pub fn read_bytes(&mut self, length: usize) -> Result<&'a [u8], InflateError> {
        debug_assert!(self.count.is_multiple_of(8));
        let start = self.next - (self.count / 8) as usize;
        let Some(bytes) = self.input.get(start..).and_then(|rest| rest.get(..length)) else {
            return Err(self.truncated(length as u64 * 8));
        };
        self.next = start + length;
        self.buffer = 0;
        self.count = 0;
        Ok(bytes)
    }
}
