//! Where a kernel's rows come from: a block of them at a time.

use std::convert::Infallible;

use super::OptionColumns;

/// Rows per block: a block's copy, terms and results stay in the first-level cache.
pub const BLOCK: usize = 64;

/// Memory for the copy of a block of rows.
#[derive(Debug)]
#[repr(align(64))]
pub struct RowCopy {
    /// Spot, strike, years, rate, yield and vol (or price).
    pub floats: [[f64; BLOCK]; 6],
    pub right: [i8; BLOCK],
}

impl RowCopy {
    /// The first `count` rows.
    #[inline(always)]
    pub fn columns(&self, count: usize) -> OptionColumns<'_> {
        let [spot, strike, years, rate, dividend_yield, vol] = &self.floats;
        OptionColumns {
            spot: &spot[..count],
            strike: &strike[..count],
            years: &years[..count],
            rate: &rate[..count],
            dividend_yield: &dividend_yield[..count],
            vol: &vol[..count],
            right: &self.right[..count],
        }
    }
}

/// An ordinary option in every row.
impl Default for RowCopy {
    #[inline(always)]
    fn default() -> Self {
        Self {
            floats: [[1.0; BLOCK]; 6],
            right: [1; BLOCK],
        }
    }
}

/// A source of rows. A source whose memory others may write to copies a block before it checks it, and the kernel reads
/// the copy. Methods are to be `#[inline(always)]`: they run inside the kernels' clones.
pub trait Rows {
    type Error;

    /// Rows `first .. first + count`, at most [`BLOCK`] of them; in `copy` or elsewhere.
    ///
    /// # Errors
    /// For a source that checks its rows: the first that no formula prices.
    fn block<'a>(
        &'a self,
        first: usize,
        count: usize,
        copy: &'a mut RowCopy,
    ) -> Result<OptionColumns<'a>, Self::Error>;
}

/// Columns that nobody else writes to are read where they are.
impl Rows for OptionColumns<'_> {
    type Error = Infallible;

    #[inline(always)]
    fn block<'a>(
        &'a self,
        first: usize,
        count: usize,
        _: &'a mut RowCopy,
    ) -> Result<OptionColumns<'a>, Infallible> {
        Ok(self.rows(first, count))
    }
}
