//! An option with cash dividends, or of a rulebook that names the tree as its model.

use crate::contract::ContractIndex;
use kernel::pricing::tree::Scheme;

/// One option with all it takes to price it on a tree.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeCell {
    pub contract: ContractIndex,
    pub spot: f64,
    pub strike: f64,
    pub years: f64,
    pub rate: f64,
    pub dividend_yield: f64,
    pub vol: f64,
    pub right: i8,
    pub american: bool,
    pub scheme: Scheme,
    pub steps: usize,
    /// (years, cash) of each dividend before expiry.
    pub dividends: Vec<(f64, f64)>,
    pub scale: f64,
    pub base: Option<f64>,
}
