//! Black-Scholes-Merton and Black (1976) prices of European options.
//!
//! Out-of-the-money form: with F and K discounted forward and strike, x = ln(F/K), v = vol sqrt(years),
//! h = |x|/v and t = v/2,
//!
//! ```text
//! price = max(right (F - K), 0) + min(F, K) exp(-(t-h)^2/2) (m(h-t) - m(h+t)),    m(u) = N(-u) exp(u^2/2)
//! ```
//!
//! one exponential and one division per price, the same work for calls and puts, no cancellation between F and K.
//! Time or vol at or below zero gives the intrinsic value on the forward. Prices are never negative and never NaN for
//! finite inputs. Error: below 5e-15 max(spot, strike), and below 1e-9 relative where the price exceeds 1e-12 spot
//! (tested against 50-digit values). `price` and the first scenario of no moves in `price_grid` agree bit for bit.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

mod block;
mod grid;

use self::block::{Block, Deviations, LANES, OneMove, ROWS, Scratch};
use super::OptionColumns;
use super::math::{density, exp, greater, lesser, ln_ratio, mills_grid};
use crate::simd::{self, Kernel};

pub use self::grid::price_grid;
pub(crate) use self::grid::price_grid_at;

/// Distances beyond this many deviations are priced as at it: the density there is 1e-282.
const FAR: f64 = 36.0;
/// Stands for a deviation of zero: h is FAR unless x is zero, and the time value comes out as exactly 0.
const NO_DEVIATION: f64 = 1e-150;
const SIGN_BIT: u64 = 1 << 63;

/// 1/v and v/2 of a deviation v, both in the range [`time_value`] takes.
#[inline(always)]
pub(super) fn reciprocal_and_half(deviation: f64) -> (f64, f64) {
    let v = greater(deviation, NO_DEVIATION);
    (1.0 / v, lesser(0.5 * v, FAR))
}

/// t - h and t + h of the module's text: `x` = ln(F/K), `inverse` = 1/v, `half` = v/2.
#[inline(always)]
fn distances(x: f64, inverse: f64, half: f64) -> (f64, f64) {
    let h = lesser(x.abs() * inverse, FAR);
    (half - h, half + h)
}

/// Value above intrinsic: `smaller` = min(F, K), `weight` = exp(-d^2/2), the Mills ratios of |d| and of t + h.
#[inline(always)]
fn value_above(d: f64, weight: f64, near: (f64, f64), far: (f64, f64), smaller: f64) -> f64 {
    let inside = d > 0.0;
    let p_near = if inside { -near.0 } else { near.0 };
    let base = if inside { smaller } else { 0.0 };
    // Two plain products: they cancel exactly where near and far meet, which is what makes zero deviation exact.
    let numerator = p_near * far.1 - far.0 * near.1;
    greater(
        (smaller * weight).mul_add(numerator / (near.1 * far.1), base),
        0.0,
    )
}

#[inline(always)]
pub(super) fn time_value(x: f64, inverse: f64, half: f64, smaller: f64) -> f64 {
    let (d, far) = distances(x, inverse, half);
    value_above(d, density(d), mills_grid(d.abs()), mills_grid(far), smaller)
}

/// max(right (F - K), 0), where `sign` is the sign bit of `right`.
#[inline(always)]
pub(super) fn intrinsic(forward: f64, strike: f64, sign: u64) -> f64 {
    greater(f64::from_bits((forward - strike).to_bits() ^ sign), 0.0)
}

/// A right's sign bit: 0 for a call, the sign bit for a put.
#[inline(always)]
pub(super) fn sign_of(right: i8) -> u64 {
    (i64::from(right) as u64) & SIGN_BIT
}

/// What scenarios of one option share.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    /// Spot and strike, each discounted by its own carry.
    pub(super) forward: f64,
    pub(super) strike: f64,
    /// ln(forward / strike).
    pub(super) moneyness: f64,
    pub(super) root_years: f64,
}

