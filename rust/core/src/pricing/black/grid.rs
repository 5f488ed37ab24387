//! Prices of options under scenarios: what scenarios share is computed once.
use super::super::lanes::{Lanes, WIDTH};
use super::super::math::{greater, ln};
use super::super::{BLOCK, Moves, OptionColumns, RowCopy, Rows};
use super::eight::{Block, Eight};
use super::{intrinsic, reciprocal_and_half, time_value};
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

    /// The moves of some rows under one scenario.
    #[inline(always)]
    fn moves(&self, moves: Moves, start: usize, rows: usize, scenario: usize) -> Lanes {
        match moves {
            Moves::Shared(list) => Lanes::from(list[scenario]),
            Moves::PerRow(table) => {
                let mut lanes = Lanes::ZERO;
                for (l, lane) in lanes.0[..rows].iter_mut().enumerate() {
                    *lane = table[(start + l) * self.scenarios + scenario];
                }
                lanes
            }
        }
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

/// A move's factor on the spot.
#[inline(always)]
fn factor(price_move: f64) -> f64 {
    greater(1.0 + price_move, NO_SPOT)
}

impl<R: Rows> Kernel for Grid<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let (n, under, columns) = (self.rows, self.under, self.columns);
        let order = Order::new(under.vol_moves, self.first, columns);
        let shared = SharedPrices::new(under.price_moves, self.first, columns);
        let mut copy = RowCopy::default();
        let mut block = Block::new();
        let mut cells = Cells([[0.0; WIDTH]; COLUMNS]);
        for first in (0..n).step_by(BLOCK) {
            let rows = self.source.block(first, BLOCK.min(n - first), &mut copy)?;
            block.load(&rows, under.roll);
            for start in (first..n.min(first + BLOCK)).step_by(WIDTH) {
                let Eight { terms, vol, sign } = block.0[(start - first) / WIDTH];
                let rows = WIDTH.min(n - start);
                let (mut inverse, mut half) = (Lanes::ZERO, Lanes::ZERO);
                for k in 0..columns {
                    let j = order.scenario[k];
                    if order.new_vol[k] {
                        let vol = vol + under.moves(under.vol_moves, start, rows, self.first + j);
                        (inverse, half) = reciprocal_and_half(vol * terms.root_years);
                    }
                    let (factor, log) = match &shared {
                        Some(shared) => (Lanes::from(shared.factor[j]), Lanes::from(shared.log[j])),
                        None => {
                            let moves = under.moves(under.price_moves, start, rows, self.first + j);
                            let factors = (moves + 1.0).greater(NO_SPOT);
                            (factors, factors.ln())
                        }
                    };
                    let forward = terms.forward * factor;
                    let smaller = forward.lesser(terms.strike);
                    let value = time_value(terms.moneyness + log, inverse, half, smaller)
                        + intrinsic(forward, terms.strike, sign);
                    cells.0[j] = value.0;
                }
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

/// Factors on the spot and their logarithms, where every row moves alike.
struct SharedPrices {
    factor: [f64; COLUMNS],
    log: [f64; COLUMNS],
}

impl SharedPrices {
    #[inline(always)]
    fn new(moves: Moves, first: usize, columns: usize) -> Option<Self> {
        let Moves::Shared(list) = moves else {
            return None;
        };
        let mut shared = Self {
            factor: [1.0; COLUMNS],
            log: [0.0; COLUMNS],
        };
        for (j, &price_move) in list[first..first + columns].iter().enumerate() {
            shared.factor[j] = factor(price_move);
            shared.log[j] = ln(shared.factor[j]);
        }
        Some(shared)
    }
}

/// The order in which scenarios are priced: those of one vol move together, which scan rulebooks have two or three of.
struct Order {
    scenario: [usize; COLUMNS],
    /// Whether the vol differs from that of the scenario before.
    new_vol: [bool; COLUMNS],
}

impl Order {
    #[inline(always)]
    fn new(vol_moves: Moves, first: usize, columns: usize) -> Self {
        let mut order = Self {
            scenario: std::array::from_fn(|j| j),
            new_vol: [true; COLUMNS],
        };
        if let Moves::Shared(list) = vol_moves {
            let bits = |j: &usize| list[first + j].to_bits();
            order.scenario[..columns].sort_by_key(bits);
            for k in 1..columns {
                order.new_vol[k] = bits(&order.scenario[k]) != bits(&order.scenario[k - 1]);
            }
        }
        order
    }
}
