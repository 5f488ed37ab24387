//! SPAN as a prepared rulebook: the ledger's lines, and the explanation in PC-SPAN's element names.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::model::{FileInfo, ScanPoint};
use super::options::kind_index;
use super::program::{CommoditySlots, Program, SpreadSlots};
use super::steps::{Amounts, FormedLeg, Group, Listener, Risk, Silent, State};
use crate::account::AccountView;
use crate::error::Result;
use crate::methods::{Frame, Outcome, Rulebook};
use crate::report::{Ledger, LineText};

/// SPAN compiled for one table of contracts.
pub(super) struct Book {
    pub(super) frame: Frame,
    pub(super) program: Program,
    pub(super) info: FileInfo,
    /// Charges beside SPAN, such as an exposure margin.
    pub(super) exposure: Option<super::exposure::Compiled>,
}

/// One commodity's requirement at one level.
#[derive(Debug, Clone, Copy, Default)]
struct Levelled {
    floor: f64,
    som: f64,
    cap: f64,
    unavailable: f64,
}

fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

/// The sum of a commodity's terms before any floor.
fn charges(a: &Amounts) -> f64 {
    a.scan - a.super_credit + a.intra + (a.delivery_spread + a.delivery_outright) + a.basis
        - a.inter_credit
        - a.exchange_credit
}

/// What brings the sum of terms to the requirement, and option value that does not count.
///
/// The factor multiplies max(risk, minimum), never the option value; an account of long options only owes no more than
/// they are worth.
fn levelled(cc: &CommoditySlots, a: &Amounts, long_only: bool, factor: f64) -> Levelled {
    let sum = charges(a);
    let risk = larger(sum, 0.0);
    let requirement = factor * larger(risk, a.som);
    let cap = if long_only && a.nov < requirement {
        a.nov - requirement
    } else {
        0.0
    };
    let level = requirement + cap;
    Levelled {
        floor: factor * (risk - sum),
        som: factor * larger(a.som - risk, 0.0),
        cap,
        unavailable: if cc.capped {
            larger(a.nov - level, 0.0)
        } else {
            0.0
        },
    }
}

impl Book {
    fn steps<T: Listener>(
        &self,
        account: AccountView<'_>,
        state: &mut State,
        listener: &mut T,
    ) -> Result<()> {
        let currencies = &self.frame.currencies;
        let commodities = &self.program.commodities;
        let fx = |a: u32, b: u32| {
            let (from, to) = (
                commodities[a as usize].currency,
                commodities[b as usize].currency,
            );
            if from == to {
                1.0
            } else {
                currencies.fx(from) / currencies.fx(to)
            }
        };
        state.run(&self.program, account.positions, &fx, listener)
    }

    fn kind(&self, account: AccountView<'_>) -> Result<usize> {
        kind_index(
            account
                .terms
                .kind
                .as_deref()
                .unwrap_or(&self.program.options.account_kind),
        )
    }

    fn point_label(&self, scenario: usize) -> String {
        label(&self.program.points, scenario)
    }
}

/// A scan point in words, from its number in the file.
fn label(points: &[ScanPoint], scenario: usize) -> String {
    let point = points[scenario];
    let cover = if point.weight == 1.0 {
        String::new()
    } else {
        format!(", {} covered", point.weight)
    };
    format!(
        "point {}: price {:+.4} ranges, vol {:+} ranges{cover}",
        scenario + 1,
        point.price,
        point.vol
    )
}

impl Rulebook for Book {
    type Scratch = State;

    fn frame(&self) -> &Frame {
        &self.frame
    }

    fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        state: &mut State,
        ledger: &mut L,
    ) -> Result<Outcome> {
        let kind = self.kind(account)?;
        self.steps(account, state, &mut Silent)?;
        let currencies = &self.frame.currencies;
        let long_only = state
            .touched
            .iter()
            .all(|&c| state.amounts[c as usize].long_only);
        let (mut initial, mut maintenance, mut value) = (0.0, 0.0, 0.0);
        let mut worst: Option<(f64, usize)> = None;
        for &c in &state.touched {
            let (cc, a) = (
                &self.program.commodities[c as usize],
                &state.amounts[c as usize],
            );
            let fx = currencies.fx(cc.currency);
            let (fi, fm) = cc.levels[kind];
            let (i, m) = (
                levelled(cc, a, long_only, fi),
                levelled(cc, a, long_only, fm),
            );
            let (mut sum_i, mut sum_m) = (0.0, 0.0);
            let mut line = |name: &str, at: (f64, f64), point: bool, always: bool| {
                if at.0 != 0.0 || at.1 != 0.0 || always {
                    sum_i += at.0;
                    sum_m += at.1;
                    ledger.line(cc.currency, at.0, at.1, &|| {
                        let text = LineText::new(cc.code.as_str(), name);
                        if point {
                            text.in_scenario(self.point_label(a.active))
                        } else {
                            text
                        }
                    });
                }
            };
            let both = |amount: f64| (fi * amount, fm * amount);
            line("scan", both(a.scan), true, true);
            line("super_credit", both(-a.super_credit), false, false);
            line("intra_commodity", both(a.intra), false, false);
            line(
                "delivery",
                both(a.delivery_spread + a.delivery_outright),
                false,
                false,
            );
            line("basis", both(a.basis), false, false);
            line(
                "inter_commodity_credit",
                both(-a.inter_credit),
                false,
                false,
            );
            line(
                "inter_exchange_credit",
                both(-a.exchange_credit),
                false,
                false,
            );
            line("risk_floor", (i.floor, m.floor), false, false);
            line("short_option_minimum", (i.som, m.som), false, false);
            line("long_option_cap", (i.cap, m.cap), false, false);
            line(
                "unavailable_option_value",
                (i.unavailable, m.unavailable),
                false,
                false,
            );
            initial += sum_i * fx;
            maintenance += sum_m * fx;
            value += a.nov * fx;
            let scan = a.scan * fx;
            if worst.is_none_or(|w| scan > w.0) {
                worst = Some((scan, a.active));
            }
        }
        // Option value in excess of all risk is not paid out.
        let floor = (
            larger(value - initial, 0.0),
            larger(value - maintenance, 0.0),
        );
        if floor.0 != 0.0 || floor.1 != 0.0 {
            ledger.line(0, floor.0, floor.1, &|| {
                LineText::new("account", "requirement_floor")
            });
        }
        if let Some(exposure) = &self.exposure {
            exposure.charge(account, ledger)?;
        }
        Ok(Outcome {
            net_option_value: value,
            worst_scenario: worst.map(|w| w.1 as u32),
        })
    }

    fn scenario_label(&self, scenario: u32) -> String {
        self.point_label(scenario as usize)
    }

    fn details(&self, account: AccountView<'_>) -> Result<Value> {
        let kind = self.kind(account)?;
        let mut state = State::default();
        let mut log = Log {
            program: &self.program,
            spreads: Vec::new(),
        };
        self.steps(account, &mut state, &mut log)?;
        let spreads = log.spreads;
        // The vectors before any scanning-based spread moved them.
        let mut fresh = State::default();
        fresh.run(
            &Program {
                super_spreads: Vec::new(),
                inter_spreads: Vec::new(),
                exchange_spreads: Vec::new(),
                ..self.program.clone()
            },
            account.positions,
            &|_, _| 1.0,
            &mut Silent,
        )?;
        let long_only = state
            .touched
            .iter()
            .all(|&c| state.amounts[c as usize].long_only);
        let mut commodities = Map::new();
        for &c in &state.touched {
            let value = self.commodity_details(c, kind, long_only, &state, &mut fresh);
            commodities.insert(self.program.commodities[c as usize].code.clone(), value);
        }
        let mut out = json!({
            "file": self.info,
            "scan_points": self.program.points,
            "commodities": commodities,
            "spreads": spreads,
        });
        if let Some(exposure) = &self.exposure {
            out["exposure"] = exposure.details(account);
        }
        Ok(out)
    }
}

