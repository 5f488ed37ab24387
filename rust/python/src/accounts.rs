//! `Accounts`: many of them, as columns.

use margincore::MarginError as Core;
use margincore::account as core;
use margincore::arrow::AccountsReader;
use margincore::scan;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::account_columns::{Amounts, Held, Named, given_labels, set_terms, terms_of, tuple};
use crate::arguments::{flag, maybe_text, maybe_whole, object};
use crate::batches::Batches;
use crate::columns::whole_numbers;
use crate::contracts::Contracts;
use crate::errors::{enter, invalid, raise};
use crate::pickles::{Pickled, Reduced, reduced};

/// Accounts without a position that a batch may have unless `count` says how many accounts there are.
const MAX_EMPTY: usize = 1_000_000;

/// Many accounts over one table of contracts, as columns: a million rows are not a million objects.
///
/// `from_columns` takes one entry per position, in any order: the account's number from 0, the contract's row in
/// the table and signed whole lots, as arrays of any integer type or lists. `count` says how many accounts there
/// are where the last have no positions; without it a number more than a million above the rows is refused.
/// `from_arrow` takes a table whose accounts have names. `greatest` adds up a scenario table of one's own: for
/// `values` of shape ``(len(contracts), 16)``, the greatest of each account's sums of lots times values, and the
/// first column that has it. Where values are losses, that is the worst; an account without positions sums to 0 in
/// column 0.
///
/// >>> import margincore as mc, numpy as np
/// >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
/// >>> accounts = mc.Accounts.from_columns(table, account=np.array([0, 0, 1]), contract=np.array([0, 1, 1]),
/// ...                                     lots=[10, -5, 2])
/// >>> losses = np.zeros((2, 16))
/// >>> losses[:, 3], losses[:, 7] = [1.0, -2.0], [0.5, 4.0]
/// >>> [column.tolist() for column in accounts.greatest(losses)]
/// [[20.0, 8.0], [3, 7]]
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct Accounts {
    pub(crate) accounts: core::Accounts,
    pub(crate) contracts: Contracts,
    /// What the accounts are called, in their order, where that is not their number.
    labels: Option<Py<PyTuple>>,
}

/// How many accounts the numbers ask for. An id of eight digits is a number too, but of no row.
fn accounts_of(account: &[u32]) -> PyResult<usize> {
    let greatest = account.iter().max().copied();
    if let Some(greatest) = greatest
        && greatest as usize > account.len() + MAX_EMPTY
    {
        return Err(invalid(format!(
            "accounts: account {greatest} in a table of {} rows: accounts are numbered from 0; number them with \
             np.unique(ids, return_inverse=True), or give count where so many are meant",
            account.len()
        )));
    }
    Ok(greatest.map_or(0, |greatest| greatest as usize + 1))
}

/// Where each account's positions start, their contracts and their lots.
type Columns<'py> = (
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<u32>>,
    Bound<'py, PyArray1<i64>>,
);

/// The greatest sums, and the columns that have them.
type Greatest<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<u8>>);

