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

use super::black::{intrinsic, terms};
use super::coefficients::{DISTANCE_P, DISTANCE_Q};
use super::math::{INV_SQRT_2PI, exp, gauss, ln, mills, mills_slope, polynomial};
use super::{BLOCK, OptionColumns, RowCopy, Rows};
use crate::float::{larger, smaller};
use crate::simd::{self, Kernel};

/// The multiple to which rows are padded.
const LANES: usize = 8;

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
    pub const ALL: [Self; 4] = [
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

/// b(s) for small s: minus the integral of the Mills ratio's derivative over [h - s/2, h + s/2], two Gauss points.
#[inline(always)]
fn small_time_value(y: f64, s: f64) -> f64 {
    const NODE: f64 = 0.288_675_134_594_812_9; // 1 / (2 sqrt 3)
    let h = smaller(y / s, FAR);
    0.5 * s
        * gauss(0.5 * s - h)
        * (mills_slope(s.mul_add(NODE, h)) + mills_slope(s.mul_add(-NODE, h)))
}

/// A third-order Householder step from Newton's step and the second and third derivatives over the first.
#[inline(always)]
pub(super) fn householder(newton: f64, second: f64, third: f64) -> f64 {
    newton * (0.5 * second).mul_add(newton, 1.0)
        / newton.mul_add(newton.mul_add(third * (1.0 / 6.0), second), 1.0)
}

/// Second and third derivative of b over its first, given 1/s.
#[inline(always)]
fn higher_derivatives(y: f64, s: f64, i: f64) -> (f64, f64) {
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
    // At the money the distance is 0 over 0, and s the price over the density.
    let s = if u > 1e-9 {
        y * polynomial(&DISTANCE_Q, w) / (square * polynomial(&DISTANCE_P, w))
    } else {
        scaled * (1.0 / INV_SQRT_2PI)
    };
    s * (s * s).mul_add(1.0 / 24.0, 1.0)
}

/// A start below the inflection: s^2 as a cubic in w = ln b_turn / ln b, with its slopes at 0 and at the inflection.
#[inline(always)]
fn start_below(y: f64, turn: f64, b_turn: f64, log_b: f64) -> f64 {
    let log_turn = ln(larger(b_turn, TINY)) - 0.5 * y;
    let w = log_turn / log_b;
    // ln b ~ -y^2 / (2 s^2) as s goes to 0.
    let from = -0.25 * y / log_turn;
    let to = smaller(-2.0 * log_turn * b_turn / (INV_SQRT_2PI * turn), 3.0);
    let cubic = w * ((w - 1.0) * (w - 1.0) * from + w * ((3.0 - 2.0 * w) + (w - 1.0) * to));
    turn * larger(cubic, 1e-6).sqrt()
}

/// A start above the inflection: the normal deviate of the upper tail, scaled to be right at the inflection.
#[inline(always)]
fn start_above(b: f64, turn: f64, b_turn: f64) -> f64 {
    let half_turn = smaller(0.5 * turn, FAR);
    let (p, q) = mills(half_turn);
    let u = 2.0 * gauss(half_turn) * (p / q) * (1.0 - b) / (1.0 - b_turn);
    // Winitzki's inverse of the error function at 1 - u.
    const A: f64 = 0.147;
    let l = ln(larger(u * (2.0 - u), TINY));
    let c = 0.5f64.mul_add(l, 2.0 / (PI * A));
    2.0 * SQRT_2 * larger(c.mul_add(c, -l / A).sqrt() - c, 0.0).sqrt()
}

/// The most y at which [`start_normal`] is used, and the most b, above the inflection.
const NORMAL_Y: f64 = 0.8;
const NORMAL_B: f64 = 0.2;
/// Beyond this y, one step on the transformed objective may not be enough.
const POOR_Y: f64 = 2.0;

/// A block of equations b(y, s) = `b`, with b in (0, 1) and y >= 0, and what passes leave for one another.
///
/// Short passes, as in [`super::black`]: the processor overlaps rows only within some 60 operations.
struct Block {
    b: [f64; BLOCK],
    y: [f64; BLOCK],
    s: [f64; BLOCK],
    /// b at the inflection in s; below it, 1/ln b is solved for, above it ln(1 - b).
    b_turn: [f64; BLOCK],
    /// ln b - y/2, and ln(1 - b): what the transformed objectives must reach.
    log_b: [f64; BLOCK],
    log_rest: [f64; BLOCK],
    d: [f64; BLOCK],
    far: [f64; BLOCK],
    weight: [f64; BLOCK],
    p_near: [f64; BLOCK],
    q_near: [f64; BLOCK],
    value: [f64; BLOCK],
    log_value: [f64; BLOCK],
}

impl Block {
    /// Rows past the last hold an ordinary equation, so that vectors can run over the end.
    fn new() -> Self {
        let zeros = [0.0; BLOCK];
        Self {
            b: [0.1; BLOCK],
            y: [0.1; BLOCK],
            s: [1.0; BLOCK],
            b_turn: zeros,
            log_b: zeros,
            log_rest: zeros,
            d: zeros,
            far: zeros,
            weight: zeros,
            p_near: zeros,
            q_near: zeros,
            value: zeros,
            log_value: zeros,
        }
    }

    /// Solves the first `count` equations: s.
    #[inline(always)]
    fn solve(&mut self, count: usize) {
        self.start(count);
        self.evaluate(count);
        self.transformed_step(count, 0.0);
        self.evaluate(count);
        // Far from the money, where a start is poor, another step; rows nearer do not take part.
        if self.y[..count].iter().any(|&y| y > POOR_Y) {
            self.transformed_step(count, POOR_Y);
            self.evaluate(count);
        }
        if self.s[..count].iter().any(|&s| s < DIFFERENCE) {
            self.evaluate_small(count);
        }
        self.direct_step(count);
    }

    #[inline(always)]
    fn start(&mut self, count: usize) {
        let (b, y, s) = (&self.b[..count], &self.y[..count], &mut self.s[..count]);
        let (b_turn, log_b, log_rest) = (
            &mut self.b_turn[..count],
            &mut self.log_b[..count],
            &mut self.log_rest[..count],
        );
        for l in 0..count {
            let (p, q) = mills(smaller((2.0 * y[l]).sqrt(), FAR));
            b_turn[l] = 0.5 - p / q;
        }
        for l in 0..count {
            log_b[l] = ln(b[l]) - 0.5 * y[l];
        }
        for l in 0..count {
            log_rest[l] = ln(1.0 - b[l]);
        }
        for l in 0..count {
            s[l] = start_normal(b[l], y[l]);
        }
        let normal = |l: usize| y[l] < NORMAL_Y && (b[l] < b_turn[l] || b[l] < NORMAL_B);
        // Most blocks need no other start; what a row gets does not depend on its neighbours.
        if (0..count).any(|l| !normal(l)) {
            for l in 0..count {
                let turn = (2.0 * y[l]).sqrt();
                let below = start_below(y[l], turn, b_turn[l], log_b[l]);
                let above = start_above(b[l], turn, b_turn[l]);
                let other = if b[l] < b_turn[l] { below } else { above };
                s[l] = if normal(l) { s[l] } else { other };
            }
        }
        for l in 0..count {
            s[l] = larger(s[l], TINY);
        }
    }

    /// b(s) into `value`, exp(-d^2/2) into `weight`.
    #[inline(always)]
    fn evaluate(&mut self, count: usize) {
        let (y, s) = (&self.y[..count], &self.s[..count]);
        let (d, far, weight) = (
            &mut self.d[..count],
            &mut self.far[..count],
            &mut self.weight[..count],
        );
        let (p_near, q_near) = (&mut self.p_near[..count], &mut self.q_near[..count]);
        let value = &mut self.value[..count];
        for l in 0..count {
            let h = smaller(y[l] / s[l], FAR);
            let half = smaller(0.5 * s[l], FAR);
            (d[l], far[l]) = (half - h, half + h);
        }
        for l in 0..count {
            weight[l] = gauss(d[l]);
        }
        for l in 0..count {
            (p_near[l], q_near[l]) = mills(d[l].abs());
        }
        for l in 0..count {
            let (p_far, q_far) = mills(far[l]);
            let inside = d[l] > 0.0;
            let numerator = if inside { -p_near[l] } else { p_near[l] } * q_far - p_far * q_near[l];
            value[l] = weight[l].mul_add(
                numerator / (q_near[l] * q_far),
                if inside { 1.0 } else { 0.0 },
            );
        }
    }

    /// b(s) again where s is small.
    #[inline(always)]
    fn evaluate_small(&mut self, count: usize) {
        let (y, s, value) = (&self.y[..count], &self.s[..count], &mut self.value[..count]);
        for l in 0..count {
            let small = small_time_value(y[l], s[l]);
            value[l] = if s[l] < DIFFERENCE { small } else { value[l] };
        }
    }

    /// A step of rows with y >= `least_y` on the transformed objective u(b): 1/(ln b - y/2) below the inflection, ln(1 - b) above it.
    #[inline(always)]
    fn transformed_step(&mut self, count: usize, least_y: f64) {
        let (b, y, s, b_turn) = (
            &self.b[..count],
            &self.y[..count],
            &mut self.s[..count],
            &self.b_turn[..count],
        );
        let (log_b, log_rest) = (&self.log_b[..count], &self.log_rest[..count]);
        let (weight, value, log_value) = (
            &self.weight[..count],
            &mut self.value[..count],
            &mut self.log_value[..count],
        );
        for l in 0..count {
            let objective = if b[l] < b_turn[l] {
                value[l]
            } else {
                1.0 - value[l]
            };
            value[l] = larger(objective, TINY);
            log_value[l] = ln(value[l]);
        }
        for l in 0..count {
            let lower = b[l] < b_turn[l];
            let (second, third) = higher_derivatives(y[l], s[l], 1.0 / s[l]);
            let vega = INV_SQRT_2PI * weight[l];
            let g = vega / value[l];
            let from = log_value[l] - 0.5 * y[l];
            let r = 1.0 / from;
            let newton = if lower {
                (log_b[l] - from) * from
            } else {
                log_value[l] - log_rest[l]
            } / (if lower { log_b[l] * g } else { g });
            // Second and third derivative of u over its first, times the objective's value and its square.
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
            let moved = smaller(larger(s[l] + step, 0.5 * s[l]), 2.0 * s[l]);
            s[l] = if y[l] >= least_y { moved } else { s[l] };
        }
    }

    /// The last step, on b itself.
    #[inline(always)]
    fn direct_step(&mut self, count: usize) {
        let (b, y, s) = (&self.b[..count], &self.y[..count], &mut self.s[..count]);
        let (weight, value) = (&self.weight[..count], &self.value[..count]);
        for l in 0..count {
            let (second, third) = higher_derivatives(y[l], s[l], 1.0 / s[l]);
            let step = householder(
                (b[l] - value[l]) / larger(INV_SQRT_2PI * weight[l], TINY),
                second,
                third,
            );
            s[l] += smaller(larger(step, -0.1 * s[l]), 0.1 * s[l]);
        }
    }
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
    let rows = OptionColumns {
        spot: o.spot,
        strike: o.strike,
        years: o.years,
        rate: o.rate,
        dividend_yield: o.dividend_yield,
        vol: o.price,
        right: o.right,
    };
    let Ok(()) = black_rows(&rows.exactly(vol.len()), vol, status);
}

/// As [`black`], of the first `vol.len()` rows of a source that has prices in the place of vols. It need not check them:
/// what is not a number becomes a status.
///
/// # Errors
/// The source's.
///
/// # Panics
/// If `vol` and `status` differ in length.
pub fn black_rows<R: Rows>(
    rows: &R,
    vol: &mut [f64],
    status: &mut [Status],
) -> Result<(), R::Error> {
    assert_eq!(vol.len(), status.len(), "vol and status differ in length");
    simd::run(Columns { rows, vol, status })
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

struct Columns<'a, R> {
    rows: &'a R,
    vol: &'a mut [f64],
    status: &'a mut [Status],
}

impl<R: Rows> Kernel for Columns<'_, R> {
    type Output = Result<(), R::Error>;

    #[inline(always)]
    fn run(self) -> Self::Output {
        let mut copy = RowCopy::default();
        let mut block = Block::new();
        let (mut b, mut vol) = ([0.0; BLOCK], [0.0; BLOCK]);
        let out = self
            .vol
            .chunks_mut(BLOCK)
            .zip(self.status.chunks_mut(BLOCK));
        for (i, (out, status)) in out.enumerate() {
            let count = out.len();
            self.rows.copy(i * BLOCK, count, &mut copy)?;
            let [spot, strike, years, rate, dividend_yield, price] = &copy.floats;
            // Whole vectors: the rows past the last are computed and dropped.
            let padded = count.next_multiple_of(LANES);
            let mut usual = true;
            for l in 0..padded {
                let t = terms(spot[l], strike[l], years[l], rate[l], dividend_yield[l]);
                let sign = f64::from(copy.right[l]);
                b[l] = (price[l] - intrinsic(t.forward, t.strike, sign))
                    / smaller(t.forward, t.strike);
                block.y[l] = t.moneyness.abs();
                block.b[l] = smaller(larger(b[l], TINY), 1.0 - f64::EPSILON);
            }
            block.solve(padded);
            for l in 0..padded {
                vol[l] = block.s[l] / years[l].sqrt();
            }
            for l in 0..count {
                let (positive, finite) = (
                    [spot[l], strike[l], years[l]],
                    [price[l], rate[l], dividend_yield[l]],
                );
                usual &= (b[l] > 0.0) & (b[l] < 1.0) & usable(positive, finite);
            }
            out.copy_from_slice(&vol[..count]);
            status.fill(Status::Ok);
            if usual {
                continue;
            }
            for l in 0..count {
                let (positive, finite) = (
                    [spot[l], strike[l], years[l]],
                    [price[l], rate[l], dividend_yield[l]],
                );
                status[l] = status_of(b[l], usable(positive, finite));
                if status[l] != Status::Ok {
                    out[l] = f64::NAN;
                }
            }
        }
        Ok(())
    }
}

/// Whether numbers are positive and finite, and others finite. Without branches, for the loops of kernels.
#[inline(always)]
fn usable(positive: [f64; 3], finite: [f64; 3]) -> bool {
    let [a, b, c] = positive;
    let [d, e, f] = finite.map(f64::abs);
    let inf = f64::INFINITY;
    (a > 0.0)
        & (b > 0.0)
        & (c > 0.0)
        & (a < inf)
        & (b < inf)
        & (c < inf)
        & (d < inf)
        & (e < inf)
        & (f < inf)
}

/// A row's status, from its time value over the lesser of discounted forward and strike.
fn status_of(b: f64, usable: bool) -> Status {
    if !usable {
        Status::Invalid
    } else if b >= 1.0 {
        Status::AboveMaximum
    } else if b > 0.0 {
        Status::Ok
    } else {
        Status::BelowIntrinsic
    }
}
