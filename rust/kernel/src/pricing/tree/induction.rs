//! Backward induction over `L` trees of equal depth, side by side.
// Lane loops of a constant length are what the compiler turns into vector instructions.
#![allow(clippy::needless_range_loop)]

use super::dividends::{Schedule, drop_values};
use super::moves::Moves;
use super::{Scheme, TreeInputs};
use crate::pricing::math::exp;
use crate::simd::{self, Kernel, Level};

/// The trees as the induction wants them: per node and per level, lanes innermost.
///
/// Values carry the factor `d^-level`, and prices and strikes the sign of the right, so that a put is exercised for
/// `price - strike` like a call.
pub(super) struct Trees<const L: usize> {
    /// Levels after the root, those before now included.
    levels: usize,
    /// Levels before now, an even number: the spot is the middle node of the one of now.
    lead: usize,
    up: [f64; L],
    down: [f64; L],
    /// signed price of a node by its number of ups
    price: Vec<[f64; L]>,
    /// signed strike by level
    strike: Vec<[f64; L]>,
    /// `d^-level`
    scale: Vec<[f64; L]>,
    value: Vec<[f64; L]>,
    /// value of the escrowed dividends by level; empty where there are none
    escrowed: Vec<[f64; L]>,
    /// those of all lanes, in descending order of level
    drops: Vec<Drop>,
}

/// A cash dividend by which the spot of one lane drops.
#[derive(Clone, Copy)]
struct Drop {
    level: usize,
    lane: usize,
    cash: f64,
    /// The option's value where the spot is zero.
    worthless: f64,
}

impl<const L: usize> Trees<L> {
    pub(super) fn new() -> Self {
        Self {
            levels: 0,
            lead: 0,
            up: [0.0; L],
            down: [0.0; L],
            price: Vec::new(),
            strike: Vec::new(),
            scale: Vec::new(),
            value: Vec::new(),
            escrowed: Vec::new(),
            drops: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self, steps: usize, lead: usize) {
        let levels = steps + lead;
        self.levels = levels;
        self.lead = lead;
        for nodes in [
            &mut self.price,
            &mut self.strike,
            &mut self.scale,
            &mut self.value,
        ] {
            nodes.resize(levels + 1, [0.0; L]);
        }
        self.escrowed.clear();
        self.drops.clear();
    }

    pub(super) fn add_dividends(
        &mut self,
        lane: usize,
        inputs: &TreeInputs<'_>,
        schedule: &Schedule,
        american: bool,
    ) {
        if schedule.has_escrowed() {
            self.escrowed.resize(self.levels + 1, [0.0; L]);
            for (level, value) in schedule.remaining().enumerate() {
                self.escrowed[self.lead + level][lane] = value;
            }
        }
        for &(level, cash) in &schedule.drops {
            let left = inputs.years - level as f64 * schedule.dt;
            let worthless = match (inputs.right, american) {
                (1, _) => 0.0,
                (_, true) => inputs.strike,
                (_, false) => inputs.strike * exp(-inputs.rate * left),
            };
            self.drops.push(Drop {
                level: self.lead + level,
                lane,
                cash,
                worthless,
            });
        }
        self.drops
            .sort_by_key(|drop| (std::cmp::Reverse(drop.level), drop.lane));
    }

    #[inline(always)]
    fn fill(&mut self, inputs: &[TreeInputs<'_>; L], diffusing: &[f64; L], scheme: Scheme) {
        let (steps, levels) = (self.levels - self.lead, self.levels);
        let (mut sign, mut price, mut strike) = ([0.0; L], [0.0; L], [0.0; L]);
        let (mut ratio, mut inverse_down) = ([0.0; L], [0.0; L]);
        for l in 0..L {
            let moves = Moves::new(&inputs[l], diffusing[l], scheme, steps);
            sign[l] = f64::from(inputs[l].right);
            price[l] = sign[l] * diffusing[l];
            strike[l] = sign[l] * inputs[l].strike;
            ratio[l] = moves.ratio;
            inverse_down[l] = moves.inverse_down;
            // As many ups as downs lead from the root to the spot.
            for _ in 0..self.lead / 2 {
                price[l] *= inverse_down[l] * inverse_down[l] / ratio[l];
            }
            self.up[l] = moves.up;
            self.down[l] = moves.down;
        }
        let mut scale = [1.0; L];
        let (prices, strikes, scales) = (
            &mut self.price[..=levels],
            &mut self.strike[..=levels],
            &mut self.scale[..=levels],
        );
        for level in 0..=levels {
            prices[level] = price;
            scales[level] = scale;
            for l in 0..L {
                strikes[level][l] = strike[l] * scale[l];
                price[l] *= ratio[l];
                scale[l] *= inverse_down[l];
            }
        }
        for (level, escrowed) in self.escrowed.iter().enumerate() {
            for l in 0..L {
                strikes[level][l] = (strike[l] - sign[l] * escrowed[l]) * scales[level][l];
            }
        }
    }

    /// Applies the drops of one level; `next` is the first not yet applied.
    fn drop_at(&mut self, level: usize, next: &mut usize, american: bool) {
        while let Some(&Drop {
            level: at,
            lane,
            cash,
            worthless,
        }) = self.drops.get(*next)
        {
            if at != level {
                return;
            }
            *next += 1;
            let scale = self.scale[level][lane];
            let nodes: Vec<f64> = self.price[..=level].iter().map(|p| p[lane].abs()).collect();
            let after: Vec<f64> = self.value[..=level].iter().map(|v| v[lane]).collect();
            let mut before = vec![0.0; level + 1];
            drop_values(&nodes, &after, cash * scale, worthless * scale, &mut before);
            for (i, &held) in before.iter().enumerate() {
                let exercised = self.price[i][lane] - self.strike[level][lane];
                self.value[i][lane] = if american && exercised > held {
                    exercised
                } else {
                    held
                };
            }
        }
    }
}

/// Levels worked off in one pass over the nodes of trees side by side, so that a value is loaded and stored once for
/// all of them: as many as the registers hold.
const LEVELS_AVX512: usize = 6;
const LEVELS: usize = 2;

/// The values of `L` options; their dividends are in `trees`.
pub(super) struct Induction<'a, const L: usize, const AMERICAN: bool> {
    pub(super) trees: &'a mut Trees<L>,
    pub(super) inputs: &'a [TreeInputs<'a>; L],
    /// The prices that diffuse.
    pub(super) diffusing: [f64; L],
    pub(super) scheme: Scheme,
}

