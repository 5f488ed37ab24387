//! American options without cash dividends: one exercise boundary an option, shared along its expiry, and all its price
//! points from that.

use super::{Block, RiskBlock, VolMoves};
use kernel::error::Result;
use kernel::parallel;
use kernel::pricing::american::{self, Mode, Sharing};
use kernel::pricing::implied::{PriceColumns, Status};
use kernel::pricing::{Moves, OptionColumns};

/// What reprices also implies volatilities, so that a mark is returned at no move.
pub(super) const MODE: Mode = Mode::Standard;
const SHARING: Sharing = Sharing::PerExpiry;

/// Prices held at once, so that a table of millions needs no second table.
const SEGMENT: usize = 256 * 1024;
/// Prices a thread is worth.
const LEAST: usize = 4096;

/// The vols at which the cells' own prices are the marks, with a status per row.
pub(crate) fn implied_vol(
    o: &PriceColumns<'_>,
    vol: &mut [f64],
    status: &mut [Status],
) -> Result<()> {
    american::implied_vol(o, MODE, SHARING, vol, status)
}

pub(super) fn price(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
    let cells = &block.american;
    let scenarios = &block.scenarios;
    if cells.is_empty() {
        return Ok(());
    }
    // One scenario more, in which nothing moves: no move is a profit of exactly zero.
    let width = scenarios.price.len() + 1;
    let with_base = |moves: &[f64]| -> Vec<f64> { [&[0.0], moves].concat() };
    let price_moves = with_base(&scenarios.price);
    let first_option = block.european.len();
    let mut values = Vec::new();
    let (segment, least) = (SEGMENT.div_ceil(width), LEAST.div_ceil(width));
    for start in (0..cells.len()).step_by(segment) {
        let count = segment.min(cells.len() - start);
        values.clear();
        values.resize(count * width, 0.0);
        parallel::chunks(&mut values, width, threads, least, |first, out| {
            let (first, count) = (start + first, out.len() / width);
            let columns: OptionColumns<'_> = cells.columns().rows(first, count);
            let grid = |vols: Moves<'_>, out: &mut [f64]| {
                let moves = Moves::Shared(&price_moves);
                american::price_grid(
                    &columns,
                    MODE,
                    SHARING,
                    moves,
                    vols,
                    scenarios.roll,
                    width,
                    out,
                )
            };
            match &scenarios.vol {
                VolMoves::Shared(moves) => grid(Moves::Shared(&with_base(moves)), out),
                own => {
                    let moved = |row: usize, s: usize| own.at(first_option + row, s, width - 1);
                    let moves: Vec<f64> = (first..first + count)
                        .flat_map(|row| (0..width).map(move |s| (row, s)))
                        .map(|(row, s)| if s == 0 { 0.0 } else { moved(row, s - 1) })
                        .collect();
                    grid(Moves::PerRow(&moves), out)
                }
            }
            .map_err(|e| e.at(&block.scope))?;
            if scenarios.roll != 0.0 {
                // Time stands still for the base.
                let mut base = vec![0.0; count];
                let none = Moves::Shared(&[0.0]);
                american::price_grid(&columns, MODE, SHARING, none, none, 0.0, 1, &mut base)
                    .map_err(|e| e.at(&block.scope))?;
                for (values, base) in out.chunks_mut(width).zip(base) {
                    values[0] = base;
                }
            }
            Ok(())
        })?;
        for (row, values) in (start..).zip(values.chunks(width)) {
            let (base, scale) = (cells.base[row].unwrap_or(values[0]), cells.scale[row]);
            result.contract.push(cells.contract[row]);
            result.value.push(base * scale);
            result
                .pnl
                .extend(values[1..].iter().map(|v| (v - base) * scale));
        }
    }
    Ok(())
}
