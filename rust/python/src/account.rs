//! `Position` and `Account`.

use margincore::MarginError as Core;
use margincore::account as core;
use margincore::error::Code;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::arguments::{flag, items, maybe_number, maybe_text, named, wrong_type};
use crate::cards::card;
use crate::contract::Contract;
use crate::errors::raise;
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

    /// The account as a card, for notebooks.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        card(slf.as_any(), intern!(slf.py(), "account"))
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
