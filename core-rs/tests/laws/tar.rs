//! Laws of the tar parser for any input. The tests and the fuzz target share this file.

use mica_core::tar::{FileEnd, FileEntry, SparseFormat, TarParser, TarSink};

/// What a parser told, with runs of bytes put together.
#[derive(Debug, PartialEq)]
enum Event {
    Literal(Vec<u8>),
    Begin(u64, Vec<u8>, Option<SparseFormat>),
    Content(Vec<u8>),
    End(FileEnd),
}

#[derive(Default)]
struct Events(Vec<Event>);

impl TarSink for Events {
    fn literal(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        match self.0.last_mut() {
            Some(Event::Literal(run)) => run.extend_from_slice(bytes),
            _ => self.0.push(Event::Literal(bytes.to_vec())),
        }
    }
    fn begin_file(&mut self, entry: FileEntry<'_>) {
        let path = entry.path.to_vec();
        self.0.push(Event::Begin(entry.size, path, entry.sparse));
    }
    fn content(&mut self, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        match self.0.last_mut() {
            Some(Event::Content(run)) => run.extend_from_slice(bytes),
            _ => self.0.push(Event::Content(bytes.to_vec())),
        }
    }
    fn end_file(&mut self, end: FileEnd) {
        self.0.push(Event::End(end));
    }
}

fn events(pieces: &[&[u8]]) -> Vec<Event> {
    let (mut parser, mut sink) = (TarParser::new(), Events::default());
    for piece in pieces {
        assert_eq!(parser.push(piece, &mut sink), Ok(()));
    }
    assert_eq!(parser.finish(&mut sink), Ok(()));
    sink.0
}

/// The input comes back; content stands only in files and is as long as they say; cutting the input
/// changes nothing. `cuts` are the sizes of pieces, used over and over; 0 is an empty
/// piece and one of a byte.
pub(crate) fn check(input: &[u8], cuts: &[usize]) {
    let whole = events(&[input]);
    assert_eq!(joined(&whole), input);
    check_files(&whole);
    assert_eq!(events(&pieces(input, cuts)), whole);
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

fn check_files(mut events: &[Event]) {
    while !events.is_empty() {
        events = match events {
            [Event::Literal(_), rest @ ..] => rest,
            [Event::Begin(size, _, _), Event::End(end), rest @ ..] => {
                check_end(*size, 0, *end);
                rest
            }
            [
                Event::Begin(size, _, _),
                Event::Content(run),
                Event::End(end),
                rest @ ..,
            ] => {
                check_end(*size, run.len() as u64, *end);
                rest
            }
            rest => {
                assert_eq!(rest, [], "events out of order");
                return;
            }
        }
    }
}

fn check_end(size: u64, got: u64, end: FileEnd) {
    let expected = match end {
        FileEnd::Complete => got == size,
        FileEnd::Truncated => got < size,
    };
    assert!(expected, "{got} bytes of {size}: {end:?}");
}

fn pieces<'a>(mut input: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for cut in cuts.iter().cycle() {
        if input.is_empty() {
            break;
        }
        if *cut == 0 {
            pieces.push(&input[..0]);
        }
        let (piece, rest) = input.split_at((*cut).clamp(1, input.len()));
        pieces.push(piece);
        input = rest;
    }
    pieces
}
