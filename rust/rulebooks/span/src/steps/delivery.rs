//! Delivery charges, basis risk and the short option minimum: sums over periods and tiers, each part of which the
//! listener hears.

use super::listener::{DeliveryCharge, Listener, ShortOptions};
use super::state::State;
use crate::program::Program;
use kernel::float::larger;

impl State {
    /// Delivery charges of a commodity's periods, and basis risk of its spot positions.
    pub(super) fn delivery<T: Listener>(
        &mut self,
        program: &Program,
        commodity: u32,
        listener: &mut T,
    ) {
        let cc = &program.commodities[commodity as usize];
        let held = &mut self.held[commodity as usize];
        for &(period, spread, outright) in &cc.spots {
            let p = period as usize;
            let delta = self.original[p];
            let mut used = self.used_intra[p];
            if program.options.delivery_counts_inter {
                used += self.used_inter[p];
            }
            let left = larger(delta.abs() - used, 0.0);
            let charge = DeliveryCharge {
                period,
                delta,
                used,
                left,
                spread: used * spread,
                outright: left * outright,
            };
            held.amounts.delivery_spread += charge.spread;
            held.amounts.delivery_outright += charge.outright;
            listener.delivered(commodity, charge);
        }
        held.amounts.basis = held.spot_position * cc.basis;
    }

    pub(super) fn short_option_minimum<T: Listener>(
        &mut self,
        program: &Program,
        commodity: u32,
        listener: &mut T,
    ) {
        let cc = &program.commodities[commodity as usize];
        let mut som = 0.0;
        for (k, &(tier, rate)) in cc.som.iter().enumerate() {
            let slot = cc.som_first as usize + k;
            let (calls, puts) = (self.som_calls[slot], self.som_puts[slot]);
            let count = if cc.som_max {
                larger(calls, puts)
            } else {
                calls + puts
            };
            let minimum = rate * count;
            som += minimum;
            listener.short_options(
                commodity,
                ShortOptions {
                    tier,
                    calls,
                    puts,
                    minimum,
                },
            );
        }
        self.held[commodity as usize].amounts.som = som;
    }
}
