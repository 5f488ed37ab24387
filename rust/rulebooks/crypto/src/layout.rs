//! What a table of contracts says without a market: units, expiries, strikes. Kept while the table stays the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use super::parameters::{Parameters, UnitOf};
use engine::contract::{Contract, ContractIndex, Contracts, Exercise, Kind, Settlement};
use kernel::error::Result;
use kernel::fail;

/// What nets in one scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnitKey {
    pub(super) underlying: String,
    /// The settlement currency; empty where the unit spans all of them.
    pub(super) currency: String,
}

impl UnitKey {
    /// As reports print it: the currency only where it says something.
    pub(super) fn label(&self) -> String {
        if self.currency.is_empty() || self.currency == self.underlying {
            self.underlying.clone()
        } else {
            format!("{}/{}", self.underlying, self.currency)
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Option,
    Future,
    Perpetual,
    Spot,
}

/// One contract without its market.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowLayout {
    pub(super) unit: u32,
    pub(super) class: Class,
    pub(super) inverse: bool,
    /// Row of the unit's expiries; undated contracts have the first, without years.
    pub(super) expiry: u32,
    pub(super) strike_slot: u32,
    pub(super) strike: f64,
    pub(super) right: i8,
    /// Coins per lot, or dollars where `in_dollars`.
    pub(super) size: f64,
    pub(super) in_dollars: bool,
}

/// One unit of a table.
#[derive(Debug)]
pub(super) struct UnitLayout {
    pub(super) key: UnitKey,
    /// Settles in its own coin.
    pub(super) inverse: bool,
    /// Ascending; the expiry slots after the first.
    pub(super) instants: Vec<Timestamp>,
    /// By expiry slot: an option and a future that expire then.
    pub(super) option_at: Vec<Option<ContractIndex>>,
    pub(super) future_at: Vec<Option<ContractIndex>>,
    /// (expiry slot, strike) in ascending order.
    pub(super) strikes: Vec<(u32, f64)>,
    /// The contract rows of the unit, ascending.
    pub(super) rows: Vec<ContractIndex>,
}

/// A table of contracts.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) contracts: Arc<Contracts>,
    pub(super) units: Vec<Arc<UnitLayout>>,
    pub(super) rows: Vec<RowLayout>,
}

impl Layout {
    pub(super) fn new(parameters: &Parameters, contracts: &Arc<Contracts>) -> Result<Self> {
        let mut keys: BTreeMap<UnitKey, Vec<ContractIndex>> = BTreeMap::new();
        for (row, contract) in contracts.iter() {
            let currency = match parameters.unit {
                UnitOf::Settlement => contract.currency().to_string(),
                UnitOf::Underlying => String::new(),
            };
            let underlying = contracts.root_symbol(row).to_string();
            keys.entry(UnitKey {
                underlying,
                currency,
            })
            .or_default()
            .push(row);
        }
        let mut found: Vec<Option<RowLayout>> = vec![None; contracts.len()];
        let mut units = Vec::with_capacity(keys.len());
        for (key, rows) in keys {
            let unit = UnitLayout::new(parameters, contracts, key, rows);
            for &row in &unit.rows {
                let contract = &contracts.rows()[row as usize];
                let made = RowLayout::new(contract, &unit)?;
                found[row as usize] = Some(RowLayout {
                    unit: units.len() as u32,
                    ..made
                });
            }
            units.push(Arc::new(unit));
        }
        Ok(Self {
            contracts: contracts.clone(),
            units,
            rows: found.into_iter().flatten().collect(),
        })
    }
}

fn inverse(contract: &Contract) -> bool {
    contract.terms().settlement == Settlement::Inverse
}

impl UnitLayout {
    fn new(
        parameters: &Parameters,
        contracts: &Contracts,
        key: UnitKey,
        rows: Vec<ContractIndex>,
    ) -> Self {
        let of = |row: &ContractIndex| contracts.rows()[*row as usize].as_ref();
        let mut instants: Vec<Timestamp> = rows
            .iter()
            .filter_map(|r| of(r).expiry().map(|e| e.instant))
            .collect();
        instants.sort_unstable();
        instants.dedup();
        let mut unit = Self {
            inverse: parameters.unit == UnitOf::Settlement && rows.iter().any(|r| inverse(of(r))),
            option_at: vec![None; instants.len() + 1],
            future_at: vec![None; instants.len() + 1],
            strikes: Vec::new(),
            key,
            instants,
            rows,
        };
        for &row in &unit.rows {
            let contract = of(&row);
            let slot = unit.slot(contract) as usize;
            match contract.kind() {
                Kind::Option => {
                    unit.option_at[slot].get_or_insert(row);
                    unit.strikes
                        .push((slot as u32, contract.terms().strike.unwrap_or(0.0)));
                }
                Kind::Future => {
                    unit.future_at[slot].get_or_insert(row);
                }
                _ => {}
            }
        }
        unit.strikes
            .sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        unit.strikes.dedup();
        unit
    }

    fn slot(&self, contract: &Contract) -> u32 {
        let Some(expiry) = contract.expiry() else {
            return 0;
        };
        self.instants.partition_point(|&i| i < expiry.instant) as u32 + 1
    }
}

impl RowLayout {
    fn new(contract: &Contract, unit: &UnitLayout) -> Result<Self> {
        let class = match contract.kind() {
            Kind::Option => Class::Option,
            Kind::Future => Class::Future,
            Kind::Perpetual => Class::Perpetual,
            Kind::Spot => Class::Spot,
            other => fail!(
                NotApplicable,
                "'{}' is a {other:?}: crypto venues margin options, futures, perpetuals and spot",
                contract.id()
            ),
        };
        let terms = contract.terms();
        let inverse = inverse(contract);
        if unit.inverse && !inverse && class != Class::Spot {
            fail!(
                InvalidInput: Contradiction;
                "'{}' settles in {} but is not inverse: say settlement=\"inverse\"",
                contract.id(),
                contract.currency()
            );
        }
        if terms.multiplier_unit.is_none() && inverse && class != Class::Option {
            fail!(
                InvalidInput: Contradiction;
                "'{}' is inverse: say multiplier_unit=\"USD\" (its face) or \"coin\"",
                contract.id()
            );
        }
        let in_dollars = contract.counts_money();
        let mut made = Self {
            unit: 0,
            class,
            inverse,
            expiry: unit.slot(contract),
            strike_slot: 0,
            strike: 0.0,
            right: 0,
            size: contract.value_per_lot(),
            in_dollars,
        };
        if let Some(option) = contract.option() {
            if option.exercise != Exercise::European {
                fail!(
                    NotApplicable,
                    "'{}' is American: crypto venues list European options",
                    contract.id()
                );
            }
            (made.strike, made.right) = (option.strike, option.right.sign());
            let before = |s: &(u32, f64)| {
                s.0.cmp(&made.expiry)
                    .then(s.1.total_cmp(&option.strike))
                    .is_lt()
            };
            made.strike_slot = unit.strikes.partition_point(before) as u32;
        }
        Ok(made)
    }
}
