//! Where a kernel's rows come from: a block of them at a time.

use std::convert::Infallible;

use super::OptionColumns;

/// Rows per block: a block's copy, terms and results stay in the first-level cache.
pub const BLOCK: usize = 32;

/// A copy of a block of rows, of constant length: kernels need no loop for what is left over.
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

/// A source of rows. One whose memory others may write to checks the copy. The method is to be `#[inline(always)]`: it
/// runs inside the kernels' clones.
pub trait Rows {
    type Error;

    /// Copies rows `first .. first + count`, at most [`BLOCK`] of them. What is in the rows after those is left.
    ///
    /// # Errors
    /// For a source that checks its rows: the first that no formula prices.
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> Result<(), Self::Error>;
}

/// Columns that nobody else writes to, and whose owner vouches for them.
impl Rows for OptionColumns<'_> {
    type Error = Infallible;

    #[inline(always)]
    fn copy(&self, first: usize, count: usize, copy: &mut RowCopy) -> Result<(), Infallible> {
        let columns = [
            self.spot,
            self.strike,
            self.years,
            self.rate,
            self.dividend_yield,
            self.vol,
        ];
        for (to, from) in copy.floats.iter_mut().zip(columns) {
            fill(to, &from[first..][..count]);
        }
        fill(&mut copy.right, &self.right[first..][..count]);
        Ok(())
    }
}

/// Copies to the beginning; a whole block by vector loads and stores, not by a call.
#[inline(always)]
fn fill<T: Copy>(to: &mut [T; BLOCK], from: &[T]) {
    match from.first_chunk() {
        Some(from) => *to = *from,
        None => to[..from.len()].copy_from_slice(from),
    }
}
