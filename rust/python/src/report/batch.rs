//! `MarginBatch`: requirements of many accounts.

use margincore::report as core;
use numpy::{PyArray1, ToPyArray};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cards::card;
use crate::errors::invalid;
use crate::pickles::{Pickled, Reduced, reduced};

/// Requirements of many accounts as NumPy columns, one entry per account, in the prepared rulebook's currency.
///
/// `worst_scenario` is -1 where no one scenario is the worst.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct MarginBatch(pub(crate) core::MarginBatch);

#[pymethods]
impl MarginBatch {
    /// Initial requirements, one per account; a new array.
    #[getter]
    fn initial<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.initial.to_pyarray(py)
    }

    /// Maintenance requirements, one per account; a new array.
    #[getter]
    fn maintenance<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.maintenance.to_pyarray(py)
    }

    /// Liquidating values of the premium-style options held, positive for an asset; a new array.
    #[getter]
    fn net_option_value<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.net_option_value.to_pyarray(py)
    }

    /// Numbers of the worst scenarios from 0, -1 where no one scenario is the worst; a new array.
    #[getter]
    fn worst_scenario<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        self.0.worst_scenario.to_pyarray(py)
    }

    /// By how much at most a cheaper pairing could lower either requirement; a new array.
    ///
    /// 0 where the minimum is proven, or the pairing is one that does not look for it; NaN where the rulebook pairs
    /// nothing. Larger only where Reg T's search met its ``node_limit``.
    #[getter]
    fn pairing_gap<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.pairing_gap.to_pyarray(py)
    }

    fn __len__(&self) -> usize {
        self.0.initial.len()
    }

    /// The batch of its columns, in the units of its properties; pickling uses it.
    ///
    /// Without `pairing_gap` nothing is paired. Raises :class:`InvalidInput` where their lengths differ.
    #[staticmethod]
    #[pyo3(signature = (initial, maintenance, net_option_value, worst_scenario, pairing_gap=None))]
    fn from_columns(
        initial: Vec<f64>,
        maintenance: Vec<f64>,
        net_option_value: Vec<f64>,
        worst_scenario: Vec<i32>,
        pairing_gap: Option<Vec<f64>>,
    ) -> PyResult<Self> {
        let pairing_gap = pairing_gap.unwrap_or_else(|| vec![f64::NAN; initial.len()]);
        let lengths = [
            maintenance.len(),
            net_option_value.len(),
            worst_scenario.len(),
            pairing_gap.len(),
        ];
        if lengths.iter().any(|&l| l != initial.len()) {
            return Err(invalid("batch: columns of different lengths"));
        }
        Ok(Self(core::MarginBatch {
            initial,
            maintenance,
            net_option_value,
            worst_scenario,
            pairing_gap,
        }))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// The batch as a card, for notebooks: its first and last accounts.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        card(slf.as_any(), intern!(slf.py(), "batch"))
    }

    fn __repr__(&self) -> String {
        format!("MarginBatch({} accounts)", self.0.initial.len())
    }
}

impl Pickled for MarginBatch {
    const MAKER: Option<&'static str> = Some("from_columns");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "initial"), self.initial(py))?;
        state.set_item(intern!(py, "maintenance"), self.maintenance(py))?;
        state.set_item(intern!(py, "net_option_value"), self.net_option_value(py))?;
        state.set_item(intern!(py, "worst_scenario"), self.worst_scenario(py))?;
        if self.0.pairing_gap.iter().any(|gap| !gap.is_nan()) {
            state.set_item(intern!(py, "pairing_gap"), self.pairing_gap(py))?;
        }
        Ok(state)
    }
}
