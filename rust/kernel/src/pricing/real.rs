//! What the pricing formulas need of a number: written once, they run on one option or on eight side by side.

use crate::float;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::lanes::{Lanes, WIDTH};
use super::math;

/// A number, or eight. Operations are lane by lane, so one option has the bits it has among eight.
///
/// No closures: the compiler may leave one outside the kernel that calls it.
pub(crate) trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn of(x: f64) -> Self;
    /// `self * by + plus`, fused.
    fn fused(self, by: Self, plus: Self) -> Self;
    /// `then` where `self > 0`, else `otherwise`.
    fn where_positive(self, then: Self, otherwise: Self) -> Self;
    /// With its sign turned where `sign` is negative.
    fn flipped(self, sign: Self) -> Self;
    fn min(self, other: Self) -> Self;
    fn max(self, other: Self) -> Self;
    fn magnitude(self) -> Self;
    fn root(self) -> Self;
    /// [`math::exp`].
    fn exponential(self) -> Self;
    /// [`math::density`].
    fn density(self) -> Self;
    /// [`math::ln_ratio`].
    fn ln_over(self, other: Self) -> Self;
    /// [`math::mills_grid`].
    fn mills_grid(self) -> (Self, Self);
}

#[inline(always)]
fn flip(x: f64, sign: f64) -> f64 {
    f64::from_bits(x.to_bits() ^ (sign.to_bits() & math::SIGN_BIT))
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn fused(self, by: f64, plus: f64) -> f64 {
        self.mul_add(by, plus)
    }

    #[inline(always)]
    fn where_positive(self, then: f64, otherwise: f64) -> f64 {
        if self > 0.0 { then } else { otherwise }
    }

    #[inline(always)]
    fn flipped(self, sign: f64) -> f64 {
        flip(self, sign)
    }

    #[inline(always)]
    fn min(self, other: f64) -> f64 {
        float::smaller(self, other)
    }

    #[inline(always)]
    fn max(self, other: f64) -> f64 {
        float::larger(self, other)
    }

    #[inline(always)]
    fn magnitude(self) -> f64 {
        self.abs()
    }

    #[inline(always)]
    fn root(self) -> f64 {
        self.sqrt()
    }

    #[inline(always)]
    fn exponential(self) -> f64 {
        math::exp(self)
    }

    #[inline(always)]
    fn density(self) -> f64 {
        math::density(self)
    }

    #[inline(always)]
    fn ln_over(self, other: f64) -> f64 {
        math::ln_ratio(self, other)
    }

    #[inline(always)]
    fn mills_grid(self) -> (f64, f64) {
        math::mills_grid(self)
    }
}

macro_rules! each {
    ($l:ident => $value:expr) => {{
        let mut out = Lanes::ZERO;
        let mut $l = 0;
        while $l < WIDTH {
            out.0[$l] = $value;
            $l += 1;
        }
        out
    }};
}

impl Real for Lanes {
    #[inline(always)]
    fn of(x: f64) -> Lanes {
        Lanes([x; WIDTH])
    }

    #[inline(always)]
    fn fused(self, by: Lanes, plus: Lanes) -> Lanes {
        self.times(by, plus)
    }

    #[inline(always)]
    fn where_positive(self, then: Lanes, otherwise: Lanes) -> Lanes {
        self.above(0.0, then, otherwise)
    }

    #[inline(always)]
    fn flipped(self, sign: Lanes) -> Lanes {
        each!(l => flip(self.0[l], sign.0[l]))
    }

    #[inline(always)]
    fn min(self, other: Lanes) -> Lanes {
        self.lesser(other)
    }

    #[inline(always)]
    fn max(self, other: Lanes) -> Lanes {
        self.greater(other)
    }

    #[inline(always)]
    fn magnitude(self) -> Lanes {
        self.abs()
    }

    #[inline(always)]
    fn root(self) -> Lanes {
        self.sqrt()
    }

    #[inline(always)]
    fn exponential(self) -> Lanes {
        self.exp()
    }

    #[inline(always)]
    fn density(self) -> Lanes {
        each!(l => math::density(self.0[l]))
    }

    #[inline(always)]
    fn ln_over(self, other: Lanes) -> Lanes {
        each!(l => math::ln_ratio(self.0[l], other.0[l]))
    }

    #[inline(always)]
    fn mills_grid(self) -> (Lanes, Lanes) {
        self.mills::<false>()
    }
}
