//! American options with escrowed dividends on two trinomial lattices, the finer one of twice the steps, extrapolated.
//!
//! A node is worth `forward(t) exp(j h)`: the lattice carries the deviation from the forward, so that its moves do not
//! depend on the carry. They have the first two moments of the lognormal price; with `h^2 = 3 vol^2 dt` the fourth is
//! right as well (Kamrad and Ritchken, Management Science 37, 1991, at a stretch of the square root of three). Three
//! things make the error regular enough to extrapolate:
//! * the ex-dates are levels: the time between two of them is divided evenly;
//! * the last step is the Black price (Broadie and Detemple, Review of Financial Studies 9, 1996);
//! * a call just before an ex-date is exercised along a kink, which the nodes next to it carry by its average over
//!   their cells (Heston and Zhou, Mathematical Finance 10, 2000).
//!
//! What is left is the error of exercise at levels only, of first order: `2 fine - coarse` (as Broadie and Detemple's
//! BBSR). An ordinary deep put can still miss 1e-4 of its price at 400 steps. Delta and gamma come from the nodes next to
//! the spot's at now. Nodes beyond eight deviations from the forward are left out.
// Lane loops of a constant length are what the compiler turns into vector instructions.
#![allow(clippy::needless_range_loop)]

use super::{DividendTreatment, TreeInputs};
use crate::error::Result;
use crate::fail;
use crate::float::larger;
use crate::pricing::black;
use crate::pricing::math::exp;
use crate::simd::{self, Kernel};

/// Squared width of a step of the lattice in variances of its time.
const STRETCH: f64 = 3.0;
/// Deviations over the life of the option that the lattice spans to each side.
const SPAN: f64 = 8.0;
/// Deviations of the last step beyond which it is certain to end in or out of the money.
const CERTAIN: f64 = 9.0;
/// The least deviation over the life of the option, for the moves to be numbers.
const LEAST_DEVIATION: f64 = 1e-6;
/// Least value one step before expiry, in strikes: zeros would spread as subnormal numbers, which are slow.
const NOTHING: f64 = 1e-150;
/// Beyond this spacing of the logarithms of the nodes the moves have no probabilities.
const MOST_SPACING: f64 = 2.0;

/// The largest deviation over the life of an option for which lattices of so many steps have moves.
pub(super) fn most_deviation(steps: usize) -> f64 {
    MOST_SPACING * (steps.div_ceil(2) as f64 / STRETCH).sqrt()
}

/// A value with its first two derivatives by the spot.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Curve {
    pub price: f64,
    pub delta: f64,
    pub gamma: f64,
}

