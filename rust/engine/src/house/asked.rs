//! What each rule asks of a lot of each contract under one market.

use super::rules::{Concentration, Percentage, Rules, Tier, Whole};
use crate::bounds;
use crate::contract::{Contracts, Kind};
use crate::market::Market;
use crate::missing::Missing;
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

/// Money for a long lot and for a short one; of each, initial and maintenance.
pub(super) type PerLot = [[f64; 2]; 2];

/// One rule compiled.
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) asks: Asks,
}

pub(super) enum Asks {
    /// So much a lot, by row.
    PerLot(Vec<PerLot>),
    Shares(Box<Shares>),
}

/// A rule of concentration.
pub(super) struct Shares {
    pub(super) rule: Concentration,
    /// The rows it is about.
    pub(super) named: Vec<bool>,
    /// The rows whose market value is in the whole.
    pub(super) counted: Vec<bool>,
    /// A stated equity in the report's currency, in place of those.
    pub(super) equity: Option<f64>,
}

/// The rules over a table of contracts.
pub(super) struct Asked {
    pub(super) rules: Vec<Rule>,
    /// Market value of a long lot in the report's currency, as far as a rule needs it; zero elsewhere.
    pub(super) value: Vec<f64>,
    /// The number of each row's underlying.
    pub(super) symbol: Vec<u32>,
    pub(super) symbols: usize,
}

/// The percentage of a share: that of the highest tier it reaches, initial and maintenance.
pub(super) fn rate(tiers: &[Tier], share: f64) -> [f64; 2] {
    let reached = tiers.iter().rev().find(|tier| share >= tier.from);
    reached.map_or([0.0; 2], |t| {
        [larger(t.initial, t.maintenance), t.maintenance]
    })
}

impl Asked {
    pub(super) fn compile(
        rules: &Rules,
        placed: &[Vec<bool>],
        contracts: &Contracts,
        market: Option<&Market>,
        report: &str,
    ) -> Result<Self> {
        let rate_into = |currency: &str| match market {
            _ if currency == report => Ok(1.0),
            Some(market) => market.fx(currency, report),
            None => fail!(
                MissingData: MissingFx;
                "house: no market to convert {currency} into {report}"
            ),
        };
        let money = rate_into(&rules.currency)?;
        let of_options = rules.percentages.len() + rules.concentration.len();
        let gross = rules
            .concentration
            .iter()
            .any(|r| r.share_of == Whole::Gross);
        let mut asked = Self {
            rules: Vec::with_capacity(placed.len()),
            value: vec![0.0; contracts.len()],
            symbol: Vec::with_capacity(contracts.len()),
            symbols: 0,
        };
        let mut price = vec![0.0; contracts.len()];
        let mut missing = Missing::default();
        let mut number = std::collections::HashMap::new();
        for (row, contract) in contracts.iter() {
            let next = number.len() as u32;
            asked
                .symbol
                .push(*number.entry(contracts.root_symbol(row)).or_insert(next));
            let is_stock = matches!(contract.kind(), Kind::Stock | Kind::Etf);
            let needed = match contract.kind() {
                Kind::Stock | Kind::Etf => of_options > 0,
                Kind::Option => gross,
                Kind::Spot | Kind::Index | Kind::Future | Kind::Perpetual => false,
            };
            if !needed {
                continue;
            }
            let own = mark(contracts, row, market, is_stock);
            if let Some(own) = missing.take(own)? {
                let value = own * contract.value_per_lot() * rate_into(contract.currency())?;
                bounds::per_lot(format_args!("house: '{}': its value", contract.id()), value)?;
                price[row as usize] = own;
                asked.value[row as usize] = value;
            }
        }
        missing.refuse().map_err(|e| e.at("house"))?;
        asked.symbols = number.len();
        let mut placed = placed.iter();
        let mut next = || placed.next().expect("one for each rule");
        for rule in &rules.percentages {
            let covered = next();
            let amounts = contracts.iter().map(|(row, contract)| {
                let at = row as usize;
                if !covered[at] || !rule.covers(price[at]) {
                    return Ok(PerLot::default());
                }
                let units = contract.value_per_lot() * money;
                percentage(rule, asked.value[at], units)
            });
            asked.rules.push(Rule {
                name: rule.name.clone(),
                asks: Asks::PerLot(amounts.collect::<Result<_>>()?),
            });
        }
        for rule in &rules.concentration {
            let named = next();
            let counted = contracts.iter().map(|(row, contract)| match rule.share_of {
                Whole::Named => named[row as usize],
                Whole::Securities => matches!(contract.kind(), Kind::Stock | Kind::Etf),
                Whole::Gross => true,
                Whole::Equity(_) => false,
            });
            asked.rules.push(Rule {
                name: rule.name.clone(),
                asks: Asks::Shares(Box::new(Shares {
                    counted: counted.collect(),
                    named: named.clone(),
                    equity: match rule.share_of {
                        Whole::Equity(amount) => Some(amount * money),
                        Whole::Named | Whole::Securities | Whole::Gross => None,
                    },
                    rule: rule.clone(),
                })),
            });
        }
        for rule in &rules.contracts {
            let covered = next();
            let amounts = contracts.iter().map(|(row, contract)| {
                let lots = if covered[row as usize] {
                    contract.terms().lot * money
                } else {
                    0.0
                };
                [[rule.long * lots; 2], [rule.short * lots; 2]]
            });
            asked.rules.push(Rule {
                name: rule.name.clone(),
                asks: Asks::PerLot(amounts.collect()),
            });
        }
        Ok(asked)
    }
}

/// The price of stock, a fund or an option.
fn mark(contracts: &Contracts, row: u32, market: Option<&Market>, is_stock: bool) -> Result<f64> {
    let id = contracts.rows()[row as usize].id();
    let Some(market) = market else {
        fail!(MissingData: MissingPrice; "no market with a price of '{id}', whose market value its rules ask for");
    };
    if is_stock {
        return market.linear_price(contracts, row);
    }
    match market.price(contracts, row) {
        Some(price) => Ok(price),
        None => fail!(
            MissingData: MissingPrice;
            "no mark for '{id}', whose market value is in the gross that shares are of: give its price in the market"
        ),
    }
}

/// A percentage of a lot's value or its money per share, whichever is more; initial at least maintenance.
fn percentage(rule: &Percentage, value: f64, units: f64) -> Result<PerLot> {
    let mut amounts = PerLot::default();
    for (amount, rate) in amounts.iter_mut().zip([&rule.long, &rule.short]) {
        let Some(rate) = rate else { continue };
        let maintenance = larger(rate.maintenance * value, rate.per_share * units);
        *amount = [larger(rate.initial * value, maintenance), maintenance];
        bounds::per_lot(
            format_args!("house: rule '{}': its amount", rule.name),
            amount[0],
        )?;
    }
    Ok(amounts)
}
