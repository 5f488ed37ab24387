//! What is suspicious in the input of a report and cannot be refused: real data may look so.
//!
//! What no market can be is refused where it is read ([`crate::bounds`]). A warning changes no number and is printed by
//! nobody: it is data in the report, with the value it is about and the rule or bound it is held against.

use std::collections::BTreeSet;
use std::fmt::Display;

use serde_json::Value;

use crate::account::AccountView;
use crate::bounds::{UNUSUAL_MARK, USUAL_RATE, USUAL_VOL, USUAL_YIELD};
use crate::cells::Cells;
use crate::contract::{
    Contract, ContractIndex, Contracts, Exercise, Kind, Premium, Right, Settlement,
};
use crate::market::{Curve, Market, Marks};
use crate::report::{ParameterInfo, Warning, WarningCode, amount_text};
use crate::time::parse_date;

/// Which rows of a table a rulebook prices by a lognormal volatility: one of Bachelier's formula is an amount.
pub(crate) fn lognormal(cells: &Cells, contracts: &Contracts) -> Vec<bool> {
    let mut rows = vec![false; contracts.len()];
    for block in cells.blocks.iter().filter(|block| !block.is_normal) {
        for (row, _) in block.options() {
            rows[row as usize] = true;
        }
    }
    rows
}

/// The warnings of one account's report, those of its parameters first, then by contract in the order held.
pub(crate) fn of(
    parameters: &ParameterInfo,
    contracts: &Contracts,
    account: AccountView<'_>,
    market: Option<&Market>,
    lognormal: &[bool],
) -> Vec<Warning> {
    let mut found = Vec::new();
    if !parameters.superseded_by.is_empty() {
        found.push(Warning {
            code: WarningCode::SupersededPreset,
            place: "parameters".into(),
            value: Value::from(parameters.name.clone()),
            message: format!(
                "parameters '{}' are superseded by {}",
                parameters.name, parameters.superseded_by
            ),
            source: "the rulebook's presets by date".into(),
        });
    }
    let Some(market) = market else { return found };
    if let Ok(effective) = parse_date(&parameters.effective)
        && effective > market.date()
    {
        found.push(Warning {
            code: WarningCode::NotYetInForce,
            place: "parameters".into(),
            value: Value::from(parameters.effective.clone()),
            message: format!(
                "parameters '{}' are of {effective}, after the valuation of {}",
                parameters.name,
                market.date()
            ),
            source: parameters.source.clone(),
        });
    }
    let held: &[ContractIndex] = account.positions.contract;
    annual(&mut found, contracts, held, market, lognormal);
    let kept = market.marks() == Marks::Keep;
    let quoted = |row: &&ContractIndex| market.price(contracts, **row).is_some();
    if kept && let Some(&row) = held.iter().find(quoted) {
        let id = contracts.rows()[row as usize].id();
        found.push(Warning {
            code: WarningCode::KeptMarks,
            place: format!("price of '{id}'"),
            value: market.price(contracts, row).into(),
            message: "prices were kept while what they are written on moved: they may be older than the valuation".into(),
            source: "Prepared.update(marks=\"keep\")".into(),
        });
    }
    if !kept {
        found.extend(held.iter().filter_map(|&row| mark(contracts, row, market)));
    }
    found
}

/// Rates, yields and vols that look like percentages, of what is held.
fn annual(
    found: &mut Vec<Warning>,
    contracts: &Contracts,
    held: &[ContractIndex],
    market: &Market,
    lognormal: &[bool],
) {
    let mut unusual = |code, place: String, value: f64, usual: &dyn Display, example: &str| {
        found.push(Warning {
            code,
            message: format!(
                "{place} is {value}, which is {} % a year: a fraction is meant ({example})",
                (1e8 * value).round() / 1e6
            ),
            place,
            value: value.into(),
            source: format!("the usual bound {usual}, which is no rule's"),
        });
    };
    let of = |row: &ContractIndex| &contracts.rows()[*row as usize];
    let currencies: BTreeSet<&str> = held
        .iter()
        .flat_map(|row| [of(row).currency(), of(row).quote_currency()])
        .collect();
    for currency in currencies {
        let curve = market.snapshot().rate.get(currency);
        let most = curve.map_or(0.0, Curve::farthest);
        if most.abs() > USUAL_RATE {
            let place = format!("rate of '{currency}'");
            unusual(
                WarningCode::UnusualRate,
                place,
                most,
                &USUAL_RATE,
                "0.05 is 5 %",
            );
        }
    }
    let symbols: BTreeSet<&str> = held
        .iter()
        .flat_map(|row| [of(row).underlying(), contracts.root_symbol(*row)])
        .collect();
    for symbol in symbols {
        let value = market.dividend_yield(symbol);
        if value.abs() > USUAL_YIELD {
            let place = format!("dividend_yield of '{symbol}'");
            unusual(
                WarningCode::UnusualYield,
                place,
                value,
                &USUAL_YIELD,
                "0.015 is 1.5 %",
            );
        }
    }
    for row in held.iter().filter(|row| lognormal[**row as usize]) {
        if let Some(vol) = market.vol(contracts, *row)
            && !(USUAL_VOL.0..=USUAL_VOL.1).contains(&vol)
        {
            let usual = format!("{} to {}", USUAL_VOL.0, USUAL_VOL.1);
            let place = format!("vol of '{}'", of(row).id());
            unusual(WarningCode::UnusualVol, place, vol, &usual, "0.18 is 18 %");
        }
    }
}

