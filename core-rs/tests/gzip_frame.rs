//! Frames of gzip members: those that real compressors write, and laws for any bytes.
#![expect(
    clippy::unwrap_used,
    reason = "a failed step is a failed test; clippy knows only test functions"
)]

use mica_core::gzip::{MemberCheck, parse_header, parse_trailer};
use proptest::prelude::*;

#[path = "laws/gzip_header.rs"]
mod laws;

/// A whole member with the plain text `hello\n`.
struct Fixture {
    /// What made it. `a.txt` was last modified at 2024-01-02T03:04:05Z.
    made_by: &'static str,
    hex: &'static str,
    header_size: usize,
    /// FLG, MTIME, XFL, OS.
    fields: (u8, u32, u8, u8),
}

const MODIFIED: u32 = 1_704_164_645;

const FIXTURES: [Fixture; 17] = [
    Fixture {
        made_by: "gzip 1.12: gzip -c a.txt",
        hex: "1f8b0808257d93650003612e74787400cb48cdc9c9e7020020303a3606000000",
        header_size: 16,
        fields: (0x08, MODIFIED, 0, 3),
    },
    Fixture {
        made_by: "gzip 1.12: gzip -n -c a.txt",
        hex: "1f8b0800000000000003cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 0, 3),
    },
    Fixture {
        made_by: "gzip 1.12: gzip -9 -c a.txt",
        hex: "1f8b0808257d93650203612e74787400cb48cdc9c9e7020020303a3606000000",
        header_size: 16,
        fields: (0x08, MODIFIED, 2, 3),
    },
    Fixture {
        made_by: "gzip 1.12: gzip -1 -c a.txt",
        hex: "1f8b0808257d93650403612e74787400cb48cdc9c9e7020020303a3606000000",
        header_size: 16,
        fields: (0x08, MODIFIED, 4, 3),
    },
    Fixture {
        made_by: "gzip 1.12: gzip < a.txt",
        hex: "1f8b0800257d93650003cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, MODIFIED, 0, 3),
    },
    Fixture {
        made_by: "pigz 2.6: pigz -c a.txt",
        hex: "1f8b0808257d93650003612e74787400cb48cdc9c9e7020020303a3606000000",
        header_size: 16,
        fields: (0x08, MODIFIED, 0, 3),
    },
    Fixture {
        made_by: "pigz 2.6: pigz -1 -n -c a.txt",
        hex: "1f8b0800000000000403cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 4, 3),
    },
    Fixture {
        made_by: "pigz 2.6: pigz -C hi -c a.txt",
        hex: "1f8b0818257d93650003612e74787400686900cb48cdc9c9e7020020303a3606000000",
        header_size: 19,
        fields: (0x18, MODIFIED, 0, 3),
    },
    Fixture {
        made_by: "Go 1.26: gzip.NewWriter, as in dockerd and BuildKit",
        hex: "1f8b08000000000000ffca48cdc9c9e702040000ffff20303a3606000000",
        header_size: 10,
        fields: (0, 0, 0, 255),
    },
    Fixture {
        made_by: "Go 1.26: Extra = {'S','G',2,0,1,2}, Name = \"n\\u00e9\", Comment = \"c\"",
        hex: "1f8b081c0000000000ff06005347020001026ee9006300ca48cdc9c9e702040000ffff20303a3606000000",
        header_size: 23,
        fields: (0x1c, 0, 0, 255),
    },
    Fixture {
        made_by: "klauspost/pgzip 1.2.6: pgzip.NewWriter, as in buildah and podman; year 1 as MTIME",
        hex: "1f8b080000096e8800ff000600f9ff68656c6c6f0a000000ffff030020303a3606000000",
        header_size: 10,
        fields: (0, 0x886e_0900, 0, 255),
    },
    Fixture {
        made_by: "Python 3.11: GzipFile('a.tar', 'wb', 9, buffer, mtime=0), as in tarfile",
        hex: "1f8b08080000000002ff612e74617200cb48cdc9c9e7020020303a3606000000",
        header_size: 16,
        fields: (0x08, 0, 2, 255),
    },
    Fixture {
        made_by: "Python 3.11: gzip.compress(text, mtime=0)",
        hex: "1f8b0800000000000203cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 2, 3),
    },
    Fixture {
        made_by: "OpenJDK 17: GZIPOutputStream, as in jib",
        hex: "1f8b08000000000000ffcb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 0, 255),
    },
    Fixture {
        made_by: "OpenJDK 15 and before: the same, but zeros for OS (written by hand)",
        hex: "1f8b0800000000000000cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 0, 0),
    },
    Fixture {
        made_by: "Node 20: zlib.gzipSync",
        hex: "1f8b0800000000000003cb48cdc9c9e7020020303a3606000000",
        header_size: 10,
        fields: (0, 0, 0, 3),
    },
    Fixture {
        made_by: "gzip 1.12 -n with FTEXT, FHCRC and all zero CRC set by hand",
        hex: "1f8b08030000000000030000cb48cdc9c9e7020020303a3606000000",
        header_size: 12,
        fields: (0x03, 0, 0, 3),
    },
];

fn bytes_of(hex: &str) -> Vec<u8> {
    let digits: Vec<u32> = hex
        .chars()
        .map(|digit| digit.to_digit(16).unwrap())
        .collect();
    let pairs = digits.chunks(2).map(|pair| pair[0] * 16 + pair[1]);
    pairs.map(|byte| u8::try_from(byte).unwrap()).collect()
}

#[test]
fn parse_header_reads_the_headers_of_real_compressors() {
    for fixture in FIXTURES {
        let stream = bytes_of(fixture.hex);
        let header = parse_header(&stream).unwrap();
        let fields = (
            header.flags(),
            header.modification_time(),
            header.extra_flags(),
            header.operating_system(),
        );
        assert_eq!(fields, fixture.fields, "{}", fixture.made_by);
        let expected = &stream[..fixture.header_size];
        assert_eq!(header.as_bytes(), expected, "{}", fixture.made_by);
    }
}

#[test]
fn member_check_gives_the_trailers_of_real_compressors() {
    for fixture in FIXTURES {
        let stream = bytes_of(fixture.hex);
        let written = parse_trailer(&stream[stream.len() - 8..]).unwrap();
        let mut check = MemberCheck::new();
        check.update(b"hello\n");
        assert_eq!(check.finish(), written, "{}", fixture.made_by);
    }
}

/// Bytes that are a header up to a few changed ones, with something after.
fn nearly_header() -> impl Strategy<Value = Vec<u8>> {
    let flags = prop_oneof![9 => 0..32_u8, 1 => any::<u8>()];
    let tail = prop::collection::vec(prop_oneof![2 => Just(0_u8), 3 => any::<u8>()], 0..80);
    (flags, tail).prop_map(|(flags, tail)| [&[0x1f, 0x8b, 8, flags], &tail[..]].concat())
}

proptest! {
    #[test]
    fn parse_header_keeps_its_laws_on_near_headers(input in nearly_header(), cut in 0..90_usize) {
        laws::check(&input, cut);
    }

    #[test]
    fn parse_header_keeps_its_laws_on_any_bytes(
        input in prop::collection::vec(any::<u8>(), 0..40),
        cut in 0..40_usize,
    ) {
        laws::check(&input, cut);
    }

    #[test]
    fn parse_trailer_reads_any_eight_bytes_and_gives_them_back(bytes in any::<[u8; 8]>()) {
        prop_assert_eq!(parse_trailer(&bytes).unwrap().encode(), bytes);
    }
}
