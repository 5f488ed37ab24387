//! The lattice of one option: node `j` of a level is worth `strike exp(j h)` at the level's forward of now.
//!
//! Moves have the first two moments of the lognormal price; with `h^2 = 3 vol^2 dt` the fourth is right as well (Kamrad
//! and Ritchken, Management Science 37, 1991, at a stretch of the square root of three). The last step is the Black price
//! (Broadie and Detemple, Review of Financial Studies 9, 1996). A call just before an ex-date is exercised along a kink,
//! which the nodes next to it carry by its average over their cells (Heston and Zhou, Mathematical Finance 10, 2000).

use super::curve::Curve;
use super::schedule::{Schedule, Segment};
use crate::float::larger;
use crate::pricing::black;
use crate::pricing::math::{exp, ln};
use crate::pricing::tree::dividends::drop_values;

/// Squared width of a step in variances of its time.
pub(super) const STRETCH: f64 = 3.0;
/// Deviations of the last step beyond which it is certain to end in or out of the money.
const CERTAIN: f64 = 9.0;
/// Least value one step before expiry, in strikes: zeros would spread as subnormal numbers, which are slow.
const NOTHING: f64 = 1e-150;
/// Nodes of the polynomial that stands for the values between them; its derivatives take all of them, values the inner
/// ones, which cross a kink less often.
const POINTS: usize = 8;
const INNER: usize = 6;
/// The inner nodes first: Newton's form of fewer is that of all, cut short.
const ORDER: [usize; POINTS] = [1, 2, 3, 4, 5, 6, 0, 7];

/// What holding is worth now, by what diffuses.
pub(super) struct Held {
    strike: f64,
    spacing: f64,
    /// Index of the first node from the strike's.
    first: f64,
    nodes: Vec<f64>,
    values: Vec<f64>,
    /// Nodes in units of the lowest of them, in [`ORDER`], and `1 / (powers[i] - powers[i - order])`.
    powers: [f64; POINTS],
    apart: [[f64; POINTS]; POINTS],
}

impl Held {
    #[inline(always)]
    fn new(strike: f64, spacing: f64, first: f64, nodes: Vec<f64>, values: Vec<f64>) -> Self {
        let ratio = exp(spacing);
        let mut ascending = [1.0; POINTS];
        for i in 1..POINTS {
            ascending[i] = ascending[i - 1] * ratio;
        }
        let powers = ORDER.map(|i| ascending[i]);
        let mut apart = [[0.0; POINTS]; POINTS];
        for (order, row) in apart.iter_mut().enumerate().skip(1) {
            for i in order..POINTS {
                row[i] = 1.0 / (powers[i] - powers[i - order]);
            }
        }
        Self {
            strike,
            spacing,
            first,
            nodes,
            values,
            powers,
            apart,
        }
    }

    /// The polynomial through the nodes around a price; `None` beyond them.
    #[inline(always)]
    pub(super) fn at(&self, price: f64) -> Option<Curve> {
        let place = (ln(price / self.strike) / self.spacing - self.first).floor();
        let half = (POINTS / 2 - 1) as f64;
        if !(place >= half && place + half + 2.0 <= self.nodes.len() as f64) {
            return None;
        }
        let from = place as usize + 1 - POINTS / 2;
        // Newton's form, by divided differences, in units of the first node.
        let unit = 1.0 / self.nodes[from];
        let mut weights = ORDER.map(|i| self.values[from + i]);
        for order in 1..POINTS {
            for i in (order..POINTS).rev() {
                weights[i] = (weights[i] - weights[i - 1]) * self.apart[order][i];
            }
        }
        let (mut inner, mut value, mut slope, mut bend) = (0.0, 0.0, 0.0, 0.0);
        for i in (0..POINTS).rev() {
            let x = price * unit - self.powers[i];
            bend = bend * x + 2.0 * slope;
            slope = slope * x + value;
            value = value * x + weights[i];
            if i < INNER {
                inner = inner * x + weights[i];
            }
        }
        Some(Curve {
            price: inner,
            delta: slope * unit,
            gamma: bend * unit * unit,
        })
    }
}

/// The nodes and levels of an option.
pub(super) struct Lattice<'a> {
    schedule: &'a Schedule<'a>,
    /// At least `steps * times` levels; lattices of the same `steps` divide each other's.
    steps: usize,
    times: usize,
    spacing: f64,
    ratio: f64,
    /// Index of the first node from the strike's.
    first: f64,
    nodes: Vec<f64>,
}

