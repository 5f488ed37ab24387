//! What a rulebook needs repriced, and the one place that prices it.
//!
//! A rulebook resolves contracts and market into plain numbers (its own day count, rate, volatility) and lists the
//! scenarios; [`price`] turns them into profit and loss per lot.

use std::sync::Arc;

mod american;
mod block;
mod european;
mod greeks;
mod normal;
mod tree;
mod tree_cell;

pub(crate) use american::implied_vol as american_implied_vol;
pub use block::{
    Block, Cells, LinearCell, OptionCells, OptionPlace, RiskArrays, RiskBlock, Scenarios, VolMoves,
};
pub use tree_cell::TreeCell;

use crate::bounds::{self, MOST_PER_LOT};
use kernel::error::Result;
use kernel::{fail, interrupt};

/// Prices every cell. Results do not depend on `threads`.
pub fn price(cells: &Cells, threads: usize) -> Result<RiskArrays> {
    let blocks = cells
        .blocks
        .iter()
        .map(|b| {
            interrupt::check()?;
            price_block(b, threads).map(Arc::new)
        })
        .collect::<Result<_>>()?;
    Ok(RiskArrays {
        blocks,
        notes: cells.notes.clone(),
    })
}

fn price_block(block: &Block, threads: usize) -> Result<RiskBlock> {
    let moves = &block.scenarios.price;
    let count = moves.len();
    let rows = block.rows();
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
    if block.is_normal {
        normal::price(block, &mut result, threads)?;
        return finite(block, result);
    }
    european::price(block, &mut result, threads)?;
    american::price(block, &mut result, threads)?;
    tree::price(block, &mut result, threads)?;
    finite(block, result)
}

/// Refuses profits and losses that no sum may hold, and values.
fn finite(block: &Block, result: RiskBlock) -> Result<RiskBlock> {
    let count = result.scenarios;
    let is_bad = |p: &f64| !(-MOST_PER_LOT..=MOST_PER_LOT).contains(p);
    // One pass without a branch tells whether there is anything to look for.
    let any = |column: &[f64]| column.iter().fold(false, |bad, p| bad | is_bad(p));
    if any(&result.pnl)
        && let Some(at) = result.pnl.iter().position(is_bad)
    {
        fail!(
            CalculationError: NoNumber;
            "{}: contract row {}, scenario {}: the price is not a finite number, or too large for sums",
            block.scope,
            result.contract[at / count],
            block.scenarios.labels[at % count]
        );
    }
    for (&row, &value) in result.contract.iter().zip(&result.value) {
        bounds::per_lot(
            format_args!("{}: contract row {row}: its value", block.scope),
            value,
        )?;
    }
    Ok(result)
}
