//! Rows under scenarios: rows sorted by method, boundaries found and shared, results written.

use super::boundary::{Boundary, Puts};
use super::mode::System;
use super::nodes::{Nodes, OnNodes, on_high_rate_nodes, on_nodes};
use super::rows::{Block, Route, Row};
use super::shared::{Band, Key};
use super::solve::{Boundaries, Cells, FromBand, PriceMoves, Prices};
use super::{Mode, Sharing};
use crate::error::Result;
use crate::fail;
use crate::float::larger;
use crate::interrupt;
use crate::pricing::lanes::WIDTH;
use crate::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};
use crate::pricing::{Moves, OptionColumns, black};
use crate::simd::{self, Level};

/// Moves as the kernels take them; refuses what does not fit.
pub(super) fn table<'a>(
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
        fail!(InvalidInput: OutOfRange; "american: {what} move {i} is {}", table[i]);
    }
    Ok(PriceMoves { table, stride })
}

/// Rows worked off together.
const CHUNK: usize = 1024;
/// Bands remembered.
const BANDS: usize = 64;

/// A table of results to fill.
pub(super) struct Grid<'a> {
    pub(super) level: Level,
    pub(super) o: OptionColumns<'a>,
    /// The rows that decide the methods, where they are not the moved rows themselves: a difference of prices must be
    /// taken between prices of one method.
    pub(super) methods_of: Option<OptionColumns<'a>>,
    pub(super) mode: Mode,
    pub(super) sharing: Sharing,
    pub(super) price_moves: PriceMoves<'a>,
    pub(super) vol_moves: PriceMoves<'a>,
    pub(super) roll: f64,
    pub(super) scenarios: usize,
    pub(super) out: &'a mut [f64],
}

