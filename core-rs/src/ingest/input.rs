//! Bytes that come in pieces at one end and are taken off at the other.

/// The bytes that were pushed and not taken. Taking costs no more than pushing did, however small the
/// steps are.
#[derive(Debug, Default)]
pub(super) struct Input {
    bytes: Vec<u8>,
    /// Those before were taken.
    start: usize,
    offset: u64,
}

impl Input {
    pub(super) fn push(&mut self, bytes: &[u8]) {
        // What is moved is at most as much as was taken since the last move.
        if self.start >= self.bytes.len() - self.start {
            self.bytes.drain(..self.start);
            self.start = 0;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The bytes that are there.
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.start..]
    }

    /// Bytes that were taken before.
    pub(super) const fn offset(&self) -> u64 {
        self.offset
    }

    /// Takes bytes off, or all if there are fewer.
    pub(super) fn skip(&mut self, length: usize) {
        let length = length.min(self.rest().len());
        self.start += length;
        self.offset += length as u64;
    }

    /// Takes bytes off, or all if there are fewer, and appends them to `output`.
    pub(super) fn take(&mut self, length: usize, output: &mut Vec<u8>) {
        let rest = self.rest();
        output.extend_from_slice(rest.get(..length).unwrap_or(rest));
        self.skip(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_gives_its_bytes_in_order_whatever_the_steps() {
        let bytes: Vec<u8> = (0..=255).cycle().take(5000).collect();
        for (push, take) in [(1, 1), (7, 5), (300, 1), (1, 300), (5000, 3)] {
            let (mut input, mut output) = (Input::default(), Vec::new());
            for piece in bytes.chunks(push) {
                input.push(piece);
                input.take(take, &mut output);
                assert_eq!(input.offset(), output.len() as u64);
            }
            assert_eq!([&*output, input.rest()].concat(), bytes);
            input.take(usize::MAX, &mut output);
            assert_eq!((output, input.rest()), (bytes.clone(), &[][..]));
        }
    }
}
