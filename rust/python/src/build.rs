//! What this build of the engine is.

use std::collections::BTreeMap;

use margincore::simd;
use pyo3::prelude::*;

use crate::errors::raise;

/// Version, build profile (``release`` or ``debug``) and the instruction set in use.
///
/// Raises as every calculation does: :class:`InvalidInput` for a misspelt ``MARGINCORE_SIMD``,
/// :class:`CalculationError` where another library has changed the processor's floating-point state.
#[pyfunction]
pub(crate) fn build_info() -> PyResult<BTreeMap<&'static str, &'static str>> {
    simd::check_environment().map_err(raise)?;
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    Ok(BTreeMap::from([
        ("version", env!("CARGO_PKG_VERSION")),
        ("profile", profile),
        ("simd", simd::level().name()),
    ]))
}
