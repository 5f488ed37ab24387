//! Prices of options under scenarios: what scenarios share is computed once.
use std::ops::Range;

use super::super::lanes::{Lanes, WIDTH};
use super::super::math::ln;
use super::super::{BLOCK, Moves, OptionColumns, RowCopy, Rows};
use super::eight::{Block, Eight};
use super::{reciprocal_and_half, value};
use crate::float::larger;
use crate::simd::{self, Kernel};

/// Scenarios per block.
const COLUMNS: usize = simd::TURNED;
/// A spot move of -100 % or worse leaves this fraction of the spot.
const NO_SPOT: f64 = 1e-300;

/// Prices of each row under each scenario, row-major: `out[row * scenarios + scenario]`.
///
/// `price_moves` are fractions of spot, `vol_moves` are added to vol, `roll` years are taken off the time to expiry.
///
/// # Panics
/// If the columns differ in length, or moves and `out` do not fit them.
pub fn price_grid(
    o: &OptionColumns,
    price_moves: Moves,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) {
    price_grid_at(
        simd::level(),
        o,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    );
}

pub(crate) fn price_grid_at(
    level: simd::Level,
    o: &OptionColumns,
    price_moves: Moves,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) {
    let n = o.spot.len();
    let grid = Scenarios {
        price_moves,
        vol_moves,
        roll,
        scenarios,
    };
    let Ok(()) = grid.price(level, &o.exactly(n), n, out);
}

/// As [`price_grid`], of the first `rows` rows of a source.
///
/// # Errors
/// The source's.
pub fn price_grid_rows<R: Rows>(
    source: &R,
    rows: usize,
    price_moves: Moves,
    vol_moves: Moves,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<(), R::Error> {
    Scenarios {
        price_moves,
        vol_moves,
        roll,
        scenarios,
    }
    .price(simd::level(), source, rows, out)
}

/// What rows are priced under.
#[derive(Clone, Copy)]
struct Scenarios<'a> {
    price_moves: Moves<'a>,
    vol_moves: Moves<'a>,
    roll: f64,
    scenarios: usize,
}

impl Scenarios<'_> {
    fn price<R: Rows>(
        self,
        level: simd::Level,
        source: &R,
        rows: usize,
        out: &mut [f64],
    ) -> Result<(), R::Error> {
        let scenarios = self.scenarios;
        assert_eq!(
            out.len(),
            rows * scenarios,
            "price_grid: out must hold rows x scenarios"
        );
        self.price_moves.check(rows, scenarios);
        self.vol_moves.check(rows, scenarios);
        for first in (0..scenarios).step_by(COLUMNS) {
            let kernel = Grid {
                level,
                source,
                rows,
                under: self,
                first,
                columns: COLUMNS.min(scenarios - first),
                out: &mut *out,
            };
            simd::run_at(level, kernel)?;
        }
        Ok(())
    }
}

/// Prices of all rows for one block of scenarios.
struct Grid<'a, R> {
    level: simd::Level,
    source: &'a R,
    rows: usize,
    under: Scenarios<'a>,
    first: usize,
    columns: usize,
    out: &'a mut [f64],
}

/// Eight rows under a block of scenarios; at cache lines, so that no vector is written across two.
#[repr(align(64))]
struct Cells([[f64; WIDTH]; COLUMNS]);

impl<R: Rows> Kernel for Grid<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let (n, under, columns) = (self.rows, self.under, self.columns);
        let order = Order::new(under.vol_moves, self.first, columns);
        let mut moved = Moved::new(&under, &order, self.first, columns);
        let mut copy = RowCopy::default();
        let mut block = Block::new();
        let mut cells = Cells([[0.0; WIDTH]; COLUMNS]);
        for first in (0..n).step_by(BLOCK) {
            let count = BLOCK.min(n - first);
            self.source.copy(first, count, &mut copy)?;
            let eights = block.load(&copy, count, under.roll);
            for (e, eight) in eights.iter().enumerate() {
                let start = first + e * WIDTH;
                let rows = WIDTH.min(n - start);
                moved.load(&under, &order, self.first, columns, start..start + rows);
                price(eight, &moved, &order, &mut cells);
                // Results leave as they are made: the memory's work overlaps with the next rows'.
                if columns == COLUMNS {
                    let out = &mut self.out[start * under.scenarios + self.first..];
                    simd::turn(self.level, &cells.0, rows, out, under.scenarios);
                } else {
                    let mut turned = [0.0; WIDTH * COLUMNS];
                    simd::turn(self.level, &cells.0, rows, &mut turned, COLUMNS);
                    for (l, row) in turned.chunks_exact(COLUMNS).take(rows).enumerate() {
                        self.out[(start + l) * under.scenarios + self.first..][..columns]
                            .copy_from_slice(&row[..columns]);
                    }
                }
            }
        }
        Ok(())
    }
}

