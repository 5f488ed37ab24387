//! Branch and bound over the pairing program: an exact minimum, or a proven bound and the gap to it.

use super::program::Program;
use super::rules::Series;
use super::simplex::{Simplex, Status};
use kernel::error::Result;
use kernel::interrupt;

/// How close to a whole number counts as one.
const WHOLE: f64 = 1e-7;
/// Improvements smaller than this part of the largest single saving are not looked for.
const WORTH: f64 = 1e-9;

/// Rounds of cuts at the root, cuts a round, and the least part by which a round must raise the bound to go on.
const ROUNDS: usize = 12;
const CUTS: usize = 8;
const RISE: f64 = 1e-5;
/// Multiplications that a node is reckoned to take: larger programs get fewer nodes.
const NODE: u64 = 50_000;

/// What the search ended with, in dollars relative to every position standing alone.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Counts by variable after the maximum losses: members first, then columns.
    pub counts: Vec<f64>,
    /// Dollars of maximum loss by spread.
    pub losses: Vec<f64>,
    pub change: f64,
    /// No pairing changes the requirement by less than this.
    pub bound: f64,
    pub nodes: u64,
    pub pivots: u64,
    /// Multiplications spent.
    pub work: u64,
}

/// Buffers that live from one solve to the next.
#[derive(Debug, Default)]
pub struct Search {
    stack: Vec<Simplex>,
    spare: Vec<Simplex>,
    trial: Vec<f64>,
    losses: Vec<f64>,
}

impl Search {
    /// Minimises the program. At most `limit` nodes are solved; what is then left open makes the bound.
    pub fn run(
        &mut self,
        program: &mut Program,
        table: &[Series],
        limit: u64,
        out: &mut Outcome,
    ) -> Result<()> {
        let whole = program.members.len() + program.columns.len();
        out.counts.clear();
        out.counts.resize(whole, 0.0);
        out.losses.clear();
        out.losses.resize(program.spreads, 0.0);
        out.change = 0.0;
        out.bound = 0.0;
        out.nodes = 0;
        out.pivots = 0;
        out.work = 0;
        if whole == 0 {
            return Ok(());
        }
        self.spare.append(&mut self.stack);
        let mut root = self.spare.pop().unwrap_or_default();
        program.load(table, &mut root);
        let worth = WORTH * program.scale;
        let mut open = self.settle(&mut root, program, table, worth, out)?;
        for _ in 0..ROUNDS {
            let before = root.objective();
            if !open || root.cut(CUTS) == 0 {
                break;
            }
            open = self.settle(&mut root, program, table, worth, out)?;
            if root.objective() - before < RISE * before.abs() {
                break;
            }
        }
        if open {
            self.stack.push(root);
        } else {
            self.spare.push(root);
        }
        while let Some(mut node) = self.stack.pop() {
            interrupt::check()?;
            if node.objective() * program.scale >= out.change - worth {
                self.spare.push(node);
                continue;
            }
            // The work counts once there is something to show for it.
            let tired = out.change < 0.0 && out.work >= limit.saturating_mul(NODE);
            if out.nodes >= limit || tired {
                self.stack.push(node);
                break;
            }
            let (variable, value) = split(&node, program.spreads, whole);
            let mut down = self.spare.pop().unwrap_or_default();
            down.copy_from(&node);
            let (lower, upper) = node.bounds(variable);
            down.tighten(variable, lower, value.floor());
            node.tighten(variable, value.floor() + 1.0, upper);
            let keep_down = self.settle(&mut down, program, table, worth, out)?;
            let keep_up = self.settle(&mut node, program, table, worth, out)?;
            // The more promising child goes on top.
            let up_first = node.objective() < down.objective();
            let (first, second) = if up_first { (down, node) } else { (node, down) };
            let (keep_first, keep_second) = if up_first {
                (keep_down, keep_up)
            } else {
                (keep_up, keep_down)
            };
            for (child, keep) in [(first, keep_first), (second, keep_second)] {
                if keep {
                    self.stack.push(child)
                } else {
                    self.spare.push(child)
                }
            }
        }
        out.bound = out.change;
        for open in &self.stack {
            let at = open.objective() * program.scale;
            if at < out.bound {
                out.bound = at;
            }
        }
        Ok(())
    }

    /// Solves one node. True if it must be split further; whole solutions become the incumbent.
    fn settle(
        &mut self,
        node: &mut Simplex,
        program: &Program,
        table: &[Series],
        worth: f64,
        out: &mut Outcome,
    ) -> Result<bool> {
        let before = node.pivots;
        let status = node.solve((out.change - worth) / program.scale)?;
        out.nodes += 1;
        out.pivots += node.pivots - before;
        out.work += (node.pivots - before) * node.size() as u64;
        if status != Status::Optimal {
            return Ok(false);
        }
        let whole = out.counts.len();
        self.trial.clear();
        let mut fractional = false;
        for k in 0..whole {
            let x = node.value_of(program.spreads + k);
            let rounded = x.round();
            fractional |= (x - rounded).abs() > WHOLE * (1.0 + rounded.abs());
            self.trial.push(rounded);
        }
        if fractional {
            return Ok(true);
        }
        // The incumbent is judged on its whole counts, not on the simplex' arithmetic.
        if !program.balanced(&self.trial, table) {
            return Err(kernel::error::MarginError::CalculationError(
                "a pairing came out of balance by rounding; the book's quantities are too large to pair".into(),
            ));
        }
        let mut change = 0.0;
        self.losses.clear();
        for spread in 0..program.spreads as u32 {
            let loss = program.maximum_loss(spread, &self.trial, table);
            self.losses.push(loss);
            change += loss;
        }
        for (m, &count) in program.members.iter().zip(&self.trial) {
            change += m.change * count;
        }
        for (c, &count) in program
            .columns
            .iter()
            .zip(&self.trial[program.members.len()..])
        {
            change += c.change * count;
        }
        if change < out.change {
            out.change = change;
            out.counts.copy_from_slice(&self.trial);
            out.losses.copy_from_slice(&self.losses);
        }
        Ok(false)
    }
}

/// The most fractional variable of a node, and its value.
fn split(node: &Simplex, spreads: usize, whole: usize) -> (usize, f64) {
    let mut best = (spreads, node.value_of(spreads));
    let mut most = -1.0;
    for k in spreads..spreads + whole {
        let x = node.value_of(k);
        let away = (x - x.round()).abs();
        if away > most {
            most = away;
            best = (k, x);
        }
    }
    best
}
