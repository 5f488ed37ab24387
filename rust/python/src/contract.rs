//! `Contract`.

use std::sync::Arc;

use margincore::columns::{self};
use margincore::contract as core;
use margincore::time::parse_instant;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple, PyType};
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{self, named};
use crate::errors::raise;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{from_python_with, quoted, read_only, time_text, to_python, without_none};

/// One contract's terms, checked. Immutable and hashable; equal terms are equal contracts.
///
/// Takes the terms by name, `None` for those left out; :func:`margincore.Option` and its siblings name them,
/// `TERMS` lists them. Raises :class:`InvalidInput` for terms that are missing, unknown or do not fit the kind.
#[pyclass(frozen, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq)]
pub(crate) struct Contract(pub(crate) Arc<core::Contract>);

/// Every argument that is a contract is one: an id, which only a table can read, is refused everywhere alike.
impl<'py> FromPyObject<'_, 'py> for Contract {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match value.cast::<Self>() {
            Ok(contract) => Ok(contract.get().clone()),
            Err(_) => Err(arguments::not_a::<Self>(&value)),
        }
    }
}

/// A term's value as documents write it.
fn word(value: impl Serialize) -> String {
    match serde_json::to_value(value) {
        Ok(Value::String(word)) => word,
        other => unreachable!("terms of a choice are text, not {other:?}"),
    }
}

#[pymethods]
impl Contract {
    /// The names of the terms, in the order documents have them.
    #[classattr]
    #[pyo3(name = "TERMS")]
    fn terms(py: Python<'_>) -> PyResult<Py<PyTuple>> {
        Ok(PyTuple::new(py, core::Terms::NAMES)?.unbind())
    }

    /// Takes the terms by name; `None` means left out.
    #[new]
    #[pyo3(signature = (**terms))]
    fn new(py: Python<'_>, terms: Option<&Bound<'_, PyDict>>) -> PyResult<Self> {
        let terms = match terms {
            Some(terms) => without_none(terms)?,
            None => PyDict::new(py),
        };
        if let Some(expiry) = terms.get_item("expiry")? {
            terms.set_item(
                "expiry",
                time_text(&expiry).map_err(|e| named(e, "expiry"))?,
            )?;
        }
        // Read as a document, anything would count as true or false.
        if let Some(listed) = terms.get_item("listed")? {
            arguments::flag(&listed).map_err(|e| named(e, "listed"))?;
        }
        let what = match terms.get_item("underlying")? {
            Some(name) if name.is_instance_of::<PyString>() => format!("contract on {name}"),
            _ => "contract".to_string(),
        };
        let terms: core::Terms = from_python_with(&what, terms.as_any(), columns::is_flag)?;
        Ok(Self(Arc::new(core::Contract::new(terms).map_err(raise)?)))
    }

    /// The name it is known by, unique in its table; derived from the other terms where none was given.
    #[getter]
    fn id(&self) -> &str {
        self.0.id()
    }

