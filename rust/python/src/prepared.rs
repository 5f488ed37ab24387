//! What an account is opened on: the methods are those of [`crate::methods`].

use std::sync::Arc;

use margincore::preparation::Preparation;
use pyo3::prelude::*;

/// A rulebook compiled for one table of contracts and one market. Immutable; shared freely between threads.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct Prepared(pub(crate) Arc<Preparation>);
