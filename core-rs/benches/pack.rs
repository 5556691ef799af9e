//! Measures block length and compression level on the unique files of tar archives:
//! `cargo bench -p mica-core --bench pack -- TAR...`. Every pack is decoded and compared.
#![expect(
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a bench reads a corpus, takes the time, prints its table, and stops at what fails"
)]

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use mica_core::digest::FileId;
use mica_core::pack::{BlockLimits, PackOptions, PackWriter, PackedBlock, decode_block};
use mica_core::tar::{FileEnd, FileEntry, TarParser, TarSink};

const BLOCK_LENGTHS: [u32; 5] = [131_072, 262_144, 524_288, 1_048_576, 2_097_152];
const LEVELS: [i32; 5] = [1, 3, 6, 9, 12];
/// Decoding is timed this often; the shortest time counts.
const DECODE_RUNS: usize = 3;

/// The unique files of archives that are not empty, in order.
#[derive(Default)]
struct UniqueFiles {
    seen: BTreeSet<FileId>,
    files: Vec<(FileId, Vec<u8>)>,
    current: Vec<u8>,
}

impl TarSink for UniqueFiles {
    fn literal(&mut self, _: &[u8]) {}
    fn begin_file(&mut self, _: FileEntry<'_>) {
        self.current.clear();
    }
    fn content(&mut self, bytes: &[u8]) {
        self.current.extend_from_slice(bytes);
    }
    fn end_file(&mut self, _: FileEnd) {
        let id = FileId::of(&self.current);
        if !self.current.is_empty() && self.seen.insert(id) {
            self.files.push((id, std::mem::take(&mut self.current)));
        }
    }
}

fn unique_files(paths: &[String]) -> Vec<(FileId, Vec<u8>)> {
    let mut sink = UniqueFiles::default();
    for path in paths {
        let mut parser = TarParser::new();
        let tar = std::fs::read(path).unwrap();
        parser.push(&tar, &mut sink).unwrap();
        parser.finish(&mut sink).unwrap();
    }
    sink.files
}

fn write_pack(files: &[(FileId, Vec<u8>)], options: PackOptions) -> Vec<PackedBlock> {
    let mut writer = PackWriter::new(options).unwrap();
    let mut blocks = Vec::new();
    for (id, content) in files {
        let size = u64::try_from(content.len()).unwrap();
        writer.begin_file(*id, size).unwrap();
        blocks.extend(writer.push(content).unwrap());
        writer.end_file().unwrap();
    }
    blocks.extend(writer.flush().unwrap());
    blocks
}

fn read_pack(blocks: &[PackedBlock]) -> Vec<Vec<u8>> {
    let decode = |block: &PackedBlock| decode_block(&block.bytes, BlockLimits::default());
    blocks
        .iter()
        .map(|block| decode(block).unwrap().plain().to_vec())
        .collect()
}

/// What this thread has run so far, where the system tells (Linux): other work on the machine then
/// disturbs less than by the clock.
fn thread_time() -> Option<Duration> {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").ok()?;
    let nanoseconds = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let (start, clock) = (thread_time(), Instant::now());
    let result = work();
    let time = match (start, thread_time()) {
        (Some(start), Some(end)) => end.saturating_sub(start),
        _ => clock.elapsed(),
    };
    (result, time)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "three digits of a rate are shown"
)]
fn megabytes_per_second(bytes: usize, time: Duration) -> f64 {
    bytes as f64 / time.as_secs_f64() / 1e6
}

fn measure(files: &[(FileId, Vec<u8>)], plain: &[u8], options: PackOptions) {
    let (blocks, encode_time) = timed(|| write_pack(files, options));
    let decode_times = (0..DECODE_RUNS).map(|_| {
        let (decoded, time) = timed(|| read_pack(&blocks));
        assert!(decoded.concat() == plain, "decoded bytes differ");
        time
    });
    let decode_time = decode_times.min().unwrap();
    let stored: usize = blocks.iter().map(|block| block.bytes.len()).sum();
    println!(
        "| {} | {} | {stored} | {} | {:.0} | {:.0} |",
        options.block_length / 1024,
        options.level,
        blocks.len(),
        megabytes_per_second(plain.len(), encode_time),
        megabytes_per_second(plain.len(), decode_time),
    );
}

/// Checksums are computed this often in one measurement: the system counts time in ticks.
const CHECKSUM_RUNS: usize = 100;

/// How fast the stored bytes are hashed, against the cheapest checksum.
fn measure_checksums(files: &[(FileId, Vec<u8>)]) {
    let blocks = write_pack(files, PackOptions::default());
    let stored: usize = blocks.iter().map(|block| block.bytes.len()).sum();
    let rate = |checksum: &dyn Fn(&[u8]) -> u32| {
        let (sum, time) = timed(|| {
            let runs = (0..CHECKSUM_RUNS).flat_map(|_| &blocks);
            runs.fold(0_u32, |sum, block| sum.wrapping_add(checksum(&block.bytes)))
        });
        assert_ne!(sum, 0, "a sum that nobody reads is not computed");
        megabytes_per_second(stored * CHECKSUM_RUNS, time)
    };
    let hash = |bytes: &[u8]| {
        let hash = blake3::hash(bytes);
        u32::from_le_bytes(hash.as_bytes()[..4].try_into().unwrap())
    };
    println!("BLAKE3 {:.0} MB/s of stored bytes", rate(&hash));
    println!("CRC-32 {:.0} MB/s of stored bytes", rate(&crc32fast::hash));
}

fn main() {
    let is_path = |argument: &String| !argument.starts_with("--");
    let paths: Vec<String> = std::env::args().skip(1).filter(is_path).collect();
    if paths.is_empty() {
        println!("cargo bench -p mica-core --bench pack -- TAR...");
        return;
    }
    let files = unique_files(&paths);
    let plain: Vec<u8> = files
        .iter()
        .flat_map(|(_, content)| content.clone())
        .collect();
    println!("{} unique files, {} bytes", files.len(), plain.len());
    println!("rates by the time that the thread ran");
    measure_checksums(&files);
    println!("| block KiB | level | pack bytes | blocks | encode MB/s | decode MB/s |");
    println!("|---|---|---|---|---|---|");
    for block_length in BLOCK_LENGTHS {
        for level in LEVELS {
            let options = PackOptions {
                block_length,
                level,
            };
            measure(&files, &plain, options);
        }
    }
}
