//! What the pricing formulas need of a number: written once, they run on one option or on eight side by side.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::lanes::{Lanes, WIDTH};
use super::math;

/// A number, or eight. Operations are lane by lane, so one option has the bits it has among eight.
pub(crate) trait Real:
    Copy
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    fn of(x: f64) -> Self;
    /// `f` of each lane of `self` and `other`.
    fn zip(self, other: Self, f: impl Fn(f64, f64) -> f64) -> Self;

    /// `f` of each lane.
    #[inline(always)]
    fn map(self, f: impl Fn(f64) -> f64) -> Self {
        self.zip(self, |x, _| f(x))
    }

    /// `self * by + plus`, fused.
    fn fused(self, by: Self, plus: Self) -> Self;

    /// `then` where `self > 0`, else `otherwise`.
    fn where_positive(self, then: Self, otherwise: Self) -> Self;

    #[inline(always)]
    fn magnitude(self) -> Self {
        self.map(f64::abs)
    }

    #[inline(always)]
    fn min(self, other: Self) -> Self {
        self.zip(other, math::lesser)
    }

    #[inline(always)]
    fn max(self, other: Self) -> Self {
        self.zip(other, math::greater)
    }

    /// With its sign turned where `sign` is negative, -0.0 included.
    #[inline(always)]
    fn flipped(self, sign: Self) -> Self {
        self.zip(sign, |x, s| {
            f64::from_bits(x.to_bits() ^ (s.to_bits() & math::SIGN_BIT))
        })
    }

    /// [`math::mills_grid`].
    fn mills_grid(self) -> (Self, Self);
}

impl Real for f64 {
    #[inline(always)]
    fn of(x: f64) -> f64 {
        x
    }

    #[inline(always)]
    fn zip(self, other: f64, f: impl Fn(f64, f64) -> f64) -> f64 {
        f(self, other)
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
    fn mills_grid(self) -> (f64, f64) {
        math::mills_grid(self)
    }
}

impl Real for Lanes {
    #[inline(always)]
    fn of(x: f64) -> Lanes {
        Lanes([x; WIDTH])
    }

    #[inline(always)]
    fn zip(self, other: Lanes, f: impl Fn(f64, f64) -> f64) -> Lanes {
        let mut out = Lanes::ZERO;
        let mut l = 0;
        while l < WIDTH {
            out.0[l] = f(self.0[l], other.0[l]);
            l += 1;
        }
        out
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
    fn mills_grid(self) -> (Lanes, Lanes) {
        self.mills::<false>()
    }
}