#[pymethods]
impl Accounts {
    /// Accounts from one entry per position, in any order.
    ///
    /// `account` numbers accounts from 0, `contract` are rows of the table. How much: `quantity`, signed, in contracts;
    /// or `lots`, signed and whole; or `long` and `short`, whole lots of both sides, which net unless `gross`. All are
    /// columns of one length. `count` is the number of accounts where the last ones hold nothing. `cash` (by currency)
    /// and `collateral` (units by asset) are columns with an entry per account, NaN where there is none; `kind` holds
    /// for all, or is one per account; `labels` are names, one per account. Raises :class:`InvalidInput` for columns
    /// that differ in length or leave the table, and a quantity that is no whole number of lots.
    #[classmethod]
    #[pyo3(signature = (contracts, *, account, contract, quantity=None, lots=None, long=None, short=None, gross=false, count=None,
                        kind=None, cash=None, collateral=None, labels=None))]
    fn from_columns(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        #[pyo3(from_py_with = object)] contracts: &Contracts,
        account: &Bound<'_, PyAny>,
        contract: &Bound<'_, PyAny>,
        quantity: Option<&Bound<'_, PyAny>>,
        lots: Option<&Bound<'_, PyAny>>,
        long: Option<&Bound<'_, PyAny>>,
        short: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = flag)] gross: bool,
        #[pyo3(from_py_with = maybe_whole)] count: Option<usize>,
        kind: Option<&Bound<'_, PyAny>>,
        cash: Option<&Bound<'_, PyAny>>,
        collateral: Option<&Bound<'_, PyAny>>,
        labels: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Self> {
        let account: Vec<u32> = whole_numbers("accounts: account", account)?;
        let contract: Vec<u32> = whole_numbers("accounts: contract", contract)?;
        let amounts = Amounts {
            quantity,
            lots,
            long,
            short,
            gross,
        };
        let held = amounts.read(&contracts.0, &contract)?;
        let count = match count {
            Some(count) => count,
            None => accounts_of(&account)?,
        };
        let terms = terms_of(count, kind, cash, collateral)?;
        let table = contracts.0.clone();
        let accounts = enter(py, move || match &held {
            Held::Net(lots) => {
                core::Accounts::from_columns(&table, count, &account, &contract, lots, terms)
            }
            Held::Gross(lots) => {
                core::Accounts::from_columns(&table, count, &account, &contract, lots, terms)
            }
        })?;
        let labels = match labels {
            None => None,
            Some(labels) => Some(given_labels(labels, accounts.len())?.unbind()),
        };
        Ok(Self {
            accounts,
            contracts: contracts.clone(),
            labels,
        })
    }

    /// Accounts from a table with a row per position, by anything with an Arrow stream; rows in any order.
    ///
    /// Columns are those of :meth:`Prepared.margin_arrow`. The accounts come in ascending order of what they are
    /// called, `labels`; with `count` they are numbers from 0, as in :meth:`from_columns`. Raises :class:`MissingData`
    /// for a contract that is not in the table, :class:`InvalidInput` for a column that is not known, a fraction, a
    /// null, and a name with blanks around it or characters that nobody sees: with the account and the row.
    ///
    /// >>> import margincore as mc, pyarrow as pa
    /// >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    /// >>> rows = pa.table({"account": ["y", "x", "y"], "contract": ["A", "A", "B"], "quantity": [100, -20, 5]})
    /// >>> mc.Accounts.from_arrow(table, rows).labels
    /// ('x', 'y')
    #[classmethod]
    #[pyo3(signature = (contracts, source, *, account=None, contract=None, quantity=None, lots=None, long=None,
                        short=None, cash=None, collateral=None, kind_column=None, kind=None, gross=false, ignore=None,
                        count=None))]
    fn from_arrow(
        _: &Bound<'_, PyType>,
        #[pyo3(from_py_with = object)] contracts: &Contracts,
        source: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_text)] account: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] contract: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] quantity: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] lots: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] long: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] short: Option<&str>,
        cash: Option<&Bound<'_, PyAny>>,
        collateral: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = maybe_text)] kind_column: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] kind: Option<&str>,
        #[pyo3(from_py_with = flag)] gross: bool,
        ignore: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = maybe_whole)] count: Option<usize>,
    ) -> PyResult<Self> {
        let py = source.py();
        let columns = Named {
            account,
            contract,
            quantity,
            lots,
            long,
            short,
            cash,
            collateral,
            kind: kind_column,
            ignore,
        };
        let kind = kind.map(str::to_string);
        let table = contracts.0.clone();
        let mut reader = AccountsReader::new(table, columns.read("accounts")?, gross, kind, count);
        let mut batches = Batches::new(source)?;
        if let Some(schema) = batches.schema() {
            reader.look(schema).map_err(raise)?;
        }
        while let Some(batch) = batches.next(py)? {
            enter(py, || reader.push(&batch))?;
        }
        let (accounts, labels) = enter(py, || reader.finish())?;
        let labels = match labels {
            None if count.is_some() => None,
            None => Some(PyTuple::empty(py).unbind()),
            Some(labels) => Some(tuple(py, labels)?.unbind()),
        };
        Ok(Self {
            accounts,
            contracts: contracts.clone(),
            labels,
        })
    }

    /// What the accounts are called, in their order; `None` where they are numbers from 0.
    #[getter]
    fn labels<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyTuple>> {
        Some(self.labels.as_ref()?.bind(py).clone())
    }

    /// These accounts after fills: new accounts, the old ones stay as they are.
    ///
    /// One entry a fill, in any order: the account's number from 0, the contract's row in the table and signed whole
    /// lots, as arrays of any integer type or lists, three columns of one length. Fills of one contract in one account
    /// add up; a position that comes to zero goes. It costs a copy of the columns, 12 bytes a position, and the fills'
    /// own sort. Raises :class:`InvalidInput` for an account or a contract row that is not there and for more than 2^53
    /// lots.
    ///
    /// >>> import margincore as mc
    /// >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    /// >>> accounts = mc.Accounts.from_columns(table, account=[0, 0, 1], contract=[0, 1, 1], lots=[10, -5, 2])
    /// >>> accounts.apply(account=[1, 0, 1], contract=[0, 1, 0], lots=[3, 5, 4])
    /// Accounts(2 accounts, 3 positions)
    #[pyo3(signature = (account, contract, lots))]
    fn apply(
        &self,
        py: Python<'_>,
        account: &Bound<'_, PyAny>,
        contract: &Bound<'_, PyAny>,
        lots: &Bound<'_, PyAny>,
    ) -> PyResult<Self> {
        let account: Vec<u32> = whole_numbers("accounts: account", account)?;
        let contract: Vec<u32> = whole_numbers("accounts: contract", contract)?;
        let lots: Vec<i64> = whole_numbers("accounts: lots", lots)?;
        let table = &self.contracts.0;
        let accounts = enter(py, || {
            self.accounts.apply(table, &account, &contract, &lots)
        })?;
        Ok(Self {
            accounts,
            contracts: self.contracts.clone(),
            labels: self.labels.as_ref().map(|labels| labels.clone_ref(py)),
        })
    }

    /// The table whose rows the accounts hold.
    #[getter]
    fn contracts(&self) -> Contracts {
        self.contracts.clone()
    }

    /// What the accounts hold, as new columns: ``start``, ``contract`` and ``lots``.
    ///
    /// The positions of account ``i`` are the entries from ``start[i]`` up to ``start[i + 1]``: rows of the table,
    /// ascending, and signed whole lots. Raises :class:`InvalidInput` for gross accounts, which have two sides.
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Columns<'py>> {
        if self.accounts.is_gross() {
            return Err(invalid(
                "positions: the accounts keep long and short apart: ask for net ones",
            ));
        }
        let (start, contract, lots) = self.accounts.columns();
        Ok((
            PyArray1::from_iter(py, start.iter().map(|&s| s as i64)),
            PyArray1::from_slice(py, contract),
            PyArray1::from_slice(py, lots),
        ))
    }

    /// The greatest of each account's sums of lots times `values`, and the first column that has it.
    ///
    /// `values` has shape ``(len(contracts), 16)``; both results are new arrays with one entry per account. Raises
    /// :class:`InvalidInput` for another shape or a value that is not finite.
    fn greatest<'py>(
        &self,
        py: Python<'py>,
        values: PyReadonlyArray2<'py, f64>,
    ) -> PyResult<Greatest<'py>> {
        if self.accounts.is_gross() {
            return Err(invalid(
                "greatest: the accounts keep long and short apart: sum each side on its own",
            ));
        }
        let values = values.as_array();
        if values.dim() != (self.contracts.0.len(), scan::WIDTH) {
            return Err(invalid(format!(
                "values of shape {:?}: a row of {} for each of the {} contracts is needed",
                values.dim(),
                scan::WIDTH,
                self.contracts.0.len()
            )));
        }
        let rows = match values.as_slice() {
            Some(values) => scan::rows_from(values),
            None => scan::rows_from(&values.iter().copied().collect::<Vec<_>>()),
        };
        let accounts = &self.accounts;
        let (greatest, column) = enter(py, move || {
            // No early exit within a row, so that a row is one comparison of vectors.
            let finite = |row: &scan::Row| row.0.iter().fold(true, |all, v| all & v.is_finite());
            if let Some(at) = rows.iter().position(|row| !finite(row)) {
                let bad = rows[at].0.iter().position(|v| !v.is_finite());
                let bad = bad.expect("the row was found by it");
                return Err(Core::InvalidInput(
                    format!(
                        "values row {at}: {} in column {bad}: finite numbers are needed",
                        rows[at].0[bad]
                    )
                    .into(),
                ));
            }
            let (start, contract, quantity) = accounts.columns();
            let mut greatest = vec![0.0; accounts.len()];
            let mut column = vec![0; accounts.len()];
            scan::greatest_per_account(
                &rows,
                start,
                contract,
                quantity,
                &mut greatest,
                &mut column,
            );
            Ok((greatest, column))
        })?;
        Ok((greatest.into_pyarray(py), column.into_pyarray(py)))
    }

    fn __len__(&self) -> usize {
        self.accounts.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "Accounts({} accounts, {} positions)",
            self.accounts.len(),
            self.accounts.positions()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Accounts {
    const MAKER: Option<&'static str> = Some("from_columns");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let (start, contract, quantity) = self.accounts.columns();
        let state = PyDict::new(py);
        let rows = |a: usize| std::iter::repeat_n(a as u32, start[a + 1] - start[a]);
        let account: Vec<u32> = (0..self.accounts.len()).flat_map(rows).collect();
        state.set_item(intern!(py, "contracts"), self.contracts.clone())?;
        state.set_item(intern!(py, "account"), account.into_pyarray(py))?;
        state.set_item(intern!(py, "contract"), contract.to_pyarray(py))?;
        state.set_item(intern!(py, "count"), self.accounts.len())?;
        match self.accounts.short() {
            None => state.set_item(intern!(py, "lots"), quantity.to_pyarray(py))?,
            Some(short) => {
                state.set_item(intern!(py, "long"), quantity.to_pyarray(py))?;
                state.set_item(intern!(py, "short"), short.to_pyarray(py))?;
                state.set_item(intern!(py, "gross"), true)?;
            }
        }
        set_terms(&state, self.accounts.terms())?;
        if let Some(labels) = &self.labels {
            state.set_item(intern!(py, "labels"), labels.bind(py))?;
        }
        Ok(state)
    }
}
