//! What this build of the engine is.

use std::collections::BTreeMap;

use margincore::simd;
use pyo3::prelude::*;

/// Version, build profile (`release` or `debug`) and the instruction set in use.
#[pyfunction]
pub(crate) fn build_info() -> BTreeMap<&'static str, &'static str> {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    BTreeMap::from([
        ("version", env!("CARGO_PKG_VERSION")),
        ("profile", profile),
        ("simd", simd::level().name()),
    ])
}
