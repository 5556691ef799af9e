//! The law of restoring with other files: each part is an error or right all the same. Tests and the
//! fuzz target share this file.

use std::io::Write;

use crate::ingest::ingest;
use crate::restore::restore_parts;
use flate2::Compression;
use flate2::write::GzEncoder;
use mica_core::zstd_frame::{FrameEncoder, ZstdCall};

/// Makes a layer of the input: a tar of one file, compressed in some way, and restores it with another
/// file. The first byte is the way, the next are where the file is wrong, and how.
pub(crate) fn check(input: &[u8]) {
    let Some((&[level, low, high, change], content)) = input.split_first_chunk() else {
        return;
    };
    let layer = compress(&tar_of(content), level);
    let recipe = ingest(&layer, &[usize::MAX]).unwrap();
    let right = restore_parts(&recipe, &mut |_, offset, length| {
        part(content, offset, length)
    });
    let right: Vec<Vec<u8>> = right.unwrap().into_iter().map(Result::unwrap).collect();
    assert!(right.concat() == layer, "layers differ");

    let mut other = content.to_vec();
    let at = usize::from(u16::from_le_bytes([low, high])) % content.len().max(1);
    if let Some(byte) = other.get_mut(at) {
        *byte ^= change;
    }
    let parts = restore_parts(&recipe, &mut |_, offset, length| {
        part(&other, offset, length)
    });
    assert_right_or_error(parts.unwrap(), &right);

    // A file that is too short or too long.
    let parts = restore_parts(&recipe, &mut |_, offset, length| {
        let mut bytes = part(content, offset, length);
        bytes.resize(bytes.len().saturating_sub(1) ^ usize::from(change >> 6), 0);
        bytes
    });
    assert_right_or_error(parts.unwrap(), &right);
}

fn assert_right_or_error<E>(parts: Vec<Result<Vec<u8>, E>>, right: &[Vec<u8>]) {
    assert_eq!(parts.len(), right.len());
    for (got, expected) in parts.into_iter().zip(right) {
        if let Ok(bytes) = got {
            assert!(bytes == *expected, "wrong bytes");
        }
    }
}

fn part(content: &[u8], offset: u64, length: u64) -> Vec<u8> {
    let (offset, length) = (
        usize::try_from(offset).unwrap(),
        usize::try_from(length).unwrap(),
    );
    content[offset..offset + length].to_vec()
}

/// A tar of one file: the header of a regular file, and content up to a whole block.
fn tar_of(content: &[u8]) -> Vec<u8> {
    let mut tar = vec![0; 512];
    tar[..4].copy_from_slice(b"file");
    tar[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
    tar[148..156].fill(b' ');
    tar[156] = b'0';
    tar[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = tar.iter().map(|byte| u32::from(*byte)).sum();
    tar[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    tar.extend_from_slice(content);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}

/// Not at all, by libzstd, or by zlib's levels; stored blocks are among these.
fn compress(tar: &[u8], level: u8) -> Vec<u8> {
    let level = u32::from(level % 12);
    if level == 10 {
        return tar.to_vec();
    }
    if level == 11 {
        let call = ZstdCall::new(3, true, false).unwrap();
        let (mut encoder, mut frame) = (FrameEncoder::new(call, 0).unwrap(), Vec::new());
        encoder.finish(tar, &mut frame).unwrap();
        return frame;
    }
    let mut encoder = GzEncoder::new(Vec::new(), Compression::new(level));
    encoder.write_all(tar).unwrap();
    encoder.finish().unwrap()
}
