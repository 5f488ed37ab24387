//! Where each contract goes: its netting set, its row there, its factors; and the prices its components need.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::History;
use super::normal::{self, NormalOption};
use super::parameters::{Component, NettingSet, Parameters, ReturnRule, WHOLE};
use super::scenarios::{Series, Set, sets};
use engine::cells::{Block, Cells, LinearCell, Scenarios, VolMoves};
use engine::contract::{Contracts, Kind, Settlement};
use engine::inputs::{American, Inputs, Instrument, Model, NoVol, Valuation};
use engine::market::Market;
use kernel::error::Result;
use kernel::fail;

/// One contract's place: its netting set and row there, and its factor. Outside: a stage margins it.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) set: u32,
    pub(super) row: u32,
    pub(super) factor: String,
    pub(super) vol_factor: Option<String>,
}

/// The netting sets, and every contract's place in them.
pub(super) struct Layout<'a> {
    pub(super) sets: Vec<(&'a NettingSet, &'a [Component])>,
    pub(super) places: Vec<Option<Place>>,
    /// Contract rows of each set.
    pub(super) members: Vec<Vec<u32>>,
}

/// A component's scenarios as of a step of its history.
pub(super) struct View<'a> {
    pub(super) component: &'a Component,
    pub(super) history: &'a History,
    pub(super) sets: Vec<Set>,
    today: usize,
}

impl<'a> View<'a> {
    /// As of the last date of the component's history.
    pub(super) fn new(component: &'a Component, histories: &'a [History]) -> Result<Self> {
        let Some(history) = histories.iter().find(|h| h.name == component.history) else {
            fail!(
                MissingData,
                "hvar: component '{}' reads the history '{}', which is not given, and no risk is given in its place",
                component.name,
                component.history
            );
        };
        let Some(last) = history.steps().checked_sub(1) else {
            fail!(
                MissingData,
                "hvar: history '{}' holds no return",
                history.name
            );
        };
        Self::at(component, history, last)
    }

    pub(super) fn at(component: &'a Component, history: &'a History, today: usize) -> Result<Self> {
        let sets = sets(component, history, today)
            .map_err(|e| e.at(format!("hvar: component '{}'", component.name)))?;
        Ok(Self {
            component,
            history,
            sets,
            today,
        })
    }

    pub(super) fn scenarios(&self) -> usize {
        self.sets.iter().map(Set::len).sum()
    }

    pub(super) fn labels(&self) -> Vec<String> {
        self.sets
            .iter()
            .flat_map(|set| (0..set.len()).map(|at| set.label(self.history, at)))
            .collect()
    }

    pub(super) fn moves(&self, series: &Series) -> Result<Vec<f64>> {
        series.moves(self.component, self.history, &self.sets, self.today)
    }

    pub(super) fn series(&self, factor: &str, rule: ReturnRule) -> Result<Series> {
        Series::new(self.component, self.history, factor, rule)
    }
}

/// The scope of the blocks that price a netting set's component.
pub(super) fn scope(set: &NettingSet, component: &Component) -> String {
    format!("{} / {}", set.name, component.name)
}

/// The netting set that stands for the whole account where the parameters name none.
pub(super) fn whole() -> NettingSet {
    NettingSet {
        name: WHOLE.into(),
        members: Vec::new(),
        group: None,
        components: Vec::new(),
    }
}

impl<'a> Layout<'a> {
    pub(super) fn new(
        parameters: &'a Parameters,
        whole: &'a NettingSet,
        contracts: &Contracts,
    ) -> Result<Self> {
        let named = if parameters.netting_sets.is_empty() {
            std::slice::from_ref(whole)
        } else {
            &parameters.netting_sets[..]
        };
        let mut layout = Self {
            sets: named
                .iter()
                .map(|s| {
                    (
                        s,
                        if s.components.is_empty() {
                            &parameters.components[..]
                        } else {
                            &s.components[..]
                        },
                    )
                })
                .collect(),
            places: Vec::with_capacity(contracts.len()),
            members: vec![Vec::new(); named.len()],
        };
        let columns: HashSet<&str> = parameters
            .histories
            .values()
            .flat_map(|h| h.columns.iter().map(String::as_str))
            .collect();
        for (row, contract) in contracts.iter() {
            let keys = [contract.id(), contracts.root_symbol(row)];
            if parameters
                .stages
                .iter()
                .any(|s| keys.iter().any(|k| s.takes(k)))
            {
                layout.places.push(None);
                continue;
            }
            if contract.kind() == Kind::Index
                || contract.terms().settlement == Settlement::Inverse
                || contract.counts_money()
            {
                fail!(
                    NotApplicable,
                    "hvar covers linear contracts, not '{}': indices are not held, inverse contracts and multipliers that count money are not covered",
                    contract.id()
                );
            }
            let mapped =
                |map: &BTreeMap<String, String>| keys.iter().find_map(|k| map.get(*k)).cloned();
            let factor = mapped(&parameters.map).unwrap_or_else(|| {
                // A contract with a column of its own needs no other factor.
                keys[usize::from(!columns.contains(keys[0]))].to_string()
            });
            let names = [keys[0], keys[1], &factor];
            let belongs = |s: &NettingSet| s.members.iter().any(|m| names.contains(&m.as_str()));
            let rest = || named.iter().position(|s| s.members.is_empty());
            let Some(set) = named.iter().position(belongs).or_else(rest) else {
                fail!(
                    NotApplicable,
                    "hvar: no netting set takes '{}': name it in one, or add a set without members",
                    contract.id()
                );
            };
            layout.members[set].push(row);
            layout.places.push(Some(Place {
                set: set as u32,
                row: layout.members[set].len() as u32 - 1,
                factor,
                vol_factor: mapped(&parameters.vol_map).filter(|_| contract.kind() == Kind::Option),
            }));
        }
        Ok(layout)
    }
}

