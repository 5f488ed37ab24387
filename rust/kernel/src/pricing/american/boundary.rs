//! The early exercise boundary of a put with strike 1, eight options at a time.
//!
//! Start: the QD+ equation (Li, Review of Derivatives Research 13, 2010, as given by Andersen, Lake and Offengenden).
//! Then the fixed point system A of Andersen, Lake and Offengenden, "High-performance American option pricing",
//! J. Computational Finance 20 (2016), the first step a partial Jacobi-Newton step; at a high carry, where that does not
//! settle, their system B (`high_rates.rs`). Their equation for `B(tau)` is
//! used with numerator and denominator multiplied by `exp(-q tau)`, which leaves one density for both.

use super::mode::{Mode, System};
use super::nodes::{Nodes, interpolated};
use crate::pricing::lanes::Lanes;
use crate::pricing::math::INV_SQRT_2PI;
use std::f64::consts::LOG2_E;

/// Puts with strike 1 whose boundary is a single curve: `rate > 0`, or `rate >= 0 > dividend_yield`.
#[derive(Clone, Copy)]
pub(super) struct Puts {
    pub(super) years: Lanes,
    /// Years over which exercise is worth anything: the boundary is needed no further from expiry than that.
    pub(super) horizon: Lanes,
    pub(super) rate: Lanes,
    pub(super) dividend_yield: Lanes,
    pub(super) vol: Lanes,
}

/// The boundary as `ln(limit / B)` squared at the collocation points, which is close to linear in `sqrt(tau)`.
#[derive(Clone, Copy)]
pub(super) struct Boundary<const N: usize> {
    /// `ln` of the boundary at expiry, `min(1, rate / dividend_yield)`.
    pub(super) log_limit: Lanes,
    pub(super) squared: [Lanes; N],
}

impl<const N: usize> Boundary<N> {
    pub(super) const NONE: Self = Self {
        log_limit: Lanes::ZERO,
        squared: [Lanes::ZERO; N],
    };
}

/// Distances from the mean beyond which the density is as good as zero.
pub(super) const FAR: f64 = 37.0;
/// The boundary stays this far below its value at expiry: the logarithm of their ratio must not vanish.
pub(super) const BELOW_LIMIT: f64 = 1.0 - 1e-10;
const LEAST_LIMIT: f64 = 1e-10;
/// A put at a rate of zero has a boundary where the yield is negative; the QD+ start divides by the rate.
const LEAST_RATE: f64 = 1e-9;

/// Schemes of up to this many points in the price have an error of about 1e-6 of the strike, and are content with
/// terms of 1e-10.
pub(super) const ROUGH_POINTS: usize = 21;
/// Asks for terms of full precision whatever the scheme.
const PRECISE: usize = usize::MAX;

/// `N(-|x|) exp(x^2/2)`, for |x| up to [`FAR`], in a scheme of `P` points.
#[inline(always)]
fn mills<const P: usize>(x: Lanes) -> Lanes {
    let (p, q) = if P <= ROUGH_POINTS {
        x.mills::<true>()
    } else {
        x.mills::<false>()
    };
    p / q
}

#[inline(always)]
pub(super) fn exp2<const P: usize>(x: Lanes) -> Lanes {
    if P <= ROUGH_POINTS {
        x.exp2::<true>()
    } else {
        x.exp2::<false>()
    }
}

/// `exp(-x^2/2)` for |x| up to [`FAR`].
#[inline(always)]
pub(super) fn gauss<const P: usize>(x: Lanes) -> Lanes {
    exp2::<P>(x * x * (-0.5 * LOG2_E))
}

#[inline(always)]
pub(super) fn within(x: Lanes) -> Lanes {
    x.lesser(FAR).greater(-FAR)
}

/// `N(x)` where `g = exp(-x^2/2)`.
#[inline(always)]
pub(super) fn normal_cdf<const P: usize>(x: Lanes, g: Lanes) -> Lanes {
    let tail = g * mills::<P>(x.abs());
    x.above(0.0, 1.0 - tail, tail)
}

