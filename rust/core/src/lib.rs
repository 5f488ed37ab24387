//! margincore: derivatives margin under the rulebooks that matter.
//!
//! This crate knows nothing of Python. A rulebook is a [`seam::Methodology`]; preparing it for a table of contracts and a
//! market, by [`preparation::Preparation`], gives a [`seam::Prepared`], which margins accounts.

pub mod account;
pub mod batch;
pub mod cells;
pub mod columns;
pub mod combined;
pub mod contract;
pub mod error;
pub mod float;
pub mod greeks;
pub mod inputs;
pub mod live;
pub mod market;
pub mod methods;
mod parallel;
pub mod parameters;
pub mod preparation;
pub mod pricing;
pub mod products;
pub mod report;
pub mod scan;
pub mod seam;
pub mod simd;
pub mod symbols;
pub mod time;

pub use error::{MarginError, Result};
