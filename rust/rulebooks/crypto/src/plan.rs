//! The rules of a table's units, and the scenarios they expand to: known before any market.

use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::layout::{Layout, UnitLayout};
use super::parameters::{Model, Parameters, StandardRules, UnitRules};
use super::rules::SrmRules;
use super::scenario::{Group, Scenario, VolMove};
use engine::contract::ContractIndex;
use kernel::error::Result;
use kernel::fail;

/// The rules of every unit of a table, by unit.
pub(super) enum Plans {
    Scenario(Vec<Arc<UnitPlan>>),
    Pmrm(Vec<Arc<UnitPlan>>),
    Standard(Vec<StandardRules>),
    Srm(Vec<SrmRules>),
}

impl Plans {
    pub(super) fn new(parameters: &Parameters, layout: &Layout) -> Result<Self> {
        let units = || layout.units.iter();
        Ok(match parameters.model {
            Model::Scenario => Self::Scenario(
                units()
                    .map(|u| UnitPlan::new(parameters, u))
                    .collect::<Result<_>>()?,
            ),
            Model::Pmrm => Self::Pmrm(
                units()
                    .map(|u| UnitPlan::new(parameters, u))
                    .collect::<Result<_>>()?,
            ),
            Model::Standard => Self::Standard(
                units()
                    .map(|u| entry(parameters, u))
                    .collect::<Result<_>>()?,
            ),
            Model::Srm => {
                let mut rules = Vec::with_capacity(layout.units.len());
                for unit in units() {
                    refuse_inverse(parameters, layout, unit)?;
                    rules.push(entry(parameters, unit)?);
                }
                Self::Srm(rules)
            }
        })
    }
}

/// The rules of a unit.
fn entry<T: DeserializeOwned>(parameters: &Parameters, unit: &UnitLayout) -> Result<T> {
    parameters.entry(&unit.key.underlying, &unit.key.currency)
}

/// Derive's standard manager knows linear contracts only.
fn refuse_inverse(parameters: &Parameters, layout: &Layout, unit: &UnitLayout) -> Result<()> {
    let inverse = |row: &&ContractIndex| layout.rows[**row as usize].inverse;
    if let Some(&row) = unit.rows.iter().find(inverse) {
        fail!(
            NotApplicable,
            "'{}' is inverse: {} margins linear contracts",
            layout.contracts.rows()[row as usize].id(),
            parameters.venue
        );
    }
    Ok(())
}

/// A unit's rules and scenarios, expanded.
#[derive(Debug)]
pub(super) struct UnitPlan {
    pub(super) rules: UnitRules,
    pub(super) scenarios: Vec<Scenario>,
    /// The scenarios, then what the rulebook reads beside them (basis moves).
    pub(super) columns: Vec<Scenario>,
    pub(super) labels: Arc<[String]>,
    /// By column, what a sum of options takes of its profit and loss and of its mark; see [`weights`].
    pub(super) options: Vec<(f64, f64)>,
    /// By column, the weight of everything else.
    pub(super) others: Vec<f64>,
    /// By column, which of an option's vol moves it takes: down, same, up, then one per skew.
    pub(super) vol_group: Vec<usize>,
    pub(super) skews: Vec<VolMove>,
}

/// What a sum of options takes of its profit and loss and of the marks of its coin-settled members, at a move `m`.
///
/// A coin-settled option is priced in money, V; per coin of its forward it is worth V / F, which becomes
/// V' / (F (1 + m)): of profit and loss V' - V and mark V, both over F, that takes 1 / (1 + m) and -m / (1 + m).
/// Converted back into money at the scenario's own price those are 1 and -m. Other options have no mark in the sum.
fn weights(inverse: bool, m: f64, weight: f64) -> (f64, f64) {
    if inverse {
        (weight / (1.0 + m), -weight * m / (1.0 + m))
    } else {
        (weight, -weight * m)
    }
}

impl UnitPlan {
    /// Expands the scenarios of a unit.
    fn new(parameters: &Parameters, unit: &UnitLayout) -> Result<Arc<Self>> {
        let rules: UnitRules = entry(parameters, unit)?;
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
        let mut skews = Vec::new();
        let vol_group = columns
            .iter()
            .map(|c| match c.vol {
                VolMove::Down => 0,
                VolMove::Same => 1,
                VolMove::Up => 2,
                skew @ (VolMove::SkewLinear | VolMove::SkewAbsolute) => {
                    let known = skews.iter().position(|&s| s == skew).unwrap_or_else(|| {
                        skews.push(skew);
                        skews.len() - 1
                    });
                    3 + known
                }
            })
            .collect();
        Ok(Arc::new(Self {
            options: columns
                .iter()
                .map(|c| weights(unit.inverse, c.price, c.weight))
                .collect(),
            others: columns.iter().map(|c| c.weight).collect(),
            vol_group,
            skews,
            rules,
            scenarios,
            columns,
            labels,
        }))
    }
}
