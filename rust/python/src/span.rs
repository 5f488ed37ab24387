//! Parsed SPAN files, and risk arrays from parameters.

use std::path::PathBuf;
use std::sync::Arc;

use margincore::contract as core_contract;
use margincore::span::{self as core, SpanFile as CoreFile};
use numpy::{PyArray1, PyArray2, PyArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyTuple};

use crate::arguments::{text, whole};
use crate::contracts::Contracts;
use crate::errors::{enter, raise};
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{document, read_only, to_python};

/// A parsed SPAN parameter file: what it holds, its contracts and arrays. Immutable.
///
/// A list of paths is several clearing organisations as one set, with the spreads between them. Raises
/// :class:`ParseError` with file, line or byte offset, and field; :class:`InvalidInput` where it cannot be read.
///
/// >>> from margincore._core import SpanFile
/// >>> array = "".join(f"<a>{a}</a>" for a in (0, 0, -3, -3, 3, 3, -6, -6, 6, 6, -9, -9, 9, 9, -9, 9))
/// >>> future = f"<fut><pe>202506</pe><p>10.5</p><ra><r>1</r>{array}<d>1</d></ra></fut>"
/// >>> family = f"<futPf><pfCode>F</pfCode><cvf>1</cvf>{future}</futPf>"
/// >>> commodity = "<ccDef><cc>F</cc><currency>USD</currency></ccDef>"
/// >>> text = f"<clearingOrg><ec>X</ec>{family}{commodity}</clearingOrg>"
/// >>> text = f"<spanFile><pointInTime><date>20250601</date>{text}</pointInTime></spanFile>"
/// >>> file = SpanFile.parse(text.encode(), "x.spn")
/// >>> file.ids(), float(file.arrays()[0, 10]), file.composite_deltas().tolist()
/// ([':F:FUT:202506'], -9.0, [1.0])
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct SpanFile(pub(crate) Arc<CoreFile>);

#[derive(FromPyObject)]
enum Paths {
    One(PathBuf),
    Several(Vec<PathBuf>),
}

/// Row numbers, arrays made again, deltas, and the value of each underlying.
type Regenerated<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray2<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
);

fn table<'py>(
    py: Python<'py>,
    values: Vec<f64>,
    rows: usize,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let width = values.len().checked_div(rows).unwrap_or(0);
    PyArray1::from_vec(py, values).reshape([rows, width])
}

#[pymethods]
impl SpanFile {
    /// One file; a list of several is several clearing organisations with the spreads between them.
    #[new]
    fn new(py: Python<'_>, path: Paths) -> PyResult<Self> {
        let paths = match path {
            Paths::One(path) => vec![path],
            Paths::Several(paths) => paths,
        };
        Ok(Self(Arc::new(enter(py, || core::read_files(&paths))?)))
    }

    /// A file from its bytes; `name` stands for the file's name in messages. Raises :class:`ParseError`.
    #[staticmethod]
    fn parse(
        py: Python<'_>,
        data: &[u8],
        #[pyo3(from_py_with = text)] name: &str,
    ) -> PyResult<Self> {
        let data = data.to_vec();
        Ok(Self(Arc::new(enter(py, || {
            core::container::parse(data, name)
        })?)))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// The parsed file as bytes that load in milliseconds; :meth:`parse` takes them.
    fn cache<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        Ok(PyBytes::new(py, &enter(py, || core::cache::save(&self.0))?))
    }

