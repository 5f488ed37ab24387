//! `Contracts`: the table of them.

use std::sync::Arc;

use arrow_array::RecordBatchIterator;
use margincore::arrow::ContractsReader;
use margincore::columns::{TermColumns, TextColumn};
use margincore::contract as core;
use margincore::float::hex;
use numpy::IntoPyArray;
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDict, PyIterator, PyString, PyTuple, PyType};

use crate::arguments::{self, items, named, wrong_type};
use crate::batches::Batches;
use crate::capsules::stream_capsule;
use crate::contract::Contract;
use crate::errors::{enter, raise};
use crate::pickles::{Pickled, Reduced, reduced};
use crate::term_columns::add_column;

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
