//! What a rulebook needs repriced, and the one place that prices it.
//!
//! A rulebook resolves contracts and market into plain numbers (its own day count, rate, volatility) and lists the
//! scenarios; [`price`] turns them into profit and loss per lot.

use std::sync::Arc;

use crate::contract::ContractIndex;
use crate::error::{MarginError, Result};
use crate::parallel;
use crate::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};
use crate::pricing::{Moves, OptionColumns, black};

/// Everything a rulebook wants repriced.
#[derive(Debug, Clone, Default)]
pub struct Cells {
    pub blocks: Vec<Block>,
}

/// The scenarios of a block. A scenario is known by its index; the label is for people.
#[derive(Debug, Clone, PartialEq)]
pub struct Scenarios {
    pub labels: Arc<[String]>,
    /// Moves of the underlying as fractions of its price.
    pub price: Vec<f64>,
    /// Moves added to the volatility: one per scenario, or a row-major table over the block's options
    /// (European rows, then trees).
    pub vol: VolMoves,
    /// Years by which time moves on.
    pub roll: f64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum VolMoves {
    Shared(Vec<f64>),
    PerOption(Vec<f64>),
    /// Few different moves per option: `group[scenario]` is a column of the row-major table of `width` columns.
    Grouped {
        group: Vec<usize>,
        width: usize,
        table: Vec<f64>,
    },
}

impl VolMoves {
    /// The moves of one option; empty where all options share theirs.
    pub(crate) fn of(&self, option: usize, scenarios: usize) -> &[f64] {
        let (table, width) = match self {
            Self::Shared(_) => return &[],
            Self::PerOption(table) => (table, scenarios),
            Self::Grouped { table, width, .. } => (table, *width),
        };
        &table[option * width..(option + 1) * width]
    }

    /// The move of one option in one scenario.
    fn at(&self, option: usize, scenario: usize, scenarios: usize) -> f64 {
        match self {
            Self::Shared(moves) => moves[scenario],
            Self::PerOption(table) => table[option * scenarios + scenario],
            Self::Grouped {
                group,
                width,
                table,
            } => table[option * width + group[scenario]],
        }
    }
}

/// Rows that share one list of scenarios.
#[derive(Debug, Clone)]
pub struct Block {
    pub scope: String,
    pub scenarios: Scenarios,
    pub linear: Vec<LinearCell>,
    pub european: EuropeanCells,
    pub trees: Vec<TreeCell>,
}

/// Something whose value moves one for one with its own price: stock, ETF, future.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearCell {
    pub contract: ContractIndex,
    pub price: f64,
    /// Money per lot for a move of one in the price.
    pub scale: f64,
}

/// European options as columns. `base` replaces the model's own value at no move where the profit and loss is
/// measured from a mark.
#[derive(Debug, Clone, Default)]
pub struct EuropeanCells {
    pub contract: Vec<ContractIndex>,
    pub spot: Vec<f64>,
    pub strike: Vec<f64>,
    pub years: Vec<f64>,
    pub rate: Vec<f64>,
    pub dividend_yield: Vec<f64>,
    pub vol: Vec<f64>,
    pub right: Vec<i8>,
    pub scale: Vec<f64>,
    pub base: Vec<Option<f64>>,
}

impl EuropeanCells {
    pub fn len(&self) -> usize {
        self.contract.len()
    }

    pub fn is_empty(&self) -> bool {
        self.contract.is_empty()
    }

    /// Adds an option whose exercise and dividends a closed formula covers.
    pub fn push(&mut self, cell: &TreeCell) {
        self.contract.push(cell.contract);
        self.spot.push(cell.spot);
        self.strike.push(cell.strike);
        self.years.push(cell.years);
        self.rate.push(cell.rate);
        self.dividend_yield.push(cell.dividend_yield);
        self.vol.push(cell.vol);
        self.right.push(cell.right);
        self.scale.push(cell.scale);
        self.base.push(cell.base);
    }

    /// Every input of one row.
    pub(crate) fn row(&self, i: usize) -> ([f64; 7], i8, Option<f64>) {
        let numbers = [
            self.spot[i],
            self.strike[i],
            self.years[i],
            self.rate[i],
            self.dividend_yield[i],
            self.vol[i],
            self.scale[i],
        ];
        (numbers, self.right[i], self.base[i])
    }

    /// Adds a row of other columns.
    pub(crate) fn push_row(&mut self, from: &Self, i: usize) {
        self.contract.push(from.contract[i]);
        self.spot.push(from.spot[i]);
        self.strike.push(from.strike[i]);
        self.years.push(from.years[i]);
        self.rate.push(from.rate[i]);
        self.dividend_yield.push(from.dividend_yield[i]);
        self.vol.push(from.vol[i]);
        self.right.push(from.right[i]);
        self.scale.push(from.scale[i]);
        self.base.push(from.base[i]);
    }