/// The values of `L` options; `steps` are those of the finer lattice, at least.
pub(super) fn prices<const L: usize>(
    inputs: &[TreeInputs<'_>; L],
    american: bool,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<[f64; L]> {
    if treatment != DividendTreatment::Escrowed {
        fail!(
            InvalidInput,
            "tree: the trinomial scheme takes escrowed dividends; use another scheme for the spot-drop treatment"
        );
    }
    let mut values = [0.0; L];
    let mut options = Vec::with_capacity(L);
    for l in 0..L {
        let option = Escrowed::new(&inputs[l])?;
        values[l] = option.least();
        if american && option.years > 0.0 {
            options.push((l, option));
        }
    }
    if options.is_empty() {
        return Ok(values);
    }
    // Lanes that have nothing to do repeat another.
    let of = |l: usize| options.iter().find(|(k, _)| *k == l).unwrap_or(&options[0]);
    let curves: [Curve; L] = extrapolated(&std::array::from_fn(|l| &of(l).1), steps)?;
    for (l, option) in &options {
        values[*l] = larger(curves[*l].price, option.least());
    }
    Ok(values)
}

/// American prices, those of [`prices`], with delta and gamma from the nodes next to the spot's: the error of these
/// differences is of first order in the step, as that of the values is, and goes with it.
pub(super) fn curves<const L: usize>(
    inputs: &[TreeInputs<'_>; L],
    steps: usize,
) -> Result<[Curve; L]> {
    let mut options = Vec::with_capacity(L);
    for option in inputs {
        options.push(Escrowed::new(option)?);
    }
    let mut curves = extrapolated(&std::array::from_fn(|l| &options[l]), steps)?;
    for (curve, option) in curves.iter_mut().zip(&options) {
        if curve.price <= option.exercised_now() {
            curve.delta = option.sign;
            curve.gamma = 0.0;
        }
        curve.price = larger(curve.price, option.least());
    }
    Ok(curves)
}

fn extrapolated<const L: usize>(options: &[&Escrowed<'_>; L], steps: usize) -> Result<[Curve; L]> {
    let steps = steps.div_ceil(2);
    let induct = |times| {
        simd::run(Induction {
            options,
            steps,
            times,
        })
    };
    let (coarse, fine) = (induct(1)?, induct(2)?);
    let beyond = |fine: f64, coarse: f64| 2.0 * fine - coarse;
    Ok(std::array::from_fn(|l| Curve {
        price: beyond(fine[l].price, coarse[l].price),
        delta: beyond(fine[l].delta, coarse[l].delta),
        gamma: beyond(fine[l].gamma, coarse[l].gamma),
    }))
}

/// An option on the spot less its escrowed dividends.
struct Escrowed<'a> {
    option: TreeInputs<'a>,
    years: f64,
    sign: f64,
    /// What diffuses.
    base: f64,
    /// (years, cash) of those that count.
    dividends: Vec<(f64, f64)>,
}

/// The time between two ex-dates, now or expiry: what its levels share.
struct Segment {
    from: f64,
    years: f64,
    /// Value at `from` of the dividends that go ex later, and of those that go ex at that time.
    later: f64,
    there: f64,
}

impl<'a> Escrowed<'a> {
    fn new(option: &TreeInputs<'a>) -> Result<Self> {
        let years = larger(option.years, 0.0);
        let dividends: Vec<(f64, f64)> = option
            .dividends
            .iter()
            .copied()
            .filter(|&(when, cash)| when > 0.0 && when <= years && cash > 0.0)
            .collect();
        let carry = option.rate - option.dividend_yield;
        let mut base = option.spot;
        for &(when, cash) in &dividends {
            base -= cash * exp(-carry * when);
        }
        if base <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "tree: the dividends before expiry are worth more than the spot {}: nothing is left to diffuse; use \
                 the spot-drop treatment",
                option.spot
            );
        }
        Ok(Self {
            option: *option,
            years,
            sign: f64::from(option.right),
            base,
            dividends,
        })
    }

    fn european(&self) -> f64 {
        let o = &self.option;
        black::price_one(
            self.base,
            o.strike,
            self.years,
            o.rate,
            o.dividend_yield,
            o.vol,
            o.right,
        )
    }

    fn exercised_now(&self) -> f64 {
        self.sign * (self.option.spot - self.option.strike)
    }

    /// What an American option is worth at least.
    fn least(&self) -> f64 {
        larger(self.european(), self.exercised_now())
    }

    #[inline(always)]
    fn segments(&self) -> Vec<Segment> {
        let mut edges = vec![0.0];
        for &(when, _) in &self.dividends {
            if when > edges[edges.len() - 1] && when < self.years {
                edges.push(when);
            }
        }
        let ends = edges.iter().skip(1).copied().chain([self.years]);
        let carry = self.option.rate - self.option.dividend_yield;
        let segment = |(&from, to): (&f64, f64)| {
            let (mut later, mut there) = (0.0, 0.0);
            for &(when, cash) in &self.dividends {
                if when > from {
                    later += cash * exp(-carry * (when - from));
                } else if when == from {
                    there += cash;
                }
            }
            Segment {
                from,
                years: to - from,
                later,
                there,
            }
        };
        edges.iter().zip(ends).map(segment).collect()
    }

    /// What a call is exercised for on the last day of the life of the option: with the dividend of that day.
    #[inline(always)]
    fn last_strike(&self) -> f64 {
        let on_the_day: f64 = self
            .dividends
            .iter()
            .filter(|(when, _)| *when >= self.years)
            .map(|(_, cash)| cash)
            .sum();
        self.option.strike - if self.sign > 0.0 { on_the_day } else { 0.0 }
    }
}

/// One level: discounted probabilities, signed forward, and the signed strike less the dividends to come.
#[derive(Clone, Copy)]
struct Level<const L: usize> {
    up: [f64; L],
    middle: [f64; L],
    down: [f64; L],
    forward: [f64; L],
    strike: [f64; L],
    /// Lanes where a call is about to lose a dividend.
    before_dividend: [bool; L],
}

impl<const L: usize> Level<L> {
    /// Before now: passes the middle on, exercises nothing.
    const IDLE: Self = Self {
        up: [0.0; L],
        middle: [1.0; L],
        down: [0.0; L],
        forward: [0.0; L],
        strike: [f64::INFINITY; L],
        before_dividend: [false; L],
    };

    #[inline(always)]
    fn held(&self, l: usize, low: f64, middle: f64, high: f64) -> f64 {
        self.up[l].mul_add(high, self.middle[l].mul_add(middle, self.down[l] * low))
    }

    #[inline(always)]
    fn exercised(&self, l: usize, deviation: f64) -> f64 {
        self.forward[l].mul_add(deviation, -self.strike[l])
    }
}

struct Lattice<const L: usize> {
    /// From now to the one before expiry.
    levels: Vec<Level<L>>,
    /// Nodes to each side of the forward.
    half: usize,
    /// Nodes to each side of it that now takes, for results to depend on no other lane's levels: one for the
    /// differences, two for a kink's slope at its edge, one more for each kink after it.
    reach: usize,
    /// `exp(j h)`
    deviation: Vec<[f64; L]>,
    /// `exp(h)`
    ratio: [f64; L],
    /// Values one step before expiry if held.
    last: Vec<[f64; L]>,
}

impl<const L: usize> Lattice<L> {
    /// At least `steps * times` levels; lattices of the same `steps` divide each other's.
    #[inline(always)]
    fn new(options: &[&Escrowed<'_>; L], steps: usize, times: usize) -> Result<Self> {
        let segments: [Vec<Segment>; L] = std::array::from_fn(|l| options[l].segments());
        let count = |l: usize, segment: &Segment| {
            let share = segment.years / options[l].years * steps as f64;
            // A whole number of steps that rounding has lifted is no step more.
            times * ((share - 1e-9).ceil() as usize).max(1)
        };
        let levels_of = |l: usize| -> usize { segments[l].iter().map(|s| count(l, s)).sum() };
        let most = (0..L).map(levels_of).max().unwrap_or(0);
        let total = (steps * times) as f64;
        let half = ((SPAN * (total / STRETCH).sqrt()).ceil() as usize + 2)
            .min(steps * times)
            .max(2);
        let mut lattice = Self {
            levels: vec![Level::IDLE; most],
            half,
            reach: 2 + segments.iter().map(Vec::len).max().unwrap_or(0),
            deviation: vec![[0.0; L]; 2 * half + 1],
            ratio: [0.0; L],
            last: vec![[0.0; L]; 2 * half + 1],
        };
        for l in 0..L {
            let option = options[l];
            let life = larger(option.option.vol * option.years.sqrt(), LEAST_DEVIATION);
            let spacing = life * (STRETCH / total).sqrt();
            if spacing > MOST_SPACING {
                fail!(
                    InvalidInput: OutOfRange;
                    "tree: a vol of {} over {} years needs more than {steps} steps",
                    option.option.vol,
                    option.years
                );
            }
            let ratio = exp(spacing);
            lattice.ratio[l] = ratio;
            lattice.deviation[half][l] = 1.0;
            for j in 1..=half {
                lattice.deviation[half + j][l] = lattice.deviation[half + j - 1][l] * ratio;
                lattice.deviation[half - j][l] = 1.0 / lattice.deviation[half + j][l];
            }
            let mut level = most - levels_of(l);
            for segment in &segments[l] {
                let within = count(l, segment);
                lattice.fill(l, option, segment, level, within, spacing, life);
                level += within;
            }
            lattice.fill_last(l, option, &segments[l][segments[l].len() - 1], count);
        }
        Ok(lattice)
    }

    /// The levels of a segment: `count` of them from `first`.
    #[inline(always)]
    fn fill(
        &mut self,
        l: usize,
        option: &Escrowed<'_>,
        segment: &Segment,
        first: usize,
        count: usize,
        spacing: f64,
        life: f64,
    ) {
        let o = &option.option;
        let dt = segment.years / count as f64;
        let carry = o.rate - o.dividend_yield;
        let variance = life * life * (dt / option.years);
        // E[e^X] = 1 and E[e^2X] = e^variance over X in (-h, 0, h).
        let (rise, ratio) = (exp_less_one(spacing), self.ratio[l]);
        let up = exp_less_one(variance) * ratio / (rise * rise * (ratio + 1.0));
        let down = ratio * up;
        let discount = exp(-o.rate * dt);
        let growth = exp(carry * dt);
        let mut forward = option.sign * option.base * exp(carry * segment.from);
        let mut later = segment.later;
        for k in 0..count {
            let level = &mut self.levels[first + k];
            level.up[l] = discount * up;
            level.middle[l] = discount * (1.0 - up - down);
            level.down[l] = discount * down;
            level.forward[l] = forward;
            let there = if k == 0 && option.sign > 0.0 {
                segment.there
            } else {
                0.0
            };
            level.strike[l] = option.sign * (o.strike - later - there);
            level.before_dividend[l] = there > 0.0;
            forward *= growth;
            later *= growth;
        }
    }

    /// The values one step before expiry, if held, by Black's formula where the outcome is open.
    #[inline(always)]
    fn fill_last(
        &mut self,
        l: usize,
        option: &Escrowed<'_>,
        segment: &Segment,
        count: impl Fn(usize, &Segment) -> usize,
    ) {
        let o = &option.option;
        let dt = segment.years / count(l, segment) as f64;
        let level = &self.levels[self.levels.len() - 1];
        let (forward, strike) = (level.forward[l].abs(), option.last_strike());
        let growth = exp((o.rate - o.dividend_yield) * dt);
        let discount = exp(-o.rate * dt);
        let open = exp(CERTAIN * o.vol * dt.sqrt());
        for (last, deviation) in self.last.iter_mut().zip(&self.deviation) {
            let at_expiry = forward * deviation[l] * growth;
            let is_open = at_expiry < strike * open && at_expiry * open > strike;
            let value = if strike > 0.0 && is_open {
                let spot = forward * deviation[l];
                black::price_one(spot, strike, dt, o.rate, o.dividend_yield, o.vol, o.right)
            } else {
                discount * larger(option.sign * (at_expiry - strike), 0.0)
            };
            last[l] = larger(value, NOTHING * o.strike);
        }
    }

    /// The nodes that now's curve can depend on, at least.
    #[inline(always)]
    fn nodes(&self, level: usize) -> std::ops::RangeInclusive<usize> {
        let wide = (level + self.reach).min(self.half);
        self.half - wide..=self.half + wide
    }

    /// Value and differences at the spot, from the values of now.
    #[inline(always)]
    fn curve(&self, l: usize, base: f64, now: &[[f64; L]]) -> Curve {
        let at = |j: usize| (base * self.deviation[j][l], now[j][l]);
        let ((low, below), (spot, price), (high, above)) =
            (at(self.half - 1), at(self.half), at(self.half + 1));
        let (left, right) = (
            (price - below) / (spot - low),
            (above - price) / (high - spot),
        );
        Curve {
            price,
            delta: ((high - spot) * left + (spot - low) * right) / (high - low),
            gamma: 2.0 * (right - left) / (high - low),
        }
    }
}

struct Induction<'a, const L: usize> {
    options: &'a [&'a Escrowed<'a>; L],
    steps: usize,
    times: usize,
}

impl<const L: usize> Kernel for Induction<'_, L> {
    type Output = Result<[Curve; L]>;

    #[inline(always)]
    fn run(self) -> Result<[Curve; L]> {
        let lattice = &Lattice::new(self.options, self.steps, self.times)?;
        let edge = 2 * lattice.half;
        let deviation = lattice.deviation.as_slice();
        let mut later = lattice.last.clone();
        let mut now = later.clone();
        let last = lattice.levels.len() - 1;
        for (n, level) in lattice.levels.iter().enumerate().rev() {
            let nodes = lattice.nodes(n);
            if n < last {
                let (from, to) = (*nodes.start().max(&1), *nodes.end().min(&(edge - 1)));
                step(level, (from, to), &later, deviation, &mut now);
                if *nodes.start() == 0 {
                    // Deep in or out of the money values are straight in the price.
                    for l in 0..L {
                        let ratio = lattice.ratio[l];
                        now[0][l] = now[1][l] + (now[1][l] - now[2][l]) / ratio;
                        now[edge][l] =
                            now[edge - 1][l] + (now[edge - 1][l] - now[edge - 2][l]) * ratio;
                    }
                }
            } else {
                for j in nodes.clone() {
                    for l in 0..L {
                        now[j][l] = larger(later[j][l], level.exercised(l, deviation[j][l]));
                    }
                }
            }
            for l in 0..L {
                if level.before_dividend[l] {
                    let (from, to) = (nodes.start() + 2, nodes.end().saturating_sub(2));
                    smooth(level, l, n == last, (from, to), &later, deviation, &mut now);
                }
            }
            std::mem::swap(&mut now, &mut later);
        }
        Ok(std::array::from_fn(|l| {
            lattice.curve(l, self.options[l].base, &later)
        }))
    }
}

