//! Trades, and what they would change.

use crate::account::Effect;
use crate::contract::ContractIndex;
use crate::report::Requirement;

/// A trade of signed lots; positive buys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    pub contract: ContractIndex,
    pub lots: i64,
    pub effect: Option<Effect>,
    /// What it was done at, where cash is to follow; in the contract's quote.
    pub price: Option<f64>,
    pub fees: f64,
}

impl Trade {
    pub fn new(contract: ContractIndex, lots: i64) -> Self {
        Self {
            contract,
            lots,
            effect: None,
            price: None,
            fees: 0.0,
        }
    }
}

/// Requirements before and after trades, both with the bits of a fresh margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhatIf {
    pub before: Requirement,
    pub after: Requirement,
}

impl WhatIf {
    /// After less before; the worst scenario and the gap are those after.
    pub fn change(&self) -> Requirement {
        Requirement {
            initial: self.after.initial - self.before.initial,
            maintenance: self.after.maintenance - self.before.maintenance,
            net_option_value: self.after.net_option_value - self.before.net_option_value,
            worst_scenario: self.after.worst_scenario,
            pairing_gap: self.after.pairing_gap,
        }
    }
}
