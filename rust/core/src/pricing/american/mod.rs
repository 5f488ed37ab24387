//! American options on a spot with a continuous yield, by spectral collocation of the exercise boundary.
//!
//! Andersen, Lake and Offengenden, "High-performance American option pricing", J. Computational Finance 20 (2016):
//! the boundary of the put at Chebyshev points of the square root of time, from a QD+ start by fixed point iteration;
//! calls by McDonald-Schroder symmetry. Eight options at a time. The boundary does not depend on the spot, so the
//! scenarios of an option share it, and with [`Sharing::PerExpiry`] so do the strikes of an expiry.
//!
//! Every row has an answer; which method gives it depends on the row alone:
//! * no time left, or early exercise never pays (a call with `yield <= 0` and `rate >= yield`, a put with
//!   `rate <= 0` and `yield >= rate`): the European price, with the bits of [`super::black`];
//! * `|rate - yield| sqrt(years)` above [`Mode::most_carry`] vols, where the fixed point iteration does not settle (vol
//!   0 included), or two boundaries (`yield < rate < 0` for a put): a Leisen-Reimer tree of [`Mode::tree_steps`] steps;
//! * anything else: the collocation.
// Index loops over lanes and points of constant number are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

mod boundary;
mod greeks;
mod implied;
mod nodes;
mod premium;
mod rows;
mod shared;
mod solve;
#[cfg(test)]
mod tests;

pub use greeks::greeks;
pub use implied::implied_vol;

use std::sync::OnceLock;

use super::tree::{self, DividendTreatment, Scheme, TreeInputs};
use super::{Moves, OptionColumns, black};
use crate::error::Result;
use crate::fail;
use crate::simd::{self, Level};
use nodes::Nodes;
use rows::{Route, Row};
use shared::{Band, Key};
use solve::{Cells, NewBand, PerBand, PerOption, PriceMoves};

/// How accurate: (collocation points, fixed point steps, their quadrature)-quadrature of the price. Errors are relative,
/// against QuantLib's `QdFpAmericanEngine` at high precision, over 400 options of a week to two years, vols of 10-80 %,
/// rates of 0-8 %, yields of 0-6 %, where the price exceeds 0.01 % of the strike.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// (5, 1, 5)-9: median 2e-5, largest 1.2e-3.
    Fast,
    /// (7, 2, 7)-21: median 5e-7, largest 9e-5.
    #[default]
    Standard,
    /// (13, 5, 25)-51: median 9e-9, largest 8e-6.
    Precise,
}

impl Mode {
    fn fixed_point_steps(self) -> usize {
        match self {
            Self::Fast => 1,
            Self::Standard => 2,
            Self::Precise => 5,
        }
    }

    /// Newton steps on the QD+ equation.
    fn newton_steps(self) -> usize {
        5
    }

    /// The largest `|rate - yield| sqrt(years) / vol` that is left to the collocation.
    pub fn most_carry(self) -> f64 {
        1.25
    }

    /// Steps of the tree beyond that.
    pub fn tree_steps(self) -> usize {
        match self {
            Self::Fast => 201,
            Self::Standard => 501,
            Self::Precise => 2001,
        }
    }
}

/// What a boundary is computed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Each option, at each of its vols.
    #[default]
    PerOption,
    /// All strikes and vols of one expiry: for chains. Adds less than 1e-7 of the strike to the error. Rows of an expiry
    /// are best kept together.
    PerExpiry,
}

/// Prices, one per row.
///
/// # Errors
/// `InvalidInput` for columns of different lengths and values that no option has, naming the row.
pub fn price(o: &OptionColumns<'_>, mode: Mode, out: &mut [f64]) -> Result<()> {
    price_grid(
        o,
        mode,
        Sharing::PerOption,
        Moves::Shared(&[0.0]),
        Moves::Shared(&[0.0]),
        0.0,
        1,
        out,
    )
}

/// The price of one option; the bits of [`price`].
///
/// # Errors
/// As [`price`].
pub fn price_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
    mode: Mode,
) -> Result<f64> {
    let o = OptionColumns {
        spot: &[spot],
        strike: &[strike],
        years: &[years],
        rate: &[rate],
        dividend_yield: &[dividend_yield],
        vol: &[vol],
        right: &[right],
    };
    let mut out = [0.0];
    price(&o, mode, &mut out)?;
    Ok(out[0])
}

/// Prices of each row under each scenario, row-major: `out[row * scenarios + scenario]`.
///
/// `price_moves` are fractions of spot, `vol_moves` are added to vol (not below zero), `roll` years are taken off the
/// time to expiry. Scenarios with equal vol moves share a boundary.
///
/// # Errors
/// As [`price`].
pub fn price_grid(
    o: &OptionColumns<'_>,
    mode: Mode,
    sharing: Sharing,
    price_moves: Moves<'_>,
    vol_moves: Moves<'_>,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<()> {
    price_grid_at(
        simd::level(),
        o,
        mode,
        sharing,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    )
}

