//! Implied volatility of European option prices.
//!
//! With b the time value over min(F, K) (both discounted), y = |ln(F/K)| and s the deviation vol * sqrt(years), solve
//! b = N(s/2 - y/s) - e^y N(-s/2 - y/s). A start per region, then a fixed number of third-order Householder steps, all
//! branch-free: 1/ln b is nearly linear in s^2 below the inflection s^2 = 2y, ln(1 - b) above it, and the last step is
//! on b itself. For deviations below 0.002, b's two nearly equal terms are replaced by a two-point Gauss integral of
//! their derivative. Relative error of the vol below 1e-12 for out-of-the-money prices whose time value exceeds
//! 1e-12 of the forward; in-the-money prices lose what the subtraction of the intrinsic value loses.
// Index loops over columns of one length are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

use std::f64::consts::{PI, SQRT_2};

use super::black::{intrinsic, sign_of, terms};
use super::coefficients::{DISTANCE_P, DISTANCE_Q};
use super::math::{INV_SQRT_2PI, exp, gauss, greater, lesser, ln, mills, mills_slope, polynomial};
use crate::simd::{self, Kernel};

/// Rows per block of status codes.
const ROWS: usize = 64;

/// What became of a row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// The vol reproduces the price.
    #[default]
    Ok = 0,
    /// The price does not exceed the intrinsic value on the forward: no vol gives it.
    BelowIntrinsic = 1,
    /// The price is not below the discounted forward (call) or strike (put): no vol gives it.
    AboveMaximum = 2,
    /// No time to expiry, so no vol; or a spot or strike that is not positive, or a number that is not finite.
    Invalid = 3,
}

impl Status {
    /// In the order of their numbers.
    const ALL: [Status; 4] = [
        Self::Ok,
        Self::BelowIntrinsic,
        Self::AboveMaximum,
        Self::Invalid,
    ];

    /// What a person reads.
    pub fn message(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::BelowIntrinsic => "price at or below the intrinsic value on the forward",
            Self::AboveMaximum => {
                "price at or above the maximum (discounted forward of a call, discounted strike of a put)"
            }
            Self::Invalid => "no time to expiry, or an input that is not a finite positive number",
        }
    }
}

/// b below which the price is zero to any purpose: keeps the logarithms finite.
const TINY: f64 = 1e-300;
/// Beyond this many deviations the density is 1e-290.
const FAR: f64 = 36.5;
/// Deviations from which b is computed as a difference; below it, as an integral.
const DIFFERENCE: f64 = 0.002;

/// b(s) and db/ds.
#[inline(always)]
fn time_value_and_vega(y: f64, s: f64) -> (f64, f64) {
    let h = lesser(y / s, FAR);
    let half = lesser(0.5 * s, FAR);
    let d = half - h;
    let density = gauss(d);
    let (p_near, q_near) = mills(d.abs());
    let (p_far, q_far) = mills(half + h);
    let inside = d > 0.0;
    let numerator = if inside { -p_near } else { p_near } * q_far - p_far * q_near;
    let difference = density.mul_add(numerator / (q_near * q_far), if inside { 1.0 } else { 0.0 });
    (difference, INV_SQRT_2PI * density)
}

/// b(s) for small s: minus the integral of the Mills ratio's derivative over [h - s/2, h + s/2], two Gauss points.
#[inline(always)]
fn small_time_value(y: f64, s: f64) -> f64 {
    const NODE: f64 = 0.288_675_134_594_812_9; // 1 / (2 sqrt 3)
    let h = lesser(y / s, FAR);
    0.5 * s
        * gauss(0.5 * s - h)
        * (mills_slope(s.mul_add(NODE, h)) + mills_slope(s.mul_add(-NODE, h)))
}

/// A third-order Householder step from Newton's step and the second and third derivatives over the first.
#[inline(always)]
fn householder(newton: f64, second: f64, third: f64) -> f64 {
    newton * (0.5 * second).mul_add(newton, 1.0)
        / newton.mul_add(newton.mul_add(third * (1.0 / 6.0), second), 1.0)
}

