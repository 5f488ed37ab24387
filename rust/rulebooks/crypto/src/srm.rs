//! Derive's standard manager: isolated option formulas against the worst payoff per expiry, several underlyings.
//!
//! Rule: the contracts derivexyz/v2-core, `StandardManager.sol`, whose functions are named at each step; parameters
//! from Derive's documentation, standard margin.
//!
//! The manager's own margins are net (mark value less requirement, cash inside) and are in the details; the requirement
//! is what liquidating equity must reach.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::currency::{rate_into, report_currency};
use super::instruments::{Class, UnitKey};
use super::parameters::Parameters;
use super::rules::{OptionRules, SrmRules};
use super::setting::Setting;
use engine::account::AccountView;
use engine::report::{Currencies, Ledger, LineText};
use engine::seam::{Frame, Outcome, Rulebook};
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

#[derive(Debug, Clone, Copy)]
struct Row {
    unit: u32,
    class: Class,
    expiry: u32,
    coins: f64,
    strike: f64,
    right: f64,
    mark: f64,
    price: f64,
}

struct SrmUnit {
    key: UnitKey,
    currency: usize,
    rules: SrmRules,
    spot: f64,
    spot_confidence: f64,
    perp_confidence: f64,
    /// By expiry: forward and least confidence of forward and vol.
    expiries: Vec<(f64, f64)>,
}

pub(super) struct Srm {
    frame: Frame,
    parameters: Arc<Parameters>,
    units: Vec<SrmUnit>,
    rows: Vec<Row>,
}

/// A held option: expiry, strike, right, signed coins, mark per coin.
#[derive(Debug, Clone, Copy)]
struct Held {
    expiry: u32,
    strike: f64,
    right: f64,
    coins: f64,
    mark: f64,
}

#[derive(Default)]
struct Holding {
    options: Vec<Held>,
    perps: f64,
    perp_price: f64,
    base: f64,
    held: bool,
}

#[derive(Default)]
pub(super) struct SrmScratch {
    holdings: Vec<Holding>,
}

/// One underlying of one account; margins are signed contributions (charges negative).
#[derive(Debug, Clone, Copy, Default)]
struct Parts {
    option: f64,
    isolated: f64,
    bounded: f64,
    option_mtm: f64,
    perp: f64,
    base: f64,
    base_mtm: f64,
    oracle: f64,
    depeg: f64,
}

impl OptionRules {
    /// Margin of a short alone (negative, mark inside); nothing for a long: `_getIsolatedMargin`.
    fn isolated(&self, held: &Held, spot: f64, initial: bool) -> f64 {
        if held.coins > 0.0 {
            return 0.0;
        }
        let mtm = held.mark * held.coins;
        let out = held.right * (held.strike - spot);
        let out = larger(out, 0.0) / spot;
        let share = larger(self.max - out, self.min);
        let open = share * spot * held.coins + mtm;
        // `_getIsolatedMarginForCall`.
        if held.right > 0.0 {
            return if initial {
                open
            } else {
                self.mm_call * spot * held.coins + mtm
            };
        }
        // `_getIsolatedMarginForPut`: the larger of two charges, both negative; the initial one at least a multiple.
        let (by_spot, by_mark) = (self.mm_put * spot * held.coins, self.mm_put_mark * mtm);
        let keep = smaller(by_spot, by_mark) + mtm;
        if !initial {
            return keep;
        }
        smaller(open, keep * self.put_offset)
    }

    /// The worst payoff at zero and at every strike (`_calcMaxLoss`), and the calls that nothing covers
    /// (`unpairedIMScale`, `unpairedMMScale` on the forward): `_calcNetBasicMarginSingleExpiry`.
    fn bounded(&self, held: &[Held], forward: f64, initial: bool) -> f64 {
        let payoff = |price: f64| {
            held.iter().fold(0.0, |sum, h| {
                let worth = h.right * (price - h.strike);
                if worth > 0.0 {
                    h.coins.mul_add(worth, sum)
                } else {
                    sum
                }
            })
        };
        let mut worst = payoff(0.0);
        for h in held {
            let at = payoff(h.strike);
            worst = smaller(at, worst);
        }
        let calls = held
            .iter()
            .filter(|h| h.right > 0.0)
            .fold(0.0, |sum, h| sum + h.coins);
        let unpaired = if initial {
            self.unpaired_im
        } else {
            self.unpaired_mm
        };
        smaller(worst, 0.0) + unpaired * forward * smaller(calls, 0.0)
    }
}

