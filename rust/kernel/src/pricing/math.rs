//! Elementary functions of the kernels: branch-free, the same bits on every machine.
//!
//! Each is scalar Rust that is inlined into a kernel's loop and vectorised there. `mul_add` is used for every fused
//! operation, so levels agree bit for bit. Errors are stated for the whole domain, measured by the tests of this file.

use crate::float::{larger, smaller};

use super::coefficients::{
    ATANH, EXP, EXP2, EXP2_TERM, MILLS_GRID_P, MILLS_GRID_Q, MILLS_P, MILLS_Q, MILLS_TERM_P,
    MILLS_TERM_Q, SLOPE_P, SLOPE_Q,
};
use std::f64::consts::{LN_2, LOG2_E};

/// 1 / sqrt(2 pi).
pub(crate) const INV_SQRT_2PI: f64 = 0.398_942_280_401_432_7;

pub(crate) const SIGN_BIT: u64 = 1 << 63;

/// 1.5 * 2^52: adding it rounds to the nearest integer, which is then in the low bits.
const ROUND: f64 = 6_755_399_441_055_744.0;

/// ln 2 minus its double.
const LN_2_LOW: f64 = 2.319_046_813_846_299_6e-17;

/// Horner's rule, fused; coefficients in ascending powers.
#[inline(always)]
pub(crate) fn polynomial<const N: usize>(c: &[f64; N], x: f64) -> f64 {
    let mut p = c[N - 1];
    let mut k = N - 1;
    while k > 0 {
        k -= 1;
        p = p.mul_add(x, c[k]);
    }
    p
}

/// As [`polynomial`], even and odd powers apart: half the waiting for one multiplication more. `square` = x * x.
#[inline(always)]
fn split_polynomial<const N: usize>(c: &[f64; N], x: f64, square: f64) -> f64 {
    let (mut high, mut low) = (c[N - 1], c[N - 2]);
    let mut k = N - 2;
    while k >= 2 {
        high = high.mul_add(square, c[k - 1]);
        low = low.mul_add(square, c[k - 2]);
        k -= 2;
    }
    // `low` ends at the constant where k is 0; else one more even coefficient is left.
    if k == 0 {
        high.mul_add(x, low)
    } else {
        low.mul_add(x, high.mul_add(square, c[0]))
    }
}

