//! margincore: derivatives margin under the rulebooks that matter.
//!
//! This crate knows nothing of Python. A rulebook is a [`methods::Methodology`]; preparing it for a table of
//! contracts and a market gives a [`methods::Prepared`], which margins accounts.

pub mod error;
pub mod methods;
pub mod pricing;

pub use error::{MarginError, Result};
