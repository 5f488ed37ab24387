//! The explanation of a requirement: every intermediate, under plain names and under PC-SPAN's element names.
//!
//! The steps run once more with a [`Log`] that hears what they charge: no amount is computed here a second time.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::compiled::Book;
use super::levels::{commodity_risk, levelled};
use crate::program::{CommoditySlots, Program, SpreadSlots, TierSlots};
use crate::steps::{
    self, Amounts, DeliveryCharge, FormedLeg, Group, Listener, Risk, ShortOptions, State,
};
use engine::account::Positions;
use kernel::error::Result;
use kernel::float::larger;

impl Book {
    /// Commodities and spreads of one netted portfolio.
    pub(super) fn explain(&self, positions: Positions<'_>, kind: usize) -> Result<Value> {
        let program = &self.program;
        let mut state = State::default();
        let mut log = Log {
            program,
            spreads: Vec::new(),
            heard: BTreeMap::new(),
        };
        state.run(program, positions, &mut log)?;
        // The vectors before any scanning-based spread moved them.
        let mut fresh = State::default();
        fresh.load(program, positions)?;
        let long_only = state.long_only();
        let mut commodities = Map::new();
        for &index in &state.touched {
            let cc = &program.commodities[index as usize];
            let mut explained = Explained {
                program,
                cc,
                index,
                state: &state,
                fresh: &mut fresh,
                heard: log.heard.remove(&index).unwrap_or_default(),
            };
            commodities.insert(cc.code.clone(), explained.details(kind, long_only));
        }
        Ok(json!({"commodities": commodities, "spreads": log.spreads}))
    }
}

/// One commodity of a portfolio whose steps are done.
struct Explained<'a> {
    program: &'a Program,
    cc: &'a CommoditySlots,
    index: u32,
    /// After the steps, and before any of them.
    state: &'a State,
    fresh: &'a mut State,
    heard: Heard,
}

impl Explained<'_> {
    fn details(&mut self, kind: usize, long_only: bool) -> Value {
        let mut out = self.plain();
        let more = self.pc_span(kind, long_only);
        if let (Value::Object(out), Value::Object(more)) = (&mut out, more) {
            out.extend(more);
        }
        out
    }

    /// Under plain names.
    fn plain(&mut self) -> Value {
        let (program, cc, index) = (self.program, self.cc, self.index);
        let held = &self.state.held[index as usize];
        let mut sum = Vec::new();
        let array = self
            .fresh
            .vector(program, index, &cc.inter_tiers[0].cells, &mut sum)
            .to_vec();
        let Risk {
            scan: _,
            active,
            paired,
            vol_adjusted,
            vol,
            time,
            price,
        } = self.fresh.tier_risk(program, index, 0);
        let risk = commodity_risk(&held.amounts);
        let Amounts {
            scan,
            super_credit,
            intra,
            delivery_spread,
            delivery_outright,
            basis,
            inter_credit,
            exchange_credit,
            som,
            nov,
        } = held.amounts;
        json!({
            "currency": cc.currency_name,
            "array": array,
            "scan": scan,
            "active": active + 1,
            "paired": paired + 1,
            "vol_adjusted": vol_adjusted,
            "vol_risk": vol,
            "time_risk": time,
            "price_risk": price,
            "wfpr": self.fresh.weighted(program, index, 0),
            "delta_by_period": self.deltas(&self.state.original),
            "delta_left": self.deltas(&self.state.left),
            "net_delta": self.fresh.net_delta(program, index, 0),
            "intra": intra,
            "intra_spreads": held.intra_spreads,
            "delivery": delivery_spread + delivery_outright,
            "delivery_spread": delivery_spread,
            "delivery_outright": delivery_outright,
            "basis": basis,
            "super_credit": super_credit,
            "inter_credit": inter_credit,
            "exchange_credit": exchange_credit,
            "som": som,
            "nov": nov,
            "risk": risk,
            "span_requirement": larger(risk, som),
        })
    }

    /// Under the names of PC-SPAN's results: elements `nReq` and `dReq` of its schema.
    fn pc_span(&mut self, kind: usize, long_only: bool) -> Value {
        let (state, cc) = (self.state, self.cc);
        let a = &state.held[self.index as usize].amounts;
        let (fi, fm) = cc.levels[kind];
        let initial = levelled(cc, a, long_only, fi);
        let maintenance = levelled(cc, a, long_only, fm);
        let Amounts {
            scan,
            super_credit,
            intra,
            delivery_spread,
            delivery_outright,
            basis,
            inter_credit,
            exchange_credit,
            som,
            nov: _,
        } = *a;
        json!({
            "factors": {"initial": fi, "maintenance": fm},
            "anov": initial.available(a),
            "total": initial.total(a),
            "maintenance": maintenance.total(a),
            "nReq": {"sr": scan, "ia": intra, "basis": basis, "dr": delivery_spread + delivery_outright,
                     "ie": inter_credit + super_credit, "iex": exchange_credit, "som": som,
                     "pd": std::mem::take(&mut self.heard.delivery), "str": self.scan_tiers(),
                     "iatr": self.intra_tiers(), "ietr": self.inter_tiers(),
                     "somtr": std::mem::take(&mut self.heard.short_options)},
            "dReq": [
                {"isM": 0, "pbc": "CORE", "spanReq": initial.requirement, "anov": initial.available(a)},
                {"isM": 1, "pbc": "CORE", "spanReq": maintenance.requirement, "anov": maintenance.available(a)},
            ],
        })
    }

    /// Deltas by the name of their period; those that were never there are left out.
    fn deltas(&self, list: &[f64]) -> Map<String, Value> {
        Program::range(self.cc.periods)
            .filter(|&p| self.state.original[p] != 0.0 || list[p] != 0.0)
            .map(|p| (self.program.periods[p].name.clone(), json!(list[p])))
            .collect()
    }

    /// A tier's own vector, before any spread.
    fn tier_vector(&self, tier: &TierSlots) -> Vec<f64> {
        self.fresh
            .vector(self.program, self.index, &tier.cells, &mut Vec::new())
            .to_vec()
    }

    fn scan_tiers(&self) -> Vec<Value> {
        let tier = |tier: &TierSlots| {
            let sv = self.tier_vector(tier);
            let r = steps::risk(self.program, &sv);
            json!({"tn": tier.number, "sr": r.scan, "as": r.active + 1, "sv": sv})
        };
        self.cc.scan_tiers.iter().map(tier).collect()
    }

    fn intra_tiers(&self) -> Vec<Value> {
        let tier = |tier: &TierSlots| {
            let (ld, sd) = sides(&self.state.original, &tier.periods);
            let (rld, rsd) = sides(&self.state.left, &tier.periods);
            json!({"tn": tier.number, "ld": ld, "sd": sd, "rld": rld, "rsd": rsd})
        };
        self.cc.intra_tiers.iter().map(tier).collect()
    }

    fn inter_tiers(&mut self) -> Vec<Value> {
        let cc = self.cc;
        let mut tiers = Vec::with_capacity(cc.inter_tiers.len());
        for (t, tier) in cc.inter_tiers.iter().enumerate() {
            let sv = self.tier_vector(tier);
            let r = steps::risk(self.program, &sv);
            let (ld, sd) = sides(&self.state.original, &tier.periods);
            let (rld, rsd) = sides(&self.state.left, &tier.periods);
            let wpr = self.fresh.weighted(self.program, self.index, t);
            tiers.push(json!({
                "tn": tier.number, "wpr": wpr, "pr": r.price, "tr": r.time, "vr": r.vol, "sr": r.scan,
                "as": r.active + 1, "ld": ld, "sd": sd, "rld": rld, "rsd": rsd, "sv": sv,
            }));
        }
        tiers
    }
}

