//! `OsiSymbol` and `Products`.

use std::sync::Arc;

use margincore::contract as terms;
use margincore::{products as core, symbols};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyType};

use crate::arguments::{items, text};
use crate::contract::Contract;
use crate::errors::raise;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{from_python, quoted, to_python};

/// An option symbol in any common spelling; `str()` gives the canonical 21 characters.
///
/// ``OsiSymbol("AAPL 240119C00150000")``; raises :class:`InvalidInput` for what is not a symbol.
#[pyclass(frozen, eq, hash, module = "margincore._core")]
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct OsiSymbol(symbols::OsiSymbol);

#[pymethods]
impl OsiSymbol {
    #[new]
    fn new(#[pyo3(from_py_with = text)] text: &str) -> PyResult<Self> {
        Ok(Self(symbols::OsiSymbol::parse(text).map_err(raise)?))
    }

    /// The root, such as ``SPXW``.
    #[getter]
    fn root(&self) -> &str {
        &self.0.root
    }

    /// The expiry date, as ``yyyy-mm-dd``.
    #[getter]
    fn expiry(&self) -> String {
        self.0.expiry.to_string()
    }

    /// ``call`` or ``put``.
    #[getter]
    fn right(&self) -> &'static str {
        match self.0.right {
            terms::Right::Call => "call",
            terms::Right::Put => "put",
        }
    }

    /// The strike, in units of price.
    #[getter]
    fn strike(&self) -> f64 {
        self.0.strike()
    }

    /// The spelling without blanks.
    #[getter]
    fn compact(&self) -> String {
        self.0.compact()
    }

    /// The symbol as a vendor or broker writes it; every spelling is read again.
    ///
    /// ``osi``, ``compact``, ``spaced``, ``massive``, ``plain``, ``tastytrade``, ``fidelity``, ``thinkorswim``,
    /// ``schwab`` or ``ibkr``. Raises :class:`InvalidInput` for another word.
    ///
    /// >>> import margincore as mc
    /// >>> mc.OsiSymbol("AAPL_121826C290.5").spelled("schwab")
    /// 'AAPL 12/18/2026 290.50 C'
    fn spelled(&self, #[pyo3(from_py_with = text)] spelling: &str) -> PyResult<String> {
        let spelling: symbols::spelling::Spelling = spelling.parse().map_err(raise)?;
        Ok(spelling.print(&self.0))
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("OsiSymbol({})", quoted(&self.0.to_string()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for OsiSymbol {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "text"), self.0.to_string())?;
        Ok(state)
    }
}

/// The dated product table that gives option symbols their terms. Immutable; extending gives a new table.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct Products(core::ProductTable);

#[pymethods]
impl Products {
    /// The shipped table.
    #[new]
    fn new() -> Self {
        Self(core::ProductTable::shipped().clone())
    }

    /// This table and standard equity options (American, 100 shares, PM, in dollars) on the named stocks.
    ///
    /// Raises :class:`InvalidInput` for what is not a root and for a root that has terms in the table.
    fn with_equities(&self, roots: &Bound<'_, PyAny>) -> PyResult<Self> {
        let read = |root: PyResult<Bound<'_, PyAny>>| Ok(text(&root?)?.to_string());
        let roots = items("roots", "a list of roots", roots)?.map(read);
        let roots: Vec<String> = roots.collect::<PyResult<_>>()?;
        Ok(Self(
            self.0
                .with_equities(roots.iter().map(String::as_str))
                .map_err(raise)?,
        ))
    }

    /// This table and more rows, as documents in the shape of :meth:`rows`. Raises :class:`InvalidInput`.
    ///
    /// The row of an adjusted root says what a contract delivers, and what multiplies strike and premium where that is
    /// not the multiplier: ``strike_multiplier``, ``premium_multiplier``.
    ///
    /// >>> import margincore as mc
    /// >>> [row] = mc.Products.from_rows([]).with_equities(["AAPL"]).rows()
    /// >>> row |= {"root": "AAPL1", "deliverable": {"shares": {"AAPL": 28}, "cash": 10.0}}
    /// >>> mc.Products().extended([row]).contract("AAPL1 261218C00100000").deliverable
    /// {'shares': {'AAPL': 28.0}, 'cash': 10.0}
    fn extended(&self, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows: Vec<core::ProductTerms> = from_python("products", rows)?;
        Ok(Self(self.0.extended(rows).map_err(raise)?))
    }

    /// The contract of an option symbol in any spelling; its id is the spelling without blanks.
    ///
    /// Raises :class:`MissingData` for a root that is in no row, :class:`InvalidInput` for what is not a symbol.
    fn contract(&self, #[pyo3(from_py_with = text)] symbol: &str) -> PyResult<Contract> {
        let symbol = symbols::OsiSymbol::parse(symbol).map_err(raise)?;
        Ok(Contract(Arc::new(self.0.contract(&symbol).map_err(raise)?)))
    }

    /// Every row as a document; a new list.
    fn rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &self.0.iter().collect::<Vec<_>>())
    }

    fn __repr__(&self) -> String {
        format!("Products({} rows)", self.0.iter().count())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// A table of these rows alone. Raises :class:`InvalidInput`.
    #[classmethod]
    fn from_rows(_: &Bound<'_, PyType>, rows: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows: Vec<core::ProductTerms> = from_python("products", rows)?;
        Ok(Self(
            core::ProductTable::default()
                .extended(rows)
                .map_err(raise)?,
        ))
    }
}

impl Pickled for Products {
    const MAKER: Option<&'static str> = Some("from_rows");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "rows"), self.rows(py)?)?;
        Ok(state)
    }
}
