//! What an account is opened on: the methods are those of [`crate::methods`].

use std::sync::Arc;

use margincore::preparation::Preparation;
use pyo3::prelude::*;

/// A rulebook compiled for one table of contracts and one market. Immutable; shared freely between threads.
///
/// A pickle of it is what it was prepared from, and is prepared again where it is read; what comes out under another
/// build is refused by its digest.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct Prepared(
    pub(crate) Arc<Preparation>,
    /// The rulebook as the user gave it.
    pub(crate) Py<PyAny>,
);
