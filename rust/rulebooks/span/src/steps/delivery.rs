//! Delivery charges, basis risk and the short option minimum: sums over periods and tiers, each part of which the
//! listener hears.

use super::listener::{DeliveryCharge, Listener, ShortOptions};
use super::state::State;
use crate::program::Program;
use kernel::float::larger;

impl State {
    /// Delivery charges of a commodity's periods: record 4, method 10, and `spotRate`, a rate per delta that spreads have
    /// used and one per delta left. Basis risk per spot position: record 4, method 11.
    ///
    /// Whether spreads between commodities count as use is not published: option `delivery_counts_inter`.
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

    /// A rate for every short option of a tier (record 4, columns 63 to 69; record S, method 30; `somTiers`): calls and puts
    /// together, or the larger side alone where column 79 is 1 (`somMeth` MAX).
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