/// The deviation at which b(y, s) = `b`, for b in (0, 1) and y >= 0.
#[inline(always)]
fn deviation(b: f64, y: f64) -> f64 {
    // The inflection of b in s.
    let turn = (2.0 * y).sqrt();
    let (p, q) = mills(lesser(turn, FAR));
    let b_turn = 0.5 - p / q;
    let lower = b < b_turn;
    let log_b = ln(greater(b, TINY)) - 0.5 * y;
    let log_rest = ln(1.0 - b);

    let normal = y < 0.8 && (lower || b < 0.2);
    let start = if lower {
        start_below(y, turn, b_turn, log_b)
    } else {
        start_above(b, turn, b_turn)
    };
    let mut s = greater(if normal { start_normal(b, y) } else { start }, TINY);
    for _ in 0..2 {
        let (value, vega) = time_value_and_vega(y, s);
        let (second, third) = higher_derivatives(y, s);
        // The objective u(b) is 1/(ln b - y/2) below the inflection and ln(1 - b) above; a is b or 1 - b.
        let a = greater(if lower { value } else { 1.0 - value }, TINY);
        let g = vega / a;
        let log_a = ln(a);
        let l = log_a - 0.5 * y;
        let r = 1.0 / l;
        let newton = if lower {
            (log_b - l) * l / (log_b * g)
        } else {
            (log_a - log_rest) / g
        };
        // Second and third derivative of u over its first, times a and a^2.
        let k = if lower { -r.mul_add(2.0, 1.0) } else { 1.0 };
        let m = if lower {
            r.mul_add(r.mul_add(6.0, 6.0), 2.0)
        } else {
            2.0
        };
        let step = householder(
            newton,
            g.mul_add(k, second),
            (g * g).mul_add(m, (3.0 * g * k).mul_add(second, third)),
        );
        s = lesser(greater(s + step, 0.5 * s), 2.0 * s);
    }
    let (value, vega) = time_value_and_vega(y, s);
    let value = if s < DIFFERENCE {
        small_time_value(y, s)
    } else {
        value
    };
    let (second, third) = higher_derivatives(y, s);
    let step = householder((b - value) / greater(vega, TINY), second, third);
    s + lesser(greater(step, -0.1 * s), 0.1 * s)
}

/// Second and third derivative of b over its first.
#[inline(always)]
fn higher_derivatives(y: f64, s: f64) -> (f64, f64) {
    let i = 1.0 / s;
    let w = y * i * (y * i);
    let second = w.mul_add(i, -0.25 * s);
    let third = second.mul_add(second, (-3.0 * w).mul_add(i * i, -0.25));
    (second, third)
}

/// A start for small y: Bachelier's model inverted by a fitted rational, corrected to first order for the lognormal.
#[inline(always)]
fn start_normal(b: f64, y: f64) -> f64 {
    let scaled = b * exp(-0.5 * y);
    let u = y / scaled;
    let square = ln(1.0 + u);
    let w = square.sqrt();
    let h = square * polynomial(&DISTANCE_P, w) / polynomial(&DISTANCE_Q, w);
    // At the money h is 0 over 0, and s the price over the density.
    let s = if u > 1e-9 {
        y / h
    } else {
        scaled * (1.0 / INV_SQRT_2PI)
    };
    s * (s * s).mul_add(1.0 / 24.0, 1.0)
}

/// A start below the inflection: s^2 as a cubic in w = ln b_turn / ln b, with its slopes at 0 and at the inflection.
#[inline(always)]
fn start_below(y: f64, turn: f64, b_turn: f64, log_b: f64) -> f64 {
    let log_turn = ln(greater(b_turn, TINY)) - 0.5 * y;
    let w = log_turn / log_b;
    // ln b ~ -y^2 / (2 s^2) as s goes to 0.
    let from = -0.25 * y / log_turn;
    let to = lesser(-2.0 * log_turn * b_turn / (INV_SQRT_2PI * turn), 3.0);
    let cubic = w * ((w - 1.0) * (w - 1.0) * from + w * ((3.0 - 2.0 * w) + (w - 1.0) * to));
    turn * greater(cubic, 1e-6).sqrt()
}

/// A start above the inflection: the normal deviate of the upper tail, scaled to be right at the inflection.
#[inline(always)]
fn start_above(b: f64, turn: f64, b_turn: f64) -> f64 {
    let half_turn = lesser(0.5 * turn, FAR);
    let (p, q) = mills(half_turn);
    let u = 2.0 * gauss(half_turn) * (p / q) * (1.0 - b) / (1.0 - b_turn);
    // Winitzki's inverse of the error function at 1 - u.
    const A: f64 = 0.147;
    let l = ln(greater(u * (2.0 - u), TINY));
    let c = 0.5f64.mul_add(l, 2.0 / (PI * A));
    2.0 * SQRT_2 * greater(c.mul_add(c, -l / A).sqrt() - c, 0.0).sqrt()
}

