//! One option's dividends, and what follows from them without a lattice.

use super::super::{DividendTreatment, TreeInputs};
use super::curve::Curve;
use crate::error::Result;
use crate::fail;
use crate::float::larger;
use crate::pricing::black;
use crate::pricing::escrowed;
use crate::pricing::math::{exp, ln};

/// The least deviation over the life of the option, for the moves to be numbers.
const LEAST_DEVIATION: f64 = 1e-6;

/// The time between two ex-dates, now or expiry: what its levels share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Segment {
    pub from: f64,
    pub years: f64,
    /// Value at `from` of the escrowed dividends that go ex later.
    pub later: f64,
    /// The cash of those that go ex at `from`.
    pub there: f64,
}

/// An option on what diffuses: the spot less its escrowed dividends, or the spot itself, which drops.
pub(super) struct Schedule<'a> {
    pub option: TreeInputs<'a>,
    pub american: bool,
    pub treatment: DividendTreatment,
    pub years: f64,
    pub sign: f64,
    pub carry: f64,
    /// Deviation of the logarithm of what diffuses over the life of the option.
    pub life: f64,
    pub segments: Vec<Segment>,
    /// What the option is exercised for in the last step, in terms of what diffuses.
    pub last_strike: f64,
    /// What the dividends are worth now, where they are escrowed.
    escrowed: f64,
    /// (years, cash) of the dividends that count.
    dividends: Vec<(f64, f64)>,
}

impl<'a> Schedule<'a> {
    pub(super) fn new(
        option: &TreeInputs<'a>,
        american: bool,
        treatment: DividendTreatment,
    ) -> Self {
        let years = larger(option.years, 0.0);
        let dividends: Vec<(f64, f64)> = escrowed::due(option.dividends, years)
            .filter(|&(_, cash)| cash > 0.0)
            .collect();
        let sign = f64::from(option.right);
        let mut schedule = Self {
            option: *option,
            american,
            treatment,
            years,
            sign,
            carry: option.rate - option.dividend_yield,
            life: larger(option.vol * years.sqrt(), LEAST_DEVIATION),
            segments: Vec::with_capacity(dividends.len() + 1),
            last_strike: option.strike,
            escrowed: 0.0,
            dividends,
        };
        if schedule.is_escrowed() {
            schedule.escrowed = escrowed::present_value(&schedule.dividends, years, schedule.carry);
        }
        schedule.last_strike = schedule.on_the_last_day();
        schedule.divide();
        schedule
    }

    #[inline(always)]
    pub(super) fn is_escrowed(&self) -> bool {
        self.treatment == DividendTreatment::Escrowed
    }

    fn divide(&mut self) {
        let mut from = 0.0;
        let mut there = 0.0;
        let mut index = 0;
        loop {
            let next = self.dividends[index..]
                .iter()
                .map(|&(when, _)| when)
                .find(|&when| when > from && when < self.years);
            let to = next.unwrap_or(self.years);
            let later = if self.is_escrowed() {
                let ahead = self.dividends.iter().filter(|(when, _)| *when > from);
                ahead
                    .map(|&(when, cash)| cash * exp(-self.carry * (when - from)))
                    .sum()
            } else {
                0.0
            };
            self.segments.push(Segment {
                from,
                years: to - from,
                later,
                there,
            });
            if next.is_none() {
                return;
            }
            from = to;
            there = 0.0;
            for &(when, cash) in &self.dividends {
                if when == from {
                    there += cash;
                }
            }
            while index < self.dividends.len() && self.dividends[index].0 <= from {
                index += 1;
            }
        }
    }

    /// A dividend of the last day: a call is exercised with it if it may be, a put without.
    fn on_the_last_day(&self) -> f64 {
        let cash: f64 = self
            .dividends
            .iter()
            .filter(|(when, _)| *when >= self.years)
            .map(|(_, cash)| cash)
            .sum();
        let with_it = self.sign > 0.0 && self.american;
        match (self.treatment, with_it) {
            (DividendTreatment::Escrowed, true) => self.option.strike - cash,
            (DividendTreatment::SpotDrop, false) => self.option.strike + cash,
            _ => self.option.strike,
        }
    }