    /// The file's own head; read-only.
    ///
    /// File, format, digest (SHA-256), organisation, created, business date, settlement and run.
    #[getter]
    fn info<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.0.info)
    }

    /// Counts, and everything met in the file that is not read; read-only.
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let file = &self.0;
        read_only(
            py,
            &serde_json::json!({
                "contracts": file.contracts.len(),
                "families": file.families.len(),
                "commodities": file.commodities.len(),
                "scan_points": file.points.len(),
                "super_spreads": file.super_spreads.len(),
                "inter_spreads": file.inter_spreads.len(),
                "exchange_spreads": file.exchange_spreads.len(),
                "unknown": file.unknown,
            }),
        )
    }

    /// One commodity's tiers, spreads and rates as the file has them; `None` where it has no such code.
    fn commodity<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text)] code: &str,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let found = self
            .0
            .commodity(code)
            .map(|i| &self.0.commodities[i as usize]);
        found.map(|c| to_python(py, c)).transpose()
    }

    /// The codes of the combined commodities, in the file's order.
    #[getter]
    fn commodities<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.commodities.iter().map(|c| c.code.as_str()))
    }

    /// Contract ids, in the order of the arrays' rows.
    fn ids(&self) -> Vec<String> {
        (0..self.0.contracts.len())
            .map(|row| self.0.contract_id(row))
            .collect()
    }

    /// All contracts of the file, in the order of the arrays' rows.
    ///
    /// Raises :class:`InvalidInput` for terms that make no contract.
    fn contracts(&self, py: Python<'_>) -> PyResult<Contracts> {
        let rows = enter(py, || {
            (0..self.0.contracts.len())
                .map(|row| {
                    Ok(Arc::new(core_contract::Contract::new(
                        core::contracts::terms(&self.0, row),
                    )?))
                })
                .collect::<margincore::Result<Vec<_>>>()
        })?;
        Ok(Contracts(
            core_contract::Contracts::new(rows).map_err(raise)?,
        ))
    }

    /// Losses of one long contract as printed, shape ``(contracts, scan points)``; NaN where the file has none.
    ///
    /// A new array.
    fn arrays<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray2<f64>>> {
        table(py, self.0.contracts.array.clone(), self.0.contracts.len())
    }

    /// The composite delta of each contract as printed, in the order of the arrays' rows; a new array.
    fn composite_deltas<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        PyArray1::from_slice(py, &self.0.contracts.delta)
    }

    /// Arrays and deltas of futures and options made again from the file's own parameters.
    ///
    /// Gives four new arrays: row numbers, arrays ``(rows, scan points)`` of losses of one long contract, deltas, and
    /// the value of each underlying. Raises :class:`InvalidInput` for an unknown variant.
    fn regenerate<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text)] variant: &str,
    ) -> PyResult<Regenerated<'py>> {
        let made = enter(py, || {
            core::generate::regenerate(&self.0, &core::generate::variant(variant)?)
        })?;
        Ok((
            PyArray1::from_iter(py, made.iter().map(|m| m.row as i64)),
            table(
                py,
                made.iter().flat_map(|m| m.array.iter().copied()).collect(),
                made.len(),
            )?,
            PyArray1::from_iter(py, made.iter().map(|m| m.delta)),
            PyArray1::from_iter(py, made.iter().map(|m| m.underlying)),
        ))
    }

    fn __len__(&self) -> usize {
        self.0.contracts.len()
    }

    fn __repr__(&self) -> String {
        let info = &self.0.info;
        format!(
            "SpanFile({}, {} {}, {} contracts)",
            info.organisation,
            info.business_date,
            info.run,
            self.0.contracts.len()
        )
    }
}

/// Pickled as its cache: the file itself need not be there.
impl Pickled for SpanFile {
    const MAKER: Option<&'static str> = Some("parse");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "data"), self.cache(py)?)?;
        state.set_item(intern!(py, "name"), &self.0.info.file)?;
        Ok(state)
    }
}

/// A risk array from ``{"inputs": {...}, "extreme": [multiplier, cover]}``.
///
/// Gives ``{"array", "composite_delta", "delta"}``; the array holds losses of one long contract. Raises
/// :class:`InvalidInput` for a request of another form.
#[pyfunction]
pub(crate) fn span_risk_array<'py>(request: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = request.py();
    let request = document("risk array", request)?;
    to_python(py, &core::generate::evaluate(&request).map_err(raise)?)
}

/// A settlement price of the expanded format: digits, decimal locator, alignment code.
///
/// Raises :class:`ParseError` for digits that are none, :class:`Unsupported` for a code that is not documented.
#[pyfunction]
pub(crate) fn span_settlement_price(
    #[pyo3(from_py_with = text)] digits: &str,
    #[pyo3(from_py_with = whole)] locator: i32,
    #[pyo3(from_py_with = text)] alignment: &str,
) -> PyResult<f64> {
    let code = alignment.bytes().next().unwrap_or(b' ');
    core::pa2::settlement_price(digits, locator, code).map_err(raise)
}
