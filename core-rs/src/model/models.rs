//! The model of any compressor, made when it is first needed.

use super::Model;
use super::compressor::{Compressor, GoLevel};
use super::go_lazy::GoLazy;
use super::literals::Literals;

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
    GoLazy(Box<GoLazy>),
}

impl AnyModel {
    fn new(compressor: Compressor) -> Self {
        match compressor {
            Compressor::Unknown | Compressor::Go(GoLevel::Literals) => Self::Literals(Literals),
            Compressor::Go(GoLevel::Level(level)) => Self::GoLazy(Box::new(GoLazy::new(level))),
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
            AnyModel::GoLazy(model) => user.run(model.as_mut()),
        }
    }
}
