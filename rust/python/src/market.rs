//! `Market`.

use std::sync::Arc;

use margincore::MarginError as Core;
use margincore::error::Code;
use margincore::market as core;
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::arguments::{items, named, wrong_type};
use crate::columns::numbers;
use crate::contract::Contract;
use crate::contracts::Contracts;
use crate::errors::{invalid, raise};
use crate::names::refuse_unknown;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{from_python, quoted, read_only, time_text, to_python};

/// One snapshot of a market, its valuation time inside. Immutable.
///
/// Rates, yields and vols are annual fractions (0.05 is 5 %), rates and yields continuously compounded. Every part may
/// be left out but the first. Raises :class:`InvalidInput` for anything that is not finite or not a quote, and for an
/// unknown name, with the nearest known one.
///
/// - `valuation`: an instant with its zone as text, or an aware datetime.
/// - `contracts`: the table whose rows arrays of `price` and `vol` follow; needed beside arrays only. Mappings
///   beside it name its contracts only.
/// - `spot`: by symbol, in the currency the symbol is quoted in.
/// - `forward`: by ``(underlying, expiry)``, as `spot`; the expiry written as the contracts write theirs.
/// - `dividends`: ``(ex-date, amount per unit)`` by symbol, in the currency of its `spot`.
/// - `dividend_yield`: by symbol; with neither this nor `dividends` a symbol pays none.
/// - `rate`: zero rates by currency, flat, ``{currency: {date: rate}}`` or ``{(currency, date): rate}``: linear
///   between the dates, flat outside them.
/// - `borrow`: by symbol; kept with the snapshot, no rulebook reads it.
/// - `price`: marks in the contract's quote, by contract or its id, or in the order of `contracts` as an array, list,
///   tuple or Series of numbers. Only futures (and indices) are quoted below zero.
/// - `vol`: implied vols, amounts where a rulebook prices by Bachelier's formula; as `price`.
/// - `fx`: units of the second currency for one of the first, ``{"EURUSD": 1.08}`` or ``{"BTC/USD": 70000.0}``.
#[pyclass(frozen, skip_from_py_object, module = "margincore._core")]
#[derive(Clone)]
pub(crate) struct Market(pub(crate) Arc<core::Market>);

