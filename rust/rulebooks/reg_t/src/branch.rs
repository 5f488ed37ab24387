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
/// So many times the work a search goes on for a pairing better than the one it was told: the first it finds is often much
/// better.
const PATIENCE: u64 = 16;

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
    /// Counts of a pairing known before the search.
    known: Vec<f64>,
    /// Change above which a node is of no use: an answer at least as good is known.
    ceiling: f64,
}

impl Search {
    /// Minimises the program. At most `limit` nodes are solved; what is then left open makes the bound. Where the root
    /// alone does not answer, `known` is asked for counts that are a pairing: the answer is never worse than they are.
    pub fn run(
        &mut self,
        program: &mut Program,
        table: &[Series],
        limit: u64,
        known: impl FnOnce(&Program, &mut Vec<f64>),
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
        self.ceiling = 0.0;
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
        let mut fallback = None;
        if open {
            self.stack.push(root);
            known(program, &mut self.trial);
            self.known.clone_from(&self.trial);
            fallback = self.judge(program, table);
            if let Some(change) = fallback {
                // What the search finds that is as good comes first: it does not depend on the order of entry.
                self.lower_ceiling(change + 2.0 * worth);
            }
        } else {
            self.spare.push(root);
        }
        while let Some(mut node) = self.stack.pop() {
            interrupt::check()?;
            if node.objective() * program.scale >= self.ceiling - worth {
                self.spare.push(node);
                continue;
            }
            // The work counts once there is something to show for it.
            let work = limit.saturating_mul(NODE);
            let enough = match (out.change < 0.0, fallback) {
                (true, _) => work,
                (false, Some(_)) => work.saturating_mul(PATIENCE),
                (false, None) => u64::MAX,
            };
            let tired = out.work >= enough;
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
        if let Some(change) = fallback.filter(|&change| change < out.change - worth) {
            self.trial.clone_from(&self.known);
            self.judge(program, table);
            self.take(change, out);
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
        let status = node.solve((self.ceiling - worth) / program.scale)?;
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
        let Some(change) = self.judge(program, table) else {
            return Err(kernel::error::MarginError::CalculationError(
                "a pairing came out of balance by rounding; the book's quantities are too large to pair".into(),
            ));
        };
        if change < out.change {
            self.take(change, out);
        }
        Ok(false)
    }

    /// What the counts of the trial change, and its losses by spread: judged on its whole counts, not on the simplex'
    /// arithmetic. `None` where they are no pairing.
    fn judge(&mut self, program: &Program, table: &[Series]) -> Option<f64> {
        if !program.balanced(&self.trial, table) {
            return None;
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
        Some(change)
    }

    /// The trial becomes the answer so far.
    fn take(&mut self, change: f64, out: &mut Outcome) {
        out.change = change;
        out.counts.copy_from_slice(&self.trial);
        out.losses.copy_from_slice(&self.losses);
        self.lower_ceiling(change);
    }

    fn lower_ceiling(&mut self, change: f64) {
        if change < self.ceiling {
            self.ceiling = change;
        }
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
