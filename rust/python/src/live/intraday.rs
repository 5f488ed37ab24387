//! A day's transactions, and many accounts' fills as columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use margincore::intraday::{self as core, Fills, Transaction};
use margincore::live::Level;
use margincore::preparation::Preparation;
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::prelude::*;

use super::trades;
use crate::account::Account;
use crate::accounts::Accounts;
use crate::arguments::maybe_amounts;
use crate::errors::{enter, invalid};
use crate::prepared::Prepared;

/// Trades, cash, market, whether it counts, place.
type Wanted<'py> = (
    Bound<'py, PyAny>,
    BTreeMap<String, f64>,
    usize,
    bool,
    Option<u64>,
);

/// Number, equity and maintenance before, both after, whether it lowered the level.
type Step = (usize, f64, f64, f64, f64, bool);

type Pair = (f64, f64);

fn prepared(markets: &[PyRef<'_, Prepared>]) -> Vec<Arc<Preparation>> {
    markets.iter().map(|market| market.0.clone()).collect()
}

/// A day of transactions against equity less maintenance requirement; ``margincore.intraday.day`` is its face.
///
/// A transaction is its trades, its cash by currency, the market its levels are taken at, whether it counts where it
/// lowers the level, and its place: those of one place, and all that have none, are put in the order that gives the
/// lowest level right after one that lowers it. Gives the steps in order (number of the transaction; equity and
/// maintenance before; both after; whether it counts and lowered the level), equity and maintenance at the open and at
/// the close, and a level that no order falls below where not every order was looked at. Amounts are in the report's
/// currency. Raises :class:`InvalidInput` for what is out of range, with `separated` :class:`NotApplicable` where
/// FINRA 4210(d)(2) does not apply, and what the rulebook raises.
#[pyfunction]
#[pyo3(signature = (markets, account, transactions, *, haircuts=None, separated=true))]
pub(crate) fn intraday_day(
    py: Python<'_>,
    markets: Vec<PyRef<'_, Prepared>>,
    account: &Bound<'_, PyAny>,
    transactions: Vec<Wanted<'_>>,
    #[pyo3(from_py_with = maybe_amounts)] haircuts: Option<BTreeMap<String, f64>>,
    separated: bool,
) -> PyResult<(Vec<Step>, Pair, Pair, Option<f64>)> {
    let account = Account::from_any(account)?.0;
    let markets = prepared(&markets);
    let haircuts = haircuts.unwrap_or_default();
    let mut wanted = Vec::with_capacity(transactions.len());
    for (own, cash, market, counts, place) in transactions {
        wanted.push((trades::read(&own, None)?, cash, market, counts, place));
    }
    let day = enter(py, || {
        let mut placed = Vec::with_capacity(wanted.len());
        for (own, cash, market, counts, place) in wanted {
            let mut trades = Vec::with_capacity(own.len());
            for trade in own {
                if let Some(first) = markets.first() {
                    trades.push(trade.placed(first.prepared.contracts())?);
                }
            }
            placed.push(Transaction {
                trades,
                cash: cash.into_iter().collect(),
                market,
                counts,
                place,
            });
        }
        core::day(&markets, &account, &haircuts, &placed, separated)
    })?;
    let pair = |level: Level| (level.equity, level.maintenance);
    let steps = day.steps.iter().map(|step| {
        let (before, after) = (step.before, step.after);
        (
            step.transaction,
            before.equity,
            before.maintenance,
            after.equity,
            after.maintenance,
            step.reduces,
        )
    });
    Ok((
        steps.collect(),
        pair(day.opening),
        pair(day.closing),
        day.bound,
    ))
}

/// Accounts, contract rows, lots and markets of fills.
type Whole<'py> = (
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, u32>,
    PyReadonlyArray1<'py, i64>,
    PyReadonlyArray1<'py, u32>,
);

/// Their prices and fees.
type Amounts<'py> = (PyReadonlyArray1<'py, f64>, PyReadonlyArray1<'py, f64>);

type Columns<'py> = (
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<f64>>,
    Bound<'py, PyArray1<i64>>,
    Bound<'py, PyArray1<f64>>,
);

/// Days of many accounts' fills as columns; ``margincore.intraday.many`` is its face, with shapes and units.
///
/// `whole` are account, contract row, signed lots and market of each fill (no markets: the first), `money` price and
/// fees. Gives the lowest level, the equity then, the fill's row and the closing level, one entry per account. Raises
/// as :func:`intraday_day`.
#[pyfunction]
pub(crate) fn intraday_many<'py>(
    py: Python<'py>,
    markets: Vec<PyRef<'_, Prepared>>,
    accounts: &Accounts,
    cash: PyReadonlyArray1<'_, f64>,
    whole: Whole<'_>,
    money: Amounts<'_>,
    threads: usize,
) -> PyResult<Columns<'py>> {
    let markets = prepared(&markets);
    let digest = accounts.contracts.0.digest();
    if markets
        .iter()
        .any(|market| market.prepared.contracts().digest() != digest)
    {
        return Err(invalid(
            "the accounts' columns refer to another table of contracts than the prepared one",
        ));
    }
    // Copies: another thread may write to an array while the interpreter is given back.
    let cash = cash.as_array().to_vec();
    let (account, contract) = (whole.0.as_array().to_vec(), whole.1.as_array().to_vec());
    let (lots, market) = (whole.2.as_array().to_vec(), whole.3.as_array().to_vec());
    let (price, fees) = (money.0.as_array().to_vec(), money.1.as_array().to_vec());
    let columns = enter(py, || {
        let fills = Fills {
            account: &account,
            contract: &contract,
            lots: &lots,
            price: &price,
            fees: &fees,
            market: &market,
        };
        core::many(&markets, &accounts.accounts, &cash, fills, threads)
    })?;
    Ok((
        columns.lowest.into_pyarray(py),
        columns.equity.into_pyarray(py),
        columns.fill.into_pyarray(py),
        columns.closing.into_pyarray(py),
    ))
}
