//! Errors on their way to JavaScript: an `Error` with the `code`, numbers and cause of the Rust one.

use std::error::Error as StdError;

use js_sys::{Error, Reflect};
use mica_core::error::{CoreError, ErrorValues};
use wasm_bindgen::JsValue;

/// 2^53 - 1, <https://tc39.es/ecma262/#sec-number.max_safe_integer>.
const MAX_SAFE_INTEGER: u64 = (1 << 53) - 1;

/// An `Error` to throw or to reject with.
pub(crate) fn to_js_error(error: &dyn CoreError) -> Error {
    let object = Error::new(&error.to_string());
    set(&object, "code", &JsValue::from_str(error.code()));
    let ErrorValues {
        offset,
        got,
        expected,
    } = error.values();
    for (name, value) in [("offset", offset), ("got", got), ("expected", expected)] {
        if let Some(number) = value.and_then(to_number) {
            set(&object, name, &JsValue::from_f64(number));
        }
    }
    if let Some(cause) = error.coded_source() {
        object.set_cause(&to_js_error(cause));
    } else if let Some(source) = error.source() {
        object.set_cause(&to_plain_error(source));
    }
    object
}

/// Causes that have nothing but messages.
fn to_plain_error(error: &dyn StdError) -> Error {
    let object = Error::new(&error.to_string());
    if let Some(source) = error.source() {
        object.set_cause(&to_plain_error(source));
    }
    object
}

fn set(object: &Error, name: &str, value: &JsValue) {
    // A new object takes every property.
    drop(Reflect::set(object, &JsValue::from_str(name), value));
}

#[expect(
    clippy::cast_precision_loss,
    reason = "numbers that would lose digits were left out just before"
)]
fn to_number(value: u64) -> Option<f64> {
    (value <= MAX_SAFE_INTEGER).then_some(value as f64)
}
