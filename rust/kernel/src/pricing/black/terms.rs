//! The formula of one option, and what its scenarios share.

use super::super::real::Real;

/// Distances beyond this many deviations are priced as at it: the density there is 1e-282.
const FAR: f64 = 36.0;
/// Stands for a deviation of zero: h is FAR unless x is zero, and the time value comes out as exactly 0.
const NO_DEVIATION: f64 = 1e-150;

/// 1/v and v/2 of a deviation v, both in the range [`time_value`] takes.
#[inline(always)]
pub(in crate::pricing) fn reciprocal_and_half<R: Real>(deviation: R) -> (R, R) {
    let v = deviation.max(R::of(NO_DEVIATION));
    (R::of(1.0) / v, (R::of(0.5) * v).min(R::of(FAR)))
}

/// max(right (F - K), 0), where `sign` has the sign of `right`.
#[inline(always)]
pub(in crate::pricing) fn intrinsic<R: Real>(forward: R, strike: R, sign: R) -> R {
    (forward - strike).flipped(sign).max(R::of(0.0))
}

/// The price: `x` = ln(F/K), `inverse` = 1/v, `half` = v/2; the right is the sign of `sign`.
#[inline(always)]
pub(in crate::pricing) fn value<R: Real>(
    forward: R,
    strike: R,
    x: R,
    inverse: R,
    half: R,
    sign: R,
) -> R {
    let zero = R::of(0.0);
    let smaller = forward.min(strike);
    let intrinsic = intrinsic(forward, strike, sign);
    let h = (x.magnitude() * inverse).min(R::of(FAR));
    let (d, far) = (half - h, half + h);
    let weight = d.density();
    let (p_near, q_near) = d.magnitude().mills_grid();
    let (p_far, q_far) = far.mills_grid();
    let p_near = d.where_positive(-p_near, p_near);
    let base = d.where_positive(smaller, zero);
    // Two plain products: they cancel exactly where near and far meet, which is what makes zero deviation exact.
    let numerator = p_near * q_far - p_far * q_near;
    (smaller * weight)
        .fused(numerator / (q_near * q_far), base + intrinsic)
        .max(intrinsic)
}

/// What scenarios of one option share.
#[derive(Clone, Copy)]
pub(in crate::pricing) struct Terms<R> {
    /// Spot and strike, each discounted by its own carry.
    pub(in crate::pricing) forward: R,
    pub(in crate::pricing) strike: R,
    /// ln(forward / strike).
    pub(in crate::pricing) moneyness: R,
    pub(in crate::pricing) root_years: R,
}

#[inline(always)]
pub(in crate::pricing) fn terms<R: Real>(
    spot: R,
    strike: R,
    years: R,
    rate: R,
    dividend_yield: R,
) -> Terms<R> {
    let years = years.max(R::of(0.0));
    Terms {
        forward: spot * (-dividend_yield * years).exponential(),
        strike: strike * (-rate * years).exponential(),
        moneyness: (rate - dividend_yield).fused(years, spot.ln_over(strike)),
        root_years: years.root(),
    }
}

impl<R: Real> Terms<R> {
    /// The price at a vol.
    #[inline(always)]
    pub(in crate::pricing) fn price(&self, vol: R, sign: R) -> R {
        let (inverse, half) = reciprocal_and_half(vol * self.root_years);
        let (forward, strike) = (self.forward, self.strike);
        value(forward, strike, self.moneyness, inverse, half, sign)
    }
}