/// An option's mark far outside what no arbitrage allows: Merton, "Theory of rational option pricing", Bell Journal of
/// Economics 4 (1973), theorems 1, 2 and 12. By how much is [`UNUSUAL_MARK`] and a tick: quotes are of other times.
fn mark(contracts: &Contracts, row: ContractIndex, market: &Market) -> Option<Warning> {
    let contract = &contracts.rows()[row as usize];
    let value = market.price(contracts, row)?;
    let Bounds { least, most, price } = bounds(contracts, row, contract, market)?;
    let slack = UNUSUAL_MARK.0 * price + UNUSUAL_MARK.1;
    let (code, bound, than) = if value < least - slack {
        (WarningCode::MarkBelowBound, least, "less than")
    } else if value > most + slack {
        (WarningCode::MarkAboveBound, most, "more than")
    } else {
        return None;
    };
    let place = format!("price of '{}'", contract.id());
    Some(Warning {
        code,
        message: format!(
            "{place} is {value}, {than} the {} that no arbitrage allows at {price}: check its time and units",
            amount_text(bound)
        ),
        place,
        value: value.into(),
        source: "Merton (1973), bounds without arbitrage".into(),
    })
}

/// What an option is worth at least and at most, and the price it is written on.
struct Bounds {
    least: f64,
    most: f64,
    price: f64,
}

/// `None` for what is no plain option, and where the market does not say enough.
fn bounds(
    contracts: &Contracts,
    row: ContractIndex,
    contract: &Contract,
    market: &Market,
) -> Option<Bounds> {
    let option = contract.option()?;
    let terms = contract.terms();
    if terms.settlement != Settlement::Linear || contract.delivery().is_some() {
        return None;
    }
    let years = (option.expiry.instant.as_second() - market.valuation().as_second()) as f64
        / (365.0 * 86_400.0);
    let on = contracts.underlying_row(row);
    let on_future = on.filter(|&u| contracts.rows()[u as usize].kind() == Kind::Future);
    let price = match on {
        Some(u) => market.linear_price(contracts, u).ok()?,
        None => market.spot(contract.underlying()).ok()?,
    };
    if price <= 0.0 {
        return None;
    }
    let settled_daily = terms.premium == Premium::FuturesStyle;
    let rate = market.rate(contract.currency(), option.expiry.date).ok();
    let discount = match rate {
        _ if settled_daily => Some(1.0),
        Some(rate) => Some((-rate * years.max(0.0)).exp()),
        None => None,
    };
    let symbol = contracts.root_symbol(row);
    let forward = market.forward(symbol, option.expiry).or_else(|| {
        if on_future.is_some() {
            return Some(price);
        }
        let paid: f64 = market
            .dividends(symbol, option.expiry.date)
            .iter()
            .map(|&(_, amount)| amount)
            .sum();
        Some((price - paid) * ((rate? - market.dividend_yield(symbol)) * years.max(0.0)).exp())
    });
    let sign = f64::from(option.right.sign());
    let american = option.exercise == Exercise::American;
    let now = (sign * (price - option.strike)).max(0.0);
    let later = match (discount, forward) {
        (Some(discount), Some(forward)) => {
            Some((discount * sign * (forward - option.strike)).max(0.0))
        }
        _ => None,
    };
    let least = match (american, later) {
        (true, later) => now.max(later.unwrap_or(0.0)),
        (false, later) => later?,
    };
    let most = match (option.right, american) {
        (Right::Call, _) => price.max(forward.unwrap_or(price) * discount.unwrap_or(1.0)),
        (Right::Put, true) => option.strike,
        (Right::Put, false) => option.strike * discount.unwrap_or(1.0),
    };
    Some(Bounds { least, most, price })
}
