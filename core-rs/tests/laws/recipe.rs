//! Laws of whatever is read as a recipe: it is an error, or its parts are as long as they say. Tests and
//! the fuzz target share this file.

use crate::restore::restore_parts;
use mica_core::model::CANDIDATES;
use mica_core::recipe::decode::RecipeBytes;
use mica_core::recipe::{
    Encoding, RecipeIndex, RecipeWriter, Section, SectionReader, SegmentRow, Summary,
};
use mica_core::restore::read_file_ids;
use mica_core::zstd_frame::ZstdCall;

/// Most tar that is restored, bytes: a recipe of a few can be for any amount.
const TAR_LIMIT: u64 = 4 << 20;
const HEADER: usize = 10;
const FOOTER: usize = 48;

/// Reads bytes as a recipe as they are; with checksums that fit, without which a fuzzer gets no
/// further than the footer; as the sections of one; and as what one keeps of segments.
pub(crate) fn check(input: &[u8]) {
    check_recipe(input);
    let mut sealed = input.to_vec();
    seal(&mut sealed);
    check_recipe(&sealed);
    check_recipe(&recipe_of_sections(input));
    check_recipe(&recipe_of_segments(input));
}

fn check_recipe(recipe: &[u8]) {
    let source = RecipeBytes(recipe);
    let Ok(index) = RecipeIndex::read(&source) else {
        return;
    };
    for section in Section::ALL {
        let size = index.section_size(section).min(1 << 20);
        let mut bytes = Vec::new();
        let mut reader = SectionReader::new(section);
        if reader.read(&source, &index, 0, size, &mut bytes).is_ok() {
            assert_eq!(u64::try_from(bytes.len()), Ok(size));
        }
    }
    if let Ok(ids) = read_file_ids(&source, &index) {
        let size = u64::try_from(ids.len() * 32);
        assert_eq!(size, Ok(index.section_size(Section::Files)));
    }
    if index.summary().tar_size > TAR_LIMIT {
        return;
    }
    let parts = restore_parts(recipe, &mut |place, offset, length| {
        let byte = place.offset.wrapping_add(offset).to_le_bytes()[0] & 3;
        vec![byte; usize::try_from(length).unwrap()]
    });
    if let Ok(parts) = parts {
        let sizes = parts.iter().flatten().map(Vec::len).sum::<usize>();
        assert!(u64::try_from(sizes).unwrap() <= index.summary().size);
    }
}

/// Makes the checksum of the directory fit, if it is stored as it is.
fn seal(bytes: &mut [u8]) {
    let Some(size) = bytes.len().checked_sub(HEADER + FOOTER) else {
        return;
    };
    bytes[..HEADER].copy_from_slice(b"MICARCPE\x01\0");
    let length = size.min(usize::from(bytes[HEADER]) * 8);
    let (body, footer) = bytes.split_at_mut(HEADER + size);
    let offset = HEADER + size - length;
    let check = blake3::hash(&body[offset..]);
    for (place, value) in footer.chunks_exact_mut(8).zip([offset, length, length]) {
        place.copy_from_slice(&u64::try_from(value).unwrap().to_le_bytes());
    }
    footer[24..40].copy_from_slice(&check.as_bytes()[..16]);
    footer[40..].copy_from_slice(b"EPCRACIM");
}

/// A recipe of which the input is the sections: a byte says which, two how much of it. The first bytes
/// are the summary.
fn recipe_of_sections(input: &[u8]) -> Vec<u8> {
    let mut numbers = [0; 4];
    let (head, mut rest) = input.split_at(input.len().min(8));
    for (number, bytes) in numbers.iter_mut().zip(head.chunks_exact(2)) {
        *number = u64::from(u16::from_le_bytes(bytes.try_into().unwrap()));
    }
    let [files, size, tar_size, encoding] = numbers;
    let mut writer = RecipeWriter::new();
    while let Some((&[kind, low, high], after)) = rest.split_first_chunk() {
        let length = usize::from(u16::from_le_bytes([low, high & 0x0f]));
        let (bytes, after) = after.split_at(length.min(after.len()));
        for _ in 0..if kind < 0x80 { 1 } else { 100 } {
            writer.append(Section::ALL[usize::from(kind & 7)], bytes);
        }
        rest = after;
    }
    writer
        .finish(&summary(encoding, size, tar_size, files))
        .bytes
}

fn summary(encoding: u64, size: u64, tar_size: u64, files: u64) -> Summary {
    Summary {
        encoding: match encoding & 3 {
            0 | 2 => Encoding::Gzip,
            1 => Encoding::Identity,
            _ => Encoding::Zstd(Ok(
                ZstdCall::new(1, encoding & 4 != 0, encoding & 8 != 0).unwrap()
            )),
        },
        digest: String::new(),
        size,
        diff_id: String::new(),
        tar_size,
        files,
    }
}

/// A recipe of which the input is the segments: eight bytes for a row, then its blocks, corrections and
/// framing. A third of the tar is a file.
fn recipe_of_segments(input: &[u8]) -> Vec<u8> {
    let mut writer = RecipeWriter::new();
    let (mut size, mut tar_size) = (0, 0);
    let mut rest = input;
    while let Some((
        &[
            compressor,
            low,
            high,
            blocks,
            corrections,
            framing,
            flush,
            stored,
        ],
        after,
    )) = rest.split_first_chunk()
    {
        let lengths = [blocks, corrections, framing & 7].map(usize::from);
        let mut bytes = [&[][..]; 3];
        rest = after;
        for (bytes, length) in bytes.iter_mut().zip(lengths) {
            (*bytes, rest) = rest.split_at(length.min(rest.len()));
        }
        let sizes = bytes.map(|bytes| u32::try_from(bytes.len()).unwrap());
        let row = SegmentRow {
            stored_size: u32::from(stored) * 8,
            plain_size: u32::from(u16::from_le_bytes([low, high])),
            framing_size: sizes[2],
            blocks_size: sizes[0],
            corrections_size: sizes[1],
            raw_size: 0,
            since_flush: u64::from(flush) * 0x55,
            compressor: CANDIDATES[usize::from(compressor) % CANDIDATES.len()],
            check: [0; 8],
        };
        size += u64::from(row.stored_size + row.framing_size);
        tar_size += u64::from(row.plain_size);
        writer.append(Section::Segments, &row.encode());
        for (section, bytes) in [Section::Blocks, Section::Corrections, Section::Framing]
            .into_iter()
            .zip(bytes)
        {
            writer.append(section, bytes);
        }
    }
    let files = add_tar(&mut writer, tar_size);
    writer.finish(&summary(0, size, tar_size, files)).bytes
}

/// Adds a tar of which a third is a file, and gives the number of files.
fn add_tar(writer: &mut RecipeWriter, size: u64) -> u64 {
    let file_size = size / 3;
    let skeleton = usize::try_from(size - file_size).unwrap();
    let text: Vec<u8> = b"a skeleton "
        .iter()
        .copied()
        .cycle()
        .take(skeleton)
        .collect();
    writer.append(Section::Skeleton, &text);
    if file_size == 0 {
        return 0;
    }
    writer.append(Section::Files, &[0; 32]);
    for mut number in [file_size, file_size] {
        let mut bytes = Vec::new();
        while number > 0x7f {
            bytes.push(number.to_le_bytes()[0] | 0x80);
            number >>= 7;
        }
        bytes.push(number.to_le_bytes()[0]);
        writer.append(Section::References, &bytes);
    }
    1
}