    pub fn columns(&self) -> OptionColumns<'_> {
        OptionColumns {
            spot: &self.spot,
            strike: &self.strike,
            years: &self.years,
            rate: &self.rate,
            dividend_yield: &self.dividend_yield,
            vol: &self.vol,
            right: &self.right,
        }
    }
}

/// An option that needs a binomial tree: early exercise or cash dividends.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeCell {
    pub contract: ContractIndex,
    pub spot: f64,
    pub strike: f64,
    pub years: f64,
    pub rate: f64,
    pub dividend_yield: f64,
    pub vol: f64,
    pub right: i8,
    pub american: bool,
    pub steps: usize,
    /// (years, cash) of each dividend before expiry.
    pub dividends: Vec<(f64, f64)>,
    pub scale: f64,
    pub base: Option<f64>,
}

/// Profit and loss per lot, in each row's settlement currency, for every block of [`Cells`] in its order.
#[derive(Debug, Clone, Default)]
pub struct RiskArrays {
    pub blocks: Vec<Arc<RiskBlock>>,
}

/// One block's arrays: linear rows, then European, then trees.
#[derive(Debug, Clone)]
pub struct RiskBlock {
    pub scope: String,
    pub contract: Vec<ContractIndex>,
    /// Value per lot with nothing moved.
    pub value: Vec<f64>,
    /// Row-major `(rows, scenarios)`; gains are positive.
    pub pnl: Vec<f64>,
    pub scenarios: usize,
}

impl RiskBlock {
    pub fn row(&self, row: usize) -> &[f64] {
        &self.pnl[row * self.scenarios..(row + 1) * self.scenarios]
    }
}

/// Prices every cell. Results do not depend on `threads`.
pub fn price(cells: &Cells, threads: usize) -> Result<RiskArrays> {
    let blocks = cells
        .blocks
        .iter()
        .map(|b| price_block(b, threads).map(Arc::new))
        .collect::<Result<_>>()?;
    Ok(RiskArrays { blocks })
}

fn price_block(block: &Block, threads: usize) -> Result<RiskBlock> {
    let moves = &block.scenarios.price;
    let count = moves.len();
    let rows = block.linear.len() + block.european.len() + block.trees.len();
    let mut result = RiskBlock {
        scope: block.scope.clone(),
        contract: Vec::with_capacity(rows),
        value: Vec::with_capacity(rows),
        pnl: Vec::with_capacity(rows * count),
        scenarios: count,
    };
    for cell in &block.linear {
        result.contract.push(cell.contract);
        result.value.push(cell.price * cell.scale);
        result
            .pnl
            .extend(moves.iter().map(|m| cell.price * m * cell.scale));
    }
    price_european(block, &mut result, threads)?;
    price_trees(block, &mut result, threads)?;
    // One pass without a branch tells whether there is anything to look for.
    let bad = result.pnl.iter().fold(false, |bad, p| bad | !p.is_finite());
    let at = result.pnl.iter().position(|p| bad && !p.is_finite());
    match at.filter(|_| bad) {
        Some(at) => Err(MarginError::CalculationError(format!(
            "{}: contract row {}, scenario {}: the price is not a finite number",
            block.scope,
            result.contract[at / count],
            block.scenarios.labels[at % count]
        ))),
        None => Ok(result),
    }
}

fn price_european(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
    let cells = &block.european;
    let scenarios = &block.scenarios;
    let count = scenarios.price.len();
    // The base comes from the same kernel as the scenarios, so that no move means a profit of exactly zero.
    let mut base = vec![0.0; cells.len()];
    black::price_grid(
        &cells.columns(),
        Moves::Shared(&[0.0]),
        Moves::Shared(&[0.0]),
        0.0,
        1,
        &mut base,
    );
    let first = result.pnl.len();
    result.pnl.resize(first + cells.len() * count, 0.0);
    parallel::chunks(
        &mut result.pnl[first..],
        count,
        threads,
        4096,
        |first, out| {
            let rows = first..first + out.len() / count;
            let vol = match &scenarios.vol {
                VolMoves::Grouped {
                    group,
                    width,
                    table,
                } => {
                    price_grouped(block, group, *width, table, &base, rows, out);
                    return Ok(());
                }
                VolMoves::Shared(moves) => Moves::Shared(moves),
                VolMoves::PerOption(table) => {
                    Moves::PerRow(&table[rows.start * count..rows.end * count])
                }
            };
            let columns = cells.columns().rows(rows.start, rows.len());
            black::price_grid(
                &columns,
                Moves::Shared(&scenarios.price),
                vol,
                scenarios.roll,
                count,
                out,
            );
            for (row, values) in rows.zip(out.chunks_mut(count)) {
                let from = cells.base[row].unwrap_or(base[row]);
                for value in values {
                    *value = (*value - from) * cells.scale[row];
                }
            }
            Ok(())
        },
    )?;
    for (row, base) in base.into_iter().enumerate() {
        result.contract.push(cells.contract[row]);
        result
            .value
            .push(cells.base[row].unwrap_or(base) * cells.scale[row]);
    }
    Ok(())
}

