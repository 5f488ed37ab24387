//! Prices of options under scenarios: what scenarios share is computed once.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use super::super::math::{greater, ln};
use super::super::{Moves, OptionColumns};
use super::block::{Block, Deviations, LANES, OneMove, OwnMoves, ROWS, Scratch};
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
    assert_eq!(
        out.len(),
        n * scenarios,
        "price_grid: out must hold rows x scenarios"
    );
    price_moves.check(n, scenarios);
    vol_moves.check(n, scenarios);
    if out.is_empty() {
        return;
    }
    for first in (0..scenarios).step_by(COLUMNS) {
        let columns = COLUMNS.min(scenarios - first);
        simd::run_at(
            level,
            Grid {
                level,
                o: *o,
                price_moves,
                vol_moves,
                roll,
                scenarios,
                first,
                columns,
                out: &mut *out,
            },
        );
    }
}

/// Prices of all rows for one block of scenarios.
struct Grid<'a> {
    level: simd::Level,
    o: OptionColumns<'a>,
    price_moves: Moves<'a>,
    vol_moves: Moves<'a>,
    roll: f64,
    scenarios: usize,
    first: usize,
    columns: usize,
    out: &'a mut [f64],
}
/// A move's factor on the spot.
#[inline(always)]
fn factor(price_move: f64) -> f64 {
    greater(1.0 + price_move, NO_SPOT)
}

impl Kernel for Grid<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Grid {
            level,
            o,
            price_moves,
            vol_moves,
            roll,
            scenarios,
            first,
            columns,
            out,
        } = self;
        let n = o.spot.len();
        let mut block = Block::new();
        let mut cells = [[0.0; ROWS]; COLUMNS];
        let mut turned = [0.0; ROWS * COLUMNS];
        let mut deviations = [Deviations::new(); COLUMNS];
        let mut scratch = Scratch::new();
        let shared_prices = SharedPrices::new(price_moves, first, columns);
        let shared_vols = SharedVols::new(vol_moves, first, columns);

        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            // Whole vectors: the rows past the last are computed and dropped.
            let padded = rows.next_multiple_of(LANES);
            block.fill(&o.rows(start, rows), roll);

            match (&shared_vols, vol_moves) {
                (Some(shared), _) => {
                    for (k, deviations) in deviations[..shared.count].iter_mut().enumerate() {
                        deviations.fill(&block, &[shared.moves[k]; ROWS], padded);
                    }
                }
                (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                    for (k, deviations) in deviations[..columns].iter_mut().enumerate() {
                        deviations.fill(
                            &block,
                            &column(table, start, rows, scenarios, first + k),
                            padded,
                        );
                    }
                }
            }

            for j in 0..columns {
                let deviations =
                    &deviations[shared_vols.as_ref().map_or(j, |shared| shared.group[j])];
                match (&shared_prices, price_moves) {
                    (Some(shared), _) => {
                        let spots = OneMove {
                            factor: shared.factor[j],
                            log: shared.log[j],
                        };
                        scratch.prices(&mut cells[j], &block, deviations, spots, padded);
                    }
                    (None, Moves::PerRow(table) | Moves::Shared(table)) => {
                        let mut own = column(table, start, rows, scenarios, first + j);
                        let mut log = [0.0; ROWS];
                        for l in 0..ROWS {
                            own[l] = factor(own[l]);
                            log[l] = ln(own[l]);
                        }
                        let spots = OwnMoves {
                            factor: &own,
                            log: &log,
                        };
                        scratch.prices(&mut cells[j], &block, deviations, spots, padded);
                    }
                }
            }

            if columns == COLUMNS {
                simd::turn(
                    level,
                    &cells,
                    rows,
                    &mut out[start * scenarios + first..],
                    scenarios,
                );
            } else {
                simd::turn(level, &cells, rows, &mut turned, COLUMNS);
                for (l, row) in turned.chunks_exact(COLUMNS).take(rows).enumerate() {
                    out[(start + l) * scenarios + first..][..columns]
                        .copy_from_slice(&row[..columns]);
                }
            }
        }
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

/// The different vol moves among the scenarios, and which each scenario takes: scan rulebooks have two or three.
struct SharedVols {
    moves: [f64; COLUMNS],
    count: usize,
    group: [usize; COLUMNS],
}

impl SharedVols {
    #[inline(always)]
    fn new(moves: Moves, first: usize, columns: usize) -> Option<Self> {
        let Moves::Shared(list) = moves else {
            return None;
        };
        let mut shared = Self {
            moves: [0.0; COLUMNS],
            count: 0,
            group: [0; COLUMNS],
        };
        for (j, &vol_move) in list[first..first + columns].iter().enumerate() {
            let known = shared.moves[..shared.count]
                .iter()
                .position(|&m| m == vol_move);
            shared.group[j] = known.unwrap_or(shared.count);
            if known.is_none() {
                shared.moves[shared.count] = vol_move;
                shared.count += 1;
            }
        }
        Some(shared)
    }
}

/// One scenario's column of a row-major table of moves, for a block of rows.
#[inline(always)]
fn column(
    table: &[f64],
    start: usize,
    rows: usize,
    scenarios: usize,
    scenario: usize,
) -> [f64; ROWS] {
    let mut values = [0.0; ROWS];
    for (l, value) in values[..rows].iter_mut().enumerate() {
        *value = table[(start + l) * scenarios + scenario];
    }
    values
}
