//! Trades and times as Python writes them.

use std::sync::Arc;

use margincore::account::Effect;
use margincore::contract::Contracts;
use margincore::live as core;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString};

use crate::account::lots;
use crate::contract::Contract;
use crate::errors::InvalidInput;

/// Seconds since 1970 from a number, an instant as text, or an aware datetime; anything else is not a time.
pub(super) fn seconds(now: &Bound<'_, PyAny>) -> Option<f64> {
    if let Ok(number) = now.cast::<PyFloat>() {
        return Some(number.value());
    }
    if let Ok(number) = now.extract::<f64>() {
        return Some(number);
    }
    let text = if let Ok(text) = now.cast::<PyString>() {
        text.to_str().ok()?.to_string()
    } else {
        now.call_method0("isoformat").ok()?.extract().ok()?
    };
    let instant = margincore::time::parse_instant(&text).ok()?;
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

/// Trades `(contract, quantity[, price[, fees]])` in contracts. Runs whatever Python makes them.
pub(super) fn read(trades: &Bound<'_, PyAny>, effect: Option<&str>) -> PyResult<Vec<Wanted>> {
    let effect = super::orders::effect(effect)?;
    let mut result = Vec::new();
    for trade in trades.try_iter()? {
        let trade = trade?;
        let (contract, quantity, price, fees) = if let Ok((c, q)) =
            trade.extract::<(Bound<'_, Contract>, f64)>()
        {
            (c.get().clone(), q, None, 0.0)
        } else if let Ok((c, q, p)) = trade.extract::<(Bound<'_, Contract>, f64, f64)>() {
            (c.get().clone(), q, Some(p), 0.0)
        } else if let Ok((c, q, p, f)) = trade.extract::<(Bound<'_, Contract>, f64, f64, f64)>() {
            (c.get().clone(), q, Some(p), f)
        } else {
            return Err(InvalidInput::new_err(
                "a trade is (contract, quantity), (contract, quantity, price) or (contract, quantity, price, fees)",
            ));
        };
        result.push(Wanted {
            lots: lots(&contract, "trade", quantity)?,
            contract: contract.0,
            effect,
            price,
            fees,
        });
    }
    Ok(result)
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