    /// What diffuses of a spot.
    pub(super) fn diffusing(&self, spot: f64) -> Result<f64> {
        let left = spot - self.escrowed;
        if left <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "tree: the dividends before expiry are worth more than the spot of {spot}: nothing is left to diffuse; \
                 use the spot-drop treatment"
            );
        }
        Ok(left)
    }

    #[inline(always)]
    pub(super) fn european(&self, diffusing: f64) -> f64 {
        let o = &self.option;
        black::price_one(
            diffusing,
            o.strike,
            self.years,
            o.rate,
            o.dividend_yield,
            o.vol,
            o.right,
        )
    }

    #[inline(always)]
    pub(super) fn exercised_now(&self, spot: f64) -> f64 {
        self.sign * (spot - self.option.strike)
    }

    /// The logarithms, from the strike's, between which the outcome is open `deviations` of the life of the option around
    /// the strike, at any time, in prices of now of what diffuses; `None` where there is no such price.
    #[inline(always)]
    pub(super) fn open(&self, deviations: f64) -> Option<(f64, f64)> {
        let strike = self.option.strike;
        let (mut least, mut most) = (f64::INFINITY, 0.0);
        let mut paid = 0.0;
        let mut add = |t: f64, later: f64, paid: f64| {
            let now = exp(-self.carry * t);
            let (low, high) = ((strike - later) * now, strike * now + paid);
            least = if low > 0.0 && low < least { low } else { least };
            most = larger(most, high);
        };
        for segment in &self.segments {
            if !self.is_escrowed() {
                paid += segment.there * exp(-self.carry * segment.from);
            }
            add(segment.from, segment.later + segment.there, paid);
            let end = segment.from + segment.years;
            add(end, segment.later * exp(self.carry * segment.years), paid);
        }
        add(self.years, strike - self.last_strike, paid);
        let around = deviations * self.life;
        (least < most).then(|| (ln(least / strike) - around, ln(most / strike) + around))
    }

    /// As [`Self::open`], around one price.
    #[inline(always)]
    pub(super) fn around(&self, diffusing: f64, deviations: f64) -> (f64, f64) {
        let middle = ln(diffusing / self.option.strike);
        let around = deviations * self.life;
        (middle - around, middle + around)
    }

    /// What exercise at the best time is worth if the price follows its forward. Between ex-dates the value of exercise at
    /// `t` is `sign (a exp(-yield t) - strike exp(-rate t))`, with at most one turning point.
    pub(super) fn certain(&self, spot: f64) -> Curve {
        let o = &self.option;
        let mut best = Curve::default();
        // The spot at `from`, in prices of now.
        let mut carried = spot;
        let mut try_at = |carried: f64, t: f64| {
            let price =
                self.sign * (carried * exp(-o.dividend_yield * t) - o.strike * exp(-o.rate * t));
            if price > best.price {
                best = Curve {
                    price,
                    delta: self.sign * exp(-o.dividend_yield * t),
                    gamma: 0.0,
                };
            }
        };
        let mut ends = self.years;
        for segment in &self.segments {
            carried = larger(
                carried - segment.there * exp(-self.carry * segment.from),
                0.0,
            );
            let (from, to) = (segment.from, segment.from + segment.years);
            ends = to;
            if !self.american {
                continue;
            }
            try_at(carried, from);
            try_at(carried, to);
            let ratio = o.rate * o.strike / (o.dividend_yield * carried);
            let turn = ln(larger(ratio, f64::MIN_POSITIVE)) / self.carry;
            if ratio > 0.0 && ratio.is_finite() && turn > from && turn < to {
                try_at(carried, turn);
            }
        }
        let last: f64 = self
            .dividends
            .iter()
            .filter(|(when, _)| *when >= self.years)
            .map(|(_, cash)| cash)
            .sum();
        try_at(
            larger(carried - last * exp(-self.carry * self.years), 0.0),
            ends,
        );
        best
    }
}
