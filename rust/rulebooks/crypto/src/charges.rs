//! Charges beside the scan, over sums that one pass through an account's positions collects.
//!
//! Each names the venue whose rule it is and where it is published; what a venue does not publish is graded `inferred`
//! in its preset.

use super::instruments::ExpirySlot;
use super::parameters::{
    DeltaShock, Futures, MinDelta, Roll, ShortNetting, ShortOptions, Slippage,
};
use kernel::float::{larger, smaller};

/// What one unit of one account adds up to. Coins are signed, money is in the unit's currency.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sums {
    pub(super) held: bool,
    pub(super) has_options: bool,
    pub(super) has_futures: bool,
    /// Net and gross delta in coins.
    pub(super) delta: f64,
    pub(super) gross_delta: f64,
    /// Price-adjusted delta of long options, and of everything else.
    pub(super) long_option_delta: f64,
    pub(super) other_delta: f64,
    /// Value the options gain (lose, if negative) as time passes.
    pub(super) decay: f64,
    pub(super) option_coins: f64,
    pub(super) short_option_coins: f64,
    pub(super) futures_long: f64,
    pub(super) futures_short: f64,
    pub(super) perpetual_notional: f64,
    pub(super) option_value: f64,
    pub(super) spot_value: f64,
    /// Spot that is kept apart from the delta.
    pub(super) spot_coins: f64,
    pub(super) perps: f64,
}

impl Sums {
    /// The coins of spot that hedge the delta of everything else: OKX `spotInUse` (help centre, portfolio margin).
    pub(super) fn spot_in_use(&self) -> f64 {
        let (held, needed) = (self.spot_coins, -self.delta);
        if held * needed <= 0.0 {
            0.0
        } else if held.abs() < needed.abs() {
            held
        } else {
            needed
        }
    }

    /// Takes amounts out; what is held stays held.
    pub(super) fn subtract(&mut self, other: &Self) {
        // Named one by one: a sum that is forgotten here does not compile.
        let Self {
            held: _,
            has_options: _,
            has_futures: _,
            delta,
            gross_delta,
            long_option_delta,
            other_delta,
            decay,
            option_coins,
            short_option_coins,
            futures_long,
            futures_short,
            perpetual_notional,
            option_value,
            spot_value,
            spot_coins,
            perps,
        } = *other;
        for (own, other) in [
            (&mut self.delta, delta),
            (&mut self.gross_delta, gross_delta),
            (&mut self.long_option_delta, long_option_delta),
            (&mut self.other_delta, other_delta),
            (&mut self.decay, decay),
            (&mut self.option_coins, option_coins),
            (&mut self.short_option_coins, short_option_coins),
            (&mut self.futures_long, futures_long),
            (&mut self.futures_short, futures_short),
            (&mut self.perpetual_notional, perpetual_notional),
            (&mut self.option_value, option_value),
            (&mut self.spot_value, spot_value),
            (&mut self.spot_coins, spot_coins),
            (&mut self.perps, perps),
        ] {
            *own -= other;
        }
    }
}

impl Roll {
    /// The rate of an expiry; undated contracts pay the minimum. Deribit `roll_shock` with `min_annualised_move` and
    /// `annualised_move_risk` (API, pme/get_params; the exponential is inferred); OKX MR4 (notice of 2 January 2025).
    pub(super) fn rate(&self, years: f64) -> f64 {
        let grown = (self.annualised * years).exp() - 1.0;
        larger(grown, self.min)
    }
}

impl Slippage {
    /// OKX MR7: the multiplier of the tier that the raw amount is in, on all of it.
    pub(super) fn charge(&self, notional: f64) -> f64 {
        let raw = self.rate * notional;
        let tier = self
            .tiers
            .iter()
            .find(|t| t.0.is_none_or(|most| raw <= most));
        raw * tier.map_or(1.0, |t| t.1)
    }

    /// The most it can grow by per unit of notional.
    pub(super) fn steepest(&self) -> f64 {
        self.rate * self.tiers.iter().fold(1.0, |most, t| f64::max(most, t.1))
    }
}

impl Futures {
    /// Coins charged: the sum of absolute positions (Deribit's older model; Bybit API v5/asset/portfolio-margin,
    /// futures contingency), or the larger side (Deribit's vintage A).
    pub(super) fn coins(&self, sums: &Sums) -> f64 {
        let (long, short) = (sums.futures_long, sums.futures_short);
        if self.larger_side {
            larger(long, short)
        } else {
            long + short
        }
    }
}

impl DeltaShock {
    /// In coins. Long options may reduce the delta of the rest; they never create one. Deribit `delta_shock` with
    /// `delta_total_liq_shock_threshold`, `m_inc`, `max_delta_shock` (API, pme/get_params; the formula is inferred).
    pub(super) fn charge(&self, sums: &Sums, index: f64) -> f64 {
        let (longs, rest) = (sums.long_option_delta, sums.other_delta);
        let both = longs + rest;
        let net = if rest < 0.0 {
            both.max(rest).min(0.0)
        } else {
            both.min(rest).max(0.0)
        };
        let size = net.abs();
        let above = size - self.threshold / index;
        if above <= 0.0 {
            return 0.0;
        }
        let rate = self.slope * above;
        size * smaller(rate, self.max)
    }

    /// The most it can grow by per coin of delta: up to where the rate is capped it is D * slope * (D - t), whose slope
    /// there, at D = t + max / slope, is 2 max + slope t.
    pub(super) fn steepest(&self, index: f64) -> f64 {
        2.0 * self.max + self.slope * self.threshold / index
    }
}