/// The values of a level at the nodes `from` to `to`, from those of the next.
#[inline(always)]
fn step<const L: usize>(
    level: &Level<L>,
    (from, to): (usize, usize),
    later: &[[f64; L]],
    deviation: &[[f64; L]],
    now: &mut [[f64; L]],
) {
    let level = *level;
    if L == 1 {
        let (later, now) = (&later[from - 1..=to + 1], &mut now[from..=to]);
        let deviation = &deviation[from..=to];
        for j in 0..now.len() {
            now[j] = node(
                &level,
                &later[j],
                &later[j + 1],
                &later[j + 2],
                &deviation[j],
            );
        }
        return;
    }
    // Not cut to length: a loop that may end at any node is left alone, and the lanes, not the nodes, become vectors.
    let (mut low, mut middle) = (later[from - 1], later[from]);
    for j in from..=to {
        let high = later[j + 1];
        now[j] = node(&level, &low, &middle, &high, &deviation[j]);
        (low, middle) = (middle, high);
    }
}

#[inline(always)]
fn node<const L: usize>(
    level: &Level<L>,
    low: &[f64; L],
    middle: &[f64; L],
    high: &[f64; L],
    deviation: &[f64; L],
) -> [f64; L] {
    let mut value = [0.0; L];
    for l in 0..L {
        let held = level.held(l, low[l], middle[l], high[l]);
        let exercised = level.exercised(l, deviation[l]);
        value[l] = if held > exercised { held } else { exercised };
    }
    value
}

