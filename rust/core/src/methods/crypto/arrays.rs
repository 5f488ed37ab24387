//! Which prices a scan needs, and the tables the scan reads.

use std::sync::Arc;

use super::instruments::{Class, Instrument, Resolved, Unit};
use super::parameters::{Model, Parameters, UnitRules, entry};
use super::scenario::{Group, Scenario, VolMove};
use crate::cells::{Block, Cells, EuropeanCells, RiskArrays, Scenarios, VolMoves};
use crate::contract::ContractIndex;
use crate::error::Result;
use crate::scan::{self, WIDTH};

/// A unit's rules and scenarios, expanded.
pub(super) struct UnitPlan {
    pub(super) rules: UnitRules,
    pub(super) scenarios: Vec<Scenario>,
    /// The scenarios, then what the rulebook reads beside them (basis moves).
    columns: Vec<Scenario>,
    pub(super) labels: Arc<[String]>,
}

/// The rules of every unit, in its order.
pub(super) fn plans(parameters: &Parameters, resolved: &Resolved) -> Result<Vec<UnitPlan>> {
    resolved
        .units
        .iter()
        .map(|unit| plan(parameters, unit))
        .collect()
}

fn plan(parameters: &Parameters, unit: &Unit) -> Result<UnitPlan> {
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
    Ok(UnitPlan {
        rules,
        scenarios,
        columns,
        labels,
    })
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
pub(super) fn cells(resolved: &Resolved, plans: &[UnitPlan]) -> Result<Cells> {
    let mut blocks = Vec::new();
    for (unit, plan) in resolved.units.iter().zip(plans) {
        for (moving, rows) in runs(unit, resolved) {
            blocks.push(block(unit, resolved, plan, moving, &rows)?);
        }
    }
    Ok(Cells { blocks })
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
    for &row in rows {
        let own = &resolved.instruments[row as usize];
        let shock = &shocks[own.expiry as usize];
        let (down, up) = (
            shock.change(own.vol, VolMove::Down),
            shock.change(own.vol, VolMove::Up),
        );
        for column in &plan.columns {
            table.push(match column.vol {
                VolMove::Same => 0.0,
                VolMove::Down => down,
                VolMove::Up => up,
                skew => {
                    let years = unit.expiries[own.expiry as usize].years;
                    own.vol
                        * plan
                            .rules
                            .vol
                            .skewed(skew, own.forward, own.strike, years)?
                        - own.vol
                }
            });
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
        linear: Vec::new(),
        european,
        trees: Vec::new(),
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
    plans: &[UnitPlan],
    arrays: &RiskArrays,
) -> (Vec<Table>, Vec<f64>) {
    let mut marks = vec![0.0; resolved.instruments.len()];
    let mut place = vec![0_u32; resolved.instruments.len()];
    let mut tables: Vec<Table> = Vec::with_capacity(plans.len());
    for (unit, plan) in resolved.units.iter().zip(plans) {
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
            place[row as usize] = local as u32;
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
            let (table, plan) = (&mut tables[unit], &plans[unit]);
            let (height, local) = (table.height, place[row as usize] as usize);
            let mark = block.value[i];
            marks[row as usize] = if own.inverse {
                mark / own.forward
            } else {
                mark
            };
            let coin = own.inverse && resolved.units[unit].inverse;
            for (s, (&pnl, column)) in block.row(i).iter().zip(&plan.columns).enumerate() {
                let cell = if parameters.model == Model::Pmrm {
                    mark + pnl
                } else if coin {
                    ((mark + pnl) / (own.forward * (1.0 + column.price)) - mark / own.forward)
                        * column.weight
                } else if own.inverse {
                    // Coin converted at the scenario's own price.
                    (pnl - mark * column.price) * column.weight
                } else {
                    pnl * own.to_unit * column.weight
                };
                table.rows[s / WIDTH * height + local].0[s % WIDTH] = cell;
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
