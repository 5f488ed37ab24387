//! Versions of documents, and the refusal of another version of anything written.

use std::fmt::Display;

use margincore::version;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyMapping};
use serde::Serialize;

use crate::arguments::is_flag;
use crate::errors::{malformed, raise};
use crate::values::to_python;

/// A document that stands alone: with the version of documents, first.
pub(crate) fn versioned<'py, T: Serialize>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyDict>> {
    let document = PyDict::new(py);
    document.set_item("version", version::DOCUMENT)?;
    document.update(to_python(py, value)?.cast::<PyMapping>()?)?;
    Ok(document)
}

/// A document that stands alone without its version, which is one that this build reads; `what` it is.
pub(crate) fn without_version<'py>(
    what: &str,
    document: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    let Ok(parts) = document.cast::<PyDict>() else {
        return Ok(document.clone());
    };
    let Some(found) = parts.get_item("version")? else {
        return Ok(document.clone());
    };
    check_version(what, &found, 1, version::DOCUMENT)?;
    let parts = parts.copy()?;
    parts.del_item("version")?;
    Ok(parts.into_any())
}

/// Refuses `what`, which was written as `version`, where a build reads `oldest` to `newest` only.
///
/// Raises :class:`ParseError` with the versions and what to do, also for a version that is no whole number.
#[pyfunction]
pub(crate) fn check_version(
    what: &str,
    version: &Bound<'_, PyAny>,
    oldest: u32,
    newest: u32,
) -> PyResult<()> {
    check(what, version, oldest, newest)
}

pub(crate) fn check(
    what: impl Display,
    found: &Bound<'_, PyAny>,
    oldest: u32,
    newest: u32,
) -> PyResult<()> {
    match found.extract::<u64>() {
        Ok(number) if !is_flag(found)? => {
            version::check(what, number, oldest..=newest).map_err(raise)
        }
        _ => Err(malformed(format!(
            "{what}: version {}: a whole number from 1 is needed",
            found.repr()?
        ))),
    }
}
