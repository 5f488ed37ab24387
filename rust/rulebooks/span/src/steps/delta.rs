//! Delta-based spreads: within a commodity (records C and E; `dSpread` of `ccDef`), between commodities (record 6;
//! `superSpreads`, `interSpreads`), between organisations (`interClearSpreads`).
//!
//! CME's page on spread margins (cmegroup.com/clearing/margins/spread-calc.html) works examples of the credits.

use super::group::Group;
use super::listener::{FormedLeg, Listener};
use super::state::State;
use crate::model::ChargeMethod;
use crate::options::PerMonth;
use crate::program::{LegSlots, Program, SpreadSlots};
use kernel::error::Result;
use kernel::fail;
use kernel::float::smaller;

impl State {
    /// Deltas of a leg's periods on a side. CME's notes leave months in delivery out of spreads between commodities:
    /// option `delivery_months_in_inter`.
    fn available(&self, program: &Program, leg: &LegSlots, side: f64, group: Group) -> f64 {
        let skip_delivery = group != Group::Intra && !program.options.delivery_months_in_inter;
        let mut sum = 0.0;
        for &p in &leg.periods {
            if skip_delivery && program.periods[p as usize].in_delivery {
                continue;
            }
            let delta = side * self.left[p as usize];
            if delta > 0.0 {
                sum += delta;
            }
        }
        sum
    }

    /// How many spreads form in an orientation: as many as the leg that has least allows, by its ratio. Whole ones only
    /// by option `whole_spreads`; files today allow fractions.
    fn count(&self, program: &Program, spread: &SpreadSlots, direction: f64, group: Group) -> f64 {
        let mut count = f64::INFINITY;
        for leg in &spread.legs {
            let here = self.available(program, leg, direction * leg.side, group) / leg.need;
            count = smaller(here, count);
            if count <= 0.0 {
                return 0.0;
            }
        }
        if program.options.whole_spreads {
            count.floor()
        } else {
            count
        }
    }

    /// Takes deltas from a leg's periods, nearest first.
    fn consume(
        &mut self,
        program: &Program,
        leg: &LegSlots,
        side: f64,
        mut amount: f64,
        group: Group,
    ) {
        let skip_delivery = group != Group::Intra && !program.options.delivery_months_in_inter;
        for &p in &leg.periods {
            if skip_delivery && program.periods[p as usize].in_delivery {
                continue;
            }
            let p = p as usize;
            let here = side * self.left[p];
            let taken = smaller(here, amount);
            if taken > 0.0 {
                self.left[p] -= side * taken;
                let used = if group == Group::Intra {
                    &mut self.used_intra
                } else {
                    &mut self.used_inter
                };
                used[p] += taken;
                amount -= taken;
            }
        }
    }

    /// One leg's charge or credit for `count` spreads.
    ///
    /// Methods F, W and P are `chargeMeth` of the `.spn` schema; a rate of the leg's own comes before the spread's
    /// (`rate` of `tLeg`; record 6, columns 122 to 150).
    fn leg_amount(
        &mut self,
        program: &Program,
        spread: &SpreadSlots,
        leg: &LegSlots,
        count: f64,
        group: Group,
    ) -> Result<f64> {
        let rate = leg.rate.unwrap_or(spread.rate);
        Ok(match spread.method {
            ChargeMethod::Weighted => {
                let mut weight = self.weighted(program, leg.commodity, leg.tier);
                if group == Group::Super {
                    // Advisory SPAN 09-01: also capped at scan risk per initial delta of the leg.
                    let net = self.net_delta(program, leg.commodity, leg.tier).abs();
                    if net != 0.0 {
                        let most = self.tier_risk(program, leg.commodity, leg.tier).scan / net;
                        weight = smaller(most, weight);
                    }
                }
                weight * count * leg.ratio * rate
            }
            ChargeMethod::Flat if leg.rate.is_some() => count * rate,
            ChargeMethod::Flat => count * rate / spread.legs.len() as f64,
            ChargeMethod::PerMonth => match (program.options.per_month, spread.per_month) {
                (PerMonth::Additive, Some((value, month, each))) => {
                    count * (value + each + month * spread.months) / spread.legs.len() as f64
                }
                (PerMonth::Additive, None) | (PerMonth::Refuse, _) => fail!(
                    Unsupported,
                    "spread {} of {}: charge method P has no published formula: set per_month to \"additive\" to use an inferred one",
                    spread.priority,
                    program.commodities[leg.commodity as usize].code
                ),
            },
        })
    }

    /// Forms a spread as often as deltas allow, charges or credits its legs and takes the deltas.
    pub(super) fn delta_spread<T: Listener>(
        &mut self,
        program: &Program,
        spread: &SpreadSlots,
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        // A and B only say which legs are opposite: both orientations are tried once, at the start; the one that forms
        // more is taken.
        let (forward, backward) = (
            self.count(program, spread, 1.0, group),
            self.count(program, spread, -1.0, group),
        );
        let (count, direction) = if backward > forward {
            (backward, -1.0)
        } else {
            (forward, 1.0)
        };
        if count <= 0.0 || count.is_infinite() {
            return Ok(());
        }
        if let Some(what) = &spread.unsupported {
            fail!(
                Unsupported,
                "spread {} of {}: {what}",
                spread.priority,
                program.commodities[spread.legs[0].commodity as usize].code
            );
        }
        let mut amounts = [0.0; 16];
        for (leg, amount) in spread.legs.iter().zip(&mut amounts) {
            *amount = self.leg_amount(program, spread, leg, count, group)?;
        }
        for (leg, &amount) in spread.legs.iter().zip(&amounts) {
            self.consume(program, leg, direction * leg.side, count * leg.ratio, group);
            self.held[leg.commodity as usize].amounts.add(group, amount);
        }
        if group == Group::Intra {
            self.held[spread.legs[0].commodity as usize].intra_spreads += count;
        }
        let mut legs = spread
            .legs
            .iter()
            .zip(&amounts)
            .map(|(leg, &amount)| FormedLeg {
                commodity: leg.commodity,
                deltas: count * leg.ratio,
                amount,
            });
        listener.formed(group, spread, count, &mut legs);
        Ok(())
    }
}
