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

mod eight;
mod grid;
mod terms;

use self::eight::{Block, Eight, alone};
use super::lanes::WIDTH;
use super::math::ln_ratio;
use super::{BLOCK, OptionColumns, RowCopy, Rows};
use crate::float::larger;
use crate::simd::{self, Kernel};

pub(crate) use self::grid::price_grid_at;
pub use self::grid::{price_grid, price_grid_rows};
pub(super) use self::terms::{Terms, intrinsic, reciprocal_and_half, terms, value};

#[inline(always)]
fn forward_body(forward: f64, strike: f64, years: f64, vol: f64, right: i8, discount: f64) -> f64 {
    let terms = Terms {
        forward,
        strike,
        moneyness: ln_ratio(forward, strike),
        root_years: larger(years, 0.0).sqrt(),
    };
    discount * terms.price(vol, f64::from(right))
}

/// Black-Scholes-Merton price of each row, per unit of underlying.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn price(o: &OptionColumns, out: &mut [f64]) {
    let Ok(()) = price_rows(&o.exactly(out.len()), out);
}

/// As [`price`], of the first `out.len()` rows of a source.
///
/// # Errors
/// The source's.
pub fn price_rows<R: Rows>(rows: &R, out: &mut [f64]) -> Result<(), R::Error> {
    simd::run(Price { rows, out })
}

struct Price<'a, R> {
    rows: &'a R,
    out: &'a mut [f64],
}

impl<R: Rows> Kernel for Price<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let n = self.out.len();
        let mut copy = RowCopy::default();
        let mut block = Block::new();
        let mut prices = [[0.0; WIDTH]; BLOCK / WIDTH];
        for first in (0..n).step_by(BLOCK) {
            let count = BLOCK.min(n - first);
            self.rows.copy(first, count, &mut copy)?;
            let eights = block.load(&copy, count, 0.0);
            for e in 0..eights.len() {
                let Eight { terms, vol, sign } = eights[alone(e)];
                prices[e] = terms.price(vol, sign).0;
            }
            self.out[first..][..count].copy_from_slice(&prices.as_flattened()[..count]);
        }
        Ok(())
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
            terms(self.0, self.1, self.2, self.3, self.4).price(self.5, f64::from(self.6))
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