/// A collocation point: what every equation for the boundary there begins with.
pub(super) struct Point {
    pub(super) tau: Lanes,
    /// The square root of `tau`.
    pub(super) root: Lanes,
    /// The deviation over `tau`, and its reciprocal.
    pub(super) v: Lanes,
    pub(super) inverse: Lanes,
    /// How far the logarithm of the boundary lies below its limit.
    pub(super) below: Lanes,
    /// The carry over `tau`.
    pub(super) drift: Lanes,
}

impl Puts {
    /// The point at a fraction `node` of the square root of the horizon, where the boundary's logarithm is `log_b`.
    #[inline(always)]
    pub(super) fn point(&self, node: f64, log_limit: Lanes, log_b: Lanes) -> Point {
        let root = self.horizon.sqrt() * node;
        let tau = root * root;
        let v = self.vol * root;
        Point {
            tau,
            root,
            v,
            inverse: 1.0 / v,
            below: log_limit - log_b,
            drift: (self.rate - self.dividend_yield) * tau,
        }
    }

    #[inline(always)]
    fn log_limit(&self) -> (Lanes, Lanes) {
        let limit = self
            .dividend_yield
            .above(self.rate, self.rate / self.dividend_yield, 1.0)
            .greater(LEAST_LIMIT);
        (limit, limit.ln())
    }