/// Rows priced at a time: their results stay in the second cache.
const GROUPED_ROWS: usize = 512;

/// Profit and loss where options have few different vols: scenarios of one vol are priced together, the vol in the
/// option's own column, so that what depends on it is computed once per option and vol.
fn price_grouped(
    block: &Block,
    group: &[usize],
    width: usize,
    table: &[f64],
    base: &[f64],
    rows: std::ops::Range<usize>,
    out: &mut [f64],
) {
    let cells = &block.european;
    let scenarios = &block.scenarios;
    let count = group.len();
    let members: Vec<(Vec<usize>, Vec<f64>)> = (0..width)
        .map(|g| {
            let own: Vec<usize> = (0..count).filter(|&s| group[s] == g).collect();
            let moves = own.iter().map(|&s| scenarios.price[s]).collect();
            (own, moves)
        })
        .collect();
    let still = vec![0.0; count];
    let most = members.iter().map(|m| m.0.len()).max().unwrap_or(0);
    let mut values = vec![0.0; GROUPED_ROWS.min(rows.len()) * most];
    let mut vol = vec![0.0; GROUPED_ROWS.min(rows.len())];
    for start in rows.clone().step_by(GROUPED_ROWS) {
        let here = GROUPED_ROWS.min(rows.end - start);
        let out = &mut out[(start - rows.start) * count..][..here * count];
        for (g, (own, moves)) in members.iter().enumerate() {
            if own.is_empty() {
                continue;
            }
            for (l, vol) in vol[..here].iter_mut().enumerate() {
                *vol = cells.vol[start + l] + table[(start + l) * width + g];
            }
            let values = &mut values[..here * own.len()];
            black::price_grid(
                &OptionColumns {
                    vol: &vol[..here],
                    ..cells.columns().rows(start, here)
                },
                Moves::Shared(moves),
                Moves::Shared(&still[..own.len()]),
                scenarios.roll,
                own.len(),
                values,
            );
            for ((l, values), out) in values
                .chunks_exact(own.len())
                .enumerate()
                .zip(out.chunks_exact_mut(count))
            {
                let row = start + l;
                let (from, scale) = (cells.base[row].unwrap_or(base[row]), cells.scale[row]);
                for (&s, &value) in own.iter().zip(values) {
                    out[s] = (value - from) * scale;
                }
            }
        }
    }
}

fn price_trees(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
    let count = block.scenarios.price.len();
    let width = count + 1;
    let first_option = block.european.len();
    let mut values = vec![0.0; block.trees.len() * width];
    parallel::chunks(&mut values, width, threads, 1, |first, out| {
        for (row, out) in out.chunks_mut(width).enumerate() {
            let cell = &block.trees[first + row];
            let option = first_option + first + row;
            let vol_move = |s: usize| block.scenarios.vol.at(option, s, count);
            cell.price_into(&block.scenarios, vol_move, out)?;
        }
        Ok(())
    })?;
    for (cell, values) in block.trees.iter().zip(values.chunks(width)) {
        let base = cell.base.unwrap_or(values[0]);
        result.contract.push(cell.contract);
        result.value.push(base * cell.scale);
        result
            .pnl
            .extend(values[1..].iter().map(|v| (v - base) * cell.scale));
    }
    Ok(())
}

impl TreeCell {
    fn inputs(&self, vol: f64, roll: f64) -> TreeInputs<'_> {
        TreeInputs {
            spot: self.spot,
            strike: self.strike,
            years: self.years - roll,
            rate: self.rate,
            dividend_yield: self.dividend_yield,
            vol,
            right: self.right,
            dividends: &self.dividends,
        }
    }

    /// The unmoved value, then one per scenario. Scenarios that share a volatility share a call.
    fn price_into(
        &self,
        scenarios: &Scenarios,
        vol_move: impl Fn(usize) -> f64,
        out: &mut [f64],
    ) -> Result<()> {
        let on_tree = |vol: f64, roll: f64, spots: &[f64], out: &mut [f64]| {
            tree::price_spots(
                &self.inputs(vol, roll),
                spots,
                self.american,
                Scheme::Crr,
                self.steps,
                DividendTreatment::Escrowed,
                out,
            )
        };
        on_tree(self.vol, 0.0, &[self.spot], &mut out[..1])?;
        let count = scenarios.price.len();
        let mut from = 0;
        while from < count {
            let vol = vol_move(from);
            let to = (from + 1..count)
                .find(|&s| vol_move(s) != vol)
                .unwrap_or(count);
            let spots: Vec<f64> = scenarios.price[from..to]
                .iter()
                .map(|m| self.spot * (1.0 + m))
                .collect();
            let moved = self.vol + vol;
            on_tree(
                if moved > 0.0 { moved } else { 0.0 },
                scenarios.roll,
                &spots,
                &mut out[1 + from..=to],
            )?;
            from = to;
        }
        Ok(())
    }
}