#[inline(always)]
pub(super) fn terms(spot: f64, strike: f64, years: f64, rate: f64, dividend_yield: f64) -> Terms {
    let years = greater(years, 0.0);
    Terms {
        forward: spot * exp(-dividend_yield * years),
        strike: strike * exp(-rate * years),
        moneyness: (rate - dividend_yield).mul_add(years, ln_ratio(spot, strike)),
        root_years: years.sqrt(),
    }
}

#[inline(always)]
fn price_body(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> f64 {
    let t = terms(spot, strike, years, rate, dividend_yield);
    let (inverse, half) = reciprocal_and_half(vol * t.root_years);
    time_value(t.moneyness, inverse, half, lesser(t.forward, t.strike))
        + intrinsic(t.forward, t.strike, sign_of(right))
}

#[inline(always)]
fn forward_body(forward: f64, strike: f64, years: f64, vol: f64, right: i8, discount: f64) -> f64 {
    let (inverse, half) = reciprocal_and_half(vol * greater(years, 0.0).sqrt());
    let value = time_value(
        ln_ratio(forward, strike),
        inverse,
        half,
        lesser(forward, strike),
    );
    discount * (value + intrinsic(forward, strike, sign_of(right)))
}

/// Black-Scholes-Merton price of each row, per unit of underlying.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn price(o: &OptionColumns, out: &mut [f64]) {
    simd::run(Price { o: *o, out });
}

struct Price<'a> {
    o: OptionColumns<'a>,
    out: &'a mut [f64],
}

impl Kernel for Price<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let o = self.o.exactly(n);
        let mut block = Block::new();
        let mut deviations = Deviations::new();
        let mut scratch = Scratch::new();
        let mut cells = [0.0; ROWS];
        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            let padded = rows.next_multiple_of(LANES);
            block.fill(&o.rows(start, rows), 0.0);
            deviations.fill(&block, &[0.0; ROWS], padded);
            scratch.prices(
                &mut cells,
                &block,
                &deviations,
                OneMove {
                    factor: 1.0,
                    log: 0.0,
                },
                padded,
            );
            self.out[start..][..rows].copy_from_slice(&cells[..rows]);
        }
    }
}

/// One Black-Scholes-Merton price; the bits of [`price`].
pub fn price_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> f64 {
    struct One(f64, f64, f64, f64, f64, f64, i8);
    impl Kernel for One {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            price_body(self.0, self.1, self.2, self.3, self.4, self.5, self.6)
        }
    }
    simd::run(One(spot, strike, years, rate, dividend_yield, vol, right))
}

/// One Black (1976) price on a forward, times a discount factor.
pub fn forward_price_one(
    forward: f64,
    strike: f64,
    years: f64,
    vol: f64,
    right: i8,
    discount: f64,
) -> f64 {
    struct One(f64, f64, f64, f64, i8, f64);
    impl Kernel for One {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            forward_body(self.0, self.1, self.2, self.3, self.4, self.5)
        }
    }
    simd::run(One(forward, strike, years, vol, right, discount))
}

/// Black (1976) price of each row on a forward, times its discount factor.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn forward_price(
    forward: &[f64],
    strike: &[f64],
    years: &[f64],
    vol: &[f64],
    right: &[i8],
    discount: &[f64],
    out: &mut [f64],
) {
    simd::run(ForwardPrice {
        forward,
        strike,
        years,
        vol,
        right,
        discount,
        out,
    });
}

struct ForwardPrice<'a> {
    forward: &'a [f64],
    strike: &'a [f64],
    years: &'a [f64],
    vol: &'a [f64],
    right: &'a [i8],
    discount: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for ForwardPrice<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let (forward, strike, years) = (&self.forward[..n], &self.strike[..n], &self.years[..n]);
        let (vol, right, discount) = (&self.vol[..n], &self.right[..n], &self.discount[..n]);
        let out = &mut self.out[..n];
        for i in 0..n {
            out[i] = forward_body(
                forward[i],
                strike[i],
                years[i],
                vol[i],
                right[i],
                discount[i],
            );
        }
    }
}
