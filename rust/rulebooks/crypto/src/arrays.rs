//! Which prices a scan needs, and the tables the scan reads.

use std::sync::Arc;

use super::instruments::{Class, Instrument, Instruments, UnitInputs};
use super::plan::UnitPlan;
use super::scenario::VolMove;
use engine::cells::{Block, Cells, OptionCells, RiskArrays, RiskBlock, Scenarios, VolMoves};
use engine::contract::ContractIndex;
use kernel::error::Result;
use kernel::pricing::OptionColumns;
use kernel::pricing::greeks::{self, GreekColumns};

/// The options of a unit by the share of their forward that moves: one block each, nearly always one in all.
fn runs(unit: &UnitInputs, resolved: &Instruments) -> Vec<(f64, Vec<ContractIndex>)> {
    let mut runs: Vec<(f64, Vec<ContractIndex>)> = Vec::new();
    for &row in &unit.layout.rows {
        let own = &resolved.instruments[row as usize];
        if own.class != Class::Option {
            continue;
        }
        let moving = own.moving();
        match runs.iter_mut().find(|r| r.0 == moving) {
            Some(run) => run.1.push(row),
            None => runs.push((moving, vec![row])),
        }
    }
    runs
}

/// Everything to reprice: per unit and moving share, European options on their own forwards without rates.
pub(super) fn cells(resolved: &Instruments, plans: &[Arc<UnitPlan>]) -> Result<Cells> {
    let mut blocks = Vec::new();
    for (unit, plan) in resolved.units.iter().zip(plans) {
        for (moving, rows) in runs(unit, resolved) {
            blocks.push(block(unit, resolved, plan, moving, &rows)?);
        }
    }
    Ok(Cells {
        blocks,
        ..Cells::default()
    })
}

fn block(
    unit: &UnitInputs,
    resolved: &Instruments,
    plan: &UnitPlan,
    moving: f64,
    rows: &[ContractIndex],
) -> Result<Block> {
    let of = |f: fn(&Instrument) -> f64| {
        rows.iter()
            .map(|&r| f(&resolved.instruments[r as usize]))
            .collect()
    };
    let shocks: Vec<_> = unit
        .expiries
        .iter()
        .map(|e| plan.rules.vol.at(e.days))
        .collect();
    let width = 3 + plan.skews.len();
    let mut table = Vec::with_capacity(rows.len() * width);
    for &row in rows {
        let own = &resolved.instruments[row as usize];
        let shock = &shocks[own.expiry as usize];
        table.push(shock.change(own.vol, VolMove::Down));
        table.push(0.0);
        table.push(shock.change(own.vol, VolMove::Up));
        for &skew in &plan.skews {
            let years = unit.expiries[own.expiry as usize].years;
            let factor = plan
                .rules
                .vol
                .skewed(skew, own.forward, own.strike, years)?;
            table.push(own.vol * factor - own.vol);
        }
    }
    let european = OptionCells {
        contract: rows.to_vec(),
        spot: of(|i| i.forward),
        strike: of(|i| i.strike),
        years: rows
            .iter()
            .map(|&r| unit.expiries[resolved.instruments[r as usize].expiry as usize].years)
            .collect(),
        rate: vec![0.0; rows.len()],
        dividend_yield: vec![0.0; rows.len()],
        vol: of(|i| i.vol),
        right: rows
            .iter()
            .map(|&r| resolved.instruments[r as usize].right)
            .collect(),
        scale: of(|i| i.coins * i.discount),
        base: vec![None; rows.len()],
    };
    let forward_rates = rows
        .iter()
        .zip(&european.years)
        .map(
            |(&row, years)| match resolved.instruments[row as usize].discount {
                discount if discount < 1.0 => -discount.ln() / years,
                _ => 0.0,
            },
        )
        .collect();
    // A skew leaves prices where they are, whatever move its scenario states.
    let price = plan
        .columns
        .iter()
        .map(|c| {
            if c.vol.is_skew() {
                0.0
            } else {
                c.price * moving
            }
        })
        .collect();
    Ok(Block {
        scope: format!(
            "{} {}",
            unit.layout.key.underlying, unit.layout.key.currency
        ),
        scenarios: Scenarios {
            labels: plan.labels.clone(),
            price,
            vol: VolMoves::Grouped {
                group: plan.vol_group.clone(),
                width,
                table,
            },
            roll: 0.0,
        },
        european,
        forward_rates,
        ..Block::default()
    })
}

/// The profit and loss the scan of one unit reads: the arrays as they were priced, and what is not an option.
pub(super) struct Sources {
    pub(super) width: usize,
    pub(super) options: Vec<Arc<RiskBlock>>,
    /// Row-major `(rows, width)`.
    pub(super) others: Vec<f64>,
}

