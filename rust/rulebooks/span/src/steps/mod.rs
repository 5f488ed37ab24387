//! The requirement, step by step: scan, super spreads, intra-commodity spreads, delivery, inter-commodity spreads,
//! inter-exchange spreads. Works in slots of a [`Program`] and allocates nothing once warm.
//!
//! | step | file |
//! |---|---|
//! | working memory; positions into vectors and deltas | `state.rs` |
//! | scan risk, its parts, weighted futures price risk | `risk.rs` |
//! | delta-based spreads | `delta.rs` |
//! | scanning-based spreads | `scanning.rs` |

mod delta;
mod risk;
mod scanning;
mod state;

pub(crate) use risk::{Risk, risk};
pub(crate) use state::{Side, State};

use super::program::{Program, SpreadSlots};
use engine::account::Positions;
use kernel::error::Result;

/// Which group of spreads a step belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    Super,
    Intra,
    Inter,
    Exchange,
}

impl Group {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Super => "super",
            Self::Intra => "intra",
            Self::Inter => "inter",
            Self::Exchange => "exchange",
        }
    }
}

/// One commodity's amounts, in its own currency.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Amounts {
    pub(crate) scan: f64,
    pub(crate) active: usize,
    pub(crate) super_credit: f64,
    pub(crate) intra: f64,
    pub(crate) intra_spreads: f64,
    pub(crate) delivery_spread: f64,
    pub(crate) delivery_outright: f64,
    pub(crate) basis: f64,
    pub(crate) inter_credit: f64,
    pub(crate) exchange_credit: f64,
    pub(crate) som: f64,
    pub(crate) nov: f64,
    pub(crate) spot_position: f64,
    pub(crate) long_only: bool,
    pub(crate) touched: bool,
    /// Its vector is [`State::merged`] since a scanning-based spread, and its net delta `merged_net`.
    pub(crate) merged: bool,
    pub(crate) merged_net: f64,
    /// Its risk and deltas have moved to the target of such a spread.
    pub(crate) moved: bool,
}

/// Hears of every spread formed; the numbers alone need no listener.
pub(crate) trait Listener {
    fn formed(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        count: f64,
        legs: &mut dyn Iterator<Item = FormedLeg>,
    );
    fn scanned(
        &mut self,
        group: Group,
        spread: &SpreadSlots,
        legs: &mut dyn Iterator<Item = u32>,
        target: u32,
        combined: &[f64],
        risk: Risk,
    );
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct FormedLeg {
    pub(crate) commodity: u32,
    pub(crate) deltas: f64,
    pub(crate) amount: f64,
}

pub(crate) struct Silent;

impl Listener for Silent {
    #[inline(always)]
    fn formed(
        &mut self,
        _: Group,
        _: &SpreadSlots,
        _: f64,
        _: &mut dyn Iterator<Item = FormedLeg>,
    ) {
    }
    #[inline(always)]
    fn scanned(
        &mut self,
        _: Group,
        _: &SpreadSlots,
        _: &mut dyn Iterator<Item = u32>,
        _: u32,
        _: &[f64],
        _: Risk,
    ) {
    }
}

#[inline(always)]
fn larger(a: f64, b: f64) -> f64 {
    if a > b { a } else { b }
}

impl State {
    fn book(&mut self, commodity: u32, group: Group, amount: f64) {
        let amounts = &mut self.amounts[commodity as usize];
        match group {
            Group::Super => amounts.super_credit += amount,
            Group::Intra => amounts.intra += amount,
            Group::Inter => amounts.inter_credit += amount,
            Group::Exchange => amounts.exchange_credit += amount,
        }
    }

    fn spreads<T: Listener>(
        &mut self,
        program: &Program,
        fx: &dyn Fn(u32, u32) -> f64,
        spreads: &[SpreadSlots],
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        for spread in spreads {
            if spread.scanning {
                self.scanning_spread(program, fx, spread, group, listener)?;
            } else if spread
                .legs
                .iter()
                .all(|l| self.amounts[l.commodity as usize].touched)
            {
                self.delta_spread(program, spread, group, listener)?;
            }
        }
        Ok(())
    }

    fn delivery(&mut self, program: &Program, commodity: u32) {
        let cc = &program.commodities[commodity as usize];
        for &(period, spread, outright) in &cc.spots {
            let p = period as usize;
            let mut used = self.used_intra[p];
            if program.options.delivery_counts_inter {
                used += self.used_inter[p];
            }
            let amounts = &mut self.amounts[commodity as usize];
            amounts.delivery_spread += used * spread;
            amounts.delivery_outright += larger(self.original[p].abs() - used, 0.0) * outright;
        }
        let amounts = &mut self.amounts[commodity as usize];
        amounts.basis = amounts.spot_position * cc.basis;
    }

    /// All the steps. `fx(a, b)` is units of commodity b's currency for one of a's.
    pub(crate) fn run<T: Listener>(
        &mut self,
        program: &Program,
        positions: Positions<'_>,
        fx: &dyn Fn(u32, u32) -> f64,
        listener: &mut T,
    ) -> Result<()> {
        self.load(program, positions)?;
        self.scan_all(program, |_| true);
        self.spread(program, fx, listener)
    }

    /// Scan risk of some of the commodities held.
    pub(crate) fn scan_all(&mut self, program: &Program, of: impl Fn(u32) -> bool) {
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            if of(commodity) {
                let (scan, active) = self.scan(program, commodity);
                let amounts = &mut self.amounts[commodity as usize];
                (amounts.scan, amounts.active) = (scan, active);
            }
        }
    }

    /// The steps after the scan.
    pub(crate) fn spread<T: Listener>(
        &mut self,
        program: &Program,
        fx: &dyn Fn(u32, u32) -> f64,
        listener: &mut T,
    ) -> Result<()> {
        self.spreads(program, fx, &program.super_spreads, Group::Super, listener)?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            let cc = &program.commodities[commodity as usize];
            let (mut long, mut short) = (false, false);
            for p in Program::range(cc.periods) {
                long |= self.left[p] > 0.0;
                short |= self.left[p] < 0.0;
            }
            for spread in &cc.spreads {
                if (long && short) || !spread.two_sided {
                    self.delta_spread(program, spread, Group::Intra, listener)?;
                }
            }
            if !program.options.delivery_counts_inter {
                self.delivery(program, commodity);
            }
        }
        self.spreads(program, fx, &program.inter_spreads, Group::Inter, listener)?;
        self.spreads(
            program,
            fx,
            &program.exchange_spreads,
            Group::Exchange,
            listener,
        )?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            let cc = &program.commodities[commodity as usize];
            if program.options.delivery_counts_inter {
                self.delivery(program, commodity);
            }
            let mut som = 0.0;
            for (k, (_, rate)) in cc.som.iter().enumerate() {
                let slot = cc.som_first as usize + k;
                let (calls, puts) = (self.som_calls[slot], self.som_puts[slot]);
                som += rate
                    * if cc.som_max {
                        larger(calls, puts)
                    } else {
                        calls + puts
                    };
            }
            self.amounts[commodity as usize].som = som;
        }
        Ok(())
    }
}
