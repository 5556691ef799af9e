//! `github.com/klauspost/compress/flate`, which buildah, podman and skopeo use by way of pgzip, and
//! from which Go took its `compress/flate` for 1.27.
//!
//! Source: <https://github.com/klauspost/compress/tree/v1.20.4/flate>

mod calls;
mod encoder;
mod lazy;
mod level1;
mod level3;
mod level4;
mod level5;
mod level6;
mod literal_costs;
mod table;
mod two_tables;

pub use calls::FlushKind;

use super::Literals;
use super::compressor::KlauspostRelease;
use super::models::ModelUser;
use calls::{CallOptions, Calls, Cut, ShortCalls};
use encoder::EndCheck;
use lazy::Lazy;
use level1::{Level1, Level2};
use level3::Level3;
use level4::Level4;
use level5::Level5;
use level6::Level6;

/// The model of one level. Before v1.15, levels 1 to 3 and 7 to 9 were others,
/// which are not modelled.
#[derive(Debug)]
pub struct Klauspost(AnyLevel);

#[derive(Debug)]
enum AnyLevel {
    Literals(Literals),
    Level1(Calls<Level1>),
    Level2(Calls<Level2>),
    Level3(Calls<Level3>),
    Level4(Calls<Level4>),
    Level5(Calls<Level5>),
    Level6(Calls<Level6>),
    Lazy(Lazy),
}

impl Klauspost {
    /// A model of `level`, 1 to 9; literals only for others.
    #[must_use]
    pub fn new(release: KlauspostRelease, level: i8, flush_kind: FlushKind) -> Self {
        let options = call_options(release, flush_kind);
        Self(match level {
            1 => AnyLevel::Level1(Calls::new(Level1::new(), options)),
            2 => AnyLevel::Level2(Calls::new(Level2::new(), options)),
            3 => AnyLevel::Level3(Calls::new(Level3::new(), options)),
            4 => AnyLevel::Level4(Calls::new(
                Level4::new(release >= KlauspostRelease::V1_18_0),
                options,
            )),
            5 => AnyLevel::Level5(Calls::new(Level5::new(end_check(release)), options)),
            6 => AnyLevel::Level6(Calls::new(Level6::new(end_check(release)), options)),
            7..=9 => AnyLevel::Lazy(Lazy::new(release, level, flush_kind)),
            _ => AnyLevel::Literals(Literals),
        })
    }

    /// Runs `user` with the model of the level.
    pub fn with<U: ModelUser>(&mut self, user: U) -> U::Output {
        match &mut self.0 {
            AnyLevel::Literals(model) => user.run(model),
            AnyLevel::Level1(model) => user.run(model),
            AnyLevel::Level2(model) => user.run(model),
            AnyLevel::Level3(model) => user.run(model),
            AnyLevel::Level4(model) => user.run(model),
            AnyLevel::Level5(model) => user.run(model),
            AnyLevel::Level6(model) => user.run(model),
            AnyLevel::Lazy(model) => user.run(model),
        }
    }
}

fn call_options(release: KlauspostRelease, flush_kind: FlushKind) -> CallOptions {
    CallOptions {
        flush_kind,
        cut: if release < KlauspostRelease::V1_15 {
            Cut::Short
        } else {
            Cut::Long
        },
        short_calls: if release < KlauspostRelease::V1_20_4 {
            ShortCalls::Forgotten
        } else {
            ShortCalls::Kept
        },
    }
}

fn end_check(release: KlauspostRelease) -> EndCheck {
    use KlauspostRelease::{V1_11, V1_12, V1_14, V1_15, V1_18_0, V1_18_1, V1_18_2, V1_20_4};
    match release {
        V1_11 => EndCheck::None,
        V1_12 | V1_14 => EndCheck::Whole,
        V1_15 | V1_18_0 | V1_18_1 | V1_18_2 | V1_20_4 => EndCheck::Tail,
    }
}
