//! Packs read as a whole, to tell what of them is whole.

use js_sys::{Error, Object, Uint8Array};
use mica_core::error::CoreError;
use mica_core::pack::BlockLimits;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::ingest::finished;
use crate::number::{from_size, to_size};
use crate::report::{object, set, size};

/// Checks a pack: `give` what is `wanted`, until nothing is; then `finish`.
#[wasm_bindgen]
pub struct PackCheck(Option<mica_core::pack::PackCheck>);

#[wasm_bindgen]
impl PackCheck {
    /// `pack_size`: bytes of the pack.
    #[wasm_bindgen(constructor)]
    pub fn new(pack_size: f64) -> Self {
        let size = from_size(pack_size);
        Self(Some(mica_core::pack::PackCheck::new(
            size,
            BlockLimits::default(),
        )))
    }

    /// The bytes that are needed next: offset and length; nothing at the end.
    pub fn wanted(&mut self) -> Result<Option<Vec<f64>>, Error> {
        let wanted = self.open()?.wanted();
        Ok(wanted.map(|wanted| {
            let length = u64::try_from(wanted.length).unwrap_or(u64::MAX);
            vec![to_size(wanted.offset), to_size(length)]
        }))
    }

    /// Takes the bytes that were wanted; fewer of them if the pack ends before.
    pub fn give(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.open()?.take(bytes);
        Ok(())
    }

    /// `CheckedPack`.
    pub fn finish(&mut self) -> Result<Object, Error> {
        let checked = self.0.take().ok_or_else(finished)?.finish();
        let ids = checked.files.iter().flat_map(|id| *id.as_bytes());
        let ids: Vec<u8> = ids.collect();
        let result = object([
            ("blocks", size(checked.blocks)),
            ("damagedBlocks", size(checked.damaged_blocks)),
            ("ids", Uint8Array::from(&ids[..]).into()),
        ]);
        if let Some(damage) = checked.damage {
            let damage = object([
                ("code", damage.source.code().into()),
                ("offset", size(damage.offset)),
            ]);
            set(&result, "damage", &damage);
        }
        Ok(result)
    }

    fn open(&mut self) -> Result<&mut mica_core::pack::PackCheck, Error> {
        self.0.as_mut().ok_or_else(finished)
    }
}