impl Book {
    /// Everything of one commodity, under plain names and under PC-SPAN's.
    fn commodity_details(
        &self,
        c: u32,
        kind: usize,
        long_only: bool,
        state: &State,
        fresh: &mut State,
    ) -> Value {
        let program = &self.program;
        let cc = &program.commodities[c as usize];
        let a = &state.amounts[c as usize];
        let mut sum = Vec::new();
        let array = fresh
            .vector(program, c, &cc.inter_tiers[0].cells, &mut sum)
            .to_vec();
        let whole = fresh.tier_risk(program, c, 0);
        let deltas = |list: &[f64]| -> Map<String, Value> {
            Program::range(cc.periods)
                .filter(|&p| state.original[p] != 0.0 || list[p] != 0.0)
                .map(|p| (program.periods[p].name.clone(), json!(list[p])))
                .collect()
        };
        let sides = |list: &[f64], periods: &[u32]| {
            periods.iter().fold((0.0, 0.0), |(long, short), &p| {
                let d = list[p as usize];
                if d > 0.0 {
                    (long + d, short)
                } else {
                    (long, short + d)
                }
            })
        };
        let risk = larger(charges(a), 0.0);
        let requirement = larger(risk, a.som);
        let (fi, fm) = cc.levels[kind];
        let level = |factor: f64| {
            let l = levelled(cc, a, long_only, factor);
            factor * requirement + l.cap + l.unavailable - a.nov
        };
        let wfpr = fresh.weighted(program, c, 0);
        let net_delta = fresh.net_delta(program, c, 0);
        let delivery: Vec<Value> = cc
            .spots
            .iter()
            .map(|&(period, spread, outright)| {
                let p = period as usize;
                let od = state.original[p];
                let used = state.used_intra[p] + if program.options.delivery_counts_inter { state.used_inter[p] } else { 0.0 };
                let rd = larger(od.abs() - used, 0.0);
                json!({"pe": program.periods[p].name, "od": od, "gd": used, "rd": rd, "drs": used * spread, "dro": rd * outright})
            })
            .collect();
        let scan_tiers: Vec<Value> = cc
            .scan_tiers
            .iter()
            .map(|tier| {
                let sv = fresh
                    .vector(program, c, &tier.cells, &mut Vec::new())
                    .to_vec();
                let r = super::steps::risk(program, &sv);
                json!({"tn": tier.number, "sr": r.scan, "as": r.active + 1, "sv": sv})
            })
            .collect();
        let intra_tiers: Vec<Value> = cc
            .intra_tiers
            .iter()
            .map(|tier| {
                let (ld, sd) = sides(&state.original, &tier.periods);
                let (rld, rsd) = sides(&state.left, &tier.periods);
                json!({"tn": tier.number, "ld": ld, "sd": sd, "rld": rld, "rsd": rsd})
            })
            .collect();
        let inter_tiers: Vec<Value> = (0..cc.inter_tiers.len())
            .map(|t| {
                let tier = &cc.inter_tiers[t];
                let sv = fresh.vector(program, c, &tier.cells, &mut Vec::new()).to_vec();
                let r: Risk = super::steps::risk(program, &sv);
                let (ld, sd) = sides(&state.original, &tier.periods);
                let (rld, rsd) = sides(&state.left, &tier.periods);
                let wpr = fresh.weighted(program, c, t);
                json!({"tn": tier.number, "wpr": wpr, "pr": r.price, "tr": r.time, "vr": r.vol, "sr": r.scan,
                       "as": r.active + 1, "ld": ld, "sd": sd, "rld": rld, "rsd": rsd, "sv": sv})
            })
            .collect();
        let som_tiers: Vec<Value> = cc
            .som
            .iter()
            .enumerate()
            .map(|(k, (number, rate))| {
                let slot = cc.som_first as usize + k;
                let (sco, spo) = (state.som_calls[slot], state.som_puts[slot]);
                let count = if cc.som_max {
                    larger(sco, spo)
                } else {
                    sco + spo
                };
                json!({"tn": number, "som": rate * count, "sco": sco, "spo": spo})
            })
            .collect();
        let anov = |factor: f64| {
            let l = levelled(cc, a, long_only, factor);
            a.nov - l.unavailable
        };
        let dr = a.delivery_spread + a.delivery_outright;
        let mut out = json!({
            "currency": cc.currency_name,
            "array": array,
            "scan": a.scan,
            "active": whole.active + 1,
            "paired": whole.paired + 1,
            "vol_adjusted": whole.vol_adjusted,
            "vol_risk": whole.vol,
            "time_risk": whole.time,
            "price_risk": whole.price,
            "wfpr": wfpr,
            "delta_by_period": deltas(&state.original),
            "delta_left": deltas(&state.left),
            "net_delta": net_delta,
            "intra": a.intra,
            "intra_spreads": a.intra_spreads,
            "delivery": dr,
            "delivery_spread": a.delivery_spread,
            "delivery_outright": a.delivery_outright,
            "basis": a.basis,
            "super_credit": a.super_credit,
            "inter_credit": a.inter_credit,
            "exchange_credit": a.exchange_credit,
            "som": a.som,
            "nov": a.nov,
            "risk": risk,
            "span_requirement": requirement,
        });
        let more = json!({
            "factors": {"initial": fi, "maintenance": fm},
            "anov": anov(fi),
            "total": level(fi),
            "maintenance": level(fm),
            "nReq": {"sr": a.scan, "ia": a.intra, "basis": a.basis, "dr": dr, "ie": a.inter_credit + a.super_credit,
                     "iex": a.exchange_credit, "som": a.som, "pd": delivery, "str": scan_tiers, "iatr": intra_tiers,
                     "ietr": inter_tiers, "somtr": som_tiers},
            "dReq": [
                {"isM": 0, "pbc": "CORE", "spanReq": fi * requirement, "anov": anov(fi)},
                {"isM": 1, "pbc": "CORE", "spanReq": fm * requirement, "anov": anov(fm)},
            ],
        });
        if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
            out.extend(more);
        }
        out
    }
}