    /// The boundary.
    #[inline(always)]
    pub(super) fn boundary<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        mode: Mode,
        system: System,
    ) -> Boundary<N> {
        let puts = Puts {
            rate: self.rate.greater(LEAST_RATE),
            ..*self
        };
        puts.iterate(nodes, mode, system)
    }

    #[inline(always)]
    fn iterate<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        mode: Mode,
        system: System,
    ) -> Boundary<N> {
        let (limit, log_limit) = self.log_limit();
        let mut log_b = self.start(nodes, limit, mode.newton_steps());
        let mut squared = [Lanes::ZERO; N];
        for j in 0..N {
            let gap = log_b[j] - log_limit;
            squared[j] = gap * gap;
        }
        for step in 0..mode.fixed_point_steps(system) {
            log_b = match system {
                System::Slope => self.improve(nodes, limit, log_limit, &log_b, &squared, step == 0),
                System::Value => self.improve_by_value(nodes, limit, log_limit, &log_b, &squared),
            };
            for j in 0..N {
                let gap = log_b[j] - log_limit;
                squared[j] = gap * gap;
            }
        }
        Boundary { log_limit, squared }
    }

    /// QD+ by Newton's method at every collocation point; `ln B`.
    #[inline(always)]
    fn start<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        limit: Lanes,
        newton_steps: usize,
    ) -> [Lanes; N] {
        let Puts {
            horizon,
            rate,
            dividend_yield,
            vol,
            ..
        } = *self;
        let variance = vol * vol;
        let carry = rate - dividend_yield;
        let alpha = 2.0 * rate / variance;
        let omega = 2.0 * carry / variance - 1.0;
        let perpetual = -0.5 * (omega + (omega * omega + 4.0 * alpha).sqrt());
        let perpetual = (perpetual / (perpetual - 1.0)).greater(LEAST_LIMIT);
        let root_years = horizon.sqrt();
        let mut log_b = [Lanes::ZERO; N];
        for j in 0..N {
            let root = root_years * nodes.root[j];
            let tau = root * root;
            let v = vol * root;
            let inverse = 1.0 / v;
            let discount = (-rate * tau).exp();
            let dividend = (-dividend_yield * tau).exp();
            let h = 1.0 - discount;
            let width = (omega * omega + 4.0 * alpha / h).sqrt();
            let lambda = -0.5 * (omega + width);
            let slope = alpha / (h * h * width);
            let c1 = lambda + discount * alpha / width * (1.0 / h - slope / width);
            let c2 = -2.0 / (variance * width);
            let decay = ((carry * tau - 2.0 * v) / (1.0 - perpetual))
                .lesser(0.0)
                .exp();
            let mut b = perpetual.times(1.0 - decay, decay).lesser(limit * 0.9999);
            let mut log = b.ln();
            let drift = carry * tau;
            for _ in 0..newton_steps {
                let d1 = within((log + drift).times(inverse, 0.5 * v));
                let d2 = within(d1 - v);
                // Full precision: `1 - b - european` below is the interest on the strike, however small.
                let g1 = gauss::<PRECISE>(d1);
                let held = dividend * normal_cdf::<PRECISE>(-d1, g1);
                let paid = discount * normal_cdf::<PRECISE>(-d2, gauss::<PRECISE>(d2));
                let density = dividend * g1 * INV_SQRT_2PI * inverse;
                let european = paid - b * held;
                let theta = rate * paid - b * dividend_yield.times(held, 0.5 * variance * density);
                let value = (1.0 - held) * b + c1 * (1.0 - b - european) + c2 * theta;
                let gradient = 1.0 - held + density + c1 * (held - 1.0)
                    - c2 * (density * carry
                        + dividend_yield * held
                        + 0.5 * variance * density * (1.0 - d1 * inverse));
                let next = b - value / gradient;
                b = next.greater(0.5 * b).lesser(limit * 0.999_999);
                log = b.ln();
            }
            log_b[j] = log;
        }
        log_b
    }

    /// One step of the fixed point iteration, all collocation points from the old boundary; `ln B`. With `newton`, the
    /// partial Jacobi-Newton step.
    #[inline(always)]
    fn improve<const N: usize, const L: usize, const P: usize>(
        &self,
        nodes: &Nodes<N, L, P>,
        limit: Lanes,
        log_limit: Lanes,
        log_b: &[Lanes; N],
        squared: &[Lanes; N],
        newton: bool,
    ) -> [Lanes; N] {
        let Puts {
            rate,
            dividend_yield,
            vol,
            ..
        } = *self;
        let mut new = [Lanes::ZERO; N];
        for i in 0..N {
            let Point {
                tau,
                root,
                v,
                inverse,
                below,
                drift,
            } = self.point(nodes.root[i], log_limit, log_b[i]);
            let yield_bits = dividend_yield * tau * (-LOG2_E);
            // Sums over the time since each quadrature point: N(d+), its density, that of d-, and their slopes.
            let mut held = Lanes::ZERO;
            let mut density = Lanes::ZERO;
            let mut paid = Lanes::ZERO;
            let mut density_slope = Lanes::ZERO;
            let mut paid_slope = Lanes::ZERO;
            for k in 0..L {
                let gap = interpolated(squared, &nodes.inner_matrix[i][k]);
                let (y, weight) = nodes.inner[k];
                let log_ratio = gap.greater(0.0).sqrt() - below;
                let part = 0.25 * y * y;
                let since = inverse * (2.0 / y);
                let plus = within((drift.times(part, log_ratio)).times(since, v * (0.25 * y)));
                let bits = yield_bits * part;
                let faded = exp2::<P>(bits);
                let thin = exp2::<P>((plus * plus).times(-0.5 * LOG2_E, bits));
                let tail = thin * mills::<P>(plus.abs());
                held = plus.above(0.0, faded - tail, tail).times(weight * y, held);
                let f = thin * weight;
                let f_paid = f * exp2::<P>(log_ratio * LOG2_E);
                density = density + f;
                paid = paid + f_paid;
                if newton {
                    let minus = (plus - v * (0.5 * y)) * since;
                    density_slope = f.times(minus, density_slope);
                    paid_slope = f_paid.times(minus, paid_slope);
                }
            }
            let b = log_b[i].exp();
            let plus = within((log_b[i] + drift).times(inverse, 0.5 * v));
            let g = gauss::<P>(plus);
            let faded = exp2::<P>(yield_bits);
            let here = faded * g * INV_SQRT_2PI * inverse;
            let root_vol = root / vol * INV_SQRT_2PI;
            let rate_root = rate * root_vol;
            let yield_root = dividend_yield * root_vol;
            let numerator = b.times(here, rate_root * paid);
            let denominator = faded.times(normal_cdf::<P>(plus, g), here)
                + yield_root.times(density, dividend_yield * (0.5 * tau) * held);
            let target = numerator / denominator;
            let mut next = target;
            if newton {
                let minus = (plus - v) * inverse;
                let shrink = -1.0 / b;
                let numerator_slope = (b * here).times(minus, rate_root * paid_slope) * shrink;
                let denominator_slope = here.times(minus, yield_root * density_slope) * shrink;
                let slope = (numerator_slope - target * denominator_slope) / denominator;
                next = b + (b - target) / (slope - 1.0);
            }
            new[i] = next.greater(0.2 * b).lesser(limit * BELOW_LIMIT).ln();
        }
        new
    }
}
