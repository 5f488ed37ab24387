//! A table of contracts compiled: each netting set's losses per lot in blocks of scenarios, and what stages need.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::charges::{self, Charge};
use super::component::Role;
use super::exchange;
use super::layout::{Planned, SetLayout, Table};
use super::offset::Products;
use super::parameters::OptionFloor;
use super::risk::Part;
use super::rounding::round_up;
use super::rules::parts::Worth;
use engine::cells::RiskArrays;
use engine::contract::{ContractIndex, Contracts, Kind, Premium};
use engine::market::Market;
use engine::report::Currencies;
use engine::seam::Frame;
use kernel::error::Result;
use kernel::fail;

/// The methodology compiled for one table of contracts and one market.
pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) calibration: String,
    pub(super) sets: Vec<SetBook>,
    /// The netting set of each contract and its row there; `None` where a stage margins it.
    pub(super) places: Vec<Option<(u32, u32)>>,
    pub(super) worth: Vec<Worth>,
    /// Per lot, in the report's currency; zero for what is no paid-up option.
    pub(super) option_value: Vec<f64>,
    pub(super) charges: Vec<Charge>,
    /// Each position's profit and loss is rounded to this unit before it is summed; zero: not rounded.
    pub(super) unit: f64,
    pub(super) allow_negative: bool,
    /// Of offsets between products; granted in full where left out.
    pub(super) offset_share: Option<f64>,
    /// Parts of all components of all sets.
    pub(super) parts: usize,
    /// For the exchange rate of an account's cash.
    pub(super) market: Arc<Market>,
}

/// One netting set.
pub(super) struct SetBook {
    pub(super) name: String,
    pub(super) scope: String,
    pub(super) contracts: Vec<ContractIndex>,
    pub(super) products: Products,
    pub(super) components: Vec<ComponentBook>,
}

/// One component of a netting set: parts that are measured apart and averaged.
pub(super) struct ComponentBook {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) role: Role,
    pub(super) weight: f64,
    /// Root of the days where the risk itself is scaled; else one.
    pub(super) scale: f64,
    pub(super) given: Option<f64>,
    pub(super) parts: Vec<Part>,
    /// The place of the first part among all parts.
    pub(super) first_part: usize,
    /// The place of the first scenario among all scenarios.
    pub(super) first_scenario: usize,
    /// Of every scenario, part after part.
    pub(super) labels: Arc<[String]>,
    /// In details: the measure's name and the confidence.
    pub(super) measure: String,
    pub(super) is_coherent: bool,
    pub(super) confidence_ppm: u32,
}

