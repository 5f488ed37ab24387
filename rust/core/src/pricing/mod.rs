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

impl<'a> OptionColumns<'a> {
    /// The same columns for a run of rows.
    #[must_use]
    pub fn slice(&self, rows: std::ops::Range<usize>) -> OptionColumns<'a> {
        OptionColumns {
            spot: &self.spot[rows.clone()],
            strike: &self.strike[rows.clone()],
            years: &self.years[rows.clone()],
            rate: &self.rate[rows.clone()],
            dividend_yield: &self.dividend_yield[rows.clone()],
            vol: &self.vol[rows.clone()],
            right: &self.right[rows],
        }
    }
}
