//! Says how many block headers of a gzip file each builder of tables predicts.
//!
//! `cargo run --release --example headers -- FILE [BUILDER]`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::cast_precision_loss,
    reason = "a tool for a terminal that measures time"
)]

use std::time::{Duration, Instant};

use mica_core::deflate::{
    BitReader, BitWriter, BlockHeader, BlockKind, Inflater, PieceEnd, Token, write_header,
};
use mica_core::gzip::parse_header;
use mica_core::model::tables::{
    BlockFacts, BlockPlace, CallLimit, Frequencies, KlauspostLevel, KlauspostVersion, TableBuilder,
};

struct ReadBlock {
    header: BlockHeader,
    bit_offset: u64,
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
    let pgzip = TableBuilder::pgzip;
    vec![
        ("go", TableBuilder::Go),
        ("go-fast", TableBuilder::GoFast),
        ("go-literals", TableBuilder::GoLiterals),
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
        ("pgzip-1.14-fast", pgzip(V1_14, Fast)),
        ("pgzip-1.20.4-fast", pgzip(V1_20_4, Fast)),
        ("pgzip-1.14-lazy", pgzip(V1_14, Lazy)),
        ("pgzip-1.20.4-lazy", pgzip(V1_20_4, Lazy)),
        ("klauspost-1.11-literals", klauspost(V1_11, Literals)),
        ("klauspost-1.18.2-literals", klauspost(V1_18_2, Literals)),
        ("klauspost-1.20.4-literals", klauspost(V1_20_4, Literals)),
    ]
}

fn read_blocks(file: &[u8]) -> Vec<ReadBlock> {
    let deflate = &file[parse_header(file).unwrap().as_bytes().len()..];
    let mut bits = BitReader::new(deflate);
    let mut inflater = Inflater::new(u64::MAX);
    let mut blocks = Vec::new();
    loop {
        let start = inflater.total();
        let mut tokens = Vec::new();
        let piece = inflater
            .read_piece(&mut bits, u64::MAX, &mut tokens)
            .unwrap();
        let is_last = piece.end == PieceEnd::Stream;
        blocks.push(ReadBlock {
            header: piece.header.unwrap(),
            bit_offset: piece.bit_offset,
            tokens,
            plain: inflater.plain().to_vec(),
            start,
        });
        if is_last {
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
    let mut rest = &block.tokens[..];
    while !rest.is_empty() {
        let (count, plain_length) = limit.first_call(rest);
        calls.push((Frequencies::of_tokens(&rest[..count]), plain_length));
        rest = &rest[count..];
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
    /// Without knowing what was open.
    block: Score,
    header_bits: u64,
    bits_left: u64,
    time: Duration,
}

impl Report {
    fn of(mut builder: TableBuilder, blocks: &[ReadBlock]) -> Self {
        let mut report = Self::default();
        let mut flushed = 0;
        for (index, block) in blocks.iter().enumerate() {
            report.add_block(&mut builder, blocks, index, flushed);
            if block.plain.is_empty() {
                flushed = block.start;
            }
        }
        report
    }

    /// `flushed`: bytes of plain text up to the last flush.
    fn add_block(
        &mut self,
        builder: &mut TableBuilder,
        blocks: &[ReadBlock],
        index: usize,
        flushed: u64,
    ) {
        let block = &blocks[index];
        let flush = blocks[index..].iter().find(|block| block.plain.is_empty());
        let mut place = BlockPlace {
            plain_length: block.plain.len() as u64,
            is_final: block.header.is_final,
            bit_offset: block.bit_offset,
            since_flush: block.start - flushed,
            input_length: flush.map_or(u64::MAX, |flush| flush.start - flushed),
        };
        if !block.tokens.is_empty() {
            self.block
                .add(builder.predict_block(&block.tokens, place) == block.header.kind);
        }
        for (number, (frequencies, plain_length)) in
            calls(block, builder.call_limit()).iter().enumerate()
        {
            place.plain_length = *plain_length;
            let facts = BlockFacts { frequencies, place };
            let predicted = builder.predict(&facts);
            self.time += (0..5).map(|_| time_of(builder, &facts)).min().unwrap();
            let actual = (number == 0).then_some(&block.header.kind);
            self.add(&block.header, predicted.as_ref(), actual, *plain_length);
            builder.follow(&facts, actual);
            place.since_flush += plain_length;
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

fn time_of(builder: &TableBuilder, facts: &BlockFacts<'_>) -> Duration {
    let begun = Instant::now();
    std::hint::black_box(builder.predict(facts));
    begun.elapsed()
}

impl std::fmt::Display for Report {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let predictions =
            self.dynamic.1 + self.fixed.1 + self.stored.1 + self.empty.1 + self.goes_on.1;
        write!(
            formatter,
            "dynamic {}, fixed {}, stored {}, empty {}, goes on {}, alone {}; header bytes {}, left {}; {:.1} us each",
            self.dynamic,
            self.fixed,
            self.stored,
            self.empty,
            self.goes_on,
            self.block,
            self.header_bits / 8,
            self.bits_left / 8,
            self.time.as_secs_f64() * 1e6 / predictions.max(1) as f64,
        )
    }
}