impl Srm {
    pub(super) fn compile(setting: Setting<'_>, rules: &[SrmRules]) -> Result<Self> {
        let Setting {
            parameters,
            info: _,
            contracts,
            market,
            inputs,
        } = setting;
        let mut currencies = Currencies::new(&report_currency(parameters, contracts));
        let mut units = Vec::new();
        for (unit, rules) in inputs.units.iter().zip(rules) {
            let fx = rate_into(market, &unit.layout.key.currency, currencies.report())?;
            let feed = parameters.feeds.of(&unit.layout.key.underlying);
            let mut expiries = vec![(0.0, 1.0); unit.expiries.len()];
            for &row in &unit.layout.rows {
                let contract = &contracts.rows()[row as usize];
                let own = &inputs.instruments[row as usize];
                if own.class == Class::Option {
                    let written = contract.terms().expiry.as_deref().unwrap_or_default();
                    let confidence = parameters
                        .feeds
                        .expiry(&unit.layout.key.underlying, written)
                        .map_or(1.0, |f| f.forward_confidence.min(f.vol_confidence));
                    expiries[own.expiry as usize] = (own.forward, confidence);
                }
            }
            units.push(SrmUnit {
                currency: currencies.add(&unit.layout.key.currency, fx),
                rules: rules.clone(),
                spot: unit.index,
                spot_confidence: feed.spot_confidence,
                perp_confidence: feed.perp_confidence,
                expiries,
                key: unit.layout.key.clone(),
            });
        }
        let rows = inputs
            .instruments
            .iter()
            .map(|own| Row {
                unit: own.unit,
                class: own.class,
                expiry: own.expiry,
                coins: own.coins,
                strike: own.strike,
                right: f64::from(own.right),
                mark: own.mark,
                price: own.forward,
            })
            .collect();
        Ok(Self {
            frame: setting.frame(currencies),
            parameters: parameters.clone(),
            units,
            rows,
        })
    }

    fn collect(&self, account: AccountView<'_>, scratch: &mut SrmScratch) -> Result<()> {
        scratch
            .holdings
            .resize_with(self.units.len(), Holding::default);
        for holding in &mut scratch.holdings {
            holding.options.clear();
            (holding.perps, holding.base, holding.held) = (0.0, 0.0, false);
        }
        let positions = account.positions;
        for i in 0..positions.len() {
            let row = &self.rows[positions.contract[i] as usize];
            let coins = positions.net(i) as f64 * row.coins;
            let holding = &mut scratch.holdings[row.unit as usize];
            holding.held = true;
            match row.class {
                Class::Option => holding.options.push(Held {
                    expiry: row.expiry,
                    strike: row.strike,
                    right: row.right,
                    coins,
                    mark: row.mark,
                }),
                Class::Perpetual => {
                    holding.perps += coins;
                    holding.perp_price = row.price;
                }
                Class::Spot => holding.base += coins,
                Class::Future => fail!(
                    NotApplicable,
                    "'{}': {} has no dated futures",
                    self.frame.contracts.rows()[positions.contract[i] as usize].id(),
                    self.parameters.venue
                ),
            }
        }
        for (asset, &amount) in &account.terms.collateral {
            let Some(u) = self.units.iter().position(|u| &u.key.underlying == asset) else {
                fail!(
                    NotApplicable,
                    "{} takes the coins it margins as collateral, not '{asset}'",
                    self.parameters.venue
                );
            };
            scratch.holdings[u].base += amount;
            scratch.holdings[u].held = true;
        }
        for holding in &mut scratch.holdings {
            holding.options.sort_by_key(|h| h.expiry);
        }
        Ok(())
    }

