//! The up and down moves of a tree.

use super::{Scheme, TreeInputs};
use crate::float::smaller;
use crate::pricing::math::{exp, ln_ratio};

/// The moves of one tree, discounted and rescaled by the down move for [`induct`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Moves {
    /// `u / d`
    pub(super) ratio: f64,
    /// `1 / d`
    pub(super) inverse_down: f64,
    /// discounted probability of an up move, times `d`
    pub(super) up: f64,
    /// discounted probability of a down move, times `d`
    pub(super) down: f64,
}

impl Moves {
    #[inline(always)]
    pub(super) fn new(
        inputs: &TreeInputs<'_>,
        diffusing: f64,
        scheme: Scheme,
        steps: usize,
    ) -> Self {
        let dt = inputs.years / steps as f64;
        let carry = inputs.rate - inputs.dividend_yield;
        let discount = exp(-inputs.rate * dt);
        let growth = exp(carry * dt);
        let step = inputs.vol * dt.sqrt();
        match scheme {
            Scheme::Crr => {
                let up = exp(step);
                let down = 1.0 / up;
                let p = (growth - down) / (up - down);
                // Also false for NaN: no vol at all.
                if (0.0..=1.0).contains(&p) {
                    return Self::scaled(up, down, discount, p, 1.0 - p);
                }
            }
            Scheme::LeisenReimer => {
                let deviation = inputs.vol * inputs.years.sqrt();
                let d1 = (ln_ratio(diffusing, inputs.strike) + carry * inputs.years) / deviation
                    + 0.5 * deviation;
                let (p1, q1) = peizer_pratt(d1, steps);
                let (p, q) = peizer_pratt(d1 - deviation, steps);
                let smallest = smaller(smaller(p1, q1), smaller(p, q));
                if smallest > LEAST_PROBABILITY {
                    return Self::scaled(growth * p1 / p, growth * q1 / q, discount, p, q);
                }
            }
            // Has lattices of its own.
            Scheme::Trinomial => {}
        }
        let half = exp(step);
        let p = 1.0 / (1.0 + half);
        Self::scaled(growth * half, growth / half, discount, p, 1.0 - p)
    }

    #[inline(always)]
    fn scaled(up: f64, down: f64, discount: f64, p: f64, q: f64) -> Self {
        Self {
            ratio: up / down,
            inverse_down: 1.0 / down,
            up: discount * p * down,
            down: discount * q * down,
        }
    }
}

/// Leisen-Reimer moves are `p1/p` and `q1/q`: beyond this the lattice is too lopsided to carry the option.
const LEAST_PROBABILITY: f64 = 1e-10;

/// Peizer-Pratt method 2: the binomial probability whose upper tail matches the normal's at `z`, and its complement,
/// both with full relative accuracy.
#[inline(always)]
fn peizer_pratt(z: f64, steps: usize) -> (f64, f64) {
    let n = steps as f64;
    let t = z / (n + 1.0 / 3.0 + 0.1 / (n + 1.0));
    let e = exp(-(t * t) * (n + 1.0 / 6.0));
    let root = (1.0 - e).sqrt();
    let small = 0.5 * e / (1.0 + root);
    let large = 0.5 + 0.5 * root;
    if z > 0.0 {
        (large, small)
    } else {
        (small, large)
    }
}
