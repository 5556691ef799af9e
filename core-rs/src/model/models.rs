//! The model of any compressor, made when it is first needed.

use super::Model;
use super::compressor::{Compressor, GoLevel, PigzHistory, ZlibStrategy};
use super::go_fast::GoFast;
use super::go_greedy::GoGreedy;
use super::go_lazy::GoLazy;
use super::klauspost::{FlushKind, Klauspost};
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
    Klauspost(Box<Klauspost>),
    ZlibFast(Box<ZlibFast>),
    ZlibLazy(Box<ZlibLazy>),
    ZlibRunLength(Box<ZlibRunLength>),
}

impl AnyModel {
    fn new(compressor: Compressor) -> Self {
        match compressor {
            Compressor::Unknown => Self::Literals(Literals),
            Compressor::Go(level) => Self::go(level),
            Compressor::Klauspost { release, level } => {
                let model = Klauspost::new(release, level, FlushKind::Keeps);
                Self::Klauspost(Box::new(model))
            }
            Compressor::Pgzip { release, level } => {
                let model = Klauspost::new(release, level, FlushKind::Restarts);
                Self::Klauspost(Box::new(model))
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
            AnyModel::Klauspost(model) => model.with(user),
            AnyModel::ZlibFast(model) => user.run(model.as_mut()),
            AnyModel::ZlibLazy(model) => user.run(model.as_mut()),
            AnyModel::ZlibRunLength(model) => user.run(model.as_mut()),
        }
    }
}