#[pymethods]
impl Market {
    #[new]
    #[pyo3(signature = (valuation, *, contracts=None, spot=None, forward=None, dividends=None, dividend_yield=None,
                        rate=None, borrow=None, price=None, vol=None, fx=None, **unknown))]
    #[pyo3(
        text_signature = "(valuation, *, contracts=None, spot=None, forward=None, dividends=None, \
                             dividend_yield=None, rate=None, borrow=None, price=None, vol=None, fx=None)"
    )]
    fn new<'py>(
        py: Python<'py>,
        valuation: &Bound<'py, PyAny>,
        contracts: Part<'_, 'py>,
        spot: Part<'_, 'py>,
        forward: Part<'_, 'py>,
        dividends: Part<'_, 'py>,
        dividend_yield: Part<'_, 'py>,
        rate: Part<'_, 'py>,
        borrow: Part<'_, 'py>,
        price: Part<'_, 'py>,
        vol: Part<'_, 'py>,
        fx: Part<'_, 'py>,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("market", &PARTS, unknown)?;
        let document = PyDict::new(py);
        document.set_item("valuation", time_text(valuation)?)?;
        let table = contracts.map(Contracts::from_any).transpose()?;
        let mut columns = [None, None];
        for ((name, values), column) in [("price", price), ("vol", vol)]
            .into_iter()
            .zip(&mut columns)
        {
            let Some(values) = values else {
                continue;
            };
            if is_mapping(values)? {
                document.set_item(name, by_id(values)?)?;
                continue;
            }
            let needed = "a mapping by contract id, or an array of numbers beside contracts=, is";
            let values = numbers(&format!("market: {name}"), needed, values)?;
            let Some(table) = &table else {
                let message = format!(
                    "market: an array of {name} needs contracts= beside it, whose rows it follows"
                );
                return Err(raise(
                    Core::InvalidInput(message.into())
                        .code(Code::NotStated)
                        .place(format_args!("market: {name}")),
                ));
            };
            *column = Some(core::Column::new(name, table.0.clone(), values).map_err(raise)?);
        }
        set_given(
            &document,
            [
                ("spot", spot),
                ("dividend_yield", dividend_yield),
                ("borrow", borrow),
                ("fx", fx),
            ],
        )?;
        if let Some(forward) = forward {
            document.set_item("forward", forwards(forward)?)?;
        }
        if let Some(dividends) = dividends {
            document.set_item("dividends", dividend_lists(dividends)?)?;
        }
        if let Some(rate) = rate {
            document.set_item("rate", curves(rate)?)?;
        }
        let [price, vol] = columns;
        let snapshot: core::Snapshot = from_python("market", document.as_any())?;
        if let Some(table) = &table {
            snapshot.check_ids(&table.0).map_err(raise)?;
        }
        Ok(Self(Arc::new(
            core::Market::with_columns(snapshot, price, vol).map_err(raise)?,
        )))
    }

    /// The instant of the snapshot with its zone, as it was given.
    #[getter]
    fn valuation(&self) -> &str {
        &self.0.snapshot().valuation
    }

    /// Spot prices by symbol; read-only.
    #[getter]
    fn spot<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.0.snapshot().spot)
    }

    /// The table whose rows arrays of prices or vols follow; `None` where there are no arrays.
    #[getter]
    fn contracts(&self) -> Option<Contracts> {
        let (price, vol) = self.0.columns();
        let column = price.or(vol)?;
        Some(Contracts(column.contracts.clone()))
    }

    /// SHA-256 of the market as it was given, in hexadecimal: equal where valuation and every quote are.
    #[getter]
    fn digest(&self) -> String {
        margincore::provenance::digest(&self.0)
    }

    /// The snapshot as a document of plain values; array columns are not part of it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self.0.snapshot())
    }

    fn __repr__(&self) -> String {
        let snapshot = self.0.snapshot();
        format!(
            "Market({}, {} spot prices)",
            quoted(&snapshot.valuation),
            snapshot.spot.len()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Market {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = self.to_dict(py)?.cast_into::<PyDict>()?;
        let (price, vol) = self.0.columns();
        for (name, column) in [("price", price), ("vol", vol)] {
            if let Some(column) = column {
                state.set_item(name, PyArray1::from_slice(py, &column.values))?;
            }
        }
        if let Some(contracts) = self.contracts() {
            state.set_item("contracts", contracts)?;
        }
        Ok(state)
    }
}

/// A part of a market that may be left out.
pub(crate) type Part<'a, 'py> = Option<&'a Bound<'py, PyAny>>;

/// What [`Market`] takes by name.
const PARTS: [&str; 11] = [
    "valuation",
    "contracts",
    "spot",
    "forward",
    "dividends",
    "dividend_yield",
    "rate",
    "borrow",
    "price",
    "vol",
    "fx",
];

/// Whether values stand by contract id, and not in the order of a table.
fn is_mapping(values: &Bound<'_, PyAny>) -> PyResult<bool> {
    // A pandas Series has keys as well, and is a column all the same.
    Ok(values.is_instance_of::<PyDict>()
        || (values.hasattr("keys")? && !values.hasattr("__array__")?))
}

/// The same mapping by id where contracts are among its keys.
fn by_id<'py>(values: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(dict) = values.cast::<PyDict>() else {
        return Ok(values.clone());
    };
    if !dict
        .keys()
        .iter()
        .any(|key| key.is_instance_of::<Contract>())
    {
        return Ok(values.clone());
    }
    let named = PyDict::new(dict.py());
    for (key, value) in dict {
        let id = match key.cast::<Contract>() {
            Ok(contract) => contract.getattr("id")?,
            Err(_) => key.clone(),
        };
        if named.contains(&id)? {
            return Err(invalid(format!(
                "market: '{id}' is given twice, by its id and as a contract"
            )));
        }
        named.set_item(id, value)?;
    }
    Ok(named.into_any())
}

/// Sets the parts that were given.
fn set_given<'py, const N: usize>(
    document: &Bound<'py, PyDict>,
    parts: [(&str, Part<'_, 'py>); N],
) -> PyResult<()> {
    for (name, part) in parts {
        if let Some(part) = part {
            document.set_item(name, part)?;
        }
    }
    Ok(())
}

/// A change of a market as Python gives it, by the names its parts have.
pub(crate) struct Change<'a, 'py> {
    pub(crate) valuation: Part<'a, 'py>,
    pub(crate) spot: Part<'a, 'py>,
    pub(crate) forward: Part<'a, 'py>,
    pub(crate) price: Part<'a, 'py>,
    pub(crate) vol: Part<'a, 'py>,
    pub(crate) rate: Part<'a, 'py>,
    pub(crate) dividend_yield: Part<'a, 'py>,
    pub(crate) fx: Part<'a, 'py>,
    pub(crate) marks: Part<'a, 'py>,
}

