//! Says how many block headers of a gzip file each builder of tables predicts.
//!
//! `cargo run --release --example headers -- FILE [BUILDER]`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a tool for a terminal that measures time"
)]

use std::time::{Duration, Instant};

use mica_core::deflate::{
    BitReader, BitWriter, Block, BlockHeader, BlockKind, InflateOptions, Inflater, Token,
    write_header,
};
use mica_core::model::tables::{
    BlockFacts, CallLimit, Frequencies, KlauspostLevel, KlauspostVersion, TableBuilder,
};

struct ReadBlock {
    block: Block,
    tokens: Vec<Token>,
    plain: Vec<u8>,
    /// Bytes of plain text in all blocks before.
    start: u64,
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = std::fs::read(arguments.next().unwrap()).unwrap();
    let wanted = arguments.next();
    let blocks = read_blocks(&file);
    for (name, builder) in builders() {
        if wanted
            .as_ref()
            .is_none_or(|wanted| name.starts_with(wanted))
        {
            println!("{name:24} {}", Report::of(builder, &blocks));
        }
    }
}

fn builders() -> Vec<(&'static str, TableBuilder)> {
    use KlauspostLevel::{Fast, Lazy, Literals};
    use KlauspostVersion::{V1_11, V1_12, V1_14, V1_18_1, V1_18_2, V1_20_4};
    let klauspost = TableBuilder::klauspost;
    vec![
        ("go", TableBuilder::Go),
        ("go-fast", TableBuilder::GoFast),
        ("zlib", TableBuilder::Zlib),
        ("pigz", TableBuilder::Pigz),
        ("klauspost-1.11-fast", klauspost(V1_11, Fast)),
        ("klauspost-1.12-fast", klauspost(V1_12, Fast)),
        ("klauspost-1.14-fast", klauspost(V1_14, Fast)),
        ("klauspost-1.18.1-fast", klauspost(V1_18_1, Fast)),
        ("klauspost-1.18.2-fast", klauspost(V1_18_2, Fast)),
        ("klauspost-1.20.4-fast", klauspost(V1_20_4, Fast)),
        ("klauspost-1.11-lazy", klauspost(V1_11, Lazy)),
        ("klauspost-1.14-lazy", klauspost(V1_14, Lazy)),
        ("klauspost-1.18.1-lazy", klauspost(V1_18_1, Lazy)),
        ("klauspost-1.18.2-lazy", klauspost(V1_18_2, Lazy)),
        ("klauspost-1.20.4-lazy", klauspost(V1_20_4, Lazy)),
        ("klauspost-1.11-literals", klauspost(V1_11, Literals)),
        ("klauspost-1.18.2-literals", klauspost(V1_18_2, Literals)),
        ("klauspost-1.20.4-literals", klauspost(V1_20_4, Literals)),
    ]
}

/// Length of a gzip header (RFC 1952 §2.3).
fn gzip_header(file: &[u8]) -> usize {
    let flags = file[3];
    let mut offset = 10;
    if flags & 4 != 0 {
        offset += 2 + usize::from(u16::from_le_bytes([file[offset], file[offset + 1]]));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            offset += file[offset..].iter().position(|&byte| byte == 0).unwrap() + 1;
        }
    }
    offset + if flags & 2 == 0 { 0 } else { 2 }
}

fn read_blocks(file: &[u8]) -> Vec<ReadBlock> {
    let deflate = &file[gzip_header(file)..];
    let mut reader = BitReader::new(deflate);
    let mut inflater = Inflater::new(InflateOptions::default());
    let mut blocks = Vec::new();
    loop {
        let start = inflater.total();
        let mut tokens = Vec::new();
        let block = inflater.read_block(&mut reader, &mut tokens).unwrap();
        let is_final = block.header.is_final;
        blocks.push(ReadBlock {
            block,
            tokens,
            plain: inflater.plain().to_vec(),
            start,
        });
        if is_final {
            return blocks;
        }
    }
}

/// The tokens of each call that made a block, with the plain bytes in them.
fn calls(block: &ReadBlock, limit: CallLimit) -> Vec<(Frequencies, u64)> {
    if block.tokens.is_empty() {
        return vec![(
            Frequencies::of_plain(&block.plain),
            block.plain.len() as u64,
        )];
    }
    let mut calls = Vec::new();
    let (mut from, mut plain) = (0, 0);
    let mut cut = |from: usize, to: usize, plain: u64| {
        calls.push((Frequencies::of_tokens(&block.tokens[from..to]), plain));
    };
    for (index, token) in block.tokens.iter().enumerate() {
        plain += token.length() as u64;
        let is_full = match limit {
            CallLimit::Block => false,
            CallLimit::Plain(limit) => plain >= limit,
            CallLimit::Tokens(limit) => (index + 1 - from) as u64 >= limit,
        };
        if is_full {
            cut(from, index + 1, plain);
            (from, plain) = (index + 1, 0);
        }
    }
    if from < block.tokens.len() {
        cut(from, block.tokens.len(), plain);
    }
    calls
}

