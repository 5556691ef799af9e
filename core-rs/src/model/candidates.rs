//! The compressors that a stream is tried for, the likeliest ones first.

use super::compressor::{
    Compressor, GoLevel, KlauspostRelease, LITERALS_LEVEL, PigzHistory, ZlibStrategy,
};

const fn go(level: u8) -> Compressor {
    Compressor::Go(GoLevel::Level(level))
}

const fn klauspost(release: KlauspostRelease, level: i8) -> Compressor {
    Compressor::Klauspost { release, level }
}

const fn pgzip(release: KlauspostRelease, level: i8) -> Compressor {
    Compressor::Pgzip { release, level }
}

const fn zlib(level: u8, strategy: ZlibStrategy, memory_level: u8) -> Compressor {
    Compressor::Zlib {
        level,
        strategy,
        memory_level,
    }
}

const fn pigz(level: u8, block_size: u16, history: PigzHistory) -> Compressor {
    Compressor::Pigz {
        level,
        block_size,
        history,
    }
}

use KlauspostRelease::{V1_11, V1_12, V1_15, V1_18_0, V1_20_4};
use PigzHistory::{Cleared, Kept, Primed};
use ZlibStrategy::{Default, Filtered, Literals, RunLength};

/// One of each that finds other repeats. Those that only write other headers are told apart by
/// [`same_search`].
pub const CANDIDATES: &[Compressor] = &[
    go(6),
    pgzip(V1_20_4, 5),
    klauspost(V1_20_4, 5),
    klauspost(V1_20_4, 6),
    zlib(6, Default, 8),
    go(1),
    klauspost(V1_20_4, 1),
    zlib(9, Default, 8),
    pigz(6, 128, Primed),
    pgzip(V1_20_4, 6),
    pgzip(V1_20_4, 1),
    pgzip(V1_12, 5),
    pgzip(V1_11, 5),
    klauspost(V1_12, 5),
    klauspost(V1_11, 5),
    go(9),
    pigz(9, 128, Primed),
    zlib(1, Default, 8),
    go(5),
    go(7),
    go(8),
    go(4),
    go(3),
    go(2),
    Compressor::Go(GoLevel::Literals),
    klauspost(V1_20_4, 2),
    klauspost(V1_20_4, 3),
    klauspost(V1_20_4, 4),
    klauspost(V1_15, 4),
    klauspost(V1_12, 6),
    klauspost(V1_11, 6),
    klauspost(V1_12, 4),
    klauspost(V1_15, 9),
    klauspost(V1_20_4, 7),
    klauspost(V1_20_4, 8),
    klauspost(V1_20_4, 9),
    pgzip(V1_20_4, 2),
    pgzip(V1_20_4, 3),
    pgzip(V1_20_4, 4),
    pgzip(V1_12, 6),
    pgzip(V1_11, 6),
    pgzip(V1_20_4, 7),
    pgzip(V1_20_4, 8),
    pgzip(V1_20_4, 9),
    zlib(5, Default, 8),
    zlib(7, Default, 8),
    zlib(8, Default, 8),
    zlib(4, Default, 8),
    zlib(3, Default, 8),
    zlib(2, Default, 8),
    zlib(6, Default, 9),
    zlib(9, Default, 9),
    zlib(6, Filtered, 8),
    zlib(9, Filtered, 8),
    zlib(6, RunLength, 8),
    Compressor::Chromium { level: 6 },
    Compressor::Chromium { level: 9 },
    Compressor::Chromium { level: 1 },
    Compressor::Chromium { level: 2 },
    Compressor::Chromium { level: 3 },
    Compressor::Chromium { level: 4 },
    Compressor::Chromium { level: 5 },
    Compressor::Chromium { level: 7 },
    Compressor::Chromium { level: 8 },
    zlib(6, Default, 1),
    pigz(1, 128, Primed),
    pigz(2, 128, Primed),
    pigz(3, 128, Primed),
    pigz(4, 128, Primed),
    pigz(5, 128, Primed),
    pigz(7, 128, Primed),
    pigz(8, 128, Primed),
    pigz(6, 128, Kept),
    pigz(9, 128, Kept),
    pigz(6, 128, Cleared),
    pigz(9, 128, Cleared),
];

/// Those that find the same repeats as a candidate and may write other headers, itself first.
#[must_use]
pub fn same_search(compressor: Compressor) -> Vec<Compressor> {
    let mut all = vec![compressor];
    match compressor {
        Compressor::Klauspost {
            release: V1_20_4,
            level,
        } => {
            all.extend(later_releases(level).map(|release| klauspost(release, level)));
        }
        Compressor::Pgzip {
            release: V1_20_4,
            level,
        } => {
            all.extend(later_releases(level).map(|release| pgzip(release, level)));
        }
        Compressor::Go(GoLevel::Literals) => {
            all.push(zlib(6, Literals, 8));
            all.extend(
                KlauspostRelease::ALL
                    .into_iter()
                    .map(|release| klauspost(release, LITERALS_LEVEL)),
            );
        }
        _ => {}
    }
    all
}

/// Releases that find the same repeats as the latest, which is not among them. Level 4 changed with
/// v1.18, all levels with v1.15.
fn later_releases(level: i8) -> impl Iterator<Item = KlauspostRelease> {
    let first = if level == 4 { V1_18_0 } else { V1_15 };
    KlauspostRelease::ALL
        .into_iter()
        .filter(move |release| *release >= first && *release != V1_20_4)
        .rev()
}
