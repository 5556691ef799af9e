//! What must hold for any bytes that are read as a block or as a pack.

use mica_core::pack::{
    Block, BlockLimits, PACK_HEADER_SIZE, Piece, Scan, decode_block, decode_block_header,
    decode_pieces, encode_block, encode_pack_header,
};

/// Small, so that what passes them is reached soon.
const LIMITS: BlockLimits = BlockLimits {
    plain_length: 65_536,
    piece_count: 100,
};
const HEADER: usize = 56;

/// Reads bytes as they are, and with checksums that fit: without these a fuzzer gets no further than
/// the header.
pub(crate) fn check(input: &[u8]) {
    check_block(input);
    check_scan(input);
    let mut sealed = input.to_vec();
    seal(&mut sealed);
    check_block(&sealed);
    check_scan(&sealed);
}

fn seal(bytes: &mut [u8]) {
    let Some((header, body)) = bytes.split_at_mut_checked(HEADER) else {
        return;
    };
    header[..4].copy_from_slice(b"MBLK");
    header[36..52].copy_from_slice(&blake3::hash(body).as_bytes()[..16]);
    let checksum = crc32fast::hash(&header[..52]);
    header[52..].copy_from_slice(&checksum.to_le_bytes());
}

fn check_block(bytes: &[u8]) {
    let pieces = decode_pieces(bytes, LIMITS);
    let Ok(block) = decode_block(bytes, LIMITS) else {
        return;
    };
    assert_eq!(pieces.as_deref(), Ok(block.pieces()));
    check_pieces(&block);
    // How a payload is compressed is the writer's choice, so only what it means has to be the same.
    let again = encode_block(&block, 1).unwrap();
    assert_eq!(decode_block(&again, LIMITS), Ok(block));
    let (header, other) = (
        decode_block_header(bytes, LIMITS).unwrap(),
        decode_block_header(&again, LIMITS).unwrap(),
    );
    assert_eq!(
        (
            header.piece_count,
            header.plain_length,
            header.before,
            header.after
        ),
        (
            other.piece_count,
            other.plain_length,
            other.before,
            other.after
        )
    );
}

fn check_pieces(block: &Block) {
    let pieces = block.pieces();
    let mut end = 0;
    for (index, piece) in pieces.iter().enumerate() {
        assert_eq!(piece.offset, end);
        assert!(piece.length > 0);
        assert!(piece.file_offset == 0 || index == 0);
        assert!(piece.is_last() || index + 1 == pieces.len());
        assert!(piece.file_offset.checked_add(u64::from(piece.length)) <= Some(piece.file_size));
        assert_eq!(
            block.content(piece).len(),
            usize::try_from(piece.length).unwrap()
        );
        assert_eq!(block.piece_at(piece.offset), Some(piece));
        end += piece.length;
    }
    assert_eq!(block.plain().len(), usize::try_from(end).unwrap());
}

fn check_scan(bytes: &[u8]) {
    let part = scan(
        Scan::part(bytes, 16, LIMITS),
        bytes.len() + PACK_HEADER_SIZE,
    );
    let pack = [encode_pack_header(), bytes.to_vec()].concat();
    let whole = scan(Scan::new(&pack, LIMITS).unwrap(), pack.len());
    assert_eq!(part, whole);
    let _ = Scan::new(bytes, LIMITS).map(Iterator::count);
}

type Scanned = (u64, Vec<Result<(u64, Vec<Piece>), u64>>);

fn scan(mut scan: Scan<'_>, end: usize) -> Scanned {
    let mut found = Vec::new();
    let mut last = 0;
    let mut first_damage = None;
    for result in scan.by_ref() {
        let offset = match result {
            Ok(block) => {
                found.push(Ok((block.offset, block.pieces)));
                block.offset
            }
            Err(damage) => {
                first_damage = first_damage.or(Some(damage.offset));
                found.push(Err(damage.offset));
                damage.offset
            }
        };
        assert!(offset > last, "scans go forward");
        last = offset;
    }
    let end = u64::try_from(end).unwrap();
    assert_eq!(scan.valid_length(), first_damage.unwrap_or(end));
    (scan.valid_length(), found)
}