    /// ``spot``, ``stock``, ``etf``, ``index``, ``future``, ``perpetual`` or ``option``.
    #[getter]
    fn kind(&self) -> &'static str {
        self.0.kind().name()
    }

    /// The symbol it is on; for an option on another contract, that contract's id.
    #[getter]
    fn underlying(&self) -> &str {
        self.0.underlying()
    }

    /// ``call`` or ``put``; `None` for what is not an option.
    #[getter]
    fn right(&self) -> Option<String> {
        self.0.terms().right.map(word)
    }

    /// The strike price; `None` for what is not an option.
    #[getter]
    fn strike(&self) -> Option<f64> {
        self.0.terms().strike
    }

    /// The expiry as it was written, a date or an instant; `None` for what does not expire.
    #[getter]
    fn expiry(&self) -> Option<&str> {
        self.0.terms().expiry.as_deref()
    }

    /// The instant of expiry in UTC, such as ``"2026-12-18T14:30:00Z"``; `None` for what does not expire.
    #[getter]
    fn expires(&self) -> Option<String> {
        self.0.expiry().map(|e| e.instant.to_string())
    }

    /// Whole calendar days from the date of `valuation` to the date of expiry, both in the zone of the expiry.
    ///
    /// Negative once the date has passed; `None` for what does not expire. `valuation` is an instant with its zone as
    /// text, or an aware datetime. Raises :class:`InvalidInput` for one without a zone.
    fn days_from(&self, valuation: &Bound<'_, PyAny>) -> PyResult<Option<i32>> {
        let instant = parse_instant(&time_text(valuation)?).map_err(raise)?;
        Ok(self.0.expiry().map(|e| e.days_from(instant.timestamp())))
    }

    /// ``am`` or ``pm``: when it settles on its expiry date; `None` where it was not given.
    #[getter]
    fn settles(&self) -> Option<String> {
        self.0.terms().settles.map(word)
    }

    /// The exchange whose zone and settlement times a date of expiry has, where one was given.
    #[getter]
    fn exchange(&self) -> Option<&str> {
        self.0.terms().exchange.as_deref()
    }

    /// ``european`` or ``american``; `None` for what is not an option.
    #[getter]
    fn exercise(&self) -> Option<String> {
        self.0.terms().exercise.map(word)
    }

    /// Units of the underlying (or of its `multiplier_unit`) per contract; 1 where none was given.
    #[getter]
    fn multiplier(&self) -> f64 {
        self.0.multiplier()
    }

    /// What the multiplier counts, ``coin`` or a currency; `None` where it counts the underlying's own units.
    #[getter]
    fn multiplier_unit(&self) -> Option<&str> {
        self.0.terms().multiplier_unit.as_deref()
    }

    /// What an option's strike is multiplied by: the multiplier, where no other was given; `None` without a strike.
    #[getter]
    fn strike_multiplier(&self) -> Option<f64> {
        (self.0.kind() == core::Kind::Option).then(|| self.0.strike_multiplier())
    }

    /// What an option's price is multiplied by: the multiplier, where no other was given; `None` without a strike.
    #[getter]
    fn premium_multiplier(&self) -> Option<f64> {
        (self.0.kind() == core::Kind::Option).then(|| self.0.premium_multiplier())
    }

    /// ``linear`` or ``inverse``: paid in the quote currency, or in the coin at the inverse of its price.
    #[getter]
    fn settlement(&self) -> String {
        word(self.0.terms().settlement)
    }

    /// ``upfront`` or ``futures_style``: an option's premium paid when it is bought, or settled like a future.
    #[getter]
    fn premium(&self) -> String {
        word(self.0.terms().premium)
    }

    /// The currency profit, loss and premium are paid in.
    #[getter]
    fn currency(&self) -> &str {
        self.0.currency()
    }

    /// The smallest tradable quantity, in contracts: quantities are whole numbers of lots.
    #[getter]
    fn lot(&self) -> f64 {
        self.0.terms().lot
    }

    /// What exercise delivers, where it was given.
    ///
    /// ``cash``, ``shares`` (of the underlying, as many as the multiplier says), or a new dictionary of what one
    /// contract delivers, ``{"shares": {symbol: number}, "cash": amount}``, cash in its currency.
    #[getter]
    fn deliverable<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let deliverable = self.0.terms().deliverable.as_ref();
        deliverable.map(|d| read_only(py, d)).transpose()
    }

    /// Whether it is an adjusted option.
    ///
    /// One that delivers something else than `multiplier` units of its underlying, or whose strike or premium has a
    /// multiplier of its own. Reg T and TIMS have rules for them; other rulebooks raise :class:`NotApplicable`.
    #[getter]
    fn adjusted(&self) -> bool {
        self.0.delivery().is_some()
    }

    /// Whether it is listed on an exchange; false for what trades over the counter.
    #[getter]
    fn listed(&self) -> bool {
        self.0.terms().listed
    }

    /// The venue it trades on, where one was given.
    #[getter]
    fn venue(&self) -> Option<&str> {
        self.0.terms().venue.as_deref()
    }

    /// Its names at other vendors, by vendor; read-only.
    #[getter]
    fn aliases<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.0.terms().aliases)
    }

    /// The terms as a document of plain values, without those left out.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.0.terms())
    }

    fn __hash__(&self) -> u64 {
        use std::hash::{DefaultHasher, Hash, Hasher};
        let mut hasher = DefaultHasher::new();
        self.0.id().hash(&mut hasher);
        hasher.finish()
    }

    fn __repr__(&self) -> String {
        format!("Contract({})", quoted(self.0.id()))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// The contract of a document, as :meth:`to_dict` gives it. Raises :class:`InvalidInput`.
    #[classmethod]
    fn from_dict(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        terms: &Bound<'_, PyDict>,
    ) -> PyResult<Self> {
        Self::new(py, Some(terms))
    }
}

impl Pickled for Contract {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        Ok(self.to_dict(py)?.cast_into()?)
    }
}
