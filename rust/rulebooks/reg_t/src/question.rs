//! What a solve is asked, and what one component of it comes to.

use super::rules::{Amounts, Numbers, Series, Shares, When};
use kernel::float::larger;

/// How positions are paired.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// The cheapest of all pairings.
    Optimal,
    /// The cheapest of pairs.
    TwoLeg,
    /// What a matcher that never looks back takes.
    Greedy,
    /// The options of an underlying as the one universal spread they were entered as.
    OneSpread,
}

/// What is held of one series or stock: contracts (shares) long and short, both at least zero.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Holding {
    pub row: u32,
    pub stock: bool,
    pub long: i64,
    pub short: i64,
}

/// Everything a solve needs to know besides the holdings.
#[derive(Debug, Clone)]
pub struct Question<'a> {
    pub series: &'a [Series],
    pub shares: &'a [Shares],
    pub numbers: &'a Numbers,
    pub allowed: Allowed,
    pub pairing: Method,
    pub when: When,
    /// Nodes of the search per component; above it the answer comes with its proven bound.
    pub node_limit: u64,
}

/// One component's requirement.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Total {
    /// The component's name: the smallest family held in it.
    pub component: u32,
    pub amounts: Amounts,
    /// The equity no pairing can go below; equal to the requirement when the minimum is proven.
    pub bound: f64,
    pub nodes: u64,
    /// Contracts that the account must not hold uncovered, and does.
    pub forbidden: f64,
}

impl Total {
    /// By how much a cheaper pairing could lower the requirement at most; zero where the minimum is proven.
    pub fn gap(&self) -> f64 {
        larger(self.amounts.equity() - self.bound, 0.0)
    }
}

/// Which combinations the account may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowed {
    pub two_sided: bool,
    pub boxes: bool,
    /// Spreads of one expiry only (cash accounts).
    pub one_expiry: bool,
    /// Spreads of European cash-settled options only (cash accounts).
    pub cash_settled_only: bool,
    /// Offsets on stock in maintenance.
    pub offsets: bool,
}