impl Book {
    pub(super) fn compile(
        table: &Table,
        market: &Arc<Market>,
        arrays: &RiskArrays,
        old: Option<(&Self, &RiskArrays)>,
    ) -> Result<Self> {
        let Table {
            parameters,
            contracts,
            layout,
            info,
            histories: _,
        } = table;
        let mut fx: Vec<(String, f64)> = Vec::new();
        let mut rate = Vec::with_capacity(contracts.len());
        for contract in contracts.rows() {
            let currency = contract.currency();
            let known = fx.iter().position(|(name, _)| name == currency);
            let at = match known {
                Some(at) => at,
                None => {
                    fx.push((
                        currency.to_string(),
                        market.fx(currency, &parameters.currency)?,
                    ));
                    fx.len() - 1
                }
            };
            rate.push(fx[at].1);
        }
        let (worth, option_value) = values(table, market, arrays, &rate)?;
        let mut book = Self {
            frame: Frame {
                methodology: "Historical VaR".into(),
                parameters: info.clone(),
                valuation: Some(market.snapshot().valuation.clone()),
                contracts: contracts.clone(),
                currencies: Currencies::new(&parameters.currency),
            },
            calibration: parameters.calibration.clone(),
            sets: Vec::new(),
            places: layout
                .places
                .iter()
                .map(|p| p.as_ref().map(|p| (p.set, p.row)))
                .collect(),
            charges: charges::compile(&parameters.stages, contracts, &worth)?,
            worth,
            option_value,
            unit: parameters.position_rounding,
            allow_negative: parameters.allow_negative,
            offset_share: parameters.offset_cap.as_ref().map(|cap| cap.share),
            parts: 0,
            market: market.clone(),
        };
        // What the same layout was compiled to.
        let old = old.filter(|(book, _)| {
            Arc::ptr_eq(&book.frame.contracts, contracts)
                && book.frame.parameters.digest == info.digest
        });
        let mut scenarios = 0;
        for (s, set) in layout.sets.iter().enumerate() {
            let mut components = Vec::with_capacity(set.components.len());
            for (c, planned) in set.components.iter().enumerate() {
                let old = old.map(|(book, arrays)| Old {
                    book,
                    arrays,
                    parts: &book.sets[s].components[c].parts,
                });
                let made =
                    book.compile_component(table, set, planned, arrays, old, &rate, scenarios)?;
                scenarios += made.labels.len();
                components.push(made);
            }
            book.sets.push(SetBook {
                name: set.name.clone(),
                scope: set.scope.clone(),
                contracts: set.members.clone(),
                products: Products::new(parameters, contracts, &set.members),
                components,
            });
        }
        if scenarios > i32::MAX as usize {
            fail!(
                InvalidInput: OutOfRange;
                "hvar: {scenarios} scenarios in all: at most 2^31 are numbered"
            );
        }
        Ok(book)
    }

    fn compile_component(
        &mut self,
        table: &Table,
        set: &SetLayout,
        planned: &Planned,
        arrays: &RiskArrays,
        old: Option<Old<'_>>,
        rate: &[f64],
        first_scenario: usize,
    ) -> Result<ComponentBook> {
        let Table {
            parameters,
            histories,
            contracts,
            layout,
            info: _,
        } = table;
        let component = &planned.component;
        let mut made = ComponentBook {
            name: component.name.clone(),
            label: component.label(),
            role: component.role,
            weight: component.weight,
            scale: component.risk_scale(),
            given: component.given.get(&set.name).copied(),
            parts: Vec::new(),
            first_part: self.parts,
            first_scenario,
            labels: planned.labels(),
            measure: component.measure.name(),
            is_coherent: component.measure.is_coherent(),
            confidence_ppm: component.confidence_ppm,
        };
        let Some(view) = planned.view(histories) else {
            return Ok(made);
        };
        for (i, own) in view.sets.iter().enumerate() {
            made.parts.push(Part::new(
                component,
                i,
                set.members.len(),
                own.shape(),
                self.unit,
            )?);
        }
        let old = old.filter(|old| old.parts.len() == made.parts.len());
        if let Some(old) = old {
            for (part, old) in made.parts.iter_mut().zip(old.parts) {
                part.table = old.table.clone();
            }
        }
        let mut exchange: BTreeMap<&str, Option<Vec<f64>>> = BTreeMap::new();
        for &row in &set.members {
            let (currency, today) = (
                contracts.rows()[row as usize].currency(),
                rate[row as usize],
            );
            if let Entry::Vacant(entry) = exchange.entry(currency) {
                entry.insert(exchange::ratios(parameters, &view, currency, today)?);
            }
        }
        let scope = set.block(component);
        for (b, block) in arrays.blocks.iter().enumerate() {
            if block.scope != scope {
                continue;
            }
            let known = old.filter(|old| old.has(b, arrays));
            for (i, &contract) in block.contract.iter().enumerate() {
                let at = contract as usize;
                if known.is_some_and(|old| old.book.worth[at] == self.worth[at]) {
                    continue;
                }
                let row = layout.places[contract as usize]
                    .as_ref()
                    .expect("blocks price members")
                    .row;
                let fx = rate[contract as usize];
                let terms = &contracts.rows()[contract as usize];
                let floor = match &parameters.option_floor {
                    Some(floor) if terms.kind() == Kind::Option => {
                        Some((floor.zero_below, least(floor, contracts, contract)?))
                    }
                    Some(_) | None => None,
                };
                let gain = |gain: f64| match floor {
                    Some((zero, least)) if block.value[i] + gain < zero => least - block.value[i],
                    Some(_) | None => gain,
                };
                let own = if exchange::is_asset(terms) {
                    self.worth[contract as usize].value
                } else {
                    0.0
                };
                let ratios = exchange[terms.currency()].as_deref();
                let mut losses = block.row(i).iter().enumerate().map(|(s, &g)| match ratios {
                    None => -(gain(g) * fx),
                    Some(ratios) => -(ratios[s] * (gain(g) * fx) + (ratios[s] - 1.0) * own),
                });
                for part in &mut made.parts {
                    let count = part.table.scenarios;
                    part.table.put(row as usize, losses.by_ref().take(count));
                }
            }
        }
        debug_assert_eq!(view.scenarios(), made.labels.len());
        self.parts += made.parts.len();
        Ok(made)
    }
}

