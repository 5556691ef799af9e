//! The models of all compressors, each made when it is first needed.

use super::Model;
use super::compressor::Compressor;
use super::literals::Literals;

/// Something to be done with a model, whichever it is.
pub trait ModelUser {
    /// What comes of it.
    type Output;

    /// Does it.
    fn run<M: Model>(self, model: &mut M) -> Self::Output;
}

/// A model for one compressor at a time. It keeps its tables, so keep it for many segments; each
/// thread has its own.
#[derive(Debug, Default)]
pub struct Models {}

impl Models {
    /// Runs `user` with the compressor's model.
    pub fn with<U: ModelUser>(&mut self, compressor: Compressor, user: U) -> U::Output {
        match compressor {
            Compressor::Literals => user.run(&mut Literals),
        }
    }
}