/// Sums of the long and of the short deltas of some periods.
fn sides(list: &[f64], periods: &[u32]) -> (f64, f64) {
    periods.iter().fold((0.0, 0.0), |(long, short), &p| {
        let d = list[p as usize];
        if d > 0.0 {
            (long + d, short)
        } else {
            (long, short + d)
        }
    })
}

/// What a commodity was charged by period and by tier.
#[derive(Default)]
struct Heard {
    delivery: Vec<Value>,
    short_options: Vec<Value>,
}

/// Writes down what the steps charge.
struct Log<'a> {
    program: &'a Program,
    spreads: Vec<Value>,
    heard: BTreeMap<u32, Heard>,
}

impl Log<'_> {
    fn code(&self, commodity: u32) -> &str {
        &self.program.commodities[commodity as usize].code
    }

    fn of(&mut self, commodity: u32) -> &mut Heard {
        self.heard.entry(commodity).or_default()
    }
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
                json!({"commodity": self.code(leg.commodity), "deltas": leg.deltas, "amount": leg.amount})
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
        legs: &mut dyn Iterator<Item = u32>,
        target: u32,
        combined: &[f64],
        risk: Risk,
    ) {
        let legs: Vec<&str> = legs.map(|c| self.code(c)).collect();
        let formed = json!({"group": group.name(), "priority": spread.priority, "scanning": true,
                            "rate": spread.rate, "legs": legs, "target": self.code(target), "combined": combined,
                            "requirement": risk.scan, "active": risk.active + 1});
        self.spreads.push(formed);
    }

    fn delivered(&mut self, commodity: u32, charge: DeliveryCharge) {
        let DeliveryCharge {
            period,
            delta,
            used,
            left,
            spread,
            outright,
        } = charge;
        let name = &self.program.periods[period as usize].name;
        self.of(commodity).delivery.push(
            json!({"pe": name, "od": delta, "gd": used, "rd": left, "drs": spread, "dro": outright}),
        );
    }

    fn short_options(&mut self, commodity: u32, tier: ShortOptions) {
        let ShortOptions {
            tier,
            calls,
            puts,
            minimum,
        } = tier;
        self.of(commodity)
            .short_options
            .push(json!({"tn": tier, "som": minimum, "sco": calls, "spo": puts}));
    }
}