/// A component as it was compiled under another market, and the arrays of all of them.
#[derive(Clone, Copy)]
struct Old<'a> {
    book: &'a Book,
    arrays: &'a RiskArrays,
    parts: &'a [Part],
}

impl Old<'_> {
    /// Whether a block is the old one: then a row's losses are the old ones where its worth is, and with it the exchange
    /// rate.
    fn has(&self, block: usize, arrays: &RiskArrays) -> bool {
        let all = &self.arrays.blocks;
        all.len() == arrays.blocks.len() && Arc::ptr_eq(&all[block], &arrays.blocks[block])
    }
}

/// The least value of a lot of an option that a scenario makes worthless: one tick times the contract unit (JSCC, from 10
/// February 2025).
fn least(floor: &OptionFloor, contracts: &Contracts, row: ContractIndex) -> Result<f64> {
    let contract = &contracts.rows()[row as usize];
    let keys = [contract.id(), contracts.root_symbol(row)];
    match keys.iter().find_map(|k| floor.ticks.get(*k)) {
        Some(tick) => Ok(round_up(tick * contract.value_per_lot(), 1.0)),
        None => fail!(
            MissingData,
            "hvar: no tick of the option '{}': add '{}' to option_floor's ticks",
            contract.id(),
            keys[1]
        ),
    }
}

/// Each contract's worth per lot, and its option value where a premium was paid.
fn values(
    table: &Table,
    market: &Market,
    arrays: &RiskArrays,
    rate: &[f64],
) -> Result<(Vec<Worth>, Vec<f64>)> {
    let contracts = &table.contracts;
    let mut model = vec![None; contracts.len()];
    for block in &arrays.blocks {
        for (i, &row) in block.contract.iter().enumerate() {
            model[row as usize] = Some(block.value[i]);
        }
    }
    let mut worth = Vec::with_capacity(contracts.len());
    let mut option_value = vec![0.0; contracts.len()];
    for (row, contract) in contracts.iter() {
        let (at, scale) = (row as usize, contract.value_per_lot());
        let is_option = contract.kind() == Kind::Option;
        let value = match (is_option, market.price(contracts, row), model[at]) {
            (_, Some(price), _) => price * scale,
            (false, None, _) => market.quoted_price(contracts, row)? * scale,
            (true, None, Some(value)) => value,
            (true, None, None) => fail!(
                MissingData: MissingPrice;
                "hvar: no price of '{}': add it to market.price",
                contract.id()
            ),
        } * rate[at];
        if is_option && contract.terms().premium == Premium::Upfront {
            option_value[at] = value;
        }
        worth.push(Worth {
            value,
            units: scale * rate[at],
            is_covered: table.layout.places[at].is_some(),
        });
    }
    Ok((worth, option_value))
}
