//! `Contract` and `Contracts`.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatchIterator;
use margincore::arrow::ContractsReader;
use margincore::columns::{self, TermColumns, TextColumn};
use margincore::contract as core;
use margincore::float::hex;
use margincore::time::parse_instant;
use numpy::{IntoPyArray, PyReadonlyArray1, PyUntypedArray};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyCapsule, PyDict, PyIterator, PyString, PyTuple, PyType};
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{self, is_flag, items, named, wrong_type};
use crate::batches::Batches;
use crate::capsules::stream_capsule;
use crate::columns::whole_numbers;
use crate::errors::{enter, invalid, raise};
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{
    from_python, from_python_with, quoted, read_only, time_text, to_python, without_none,
};

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

/// A table of contracts with unique ids. Accounts and prepared rulebooks refer to its rows.
///
/// Raises :class:`InvalidInput` for an id that comes twice.
#[pyclass(frozen, skip_from_py_object, module = "margincore._core")]
#[derive(Clone)]
pub(crate) struct Contracts(pub(crate) Arc<core::Contracts>);

#[pymethods]
impl Contracts {
    #[new]
    fn new(contracts: &Bound<'_, PyAny>) -> PyResult<Self> {
        let rows = items("contracts", "a list of contracts", contracts)?
            .enumerate()
            .map(|(i, c)| {
                let contract = c?.extract::<Contract>();
                Ok(contract
                    .map_err(|e| named(e, &format!("contracts[{i}]: contract")))?
                    .0)
            })
            .collect::<PyResult<Vec<_>>>()?;
        Ok(Self(core::Contracts::new(rows).map_err(raise)?))
    }

    /// A table from columns by the names of a contract's terms.
    ///
    /// Arrays or lists with one entry per row, or one value for all rows. Text may be NumPy text, numbers NumPy
    /// numbers, dates ``datetime64``; ``""`` means left out. `listed` is true or false, `aliases` a column of text by
    /// vendor, `deliverable` text or dictionaries. A pair of codes and texts, ``(array([0, 1, 0]), ["A", "B"])``, is a
    /// column of text too. Raises :class:`InvalidInput` for columns that are none, that differ
    /// in length or make no contract. (An array of NumPy text cannot hold a NUL at the end of a name: NumPy takes it
    /// away when the array is made.)
    #[classmethod]
    #[pyo3(signature = (**columns))]
    fn from_columns(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        columns: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<Self> {
        let mut terms = TermColumns::default();
        for (name, column) in columns.into_iter().flatten().filter(|(_, c)| !c.is_none()) {
            add_column(&mut terms, name.extract()?, &column)?;
        }
        Ok(Self(enter(py, move || terms.contracts())?))
    }

    /// A table from anything with an Arrow stream, whose columns are named like a contract's terms.
    ///
    /// Text may be plain, views or dictionary-coded; an expiry also a date, or a timestamp without a zone that is a
    /// midnight; aliases are columns ``aliases.VENDOR``. Null text is left out, as is a null strike where there is no
    /// option; a null multiplier of strike or premium is the row's multiplier. The index that pandas adds is passed
    /// over. Raises :class:`InvalidInput` or :class:`MissingData`, naming column and row.
    ///
    /// >>> import margincore as mc, pyarrow as pa
    /// >>> rows = pa.table({"kind": ["etf", "stock"], "underlying": ["SPY", "A"], "currency": ["USD", "USD"]})
    /// >>> mc.Contracts.from_arrow(rows).ids
    /// ('SPY', 'A')
    /// >>> pa.table(mc.Contracts.from_arrow(rows)).select(["kind", "id"]).to_pylist()
    /// [{'kind': 'etf', 'id': 'SPY'}, {'kind': 'stock', 'id': 'A'}]
    #[classmethod]
    #[pyo3(signature = (source))]
    fn from_arrow(_: &Bound<'_, PyType>, source: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = source.py();
        let mut batches = Batches::new(source)?;
        let mut reader = ContractsReader::default();
        if let Some(schema) = batches.schema() {
            reader.look(schema).map_err(raise)?;
        }
        while let Some(batch) = batches.next(py)? {
            enter(py, || reader.push(&batch))?;
        }
        Ok(Self(enter(py, || reader.finish())?))
    }

    /// The table as an Arrow stream, a column per term that any row states.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        let _ = requested_schema;
        let batch = enter(py, || margincore::arrow::contracts(&self.0))?;
        let schema = batch.schema();
        let once = RecordBatchIterator::new([Ok(batch)], schema);
        stream_capsule(py, Box::new(once))
    }

    /// The row of a contract or id, from 0.
    ///
    /// Raises :class:`MissingData` where it is not in the table, :class:`InvalidInput` where its terms are others.
    fn index(&self, contract: &Bound<'_, PyAny>) -> PyResult<u32> {
        if let Ok(contract) = contract.cast::<Contract>() {
            return self.0.resolve(&contract.get().0).map_err(raise);
        }
        let id = contract
            .cast::<PyString>()
            .map_err(|_| named(wrong_type("a Contract or an id", contract), "contract"))?;
        self.0.index_of(arguments::text(id)?).map_err(raise)
    }

