//! Laws of the tar parser, on any bytes and on broken archives.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use mica_core::tar::{FileEnd, FileEntry, TarParser, TarSink};
use proptest::prelude::*;

#[derive(Debug, Clone, PartialEq)]
enum Event {
    Literal(Vec<u8>),
    Begin(u64, Vec<u8>),
    Content(Vec<u8>),
    End(FileEnd),
}

#[derive(Default)]
struct Events(Vec<Event>);

impl TarSink for Events {
    fn literal(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Event::Literal(run)) => run.extend_from_slice(bytes),
            _ => self.0.push(Event::Literal(bytes.to_vec())),
        }
    }
    fn begin_file(&mut self, entry: FileEntry<'_>) {
        self.0.push(Event::Begin(entry.size, entry.path.to_vec()));
    }
    fn content(&mut self, bytes: &[u8]) {
        match self.0.last_mut() {
            Some(Event::Content(run)) => run.extend_from_slice(bytes),
            _ => self.0.push(Event::Content(bytes.to_vec())),
        }
    }
    fn end_file(&mut self, end: FileEnd) {
        self.0.push(Event::End(end));
    }
}

fn events(input: &[u8], piece: usize) -> Vec<Event> {
    let (mut parser, mut sink) = (TarParser::new(), Events::default());
    for piece in input.chunks(piece) {
        parser.push(piece, &mut sink).unwrap();
    }
    parser.finish(&mut sink).unwrap();
    sink.0
}

fn joined(events: &[Event]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for event in events {
        if let Event::Literal(run) | Event::Content(run) = event {
            bytes.extend_from_slice(run);
        }
    }
    bytes
}

fn entry(kind: u8, path: &str, data: &[u8]) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..path.len()].copy_from_slice(path.as_bytes());
    block[124..136].copy_from_slice(format!("{:011o}\0", data.len()).as_bytes());
    block[148..156].fill(b' ');
    block[156] = kind;
    block[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block.extend_from_slice(data);
    block.resize(block.len().next_multiple_of(512), 0);
    block
}

fn archive() -> Vec<u8> {
    let mut tar = entry(b'x', "pax", b"9 path=p\n");
    tar.extend(entry(b'0', "a", b"hello"));
    tar.extend(entry(b'L', "long", b"long/name\0"));
    tar.extend(entry(b'0', "b", &[7; 600]));
    tar.extend(entry(b'0', "empty", b""));
    tar.extend([0; 1024]);
    tar
}

#[test]
fn push_finds_files_with_their_pax_and_gnu_paths() {
    let found: Vec<_> = events(&archive(), 100)
        .into_iter()
        .filter(|event| matches!(event, Event::Begin(..)))
        .collect();
    let begin = |size, path: &str| Event::Begin(size, path.as_bytes().to_vec());
    assert_eq!(
        found,
        [begin(5, "p"), begin(600, "long/name"), begin(0, "empty")]
    );
}

proptest! {
    #[test]
    fn push_gives_any_bytes_back(input in prop::collection::vec(any::<u8>(), 0..3000), piece in 1_usize..700) {
        prop_assert_eq!(joined(&events(&input, piece)), input);
    }

    #[test]
    fn push_gives_the_same_events_when_a_broken_archive_comes_in_pieces(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in any::<prop::sample::Index>(),
        piece in 1_usize..1500,
    ) {
        let mut input = archive();
        for (place, byte) in changes {
            let place = place.index(input.len());
            input[place] = byte;
        }
        input.truncate(cut.index(input.len()));
        let whole = events(&input, usize::MAX);
        prop_assert_eq!(joined(&whole), &input[..]);
        prop_assert_eq!(events(&input, piece), whole);
    }
}
