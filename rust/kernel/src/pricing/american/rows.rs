//! Which method prices a row, and the row as the put that the collocation prices.

use super::Mode;
use super::mode::System;
use crate::error::Result;
use crate::fail;
use crate::float::{larger, smaller};
use crate::pricing::OptionColumns;
use crate::pricing::lanes::{Lanes, WIDTH};

/// One option as given, with its vol and time after the scenario's moves.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    /// Where its results go.
    pub(super) index: usize,
    pub(super) spot: f64,
    pub(super) strike: f64,
    pub(super) years: f64,
    pub(super) rate: f64,
    pub(super) dividend_yield: f64,
    pub(super) vol: f64,
    pub(super) right: i8,
}

/// How a row is priced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Route {
    /// Early exercise never pays, or there is no time left for it: the European price is the American one.
    European,
    /// One exercise boundary, found by collocation.
    Collocation,
    /// The same, where rates are too large for few points and the quick system of equations.
    HighRates,
    /// The boundary is double, or there is no vol to speak of: trees.
    Tree,
}

impl Route {
    /// The equations that settle for its rows.
    pub(super) fn system(self) -> System {
        match self {
            Self::HighRates => System::Value,
            _ => System::Slope,
        }
    }
}

/// Interest over the life of the option up to which few points follow the boundary to where it is the perpetual one's.
const MOST_INTEREST: f64 = 2.0;
/// `exp(-30)` is as good as nothing.
const FADED: f64 = 30.0;
/// Least deviation over the life of the option for the collocation.
const LEAST_DEVIATION: f64 = 1e-6;

impl Row {
    pub(super) fn new(o: &OptionColumns<'_>, index: usize) -> Self {
        Self {
            index,
            spot: o.spot[index],
            strike: o.strike[index],
            years: o.years[index],
            rate: o.rate[index],
            dividend_yield: o.dividend_yield[index],
            vol: o.vol[index],
            right: o.right[index],
        }
    }

    /// Rate and yield of the put that has this price, by McDonald-Schroder symmetry for a call.
    pub(super) fn put_rates(&self) -> (f64, f64) {
        if self.right > 0 {
            (self.dividend_yield, self.rate)
        } else {
            (self.rate, self.dividend_yield)
        }
    }

    /// The method. For the put: with `rate <= 0` and `yield >= rate` waiting costs nothing, so it is never exercised
    /// early; with `yield < rate < 0` it is exercised between two boundaries (Andersen and Lake, Wilmott, 2021).
    /// Early exercise is worth at most the interest on the strike (less the yield on the spot): where neither reaches
    /// the strike's last bit, the price is the European one, and the boundary's equations have nothing to solve.
    pub(super) fn route(&self, mode: Mode) -> Route {
        let (rate, dividend_yield) = self.put_rates();
        let no_interest =
            rate * self.years <= f64::EPSILON && dividend_yield * self.years >= -f64::EPSILON;
        if self.years <= 0.0 || no_interest || (rate <= 0.0 && dividend_yield >= rate) {
            return Route::European;
        }
        let root = self.years.sqrt();
        let one_boundary = rate >= 0.0;
        let settles = (rate - dividend_yield).abs() * root <= mode.most_carry() * self.vol
            && rate * self.years <= MOST_INTEREST;
        if !one_boundary || self.vol * root < LEAST_DEVIATION {
            Route::Tree
        } else if settles {
            Route::Collocation
        } else {
            Route::HighRates
        }
    }

    /// The years over which early exercise is worth anything: where the carry of the put drives the spot up, what is earned
    /// on reaching the boundary `t` years from now fades as `exp(-(rate + pull^2 / 2) t)`.
    pub(super) fn horizon(&self, route: Route) -> f64 {
        let (rate, dividend_yield) = self.put_rates();
        let carry = rate - dividend_yield;
        if route != Route::HighRates {
            return self.years;
        }
        let pull = larger(carry / self.vol - 0.5 * self.vol, 0.0);
        smaller(self.years, FADED / (rate + 0.5 * pull * pull))
    }
}

