//! Which prices a scan needs, and the tables the scan reads.

use std::sync::Arc;

use super::instruments::{Class, Instrument, Resolved, Unit};
use super::layout::UnitLayout;
use super::parameters::{Model, Parameters, UnitRules, entry};
use super::scenario::{Group, Scenario, VolMove};
use crate::cells::{Block, Cells, EuropeanCells, RiskArrays, Scenarios, VolMoves};
use crate::contract::ContractIndex;
use crate::error::Result;
use crate::pricing::OptionColumns;
use crate::pricing::greeks::{self, GreekColumns};
use crate::scan::{self, WIDTH};

/// A unit's rules and scenarios, expanded.
#[derive(Debug)]
pub(super) struct UnitPlan {
    pub(super) rules: UnitRules,
    pub(super) scenarios: Vec<Scenario>,
    /// The scenarios, then what the rulebook reads beside them (basis moves).
    columns: Vec<Scenario>,
    pub(super) labels: Arc<[String]>,
    /// By column, what an option's cell takes of its profit and loss and of its mark, in four readings: value
    /// (Derive); weighted profit and loss in money; that of a coin-settled option per coin of its forward, whose value
    /// V / F becomes V' / (F (1 + m)); and the same converted back into money at the scenario's own price.
    values: Vec<(f64, f64)>,
    money: Vec<(f64, f64)>,
    coin: Vec<(f64, f64)>,
    coin_in_money: Vec<(f64, f64)>,
}

/// The rules and scenarios of a unit; nothing for the models that have no scenarios.
pub(super) fn plan(parameters: &Parameters, unit: &UnitLayout) -> Result<Option<Arc<UnitPlan>>> {
    if !matches!(parameters.model, Model::Scenario | Model::Pmrm) {
        return Ok(None);
    }
    let rules: UnitRules = entry(
        "scenario",
        &parameters.rules,
        &unit.key.underlying,
        &unit.key.currency,
    )?;
    rules.vol.check()?;
    let scenarios = rules.scenarios.expand(unit.inverse)?;
    let mut columns = scenarios.clone();
    if let (Model::Pmrm, Some(pmrm)) = (parameters.model, &parameters.pmrm) {
        for price in [pmrm.basis.up, pmrm.basis.down] {
            columns.push(Scenario {
                price,
                vol: VolMove::Same,
                weight: 1.0,
                dampener: 0.0,
                edge: 1.0,
                group: Group::Point,
            });
        }
    }
    let labels = columns.iter().map(Scenario::label).collect();
    let weights =
        |f: fn(f64, f64) -> (f64, f64)| columns.iter().map(|c| f(c.price, c.weight)).collect();
    Ok(Some(Arc::new(UnitPlan {
        values: weights(|_, _| (1.0, 1.0)),
        money: weights(|_, w| (w, 0.0)),
        coin: weights(|m, w| (w / (1.0 + m), -w * m / (1.0 + m))),
        coin_in_money: weights(|m, w| (w, -w * m)),
        rules,
        scenarios,
        columns,
        labels,
    })))
}

/// The options of a unit by the share of their forward that moves: one block each, nearly always one in all.
fn runs(unit: &Unit, resolved: &Resolved) -> Vec<(f64, Vec<ContractIndex>)> {
    let mut runs: Vec<(f64, Vec<ContractIndex>)> = Vec::new();
    for &row in &unit.rows {
        let own = &resolved.instruments[row as usize];
        if own.class != Class::Option {
            continue;
        }
        let moving = if own.fixed == 0.0 {
            1.0
        } else {
            (own.forward - own.fixed) / own.forward
        };
        match runs.iter_mut().find(|r| r.0 == moving) {
            Some(run) => run.1.push(row),
            None => runs.push((moving, vec![row])),
        }
    }
    runs
}

