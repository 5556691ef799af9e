//! The model of any compressor, made when it is first needed.

use super::Model;
use super::compressor::{Compressor, GoLevel, KlauspostRelease, PigzHistory, ZlibStrategy};
use super::go_fast::GoFast;
use super::go_greedy::GoGreedy;
use super::go_lazy::GoLazy;
use super::klauspost::{
    self, Calls, FlushKind, Level1, Level2, Level3, Level4, Level5, Level6, Version,
};
use super::literals::Literals;
use super::zlib::{History, ZlibOptions};
use super::zlib_fast::ZlibFast;
use super::zlib_lazy::ZlibLazy;
use super::zlib_run_length::ZlibRunLength;

/// Something to be done with a model, whichever it is.
pub trait ModelUser {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<M: Model>(self, model: &mut M) -> Self::Output;
}

/// The model of one compressor at a time, up to 4 MiB. It keeps its tables, so keep it for many
/// segments; each thread has its own.
#[derive(Debug, Default)]
pub struct Models {
    last: Option<(Compressor, AnyModel)>,
}

#[derive(Debug)]
enum AnyModel {
    Literals(Literals),
    GoFast(Box<GoFast>),
    GoGreedy(Box<GoGreedy>),
    GoLazy(Box<GoLazy>),
    ZlibFast(Box<ZlibFast>),
    ZlibLazy(Box<ZlibLazy>),
    ZlibRunLength(Box<ZlibRunLength>),
    Klauspost1(Box<Calls<Level1>>),
    Klauspost2(Box<Calls<Level2>>),
    Klauspost3(Box<Calls<Level3>>),
    Klauspost4(Box<Calls<Level4>>),
    Klauspost5(Box<Calls<Level5>>),
    Klauspost6(Box<Calls<Level6>>),
}

impl AnyModel {
    fn new(compressor: Compressor) -> Self {
        match compressor {
            Compressor::Unknown => Self::Literals(Literals),
            Compressor::Go(level) => Self::go(level),
            Compressor::Klauspost { release, level } => {
                Self::klauspost(release, level, FlushKind::Keeps)
            }
            Compressor::Pgzip { release, level } => {
                Self::klauspost(release, level, FlushKind::Restarts)
            }
            Compressor::Zlib {
                level,
                strategy,
                memory_level,
            } => Self::zlib(level, strategy, memory_level),
            Compressor::Chromium { level } => Self::zlib_search(ZlibOptions {
                is_chromium: true,
                ..ZlibOptions::new(level)
            }),
            Compressor::Pigz {
                level,
                block_size,
                history,
            } => {
                let history = match history {
                    PigzHistory::Kept => History::Kept,
                    PigzHistory::Primed => History::Primed,
                    PigzHistory::Cleared => History::Cleared,
                };
                Self::zlib_search(ZlibOptions::pigz(
                    level,
                    usize::from(block_size) << 10,
                    history,
                ))
            }
        }
    }

    fn go(level: GoLevel) -> Self {
        match level {
            GoLevel::Literals => Self::Literals(Literals),
            GoLevel::Level(1) => Self::GoFast(Box::default()),
            GoLevel::Level(level @ 2..=3) => Self::GoGreedy(Box::new(GoGreedy::new(level))),
            GoLevel::Level(level) => Self::GoLazy(Box::new(GoLazy::new(level))),
        }
    }

    fn klauspost(release: KlauspostRelease, level: i8, flush: FlushKind) -> Self {
        let version = match release {
            KlauspostRelease::V1_11 => Version::V11,
            KlauspostRelease::V1_12 | KlauspostRelease::V1_14 => Version::V12,
            KlauspostRelease::V1_15 => Version::V15,
            _ => Version::V18,
        };
        match level {
            1 => Self::Klauspost1(Box::new(klauspost::level1(version, flush))),
            2 => Self::Klauspost2(Box::new(klauspost::level2(version, flush))),
            3 => Self::Klauspost3(Box::new(klauspost::level3(version, flush))),
            4 => Self::Klauspost4(Box::new(klauspost::level4(version, flush))),
            5 => Self::Klauspost5(Box::new(klauspost::level5(version, flush))),
            6 => Self::Klauspost6(Box::new(klauspost::level6(version, flush))),
            _ => Self::Literals(Literals),
        }
    }

    fn zlib(level: u8, strategy: ZlibStrategy, memory_level: u8) -> Self {
        match strategy {
            ZlibStrategy::Literals => Self::Literals(Literals),
            ZlibStrategy::RunLength => Self::ZlibRunLength(Box::default()),
            ZlibStrategy::Default | ZlibStrategy::Filtered => Self::zlib_search(ZlibOptions {
                is_filtered: strategy == ZlibStrategy::Filtered,
                memory_level,
                ..ZlibOptions::new(level)
            }),
        }
    }

    fn zlib_search(options: ZlibOptions) -> Self {
        if options.level < 4 {
            Self::ZlibFast(Box::new(ZlibFast::new(options)))
        } else {
            Self::ZlibLazy(Box::new(ZlibLazy::new(options)))
        }
    }
}

impl Models {
    /// Runs `user` with the compressor's model.
    pub fn with<U: ModelUser>(&mut self, compressor: Compressor, user: U) -> U::Output {
        let last = self.last.take().filter(|(of, _)| *of == compressor);
        let (_, model) = self
            .last
            .insert(last.unwrap_or_else(|| (compressor, AnyModel::new(compressor))));
        match model {
            AnyModel::Literals(model) => user.run(model),
            AnyModel::GoFast(model) => user.run(model.as_mut()),
            AnyModel::GoGreedy(model) => user.run(model.as_mut()),
            AnyModel::GoLazy(model) => user.run(model.as_mut()),
            AnyModel::ZlibFast(model) => user.run(model.as_mut()),
            AnyModel::ZlibLazy(model) => user.run(model.as_mut()),
            AnyModel::ZlibRunLength(model) => user.run(model.as_mut()),
            AnyModel::Klauspost1(model) => user.run(model.as_mut()),
            AnyModel::Klauspost2(model) => user.run(model.as_mut()),
            AnyModel::Klauspost3(model) => user.run(model.as_mut()),
            AnyModel::Klauspost4(model) => user.run(model.as_mut()),
            AnyModel::Klauspost5(model) => user.run(model.as_mut()),
            AnyModel::Klauspost6(model) => user.run(model.as_mut()),
        }
    }
}