impl<'py> Change<'_, 'py> {
    /// What [`crate::methods`]'s `update` takes by name.
    pub(crate) const PARTS: [&'static str; 10] = [
        "valuation",
        "spot",
        "forward",
        "price",
        "vol",
        "rate",
        "dividend_yield",
        "fx",
        "marks",
        "threads",
    ];

    /// The change as a document.
    pub(crate) fn document(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let document = PyDict::new(py);
        set_given(
            &document,
            [
                ("spot", self.spot),
                ("dividend_yield", self.dividend_yield),
                ("fx", self.fx),
                ("marks", self.marks),
            ],
        )?;
        for (name, values) in [("price", self.price), ("vol", self.vol)] {
            if let Some(values) = values {
                document.set_item(name, by_id(values)?)?;
            }
        }
        if let Some(valuation) = self.valuation {
            document.set_item("valuation", time_text(valuation)?)?;
        }
        if let Some(forward) = self.forward {
            document.set_item("forward", forwards(forward)?)?;
        }
        if let Some(rate) = self.rate {
            document.set_item("rate", curves(rate)?)?;
        }
        Ok(document)
    }
}

/// `{(underlying, expiry): price}` or a list of documents.
fn forwards<'py>(forward: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let Ok(dict) = forward.cast::<PyDict>() else {
        return Ok(dated("forward", forward, "expiry")?.into_any());
    };
    let list = PyList::empty(dict.py());
    for (key, price) in dict {
        let (underlying, expiry): (Bound<'_, PyAny>, Bound<'_, PyAny>) =
            key.extract().map_err(|_| {
                invalid(format!(
                    "market: forward {key}: keys are pairs (underlying, expiry)"
                ))
            })?;
        let entry = PyDict::new(dict.py());
        entry.set_item("underlying", underlying)?;
        entry.set_item("expiry", time_text(&expiry)?)?;
        entry.set_item("price", price)?;
        list.append(entry)?;
    }
    Ok(list.into_any())
}

/// Documents with the time that each has under a name as text; what is no document is judged where it is read.
fn dated<'py>(
    place: &str,
    documents: &Bound<'py, PyAny>,
    name: &str,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(documents.py());
    for document in items(place, "a list of documents, or a mapping,", documents)? {
        let document = document?;
        let Ok(given) = document.cast::<PyDict>() else {
            list.append(document)?;
            continue;
        };
        let own = given.copy()?;
        if let Some(time) = given.get_item(name)? {
            own.set_item(name, time_text(&time)?)?;
        }
        list.append(own)?;
    }
    Ok(list)
}

/// `{symbol: [(date, amount), ...]}`, or documents in place of the pairs.
fn dividend_lists<'py>(dividends: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let lists = PyDict::new(dividends.py());
    let Ok(given) = dividends.cast::<PyDict>() else {
        let error = wrong_type("a mapping by symbol ({'XYZ': [(date, amount)]})", dividends);
        return Err(named(error, "dividends"));
    };
    for (symbol, entries) in given {
        let list = PyList::empty(dividends.py());
        let place = format!("dividends of '{symbol}'");
        for entry in items(&place, "a list of pairs (date, amount)", &entries)? {
            let entry = entry?;
            match entry.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
                Ok((date, amount)) => {
                    let document = PyDict::new(dividends.py());
                    document.set_item("date", time_text(&date)?)?;
                    document.set_item("amount", amount)?;
                    list.append(document)?;
                }
                Err(_) => list.append(entry)?,
            }
        }
        lists.set_item(symbol, dated(&place, list.as_any(), "date")?)?;
    }
    Ok(lists)
}

/// `{currency: number}`, `{currency: {date: number}}` or `{(currency, date): number}`.
fn curves<'py>(rate: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let curves = PyDict::new(rate.py());
    let Ok(given) = rate.cast::<PyDict>() else {
        let error = wrong_type("a mapping by currency ({'USD': 0.05})", rate);
        return Err(named(error, "rate"));
    };
    for (key, value) in given {
        if let Ok((currency, date)) = key.extract::<(Bound<'_, PyAny>, Bound<'_, PyAny>)>() {
            let curve = match curves.get_item(&currency)? {
                Some(curve) => curve.cast_into::<PyDict>()?,
                None => PyDict::new(rate.py()),
            };
            curve.set_item(time_text(&date)?, value)?;
            curves.set_item(currency, curve)?;
        } else if let Ok(dated) = value.cast::<PyDict>() {
            let curve = PyDict::new(rate.py());
            for (date, value) in dated {
                curve.set_item(time_text(&date)?, value)?;
            }
            curves.set_item(key, curve)?;
        } else {
            curves.set_item(key, value)?;
        }
    }
    Ok(curves)
}
