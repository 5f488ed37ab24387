//! `Securities`.

use std::sync::Arc;

use margincore::securities as core;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::arguments::{named, text};
use crate::errors::raise;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{from_python_with, time_text, to_python};

/// The dated table of what securities are: what a symbol tracks, its leverage, its class, whether it may be
/// portfolio margined. Immutable; extending gives a new table.
///
/// ``Securities()`` is the shipped table. A row is ``{"symbol", "kind", "tracks", "leverage", "class", "class_group",
/// "divisor", "portfolio_margin", "from", "to", "source", "grade"}``:
///
/// - ``kind``: ``"stock"``, ``"adr"``, ``"etf"``, ``"etn"`` (a note), ``"index"`` or ``"future"`` (a future's symbol).
/// - ``tracks``: the index or security it follows; of a reduced-value index the full-value one, with the ``divisor``.
/// - ``leverage``: the multiple of that, negative for an inverse fund. Funds and notes state it.
/// - ``class``: ``"equity"``, ``"narrow"``, ``"broad"``, ``"commodity"``, ``"currency"``, ``"rate"``,
///   ``"volatility"``.
/// - ``class_group``: the TIMS class group, where it is not what is tracked, or the symbol.
/// - ``portfolio_margin``: ``False`` for what may not be portfolio margined, such as notes since 16 August 2019.
/// - ``from``, ``to``: first and last date, ``yyyy-mm-dd``; left out: open. The valuation date picks the row.
/// - ``source``: the text the row comes from, with its date; ``grade``: how far it can be trusted.
///
/// >>> import margincore as mc
/// >>> mc.Securities().get("TZA")["leverage"], mc.Securities().get("TZA")["tracks"]
/// (-3.0, 'RUT')
/// >>> table = mc.Securities().extended([{"symbol": "MYFUND", "kind": "etf", "tracks": "SPX", "leverage": 2.0,
/// ...                                    "class": "broad", "source": "its prospectus of 2026-05-01"}])
/// >>> fund, market = mc.Etf("MYFUND", currency="USD"), mc.Market("2026-11-20T16:00:00-05:00", spot={"MYFUND": 50.0})
/// >>> mc.margin([mc.Position(fund, 100)], market, mc.methods.Tims(securities=table)).requirement.initial
/// 800.0
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct Securities(Arc<core::Securities>);

fn rows(value: &Bound<'_, PyAny>) -> PyResult<Vec<core::Security>> {
    from_python_with("securities", value, |key| key == "portfolio_margin")
}

#[pymethods]
impl Securities {
    /// The shipped table.
    #[new]
    fn new() -> Self {
        Self::shipped()
    }

    /// The shipped table.
    #[staticmethod]
    fn shipped() -> Self {
        Self(core::Securities::shipped().clone())
    }

    /// This table and more rows. Raises :class:`InvalidInput` where a date of a symbol has a row already, and
    /// :class:`MissingData` for a fund without a leverage.
    fn extended(&self, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = self::rows(rows)?;
        Ok(Self(Arc::new(self.0.extended(rows).map_err(raise)?)))
    }

    /// This table with these rows in place of all that it has of their symbols. Raises as :meth:`extended`.
    fn replaced(&self, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = self::rows(rows)?;
        Ok(Self(Arc::new(self.0.replaced(rows).map_err(raise)?)))
    }

    /// The row of a symbol on a date (``yyyy-mm-dd``), a new dictionary; `None` where no row names the symbol.
    ///
    /// Without a date, the row of a symbol that has but one. Raises :class:`MissingData` for a date that no row of the
    /// symbol covers, and where rows need one; :class:`InvalidInput` for what is not a date.
    #[pyo3(signature = (symbol, on=None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text)] symbol: &str,
        on: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let on = match on {
            None => None,
            Some(on) => {
                let written = time_text(on).map_err(|e| named(e, "on"))?;
                Some(margincore::time::parse_date(&written).map_err(|e| raise(e.at("on")))?)
            }
        };
        let found = self.0.facts(symbol, on).map_err(raise)?;
        found.map(|row| to_python(py, row)).transpose()
    }

    /// The kind of a symbol, whatever the date, as rows write it; `None` where no row names it. Symbols of futures
    /// are left out: stocks may have the same ones.
    fn kind<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text)] symbol: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut rows = self.0.iter();
        let found = rows.find(|r| r.symbol == symbol && r.kind != core::SecurityKind::Future);
        found.map(|row| to_python(py, &row.kind)).transpose()
    }

    /// Every row as a document; a new list.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.iter().collect::<Vec<_>>())
    }

    /// SHA-256 of the rows, in hexadecimal. The digest of a report's parameters covers it.
    #[getter]
    fn digest(&self) -> &str {
        self.0.digest()
    }

    fn __repr__(&self) -> String {
        format!("Securities({} rows)", self.0.iter().count())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// A table of these rows alone. Raises as :meth:`extended`.
    #[classmethod]
    fn from_rows(_: &Bound<'_, PyType>, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = self::rows(rows)?;
        let table = core::Securities::default().extended(rows);
        Ok(Self(Arc::new(table.map_err(raise)?)))
    }
}

impl Pickled for Securities {
    const MAKER: Option<&'static str> = Some("from_rows");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "rows"), self.rows(py)?)?;
        Ok(state)
    }
}
