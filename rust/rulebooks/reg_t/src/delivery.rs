//! What the options of a table deliver, told apart: only options of one delivery are set against each other.

use std::collections::BTreeMap;

use engine::contract::{Contract, Contracts};
use engine::inputs::list;
use kernel::error::Result;
use kernel::fail;

/// Securities that a written option may be covered by: beside the option, what a strategy has places for.
const MOST_SECURITIES: usize = 3;

/// What one lot of an option delivers.
pub(super) struct Delivered {
    /// Shares (units of an index) by family.
    pub(super) shares: Vec<(u32, f64)>,
    /// In money, cash included.
    pub(super) value: f64,
}

/// Shares by symbol, cash, and the multipliers of strike and premium; bits, because nothing is near another.
type Key = (Vec<(String, u64)>, [u64; 3]);

/// The deliveries of a table, numbered by what they are: no order of the table decides anything.
pub(super) struct Deliveries(BTreeMap<Key, u32>);

impl Deliveries {
    pub(super) fn of(contracts: &Contracts) -> Self {
        let keys = contracts.rows().iter().filter_map(|c| key(c));
        let mut numbers: BTreeMap<Key, u32> = keys.map(|k| (k, 0)).collect();
        for (number, value) in (1..).zip(numbers.values_mut()) {
            *value = number;
        }
        Self(numbers)
    }

    /// Zero for a standard contract.
    pub(super) fn number(&self, contract: &Contract) -> u32 {
        key(contract).map_or(0, |key| self.0[&key])
    }
}

fn key(contract: &Contract) -> Option<Key> {
    let basket = contract.delivery()?;
    let shares = basket.shares.iter();
    Some((
        shares.map(|(s, n)| (s.clone(), n.to_bits())).collect(),
        [
            basket.cash,
            contract.strike_multiplier(),
            contract.premium_multiplier(),
        ]
        .map(f64::to_bits),
    ))
}

/// Refuses options that no strategy could cover, by name: they would be charged as uncovered ones whatever is held.
pub(super) fn refuse_large(contracts: &Contracts) -> Result<()> {
    let large = contracts.rows().iter().filter(|c| {
        let securities = c.delivery().map_or(0, |basket| basket.shares.len());
        securities > MOST_SECURITIES
    });
    let ids: Vec<&str> = large.map(|c| c.id()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    let ids = list(&ids);
    fail!(Unsupported, place &ids;
        "reg t: options that deliver more than {MOST_SECURITIES} securities are not implemented: {ids}")
}
