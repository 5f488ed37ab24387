//! What one contract adds to the sums of its unit, and the memory of a pass.

use super::charges::Sums;
use super::instruments::Class;
use super::lanes::Lane;
use super::pmrm::ExpiryTerms;
use kernel::float::larger;

/// One contract per lot, in its unit's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct RowTerms {
    pub(super) unit: u32,
    /// Which of the unit's sums of rows it enters, where its row begins there, and what the sum takes of it.
    pub(super) lane: u32,
    pub(super) offset: u32,
    pub(super) scale: f64,
    pub(super) coin_mark: f64,
    pub(super) class: Class,
    /// Spot whose use in the scan depends on everything else.
    pub(super) apart: bool,
    pub(super) expiry: u32,
    pub(super) strike: u32,
    pub(super) coins: f64,
    pub(super) delta: f64,
    /// Delta less mark for an inverse option.
    pub(super) adjusted_delta: f64,
    /// Delta in money: coins in an inverse unit.
    pub(super) roll: f64,
    pub(super) decay: f64,
    pub(super) value: f64,
}

#[derive(Default)]
pub(super) struct BookScratch {
    pub(super) lanes: Vec<Lane>,
    pub(super) sums: Vec<Sums>,
    pub(super) rolls: Vec<f64>,
    pub(super) strikes: Vec<f64>,
    pub(super) gross: Vec<f64>,
    pub(super) marks: Vec<f64>,
    pub(super) expiries: Vec<(ExpiryTerms, f64, f64)>,
    pub(super) pnl: Vec<f64>,
    /// Sums of positions by scenario, spot included, before dampening, offsets and gains.
    pub(super) raw: Vec<f64>,
}

impl RowTerms {
    /// Takes `q` lots out of the sums of a unit, as far as adding them can be undone.
    pub(super) fn remove(&self, q: f64, sums: &mut Sums) {
        let mut own = Sums::default();
        self.add(q, &mut own);
        sums.subtract(&own);
    }

    /// Adds `q` lots to the sums of a unit.
    #[inline]
    pub(super) fn add(&self, q: f64, sums: &mut Sums) {
        if self.apart {
            sums.spot_coins += q * self.coins;
            sums.spot_value += q * self.value;
            return;
        }
        let delta = q * self.delta;
        sums.delta += delta;
        sums.gross_delta += delta.abs();
        if self.class == Class::Option && q > 0.0 {
            sums.long_option_delta += q * self.adjusted_delta;
        } else {
            sums.other_delta += q * self.adjusted_delta;
        }
        let coins = q * self.coins;
        match self.class {
            Class::Option => {
                sums.has_options = true;
                sums.option_coins += coins.abs();
                sums.short_option_coins += larger(-coins, 0.0);
                sums.option_value += q * self.value;
                sums.decay += q * self.decay;
            }
            Class::Future | Class::Perpetual => {
                if coins > 0.0 {
                    sums.futures_long += coins;
                } else {
                    sums.futures_short -= coins;
                }
                if self.class == Class::Perpetual {
                    sums.perpetual_notional += (q * self.roll).abs();
                    sums.perps += coins;
                } else {
                    sums.has_futures = true;
                }
            }
            Class::Spot => sums.spot_value += q * self.value,
        }
    }
}
