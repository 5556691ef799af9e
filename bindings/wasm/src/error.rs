//! Errors on their way to JavaScript: an `Error` with the `code`, numbers and cause of the Rust one.

use std::error::Error as StdError;

use js_sys::{Error, Reflect};
use mica_core::error::{CoreError, ErrorValues};
use wasm_bindgen::JsValue;

use crate::number::to_number;

/// Something was used after it gave its result.
#[derive(Debug, thiserror::Error)]
#[error("the result was given already")]
pub(crate) struct FinishedError;

impl CoreError for FinishedError {
    fn code(&self) -> &'static str {
        "FINISHED"
    }
}

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