    /// The ids, in the order of the rows.
    #[getter]
    fn ids<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, self.0.rows().iter().map(|c| c.id()))
    }

    /// SHA-256 of every row's terms in order, in hexadecimal: tables with one digest are the same table.
    #[getter]
    fn digest(&self) -> String {
        hex(&self.0.digest()[..])
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, row: isize) -> PyResult<Contract> {
        let at = if row < 0 {
            row + self.0.len() as isize
        } else {
            row
        };
        match u32::try_from(at).ok().and_then(|i| self.0.get(i)) {
            Some(contract) => Ok(Contract(contract.clone())),
            None => Err(PyIndexError::new_err(format!(
                "row {row} of a table of {} contracts",
                self.0.len()
            ))),
        }
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyTuple::new(py, self.rows())?.try_iter()
    }

    fn __contains__(&self, contract: &Bound<'_, PyAny>) -> bool {
        self.index(contract).is_ok()
    }

    fn __repr__(&self) -> String {
        format!("Contracts({} rows)", self.0.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Contracts {
    /// In the first version a list of contracts; since then columns, for which nothing is made per row.
    const VERSION: u32 = 2;

    fn maker(version: u32) -> Option<&'static str> {
        (version > 1).then_some("from_columns")
    }

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let columns = TermColumns::of(&self.0);
        let state = PyDict::new(py);
        let coded = |column: TextColumn| (column.codes.into_pyarray(py), column.values);
        for (name, column) in columns.text {
            state.set_item(name, coded(column))?;
        }
        for (name, column) in columns.numbers {
            state.set_item(name, column.into_pyarray(py))?;
        }
        for (name, column) in columns.flags {
            state.set_item(name, column.into_pyarray(py))?;
        }
        for (name, named) in columns.named {
            let inner = PyDict::new(py);
            for (key, column) in named {
                inner.set_item(key, coded(column))?;
            }
            state.set_item(name, inner)?;
        }
        Ok(state)
    }
}

/// Adds a column to those of its form.
fn add_column(terms: &mut TermColumns, name: String, column: &Bound<'_, PyAny>) -> PyResult<()> {
    let words = columns::is_words(&name);
    if let Some(coded) = coded(&name, column)? {
        terms.text.insert(name, coded);
    } else if let Some(named) = column.cast::<PyDict>().ok().filter(|_| !words) {
        let named = named.iter().map(|(vendor, column)| {
            let vendor: String = vendor.extract()?;
            let place = format!("{name}.{vendor}");
            let text = if let Some(coded) = coded(&place, &column)? {
                coded
            } else if column.is_instance_of::<PyString>() {
                one_text(text(&place, 0, &column)?)
            } else {
                text_column(&place, &column, &as_array(&place, &column)?)?
            };
            Ok((vendor, text))
        });
        let named = named.collect::<PyResult<_>>()?;
        terms.named.insert(name, named);
    } else if column.is_instance_of::<PyString>() || column.is_instance_of::<PyDict>() {
        let text = one_text(text(&name, 0, column)?);
        terms.text.insert(name, text);
    } else if is_flag(column)? {
        if !columns::is_flag(&name) {
            return Err(invalid(format!(
                "contracts: column '{name}': {column} stands where a number or text is needed"
            )));
        }
        terms.flags.insert(name, vec![column.is_truthy()?]);
    } else if let Ok(number) = column.extract::<f64>() {
        terms.numbers.insert(name, vec![number]);
    } else {
        let array = as_array(&name, column)?;
        match element_kind(&array)?.as_str() {
            "f" | "i" | "u" => {
                let numbers = array.call_method1("astype", ("float64",))?;
                let numbers = numbers.extract::<PyReadonlyArray1<'_, f64>>()?;
                terms.numbers.insert(name, numbers.as_array().to_vec());
            }
            "b" => {
                let flags = array.extract::<PyReadonlyArray1<'_, bool>>()?;
                terms.flags.insert(name, flags.as_array().to_vec());
            }
            _ => {
                let text = text_column(&name, column, &array)?;
                terms.text.insert(name, text);
            }
        }
    }
    Ok(())
}