/// Right predictions of so many.
#[derive(Default)]
struct Score(u64, u64);

impl Score {
    fn add(&mut self, is_right: bool) {
        self.0 += u64::from(is_right);
        self.1 += 1;
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.0, self.1)
    }
}

#[derive(Default)]
struct Report {
    dynamic: Score,
    fixed: Score,
    stored: Score,
    empty: Score,
    goes_on: Score,
    header_bits: u64,
    bits_left: u64,
    time: Duration,
}

impl Report {
    fn of(mut builder: TableBuilder, blocks: &[ReadBlock]) -> Self {
        let mut report = Self::default();
        let mut piece = 0;
        for (index, block) in blocks.iter().enumerate() {
            report.add_block(&mut builder, blocks, index, piece);
            if block.plain.is_empty() {
                piece = block.start;
            }
        }
        report
    }

    fn add_block(
        &mut self,
        builder: &mut TableBuilder,
        blocks: &[ReadBlock],
        index: usize,
        piece: u64,
    ) {
        let block = &blocks[index];
        let header = &block.block.header;
        let calls = calls(block, builder.call_limit());
        let ends_piece = blocks
            .get(index + 1)
            .is_some_and(|next| next.plain.is_empty());
        let mut end = block.start;
        for (number, (frequencies, plain_length)) in calls.iter().enumerate() {
            end += plain_length;
            let is_last = number + 1 == calls.len();
            let facts = BlockFacts {
                frequencies,
                plain_length: *plain_length,
                is_final: header.is_final,
                is_flushed: (is_last && ends_piece)
                    || end > last_fill(blocks, index, piece, builder.call_limit()),
                bit_offset: block.block.bit_offset,
            };
            let begun = Instant::now();
            let predicted = builder.predict(&facts);
            self.time += begun.elapsed();
            let actual = (number == 0).then_some(&header.kind);
            self.add(header, predicted.as_ref(), actual, *plain_length);
            builder.follow(&facts, actual);
        }
    }

    fn add(
        &mut self,
        header: &BlockHeader,
        predicted: Option<&BlockKind>,
        actual: Option<&BlockKind>,
        plain_length: u64,
    ) {
        let is_right = predicted == actual;
        let score = match actual {
            None => &mut self.goes_on,
            Some(_) if plain_length == 0 => &mut self.empty,
            Some(BlockKind::Stored { .. }) => &mut self.stored,
            Some(BlockKind::Fixed) => &mut self.fixed,
            Some(BlockKind::Dynamic(_)) => &mut self.dynamic,
        };
        score.add(is_right);
        if actual.is_some() {
            let mut writer = BitWriter::new();
            write_header(&mut writer, header).unwrap();
            self.header_bits += writer.bit_length();
            if !is_right {
                self.bits_left += writer.bit_length();
            }
        }
    }
}

/// The plain text up to where klauspost's lazy encoder had gone when it was told to flush.
fn last_fill(blocks: &[ReadBlock], index: usize, piece: u64, limit: CallLimit) -> u64 {
    const HALF: u64 = 32_768;
    if !matches!(limit, CallLimit::Tokens(_)) {
        return u64::MAX;
    }
    let next = blocks[index..].iter().find(|block| block.plain.is_empty());
    let length = next.map_or(u64::MAX, |next| next.start) - piece;
    let filled = length.saturating_sub(1) / HALF * HALF;
    piece
        + if filled < 2 * HALF {
            0
        } else {
            filled.saturating_sub(262)
        }
}

impl std::fmt::Display for Report {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let predictions =
            self.dynamic.1 + self.fixed.1 + self.stored.1 + self.empty.1 + self.goes_on.1;
        write!(
            formatter,
            "dynamic {}, fixed {}, stored {}, empty {}, goes on {}; header bytes {}, left {}; {:.1} us each",
            self.dynamic,
            self.fixed,
            self.stored,
            self.empty,
            self.goes_on,
            self.header_bits / 8,
            self.bits_left / 8,
            self.time.as_secs_f64() * 1e6 / predictions.max(1) as f64,
        )
    }
}
