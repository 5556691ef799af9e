//! Errors on their way to JavaScript: an `Error` with the `code`, numbers and cause of the Rust one.

use std::error::Error as StdError;

use mica_core::error::{CoreError, ErrorValues};
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object};
use napi::{Env, Status};

use crate::number::to_number;

/// An `Error` to throw or to reject with.
pub(crate) fn to_js_error(env: &Env, error: &dyn CoreError) -> napi::Error {
    match make(env, error) {
        Ok(object) => napi::Error::from(object.to_unknown()),
        // JavaScript has no memory left, or is about to end.
        Err(failure) => failure,
    }
}

/// An `Error` of this crate's own, without numbers.
pub(crate) fn plain_js_error(env: &Env, code: &str, message: String) -> napi::Error {
    let made = make_plain(env, message).and_then(|mut object| {
        object.set_named_property("code", code)?;
        Ok(napi::Error::from(object.to_unknown()))
    });
    made.unwrap_or_else(|failure| failure)
}

fn make<'env>(env: &'env Env, error: &dyn CoreError) -> napi::Result<Object<'env>> {
    let mut object = make_plain(env, error.to_string())?;
    object.set_named_property("code", error.code())?;
    let ErrorValues {
        offset,
        got,
        expected,
    } = error.values();
    for (name, value) in [("offset", offset), ("got", got), ("expected", expected)] {
        if let Some(number) = value.and_then(to_number) {
            object.set_named_property(name, number)?;
        }
    }
    if let Some(cause) = error.coded_source() {
        let cause = make(env, cause)?;
        object.set_named_property("cause", cause)?;
    } else if let Some(source) = error.source() {
        let cause = make_sources(env, source)?;
        object.set_named_property("cause", cause)?;
    }
    Ok(object)
}

/// Causes that have nothing but messages.
fn make_sources<'env>(env: &'env Env, error: &dyn StdError) -> napi::Result<Object<'env>> {
    let mut object = make_plain(env, error.to_string())?;
    // napi's own status means nothing to JavaScript.
    object.delete_named_property("code")?;
    if let Some(source) = error.source() {
        let cause = make_sources(env, source)?;
        object.set_named_property("cause", cause)?;
    }
    Ok(object)
}

fn make_plain(env: &Env, message: String) -> napi::Result<Object<'_>> {
    env.create_error(napi::Error::new(Status::GenericFailure, message))
}
