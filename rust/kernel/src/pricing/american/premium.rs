//! From boundary to price: the European put plus the integral of what early exercise earns.
//!
//! `P = p + int_0^T (r exp(-r t) N(-d-(t, s/B(T-t))) - q s exp(-q t) N(-d+(t, s/B(T-t)))) dt` for strike 1 (Kim, Review
//! of Financial Studies 3, 1990). The boundary does not depend on the spot, so what is prepared here serves all spots.

use super::boundary::{Boundary, FAR, Puts, ROUGH_POINTS};
use super::nodes::{Nodes, interpolated};
use crate::pricing::lanes::Lanes;
use std::f64::consts::LOG2_E;

/// One term `paid N(-d-) - s held N(-d+)` of the price, for the time that its quadrature point looks ahead.
#[derive(Clone, Copy)]
struct Term {
    /// `d+ = ln(s) inverse + offset`, `d- = d+ - deviation`
    inverse: Lanes,
    offset: Lanes,
    deviation: Lanes,
    paid: Lanes,
    held: Lanes,
    /// `paid exp(-d-^2/2) = s paid_ratio held_density exp(-d+^2/2)`
    paid_ratio: Lanes,
    held_ratio: Lanes,
    held_density: Lanes,
}

impl Term {
    const ZERO: Term = Term {
        inverse: Lanes::ZERO,
        offset: Lanes::ZERO,
        deviation: Lanes::ZERO,
        paid: Lanes::ZERO,
        held: Lanes::ZERO,
        paid_ratio: Lanes::ZERO,
        held_ratio: Lanes::ZERO,
        held_density: Lanes::ZERO,
    };

    #[inline(always)]
    fn at<const ROUGH: bool>(&self, spot: Lanes, log_spot: Lanes) -> Lanes {
        let plus = log_spot.times(self.inverse, self.offset);
        let minus = plus - self.deviation;
        let (far_minus, far_plus) = (minus.abs().lesser(FAR), plus.abs().lesser(FAR));
        let density = self.held_density * (far_plus * far_plus * (-0.5 * LOG2_E)).exp2::<ROUGH>();
        let (p_minus, q_minus) = far_minus.mills::<ROUGH>();
        let (p_plus, q_plus) = far_plus.mills::<ROUGH>();
        let p_minus = p_minus * minus.above(0.0, self.paid_ratio, -self.paid_ratio);
        let p_plus = p_plus * plus.above(0.0, self.held_ratio, -self.held_ratio);
        let tails = (p_minus * q_plus - p_plus * q_minus) / (q_minus * q_plus);
        let whole = minus.above(0.0, 0.0, self.paid);
        let given = plus.above(0.0, 0.0, self.held);
        spot.times(density.times(tails, -given), whole)
    }
}

/// Puts with strike 1, ready to be priced at any spot.
#[derive(Clone, Copy)]
pub(super) struct AtPoints<const P: usize> {
    /// `ln` of the boundary today: exercised at or below it.
    log_boundary: Lanes,
    european: Term,
    terms: [Term; P],
}

impl<const P: usize> AtPoints<P> {
    #[inline(always)]
    pub(super) fn new<const N: usize, const L: usize>(
        puts: &Puts,
        nodes: &Nodes<N, L, P>,
        boundary: &Boundary<N>,
    ) -> Self {
        let Puts {
            years,
            horizon,
            rate,
            dividend_yield,
            vol,
        } = *puts;
        let carry = rate - dividend_yield;
        let v = vol * horizon.sqrt();
        let inverse = 1.0 / v;
        let drift = carry * horizon;
        let mut terms = [Term::ZERO; P];
        for k in 0..P {
            let gap = interpolated(&boundary.squared, &nodes.outer_matrix[k]);
            let (y, weight) = nodes.outer[k];
            let log_b = boundary.log_limit - gap.greater(0.0).sqrt();
            let ahead = horizon * (0.25 * y * y);
            let span = horizon * (0.5 * weight * y);
            let since = inverse * (2.0 / y);
            let fading = span * (-dividend_yield * ahead).exp();
            terms[k] = Term {
                inverse: since,
                offset: (drift.times(0.25 * y * y, -log_b)).times(since, v * (0.25 * y)),
                deviation: v * (0.5 * y),
                paid: span * rate * (-rate * ahead).exp(),
                held: dividend_yield * fading,
                paid_ratio: rate * (-log_b).exp(),
                held_ratio: dividend_yield,
                held_density: fading,
            };
        }
        let held = (-dividend_yield * years).exp();
        let v = vol * years.sqrt();
        let inverse = 1.0 / v;
        let drift = carry * years;
        let european = Term {
            inverse,
            offset: drift.times(inverse, 0.5 * v),
            deviation: v,
            paid: (-rate * years).exp(),
            held,
            paid_ratio: Lanes::from(1.0),
            held_ratio: Lanes::from(1.0),
            held_density: held,
        };
        Self {
            log_boundary: boundary.log_limit - boundary.squared[0].sqrt(),
            european,
            terms,
        }
    }

    /// The value of waiting, or that of waiting to the end where it pays to exercise: less than exercising, except where
    /// the interest is too small for the boundary's equations (below about 1e-9 of the strike), and right there.
    #[inline(always)]
    pub(super) fn held(&self, spot: Lanes) -> Lanes {
        let log_spot = spot.ln();
        let european = self.european.at::<false>(spot, log_spot).greater(0.0);
        let mut premium = Lanes::ZERO;
        for term in &self.terms {
            premium = premium
                + if P <= ROUGH_POINTS {
                    term.at::<true>(spot, log_spot)
                } else {
                    term.at::<false>(spot, log_spot)
                };
        }
        log_spot.above(self.log_boundary, european + premium.greater(0.0), european)
    }
}