/// Contracts of a component that move alike: by factor, by price where the move is an amount, by factor of volatility,
/// and whether they are options under the normal model.
type Alike = BTreeMap<(String, Option<u64>, Option<String>, bool), Vec<u32>>;

/// Which prices the components need: a block for each group of contracts that move alike.
pub(super) fn cells(
    parameters: &Parameters,
    histories: &[History],
    contracts: &Contracts,
    market: &Market,
) -> Result<Cells> {
    let whole = whole();
    let layout = Layout::new(parameters, &whole, contracts)?;
    let normal = normal::options(parameters, &layout, contracts, market)?;
    let inputs = resolve(parameters, &layout, &normal, contracts, market)?;
    let mut cells = Cells::default();
    for (set, (netting_set, components)) in layout.sets.iter().enumerate() {
        for component in components.iter() {
            if component.given.contains_key(&netting_set.name) || layout.members[set].is_empty() {
                continue;
            }
            let view = View::new(component, histories)?;
            refuse_the_future(&view, market)?;
            let labels: Arc<[String]> = view.labels().into();
            let mut alike = Alike::new();
            for &row in &layout.members[set] {
                let place = layout.places[row as usize]
                    .as_ref()
                    .expect("members have places");
                let own = normal.get(&row);
                let price = match inputs.instruments[row as usize] {
                    Instrument::Option(option) if !is_fraction(parameters.rule(&place.factor)?) => {
                        Some(inputs.options.spot[option as usize].to_bits())
                    }
                    _ => own.map(|option| option.forward.to_bits()),
                };
                let key = (
                    place.factor.clone(),
                    price,
                    place.vol_factor.clone(),
                    own.is_some(),
                );
                alike.entry(key).or_default().push(row);
            }
            let mut moves: BTreeMap<String, Vec<f64>> = BTreeMap::new();
            for ((factor, price, vol_factor, is_normal), rows) in alike {
                for name in [Some(&factor), vol_factor.as_ref()].into_iter().flatten() {
                    if !moves.contains_key(name) {
                        let own = view.moves(&view.series(name, parameters.rule(name)?)?)?;
                        moves.insert(name.clone(), own);
                    }
                }
                let group = Group {
                    scope: scope(netting_set, component),
                    rule: parameters.rule(&factor)?,
                    moves: &moves[&factor],
                    vol: vol_factor
                        .as_ref()
                        .map(|v| Ok((parameters.rule(v)?, &moves[v])))
                        .transpose()?,
                    price: price.map(f64::from_bits),
                    labels: &labels,
                    roll: component.roll_days / 365.0,
                };
                if is_normal {
                    group.add_normal(&normal, &rows, &mut cells);
                } else {
                    group.add(&factor, contracts, &inputs, &rows, &mut cells)?;
                }
            }
        }
    }
    Ok(cells)
}

/// Whether moves are fractions of the instrument's own price.
fn is_fraction(rule: ReturnRule) -> bool {
    matches!(rule, ReturnRule::Relative | ReturnRule::Log)
}

fn refuse_the_future(view: &View<'_>, market: &Market) -> Result<()> {
    let valuation = &market.snapshot().valuation;
    if let Some(last) = view.history.last_date()
        && last > valuation.get(..10).unwrap_or_default()
    {
        fail!(
            InvalidInput,
            "hvar: history '{}' reaches to {last}, after the valuation {valuation}: a margin cannot know the future",
            view.history.name
        );
    }
    Ok(())
}

/// Contracts that move alike, and how.
struct Group<'a> {
    scope: String,
    rule: ReturnRule,
    moves: &'a [f64],
    vol: Option<(ReturnRule, &'a Vec<f64>)>,
    price: Option<f64>,
    labels: &'a Arc<[String]>,
    roll: f64,
}

