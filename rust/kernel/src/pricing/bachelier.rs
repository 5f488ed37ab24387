//! Bachelier's normal model: European options on a forward that may be negative.
//!
//! With deviation s = normal vol * sqrt(years) and d = |F - K| / s,
//!
//! ```text
//! price = discount (max(right (F - K), 0) + s exp(-d^2/2) w(d))
//! ```
//!
//! where w is minus the derivative of N(-x) exp(x^2/2): the textbook's phi(d) - d N(-d) without its cancellation.
//! Relative error of the time value below 1e-13; deviation zero gives the intrinsic value.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

mod greeks;
mod grid;
mod implied;

pub use self::greeks::greeks_rows;
pub use self::grid::{Unit, price_grid_rows};
pub use self::implied::implied_rows;

use super::math::{exp, gauss, mills_slope};
use super::{BLOCK, RowCopy, Rows};
use crate::float::{larger, smaller};
use crate::simd::{self, Kernel};

/// Beyond this many deviations the time value is that at it (1e-307 of the deviation).
const FAR: f64 = 37.0;

#[inline(always)]
fn price_body(
    forward: f64,
    strike: f64,
    years: f64,
    normal_vol: f64,
    right: i8,
    discount: f64,
) -> f64 {
    let deviation = normal_vol * larger(years, 0.0).sqrt();
    let alive = deviation > 0.0;
    let gap = forward - strike;
    let d = smaller(gap.abs() / if alive { deviation } else { 1.0 }, FAR);
    let time_value = deviation * gauss(d) * mills_slope(d);
    let intrinsic = larger(f64::from(right) * gap, 0.0);
    discount * (intrinsic + if alive { time_value } else { 0.0 })
}

/// Price of each row, per unit of underlying; `normal_vol` is in price units per square root of a year.
///
/// # Panics
/// If the columns and `out` differ in length.
pub fn price(
    forward: &[f64],
    strike: &[f64],
    years: &[f64],
    normal_vol: &[f64],
    right: &[i8],
    discount: &[f64],
    out: &mut [f64],
) {
    let n = out.len();
    assert!(
        [forward, strike, years, normal_vol, discount]
            .iter()
            .all(|c| c.len() == n)
            && right.len() == n,
        "bachelier columns differ in length"
    );
    simd::run(Price {
        forward,
        strike,
        years,
        normal_vol,
        right,
        discount,
        out,
    });
}

struct Price<'a> {
    forward: &'a [f64],
    strike: &'a [f64],
    years: &'a [f64],
    normal_vol: &'a [f64],
    right: &'a [i8],
    discount: &'a [f64],
    out: &'a mut [f64],
}

impl Kernel for Price<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.out.len();
        let (forward, strike, years) = (&self.forward[..n], &self.strike[..n], &self.years[..n]);
        let (vol, right, discount) = (&self.normal_vol[..n], &self.right[..n], &self.discount[..n]);
        let out = &mut self.out[..n];
        for i in 0..n {
            out[i] = price_body(
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

/// Prices of the first `out.len()` rows of a source that has forwards in the place of spots and normal vols in that of
/// vols. The rate discounts; the yield is not read.
///
/// # Errors
/// The source's.
pub fn price_rows<R: Rows>(rows: &R, out: &mut [f64]) -> Result<(), R::Error> {
    simd::run(PriceRows { rows, out })
}

struct PriceRows<'a, R> {
    rows: &'a R,
    out: &'a mut [f64],
}

impl<R: Rows> Kernel for PriceRows<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let n = self.out.len();
        let mut copy = RowCopy::default();
        let mut prices = [0.0; BLOCK];
        for first in (0..n).step_by(BLOCK) {
            let count = BLOCK.min(n - first);
            self.rows.copy(first, count, &mut copy)?;
            let [forward, strike, years, rate, _, vol] = &copy.floats;
            for l in 0..BLOCK {
                prices[l] = price_body(
                    forward[l],
                    strike[l],
                    years[l],
                    vol[l],
                    copy.right[l],
                    exp(-rate[l] * years[l]),
                );
            }
            self.out[first..][..count].copy_from_slice(&prices[..count]);
        }
        Ok(())
    }
}

/// One price; the bits of [`price`].
pub fn price_one(
    forward: f64,
    strike: f64,
    years: f64,
    normal_vol: f64,
    right: i8,
    discount: f64,
) -> f64 {
    let mut out = [0.0];
    price(
        &[forward],
        &[strike],
        &[years],
        &[normal_vol],
        &[right],
        &[discount],
        &mut out,
    );
    out[0]
}
