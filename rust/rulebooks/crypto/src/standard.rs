//! Standard margin of the exchanges: a formula per position, nothing offsets.
//!
//! The venues' own numbers include an option's mark. The requirement is on the basis of liquidating equity: the value
//! of the options is a line of its own, so that long premium is paid in full and a short mark is not counted twice.
//!
//! Rules: the help centres of Deribit (standard margin), Bit.com (USDT-margined options) and OKX (options margin, page
//! of 1 May 2026), the documentation of Aevo (standard margin) and Paradex (risk-system/cross-margin-requirement,
//! August 2026); each preset names its own.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::currency::{rate_into, report_currency};
use super::instruments::{Class, Instrument, UnitInputs, UnitKey};
use super::parameters::{OptionFormula, Parameters, StandardRules};
use super::setting::Setting;
use engine::account::AccountView;
use engine::report::{Currencies, Ledger, LineText};
use engine::seam::{Frame, Outcome, Rulebook};
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// Amounts per lot in the unit's currency; a future's rate grows with its size in coins.
#[derive(Debug, Clone, Copy)]
enum Terms {
    Option {
        short: (f64, f64),
        long: (f64, f64),
        mark: f64,
    },
    Future {
        notional: f64,
        coins: f64,
        im: f64,
        mm: f64,
        slope: f64,
    },
    Spot,
}

struct StandardUnit {
    key: UnitKey,
    currency: usize,
}

pub(super) struct Standard {
    frame: Frame,
    parameters: Arc<Parameters>,
    units: Vec<StandardUnit>,
    rows: Vec<(u32, Terms)>,
}

/// What a unit of an account adds up to.
#[derive(Debug, Clone, Copy, Default)]
struct Tally {
    held: bool,
    options: (f64, f64),
    futures: (f64, f64),
    option_value: f64,
}

#[derive(Default)]
pub(super) struct StandardScratch {
    tallies: Vec<Tally>,
}

impl OptionFormula {
    /// Initial and maintenance margin of one short coin. In coin where `unit` (the index's worth) is one.
    ///
    /// Deribit, Bit.com, Aevo: max(a - OTM / S, b) S + M, for maintenance c S + M, of a put max(c S, c M) + M and an
    /// initial margin not below it.
    fn short(&self, own: &Instrument, index: f64, unit: f64) -> (f64, f64) {
        // OKX: distance over the forward of the same expiry.
        let base = if self.over_forward {
            own.forward
        } else {
            index
        };
        let out = f64::from(own.right) * (own.strike - base);
        let out = larger(out, 0.0) / base;
        let share = larger(self.a - out, self.b);
        let mark = if self.with_mark { own.mark } else { 0.0 };
        let mut initial = share * unit;
        // Paradex: short puts at most half the index.
        if own.right < 0
            && let Some(cap) = self.put_cap.map(|c| c * unit)
        {
            initial = smaller(initial, cap);
        }
        initial += mark;
        // Paradex: maintenance is a share of initial.
        if let Some(part) = self.mm_share {
            return (initial, initial * part);
        }
        let mut maintenance = self.c * unit + mark;
        if own.right < 0 {
            if let Some(least) = self.put_mark.map(|p| p * own.mark + mark) {
                maintenance = larger(maintenance, least);
            }
            initial = larger(initial, maintenance);
        }
        (initial, maintenance)
    }

    /// Of one long coin: nothing beyond the premium, or its mark up to a share of the index (Paradex).
    fn long(&self, own: &Instrument, unit: f64) -> (f64, f64) {
        let Some(cap) = self.long_cap.map(|c| c * unit) else {
            return (0.0, 0.0);
        };
        let initial = smaller(own.mark, cap);
        (initial, initial * self.mm_share.unwrap_or(1.0))
    }
}

impl Standard {
    pub(super) fn compile(setting: Setting<'_>, rules: &[StandardRules]) -> Result<Self> {
        let Setting {
            parameters,
            info: _,
            contracts,
            market,
            inputs,
        } = setting;
        let mut currencies = Currencies::new(&report_currency(parameters, contracts));
        let mut units = Vec::new();
        let mut rows = vec![(0, Terms::Spot); contracts.len()];
        for (u, (unit, rules)) in inputs.units.iter().zip(rules).enumerate() {
            let fx = rate_into(market, &unit.layout.key.currency, currencies.report())?;
            let currency = currencies.add(&unit.layout.key.currency, fx);
            for &row in &unit.layout.rows {
                let own = &inputs.instruments[row as usize];
                let id = contracts.rows()[row as usize].id();
                rows[row as usize] = (u as u32, terms(parameters, rules, own, unit, id)?);
            }
            units.push(StandardUnit {
                key: unit.layout.key.clone(),
                currency,
            });
        }
        Ok(Self {
            frame: setting.frame(currencies),
            parameters: parameters.clone(),
            units,
            rows,
        })
    }

