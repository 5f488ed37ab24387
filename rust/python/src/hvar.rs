//! VaR through time, and measures of given losses.

use std::collections::BTreeMap;

use margincore::hvar::rolling::{self as core, Range};
use margincore::hvar::{HistoricalVar, Measure};
use margincore::reading::read;
use numpy::{PyArray1, PyReadonlyArray1, PyReadonlyArrayDyn, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use crate::arguments::{amounts, maybe_number, text, threads, whole};
use crate::errors::{enter, raise};
use crate::methods::attachments;
use crate::values;

/// A place in a history: a date, or a row's number among the returns.
#[derive(FromPyObject)]
pub(crate) enum When {
    Step(usize),
    Date(String),
}

/// Margins as of every date of a history, a new dictionary of arrays and dates.
///
/// ``"steps"``, ``"dates"``, ``"margin"``, ``"components"`` (risks by name), ``"realised"`` (the loss over the holding
/// period that begins at each date) and ``"worst"`` (the largest over its first days or all); losses are positive.
/// `exposures` by factor: money held of it under relative and log returns, units under absolute ones, positive is long.
/// `first` and `last` are dates or rows. Raises :class:`InvalidInput` for parameters it does not know or a row outside
/// the history, :class:`MissingData` for a date that is not in it, :class:`Unsupported` for rules of whole accounts.
#[pyfunction]
#[pyo3(signature = (parameters, tables, exposures, *, first=None, last=None, threads=1))]
pub(crate) fn hvar_rolling<'py>(
    py: Python<'py>,
    parameters: &Bound<'py, PyAny>,
    tables: BTreeMap<String, PyReadonlyArrayDyn<'py, f64>>,
    #[pyo3(from_py_with = amounts)] exposures: BTreeMap<String, f64>,
    first: Option<When>,
    last: Option<When>,
    #[pyo3(from_py_with = threads)] threads: usize,
) -> PyResult<Bound<'py, PyDict>> {
    let document: Value = values::document("hvar", parameters)?;
    let tables = attachments(tables);
    let rolled = enter(py, move || {
        let methodology = HistoricalVar::new(&document, &tables)?;
        let step = |when: Option<When>| {
            when.map(|when| match when {
                When::Step(step) => Ok(step),
                When::Date(date) => methodology.step_on(&date),
            })
            .transpose()
        };
        let range = Range {
            first: step(first)?,
            last: step(last)?,
        };
        methodology.rolling(&exposures, range, threads)
    })?;
    let out = PyDict::new(py);
    out.set_item(
        "steps",
        PyArray1::from_iter(py, rolled.steps.iter().map(|&s| s as i64)),
    )?;
    out.set_item("dates", rolled.dates)?;
    out.set_item("margin", rolled.margin.to_pyarray(py))?;
    let components = PyDict::new(py);
    for (name, risks) in rolled.components {
        components.set_item(name, risks.to_pyarray(py))?;
    }
    out.set_item("components", components)?;
    out.set_item("realised", rolled.realised.to_pyarray(py))?;
    out.set_item("worst", rolled.worst.to_pyarray(py))?;
    Ok(out)
}

/// One measure of losses in scenario order, oldest first; a loss is positive.
///
/// `confidence_ppm` is the confidence in millionths (990,000 is 99 %), `age_decay` how weights fall with age, for the
/// weighted measures (Boudoukh, Richardson and Whitelaw 1998). Raises :class:`InvalidInput` for an unknown `measure`,
/// no losses, or one that is not finite.
#[pyfunction]
#[pyo3(signature = (losses, measure, confidence_ppm, age_decay=None))]
pub(crate) fn hvar_measure(
    py: Python<'_>,
    losses: PyReadonlyArray1<'_, f64>,
    #[pyo3(from_py_with = text)] measure: &str,
    #[pyo3(from_py_with = whole)] confidence_ppm: u32,
    #[pyo3(from_py_with = maybe_number)] age_decay: Option<f64>,
) -> PyResult<f64> {
    let losses: Vec<f64> = losses.as_array().iter().copied().collect();
    let measure: Measure = read("measure", &Value::String(measure.to_string())).map_err(raise)?;
    enter(py, || {
        core::measure(&losses, measure, confidence_ppm, age_decay)
    })
}