/// What the levels of a segment share: discounted probabilities.
struct Moves {
    up: f64,
    middle: f64,
    down: f64,
}

impl<'a> Lattice<'a> {
    /// Nodes from `low` to `high`, logarithms from the strike's, `shift` nodes beside where it has one.
    #[inline(always)]
    pub(super) fn new(
        schedule: &'a Schedule<'a>,
        steps: usize,
        times: usize,
        shift: f64,
        (low, high): (f64, f64),
    ) -> Self {
        let spacing = schedule.life * (STRETCH / (steps * times) as f64).sqrt();
        let ratio = exp(spacing);
        let first = (low / spacing).floor() + shift;
        let count = ((high / spacing).ceil() - first).ceil() as usize + 1;
        let mut nodes = Vec::with_capacity(count.max(POINTS + 1));
        let mut node = schedule.option.strike * exp(first * spacing);
        for _ in 0..count.max(POINTS + 1) {
            nodes.push(node);
            node *= ratio;
        }
        Self {
            schedule,
            steps,
            times,
            spacing,
            ratio,
            first,
            nodes,
        }
    }

    /// Backward induction from one step before expiry to now.
    #[inline(always)]
    pub(super) fn held(self) -> Held {
        let (schedule, nodes) = (self.schedule, self.nodes.as_slice());
        let option = &schedule.option;
        let mut now = vec![0.0; nodes.len()];
        let mut later = Vec::new();
        for (k, segment) in schedule.segments.iter().enumerate().rev() {
            let levels = self.levels(segment);
            let dt = segment.years / levels as f64;
            let shrink = exp(-schedule.carry * dt);
            let moves = self.moves(dt);
            // Of the level that is made: what its nodes are worth to those of now, and the dividends to come.
            let mut forward = exp(schedule.carry * (segment.from + segment.years)) * shrink;
            let mut escrowed = segment.later * exp(schedule.carry * segment.years) * shrink;
            for level in (0..levels).rev() {
                let exercise = Exercise {
                    forward: schedule.sign * forward,
                    // Now it is compared at the spot itself, at an ex-date below.
                    strike: if schedule.american && level > 0 {
                        schedule.sign * (option.strike - escrowed)
                    } else {
                        f64::INFINITY
                    },
                };
                if later.is_empty() {
                    self.last(dt, forward, nodes, &mut now);
                    exercise.apply(nodes, &mut now);
                    later.resize(nodes.len(), 0.0);
                } else {
                    step(&moves, &exercise, &later, nodes, &mut now);
                }
                edges(self.ratio, &mut now);
                std::mem::swap(&mut now, &mut later);
                if level > 0 {
                    forward *= shrink;
                    escrowed *= shrink;
                }
            }
            if k > 0 {
                self.ex_date(segment, forward, nodes, &mut later);
            }
        }
        Held::new(option.strike, self.spacing, self.first, self.nodes, later)
    }

    /// A put is exercised just after an ex-date, a call just before it. Days before and after it pays neither, so that
    /// exercise is due in one lump.
    #[inline(always)]
    fn ex_date(&self, segment: &Segment, forward: f64, nodes: &[f64], values: &mut Vec<f64>) {
        let schedule = self.schedule;
        let strike = schedule.option.strike - segment.later;
        if schedule.american && schedule.sign < 0.0 {
            let exercise = Exercise {
                forward: -forward,
                strike: -strike,
            };
            exercise.apply_smoothly(nodes, values);
        }
        if !schedule.is_escrowed() {
            // In prices of now, as the nodes.
            let cash = segment.there / forward;
            let mut before = vec![0.0; nodes.len()];
            drop_values(nodes, values, cash, self.worthless(segment), &mut before);
            *values = before;
        }
        if schedule.american && schedule.sign > 0.0 {
            let there = if schedule.is_escrowed() {
                segment.there
            } else {
                0.0
            };
            let exercise = Exercise {
                forward,
                strike: strike - there,
            };
            exercise.apply_smoothly(nodes, values);
        }
    }

    #[inline(always)]
    fn levels(&self, segment: &Segment) -> usize {
        let share = segment.years / self.schedule.years * self.steps as f64;
        // A whole number of steps that rounding has lifted is no step more.
        self.times * ((share - 1e-9).ceil() as usize).max(1)
    }