struct Log<'a> {
    program: &'a Program,
    spreads: Vec<Value>,
}

impl Listener for Log<'_> {
    fn formed(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        count: f64,
        legs: &mut dyn Iterator<Item = FormedLeg>,
    ) {
        let legs: Vec<Value> = legs
            .map(|leg| {
                let code = &self.program.commodities[leg.commodity as usize].code;
                json!({"commodity": code, "deltas": leg.deltas, "amount": leg.amount})
            })
            .collect();
        self.spreads.push(
            json!({"group": group.name(), "priority": spread.priority, "spreads": count,
                                 "rate": spread.rate, "legs": legs}),
        );
    }

    fn scanned(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        legs: &[u32],
        target: u32,
        combined: &[f64],
        risk: Risk,
    ) {
        let code = |c: &u32| self.program.commodities[*c as usize].code.clone();
        let legs: Vec<String> = legs.iter().map(code).collect();
        self.spreads.push(json!({"group": group.name(), "priority": spread.priority, "scanning": true,
                                 "rate": spread.rate, "legs": legs, "target": code(&target), "combined": combined,
                                 "requirement": risk.scan, "active": risk.active + 1}));
    }
}

/// The prepared rulebook as the engine holds it.
pub(super) fn shared(book: Book) -> Arc<dyn crate::methods::Prepared> {
    Arc::new(book)
}