/// Replaces the values next to a kink between holding and exercise, in one lane, by averages over their cells.
#[inline(always)]
fn smooth<const L: usize>(
    level: &Level<L>,
    l: usize,
    is_last: bool,
    (from, to): (usize, usize),
    later: &[[f64; L]],
    deviation: &[[f64; L]],
    now: &mut [[f64; L]],
) {
    let excess = |j: usize| {
        let held = if is_last {
            later[j][l]
        } else {
            level.held(l, later[j - 1][l], later[j][l], later[j + 1][l])
        };
        held - level.exercised(l, deviation[j][l])
    };
    if from > to {
        return;
    }
    let (mut low, mut middle) = (excess(from - 1), excess(from));
    for j in from..=to {
        let high = excess(j + 1);
        let slope = 0.5 * (high - low).abs();
        if middle.abs() < 0.5 * slope {
            let part = middle + 0.5 * slope;
            now[j][l] = level.exercised(l, deviation[j][l]) + part * part / (2.0 * slope);
        }
        (low, middle) = (middle, high);
    }
}

/// `exp(x) - 1`, with full relative accuracy.
#[inline(always)]
fn exp_less_one(x: f64) -> f64 {
    if x > 0.5 {
        return exp(x) - 1.0;
    }
    let mut series = 1.0;
    for n in (2..=18).rev() {
        series = 1.0 + x / f64::from(n) * series;
    }
    x * series
}
