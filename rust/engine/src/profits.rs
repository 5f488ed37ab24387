//! The scenario profits of contracts, as a rulebook compiled them: vectors out, without any account and without repricing.

use std::sync::Arc;

use crate::contract::ContractIndex;

/// One set of scenarios of one scope: what a lot of each contract gains in each of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Profits {
    /// Whose scenarios they are, in the rulebook's own words, as its lines and details name it.
    pub scope: String,
    /// What the profits are in.
    pub currency: String,
    pub labels: Arc<[String]>,
    /// Contracts of the scope; a contract stands in every scope whose scenarios move it.
    pub contracts: Vec<ContractIndex>,
    /// Per lot, a row per contract and a column per label; a loss is negative.
    pub profit: Vec<f64>,
}

impl Profits {
    /// A set without contracts.
    pub fn new(scope: String, currency: &str, labels: Arc<[String]>) -> Self {
        Self {
            scope,
            currency: currency.to_string(),
            labels,
            contracts: Vec::new(),
            profit: Vec::new(),
        }
    }

    /// Adds a contract's row: a profit for each label.
    pub fn push(&mut self, contract: ContractIndex, profit: impl Iterator<Item = f64>) {
        self.contracts.push(contract);
        self.profit.extend(profit);
        debug_assert_eq!(self.profit.len(), self.contracts.len() * self.labels.len());
    }
}
