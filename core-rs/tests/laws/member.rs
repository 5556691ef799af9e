//! Gzip members around deflate streams.

use mica_core::deflate::{BitReader, Inflater, PieceEnd};
use mica_core::gzip::MemberCheck;

/// The deflate stream that `input` begins with, as a gzip member; `None` if there is none or it gives
/// more than `limit` bytes.
pub(crate) fn member_of(input: &[u8], limit: u64) -> Option<Vec<u8>> {
    let mut bits = BitReader::new(input);
    let mut inflater = Inflater::new(limit);
    let mut check = MemberCheck::new();
    loop {
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut Vec::new())
            .ok()?;
        check.update(inflater.plain());
        if piece.end == PieceEnd::Stream {
            break;
        }
    }
    bits.read_padding();
    let used = usize::try_from(bits.bit_offset() / 8).ok()?;
    let mut member = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    member.extend_from_slice(&input[..used]);
    member.extend_from_slice(&check.finish().encode());
    Some(member)
}
