//! Backward induction over `L` trees of equal depth, side by side.

use super::dividends::{Schedule, drop_values};
use super::{Moves, TreeInputs};

/// The trees as the induction wants them: per node and per level, lanes innermost.
///
/// Values carry the factor `d^-level`, and prices and strikes the sign of the right, so that a put is exercised for
/// `price - strike` like a call.
pub(super) struct Trees<const L: usize> {
    steps: usize,
    up: [f64; L],
    down: [f64; L],
    /// signed price of a node by its number of ups
    price: Vec<[f64; L]>,
    /// signed strike by level
    strike: Vec<[f64; L]>,
    value: Vec<[f64; L]>,
    /// (level, lane, cash times `d^-level`, value at a spot of zero), in descending order of level
    drops: Vec<(usize, usize, f64, f64)>,
}

impl<const L: usize> Trees<L> {
    pub(super) fn new() -> Self {
        Self {
            steps: 0,
            up: [0.0; L],
            down: [0.0; L],
            price: Vec::new(),
            strike: Vec::new(),
            value: Vec::new(),
            drops: Vec::new(),
        }
    }

    pub(super) fn clear(&mut self, steps: usize) {
        self.steps = steps;
        self.price.resize(steps + 1, [0.0; L]);
        self.strike.resize(steps + 1, [0.0; L]);
        self.value.resize(steps + 1, [0.0; L]);
        self.drops.clear();
    }

    pub(super) fn set(
        &mut self,
        lane: usize,
        inputs: &TreeInputs<'_>,
        moves: &Moves,
        schedule: &Schedule,
        american: bool,
    ) {
        let sign = f64::from(inputs.right);
        self.up[lane] = moves.up;
        self.down[lane] = moves.down;
        let mut price = sign * schedule.diffusing;
        let mut scale = 1.0;
        let mut drops = schedule.drops.iter().peekable();
        for (level, escrowed) in schedule.remaining().enumerate() {
            self.price[level][lane] = price;
            price *= moves.ratio;
            self.strike[level][lane] = sign * (inputs.strike - escrowed) * scale;
            while let Some(&(_, cash)) = drops.next_if(|&&(at, _)| at == level) {
                let left = inputs.years - level as f64 * (inputs.years / self.steps as f64);
                let worthless = match (inputs.right, american) {
                    (1, _) => 0.0,
                    (_, true) => inputs.strike,
                    (_, false) => inputs.strike * (-inputs.rate * left).exp(),
                };
                self.drops
                    .push((level, lane, cash * scale, worthless * scale));
            }
            scale *= moves.inverse_down;
        }
        self.drops
            .sort_by_key(|&(level, lane, ..)| (std::cmp::Reverse(level), lane));
    }

    /// Applies the drops of one level; `next` is the first not yet applied.
    fn drop_at(&mut self, level: usize, next: &mut usize, american: bool) {
        while let Some(&(at, lane, cash, worthless)) = self.drops.get(*next) {
            if at != level {
                return;
            }
            *next += 1;
            let nodes: Vec<f64> = self.price[..=level].iter().map(|p| p[lane].abs()).collect();
            let after: Vec<f64> = self.value[..=level].iter().map(|v| v[lane]).collect();
            let mut before = vec![0.0; level + 1];
            drop_values(&nodes, &after, cash, worthless, &mut before);
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

/// Levels worked off in one pass over the nodes, so that a value is loaded and stored once for all of them.
const LEVELS: usize = 4;

pub(super) fn induct<const L: usize, const AMERICAN: bool>(trees: &mut Trees<L>) -> [f64; L] {
    let steps = trees.steps;
    let last = trees.strike[steps];
    for (value, price) in trees.value.iter_mut().zip(&trees.price) {
        *value = std::array::from_fn(|l| {
            let exercised = price[l] - last[l];
            if exercised > 0.0 { exercised } else { 0.0 }
        });
    }
    let mut next_drop = 0;
    trees.drop_at(steps, &mut next_drop, AMERICAN);
    let mut level = steps;
    while level > 0 {
        // The levels below `level` down to the next drop, or LEVELS of them.
        let stop = trees.drops.get(next_drop).map_or(0, |drop| drop.0);
        if level - stop >= LEVELS {
            sweep::<L, LEVELS, AMERICAN>(trees, level);
            level -= LEVELS;
        } else {
            sweep::<L, 1, AMERICAN>(trees, level);
            level -= 1;
        }
        trees.drop_at(level, &mut next_drop, AMERICAN);
    }
    trees.value[0]
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
    std::array::from_fn(|l| {
        let held = up[l].mul_add(high[l], down[l] * low[l]);
        if AMERICAN {
            let exercised = price[l] - strike[l];
            if held > exercised { held } else { exercised }
        } else {
            held
        }
    })
}

/// From level `from` to `from - M`: node `i` of the lowest level is finished when node `i + M` of the highest is read.
#[inline(always)]
fn sweep<const L: usize, const M: usize, const AMERICAN: bool>(trees: &mut Trees<L>, from: usize) {
    let (up, down) = (trees.up, trees.down);
    let strike: [[f64; L]; M] = std::array::from_fn(|k| trees.strike[from - 1 - k]);
    let price = &trees.price[..=from];
    let value = &mut trees.value[..=from];
    // row[k]: the newest node of level `from - k` seen so far.
    let mut row: [[f64; L]; M] = [[0.0; L]; M];
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
    for i in M..=from {
        let mut new = value[i];
        for k in 0..M {
            let made =
                node::<L, AMERICAN>(&up, &down, &row[k], &new, &price[i - 1 - k], &strike[k]);
            row[k] = new;
            new = made;
        }
        value[i - M] = new;
    }
}