/// The vol, NaN where the status, given as its number, is not [`Status::Ok`].
#[inline(always)]
fn implied_body(
    price: f64,
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    right: i8,
) -> (f64, u8) {
    let finite = price.abs() < f64::INFINITY
        && rate.abs() < f64::INFINITY
        && dividend_yield.abs() < f64::INFINITY;
    let usable = spot > 0.0 && spot < f64::INFINITY && strike > 0.0 && strike < f64::INFINITY;
    let valid = finite && usable && years > 0.0 && years < f64::INFINITY;
    let t = terms(spot, strike, years, rate, dividend_yield);
    let b = (price - intrinsic(t.forward, t.strike, sign_of(right))) / lesser(t.forward, t.strike);
    let s = deviation(
        lesser(greater(b, TINY), 1.0 - f64::EPSILON),
        t.moneyness.abs(),
    );
    let status = if b < 1.0 {
        Status::Ok as u8
    } else {
        Status::AboveMaximum as u8
    };
    let status = if b > 0.0 {
        status
    } else {
        Status::BelowIntrinsic as u8
    };
    let status = if valid { status } else { Status::Invalid as u8 };
    (
        if status == 0 {
            s / t.root_years
        } else {
            f64::NAN
        },
        status,
    )
}

/// European prices to invert, one row each, all columns of one length. `right` is +1 for a call, -1 for a put.
#[derive(Clone, Copy, Debug)]
pub struct PriceColumns<'a> {
    pub price: &'a [f64],
    pub spot: &'a [f64],
    pub strike: &'a [f64],
    pub years: &'a [f64],
    pub rate: &'a [f64],
    pub dividend_yield: &'a [f64],
    pub right: &'a [i8],
}

/// Black-Scholes-Merton implied vol of each price, with a status per row; the vol is NaN where the status is not `Ok`.
///
/// # Panics
/// If the columns, `vol` and `status` differ in length.
pub fn black(o: &PriceColumns, vol: &mut [f64], status: &mut [Status]) {
    assert_eq!(vol.len(), status.len(), "vol and status differ in length");
    simd::run(Columns { o: *o, vol, status });
}

/// One implied vol; the bits of [`black`].
pub fn black_one(
    price: f64,
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    right: i8,
) -> Result<f64, Status> {
    let (mut vol, mut status) = ([0.0], [Status::Ok]);
    let o = PriceColumns {
        price: &[price],
        spot: &[spot],
        strike: &[strike],
        years: &[years],
        rate: &[rate],
        dividend_yield: &[dividend_yield],
        right: &[right],
    };
    black(&o, &mut vol, &mut status);
    if status[0] == Status::Ok {
        Ok(vol[0])
    } else {
        Err(status[0])
    }
}

struct Columns<'a> {
    o: PriceColumns<'a>,
    vol: &'a mut [f64],
    status: &'a mut [Status],
}

impl Kernel for Columns<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.vol.len();
        let o = self.o;
        assert!(
            [o.price, o.spot, o.strike, o.years, o.rate, o.dividend_yield]
                .iter()
                .all(|c| c.len() == n)
                && o.right.len() == n,
            "price columns differ in length"
        );
        let (vol, status) = (&mut self.vol[..n], &mut self.status[..n]);
        let mut codes = [0_u8; ROWS];
        for start in (0..n).step_by(ROWS) {
            let rows = ROWS.min(n - start);
            let (price, spot, strike) = (
                &o.price[start..][..rows],
                &o.spot[start..][..rows],
                &o.strike[start..][..rows],
            );
            let (years, rate) = (&o.years[start..][..rows], &o.rate[start..][..rows]);
            let (dividend_yield, right) = (
                &o.dividend_yield[start..][..rows],
                &o.right[start..][..rows],
            );
            let vol = &mut vol[start..][..rows];
            let codes = &mut codes[..rows];
            for i in 0..rows {
                (vol[i], codes[i]) = implied_body(
                    price[i],
                    spot[i],
                    strike[i],
                    years[i],
                    rate[i],
                    dividend_yield[i],
                    right[i],
                );
            }
            for (status, &code) in status[start..][..rows].iter_mut().zip(codes.iter()) {
                *status = Status::ALL[usize::from(code)];
            }
        }
    }
}
