//! Eight numbers side by side, with the operators of one: for kernels whose state does not fit a plain loop.
//!
//! Every operation is the scalar one lane by lane, so levels agree bit for bit; inlined into a kernel's clone it
//! becomes one or two vector instructions.

use crate::float;
use std::ops::{Add, Div, Mul, Neg, Sub};

use super::math;

pub(crate) const WIDTH: usize = 8;

#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(crate) struct Lanes(pub(crate) [f64; WIDTH]);

macro_rules! each {
    ($l:ident => $value:expr) => {{
        let mut out = [0.0; WIDTH];
        let mut $l = 0;
        while $l < WIDTH {
            out[$l] = $value;
            $l += 1;
        }
        Lanes(out)
    }};
}

macro_rules! operator {
    ($trait:ident, $method:ident, $op:tt) => {
        impl $trait for Lanes {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                each!(l => self.0[l] $op other.0[l])
            }
        }

        impl $trait<f64> for Lanes {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: f64) -> Lanes {
                each!(l => self.0[l] $op other)
            }
        }

        impl $trait<Lanes> for f64 {
            type Output = Lanes;
            #[inline(always)]
            fn $method(self, other: Lanes) -> Lanes {
                each!(l => self $op other.0[l])
            }
        }
    };
}

operator!(Add, add, +);
operator!(Sub, sub, -);
operator!(Mul, mul, *);
operator!(Div, div, /);

impl Neg for Lanes {
    type Output = Lanes;
    #[inline(always)]
    fn neg(self) -> Lanes {
        each!(l => -self.0[l])
    }
}

impl From<f64> for Lanes {
    #[inline(always)]
    fn from(x: f64) -> Lanes {
        Lanes([x; WIDTH])
    }
}

impl Lanes {
    pub(crate) const ZERO: Lanes = Lanes([0.0; WIDTH]);

    /// `self * by + plus`, fused.
    #[inline(always)]
    pub(crate) fn times(self, by: impl Into<Lanes>, plus: impl Into<Lanes>) -> Lanes {
        let (by, plus) = (by.into(), plus.into());
        each!(l => self.0[l].mul_add(by.0[l], plus.0[l]))
    }

    #[inline(always)]
    pub(crate) fn sqrt(self) -> Lanes {
        each!(l => self.0[l].sqrt())
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Lanes {
        each!(l => self.0[l].abs())
    }

    #[inline(always)]
    pub(crate) fn lesser(self, other: impl Into<Lanes>) -> Lanes {
        let other = other.into();
        each!(l => float::smaller(self.0[l], other.0[l]))
    }

    #[inline(always)]
    pub(crate) fn greater(self, other: impl Into<Lanes>) -> Lanes {
        let other = other.into();
        each!(l => float::larger(self.0[l], other.0[l]))
    }

    /// Lane by lane, `then` where `self > than`, else `otherwise`.
    #[inline(always)]
    pub(crate) fn above(
        self,
        than: impl Into<Lanes>,
        then: impl Into<Lanes>,
        otherwise: impl Into<Lanes>,
    ) -> Lanes {
        let (than, then, otherwise) = (than.into(), then.into(), otherwise.into());
        each!(l => if self.0[l] > than.0[l] { then.0[l] } else { otherwise.0[l] })
    }

    #[inline(always)]
    pub(crate) fn exp(self) -> Lanes {
        each!(l => math::exp(self.0[l]))
    }

    /// `2^x`; see [`math::exp2`] for its range. `ROUGH` is [`math::exp2_term`].
    #[inline(always)]
    pub(crate) fn exp2<const ROUGH: bool>(self) -> Lanes {
        if ROUGH {
            each!(l => math::exp2_term(self.0[l]))
        } else {
            each!(l => math::exp2(self.0[l]))
        }
    }

    /// `N(-x) exp(x^2/2)` for x >= 0. `ROUGH` is [`math::mills_term`].
    #[inline(always)]
    pub(crate) fn mills<const ROUGH: bool>(self) -> (Lanes, Lanes) {
        let (mut p, mut q) = (Lanes::ZERO, Lanes::ZERO);
        let mut l = 0;
        while l < WIDTH {
            (p.0[l], q.0[l]) = if ROUGH {
                math::mills_term(self.0[l])
            } else {
                math::mills_grid(self.0[l])
            };
            l += 1;
        }
        (p, q)
    }

    #[inline(always)]
    pub(crate) fn ln(self) -> Lanes {
        each!(l => math::ln(self.0[l]))
    }
}