/// Where a contract's row is, and what a sum takes of it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RowSource {
    /// Of the unit's option blocks; of no meaning for anything else.
    pub(super) block: u32,
    /// Where its row begins.
    pub(super) offset: u32,
    /// To the unit's currency.
    pub(super) scale: f64,
    /// A coin-settled option's mark in the unit's currency; zero for anything else.
    pub(super) coin_mark: f64,
    /// An option's mark per lot, in its settlement currency.
    pub(super) mark: f64,
}

/// The sources of every unit, and every contract's place in them.
pub(super) fn sources(
    resolved: &Instruments,
    plans: &[Arc<UnitPlan>],
    arrays: &RiskArrays,
) -> (Vec<Sources>, Vec<RowSource>) {
    let mut row_sources = vec![RowSource::default(); resolved.instruments.len()];
    let mut sources: Vec<Sources> = Vec::with_capacity(plans.len());
    for (unit, plan) in resolved.units.iter().zip(plans) {
        let mut own = Sources {
            width: plan.columns.len(),
            options: Vec::new(),
            others: Vec::new(),
        };
        for &row in &unit.layout.rows {
            let contract = &resolved.instruments[row as usize];
            if contract.class != Class::Option {
                row_sources[row as usize] = RowSource {
                    offset: own.others.len() as u32,
                    scale: 1.0,
                    ..RowSource::default()
                };
                let moves = plan.columns.iter().map(|c| c.price);
                own.others
                    .extend(moves.map(|m| linear(contract, unit.layout.inverse, m)));
            }
        }
        sources.push(own);
    }
    for block in &arrays.blocks {
        let Some(&first) = block.contract.first() else {
            continue;
        };
        let unit = resolved.instruments[first as usize].unit as usize;
        let in_coin = resolved.units[unit].layout.inverse;
        for (i, &row) in block.contract.iter().enumerate() {
            let own = &resolved.instruments[row as usize];
            let value = block.value[i];
            let scale = match (own.inverse, in_coin) {
                (true, true) => 1.0 / own.forward,
                (true, false) => 1.0,
                (false, _) => own.to_unit,
            };
            row_sources[row as usize] = RowSource {
                block: sources[unit].options.len() as u32,
                offset: (i * block.scenarios) as u32,
                scale,
                coin_mark: if own.inverse { value * scale } else { 0.0 },
                mark: if own.inverse {
                    value / own.forward
                } else {
                    value
                },
            };
        }
        sources[unit].options.push(block.clone());
    }
    (sources, row_sources)
}

/// Profit and loss per lot of a contract without volatility, in the unit's currency.
fn linear(own: &Instrument, unit_in_coin: bool, price: f64) -> f64 {
    let price = price * own.moving();
    match (own.inverse, own.class) {
        (true, _) if unit_in_coin => own.coins * (price / (1.0 + price)),
        // Coin converted at the scenario's own price.
        (true, _) => own.coins * own.forward * price,
        (false, _) => own.coins * own.forward * price * own.to_unit,
    }
}

/// d(value)/d(forward) per coin of every option, by contract row; one for everything else.
pub(super) fn deltas(resolved: &Instruments) -> Vec<f64> {
    let options: Vec<(usize, &Instrument)> = resolved
        .instruments
        .iter()
        .enumerate()
        .filter(|i| i.1.class == Class::Option)
        .collect();
    let column = |f: &dyn Fn(&Instrument) -> f64| -> Vec<f64> {
        options.iter().map(|(_, own)| f(own)).collect()
    };
    let years =
        column(&|own| resolved.units[own.unit as usize].expiries[own.expiry as usize].years);
    let (spot, strike, vol) = (
        column(&|own| own.forward),
        column(&|own| own.strike),
        column(&|own| own.vol),
    );
    let right: Vec<i8> = options.iter().map(|(_, own)| own.right).collect();
    let zero = vec![0.0; options.len()];
    let mut out: [Vec<f64>; 8] = std::array::from_fn(|_| vec![0.0; options.len()]);
    let [price, delta, gamma, vega, theta, rho, vanna, volga] = &mut out;
    let columns = OptionColumns {
        spot: &spot,
        strike: &strike,
        years: &years,
        rate: &zero,
        dividend_yield: &zero,
        vol: &vol,
        right: &right,
    };
    greeks::black(
        &columns,
        GreekColumns {
            price,
            delta,
            gamma,
            vega,
            theta,
            rho,
            vanna,
            volga,
        },
    );
    let mut deltas = vec![1.0; resolved.instruments.len()];
    for (&(row, _), &own) in options.iter().zip(delta.iter()) {
        deltas[row] = own;
    }
    deltas
}
