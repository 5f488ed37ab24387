//! From arrays to a book: what every contract adds to its unit per lot, and the currencies of the report.

use std::sync::Arc;

use super::arrays::{self, RowSource};
use super::book::{Book, UnitBook};
use super::charges;
use super::currency::{rate_into, report_currency};
use super::instruments::{Class, Instrument, UnitInputs};
use super::parameters::{Model, SpotTreatment};
use super::plan::UnitPlan;
use super::pmrm::ExpiryTerms;
use super::setting::Setting;
use super::sums::RowTerms;
use engine::cells::RiskArrays;
use engine::report::Currencies;
use kernel::error::Result;
use kernel::float::larger;
use kernel::pricing::black;

impl Book {
    pub(super) fn compile(
        setting: Setting<'_>,
        plans: &[Arc<UnitPlan>],
        arrays: &RiskArrays,
    ) -> Result<Self> {
        let Setting {
            parameters,
            info: _,
            contracts,
            market,
            inputs,
        } = setting;
        let (sources, row_sources) = arrays::sources(inputs, plans, arrays);
        let mut currencies = Currencies::new(&report_currency(parameters, contracts));
        let mut book = Self {
            frame: setting.frame(Currencies::new("USD")),
            parameters: parameters.clone(),
            units: Vec::with_capacity(inputs.units.len()),
            rows: Vec::with_capacity(contracts.len()),
            nets_strikes: parameters.model == Model::Pmrm
                || plans.iter().any(|p| {
                    let rule = &p.rules.charges.short_options;
                    rule.as_ref().is_some_and(|r| r.needs_strikes())
                }),
            collateral_price: parameters
                .feeds
                .collateral
                .keys()
                .chain(parameters.haircuts.keys())
                .filter_map(|name| Some((name.clone(), market.spot(name).ok()?)))
                .collect(),
        };
        let (mut first_lane, mut first_expiry, mut first_strike) = (0, 0, 0);
        let mut first_scenario = 0;
        for ((unit, plan), sources) in inputs.units.iter().zip(plans).zip(sources) {
            let own = if unit.layout.key.currency.is_empty() {
                currencies.report().to_string()
            } else {
                unit.layout.key.currency.clone()
            };
            let fx = rate_into(market, &own, currencies.report())?;
            // Undated positions, then spot that is kept apart, then options by block; a manager's by expiry.
            let mut lanes = vec![None; 2];
            if parameters.model == Model::Pmrm {
                lanes = vec![None; unit.expiries.len()];
                for &row in &unit.layout.rows {
                    let own = &inputs.instruments[row as usize];
                    if own.class == Class::Option {
                        lanes[own.expiry as usize] = Some(row_sources[row as usize].block);
                    }
                }
            } else {
                lanes.extend((0..sources.options.len()).map(|b| Some(b as u32)));
            }
            let count = lanes.len();
            let made = UnitBook {
                currency: currencies.add(&own, fx),
                coin_value: if unit.layout.inverse { 1.0 } else { unit.index },
                sources,
                lanes,
                roll_rates: match &plan.rules.charges.roll {
                    Some(roll) => charges::roll_rates(roll, &unit.expiries),
                    None => Vec::new(),
                },
                terms: Self::expiry_terms(setting, unit)?,
                first_lane,
                first_scenario,
                first_expiry,
                first_strike,
                layout: unit.layout.clone(),
                index: unit.index,
                expiries: unit.expiries.clone(),
                plan: plan.clone(),
            };
            first_lane += count;
            first_scenario += plan.scenarios.len();
            first_expiry += unit.expiries.len();
            first_strike += unit.layout.strikes.len();
            book.units.push(made);
        }
        if parameters.borrow.is_some() {
            for contract in contracts.rows() {
                currencies.add(
                    contract.currency(),
                    rate_into(market, contract.currency(), currencies.report())?,
                );
            }
        }
        book.frame.currencies = currencies;
        let deltas = arrays::deltas(inputs);
        for (row, own) in inputs.instruments.iter().enumerate() {
            book.rows.push(book.row_terms(
                own,
                &row_sources[row],
                deltas[row],
                &inputs.units[own.unit as usize],
            ));
        }
        Ok(book)
    }

