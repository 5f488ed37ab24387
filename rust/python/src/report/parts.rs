//! What a report is made of: `Requirement`, `Line` and `UnderlyingGreeks`.

use margincore::report as core;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde::{Deserialize, Serialize};

use super::amounts::shown;
use crate::pickles::{Pickled, Reduced, of_document, reduced};
use crate::values::{from_python, quoted, to_python};
/// The numbers of a requirement, in the report's currency.
///
/// What the liquidating equity (cash, option value and collateral) must reach.
#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    /// The initial requirement, in the report's currency.
    pub(crate) initial: f64,
    /// The maintenance requirement, in the report's currency.
    pub(crate) maintenance: f64,
}

impl From<core::Requirement> for Requirement {
    fn from(r: core::Requirement) -> Self {
        Self {
            initial: r.initial,
            maintenance: r.maintenance,
        }
    }
}

#[pymethods]
impl Requirement {
    fn __repr__(&self) -> String {
        format!(
            "Requirement(initial={}, maintenance={})",
            shown(self.initial),
            shown(self.maintenance)
        )
    }

    /// The two numbers as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("requirement", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Requirement {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

/// One term of a requirement; credits are negative. Amounts are in `currency`, `fx` converts to the report's.
#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Whom the term is about: a class group, a commodity, a currency.
    scope: String,
    /// The rulebook's own name for the term.
    component: String,
    /// Its part of the initial requirement, in `currency`; negative for a credit.
    initial: f64,
    /// Its part of the maintenance requirement, in `currency`; negative for a credit.
    maintenance: f64,
    /// The currency of its amounts.
    currency: String,
    /// Units of the report's currency for one of `currency`.
    fx: f64,
    /// The label of the scenario the term comes from, where it comes from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
}

#[pymethods]
impl Line {
    fn __repr__(&self) -> String {
        format!(
            "Line({}, {}, initial={}, maintenance={}, {})",
            quoted(&self.scope),
            quoted(&self.component),
            shown(self.initial),
            shown(self.maintenance),
            self.currency
        )
    }

    /// The term as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("line", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Line {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

impl From<&core::Line> for Line {
    fn from(line: &core::Line) -> Self {
        let core::Line {
            scope,
            component,
            initial,
            maintenance,
            currency,
            fx,
            scenario,
        } = line.clone();
        Self {
            scope,
            component,
            initial,
            maintenance,
            currency,
            fx,
            scenario,
        }
    }
}

/// Sensitivities of an account to one underlying, in `currency`, positive for what the account gains.
///
/// `delta` is in units of the underlying; `gamma` is delta per 1.00 of its price; `vega` money per 1.00 of volatility
/// (divide by 100 for a vol point); `theta` money per year of time passing (divide by 365 for a day); `rho` money per
/// 1.00 of the interest rate. Options have the greeks of the model, volatility and carry the rulebook prices them
/// with (SPAN-like margin by a tree or approximation: those of the exact American price); stocks, futures and
/// coins move one for one, coin-settled contracts valued in dollars. An option on a future or forward feels a
/// rate in its discount only, and none where the venue values it without one. Options the rulebook does not
/// price, because it has an exchange's own values for them, are not in the sums but named in
/// `excluded`. A rulebook that prices no options
/// (Reg T, a SPAN file, a venue's standard margin on marks) gives none.
///
/// >>> import margincore as mc
/// >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
/// ...                  currency="USD")
/// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
/// >>> book = [mc.Position(mc.Stock("XYZ", currency="USD"), 100), mc.Position(call, -1)]
/// >>> [greeks] = mc.margin(book, market, mc.methods.Tims()).greeks
/// >>> greeks.underlying, round(greeks.delta, 1), round(greeks.vega / 100, 2), round(greeks.theta / 365, 2)
/// ('XYZ', 46.5, -5.5, 3.29)
#[pyclass(frozen, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnderlyingGreeks {
    /// The symbol of the underlying.
    #[pyo3(get)]
    underlying: String,
    /// The currency of the underlying's price, which the money amounts are in.
    #[pyo3(get)]
    currency: String,
    /// Units of the underlying held in effect, positive for long.
    #[pyo3(get)]
    delta: f64,
    /// Change of `delta` per 1.00 of the underlying's price.
    #[pyo3(get)]
    gamma: f64,
    /// Money per 1.00 of volatility; divide by 100 for a vol point.
    #[pyo3(get)]
    vega: f64,
    /// Money per year of time passing, the market unchanged; divide by 365 for a day.
    #[pyo3(get)]
    theta: f64,
    /// Money per 1.00 of the interest rate, the dividend yield unchanged.
    #[pyo3(get)]
    rho: f64,
    excluded: Vec<String>,
}

#[pymethods]
impl UnderlyingGreeks {
    /// Ids of options held that the rulebook does not price: they are not in the sums.
    #[getter]
    fn excluded<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.excluded)
    }

    fn __repr__(&self) -> String {
        format!(
            "UnderlyingGreeks({}, {}: delta={}, gamma={}, vega={}, theta={}, rho={})",
            quoted(&self.underlying),
            self.currency,
            self.delta,
            self.gamma,
            self.vega,
            self.theta,
            self.rho
        )
    }

    /// The sensitivities as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("greeks", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for UnderlyingGreeks {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

impl From<&margincore::report::UnderlyingGreeks> for UnderlyingGreeks {
    fn from(greeks: &margincore::report::UnderlyingGreeks) -> Self {
        let margincore::report::UnderlyingGreeks {
            underlying,
            currency,
            delta,
            gamma,
            vega,
            theta,
            rho,
            excluded,
        } = greeks.clone();
        Self {
            underlying,
            currency,
            delta,
            gamma,
            vega,
            theta,
            rho,
            excluded,
        }
    }
}
