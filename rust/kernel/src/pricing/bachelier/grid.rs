//! Prices under scenarios in the normal model.

use super::super::math::exp;
use super::super::{BLOCK, Moves, RowCopy, Rows};
use super::price_body;
use crate::float::larger;
use crate::simd::{self, Kernel};

/// What a price move is: a fraction of the forward, or an amount added to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    Fraction,
    Amount,
}

/// Prices of the first `rows` rows of a source under each scenario, row-major: `out[row * scenarios + scenario]`.
///
/// Rows as those of [`super::price_rows`]. `vol_moves` are added to the normal vol, `roll` years are taken off the time to
/// expiry; a vol or time below zero counts as zero. The moved forward may be negative.
///
/// # Errors
/// The source's.
///
/// # Panics
/// If moves and `out` do not fit the rows.
pub fn price_grid_rows<R: Rows>(
    source: &R,
    rows: usize,
    price_moves: Moves,
    unit: Unit,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<(), R::Error> {
    assert_eq!(
        out.len(),
        rows * scenarios,
        "price_grid: out must hold rows x scenarios"
    );
    price_moves.check(rows, scenarios);
    vol_moves.check(rows, scenarios);
    simd::run(Grid {
        source,
        rows,
        price_moves,
        unit,
        vol_moves,
        roll,
        scenarios,
        out,
    })
}

struct Grid<'a, R> {
    source: &'a R,
    rows: usize,
    price_moves: Moves<'a>,
    unit: Unit,
    vol_moves: Moves<'a>,
    roll: f64,
    scenarios: usize,
    out: &'a mut [f64],
}

impl<R: Rows> Kernel for Grid<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let scenarios = self.scenarios;
        let mut copy = RowCopy::default();
        for first in (0..self.rows).step_by(BLOCK) {
            let count = BLOCK.min(self.rows - first);
            self.source.copy(first, count, &mut copy)?;
            let [forward, strike, years, rate, _, vol] = &copy.floats;
            for l in 0..count {
                let row = first + l;
                let price_moves = of(self.price_moves, row, scenarios);
                let vol_moves = of(self.vol_moves, row, scenarios);
                let left = larger(years[l] - self.roll, 0.0);
                let discount = exp(-rate[l] * left);
                let lever = if self.unit == Unit::Fraction {
                    forward[l]
                } else {
                    1.0
                };
                let out = &mut self.out[row * scenarios..][..scenarios];
                for j in 0..scenarios {
                    out[j] = price_body(
                        price_moves[j].mul_add(lever, forward[l]),
                        strike[l],
                        left,
                        larger(vol[l] + vol_moves[j], 0.0),
                        copy.right[l],
                        discount,
                    );
                }
            }
        }
        Ok(())
    }
}

/// The moves of a row.
#[inline(always)]
fn of<'a>(moves: Moves<'a>, row: usize, scenarios: usize) -> &'a [f64] {
    match moves {
        Moves::Shared(list) => &list[..scenarios],
        Moves::PerRow(table) => &table[row * scenarios..][..scenarios],
    }
}
