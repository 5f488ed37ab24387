//! Trades and times as Python writes them.

use margincore::account::Effect;
use margincore::live as core;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString};

use crate::account::lots;
use crate::contract::Contract;
use crate::errors::{InvalidInput, raise};

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

/// Trades `(contract, quantity[, price[, fees]])` in contracts, in the rows of the account's table.
pub(super) fn read(
    live: &core::LiveAccount,
    trades: &Bound<'_, PyAny>,
    side: Option<Effect>,
) -> PyResult<Vec<core::Trade>> {
    let table = live.prepared().contracts();
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
        result.push(core::Trade {
            contract: table.resolve(&contract.0).map_err(raise)?,
            lots: lots(&contract, "trade", quantity)?,
            effect: side,
            price,
            fees,
        });
    }
    Ok(result)
}