    /// Static discounts of every expiry (Derive); empty for other models.
    fn expiry_terms(setting: Setting<'_>, unit: &UnitInputs) -> Result<Vec<ExpiryTerms>> {
        let Setting {
            parameters,
            info: _,
            contracts,
            market,
            inputs,
        } = setting;
        let Some(rules) = parameters
            .pmrm
            .as_ref()
            .filter(|_| parameters.model == Model::Pmrm)
        else {
            return Ok(Vec::new());
        };
        let mut terms = vec![ExpiryTerms::EMPTY; unit.expiries.len()];
        for &row in &unit.layout.rows {
            let contract = &contracts.rows()[row as usize];
            let own = &inputs.instruments[row as usize];
            let (Class::Option, Some(expiry)) = (own.class, contract.expiry()) else {
                continue;
            };
            let rate = super::instruments::rate_of(
                parameters,
                market,
                contract,
                expiry,
                &unit.layout.key.underlying,
            )?;
            let written = contract.terms().expiry.as_deref().unwrap_or_default();
            let confidence = parameters
                .feeds
                .expiry(&unit.layout.key.underlying, written)
                .map_or(1.0, |f| {
                    f.forward_confidence
                        .min(f.rate_confidence)
                        .min(f.vol_confidence)
                });
            let years = unit.expiries[own.expiry as usize].years;
            terms[own.expiry as usize] =
                rules.expiry(years, larger(rate, 0.0), own.discount, confidence);
        }
        Ok(terms)
    }

    fn row_terms(
        &self,
        own: &Instrument,
        source: &RowSource,
        delta: f64,
        unit: &UnitInputs,
    ) -> RowTerms {
        let mark = source.mark;
        let years = unit.expiries[own.expiry as usize].years;
        let option = own.class == Class::Option;
        let managed = match self.parameters.model {
            Model::Pmrm => true,
            Model::Scenario | Model::Standard | Model::Srm => false,
        };
        // Only the part of a price that its settlement average has not fixed still moves.
        let delta = delta * own.coins * own.moving();
        let conversion = if unit.layout.inverse {
            1.0
        } else {
            own.forward * own.to_unit
        };
        let decay_days = self.units[own.unit as usize].plan.rules.charges.decay_days;
        let decay = match decay_days {
            Some(days) if option => {
                let left = years - days / self.parameters.year_days;
                let price = |t: f64| {
                    black::forward_price_one(
                        own.forward,
                        own.strike,
                        t,
                        own.vol,
                        own.right,
                        own.discount,
                    )
                };
                let scale = own.coins
                    * if unit.layout.inverse {
                        1.0 / own.forward
                    } else {
                        own.to_unit
                    };
                (price(larger(left, 0.0)) - price(years)) * scale
            }
            Some(_) | None => 0.0,
        };
        RowTerms {
            unit: own.unit,
            lane: match (managed, own.class, self.parameters.spot) {
                (true, Class::Option, _) => own.expiry,
                (false, Class::Option, _) => 2 + source.block,
                (false, Class::Spot, SpotTreatment::UpsideOffset | SpotTreatment::InUse) => 1,
                (true, Class::Spot, _)
                | (_, Class::Spot, SpotTreatment::InMatrix | SpotTreatment::CollateralOnly)
                | (_, Class::Future | Class::Perpetual, _) => 0,
            },
            offset: source.offset,
            scale: if managed { 1.0 } else { source.scale },
            coin_mark: source.coin_mark,
            apart: own.class == Class::Spot && self.parameters.spot == SpotTreatment::InUse,
            class: own.class,
            expiry: own.expiry,
            strike: own.strike_slot,
            coins: own.coins,
            delta,
            adjusted_delta: delta - if option && own.inverse { mark } else { 0.0 },
            roll: delta * conversion,
            decay,
            value: match own.class {
                Class::Option if own.inverse && !unit.layout.inverse => mark * own.forward,
                Class::Option => mark * own.to_unit,
                Class::Spot => {
                    own.coins
                        * if own.inverse {
                            1.0
                        } else {
                            own.forward * own.to_unit
                        }
                }
                Class::Future | Class::Perpetual => 0.0,
            },
        }
    }
}