    /// `E[e^X] = 1` and `E[e^2X] = e^variance` over X in (-h, 0, h).
    #[inline(always)]
    fn moves(&self, dt: f64) -> Moves {
        let schedule = self.schedule;
        let variance = schedule.life * schedule.life * (dt / schedule.years);
        let (rise, ratio) = (exp_less_one(self.spacing), self.ratio);
        let up = exp_less_one(variance) * ratio / (rise * rise * (ratio + 1.0));
        let down = ratio * up;
        let discount = exp(-schedule.option.rate * dt);
        Moves {
            up: discount * up,
            middle: discount * (1.0 - up - down),
            down: discount * down,
        }
    }

    /// The values one step before expiry, if held, by Black's formula where the outcome is open.
    #[inline(always)]
    fn last(&self, dt: f64, forward: f64, nodes: &[f64], now: &mut [f64]) {
        let schedule = self.schedule;
        let o = &schedule.option;
        let strike = schedule.last_strike;
        let growth = exp(schedule.carry * dt);
        let discount = exp(-o.rate * dt);
        let open = exp(CERTAIN * o.vol * dt.sqrt());
        for (value, node) in now.iter_mut().zip(nodes) {
            let spot = forward * node;
            let at_expiry = spot * growth;
            let is_open = at_expiry < strike * open && at_expiry * open > strike;
            let held = if strike > 0.0 && is_open {
                black::price_one(spot, strike, dt, o.rate, o.dividend_yield, o.vol, o.right)
            } else {
                discount * larger(schedule.sign * (at_expiry - strike), 0.0)
            };
            *value = larger(held, NOTHING * o.strike);
        }
    }

    /// What an option on nothing is worth.
    #[inline(always)]
    fn worthless(&self, segment: &Segment) -> f64 {
        let schedule = self.schedule;
        if schedule.sign > 0.0 {
            return 0.0;
        }
        let at_the_end =
            schedule.option.strike * exp(-schedule.option.rate * (schedule.years - segment.from));
        if schedule.american {
            larger(schedule.option.strike, at_the_end)
        } else {
            at_the_end
        }
    }
}

/// What exercise gives at a level: `forward * node - strike`, both signed.
struct Exercise {
    forward: f64,
    strike: f64,
}

impl Exercise {
    #[inline(always)]
    fn at(&self, node: f64) -> f64 {
        self.forward.mul_add(node, -self.strike)
    }

    #[inline(always)]
    fn apply(&self, nodes: &[f64], values: &mut [f64]) {
        for (value, node) in values.iter_mut().zip(nodes) {
            *value = larger(*value, self.at(*node));
        }
    }

    /// Along a kink: nodes next to it have its average over their cells.
    #[inline(always)]
    fn apply_smoothly(&self, nodes: &[f64], values: &mut [f64]) {
        let excess = |j: usize, values: &[f64]| values[j] - self.at(nodes[j]);
        let (mut low, mut middle) = (excess(0, values), excess(1, values));
        let end = nodes.len() - 1;
        values[0] = larger(values[0], self.at(nodes[0]));
        for j in 1..end {
            let high = excess(j + 1, values);
            let slope = 0.5 * (high - low).abs();
            if middle.abs() < 0.5 * slope {
                let part = middle + 0.5 * slope;
                values[j] = self.at(nodes[j]) + part * part / (2.0 * slope);
            } else if middle < 0.0 {
                values[j] = self.at(nodes[j]);
            }
            (low, middle) = (middle, high);
        }
        values[end] = larger(values[end], self.at(nodes[end]));
    }
}

/// The inner nodes of a level, from those of the next.
#[inline(always)]
fn step(moves: &Moves, exercise: &Exercise, later: &[f64], nodes: &[f64], now: &mut [f64]) {
    let inner = now.len() - 2;
    let (low, middle, high) = (&later[..inner], &later[1..=inner], &later[2..inner + 2]);
    let nodes = &nodes[1..=inner];
    let now = &mut now[1..=inner];
    for j in 0..inner {
        let held = moves.up.mul_add(
            high[j],
            moves.middle.mul_add(middle[j], moves.down * low[j]),
        );
        let exercised = exercise.at(nodes[j]);
        now[j] = if held > exercised { held } else { exercised };
    }
}

/// Deep in or out of the money values are straight in the price.
#[inline(always)]
fn edges(ratio: f64, now: &mut [f64]) {
    let end = now.len() - 1;
    now[0] = now[1] + (now[1] - now[2]) / ratio;
    now[end] = now[end - 1] + (now[end - 1] - now[end - 2]) * ratio;
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
