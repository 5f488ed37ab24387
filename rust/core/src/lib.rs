//! margincore: derivatives margin under the rulebooks that matter.
//!
//! This crate knows nothing of Python. A rulebook is a [`methods::Methodology`]; preparing it for a table of
//! contracts and a market gives a [`methods::Prepared`], which margins accounts.

pub mod account;
pub mod cells;
pub mod columns;
pub mod contract;
pub mod error;
pub mod greeks;
pub mod live;
pub mod market;
pub mod methods;
mod parallel;
pub mod pricing;
pub mod products;
pub mod report;
pub mod scan;
pub mod simd;
pub mod symbols;
pub mod time;
pub mod update;

pub use error::{MarginError, Result};
