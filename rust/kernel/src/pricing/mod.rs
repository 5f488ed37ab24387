//! Pricing kernels over columns. Numbers in, numbers out: contracts and markets are resolved by the caller.

pub mod american;
pub mod bachelier;
pub mod baw;
pub mod black;
pub mod check;
mod coefficients;
pub mod escrowed;
pub mod greeks;
pub mod implied;
mod lanes;
pub mod math;
mod real;
#[cfg(test)]
mod reference_prices;
mod rows;
#[cfg(test)]
mod tests;
pub mod tree;

pub use rows::{BLOCK, RowCopy, Rows};

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

impl<'a> OptionColumns<'a> {
    /// Rows `first .. first + count`.
    #[inline(always)]
    pub fn rows(&self, first: usize, count: usize) -> Self {
        Self {
            spot: &self.spot[first..][..count],
            strike: &self.strike[first..][..count],
            years: &self.years[first..][..count],
            rate: &self.rate[first..][..count],
            dividend_yield: &self.dividend_yield[first..][..count],
            vol: &self.vol[first..][..count],
            right: &self.right[first..][..count],
        }
    }

    /// The same columns, known to the compiler to have `count` rows; panics if one does not.
    #[inline(always)]
    pub(crate) fn exactly(&self, count: usize) -> Self {
        assert!(
            [
                self.spot,
                self.strike,
                self.years,
                self.rate,
                self.dividend_yield,
                self.vol
            ]
            .iter()
            .all(|c| c.len() == count)
                && self.right.len() == count,
            "option columns differ in length"
        );
        self.rows(0, count)
    }
}

/// Scenario moves: one list for every row, or a row-major `(rows, scenarios)` table.
#[derive(Clone, Copy, Debug)]
pub enum Moves<'a> {
    Shared(&'a [f64]),
    PerRow(&'a [f64]),
}

impl Moves<'_> {
    /// Panics unless the moves fit `rows` and `scenarios`.
    pub(crate) fn check(&self, rows: usize, scenarios: usize) {
        let (have, need) = match self {
            Self::Shared(list) => (list.len(), scenarios),
            Self::PerRow(table) => (table.len(), rows * scenarios),
        };
        assert_eq!(
            have, need,
            "moves do not fit {rows} rows and {scenarios} scenarios"
        );
    }
}