pub(crate) fn price_grid_at(
    level: Level,
    o: &OptionColumns<'_>,
    mode: Mode,
    sharing: Sharing,
    price_moves: Moves<'_>,
    vol_moves: Moves<'_>,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<()> {
    rows::check(o)?;
    if !roll.is_finite() {
        fail!(
            InvalidInput,
            "american: roll of {roll} years is not a number"
        );
    }
    let price_moves = table("price", price_moves, o.spot.len(), scenarios)?;
    let vol_moves = table("vol", vol_moves, o.spot.len(), scenarios)?;
    if out.len() != o.spot.len() * scenarios {
        fail!(
            InvalidInput,
            "american: {} rows x {scenarios} scenarios and room for {}",
            o.spot.len(),
            out.len()
        );
    }
    Grid {
        level,
        o: *o,
        methods_of: None,
        mode,
        sharing,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    }
    .run()
}

fn table<'a>(
    what: &str,
    moves: Moves<'a>,
    rows: usize,
    scenarios: usize,
) -> Result<PriceMoves<'a>> {
    let (table, stride, need) = match moves {
        Moves::Shared(list) => (list, 0, scenarios),
        Moves::PerRow(table) => (table, scenarios, rows * scenarios),
    };
    if table.len() != need {
        fail!(
            InvalidInput,
            "american: {} {what} moves where {need} are needed",
            table.len()
        );
    }
    if let Some(i) = table.iter().position(|m| !m.is_finite()) {
        fail!(InvalidInput, "american: {what} move {i} is {}", table[i]);
    }
    Ok(PriceMoves { table, stride })
}

/// Rows worked off together.
const CHUNK: usize = 1024;
/// Bands remembered.
const BANDS: usize = 64;

struct Grid<'a> {
    level: Level,
    o: OptionColumns<'a>,
    /// The rows that decide the methods, where they are not the moved rows themselves: a difference of prices must be
    /// taken between prices of one method.
    methods_of: Option<OptionColumns<'a>>,
    mode: Mode,
    sharing: Sharing,
    price_moves: PriceMoves<'a>,
    vol_moves: PriceMoves<'a>,
    roll: f64,
    scenarios: usize,
    out: &'a mut [f64],
}

