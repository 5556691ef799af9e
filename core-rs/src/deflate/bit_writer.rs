//! Bits into bytes, lowest bit of each byte first (RFC 1951 §3.1.1).

/// Bytes that grow bit by bit.
#[derive(Clone, Debug, Default)]
pub struct BitWriter {
    output: Vec<u8>,
    /// Bits that are not in `output` yet, first one lowest; fewer than 32 between calls.
    buffer: u64,
    count: u32,
}

impl BitWriter {
    /// At the start of a byte.
    pub const fn new() -> Self {
        Self {
            output: Vec::new(),
            buffer: 0,
            count: 0,
        }
    }

    /// Within a byte whose first `count` bits (0 to 7) are `bits`: a segment begins there. It writes in
    /// the memory of `buffer`, whose bytes are lost.
    pub fn within_byte(bits: u8, count: u8, mut buffer: Vec<u8>) -> Self {
        let count = count & 7;
        buffer.clear();
        Self {
            output: buffer,
            buffer: u64::from(bits) & ((1 << count) - 1),
            count: u32::from(count),
        }
    }

    /// Bits written, with those that the writer began with.
    pub const fn bit_length(&self) -> u64 {
        self.output.len() as u64 * 8 + self.count as u64
    }

    /// Writes the lowest `count` bits (at most 32) of a number that has no others.
    #[inline]
    pub fn write(&mut self, bits: u32, count: u32) {
        debug_assert!(count <= 32 && u64::from(bits) < 1 << count);
        self.buffer |= u64::from(bits) << self.count;
        self.count += count;
        if self.count >= 32 {
            let [a, b, c, d, ..] = self.buffer.to_le_bytes();
            self.output.extend_from_slice(&[a, b, c, d]);
            self.buffer >>= 32;
            self.count -= 32;
        }
    }

    /// Begins a stretch of many short writes, which ends with [`end_stretch`](Self::end_stretch): the
    /// bits that do not fill a byte, and their number.
    pub(super) fn begin_stretch(&mut self) -> (u64, u32) {
        self.flush();
        (self.buffer, self.count)
    }

    /// Ends a stretch, whose full bytes are `bytes`, with the bits that do not fill one, fewer than 8.
    pub(super) fn end_stretch(&mut self, bytes: &[u8], bits: u64, count: u32) {
        debug_assert!(count < 8 && bits < 1 << count);
        self.output.extend_from_slice(bytes);
        self.buffer = bits;
        self.count = count;
    }

    /// Fills the current byte with the lowest bits of `padding`; nothing if it is full.
    pub fn write_padding(&mut self, padding: u8) {
        let bits = (8 - self.count % 8) % 8;
        self.write(u32::from(padding) & ((1 << bits) - 1), bits);
    }

    /// Bits that `write_padding` would write now, 0 to 7.
    pub const fn padding_bits(&self) -> u32 {
        (8 - self.count % 8) % 8
    }

    /// Writes whole bytes; the current byte has to be full.
    pub fn write_bytes(&mut self, bytes: &[u8]) {
        debug_assert!(self.count.is_multiple_of(8));
        self.flush();
        self.output.extend_from_slice(bytes);
    }

    /// Takes the full bytes out, so that a long stream needs no long buffer. Later lengths count
    /// from there.
    pub fn take(&mut self) -> Vec<u8> {
        self.flush();
        std::mem::take(&mut self.output)
    }

    /// All bytes, the last one filled with zero bits.
    pub fn finish(mut self) -> Vec<u8> {
        self.write_padding(0);
        self.take()
    }

    fn flush(&mut self) {
        while self.count >= 8 {
            self.output.push(self.buffer.to_le_bytes()[0]);
            self.buffer >>= 8;
            self.count -= 8;
        }
    }
}
