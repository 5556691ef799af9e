//! `github.com/klauspost/compress/flate`, which buildah, podman and skopeo use by way of pgzip, and
//! from which Go took its `compress/flate` for 1.27.

mod calls;
mod encoder;
mod level1;
mod level3;
mod level4;
mod level5;
mod level6;
mod table;
mod two_tables;

use calls::Cut;
pub use calls::{Calls, FlushKind};
pub use encoder::{Encoder, Match, Scan};
pub use level1::{Level1, Level2, OneTable};
pub use level3::Level3;
pub use level4::Level4;
pub use level5::{EndCheck, Level5};
pub use level6::Level6;

/// The first one of versions that write the same streams at the default level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Up to v1.11.
    V11,
    /// v1.12 to v1.14.
    V12,
    /// v1.15 to v1.17.
    V15,
    /// Since v1.18, and Go since 1.27.
    V18,
}

/// Level 1. Versions before v1.15 are others.
pub fn level1(version: Version, flush_kind: FlushKind) -> Calls<Level1> {
    Calls::new(Level1::new(), flush_kind, version.cut())
}

/// Level 2. Versions before v1.15 are others.
pub fn level2(version: Version, flush_kind: FlushKind) -> Calls<Level2> {
    Calls::new(Level2::new(), flush_kind, version.cut())
}

/// Level 3. Versions before v1.15 are others.
pub fn level3(version: Version, flush_kind: FlushKind) -> Calls<Level3> {
    Calls::new(Level3::new(), flush_kind, version.cut())
}

/// Level 4. Versions before v1.15 are others.
pub fn level4(version: Version, flush_kind: FlushKind) -> Calls<Level4> {
    Calls::new(
        Level4::new(version == Version::V18),
        flush_kind,
        version.cut(),
    )
}

/// Level 5.
pub fn level5(version: Version, flush_kind: FlushKind) -> Calls<Level5> {
    let end_check = match version {
        Version::V11 => EndCheck::None,
        Version::V12 => EndCheck::Whole,
        Version::V15 | Version::V18 => EndCheck::Tail,
    };
    Calls::new(Level5::new(end_check), flush_kind, version.cut())
}

/// Level 6. Versions before v1.15 are others.
pub fn level6(version: Version, flush_kind: FlushKind) -> Calls<Level6> {
    Calls::new(Level6::new(), flush_kind, version.cut())
}

impl Version {
    const fn cut(self) -> Cut {
        match self {
            Self::V11 | Self::V12 => Cut::Short,
            Self::V15 | Self::V18 => Cut::Long,
        }
    }
}
