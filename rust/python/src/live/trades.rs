//! Trades and times as Python writes them.

use std::sync::Arc;

use margincore::account::{self, Effect};
use margincore::bounds;
use margincore::contract::Contracts;
use margincore::live as core;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyTuple};

use crate::arguments::{self, items};
use crate::contract::Contract;
use crate::errors::{invalid, raise};
use crate::values::time_text;

/// Seconds since 1970 from a number, an instant as text, or an aware datetime; anything else is not a time.
pub(super) fn seconds(now: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(number) = now.cast::<PyFloat>() {
        return Some(number.value());
    }
    if let Ok(number) = now.extract::<f64>() {
        return Some(number);
    }
    let instant = margincore::time::parse_instant(&time_text(now).ok()?).ok()?;
    Some(instant.timestamp().as_nanosecond() as f64 / 1e9)
}

/// A trade as it was written, before any account is asked.
#[derive(Clone)]
pub(super) struct Wanted {
    contract: Arc<margincore::contract::Contract>,
    lots: i64,
    effect: Option<Effect>,
    price: Option<f64>,
    fees: f64,
}

impl Wanted {
    /// The trade in the rows of a table.
    pub(super) fn placed(&self, table: &Contracts) -> margincore::Result<core::Trade> {
        Ok(core::Trade {
            contract: table.resolve(&self.contract)?,
            lots: self.lots,
            effect: self.effect,
            price: self.price,
            fees: self.fees,
        })
    }
}

/// Trades `(contract, quantity[, price[, fees]])` in contracts, all of one effect. Runs whatever Python makes them.
pub(super) fn read(trades: &Bound<'_, PyAny>, effect: Option<&str>) -> PyResult<Vec<Wanted>> {
    let effect = super::orders::effect(effect)?;
    let mut result = Vec::new();
    for (i, trade) in items("trades", "a list of trades", trades)?.enumerate() {
        result.push(one(i, &trade?, effect)?);
    }
    Ok(result)
}

/// The trades of any iterable as they were given, each a tuple that every call which takes trades accepts.
///
/// See :data:`margincore.Trade`. Raises :class:`InvalidInput` with the number of the trade, from 0.
#[pyfunction]
#[pyo3(signature = (trades, /))]
pub(crate) fn read_trades(trades: &Bound<'_, PyAny>) -> PyResult<Vec<Py<PyAny>>> {
    let mut result = Vec::new();
    for (i, trade) in items("trades", "a list of trades", trades)?.enumerate() {
        let trade = trade?;
        one(i, &trade, None)?;
        result.push(trade.unbind());
    }
    Ok(result)
}

/// One trade; `number` says which in a refusal.
fn one(number: usize, trade: &Bound<'_, PyAny>, effect: Option<Effect>) -> PyResult<Wanted> {
    let parts = match trade.cast::<PyTuple>() {
        Ok(parts) if (2..=4).contains(&parts.len()) => parts,
        _ => {
            return Err(invalid(format!(
                "trade {number} is {}: a tuple (contract, quantity), (contract, quantity, price) or \
                 (contract, quantity, price, fees) is needed",
                trade.repr()?
            )));
        }
    };
    let contract: Contract = parts
        .get_borrowed_item(0)?
        .extract()
        .map_err(|e: PyErr| arguments::named(e, &format!("trade {number}: contract")))?;
    let part = |at: usize, name: &str| {
        let value = parts.get_borrowed_item(at)?;
        let what = || format!("trade {number} in '{}': {name}", contract.0.id());
        let number = arguments::number(&value).map_err(|e| arguments::named(e, &what()))?;
        bounds::finite(what(), number).map_err(raise)?;
        Ok::<_, PyErr>(number)
    };
    let quantity = part(1, "quantity")?;
    let what = format_args!("trade {number} in '{}': quantity", contract.0.id());
    Ok(Wanted {
        lots: account::lots(&contract.0, what, quantity).map_err(raise)?,
        effect,
        price: (parts.len() > 2).then(|| part(2, "price")).transpose()?,
        fees: if parts.len() > 3 {
            part(3, "fees")?
        } else {
            0.0
        },
        contract: contract.0,
    })
}

/// Works on trades in the rows of the account's table. One trade, the usual case, takes no memory for it.
pub(super) fn placed<T>(
    live: &mut core::LiveAccount,
    trades: &[Wanted],
    work: impl FnOnce(&mut core::LiveAccount, &[core::Trade]) -> margincore::Result<T>,
) -> margincore::Result<T> {
    let table = live.prepared().contracts();
    if let [trade] = trades {
        let placed = [trade.placed(table)?];
        return work(live, &placed);
    }
    let placed: Vec<_> = trades
        .iter()
        .map(|trade| trade.placed(table))
        .collect::<margincore::Result<_>>()?;
    work(live, &placed)
}