/// Eight rows, lane by lane; a short block is filled up with its last row.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) count: usize,
    pub(super) index: [usize; WIDTH],
    pub(super) spot: Lanes,
    pub(super) strike: Lanes,
    /// +1 for a call, -1 for a put.
    pub(super) sign: Lanes,
    pub(super) years: Lanes,
    pub(super) horizon: Lanes,
    /// Of the put.
    pub(super) rate: Lanes,
    pub(super) dividend_yield: Lanes,
    pub(super) vol: Lanes,
}

impl Block {
    #[inline(always)]
    pub(super) fn new(rows: &[Row], route: Route) -> Self {
        let count = rows.len();
        let mut block = Self {
            count,
            index: [0; WIDTH],
            spot: Lanes::ZERO,
            strike: Lanes::ZERO,
            sign: Lanes::ZERO,
            years: Lanes::ZERO,
            horizon: Lanes::ZERO,
            rate: Lanes::ZERO,
            dividend_yield: Lanes::ZERO,
            vol: Lanes::ZERO,
        };
        for l in 0..WIDTH {
            let row = &rows[if l < count { l } else { count - 1 }];
            let (rate, dividend_yield) = row.put_rates();
            block.index[l] = row.index;
            block.spot.0[l] = row.spot;
            block.strike.0[l] = row.strike;
            block.sign.0[l] = f64::from(row.right);
            block.years.0[l] = row.years;
            block.horizon.0[l] = row.horizon(route);
            block.rate.0[l] = rate;
            block.dividend_yield.0[l] = dividend_yield;
            block.vol.0[l] = row.vol;
        }
        block
    }
}

/// Refuses columns of different lengths and values that no option has.
pub(super) fn check(o: &OptionColumns<'_>) -> Result<()> {
    let n = o.spot.len();
    let columns = [
        ("strike", o.strike.len()),
        ("years", o.years.len()),
        ("rate", o.rate.len()),
        ("dividend yield", o.dividend_yield.len()),
        ("vol", o.vol.len()),
        ("right", o.right.len()),
    ];
    for (name, length) in columns {
        if length != n {
            fail!(
                InvalidInput: WrongShape;
                "american: {n} spots and {length} values of {name}: columns must be of one length"
            );
        }
    }
    for i in 0..n {
        let (spot, strike, years, vol) = (o.spot[i], o.strike[i], o.years[i], o.vol[i]);
        let (rate, dividend_yield, right) = (o.rate[i], o.dividend_yield[i], o.right[i]);
        if !(spot > 0.0 && spot.is_finite() && strike > 0.0 && strike.is_finite()) {
            fail!(
                InvalidInput: OutOfRange;
                "american: row {i}: spot {spot} and strike {strike} must be positive numbers"
            );
        }
        if !(vol >= 0.0
            && vol.is_finite()
            && years.is_finite()
            && rate.is_finite()
            && dividend_yield.is_finite())
        {
            fail!(
                InvalidInput: OutOfRange;
                "american: row {i}: vol {vol} must not be negative, and it, years {years}, rate {rate} and dividend \
                 yield {dividend_yield} must be finite"
            );
        }
        let years = larger(years, 0.0);
        if (rate * years).abs() > MOST_GROWTH
            || (dividend_yield * years).abs() > MOST_GROWTH
            || vol * years.sqrt() > MOST_DEVIATION
        {
            fail!(
                InvalidInput,
                "american: row {i}: rate {rate}, dividend yield {dividend_yield} and vol {vol} over {years} years: \
                 check the units"
            );
        }
        if right != 1 && right != -1 {
            fail!(
                InvalidInput,
                "american: row {i}: right {right} must be +1 (call) or -1 (put)"
            );
        }
    }
    Ok(())
}

/// Growth by `exp(20)` and a deviation of 100 are errors of units; the kernels' exponents count on it.
const MOST_GROWTH: f64 = 20.0;
const MOST_DEVIATION: f64 = 100.0;
