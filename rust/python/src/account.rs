//! `Position`, `Account` and `Accounts`.

use margincore::MarginError as Core;
use margincore::account as core;
use margincore::arrow::AccountsReader;
use margincore::error::Code;
use margincore::scan;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2, ToPyArray};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::accounts::{Amounts, Held, Named, set_terms, terms_of, tuple};
use crate::arguments::{
    flag, items, maybe_number, maybe_text, maybe_whole, named, object, wrong_type,
};
use crate::batches::Batches;
use crate::columns::whole_numbers;
use crate::contract::Contract;
use crate::contracts::Contracts;
use crate::errors::{enter, invalid, raise};
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{from_python, quoted, read_only, to_python, tuple_of};

/// A holding: a contract and a signed quantity in contracts, or long and short apart.
///
/// Positive is long; of a spot a quantity is in units. Raises :class:`InvalidInput` for what is not a whole
/// number of lots.
#[pyclass(frozen, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq)]
pub(crate) struct Position(pub(crate) core::Position);

/// Whole lots of a side of a position.
fn lots(contract: &Contract, side: &str, quantity: f64) -> PyResult<i64> {
    let what = format_args!("position in '{}': {side}", contract.0.id());
    core::lots(&contract.0, what, quantity).map_err(raise)
}

#[pymethods]
impl Position {
    /// `quantity` is signed, in contracts; or give `long` and `short` apart.
    #[new]
    #[pyo3(signature = (contract, quantity=None, *, long=None, short=None))]
    fn new(
        contract: Contract,
        #[pyo3(from_py_with = maybe_number)] quantity: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] long: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] short: Option<f64>,
    ) -> PyResult<Self> {
        let position = match (quantity, long, short) {
            (Some(quantity), None, None) => {
                core::Position::new(contract.0.clone(), lots(&contract, "quantity", quantity)?)
            }
            (None, long, short) if long.is_some() || short.is_some() => core::Position::gross(
                contract.0.clone(),
                lots(&contract, "long", long.unwrap_or(0.0))?,
                lots(&contract, "short", short.unwrap_or(0.0))?,
            ),
            _ => {
                let place = format!("position in '{}'", contract.0.id());
                let message = format!("{place}: give quantity, or long and short");
                return Err(raise(
                    Core::InvalidInput(message.into())
                        .code(Code::NotStated)
                        .place(place),
                ));
            }
        };
        Ok(Self(position.map_err(raise)?))
    }

    /// The contract held.
    #[getter]
    fn contract(&self) -> Contract {
        Contract(self.0.contract.clone())
    }

    /// Long less short, in contracts.
    #[getter]
    fn quantity(&self) -> f64 {
        self.0.contract.quantity(self.0.long - self.0.short)
    }

    /// The long side, in contracts; never negative.
    #[getter]
    fn long(&self) -> f64 {
        self.0.contract.quantity(self.0.long)
    }

    /// The short side, in contracts; never negative.
    #[getter]
    fn short(&self) -> f64 {
        self.0.contract.quantity(self.0.short)
    }

    fn __repr__(&self) -> String {
        format!(
            "Position({}, {})",
            quoted(self.0.contract.id()),
            self.quantity()
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Position {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "contract"), self.contract())?;
        state.set_item(intern!(py, "long"), self.long())?;
        state.set_item(intern!(py, "short"), self.short())?;
        Ok(state)
    }
}

/// Positions and the money beside them. Net per contract unless `gross`.
///
/// `cash` are amounts by currency, each in its own, `collateral` units by asset; `kind` is the rulebook's own word
/// for the account. The long and short sides of a gross account do not net: an omnibus account, say. SPAN and VaR
/// margin them as two portfolios; rulebooks without a rule for them raise :class:`NotApplicable`. Raises
/// :class:`InvalidInput` for an amount that is not finite.
#[pyclass(frozen, skip_from_py_object, module = "margincore._core")]
#[derive(Clone)]
pub(crate) struct Account(pub(crate) core::Account);

#[pymethods]
impl Account {
    #[new]
    #[pyo3(signature = (positions, *, cash=None, collateral=None, kind=None, gross=false))]
    fn new(
        py: Python<'_>,
        positions: &Bound<'_, PyAny>,
        cash: Option<&Bound<'_, PyAny>>,
        collateral: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = maybe_text)] kind: Option<&str>,
        #[pyo3(from_py_with = flag)] gross: bool,
    ) -> PyResult<Self> {
        let mut rows = Vec::new();
        for (i, position) in items("positions", "a list of positions", positions)?.enumerate() {
            let position = position?;
            match position.cast::<Position>() {
                Ok(position) => rows.push(position.get().0.clone()),
                Err(_) => {
                    let error = wrong_type("a Position(contract, quantity)", &position);
                    return Err(named(error, &format!("position {i}")));
                }
            }
        }
        let terms = PyDict::new(py);
        for (name, amounts) in [("cash", cash), ("collateral", collateral)] {
            if let Some(amounts) = amounts {
                terms.set_item(name, amounts)?;
            }
        }
        let mut terms: core::AccountTerms = from_python("account", terms.as_any())?;
        terms.kind = kind.map(str::to_string);
        terms.check().map_err(raise)?;
        Ok(Self(core::Account {
            positions: rows,
            terms,
            gross,
        }))
    }

    /// The positions, in the order given.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.0.positions.iter().cloned().map(Position))
    }

    /// Cash balances by currency, each in its own, read-only; negative is a debit.
    #[getter]
    fn cash<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.0.terms.cash)
    }

    /// Amounts of assets posted, by asset, in units of the asset, read-only; the rulebook says what they cover.
    #[getter]
    fn collateral<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.0.terms.collateral)
    }

    /// The rulebook's own word for the account, such as ``margin``, ``cash``, ``hedger`` or ``member``.
    #[getter]
    fn kind(&self) -> Option<&str> {
        self.0.terms.kind.as_deref()
    }

    /// Whether long and short are kept apart.
    #[getter]
    fn gross(&self) -> bool {
        self.0.gross
    }

    fn __len__(&self) -> usize {
        self.0.positions.len()
    }

    fn __repr__(&self) -> String {
        format!("Account({} positions)", self.0.positions.len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Account {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "positions"), self.positions(py)?)?;
        state.set_item(intern!(py, "cash"), to_python(py, &self.0.terms.cash)?)?;
        state.set_item(
            intern!(py, "collateral"),
            to_python(py, &self.0.terms.collateral)?,
        )?;
        state.set_item(intern!(py, "kind"), self.kind())?;
        state.set_item(intern!(py, "gross"), self.gross())?;
        Ok(state)
    }
}

impl Account {
    /// An account, or a bare iterable of positions.
    pub(crate) fn from_any(account: &Bound<'_, PyAny>) -> PyResult<Self> {
        match account.cast::<Self>() {
            Ok(account) => Ok(account.get().clone()),
            Err(_) => {
                // Read before it is called a list of positions: it may be neither.
                items("account", "an Account, or a list of positions,", account)?;
                Self::new(account.py(), account, None, None, None, false)
            }
        }
    }
}

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
            Some(labels) => {
                let labels = PyTuple::new(py, labels.try_iter()?.collect::<PyResult<Vec<_>>>()?)?;
                if labels.len() != accounts.len() {
                    return Err(invalid(format!(
                        "accounts: {} labels for {} accounts",
                        labels.len(),
                        accounts.len()
                    )));
                }
                Some(labels.unbind())
            }
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