/// Everything to reprice: per unit and moving share, European options on their own forwards without rates.
pub(super) fn cells(resolved: &Resolved) -> Result<Cells> {
    let mut blocks = Vec::new();
    for (unit, plan) in resolved.units.iter().zip(&resolved.plans) {
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
    unit: &Unit,
    resolved: &Resolved,
    plan: &UnitPlan,
    moving: f64,
    rows: &[ContractIndex],
) -> Result<Block> {
    let count = plan.columns.len();
    let of = |f: fn(&Instrument) -> f64| {
        rows.iter()
            .map(|&r| f(&resolved.instruments[r as usize]))
            .collect()
    };
    let mut table = Vec::with_capacity(rows.len() * count);
    let shocks: Vec<_> = unit
        .expiries
        .iter()
        .map(|e| plan.rules.vol.at(e.days))
        .collect();
    let sides: Vec<(f64, f64)> = plan
        .columns
        .iter()
        .map(|c| {
            (
                f64::from(c.vol == VolMove::Down),
                f64::from(c.vol == VolMove::Up),
            )
        })
        .collect();
    let skews: Vec<usize> = (0..count)
        .filter(|&s| plan.columns[s].vol.is_skew())
        .collect();
    for &row in rows {
        let own = &resolved.instruments[row as usize];
        let shock = &shocks[own.expiry as usize];
        let (down, up) = (
            shock.change(own.vol, VolMove::Down),
            shock.change(own.vol, VolMove::Up),
        );
        let first = table.len();
        table.extend(sides.iter().map(|&(d, u)| down * d + up * u));
        for &s in &skews {
            let column = plan.columns[s].vol;
            let years = unit.expiries[own.expiry as usize].years;
            let factor = plan
                .rules
                .vol
                .skewed(column, own.forward, own.strike, years)?;
            table[first + s] = own.vol * factor - own.vol;
        }
    }
    let european = EuropeanCells {
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
        scope: format!("{} {}", unit.key.underlying, unit.key.currency),
        scenarios: Scenarios {
            labels: plan.labels.clone(),
            price,
            vol: VolMoves::PerOption(table),
            roll: 0.0,
        },
        european,
        on_forward: true,
        ..Block::default()
    })
}

/// A unit's table: for each block of 16 columns, one row per contract of the unit.
pub(super) struct Table {
    pub(super) rows: Vec<scan::Row>,
    pub(super) blocks: usize,
    pub(super) height: usize,
}

impl Table {
    pub(super) fn block(&self, block: usize) -> &[scan::Row] {
        &self.rows[block * self.height..(block + 1) * self.height]
    }
}

/// The tables of every unit, and each option's mark value per lot by contract row.
///
/// A scan sums weighted profit and loss; Derive's managers need values, because they discount by the sign of a sum.
pub(super) fn tables(
    parameters: &Parameters,
    resolved: &Resolved,
    arrays: &RiskArrays,
) -> (Vec<Table>, Vec<f64>) {
    let mut marks = vec![0.0; resolved.instruments.len()];
    let mut tables: Vec<Table> = Vec::with_capacity(resolved.plans.len());
    for (unit, plan) in resolved.units.iter().zip(&resolved.plans) {
        let blocks = plan.columns.len().div_ceil(WIDTH);
        let height = unit.rows.len();
        let mut table = Table {
            rows: vec![scan::Row::default(); blocks * height],
            blocks,
            height,
        };
        let plain: Vec<(f64, f64)> = plan.columns.iter().map(|c| (c.price, c.weight)).collect();
        let values = parameters.model == Model::Pmrm;
        for (local, &row) in unit.rows.iter().enumerate() {
            let own = &resolved.instruments[row as usize];
            if own.class == Class::Option {
                continue;
            }
            for (s, &(price, weight)) in plain.iter().enumerate() {
                let pnl = linear(own, unit.inverse, price);
                let weight = if values { 1.0 } else { weight };
                table.rows[s / WIDTH * height + local].0[s % WIDTH] = pnl * weight;
            }
        }
        tables.push(table);
    }
    for block in &arrays.blocks {
        for (i, &row) in block.contract.iter().enumerate() {
            let own = &resolved.instruments[row as usize];
            let unit = own.unit as usize;
            let (table, plan) = (&mut tables[unit], &resolved.plans[unit]);
            let mark = block.value[i];
            marks[row as usize] = if own.inverse {
                mark / own.forward
            } else {
                mark
            };
            let (weights, scale) = match (parameters.model, own.inverse) {
                (Model::Pmrm, _) => (&plan.values, 1.0),
                (_, true) if resolved.units[unit].inverse => (&plan.coin, 1.0 / own.forward),
                (_, true) => (&plan.coin_in_money, 1.0),
                (_, false) => (&plan.money, own.to_unit),
            };
            let (height, local) = (table.height, own.local as usize);
            let cells = block.row(i).chunks(WIDTH).zip(weights.chunks(WIDTH));
            for (k, (pnl, weights)) in cells.enumerate() {
                let out = &mut table.rows[k * height + local].0;
                for ((out, pnl), (of_pnl, of_mark)) in out.iter_mut().zip(pnl).zip(weights) {
                    *out = (pnl * of_pnl + mark * of_mark) * scale;
                }
            }
        }
    }
    (tables, marks)
}

/// Profit and loss per lot of a contract without volatility, in the unit's currency.
fn linear(own: &Instrument, unit_in_coin: bool, price: f64) -> f64 {
    match (own.inverse, own.class) {
        (true, _) if unit_in_coin => own.coins * (price / (1.0 + price)),
        // Coin converted at the scenario's own price.
        (true, _) => own.coins * own.forward * price,
        (false, _) => own.coins * own.forward * price * own.to_unit,
    }
}

/// d(value)/d(forward) per coin of every option, by contract row; one for everything else.
pub(super) fn deltas(resolved: &Resolved) -> Vec<f64> {
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
