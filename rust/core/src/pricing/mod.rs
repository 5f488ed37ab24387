//! Pricing kernels over columns. Numbers in, numbers out: contracts and markets are resolved by the caller.

pub mod tree;

/// Columns of European or American options on a spot with a continuous yield, all of one length.
///
/// `right` is +1 for a call, -1 for a put; `years` and `vol` are not negative, `spot` and `strike` positive.
#[derive(Clone, Copy, Debug)]
pub struct OptionColumns<'a> {
    pub spot: &'a [f64],
    pub strike: &'a [f64],
    pub years: &'a [f64],
    pub rate: &'a [f64],
    pub dividend_yield: &'a [f64],
    pub vol: &'a [f64],
    pub right: &'a [i8],
}

/// Scenario moves: one list for every row, or a row-major `(rows, scenarios)` table.
#[derive(Clone, Copy, Debug)]
pub enum Moves<'a> {
    Shared(&'a [f64]),
    PerRow(&'a [f64]),
}
