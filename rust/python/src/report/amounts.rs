//! Amounts and scenarios as text.

use margincore::report as core;
use pyo3::prelude::*;

use crate::arguments::{maybe_number, maybe_text};

/// An amount as text: two decimals or more, as many as six significant digits need, at most eight: coins show.
///
/// `None` is ``not known``.
#[pyfunction]
#[pyo3(signature = (amount, /))]
pub(crate) fn amount_text(#[pyo3(from_py_with = maybe_number)] amount: Option<f64>) -> String {
    amount.map_or_else(|| "not known".into(), core::amount_text)
}

/// An amount of a one-line text, without the noise of rounding: eight decimals at most, where a number has them.
pub(crate) fn shown(amount: f64) -> f64 {
    const EIGHT: f64 = 1e8;
    let rounded = (amount * EIGHT).round() / EIGHT;
    // Of larger ones the shortest text is short enough. A zero has no sign.
    if amount.abs() < 1e7 {
        rounded + 0.0
    } else {
        amount
    }
}

/// A worst scenario in words: its label, or that every line has its own; empty without scenarios.
#[pyfunction]
pub(crate) fn worst_text(
    #[pyo3(from_py_with = maybe_text)] scenario: Option<&str>,
    of_lines: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let mut any = false;
    for label in of_lines.try_iter()? {
        any |= !label?.is_none();
    }
    Ok(core::worst_text(scenario, any).unwrap_or_default().into())
}
