//! Searches over trades, as work for whoever has the account: each checks its arguments, then says what to do.

use margincore::account;
use margincore::live as core;
use numpy::PyReadonlyArray1;
use pyo3::prelude::*;

use super::orders::{self, Limit};
use crate::contract::Contract;
use crate::errors::{invalid, raise};

/// A contract, a quantity in contracts, the requirement after, and its change.
pub(super) type Hedge = (Contract, f64, f64, f64);

/// The largest quantity that passes a limit, in contracts: with every smaller one, or for complete fills only.
pub(super) fn largest(
    (contract, side, limit): (&Contract, &str, &Limit),
    (price, fees, most): (Option<f64>, f64, Option<f64>),
    complete: bool,
) -> PyResult<
    impl Fn(&mut core::LiveAccount) -> margincore::Result<Option<f64>> + Send + Sync + use<>,
> {
    let side = orders::side(side)?;
    let lot = contract.0.terms().lot;
    let most = match most {
        Some(most) => account::lots(
            &contract.0,
            format_args!("search in '{}': most", contract.0.id()),
            most,
        )
        .map_err(raise)?,
        None => core::MOST,
    };
    let (limit, contract) = (limit.0, contract.0.clone());
    Ok(move |live: &mut core::LiveAccount| {
        let row = live.prepared().contracts().resolve(&contract)?;
        let fees = fees * lot;
        let found = if complete {
            live.max_quantity_complete(row, side, &limit, price, fees, most)?
        } else {
            live.max_quantity(row, side, &limit, price, fees, most)?
        };
        Ok(found.map(|lots| contract.quantity(lots)))
    })
}

/// The requirement after each candidate alone, of columns of contract rows and signed lots.
pub(super) fn rank(
    index: &PyReadonlyArray1<'_, u32>,
    lots: &PyReadonlyArray1<'_, i64>,
    threads: usize,
) -> PyResult<impl Fn(&mut core::LiveAccount) -> margincore::Result<Vec<f64>> + Send + Sync + use<>>
{
    let (index, lots) = (index.as_array(), lots.as_array());
    if index.len() != lots.len() {
        return Err(invalid(format!(
            "rank: {} rows and {} quantities",
            index.len(),
            lots.len()
        )));
    }
    let candidates: Vec<(u32, i64)> = index.iter().copied().zip(lots.iter().copied()).collect();
    Ok(move |live: &mut core::LiveAccount| live.rank(&candidates, threads))
}

/// The best single trade per contract and side.
pub(super) fn hedges(
    limit: Option<&Limit>,
    count: usize,
    most: f64,
) -> PyResult<impl Fn(&mut core::LiveAccount) -> margincore::Result<Vec<Hedge>> + Send + Sync + use<>>
{
    if !(1.0..=core::MOST as f64).contains(&most) {
        return Err(invalid(format!("hedges: most is {most}")));
    }
    let limit = limit.map(|l| l.0);
    Ok(move |live: &mut core::LiveAccount| {
        let found = live.hedges(limit.as_ref(), count, most as i64)?;
        let contracts = live.prepared().contracts().rows();
        let hedge = |h: core::Hedge| {
            let contract = contracts[h.contract as usize].clone();
            let quantity = contract.quantity(h.lots);
            (Contract(contract), quantity, h.requirement, h.change)
        };
        Ok(found.into_iter().map(hedge).collect())
    })
}