impl Group<'_> {
    /// Linear contracts and options apart: what a move is a fraction of differs.
    fn add(
        &self,
        factor: &str,
        contracts: &Contracts,
        inputs: &Inputs,
        rows: &[u32],
        cells: &mut Cells,
    ) -> Result<()> {
        let mut linear = self.block(self.moves.to_vec());
        let mut options = self.block(self.fractions(factor)?);
        let mut of_model: [Vec<u32>; 3] = Default::default();
        for &row in rows {
            match &inputs.instruments[row as usize] {
                Instrument::Linear(price) => linear.linear.push(LinearCell {
                    contract: row,
                    price: match self.rule {
                        ReturnRule::Absolute => 1.0,
                        ReturnRule::Displaced(by) => price + by,
                        _ => *price,
                    },
                    scale: contracts.rows()[row as usize].value_per_lot(),
                }),
                Instrument::Option(option) => of_model[match inputs.models[*option as usize] {
                    Model::European => 0,
                    Model::American => 1,
                    Model::Tree => 2,
                }]
                .push(*option),
                Instrument::Given => {}
            }
        }
        options.european = inputs.options.select(&of_model[0]);
        options.american = inputs.options.select(&of_model[1]);
        options.trees = of_model[2]
            .iter()
            .map(|&option| inputs.tree(option as usize))
            .collect();
        if self.vol.is_some() {
            let vols = of_model
                .iter()
                .flatten()
                .map(|&option| inputs.options.vol[option as usize]);
            options.scenarios.vol =
                VolMoves::PerOption(vols.flat_map(|vol| self.vol_moves(vol)).collect());
        }
        if !linear.linear.is_empty() {
            cells.blocks.push(linear);
        }
        if options.rows() > 0 {
            if let Some(at) = options.scenarios.price.iter().position(|&m| m <= -1.0) {
                fail!(
                    CalculationError,
                    "hvar: {} takes factor '{factor}' to or below zero in scenario {}: the lognormal model of its \
                     options has no price there; option_models has the normal one",
                    self.scope,
                    self.labels[at]
                );
            }
            cells.blocks.push(options);
        }
        Ok(())
    }

    /// Options under the normal model, whose underlying moves by amounts.
    fn add_normal(&self, normal: &BTreeMap<u32, NormalOption>, rows: &[u32], cells: &mut Cells) {
        let forward = self.price.expect("normal options are grouped by price");
        let by = match self.rule {
            ReturnRule::Absolute => 1.0,
            ReturnRule::Displaced(by) => forward + by,
            ReturnRule::Relative | ReturnRule::Log => forward,
        };
        let mut block = self.block(self.moves.iter().map(|m| by * m).collect());
        block.is_normal = true;
        for &row in rows {
            normal[&row].push(row, &mut block.european);
        }
        if self.vol.is_some() {
            let vols = rows.iter().flat_map(|row| self.vol_moves(normal[row].vol));
            block.scenarios.vol = VolMoves::PerOption(vols.collect());
        }
        cells.blocks.push(block);
    }

    fn block(&self, price: Vec<f64>) -> Block {
        Block {
            scope: self.scope.clone(),
            scenarios: Scenarios {
                labels: self.labels.clone(),
                vol: VolMoves::Shared(vec![0.0; price.len()]),
                price,
                roll: self.roll,
            },
            ..Block::default()
        }
    }

    /// The moves as fractions of the options' underlying price.
    fn fractions(&self, factor: &str) -> Result<Vec<f64>> {
        let Some(price) = self.price else {
            return Ok(self.moves.to_vec());
        };
        if price == 0.0 {
            fail!(
                CalculationError,
                "hvar: the underlying of options on factor '{factor}' is at zero"
            );
        }
        let by = match self.rule {
            ReturnRule::Displaced(by) => price + by,
            _ => 1.0,
        };
        Ok(self.moves.iter().map(|m| by * m / price).collect())
    }

    /// What each scenario adds to an option's volatility, which stays at or above zero.
    fn vol_moves(&self, vol: f64) -> Vec<f64> {
        let Some((rule, moves)) = self.vol else {
            return Vec::new();
        };
        let moved = |m: &f64| match rule {
            ReturnRule::Absolute => *m,
            ReturnRule::Displaced(by) => (vol + by) * m,
            _ => vol * m,
        };
        moves
            .iter()
            .map(moved)
            .map(|d| if d < -vol { -vol } else { d })
            .collect()
    }
}

/// Prices, and option inputs with their volatilities; nothing for contracts outside the scenarios.
fn resolve(
    parameters: &Parameters,
    layout: &Layout<'_>,
    normal: &BTreeMap<u32, NormalOption>,
    contracts: &Contracts,
    market: &Market,
) -> Result<Inputs> {
    let valuation = Valuation {
        name: "hvar",
        american: American::Tree,
        steps: parameters.steps,
        no_vol: NoVol::Refuse,
        vol_floor: None,
    };
    let outside = |row: u32| layout.places[row as usize].is_none() || normal.contains_key(&row);
    let mut inputs = Inputs::resolve(valuation, contracts, Some(market), outside)?;
    // From the model's own value, so that no move means no loss.
    inputs.options.base.fill(None);
    Ok(inputs)
}