impl MinDelta {
    /// Paradex MinDelta (documentation, risk-system/portfolio-margin): net delta, and half of what offsets.
    pub(super) fn floor(&self, sums: &Sums, index: f64) -> f64 {
        let net = sums.delta.abs();
        (self.unhedged * net + self.hedged * (sums.gross_delta - net) / 2.0) * index
    }

    /// The most it can grow by per coin of delta.
    pub(super) fn steepest(&self) -> f64 {
        self.unhedged + self.hedged
    }

    /// Whether it is convex in the lots: the weight of the net delta is not negative.
    pub(super) fn is_convex(&self) -> bool {
        2.0 * self.unhedged >= self.hedged
    }
}

impl ShortOptions {
    pub(super) fn needs_strikes(&self) -> bool {
        matches!(self.netting, ShortNetting::Strike | ShortNetting::Rolled)
    }

    /// Coins charged. `strikes` are (expiry, strike) in ascending order and `nets` their net coins. Deribit's older
    /// model by vintage: all options (A, B), net shorts by strike (C), rolled (D).
    pub(super) fn coins(
        &self,
        sums: &Sums,
        strikes: &[(u32, f64)],
        nets: &[f64],
        index: f64,
    ) -> f64 {
        match self.netting {
            ShortNetting::All => sums.option_coins,
            ShortNetting::Contract => sums.short_option_coins,
            ShortNetting::Strike => nets.iter().map(|&q| larger(-q, 0.0)).sum(),
            ShortNetting::Rolled => self.rolled(strikes, nets, index),
        }
    }

    /// Longs further out of the money cover shorts: strikes from spot up are walked from above, those below from
    /// below. Inside the band at the money a position counts by its distance from spot. Deribit Portfolio Margin Model
    /// (PDF), vintage D; Dederi wiki, RiskControlRules/portfolio_margin.
    fn rolled(&self, strikes: &[(u32, f64)], nets: &[f64], index: f64) -> f64 {
        let mut total = 0.0;
        let mut first = 0;
        for run in strikes.chunk_by(|a, b| a.0 == b.0) {
            let own = &nets[first..first + run.len()];
            first += run.len();
            let split = run.partition_point(|s| s.1 < index);
            let adjusted = |i: usize| {
                let distance = (index - run[i].1).abs() / (index * self.atm_range);
                own[i] * smaller(distance, 1.0)
            };
            let mut walk = |order: &mut dyn Iterator<Item = usize>| {
                let mut carried = 0.0;
                for i in order {
                    carried += adjusted(i);
                    if carried < 0.0 {
                        total -= carried;
                        carried = 0.0;
                    }
                }
            };
            walk(&mut (split..run.len()).rev());
            walk(&mut (0..split));
        }
        total
    }
}

/// Sum over expiries of |amount| times the expiry's rate: expiries do not offset (Deribit `roll_shock`, OKX MR4).
pub(super) fn roll(amounts: &[f64], rates: &[f64]) -> f64 {
    amounts
        .iter()
        .zip(rates)
        .fold(0.0, |sum, (a, r)| sum + a.abs() * r)
}

/// The rates of a unit's expiries.
pub(super) fn roll_rates(roll: &Roll, expiries: &[ExpirySlot]) -> Vec<f64> {
    expiries.iter().map(|e| roll.rate(e.years)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hedged_delta_costs_less() {
        let rule = MinDelta {
            unhedged: 0.02,
            hedged: 0.01,
        };
        let sums = Sums {
            delta: -0.5,
            gross_delta: 2.5,
            ..Sums::default()
        };
        assert!((rule.floor(&sums, 70_000.0) - 1400.0).abs() < 1e-9);
    }

    #[test]
    fn shorts_net_at_a_strike_and_roll_against_longs_further_out() {
        let strike = ShortOptions {
            rate: 0.01,
            netting: ShortNetting::Strike,
            atm_range: 0.0,
        };
        let none = Sums::default();
        assert_eq!(strike.coins(&none, &[(1, 5.0)], &[10.0 - 20.0], 1.0), 10.0);
        let rolled = ShortOptions {
            rate: 0.01,
            netting: ShortNetting::Rolled,
            atm_range: 0.1,
        };
        let strikes = [(1, 80.0), (1, 120.0), (1, 130.0)];
        assert_eq!(
            rolled.coins(&none, &strikes, &[-1.0, -3.0, 2.0], 100.0),
            2.0
        );
        // A long nearer the money covers nothing further out.
        assert_eq!(rolled.coins(&none, &strikes, &[0.0, 3.0, -2.0], 100.0), 2.0);
        // At 5 % from spot inside a 10 % band a short counts half.
        assert!((rolled.coins(&none, &[(1, 105.0)], &[-1.0], 100.0) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn the_delta_shock_starts_at_its_threshold() {
        let rule = DeltaShock {
            threshold: 20e6,
            slope: 5e-5,
            max: 0.1,
        };
        let at = |longs: f64, rest: f64| {
            rule.charge(
                &Sums {
                    long_option_delta: longs,
                    other_delta: rest,
                    ..Sums::default()
                },
                100_000.0,
            )
        };
        assert_eq!(at(0.0, 200.0), 0.0);
        assert!((at(0.0, 300.0) - 300.0 * 5e-3).abs() < 1e-9);
        assert_eq!(at(500.0, 0.0), 0.0);
        assert!((at(-100.0, 400.0) - 300.0 * 5e-3).abs() < 1e-9);
    }
}
