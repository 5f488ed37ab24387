//! Black-Scholes-Merton price and sensitivities of European options in one pass.
//!
//! Units, per one unit of underlying: delta per unit of spot; gamma per unit of spot squared; vega and vanna per 1.00 of
//! vol (divide by 100 for a vol point), vanna being d delta / d vol; volga per 1.00 of vol squared; theta per year of
//! calendar time passing, the market unchanged (negative for most long options); rho per 1.00 of rate, the yield
//! unchanged. Hull, Options, Futures, and Other Derivatives, ch. 19, with a continuous yield.
//!
//! At zero time or vol the price is the intrinsic value on the forward: delta steps (half at the money), theta and rho
//! are those of the discounted intrinsic value, and gamma, vega, vanna and volga are 0.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use super::OptionColumns;
use super::black::{reciprocal_and_half, terms, value};
use super::math::{INV_SQRT_2PI, exp, gauss, mills};
use crate::float::smaller;
use crate::simd::{self, Kernel};

/// Where the results go: one column per value, each as long as the options.
#[derive(Debug)]
pub struct GreekColumns<'a> {
    pub price: &'a mut [f64],
    pub delta: &'a mut [f64],
    pub gamma: &'a mut [f64],
    pub vega: &'a mut [f64],
    pub theta: &'a mut [f64],
    pub rho: &'a mut [f64],
    pub vanna: &'a mut [f64],
    pub volga: &'a mut [f64],
}

/// One option's price and sensitivities; units as in the module's text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Greeks {
    pub price: f64,
    pub delta: f64,
    pub gamma: f64,
    pub vega: f64,
    pub theta: f64,
    pub rho: f64,
    pub vanna: f64,
    pub volga: f64,
}

/// Beyond this many deviations, densities and tails are those at it (1e-299).
const FAR: f64 = 37.0;

/// N(x) and exp(-x^2/2).
#[inline(always)]
pub(super) fn distribution(x: f64) -> (f64, f64) {
    let a = smaller(x.abs(), FAR);
    let density = gauss(a);
    let (p, q) = mills(a);
    let tail = density * (p / q);
    (if x > 0.0 { 1.0 - tail } else { tail }, density)
}

#[inline(always)]
fn greeks_body(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> Greeks {
    let t = terms(spot, strike, years, rate, dividend_yield);
    let years = t.root_years * t.root_years;
    let deviation = vol * t.root_years;
    let alive = deviation > 0.0;
    let (inverse, half) = reciprocal_and_half(deviation);
    let sign = f64::from(right);
    let price = value(t.forward, t.strike, t.moneyness, inverse, half, sign);

    // At zero deviation the limits are 0, a half and 1, whatever x / v overflows to.
    let h = smaller(t.moneyness.abs() * inverse, 2.0 * FAR);
    let h = if t.moneyness < 0.0 { -h } else { h };
    let (d1, d2) = (h + half, h - half);
    let (exercised_spot, density) = distribution(sign * d1);
    let (exercised_strike, _) = distribution(sign * d2);
    let density = if alive { INV_SQRT_2PI * density } else { 0.0 };
    let inverse_vol = if alive { t.root_years * inverse } else { 0.0 };

    let carry = exp(-dividend_yield * years);
    let delta = sign * carry * exercised_spot;
    let gamma = if alive {
        carry * density * inverse / spot
    } else {
        0.0
    };
    let vega = t.forward * density * t.root_years;
    let vanna = -carry * density * d2 * inverse_vol;
    let volga = vega * d1 * d2 * inverse_vol;
    let owned = t.forward * exercised_spot;
    let paid = t.strike * exercised_strike;
    // vega * vol / (2 years), written so that it is 0 where the deviation is.
    let decay = if alive {
        0.5 * t.forward * density * vol / t.root_years
    } else {
        0.0
    };
    let theta = sign * (dividend_yield * owned - rate * paid) - decay;
    let rho = sign * years * paid;
    Greeks {
        price,
        delta,
        gamma,
        vega,
        theta,
        rho,
        vanna,
        volga,
    }
}

/// Price and sensitivities of each row; `price` has the bits of [`super::black::price`].
///
/// # Panics
/// If the columns differ in length.
pub fn black(o: &OptionColumns, out: GreekColumns) {
    simd::run(Columns { o: *o, out });
}

struct Columns<'a> {
    o: OptionColumns<'a>,
    out: GreekColumns<'a>,
}

impl Kernel for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let out = self.out;
        let n = out.price.len();
        let o = self.o.exactly(n);
        let (price, delta, gamma, vega) = (
            &mut out.price[..n],
            &mut out.delta[..n],
            &mut out.gamma[..n],
            &mut out.vega[..n],
        );
        let (theta, rho, vanna, volga) = (
            &mut out.theta[..n],
            &mut out.rho[..n],
            &mut out.vanna[..n],
            &mut out.volga[..n],
        );
        for i in 0..n {
            let g = greeks_body(
                o.spot[i],
                o.strike[i],
                o.years[i],
                o.rate[i],
                o.dividend_yield[i],
                o.vol[i],
                o.right[i],
            );
            price[i] = g.price;
            delta[i] = g.delta;
            gamma[i] = g.gamma;
            vega[i] = g.vega;
            theta[i] = g.theta;
            rho[i] = g.rho;
            vanna[i] = g.vanna;
            volga[i] = g.volga;
        }
    }
}

/// One option's price and sensitivities; the bits of [`black`].
pub fn black_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> Greeks {
    struct One(f64, f64, f64, f64, f64, f64, i8);
    impl Kernel for One {
        type Output = Greeks;
        #[inline(always)]
        fn run(self) -> Greeks {
            greeks_body(self.0, self.1, self.2, self.3, self.4, self.5, self.6)
        }
    }
    simd::run(One(spot, strike, years, rate, dividend_yield, vol, right))
}
