//! What results show of themselves in notebooks: made by the package, in the one style of its other cards.

use pyo3::prelude::*;
use pyo3::types::PyString;

/// The card of a value, by the function of `margincore._cards` that makes it.
pub(crate) fn card(value: &Bound<'_, PyAny>, maker: &Bound<'_, PyString>) -> PyResult<String> {
    let cards = value.py().import("margincore._cards")?;
    cards.getattr(maker)?.call1((value,))?.extract()
}