impl Grid<'_> {
    fn run(&mut self) -> Result<()> {
        match self.mode {
            Mode::Fast => {
                static NODES: OnceLock<Nodes<5, 5, 9>> = OnceLock::new();
                self.run_on(NODES.get_or_init(Nodes::new))
            }
            Mode::Standard => {
                static NODES: OnceLock<Nodes<7, 7, 21>> = OnceLock::new();
                self.run_on(NODES.get_or_init(Nodes::new))
            }
            Mode::Precise => {
                static NODES: OnceLock<Nodes<13, 25, 51>> = OnceLock::new();
                self.run_on(NODES.get_or_init(Nodes::new))
            }
        }
    }

    fn run_on<const N: usize, const L: usize, const P: usize>(
        &mut self,
        nodes: &Nodes<N, L, P>,
    ) -> Result<()> {
        let n = self.o.spot.len();
        let mut routes: [Vec<Row>; 3] = Default::default();
        let mut bands: Vec<(Key, Band<N>)> = Vec::new();
        for first in (0..n).step_by(CHUNK) {
            let last = n.min(first + CHUNK);
            let mut done = vec![false; self.scenarios];
            for j in 0..self.scenarios {
                if done[j] {
                    continue;
                }
                let columns: Vec<usize> = (j..self.scenarios)
                    .filter(|&k| !done[k] && self.same_vols(first, last, j, k))
                    .collect();
                for &k in &columns {
                    done[k] = true;
                }
                self.sort_rows(first, last, j, &mut routes);
                let [european, collocation, tree] = &mut routes;
                self.europeans(european, &columns);
                self.trees(tree, &columns)?;
                self.collocations(collocation, &columns, nodes, &mut bands);
            }
        }
        Ok(())
    }

    fn same_vols(&self, first: usize, last: usize, j: usize, k: usize) -> bool {
        let PriceMoves { table, stride } = self.vol_moves;
        let same =
            |row: usize| table[row * stride + j].to_bits() == table[row * stride + k].to_bits();
        if stride == 0 {
            same(0)
        } else {
            (first..last).all(same)
        }
    }

    /// Rows at the vols of scenario `j`, by method.
    fn sort_rows(&self, first: usize, last: usize, j: usize, routes: &mut [Vec<Row>; 3]) {
        for route in routes.iter_mut() {
            route.clear();
        }
        let o = &self.o;
        for index in first..last {
            let vol = o.vol[index] + self.vol_moves.table[index * self.vol_moves.stride + j];
            let row = Row {
                years: o.years[index] - self.roll,
                vol: if vol > 0.0 { vol } else { 0.0 },
                ..Row::new(o, index)
            };
            let decides = match &self.methods_of {
                None => row,
                Some(o) => Row::new(o, index),
            };
            routes[match decides.route(self.mode) {
                Route::European => 0,
                Route::Collocation => 1,
                Route::Tree => 2,
            }]
            .push(row);
        }
    }

    fn europeans(&mut self, rows: &[Row], columns: &[usize]) {
        if rows.is_empty() {
            return;
        }
        let column = |of: fn(&Row) -> f64| -> Vec<f64> { rows.iter().map(of).collect() };
        let right: Vec<i8> = rows.iter().map(|row| row.right).collect();
        let moves: Vec<f64> = rows
            .iter()
            .flat_map(|row| {
                columns
                    .iter()
                    .map(|&j| self.price_moves.table[row.index * self.price_moves.stride + j])
            })
            .collect();
        let mut values = vec![0.0; moves.len()];
        let o = OptionColumns {
            spot: &column(|row| row.spot),
            strike: &column(|row| row.strike),
            years: &column(|row| row.years),
            rate: &column(|row| row.rate),
            dividend_yield: &column(|row| row.dividend_yield),
            vol: &column(|row| row.vol),
            right: &right,
        };
        let unmoved = vec![0.0; columns.len()];
        let (moves, unmoved) = (Moves::PerRow(&moves), Moves::Shared(&unmoved));
        black::price_grid_at(
            self.level,
            &o,
            moves,
            unmoved,
            0.0,
            columns.len(),
            &mut values,
        );
        for (row, values) in rows.iter().zip(values.chunks(columns.len())) {
            for (&j, &value) in columns.iter().zip(values) {
                self.out[row.index * self.scenarios + j] = value;
            }
        }
    }

    fn trees(&mut self, rows: &[Row], columns: &[usize]) -> Result<()> {
        let mut values = vec![0.0; columns.len()];
        for row in rows {
            let inputs = TreeInputs {
                spot: row.spot,
                strike: row.strike,
                years: row.years,
                rate: row.rate,
                dividend_yield: row.dividend_yield,
                vol: row.vol,
                right: row.right,
                dividends: &[],
            };
            let spots: Vec<f64> = columns
                .iter()
                .map(|&j| row.spot * self.price_moves.factor(row.index, j))
                .collect();
            let (scheme, steps) = (Scheme::LeisenReimer, self.mode.tree_steps());
            tree::price_spots(
                &inputs,
                &spots,
                true,
                scheme,
                steps,
                DividendTreatment::Escrowed,
                &mut values,
            )
            .map_err(|e| e.at(format_args!("american: row {}", row.index)))?;
            for (&j, &value) in columns.iter().zip(&values) {
                self.out[row.index * self.scenarios + j] = value;
            }
        }
        Ok(())
    }

    fn collocations<const N: usize, const L: usize, const P: usize>(
        &mut self,
        rows: &mut Vec<Row>,
        columns: &[usize],
        nodes: &Nodes<N, L, P>,
        bands: &mut Vec<(Key, Band<N>)>,
    ) {
        let (level, mode) = (self.level, self.mode);
        let mut cells = Cells {
            moves: self.price_moves,
            columns,
            scenarios: self.scenarios,
            out: &mut *self.out,
        };
        if self.sharing == Sharing::PerExpiry {
            let mut keyed: Vec<(Key, Row)> = Vec::with_capacity(rows.len());
            rows.retain(|row| match Key::of(row, mode) {
                Some(key) => {
                    keyed.push((key, *row));
                    false
                }
                None => true,
            });
            keyed.sort_by_key(|(key, row)| (*key, row.index));
            let mut of_band: Vec<Row> = Vec::new();
            for same in keyed.chunk_by(|a, b| a.0 == b.0) {
                let key = same[0].0;
                of_band.clear();
                of_band.extend(same.iter().map(|(_, row)| *row));
                let known = bands
                    .iter()
                    .position(|(of, _)| *of == key)
                    .unwrap_or_else(|| {
                        if bands.len() == BANDS {
                            bands.remove(0);
                        }
                        bands.push((key, simd::run_at(level, NewBand { nodes, mode, key })));
                        bands.len() - 1
                    });
                let band = &bands[known].1;
                simd::run_at(
                    level,
                    PerBand {
                        nodes,
                        band,
                        rows: &of_band,
                        cells: &mut cells,
                    },
                );
            }
        }
        simd::run_at(
            level,
            PerOption {
                nodes,
                mode,
                rows,
                cells: &mut cells,
            },
        );
    }
}