/// 2^x for x in [-1021, 1023]. Relative error below 2.3e-16; exact at 0.
#[inline(always)]
pub(crate) fn exp2(x: f64) -> f64 {
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    let p = split_polynomial(&EXP2, r, r * r);
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// e^x. Relative error below 2.3e-16 on [-708, 709]; beyond, the value at the end of that range.
#[inline(always)]
pub fn exp(x: f64) -> f64 {
    let x = larger(smaller(x, 709.0), -708.0);
    let shifted = x.mul_add(LOG2_E, ROUND);
    let k = shifted - ROUND;
    let r = k.mul_add(-LN_2_LOW, k.mul_add(-LN_2, x));
    let p = polynomial(&EXP, r);
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}

const ONE_BITS: u64 = 0x3ff0_0000_0000_0000;
/// 2^52 as bits: an exponent field in the low bits of this double reads as an integer above 2^52.
const INTEGER_BITS: u64 = 0x4330_0000_0000_0000;

/// Half of an exponent's unit.
const HALF_EXPONENT: u64 = 1 << 51;
/// Added to bits, divides by four.
const QUARTER: u64 = 0_u64.wrapping_sub(2 << 52);
/// What [`INTEGER_BITS`] and the turned sign add to a power of two.
const OFFSET_INTEGER: f64 = 4_503_599_627_370_496.0 + 2048.0;

/// ln(a / b) with one division, for finite a and b of at least 1e-307.
///
/// Absolute error below 2.3e-16 * max(1, |ln(a/b)|); where a/b is in [2/3, 3/2], relative error below 4.5e-16, however
/// close a and b are.
#[inline(always)]
pub fn ln_ratio(a: f64, b: f64) -> f64 {
    // Bits are nearly logarithms: their difference, rounded to whole exponents, is the power of two that brings b within
    // a factor of 3/2 of a. Both are divided by four, lest their sum overflow.
    let gap = a
        .to_bits()
        .wrapping_sub(b.to_bits())
        .wrapping_add(HALF_EXPONENT);
    let k = f64::from_bits(((gap ^ SIGN_BIT) >> 52) | INTEGER_BITS) - OFFSET_INTEGER;
    let a = f64::from_bits(a.to_bits().wrapping_add(QUARTER));
    let b = f64::from_bits(
        b.to_bits()
            .wrapping_add(gap & !MANTISSA_MASK)
            .wrapping_add(QUARTER),
    );
    let s = (a - b) / (a + b);
    ln_scaled(k, s)
}

/// k ln 2 + 2 atanh(s): the logarithm of 2^k (1 + s) / (1 - s).
#[inline(always)]
fn ln_scaled(k: f64, s: f64) -> f64 {
    let z = s * s;
    let tail = s * z * split_polynomial(&ATANH, z, z * z);
    k.mul_add(LN_2, s + (s + k.mul_add(LN_2_LOW, tail)))
}

/// The double next to 1/sqrt 2, as bits.
const SQRT_HALF_BITS: u64 = 0x3fe6_a09e_667f_3bcd;
const MANTISSA_MASK: u64 = 0x000f_ffff_ffff_ffff;
/// What [`INTEGER_BITS`] and an exponent's bias add to an exponent.
const BIASED_INTEGER: f64 = 4_503_599_627_370_496.0 + 1023.0;

/// ln(x) for positive normal x. Errors as [`ln_ratio`].
#[inline(always)]
pub fn ln(x: f64) -> f64 {
    // The mantissa is brought into [1/sqrt 2, sqrt 2]: shifted by that much, it carries into the exponent.
    let shifted = x.to_bits().wrapping_add(ONE_BITS - SQRT_HALF_BITS);
    let e = f64::from_bits((shifted >> 52) | INTEGER_BITS) - BIASED_INTEGER;
    let m = f64::from_bits((shifted & MANTISSA_MASK) + SQRT_HALF_BITS);
    ln_scaled(e, (m - 1.0) / (m + 1.0))
}

/// exp(-x^2/2) for |x| <= 37. Relative error below 2.3e-16 * max(1, x^2/2).
#[inline(always)]
pub(crate) fn density(x: f64) -> f64 {
    const SCALE: f64 = -0.5 * LOG2_E;
    let square = x * x;
    let shifted = square.mul_add(SCALE, ROUND);
    let r = square.mul_add(SCALE, -(shifted - ROUND));
    let p = split_polynomial(&EXP2, r, r * r);
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Numerator and denominator of N(-x) exp(x^2/2) for x >= 0: relative error of the ratio below 4e-16 (to x = 1e6).
#[inline(always)]
pub(crate) fn mills(x: f64) -> (f64, f64) {
    (polynomial(&MILLS_P, x), polynomial(&MILLS_Q, x))
}

/// As [`mills`], cheaper: the error is 4e-16 after weighting by the density, and at most 4e-10 relative in the tail.
#[inline(always)]
pub(crate) fn mills_grid(x: f64) -> (f64, f64) {
    let square = x * x;
    (
        split_polynomial(&MILLS_GRID_P, x, square),
        split_polynomial(&MILLS_GRID_Q, x, square),
    )
}

/// As [`mills`] for the terms of a quadrature whose own error is larger: 1.3e-10 after weighting by the density.
#[inline(always)]
pub(crate) fn mills_term(x: f64) -> (f64, f64) {
    (polynomial(&MILLS_TERM_P, x), polynomial(&MILLS_TERM_Q, x))
}

/// As [`exp2`] for the terms of a quadrature whose own error is larger: relative error 1e-10.
#[inline(always)]
pub(crate) fn exp2_term(x: f64) -> f64 {
    let shifted = x + ROUND;
    let r = x - (shifted - ROUND);
    let p = polynomial(&EXP2_TERM, r);
    f64::from_bits(p.to_bits().wrapping_add(shifted.to_bits() << 52))
}

/// Minus the derivative of N(-x) exp(x^2/2), without its cancellation, for x >= -0.05. Relative error below 6e-16.
#[inline(always)]
pub(crate) fn mills_slope(x: f64) -> f64 {
    polynomial(&SLOPE_P, x) / polynomial(&SLOPE_Q, x)
}

/// exp(-x^2/2) for |x| <= 37.6, with the rounding of the square carried along. Relative error below 5e-16.
#[inline(always)]
pub(crate) fn gauss(x: f64) -> f64 {
    let square = x * x;
    let rest = x.mul_add(x, -square);
    let value = exp(-0.5 * square);
    value.mul_add(-0.5 * rest, value)
}

/// The standard normal density. Relative error below 6e-16 for |x| <= 37.6; constant beyond.
#[inline(always)]
pub fn normal_pdf(x: f64) -> f64 {
    INV_SQRT_2PI * gauss(smaller(x.abs(), 37.6))
}

/// The standard normal distribution function. Relative error below 1e-15 for x >= -37.6; constant below.
#[inline(always)]
pub fn normal_cdf(x: f64) -> f64 {
    let a = smaller(x.abs(), 37.6);
    let (p, q) = mills(a);
    let tail = gauss(a) * (p / q);
    if x > 0.0 { 1.0 - tail } else { tail }
}
