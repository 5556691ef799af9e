//! What was found in a layer, as a JavaScript object (`src/core.ts`).

use js_sys::{Object, Reflect};
use mica_core::error::CoreError;
use mica_core::ingest::LayerReport;
use mica_core::recipe::{Section, Summary};
use wasm_bindgen::JsValue;

use crate::number::to_size;

/// A plain object of these properties.
pub(crate) fn object<const N: usize>(properties: [(&str, JsValue); N]) -> Object {
    let object = Object::new();
    for (name, value) in properties {
        set(&object, name, &value);
    }
    object
}

/// A property of a new object.
pub(crate) fn set(object: &Object, name: &str, value: &JsValue) {
    // A new object takes every property.
    drop(Reflect::set(object, &JsValue::from_str(name), value));
}

/// A size as a property.
pub(crate) fn size(value: u64) -> JsValue {
    JsValue::from_f64(to_size(value))
}

/// `LayerSummary`.
pub(crate) fn layer_summary(summary: &Summary) -> Object {
    object([
        ("encoding", summary.encoding.name().into()),
        ("digest", summary.digest.as_str().into()),
        ("size", size(summary.size)),
        ("diffId", summary.diff_id.as_str().into()),
        ("tarSize", size(summary.tar_size)),
        ("files", size(summary.files)),
    ])
}

/// `IngestedLayer`.
pub(crate) fn ingested_layer(report: &LayerReport) -> Object {
    let stored = |section| size(report.section_sizes.get(&section).copied().unwrap_or(0));
    let section_sizes = object([
        ("files", stored(Section::Files)),
        ("references", stored(Section::References)),
        ("skeleton", stored(Section::Skeleton)),
        ("segments", stored(Section::Segments)),
        ("blocks", stored(Section::Blocks)),
        ("corrections", stored(Section::Corrections)),
        ("raw", stored(Section::Raw)),
        ("framing", stored(Section::Framing)),
    ]);
    let ingested = object([
        ("summary", layer_summary(&report.summary).into()),
        ("segments", size(report.segments)),
        ("rawSegments", size(report.raw_segments)),
        ("fileSize", size(report.file_size)),
        ("recipeSize", size(report.recipe_size)),
        ("sectionSizes", section_sizes.into()),
    ]);
    if let Some(inexact) = report.summary.encoding.inexact() {
        let inexact = object([
            ("code", inexact.code().into()),
            ("message", inexact.to_string().into()),
        ]);
        set(&ingested, "inexact", &inexact);
    }
    if let Some(name) = report.compressor_name() {
        set(&ingested, "compressor", &name.into());
    }
    if let Some(level) = report.compressor_level() {
        set(&ingested, "level", &i32::from(level).into());
    }
    ingested
}
