//! The requirement, step by step. Works in slots of a [`Program`] and allocates nothing once warm.
//!
//! | step, in order | file | source |
//! |---|---|---|
//! | positions into vectors and deltas | `state.rs` | record B (delta scaling), records Z, X, Y (combinations) |
//! | scan risk, its parts, weighted futures price risk | `risk.rs` | record S, column 83; `wfprMeth` |
//! | super spreads | `delta.rs`, `scanning.rs` | record 6, column 110; `superSpreads` |
//! | spreads within a commodity | `delta.rs` | records C and E; `ccDef/dSpread` |
//! | delivery, basis risk | `delivery.rs` | record 4, methods 10 and 11; `spotRate`, result `pd` |
//! | spreads between commodities | `delta.rs`, `scanning.rs` | record 6; `interSpreads` |
//! | spreads between clearing organisations | `delta.rs` | `interClearSpreads` |
//! | short option minimum | `delivery.rs` | record 4, columns 63 and 79, record S method 30; `somTiers` |
//! | the amounts and the terms they make | `amounts.rs` | result `nReq` |
//! | the groups of spreads | `group.rs` | records 6, C, E |
//! | what the explanation hears | `listener.rs` | result `pd`, `somtr` |
//!
//! Records are those of CME's expanded format (U2), elements those of PC-SPAN's XML schema: the README names both. No
//! public text says whether delivery comes before or after the spreads between commodities: option
//! `delivery_counts_inter` chooses.

mod amounts;
mod delivery;
mod delta;
mod group;
mod listener;
mod risk;
mod scanning;
mod state;

pub(crate) use amounts::Amounts;
pub(crate) use group::Group;
pub(crate) use listener::{DeliveryCharge, FormedLeg, Listener, ShortOptions, Silent};
pub(crate) use risk::{Risk, risk};
pub(crate) use state::{Held, Side, State};

use crate::program::{Program, SpreadSlots};
use engine::account::Positions;
use kernel::error::Result;

impl State {
    fn spreads<T: Listener>(
        &mut self,
        program: &Program,
        spreads: &[SpreadSlots],
        group: Group,
        listener: &mut T,
    ) -> Result<()> {
        for spread in spreads {
            if spread.scanning {
                self.scanning_spread(program, spread, group, listener)?;
            } else if spread
                .legs
                .iter()
                .all(|l| self.held[l.commodity as usize].touched)
            {
                self.delta_spread(program, spread, group, listener)?;
            }
        }
        Ok(())
    }

    /// All the steps.
    pub(crate) fn run<T: Listener>(
        &mut self,
        program: &Program,
        positions: Positions<'_>,
        listener: &mut T,
    ) -> Result<()> {
        self.load(program, positions)?;
        self.scan_all(program, |_| true);
        self.spread(program, listener)
    }

    /// Scan risk of some of the commodities held.
    pub(crate) fn scan_all(&mut self, program: &Program, of: impl Fn(u32) -> bool) {
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            if of(commodity) {
                let (scan, active) = self.scan(program, commodity);
                let held = &mut self.held[commodity as usize];
                (held.amounts.scan, held.active) = (scan, active);
            }
        }
    }

    /// The steps after the scan.
    pub(crate) fn spread<T: Listener>(
        &mut self,
        program: &Program,
        listener: &mut T,
    ) -> Result<()> {
        self.spreads(program, &program.super_spreads, Group::Super, listener)?;
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
                self.delivery(program, commodity, listener);
            }
        }
        self.spreads(program, &program.inter_spreads, Group::Inter, listener)?;
        self.spreads(
            program,
            &program.exchange_spreads,
            Group::Exchange,
            listener,
        )?;
        for i in 0..self.touched.len() {
            let commodity = self.touched[i];
            if program.options.delivery_counts_inter {
                self.delivery(program, commodity, listener);
            }
            self.short_option_minimum(program, commodity, listener);
        }
        Ok(())
    }
}