/// A column of text as codes and the texts they stand for; `None` where it is no such pair.
fn coded(name: &str, column: &Bound<'_, PyAny>) -> PyResult<Option<TextColumn>> {
    let Ok(pair) = column.cast::<PyTuple>() else {
        return Ok(None);
    };
    let [codes, values] = match pair.iter().collect::<Vec<_>>().try_into() {
        Ok(pair) => pair,
        Err(_) => return Ok(None),
    };
    let pair: [Bound<'_, PyAny>; 2] = [codes, values];
    let is_column =
        |part: &Bound<'_, PyAny>| part.len().is_ok() && !part.is_instance_of::<PyString>();
    if !pair.iter().all(is_column) {
        return Ok(None);
    }
    let codes = whole_numbers(&format!("contracts: column '{name}': codes"), &pair[0])?;
    let values = pair[1].try_iter()?.enumerate();
    let values = values.map(|(row, value)| text(name, row, &value?));
    Ok(Some(TextColumn {
        codes,
        values: values.collect::<PyResult<_>>()?,
    }))
}

/// What NumPy makes of a column, of one dimension.
fn as_array<'py>(name: &str, column: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = column.py();
    let refused = |why: String| invalid(format!("contracts: column '{name}': {why}"));
    let array = py
        .import("numpy")?
        .call_method1("asarray", (column,))
        .map_err(|e| refused(e.value(py).to_string()))?;
    let dimensions: usize = array.getattr("ndim")?.extract()?;
    if dimensions != 1 {
        return Err(refused(format!(
            "{} is no column: one value, or a list or array with one per row, is needed",
            column.get_type().name()?
        )));
    }
    Ok(array)
}

/// NumPy's letter for the kind of an array's elements.
fn element_kind(array: &Bound<'_, PyAny>) -> PyResult<String> {
    array.getattr("dtype")?.getattr("kind")?.extract()
}

/// A text for every row.
fn one_text(text: String) -> TextColumn {
    TextColumn {
        codes: vec![0],
        values: vec![text],
    }
}

/// The distinct values of a column of text or dates, of which `array` is NumPy's, and which of them each row holds.
fn text_column(
    name: &str,
    column: &Bound<'_, PyAny>,
    array: &Bound<'_, PyAny>,
) -> PyResult<TextColumn> {
    let py = array.py();
    let numpy = py.import("numpy")?;
    let kind = element_kind(array)?;
    if kind == "O" {
        return distinct(name, array.call_method0("tolist")?);
    }
    // NumPy's text has no NUL at its end. What is not NumPy's yet is read as it stands, or a name would be shortened.
    if matches!(kind.as_str(), "U" | "S") && column.cast::<PyUntypedArray>().is_err() {
        let objects = numpy.call_method1("asarray", (column, "object"))?;
        return distinct(name, objects.call_method0("tolist")?);
    }
    let options = PyDict::new(py);
    options.set_item("return_inverse", true)?;
    let (values, codes): (Bound<'_, PyAny>, Bound<'_, PyAny>) = numpy
        .call_method("unique", (array,), Some(&options))?
        .extract()?;
    let values = match kind.as_str() {
        "M" => values.call_method1("astype", ("str",))?,
        _ => values,
    };
    let codes = codes.call_method1("astype", ("uint32",))?;
    let mut column = distinct(name, values.call_method0("tolist")?)?;
    // Values that NumPy tells apart are few: their rows follow its codes.
    let codes = codes.extract::<PyReadonlyArray1<'_, u32>>()?;
    column.codes = codes
        .as_array()
        .iter()
        .map(|&code| column.codes[code as usize])
        .collect();
    Ok(column)
}

/// The distinct texts of a list, and which of them each row holds.
fn distinct(name: &str, rows: Bound<'_, PyAny>) -> PyResult<TextColumn> {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut column = TextColumn {
        codes: Vec::new(),
        values: Vec::new(),
    };
    for (row, value) in rows.try_iter()?.enumerate() {
        let text = text(name, row, &value?)?;
        let code = match known.get(&text) {
            Some(&code) => code,
            None => {
                let code = column.values.len() as u32;
                column.values.push(text.clone());
                known.insert(text, code);
                code
            }
        };
        column.codes.push(code);
    }
    Ok(column)
}

/// One text or date of a column.
fn text(name: &str, row: usize, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let refused = |why: &str| invalid(format!("contracts row {row}: column '{name}': {why}"));
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map(str::to_string);
        return text.map_err(|_| refused("half of a surrogate pair is no character"));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let text = std::str::from_utf8(bytes.as_bytes()).map(str::to_string);
        return text.map_err(|_| refused("the bytes are not UTF-8"));
    }
    if columns::is_words(name) && value.is_instance_of::<PyDict>() {
        let what = format!("contracts row {row}: column '{name}'");
        return Ok(from_python::<core::Deliverable>(&what, value)?.to_string());
    }
    time_text(value).map_err(|_| {
        let found = value.get_type();
        refused(&format!(
            "{} is neither text (\"\" where it is left out) nor a date",
            found
                .name()
                .map_or_else(|_| "this".to_string(), |n| n.to_string())
        ))
    })
}

impl Contracts {
    fn rows(&self) -> Vec<Contract> {
        self.0.rows().iter().map(|c| Contract(c.clone())).collect()
    }

    /// A table, or anything that iterates over contracts.
    pub(crate) fn from_any(contracts: &Bound<'_, PyAny>) -> PyResult<Self> {
        match contracts.cast::<Self>() {
            Ok(table) => Ok(table.get().clone()),
            Err(_) => Self::new(contracts),
        }
    }
}