impl Grid<'_> {
    pub(super) fn run(&mut self) -> Result<()> {
        on_nodes(self.mode, Whole(self))
    }

    fn run_on<const N: usize, const L: usize, const P: usize>(
        &mut self,
        nodes: &Nodes<N, L, P>,
    ) -> Result<()> {
        let n = self.o.spot.len();
        let mut routes: [Vec<Row>; 4] = Default::default();
        let mut bands: Vec<(Key, Band<N>)> = Vec::new();
        for first in (0..n).step_by(CHUNK) {
            let last = n.min(first + CHUNK);
            let mut done = vec![false; self.scenarios];
            for j in 0..self.scenarios {
                if done[j] {
                    continue;
                }
                interrupt::check()?;
                let columns: Vec<usize> = (j..self.scenarios)
                    .filter(|&k| !done[k] && self.same_vols(first, last, j, k))
                    .collect();
                for &k in &columns {
                    done[k] = true;
                }
                self.sort_rows(first, last, j, &mut routes);
                let [european, collocation, high_rates, tree] = &mut routes;
                self.europeans(european, &columns);
                self.trees(tree, &columns)?;
                self.collocations(collocation, &columns, nodes, &mut bands);
                self.high_rates(high_rates, &columns);
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
    fn sort_rows(&self, first: usize, last: usize, j: usize, routes: &mut [Vec<Row>; 4]) {
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
                Route::HighRates => 2,
                Route::Tree => 3,
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

    /// One boundary, with no vol to speak of: the trinomial lattice, which moves with the forward. Two boundaries:
    /// Leisen-Reimer trees, whose smooth error of first order is extrapolated away.
    fn trees(&mut self, rows: &[Row], columns: &[usize]) -> Result<()> {
        let (one, two): (Vec<Row>, Vec<Row>) =
            rows.iter().partition(|row| row.put_rates().0 >= 0.0);
        let steps = self.mode.tree_steps();
        // Odd, as the scheme wants them.
        let fewer = (steps / 2) | 1;
        let weight = fewer as f64 / (steps - fewer) as f64;
        let values = self.tree_prices(&one, columns, Scheme::Trinomial, steps)?;
        self.fill_trees(&one, columns, &values);
        let mut values = self.tree_prices(&two, columns, Scheme::LeisenReimer, steps)?;
        let coarse = self.tree_prices(&two, columns, Scheme::LeisenReimer, fewer)?;
        for (value, coarse) in values.iter_mut().zip(&coarse) {
            *value += weight * (*value - coarse);
        }
        self.fill_trees(&two, columns, &values);
        Ok(())
    }

    fn tree_prices(
        &self,
        rows: &[Row],
        columns: &[usize],
        scheme: Scheme,
        steps: usize,
    ) -> Result<Vec<f64>> {
        let option = |row: &Row, j: usize| TreeInputs {
            spot: row.spot * self.price_moves.factor(row.index, j),
            strike: row.strike,
            years: row.years,
            rate: row.rate,
            dividend_yield: row.dividend_yield,
            vol: row.vol,
            right: row.right,
            dividends: &[],
        };
        let options: Vec<TreeInputs<'_>> = rows
            .iter()
            .flat_map(|row| columns.iter().map(move |&j| option(row, j)))
            .collect();
        let mut values = vec![0.0; options.len()];
        let price = |options: &[TreeInputs<'_>], values: &mut [f64]| {
            let treatment = DividendTreatment::Escrowed;
            tree::price_many(options, true, scheme, steps, treatment, values)
        };
        if let Err(error) = price(&options, &mut values) {
            // Priced together; alone, a row can be named.
            for (row, options) in rows.iter().zip(options.chunks(columns.len())) {
                price(options, &mut values[..columns.len()])
                    .map_err(|e| e.at(format_args!("american: row {}", row.index)))?;
            }
            return Err(error);
        }
        Ok(values)
    }

    fn fill_trees(&mut self, rows: &[Row], columns: &[usize], values: &[f64]) {
        for (row, values) in rows.iter().zip(values.chunks(columns.len())) {
            for (&j, &value) in columns.iter().zip(values) {
                let spot = row.spot * self.price_moves.factor(row.index, j);
                // A tree's own error must not take an option that is never exercised early below its European price,
                // nor one that should be exercised now below that.
                let european = black::price_one(
                    spot,
                    row.strike,
                    row.years,
                    row.rate,
                    row.dividend_yield,
                    row.vol,
                    row.right,
                );
                let exercised = f64::from(row.right) * (spot - row.strike);
                self.out[row.index * self.scenarios + j] =
                    larger(larger(value, european), exercised);
            }
        }
    }

    fn collocations<const N: usize, const L: usize, const P: usize>(
        &mut self,
        rows: &mut Vec<Row>,
        columns: &[usize],
        nodes: &Nodes<N, L, P>,
        bands: &mut Vec<(Key, Band<N>)>,
    ) {
        if self.sharing == Sharing::PerExpiry {
            let mut keyed: Vec<(Key, Row)> = Vec::with_capacity(rows.len());
            rows.retain(|row| match Key::of(row, self.mode) {
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
                        let puts = [Band::<N>::puts(&key)];
                        let boundary = self.solve(nodes, System::Slope, &puts);
                        bands.push((key, Band::new(&key, &boundary[0])));
                        bands.len() - 1
                    });
                let band = &bands[known].1;
                let puts = puts_of(&of_band, Route::Collocation);
                let mut boundaries = vec![Boundary::NONE; puts.len()];
                let out = &mut boundaries;
                simd::run_at(
                    self.level,
                    FromBand {
                        band,
                        puts: &puts,
                        out,
                    },
                );
                self.fill(nodes, columns, &of_band, Route::Collocation, &boundaries);
            }
        }
        self.collocate(nodes, columns, rows, Route::Collocation);
    }

    fn high_rates(&mut self, rows: &[Row], columns: &[usize]) {
        on_high_rate_nodes(
            self.mode,
            HighRates {
                grid: self,
                rows,
                columns,
            },
        );
    }

    /// Rows, each with a boundary of its own.
    fn collocate<const N: usize, const L: usize, const P: usize>(
        &mut self,
        nodes: &Nodes<N, L, P>,
        columns: &[usize],
        rows: &[Row],
        route: Route,
    ) {
        let boundaries = self.solve(nodes, route.system(), &puts_of(rows, route));
        self.fill(nodes, columns, rows, route, &boundaries);
    }

    fn solve<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        system: System,
        puts: &[Puts],
    ) -> Vec<Boundary<N>> {
        let mut boundaries = vec![Boundary::NONE; puts.len()];
        let (mode, out) = (self.mode, &mut boundaries);
        simd::run_at(
            self.level,
            Boundaries {
                nodes,
                mode,
                system,
                puts,
                out,
            },
        );
        boundaries
    }

    fn fill<const N: usize, const L: usize, const P: usize>(
        &mut self,
        nodes: &Nodes<N, L, P>,
        columns: &[usize],
        rows: &[Row],
        route: Route,
        boundaries: &[Boundary<N>],
    ) {
        let (moves, scenarios) = (self.price_moves, self.scenarios);
        let cells = &mut Cells {
            moves,
            columns,
            scenarios,
            out: &mut *self.out,
        };
        simd::run_at(
            self.level,
            Prices {
                nodes,
                rows,
                route,
                boundaries,
                cells,
            },
        );
    }
}

/// All of a grid, on its mode's points.
struct Whole<'g, 'a>(&'g mut Grid<'a>);

impl OnNodes for Whole<'_, '_> {
    type Output = Result<()>;

    fn run<const N: usize, const L: usize, const P: usize>(
        self,
        nodes: &Nodes<N, L, P>,
    ) -> Result<()> {
        self.0.run_on(nodes)
    }
}

/// The rows of a grid that need more points.
struct HighRates<'g, 'a, 'r> {
    grid: &'g mut Grid<'a>,
    rows: &'r [Row],
    columns: &'r [usize],
}

impl OnNodes for HighRates<'_, '_, '_> {
    type Output = ();

    fn run<const N: usize, const L: usize, const P: usize>(self, nodes: &Nodes<N, L, P>) {
        self.grid
            .collocate(nodes, self.columns, self.rows, Route::HighRates);
    }
}

/// The puts of rows, eight at a time.
pub(super) fn puts_of(rows: &[Row], route: Route) -> Vec<Puts> {
    rows.chunks(WIDTH)
        .map(|rows| Block::new(rows, route).puts())
        .collect()
}
