//! The explanation of a requirement: every intermediate, under plain names and under PC-SPAN's element names.

use serde_json::{Map, Value, json};

use super::super::program::{Program, SpreadSlots};
use super::super::steps::{self, FormedLeg, Group, Listener, Risk, State};
use super::{Book, charges, larger, levelled};
use engine::account::Positions;
use kernel::error::Result;

impl Book {
    /// Commodities and spreads of one netted portfolio.
    pub(super) fn explain(&self, positions: Positions<'_>, kind: usize) -> Result<Value> {
        let mut state = State::default();
        let mut log = Log {
            program: &self.program,
            spreads: Vec::new(),
        };
        self.steps(positions, &mut state, &mut log)?;
        let spreads = log.spreads;
        // The vectors before any scanning-based spread moved them.
        let mut fresh = State::default();
        fresh.load(&self.program, positions)?;
        let long_only = state.long_only();
        let mut commodities = Map::new();
        for &c in &state.touched {
            let value = self.commodity_details(c, kind, long_only, &state, &mut fresh);
            commodities.insert(self.program.commodities[c as usize].code.clone(), value);
        }
        Ok(json!({"commodities": commodities, "spreads": spreads}))
    }

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
                let r = steps::risk(program, &sv);
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
                let r: Risk = steps::risk(program, &sv);
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
        legs: &mut dyn Iterator<Item = u32>,
        target: u32,
        combined: &[f64],
        risk: Risk,
    ) {
        let code = |c: u32| self.program.commodities[c as usize].code.clone();
        let legs: Vec<String> = legs.map(code).collect();
        self.spreads.push(json!({"group": group.name(), "priority": spread.priority, "scanning": true,
                                 "rate": spread.rate, "legs": legs, "target": code(target), "combined": combined,
                                 "requirement": risk.scan, "active": risk.active + 1}));
    }
}