    fn tally(&self, account: AccountView<'_>, tallies: &mut Vec<Tally>) {
        tallies.clear();
        tallies.resize(self.units.len(), Tally::default());
        let positions = account.positions;
        for i in 0..positions.len() {
            let (unit, terms) = self.rows[positions.contract[i] as usize];
            let q = positions.net(i) as f64;
            let tally = &mut tallies[unit as usize];
            tally.held = true;
            match terms {
                Terms::Option { short, long, mark } => {
                    let (im, mm) = if q < 0.0 { short } else { long };
                    tally.options.0 = q.abs().mul_add(im, tally.options.0);
                    tally.options.1 = q.abs().mul_add(mm, tally.options.1);
                    tally.option_value = q.mul_add(mark, tally.option_value);
                }
                Terms::Future {
                    notional,
                    coins,
                    im,
                    mm,
                    slope,
                } => {
                    // Deribit, linear perpetuals: 2 % + 0.005 % per BTC of the notional, 1 % + 0.005 % for maintenance.
                    let size = q.abs();
                    let grown = slope * size * coins;
                    tally.futures.0 = (size * notional).mul_add(im + grown, tally.futures.0);
                    tally.futures.1 = (size * notional).mul_add(mm + grown, tally.futures.1);
                }
                Terms::Spot => {}
            }
        }
    }

    fn label(&self, u: usize) -> String {
        self.units[u].key.label()
    }
}

fn terms(
    parameters: &Parameters,
    rules: &StandardRules,
    own: &Instrument,
    unit: &UnitInputs,
    id: &str,
) -> Result<Terms> {
    let worth = if unit.layout.inverse { 1.0 } else { unit.index };
    Ok(match own.class {
        Class::Spot => Terms::Spot,
        Class::Option => {
            let Some(formula) = &rules.option else {
                fail!(
                    NotApplicable,
                    "{} has no option formula for '{id}'",
                    parameters.venue
                );
            };
            let scaled = |(im, mm): (f64, f64)| (im * own.coins, mm * own.coins);
            Terms::Option {
                short: scaled(formula.short(own, unit.index, worth)),
                long: scaled(formula.long(own, worth)),
                mark: own.mark * own.coins,
            }
        }
        Class::Future | Class::Perpetual => {
            let Some(formula) = &rules.future else {
                fail!(
                    NotApplicable,
                    "{} has no futures formula for '{id}'",
                    parameters.venue
                );
            };
            let price = if unit.layout.inverse {
                1.0
            } else {
                own.forward
            };
            Terms::Future {
                notional: own.coins * price,
                coins: own.coins,
                im: formula.im,
                mm: formula.mm,
                slope: formula.slope,
            }
        }
    })
}

impl Rulebook for Standard {
    type Scratch = StandardScratch;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut StandardScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        self.tally(account, &mut scratch.tallies);
        let mut outcome = Outcome::default();
        for (u, tally) in scratch.tallies.iter().enumerate() {
            if !tally.held {
                continue;
            }
            let currency = self.units[u].currency;
            for (component, (im, mm)) in [
                ("option_margin", tally.options),
                ("future_margin", tally.futures),
            ] {
                if im != 0.0 {
                    ledger.line(currency, im, mm, &|| {
                        LineText::new(self.label(u), self.parameters.name(component))
                    });
                }
            }
            if tally.option_value != 0.0 {
                ledger.line(currency, tally.option_value, tally.option_value, &|| {
                    LineText::new(self.label(u), self.parameters.name("option_value"))
                });
            }
            outcome.net_option_value += tally.option_value * self.frame.currencies.fx(currency);
        }
        Ok(outcome)
    }

    fn scenario_label(&self, _: u32) -> String {
        String::new()
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let mut tallies = Vec::new();
        self.tally(account, &mut tallies);
        let mut units = Map::new();
        for (u, tally) in tallies.iter().enumerate().filter(|t| t.1.held) {
            units.insert(
                self.label(u),
                json!({
                    "initial_margin": tally.options.0 + tally.futures.0,
                    "maintenance_margin": tally.options.1 + tally.futures.1,
                    "option_initial": tally.options.0,
                    "option_maintenance": tally.options.1,
                    "future_initial": tally.futures.0,
                    "future_maintenance": tally.futures.1,
                    "options_value": tally.option_value,
                }),
            );
        }
        Ok(json!({"units": units, "grades": self.parameters.grades}))
    }
}
