//! Sums of positions' rows, each row read where it was priced.

// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use kernel::simd::{self, Kernel};

/// Positions whose rows lie in one table, and their sum.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    /// Where each position's row begins, and its quantity; `held` of them count.
    rows: Vec<(u32, f64)>,
    held: usize,
    /// By column, quantity times row, positions in ascending contract order.
    pub(super) cells: Vec<f64>,
    /// Quantity times the mark of coin-settled options.
    pub(super) coin_mark: f64,
}

impl Lane {
    /// Empties the lane and makes room for `positions`.
    pub(super) fn clear(&mut self, positions: usize) {
        if self.rows.len() < positions {
            self.rows.resize(positions, (0, 0.0));
        }
        self.held = 0;
        self.coin_mark = 0.0;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Adds a position: where its row begins, lots times the row's scale, lots times its coin mark.
    #[inline]
    pub(super) fn push(&mut self, offset: u32, quantity: f64, coin_mark: f64) {
        self.rows[self.held] = (offset, quantity);
        self.held += 1;
        self.coin_mark += coin_mark;
    }

    /// Sums the positions up over a table of rows of `width` columns.
    pub(super) fn sum(&mut self, table: &[f64], width: usize) {
        self.cells.clear();
        self.cells.resize(width, 0.0);
        simd::run(Sum {
            table,
            width,
            lane: self,
        });
    }

    /// Takes over another lane's sum, not its positions; nothing was summed where nothing was held.
    pub(super) fn load(&mut self, from: &Self, width: usize) {
        self.held = from.held;
        self.coin_mark = from.coin_mark;
        self.cells.clone_from(&from.cells);
        if from.held == 0 {
            self.cells.clear();
            self.cells.resize(width, 0.0);
        }
    }

    /// Adds one more row to the sum.
    pub(super) fn add(&mut self, row: &[f64], quantity: f64, coin_mark: f64) {
        simd::run(Add {
            cells: &mut self.cells,
            row,
            quantity,
        });
        self.held += 1;
        self.coin_mark += coin_mark;
    }
}

struct Sum<'a> {
    table: &'a [f64],
    width: usize,
    lane: &'a mut Lane,
}

impl Kernel for Sum<'_> {
    type Output = ();

    /// One chain per column. The last columns are summed again with their neighbours where no whole block is left:
    /// a chain does not depend on which others run beside it.
    #[inline(always)]
    fn run(self) {
        let Self { table, width, lane } = self;
        let mut at = 0;
        while at + 32 <= width {
            columns::<32>(table, lane, at);
            at += 32;
        }
        while at < width {
            if width < 16 {
                columns::<1>(table, lane, at);
                at += 1;
            } else {
                columns::<16>(table, lane, at.min(width - 16));
                at += 16;
            }
        }
    }
}

#[inline(always)]
fn columns<const N: usize>(table: &[f64], lane: &mut Lane, at: usize) {
    let mut sums = [0.0; N];
    for &(offset, quantity) in &lane.rows[..lane.held] {
        let row = &table[offset as usize + at..][..N];
        for k in 0..N {
            sums[k] = quantity.mul_add(row[k], sums[k]);
        }
    }
    lane.cells[at..at + N].copy_from_slice(&sums);
}

struct Add<'a> {
    cells: &'a mut [f64],
    row: &'a [f64],
    quantity: f64,
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for (cell, value) in self.cells.iter_mut().zip(self.row) {
            *cell = self.quantity.mul_add(*value, *cell);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_the_same_chain_for_every_width() {
        let value = |row: usize, column: usize| (row * 7 + column) as f64 * 0.1 - 3.0;
        for width in [1, 3, 15, 16, 17, 24, 31, 32, 33, 35, 48, 70] {
            let table: Vec<f64> = (0..9)
                .flat_map(|r| (0..width).map(move |c| value(r, c)))
                .collect();
            let mut lane = Lane::default();
            lane.clear(3);
            for (row, quantity) in [(1, 2.0), (4, -1.5), (8, 0.3)] {
                lane.push((row * width) as u32, quantity, quantity);
            }
            lane.sum(&table, width);
            for column in 0..width {
                let chain = [(1, 2.0), (4, -1.5), (8, 0.3)]
                    .iter()
                    .fold(0.0, |sum, &(row, q): &(usize, f64)| {
                        q.mul_add(value(row, column), sum)
                    });
                assert_eq!(lane.cells[column], chain, "column {column} of {width}");
            }
        }
    }
}
