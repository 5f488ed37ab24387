//! `margincore._core`: conversions and classes, no finance.

use pyo3::prelude::*;

#[pymodule(gil_used = false)]
mod _core {}