    fn parts(&self, u: usize, holding: &Holding, initial: bool) -> Parts {
        let unit = &self.units[u];
        let rules = &unit.rules;
        let stable = self.parameters.feeds.stable;
        let mut parts = Parts::default();
        let mut shorts = 0.0;
        for held in holding.options.chunk_by(|a, b| a.expiry == b.expiry) {
            let (forward, confidence) = unit.expiries[held[0].expiry as usize];
            let alone = held.iter().fold(0.0, |sum, h| {
                sum + rules.option.isolated(h, unit.spot, initial)
            });
            let bounded = rules.option.bounded(held, forward, initial);
            parts.isolated += alone;
            parts.bounded += bounded;
            // The better of the two: `_calcNetBasicMarginSingleExpiry`.
            parts.option += larger(alone, bounded);
            parts.option_mtm += held.iter().fold(0.0, |sum, h| h.coins.mul_add(h.mark, sum));
            let short = held.iter().fold(
                0.0,
                |sum, h| if h.coins < 0.0 { sum - h.coins } else { sum },
            );
            shorts += short;
            let mut least = unit.spot_confidence.min(confidence);
            if holding.perps != 0.0 {
                least = least.min(unit.perp_confidence);
            }
            // On the shorts of the expiry: `_getNetOptionMarginAndMtM`.
            if initial && least < rules.confidence.option {
                parts.oracle -= (1.0 - least) * rules.confidence.factor * unit.spot * short;
            }
        }
        // On the perpetual's own price: `_getNetPerpMargin`.
        let size = holding.perps.abs();
        parts.perp = -size
            * holding.perp_price
            * if initial {
                rules.perp.im
            } else {
                rules.perp.mm
            };
        // `_getBaseMarginAndMtM`.
        let notional = holding.base * unit.spot;
        parts.base_mtm = notional / stable;
        parts.base = notional * rules.base.factor * if initial { rules.base.im_scale } else { 1.0 };
        if initial {
            let least = unit.spot_confidence.min(unit.perp_confidence);
            if size != 0.0 && least < rules.confidence.perp {
                parts.oracle -= (1.0 - least) * rules.confidence.factor * unit.spot * size;
            }
            if holding.base != 0.0 && unit.spot_confidence < rules.confidence.base {
                parts.oracle -= (1.0 - unit.spot_confidence) * rules.confidence.factor * notional;
            }
            // `_getDepegMultiplier`, on shorts and perpetuals.
            let gap = rules.depeg.threshold - stable;
            if gap > 0.0 {
                parts.depeg -= gap * rules.depeg.factor * unit.spot * (shorts + size);
            }
        }
        parts
    }
}

impl Parts {
    fn net(&self) -> f64 {
        // Named one by one: a charge that is forgotten here does not compile.
        let Self {
            option,
            // What the option margin is made of.
            isolated: _,
            bounded: _,
            perp,
            base,
            oracle,
            depeg,
            // Values, not charges.
            option_mtm: _,
            base_mtm: _,
        } = *self;
        option + perp + base + oracle + depeg
    }

    /// What liquidating equity must reach, by component: net of the values it holds.
    fn charges(&self) -> [(&'static str, f64); 5] {
        let Self {
            option,
            isolated: _,
            bounded: _,
            option_mtm,
            perp,
            base,
            base_mtm,
            oracle,
            depeg,
        } = *self;
        [
            ("option_margin", option_mtm - option),
            ("perp_margin", -perp),
            ("base_collateral", base_mtm - base),
            ("oracle_contingency", -oracle),
            ("depeg_contingency", -depeg),
        ]
    }
}

impl Rulebook for Srm {
    type Scratch = SrmScratch;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        scratch: &mut SrmScratch,
        ledger: &mut L,
    ) -> Result<Outcome> {
        self.collect(account, scratch)?;
        let mut outcome = Outcome::default();
        for (u, holding) in scratch.holdings.iter().enumerate().filter(|h| h.1.held) {
            let (im, mm) = (self.parts(u, holding, true), self.parts(u, holding, false));
            let currency = self.units[u].currency;
            for ((component, initial), (_, maintenance)) in
                im.charges().into_iter().zip(mm.charges())
            {
                if initial != 0.0 || maintenance != 0.0 {
                    ledger.line(currency, initial, maintenance, &|| {
                        LineText::new(
                            self.units[u].key.underlying.clone(),
                            self.parameters.name(component),
                        )
                    });
                }
            }
            outcome.net_option_value += im.option_mtm * self.frame.currencies.fx(currency);
        }
        Ok(outcome)
    }

    fn scenario_label(&self, _: u32) -> String {
        String::new()
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let mut scratch = SrmScratch::default();
        self.collect(account, &mut scratch)?;
        let cash = account.terms.cash.values().fold(0.0, |sum, x| sum + x);
        let (mut initial, mut maintenance) = (cash, cash);
        let mut units = Map::new();
        for (u, holding) in scratch.holdings.iter().enumerate().filter(|h| h.1.held) {
            let (im, mm) = (self.parts(u, holding, true), self.parts(u, holding, false));
            initial += im.net();
            maintenance += mm.net();
            let side = |p: &Parts| {
                json!({"option": p.option, "isolated": p.isolated, "bounded": p.bounded, "perp": p.perp, "base": p.base,
                       "oracle": p.oracle, "depeg": p.depeg})
            };
            units.insert(
                self.units[u].key.underlying.clone(),
                json!({"initial": side(&im), "maintenance": side(&mm), "option_mtm": im.option_mtm, "base_mtm": im.base_mtm}),
            );
        }
        Ok(
            json!({"initial_margin": initial, "maintenance_margin": maintenance, "units": units,
                  "grades": self.parameters.grades}),
        )
    }
}
