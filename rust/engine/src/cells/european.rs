//! European options by the closed formula, all scenarios of an option in one pass.

use super::{Block, RiskBlock, VolMoves};
use kernel::error::Result;
use kernel::parallel;
use kernel::pricing::{Moves, OptionColumns, black};

pub(super) fn price(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
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
    parallel::slices(
        &mut result.pnl[first..],
        count,
        threads,
        SLICE,
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

/// Rows a thread takes at a time.
const SLICE: usize = 4096;

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
