//! Options under Bachelier's model: their underlying may be at or below zero, and their volatility is in its price's
//! units (CME's energy options since 22 April 2020).

use std::collections::BTreeMap;

use super::layout::Table;
use super::parameters::OptionModel;
use engine::cells::OptionCells;
use engine::contract::{ContractIndex, Contracts, Exercise, Kind};
use engine::market::Market;
use kernel::error::Result;
use kernel::fail;

/// An option's inputs.
#[derive(Debug, Clone, Copy)]
pub(super) struct NormalOption {
    pub(super) forward: f64,
    strike: f64,
    years: f64,
    rate: f64,
    pub(super) vol: f64,
    right: i8,
    scale: f64,
}

impl NormalOption {
    pub(super) fn push(&self, contract: ContractIndex, out: &mut OptionCells) {
        out.contract.push(contract);
        out.spot.push(self.forward);
        out.strike.push(self.strike);
        out.years.push(self.years);
        out.rate.push(self.rate);
        out.dividend_yield.push(self.rate);
        out.vol.push(self.vol);
        out.right.push(self.right);
        out.scale.push(self.scale);
        out.base.push(None);
    }
}

/// Every option of the netting sets that the parameters put under the normal model.
pub(super) fn options(
    table: &Table,
    market: &Market,
) -> Result<BTreeMap<ContractIndex, NormalOption>> {
    let Table {
        parameters,
        contracts,
        layout,
        histories: _,
        info: _,
    } = table;
    let mut found = BTreeMap::new();
    if parameters.option_models.is_empty() {
        return Ok(found);
    }
    for (row, contract) in contracts.iter() {
        let keys = [contract.id(), contracts.root_symbol(row)];
        let model = keys.iter().find_map(|k| parameters.option_models.get(*k));
        if model == Some(&OptionModel::Normal)
            && contract.kind() == Kind::Option
            && layout.places[row as usize].is_some()
        {
            let option = resolve(contracts, row, market)
                .map_err(|e| e.at(format!("hvar: '{}' under the normal model", contract.id())))?;
            found.insert(row, option);
        }
    }
    Ok(found)
}

fn resolve(contracts: &Contracts, row: ContractIndex, market: &Market) -> Result<NormalOption> {
    let contract = &contracts.rows()[row as usize];
    let terms = contract.option().expect("kind option");
    if terms.exercise != Exercise::European {
        fail!(
            Unsupported,
            "American exercise: Bachelier's formula is of European options"
        );
    }
    let future = contracts
        .underlying_row(row)
        .filter(|&u| contracts.rows()[u as usize].kind() == Kind::Future);
    let forward = match future {
        Some(future) => market.linear_price(contracts, future)?,
        None => match market.forward(contract.underlying(), terms.expiry) {
            Some(forward) => forward,
            None => fail!(
                MissingData: MissingForward;
                "no forward of '{}' for its expiry: add it to market.forward, or write the option on a future",
                contract.underlying()
            ),
        },
    };
    let Some(vol) = market.vol(contracts, row) else {
        fail!(
            MissingData: MissingVol;
            "no volatility: add it to market.vol, in units of the price per square root of a year"
        );
    };
    Ok(NormalOption {
        forward,
        strike: terms.strike,
        years: f64::from(terms.expiry.days_from(market.valuation()).max(0)) / 365.0,
        rate: market.rate(contract.currency(), terms.expiry.date)?,
        vol,
        right: terms.right.sign(),
        scale: contract.value_per_lot(),
    })
}
