//! Scanning-based spreads: record 6, method 04; `sSpread`.
//!
//! CME's page on spread margins (cmegroup.com/clearing/margins/spread-calc.html) works one example. How the saving is
//! shared among the legs is not published: the target keeps the risk, every other leg is credited with its own.

use super::group::Group;
use super::listener::Listener;
use super::risk::risk;
use super::state::{Joined, State};
use crate::program::{Program, SpreadSlots};
use engine::scan::WIDTH;
use kernel::error::Result;
use kernel::fail;

impl State {
    /// Legs' vectors summed per scenario, losses in full and gains at a rate; the risk moves to the target.
    pub(super) fn scanning_spread<T: Listener>(
        &mut self,
        program: &Program,
        spread: &SpreadSlots,
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        let mut joined = std::mem::take(&mut self.joined);
        let done = self.join(program, spread, group, &mut joined, listener);
        self.joined = joined;
        done
    }

    /// Notes which legs are held, which one that an earlier spread moved to its target no longer is; whether the
    /// spread forms with them.
    ///
    /// A leg is held where there are positions in it, even ones that offset each other: whether their sum is
    /// exactly nothing would be left to rounding.
    fn present(&self, spread: &SpreadSlots, legs: &mut Vec<usize>) -> bool {
        legs.clear();
        let mut complete = true;
        for (i, leg) in spread.legs.iter().enumerate() {
            let held = &self.held[leg.commodity as usize];
            if held.touched && !held.moved {
                legs.push(i);
            } else {
                complete &= !(if leg.target {
                    spread.target_required
                } else {
                    leg.required
                });
            }
        }
        // Advisory SPAN 03-08: fewer than two legs never form a spread, whatever the file's minimum (record 6, columns
        // 118 to 121; `numLegsReq`).
        complete && legs.len() as u32 >= spread.minimum_legs.max(2)
    }

    fn join<T: Listener>(
        &mut self,
        program: &Program,
        spread: &SpreadSlots,
        group: Group,
        joined: &mut Joined,
        listener: &mut T,
    ) -> Result<()> {
        if !self.present(spread, &mut joined.legs) {
            return Ok(());
        }
        if let Some(what) = &spread.unsupported {
            fail!(
                Unsupported,
                "scanning-based spread {}: {what}",
                spread.priority
            );
        }
        let home = joined.legs.iter().find(|&&i| spread.legs[i].target);
        let home = home.map_or(joined.legs[0], |&i| i);
        let target = spread.legs[home].commodity;
        let mut sum = std::mem::take(&mut self.one);
        joined.columns.clear();
        for leg in joined.legs.iter().map(|&i| &spread.legs[i]) {
            let rate = program.fx(leg.commodity, target);
            let cells = &program.commodities[leg.commodity as usize].inter_tiers[0].cells;
            let vector = self.vector(program, leg.commodity, cells, &mut sum);
            joined.columns.extend(vector.iter().map(|v| v * rate));
        }
        self.one = sum;
        joined.combine(spread, program.points.len());
        let new = risk(program, &joined.combined);
        let stride = program.blocks * WIDTH;
        let home_periods = program.commodities[target as usize].periods.0 as usize;
        for &i in &joined.legs {
            let leg = &spread.legs[i];
            let c = leg.commodity as usize;
            let before = self.scan(program, leg.commodity).0;
            let after = if i == home { new.scan } else { 0.0 };
            self.held[c].amounts.add(group, before - after);
            let first = self.tier_first[c] as usize;
            self.weights[first..first + program.commodities[c].inter_tiers.len()].fill(f64::NAN);
            if i != home {
                // Advisory SPAN 03-04: what is left of a leg's deltas goes to the target, by their ratios. The legs of a
                // scanning-based spread have the same periods, in the same order.
                let periods = Program::range(program.commodities[c].periods);
                for (k, p) in periods.enumerate() {
                    let delta = std::mem::take(&mut self.left[p]);
                    self.left[home_periods + k] += delta * spread.legs[home].ratio / leg.ratio;
                }
                let held = &mut self.held[c];
                (held.merged, held.moved, held.merged_net) = (true, true, 0.0);
                self.merged[c * stride..(c + 1) * stride].fill(0.0);
            }
        }
        let c = target as usize;
        self.merged[c * stride..c * stride + joined.combined.len()]
            .copy_from_slice(&joined.combined);
        self.held[c].merged = true;
        self.held[c].merged_net = Program::range(program.commodities[c].periods)
            .map(|p| self.left[p])
            .sum();
        let mut legs = joined.legs.iter().map(|&i| spread.legs[i].commodity);
        listener.scanned(group, spread, &mut legs, target, &joined.combined, new);
        Ok(())
    }
}

impl Joined {
    /// The legs' vectors as one: losses in full, gains at the rate; or the largest losses where a point says so
    /// (`sPointDef`: `aggMeth` 0 sums by `sRate`, 1 takes the `nMaxLoss` largest).
    fn combine(&mut self, spread: &SpreadSlots, width: usize) {
        self.combined.clear();
        for k in 0..width {
            let column = self.columns[k..].iter().step_by(width);
            let rule = spread.point_rules.iter().find(|r| r.point == k + 1);
            if let Some(rule) = rule.filter(|r| r.maximum) {
                self.losses.clear();
                self.losses.extend(column.filter(|v| **v > 0.0));
                self.losses.sort_unstable_by(|a, b| b.total_cmp(a));
                self.combined
                    .push(self.losses.iter().take(rule.losses).sum());
                continue;
            }
            let mut total = 0.0;
            for (&value, &i) in column.zip(&self.legs) {
                let rate = spread.legs[i]
                    .rate
                    .unwrap_or_else(|| rule.map_or(spread.rate, |r| r.rate));
                total += if value > 0.0 { value } else { rate * value };
            }
            self.combined.push(total);
        }
    }
}
