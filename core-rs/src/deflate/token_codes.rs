//! A block's codes as tokens need them: a look-up for a literal or a length, and one for a distance.

use super::bit_writer::BitWriter;
use super::block::{DISTANCE_INDEX_SYMBOLS, LENGTH_SYMBOLS, distance_index};
use super::huffman::{DISTANCES, END_OF_BLOCK, EncodeTable, LENGTHS};
use super::token::{TOKEN_INDEXES, Token};

/// Tokens that are written before their bits go into the output.
const STRETCH: usize = 256;
/// Most bytes of a token, rounded up: 15 bits and 5 extra ones, 15 bits and 13 extra ones.
const MAX_TOKEN_SIZE: usize = 6;
/// Bytes that are written at once, however many of them are full.
const WORD_SIZE: usize = 8;
/// A number of bits that no code has.
const NO_CODE: u8 = 0x80;

/// A code, with the extra bits of those numbers that it is for.
#[derive(Clone, Copy, Debug, Default)]
struct Code {
    bits: u32,
    /// Bits that are written, extra ones included, or [`NO_CODE`].
    count: u8,
    /// Where the extra bits begin.
    shift: u8,
    /// Smallest of the numbers.
    base: u16,
}

impl Code {
    fn new(code: Option<(u32, u32)>, (base, extra): (u16, u8)) -> Self {
        let Some((bits, count)) = code else {
            return Self {
                count: NO_CODE,
                ..Self::default()
            };
        };
        let [shift, ..] = count.to_le_bytes();
        Self {
            bits,
            count: shift + extra,
            shift,
            base,
        }
    }

    /// Its bits, with those for `number`.
    #[inline]
    fn bits_of(self, number: u32) -> u32 {
        let extra = number.wrapping_sub(u32::from(self.base));
        self.bits | extra << (self.shift & 31)
    }
}

/// The codes of one block.
#[derive(Clone, Debug)]
pub(super) struct TokenCodes {
    /// By [`Token::index`]; extra bits are there already.
    first: [Code; TOKEN_INDEXES],
    /// By what [`DISTANCE_INDEX_SYMBOLS`] gives. The first one is for literals: no bits.
    distances: [Code; 32],
}

impl Default for TokenCodes {
    fn default() -> Self {
        Self {
            first: [Code::default(); TOKEN_INDEXES],
            distances: [Code::default(); 32],
        }
    }
}

impl TokenCodes {
    /// Takes the codes of a block.
    pub(super) fn build(&mut self, literals: &EncodeTable, distances: &EncodeTable) {
        let lengths = LENGTH_SYMBOLS.iter().zip(3..);
        let pairs = self.first.as_chunks_mut::<2>().0.iter_mut();
        for (([literal, matched], byte), (&index, length)) in pairs.zip(0..).zip(lengths) {
            *literal = Code::new(literals.find(byte), (0, 0));
            let index = usize::from(index);
            let code = Code::new(literals.find(END_OF_BLOCK + 1 + index), LENGTHS[index]);
            *matched = Code {
                bits: code.bits_of(length),
                ..code
            };
        }
        self.distances.fill(Code::new(None, (0, 0)));
        self.distances[0] = Code::default();
        let of_symbols = self.distances[1..].iter_mut().zip(&DISTANCES);
        for (symbol, (code, &form)) in of_symbols.enumerate() {
            *code = Code::new(distances.find(symbol), form);
        }
    }

    /// Writes tokens, up to the stretch of them in which the first one is that cannot be written.
    /// Gives the number of those written.
    pub(super) fn write(&self, writer: &mut BitWriter, tokens: &[Token]) -> usize {
        let mut output = [0; STRETCH * MAX_TOKEN_SIZE + WORD_SIZE];
        let mut written = 0;
        for stretch in tokens.chunks(STRETCH) {
            let (mut bits, mut count) = writer.begin_stretch();
            let (mut end, mut indexes, mut counts) = (0, 0, 0);
            for &token in stretch {
                let index = token.index();
                let first = self.first[index % TOKEN_INDEXES];
                let distance = token.distance_or_0();
                let symbol = DISTANCE_INDEX_SYMBOLS[distance_index(distance)];
                let second = self.distances[usize::from(symbol % 32)];
                indexes |= index;
                counts |= first.count | second.count;
                bits |= u64::from(first.bits) << (count & 63);
                count += u32::from(first.count);
                bits |= u64::from(second.bits_of(distance)) << (count & 63);
                count += u32::from(second.count);
                output[end..end + WORD_SIZE].copy_from_slice(&bits.to_le_bytes());
                end += count as usize / 8 % WORD_SIZE;
                bits >>= count & 0b11_1000;
                count &= 0b111;
            }
            if indexes >= TOKEN_INDEXES || counts >= NO_CODE {
                break;
            }
            writer.end_stretch(&output[..end], bits, count);
            written += stretch.len();
        }
        written
    }
}