impl<const L: usize, const AMERICAN: bool> Kernel for Induction<'_, L, AMERICAN> {
    type Output = [f64; L];

    #[inline(always)]
    fn run(self) -> [f64; L] {
        let trees = self.trees;
        trees.fill(self.inputs, &self.diffusing, self.scheme);
        let (levels, lead) = (trees.levels, trees.lead);
        let last = trees.strike[levels];
        for (value, price) in trees.value.iter_mut().zip(&trees.price) {
            for l in 0..L {
                let exercised = price[l] - last[l];
                value[l] = if exercised > 0.0 { exercised } else { 0.0 };
            }
        }
        let many_registers = simd::level() == Level::Avx512;
        let mut next_drop = 0;
        trees.drop_at(levels, &mut next_drop, AMERICAN);
        let mut level = levels;
        while level > lead {
            let stop = trees.drops.get(next_drop).map_or(lead, |drop| drop.level);
            if L == 1 {
                along::<L, AMERICAN>(trees, level);
                level -= 1;
            } else if many_registers && level - stop >= LEVELS_AVX512 {
                sweep::<L, LEVELS_AVX512, AMERICAN>(trees, level);
                level -= LEVELS_AVX512;
            } else if level - stop >= LEVELS {
                sweep::<L, LEVELS, AMERICAN>(trees, level);
                level -= LEVELS;
            } else {
                sweep::<L, 1, AMERICAN>(trees, level);
                level -= 1;
            }
            trees.drop_at(level, &mut next_drop, AMERICAN);
        }
        std::array::from_fn(|l| trees.value[lead / 2][l] / trees.scale[lead][l])
    }
}

#[inline(always)]
fn node<const L: usize, const AMERICAN: bool>(
    up: &[f64; L],
    down: &[f64; L],
    low: &[f64; L],
    high: &[f64; L],
    price: &[f64; L],
    strike: &[f64; L],
) -> [f64; L] {
    let mut value = [0.0; L];
    for l in 0..L {
        let held = up[l].mul_add(high[l], down[l] * low[l]);
        let exercised = price[l] - strike[l];
        value[l] = if !AMERICAN || held > exercised {
            held
        } else {
            exercised
        };
    }
    value
}

/// From level `from` to the one before it: one tree, vectors along its nodes.
#[inline(always)]
fn along<const L: usize, const AMERICAN: bool>(trees: &mut Trees<L>, from: usize) {
    let (up, down, strike) = (trees.up, trees.down, trees.strike[from - 1]);
    let price = &trees.price[..from];
    let value = &mut trees.value[..=from];
    for i in 0..from {
        value[i] = node::<L, AMERICAN>(&up, &down, &value[i], &value[i + 1], &price[i], &strike);
    }
}

/// From level `from` to `from - M`: node `i` of the lowest level is finished when node `i + M` of the highest is read.
#[inline(always)]
fn sweep<const L: usize, const M: usize, const AMERICAN: bool>(trees: &mut Trees<L>, from: usize) {
    let (up, down) = (trees.up, trees.down);
    let mut strike = [[0.0; L]; M];
    for k in 0..M {
        strike[k] = trees.strike[from - 1 - k];
    }
    let price = &trees.price[..from];
    let value = &mut trees.value[..=from];
    // row[k]: the newest node of level `from - k` seen so far; near[k]: the price that it is exercised against.
    let mut row = [[0.0; L]; M];
    let mut near = [[0.0; L]; M];
    row[0] = value[0];
    for i in 1..M {
        let mut new = value[i];
        for k in 0..i {
            let made =
                node::<L, AMERICAN>(&up, &down, &row[k], &new, &price[i - 1 - k], &strike[k]);
            row[k] = new;
            new = made;
        }
        row[i] = new;
    }
    for k in 0..M - 1 {
        near[k] = price[M - 2 - k];
    }
    for i in M..=from {
        if M > LEVELS {
            // Kept in registers: one new price per column.
            for k in (1..M).rev() {
                near[k] = near[k - 1];
            }
            near[0] = price[i - 1];
        } else {
            for (near, price) in near.iter_mut().zip(price[i - M..i].iter().rev()) {
                *near = *price;
            }
        }
        let mut new = value[i];
        for k in 0..M {
            let made = node::<L, AMERICAN>(&up, &down, &row[k], &new, &near[k], &strike[k]);
            row[k] = new;
            new = made;
        }
        value[i - M] = new;
    }
}
