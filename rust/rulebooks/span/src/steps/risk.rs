//! Scan risk, its price, time and vol parts, and weighted futures price risk.

use super::state::State;
use crate::model::WfprMethod;
use crate::program::Program;
use engine::scan::WIDTH;
use kernel::float::larger;

/// Scan risk and its parts, for one vector: `sr`, `vr`, `tr` and `pr` of result `ietr`.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Risk {
    pub(crate) scan: f64,
    pub(crate) active: usize,
    pub(crate) paired: usize,
    pub(crate) vol_adjusted: f64,
    pub(crate) vol: f64,
    pub(crate) time: f64,
    pub(crate) price: f64,
}

impl State {
    /// The sum of some cells, or the merged vector of a scanning-based spread's leg.
    pub(crate) fn vector<'a>(
        &'a self,
        program: &Program,
        commodity: u32,
        cells: &[u32],
        sum: &'a mut Vec<f64>,
    ) -> &'a [f64] {
        let stride = program.blocks * WIDTH;
        let width = program.points.len();
        let of = |first: usize| first * stride..first * stride + width;
        if self.held[commodity as usize].merged {
            return &self.merged[of(commodity as usize)];
        }
        if let [cell] = cells {
            return &self.vectors[of(*cell as usize)];
        }
        sum.clear();
        sum.resize(width, 0.0);
        for &cell in cells {
            for (total, v) in sum.iter_mut().zip(&self.vectors[of(cell as usize)]) {
                *total += v;
            }
        }
        sum
    }

    fn risk_of(&mut self, program: &Program, commodity: u32, cells: &[u32]) -> Risk {
        let mut sum = std::mem::take(&mut self.one);
        let risk = risk(program, self.vector(program, commodity, cells, &mut sum));
        self.one = sum;
        risk
    }

    /// Scan risk: the sum over scanning tiers (record S, methods 10 and 21 to 23; `scanTiers`).
    pub(crate) fn scan(&mut self, program: &Program, commodity: u32) -> (f64, usize) {
        let cc = &program.commodities[commodity as usize];
        if self.held[commodity as usize].merged {
            let risk = self.risk_of(program, commodity, &[]);
            return (risk.scan, risk.active);
        }
        if let [tier] = cc.scan_tiers.as_slice() {
            let risk = self.risk_of(program, commodity, &tier.cells);
            return (risk.scan, risk.active);
        }
        let mut scan = 0.0;
        for tier in &cc.scan_tiers {
            scan += self.risk_of(program, commodity, &tier.cells).scan;
        }
        (
            scan,
            self.risk_of(program, commodity, &cc.inter_tiers[0].cells)
                .active,
        )
    }

    pub(crate) fn tier_risk(&mut self, program: &Program, commodity: u32, tier: usize) -> Risk {
        self.risk_of(
            program,
            commodity,
            &program.commodities[commodity as usize].inter_tiers[tier].cells,
        )
    }

    /// The net delta that divides a tier's price risk: as held, or what a scanning-based spread brought together.
    pub(crate) fn net_delta(&self, program: &Program, commodity: u32, tier: usize) -> f64 {
        let cc = &program.commodities[commodity as usize];
        let held = &self.held[commodity as usize];
        if held.merged {
            held.merged_net
        } else {
            cc.inter_tiers[tier]
                .periods
                .iter()
                .map(|&p| self.original[p as usize])
                .sum()
        }
    }

    /// Weighs every tier of the commodities held, where no spread has moved anything yet.
    pub(crate) fn weigh(&mut self, program: &Program) {
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            for tier in 0..program.commodities[commodity as usize].inter_tiers.len() {
                self.weighted(program, commodity, tier);
            }
        }
    }

    /// Weighted futures price risk of a tier, by record S, column 83 (`wfprMeth`): 1 NORMAL, price risk per net delta;
    /// 2 SCANRANGE_CAP, no more than the price scan range; 3 SCANRANGE, that range.
    ///
    /// No public text says whose range where months differ: the largest of the months with a delta is inferred. PC-SPAN's
    /// report divides by the "Rounded Net Delta": option `delta_rounding`.
    pub(crate) fn weighted(&mut self, program: &Program, commodity: u32, tier: usize) -> f64 {
        let slot = self.tier_first[commodity as usize] as usize + tier;
        if !self.weights[slot].is_nan() {
            return self.weights[slot];
        }
        let cc = &program.commodities[commodity as usize];
        let range = cc.inter_tiers[tier]
            .periods
            .iter()
            .filter(|&&p| self.original[p as usize] != 0.0)
            .fold(0.0, |most, &p| larger(self.range[p as usize], most));
        let net = program
            .options
            .round_delta(self.net_delta(program, commodity, tier));
        // Without a net delta there is nothing to divide by, and no credit.
        let normal = if net == 0.0 {
            0.0
        } else {
            self.tier_risk(program, commodity, tier).price / net.abs()
        };
        let weight = match cc.wfpr {
            WfprMethod::Scanrange => range,
            WfprMethod::ScanrangeCap if normal > range => range,
            WfprMethod::Normal | WfprMethod::ScanrangeCap => normal,
        };
        self.weights[slot] = weight;
        weight
    }
}

/// Splits a vector's greatest loss into price, time and vol risk.
///
/// Of scenarios that lose the same the first is active. Its pair has the same price move and the other vol
/// (`pairedPoint`): half their sum is adjusted for vol. Scenario 1 and its pair move no price: half their sum is the
/// time's. That price risk is never below zero is inferred.
pub(crate) fn risk(program: &Program, vector: &[f64]) -> Risk {
    let (mut active, mut worst) = (0, vector[0]);
    for (k, &v) in vector.iter().enumerate().skip(1) {
        if v > worst {
            (active, worst) = (k, v);
        }
    }
    let paired = program.points[active].paired;
    if worst <= 0.0 {
        return Risk {
            active,
            paired,
            ..Risk::default()
        };
    }
    let vol_adjusted = (worst + vector[paired]) / 2.0;
    let time = (vector[0] + vector[program.points[0].paired]) / 2.0;
    let price = larger(vol_adjusted - time, 0.0);
    Risk {
        scan: worst,
        active,
        paired,
        vol_adjusted,
        vol: worst - vol_adjusted,
        time,
        price,
    }
}
