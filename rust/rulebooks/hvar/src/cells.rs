//! The prices that components need: a block for each group of contracts that move alike.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::layout::{Moves, Table, View};
use super::normal::{self, NormalOption};
use super::parameters::ReturnRule;
use engine::cells::{Block, Cells, LinearCell, Scenarios, VolMoves};
use engine::contract::Contracts;
use engine::inputs::{Inputs, Instrument, NoVol, Valuation};
use engine::market::Market;
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

/// Contracts of a component that move alike: by factor, by price where the move is an amount, by factor of volatility,
/// and whether they are options under the normal model.
type Alike<'a> = BTreeMap<(&'a str, Option<u64>, Option<&'a str>, bool), Vec<u32>>;

/// Which prices the components need: a block for each group of contracts that move alike.
pub(super) fn cells(table: &Table, market: &Market) -> Result<Cells> {
    let Table {
        parameters,
        histories,
        contracts,
        layout,
        info: _,
    } = table;
    let normal = normal::options(table, market)?;
    let inputs = resolve(table, &normal, market)?;
    let mut cells = Cells::default();
    for set in &layout.sets {
        for planned in &set.components {
            let Some(view) = planned.view(histories) else {
                continue;
            };
            let component = &planned.component;
            refuse_the_future(&view, market)?;
            let labels = planned.labels();
            let mut alike = Alike::new();
            for &row in &set.members {
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
                let vol_factor = place.vol_factor.as_deref();
                let key = (place.factor.as_str(), price, vol_factor, own.is_some());
                alike.entry(key).or_default().push(row);
            }
            let moves = planned.moves(|| {
                let mut moves = Moves::new();
                for &(factor, _, vol_factor, _) in alike.keys() {
                    for name in [Some(factor), vol_factor].into_iter().flatten() {
                        if !moves.contains_key(name) {
                            let own = view.moves(&view.series(name, parameters.rule(name)?)?)?;
                            moves.insert(name.to_string(), own);
                        }
                    }
                }
                Ok(moves)
            })?;
            for ((factor, price, vol_factor, is_normal), rows) in alike {
                let group = Group {
                    scope: set.block(component),
                    rule: parameters.rule(factor)?,
                    moves: &moves[factor],
                    vol: vol_factor
                        .map(|v| Ok((parameters.rule(v)?, &moves[v])))
                        .transpose()?,
                    price: price.map(f64::from_bits),
                    labels: &labels,
                    roll: component.roll_days / 365.0,
                };
                if is_normal {
                    group.add_normal(&normal, &rows, &mut cells);
                } else {
                    group.add(factor, contracts, &inputs, &rows, &mut cells)?;
                }
            }
        }
    }
    Ok(cells)
}

/// Whether moves are fractions of the instrument's own price.
fn is_fraction(rule: ReturnRule) -> bool {
    match rule {
        ReturnRule::Relative | ReturnRule::Log => true,
        ReturnRule::Absolute | ReturnRule::Displaced(_) => false,
    }
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
        let mut own: Vec<u32> = Vec::new();
        for &row in rows {
            match &inputs.instruments[row as usize] {
                Instrument::Linear(price) => linear.linear.push(LinearCell {
                    contract: row,
                    price: match self.rule {
                        ReturnRule::Absolute => 1.0,
                        ReturnRule::Displaced(by) => price + by,
                        ReturnRule::Relative | ReturnRule::Log => *price,
                    },
                    scale: contracts.rows()[row as usize].value_per_lot(),
                }),
                Instrument::Option(option) => own.push(*option),
                Instrument::Given => {}
            }
        }
        let own = inputs.fill(own, &mut options);
        if self.vol.is_some() {
            let vols = own
                .iter()
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
                    CalculationError: NoNumber;
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
                CalculationError: NoNumber;
                "hvar: the underlying of options on factor '{factor}' is at zero"
            );
        }
        let by = match self.rule {
            ReturnRule::Displaced(by) => price + by,
            ReturnRule::Absolute | ReturnRule::Relative | ReturnRule::Log => 1.0,
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
            ReturnRule::Relative | ReturnRule::Log => vol * m,
        };
        moves.iter().map(moved).map(|d| larger(-vol, d)).collect()
    }
}

/// Prices, and option inputs with their volatilities; nothing for contracts outside the scenarios.
fn resolve(table: &Table, normal: &BTreeMap<u32, NormalOption>, market: &Market) -> Result<Inputs> {
    let places = &table.layout.places;
    let valuation = Valuation {
        name: "hvar",
        american: table.parameters.american,
        steps: table.parameters.steps,
        no_vol: NoVol::Refuse,
        vol_floor: None,
    };
    let outside = |row: u32| places[row as usize].is_none() || normal.contains_key(&row);
    let mut inputs = Inputs::resolve(valuation, &table.contracts, Some(market), outside)?;
    // From the model's own value, so that no move means no loss.
    inputs.options.base.fill(None);
    Ok(inputs)
}
