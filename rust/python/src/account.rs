//! `Position`, `Account` and `Accounts`.

use margincore::MarginError as Core;
use margincore::account as core;
use margincore::error::Code;
use margincore::scan;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray2};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple, PyType};

use crate::arguments::{flag, maybe_number, maybe_text, maybe_whole, named, object, wrong_type};
use crate::columns::whole_numbers;
use crate::contract::{Contract, Contracts};
use crate::errors::{invalid, raise};
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
/// `cash` are amounts by currency, each in its own, `collateral` units by asset; `kind` is the rulebook's own word for
/// the account. The long and short sides of a gross account do not net: an omnibus account, say. SPAN and VaR margin
/// them as two portfolios; rulebooks without a rule for them raise :class:`NotApplicable`. Raises
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
        for (i, position) in positions.try_iter()?.enumerate() {
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
            Err(_) => Self::new(account.py(), account, None, None, None, false),
        }
    }
}

/// Accounts without a position that a batch may have unless `count` says how many accounts there are.
const MAX_EMPTY: usize = 1_000_000;

/// Many accounts over one table of contracts, as columns: a million rows are not a million objects.
///
/// `from_columns` takes one entry per position, in any order: the account's number from 0, the contract's row in the
/// table and signed whole lots, as arrays of any integer type or lists. `count` says how many accounts there are where
/// the last have no positions; without it a number more than a million above the rows is refused. `greatest` adds up a
/// scenario table of one's own: for `values` of shape ``(len(contracts), 16)``, the greatest of each account's sums of
/// lots times values, and the first column that has it. Where values are losses, that is the worst; an account without
/// positions sums to 0 in column 0.
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
pub(crate) struct Accounts(pub(crate) core::Accounts, pub(crate) Contracts);

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
    /// `account` numbers accounts from 0, `contract` are rows of the table, `lots` signed and whole: three
    /// columns of one length. `count` is the number of accounts where the last ones hold nothing; `kind` holds for
    /// all. Raises :class:`InvalidInput` for columns that differ in length or leave the table.
    #[classmethod]
    #[pyo3(signature = (contracts, *, account, contract, lots, count=None, kind=None))]
    fn from_columns(
        _: &Bound<'_, PyType>,
        py: Python<'_>,
        #[pyo3(from_py_with = object)] contracts: &Contracts,
        account: &Bound<'_, PyAny>,
        contract: &Bound<'_, PyAny>,
        lots: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_whole)] count: Option<usize>,
        #[pyo3(from_py_with = maybe_text)] kind: Option<&str>,
    ) -> PyResult<Self> {
        let account: Vec<u32> = whole_numbers("accounts: account", account)?;
        let contract: Vec<u32> = whole_numbers("accounts: contract", contract)?;
        let lots: Vec<i64> = whole_numbers("accounts: lots", lots)?;
        let count = match count {
            Some(count) => count,
            None => accounts_of(&account)?,
        };
        let table = contracts.0.clone();
        let terms = core::AccountTerms {
            kind: kind.map(str::to_string),
            ..core::AccountTerms::default()
        };
        let accounts = crate::errors::enter(py, move || {
            core::Accounts::from_columns(&table, count, &account, &contract, &lots, vec![terms])
        })?;
        Ok(Self(accounts, contracts.clone()))
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
        let applied =
            crate::errors::enter(py, || self.0.apply(&self.1.0, &account, &contract, &lots))?;
        Ok(Self(applied, self.1.clone()))
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
        let values = values.as_array();
        if values.dim() != (self.1.0.len(), scan::WIDTH) {
            return Err(invalid(format!(
                "values of shape {:?}: a row of {} for each of the {} contracts is needed",
                values.dim(),
                scan::WIDTH,
                self.1.0.len()
            )));
        }
        let rows = match values.as_slice() {
            Some(values) => scan::rows_from(values),
            None => scan::rows_from(&values.iter().copied().collect::<Vec<_>>()),
        };
        let accounts = &self.0;
        let (greatest, column) = crate::errors::enter(py, move || {
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
        self.0.len()
    }

    fn __repr__(&self) -> String {
        format!(
            "Accounts({} accounts, {} positions)",
            self.0.len(),
            self.0.columns().1.len()
        )
    }
}