/// Prices of eight rows under a block of scenarios. The inner loop holds nothing but the formula: whatever else stood in
/// it would push the formula's constants out of the registers.
#[inline(always)]
fn price(rows: &Eight, moved: &Moved, order: &Order, cells: &mut Cells) {
    let Eight { terms, vol, sign } = *rows;
    let mut begin = 0;
    for &end in &order.ends[..order.groups] {
        let (inverse, half) = reciprocal_and_half((vol + moved.vol[begin]) * terms.root_years);
        for k in begin..end {
            let forward = terms.forward * moved.factor[k];
            let moneyness = terms.moneyness + moved.log[k];
            let value = value(forward, terms.strike, moneyness, inverse, half, sign);
            cells.0[order.scenario[k]] = value.0;
        }
        begin = end;
    }
}

/// The moves of eight rows under a block of scenarios, in the order in which these are priced.
struct Moved {
    /// Factors on the spot, and their logarithms.
    factor: [Lanes; COLUMNS],
    log: [Lanes; COLUMNS],
    vol: [Lanes; COLUMNS],
}

impl Moved {
    /// With the moves that every row shares.
    #[inline(always)]
    fn new(under: &Scenarios, order: &Order, first: usize, columns: usize) -> Self {
        let mut moved = Self {
            factor: [Lanes::from(1.0); COLUMNS],
            log: [Lanes::ZERO; COLUMNS],
            vol: [Lanes::ZERO; COLUMNS],
        };
        for (k, &j) in order.scenario[..columns].iter().enumerate() {
            if let Moves::Shared(list) = under.price_moves {
                let factor = larger(1.0 + list[first + j], NO_SPOT);
                (moved.factor[k], moved.log[k]) = (Lanes::from(factor), Lanes::from(ln(factor)));
            }
            if let Moves::Shared(list) = under.vol_moves {
                moved.vol[k] = Lanes::from(list[first + j]);
            }
        }
        moved
    }

    /// Sets the moves that are `rows`' own.
    #[inline(always)]
    fn load(
        &mut self,
        under: &Scenarios,
        order: &Order,
        first: usize,
        columns: usize,
        rows: Range<usize>,
    ) {
        if matches!(
            (under.price_moves, under.vol_moves),
            (Moves::Shared(_), Moves::Shared(_))
        ) {
            return;
        }
        for (k, &j) in order.scenario[..columns].iter().enumerate() {
            for (l, row) in rows.clone().enumerate() {
                let at = row * under.scenarios + first + j;
                if let Moves::PerRow(table) = under.price_moves {
                    self.factor[k].0[l] = larger(1.0 + table[at], NO_SPOT);
                }
                if let Moves::PerRow(table) = under.vol_moves {
                    self.vol[k].0[l] = table[at];
                }
            }
            if let Moves::PerRow(_) = under.price_moves {
                self.log[k] = self.factor[k].ln();
            }
        }
    }
}

/// The order in which scenarios are priced: those of one vol move together, which scan rulebooks have two or three of.
struct Order {
    scenario: [usize; COLUMNS],
    /// Where each group of one vol ends.
    ends: [usize; COLUMNS],
    groups: usize,
}

impl Order {
    #[inline(always)]
    fn new(vol_moves: Moves, first: usize, columns: usize) -> Self {
        let mut order = Self {
            scenario: std::array::from_fn(|j| j),
            ends: [0; COLUMNS],
            groups: 0,
        };
        let same = |a: usize, b: usize| match vol_moves {
            Moves::Shared(list) => list[first + a].to_bits() == list[first + b].to_bits(),
            Moves::PerRow(_) => false,
        };
        if let Moves::Shared(list) = vol_moves {
            order.scenario[..columns].sort_by_key(|j| list[first + j].to_bits());
        }
        for k in 1..=columns {
            if k == columns || !same(order.scenario[k - 1], order.scenario[k]) {
                order.ends[order.groups] = k;
                order.groups += 1;
            }
        }
        order
    }
}
