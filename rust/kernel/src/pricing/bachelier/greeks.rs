//! Price and sensitivities in the normal model, in one pass.
//!
//! With d = (F - K) / s, s = vol sqrt(T), D = exp(-r T) and a the right: delta = a D N(a d), gamma = D phi(d) / s,
//! vega = D sqrt(T) phi(d), vanna = -D phi(d) d / vol, volga = vega d^2 / vol, theta = r price - D phi(d) vol / (2 sqrt T),
//! rho = -T price: the forward is held while rate and time move. Without time or vol delta steps at the strike (half at
//! the money) and gamma, vega, vanna and volga are 0.

use super::super::greeks::{GreekColumns, distribution};
use super::super::math::{INV_SQRT_2PI, exp};
use super::super::{BLOCK, RowCopy, Rows};
use super::price_body;
use crate::float::{larger, smaller};
use crate::simd::{self, Kernel};

/// Price and sensitivities of the first `out.price.len()` rows of a source, which are as those of [`super::price_rows`];
/// `price` has its bits. Units as in [`super::super::greeks`], per unit of the forward and of the normal vol.
///
/// # Errors
/// The source's.
pub fn greeks_rows<R: Rows>(rows: &R, out: GreekColumns) -> Result<(), R::Error> {
    simd::run(Columns { rows, out })
}

struct Columns<'a, R> {
    rows: &'a R,
    out: GreekColumns<'a>,
}

/// Beyond this many deviations delta is a step.
const STEP: f64 = 1e6;

impl<R: Rows> Kernel for Columns<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let out = self.out;
        let n = out.price.len();
        let mut copy = RowCopy::default();
        for first in (0..n).step_by(BLOCK) {
            let count = BLOCK.min(n - first);
            self.rows.copy(first, count, &mut copy)?;
            let [forward, strike, years, rate, _, vol] = &copy.floats;
            for l in 0..count {
                let (years, rate, vol, right) = (years[l], rate[l], vol[l], copy.right[l]);
                let discount = exp(-rate * years);
                let price = price_body(forward[l], strike[l], years, vol, right, discount);
                let root = years.sqrt();
                let deviation = vol * root;
                let alive = deviation > 0.0;
                let inverse = if alive { 1.0 / deviation } else { 0.0 };
                let gap = forward[l] - strike[l];
                // Without a deviation the limits are 0, a half and 1.
                let step = if gap > 0.0 {
                    STEP
                } else if gap < 0.0 {
                    -STEP
                } else {
                    0.0
                };
                let d = if alive { gap * inverse } else { step };
                let d = larger(smaller(d, STEP), -STEP);
                let sign = f64::from(right);
                let (exercised, weight) = distribution(sign * d);
                let density = if alive {
                    discount * INV_SQRT_2PI * weight
                } else {
                    0.0
                };
                let vega = root * density;
                let over_vol = if alive { root * inverse } else { 0.0 };
                let over_root = if alive { vol * inverse } else { 0.0 };
                let i = first + l;
                out.price[i] = price;
                out.delta[i] = sign * discount * exercised;
                out.gamma[i] = density * inverse;
                out.vega[i] = vega;
                out.theta[i] = rate * price - 0.5 * density * vol * over_root;
                out.rho[i] = -years * price;
                out.vanna[i] = -density * d * over_vol;
                out.volga[i] = vega * d * d * over_vol;
            }
        }
        Ok(())
    }
}
