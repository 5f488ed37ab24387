//! A dual simplex for the pairing programs: dense tableau, bounds on every variable, no allocation once warm.
//!
//! Every variable starts at the bound its cost prefers, so the slack basis is dual feasible from the first row on and
//! no first phase exists. Tightening a bound keeps dual feasibility: branch and bound re-solves from where it stands.

use kernel::error::Result;
use kernel::{fail, interrupt};

/// How far a value may miss its bound and still count as on it, in units of the (scaled) program.
const FEASIBLE: f64 = 1e-9;
/// Entries smaller than this are noise and never pivoted on.
const PIVOT: f64 = 1e-9;

/// `min c x` subject to rows `a x <= b` or `a x = b` and `lower <= x <= upper`, held as a simplex tableau.
#[derive(Debug, Clone, Default)]
pub struct Simplex {
    rows: usize,
    columns: usize,
    /// Row-major: `basic + tableau . nonbasic = constant`.
    tableau: Vec<f64>,
    reduced: Vec<f64>,
    /// Bounds by variable: structural variables first, then one slack per row.
    lower: Vec<f64>,
    upper: Vec<f64>,
    /// Variables that whole solutions give whole values.
    whole: Vec<bool>,
    /// Variable held by each column and by each row.
    nonbasic: Vec<u32>,
    at_upper: Vec<bool>,
    basic: Vec<u32>,
    value: Vec<f64>,
    /// Where each variable is: row number, or `rows`-independent marker for a column.
    place: Vec<Place>,
    objective: f64,
    pub pivots: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Row(u32),
    Column(u32),
}

/// What a run ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Optimal,
    Infeasible,
    /// The objective passed the cut-off: nothing below it can be found here.
    CutOff,
}

impl Simplex {
    /// Starts a program with these costs and bounds; the variables from `first_whole` on are whole in every solution
    /// looked for. A variable with a negative cost needs a finite upper bound.
    pub fn start(&mut self, cost: &[f64], lower: &[f64], upper: &[f64], first_whole: usize) {
        self.columns = cost.len();
        self.rows = 0;
        self.tableau.clear();
        self.reduced.clear();
        self.reduced.extend_from_slice(cost);
        self.lower.clear();
        self.lower.extend_from_slice(lower);
        self.upper.clear();
        self.upper.extend_from_slice(upper);
        self.whole.clear();
        self.whole.extend((0..cost.len()).map(|j| j >= first_whole));
        self.nonbasic.clear();
        self.nonbasic.extend(0..cost.len() as u32);
        self.place.clear();
        self.place.extend((0..cost.len() as u32).map(Place::Column));
        self.at_upper.clear();
        self.at_upper.extend(cost.iter().map(|&c| c < 0.0));
        self.basic.clear();
        self.value.clear();
        self.objective = 0.0;
        for (j, c) in cost.iter().enumerate() {
            self.objective += c * self.resting(j);
        }
        self.pivots = 0;
    }

    /// Adds a row before the first solve; `equal` fixes its slack at zero, `whole` says the slack is whole whenever
    /// the variables are.
    pub fn row(&mut self, bound: f64, equal: bool, whole: bool) -> &mut [f64] {
        let slack = (self.columns + self.rows) as u32;
        self.tableau.resize(self.tableau.len() + self.columns, 0.0);
        self.lower.push(0.0);
        self.upper.push(if equal { 0.0 } else { f64::INFINITY });
        self.whole.push(whole);
        self.basic.push(slack);
        self.place.push(Place::Row(self.rows as u32));
        self.value.push(bound);
        self.rows += 1;
        let start = (self.rows - 1) * self.columns;
        &mut self.tableau[start..]
    }

    /// Call once after the last row: subtracts what the variables at rest already use of every row.
    pub fn settle(&mut self) {
        for r in 0..self.rows {
            let mut used = 0.0;
            for j in 0..self.columns {
                let a = self.tableau[r * self.columns + j];
                if a != 0.0 {
                    used += a * self.resting(j);
                }
            }
            self.value[r] -= used;
        }
    }

    pub fn objective(&self) -> f64 {
        self.objective
    }

    pub fn value_of(&self, variable: usize) -> f64 {
        match self.place[variable] {
            Place::Row(r) => self.value[r as usize],
            Place::Column(j) => self.resting(j as usize),
        }
    }

    pub fn is_basic(&self, variable: usize) -> bool {
        matches!(self.place[variable], Place::Row(_))
    }

    pub fn bounds(&self, variable: usize) -> (f64, f64) {
        (self.lower[variable], self.upper[variable])
    }

    /// Narrows a basic variable's bounds; the next `solve` repairs the row.
    pub fn tighten(&mut self, variable: usize, lower: f64, upper: f64) {
        self.lower[variable] = lower;
        self.upper[variable] = upper;
    }

    /// Becomes a copy of another program, keeping this one's buffers.
    pub fn copy_from(&mut self, other: &Self) {
        self.rows = other.rows;
        self.columns = other.columns;
        self.tableau.clone_from(&other.tableau);
        self.reduced.clone_from(&other.reduced);
        self.lower.clone_from(&other.lower);
        self.upper.clone_from(&other.upper);
        self.whole.clone_from(&other.whole);
        self.nonbasic.clone_from(&other.nonbasic);
        self.at_upper.clone_from(&other.at_upper);
        self.basic.clone_from(&other.basic);
        self.value.clone_from(&other.value);
        self.place.clone_from(&other.place);
        self.objective = other.objective;
        self.pivots = other.pivots;
    }

    /// Entries of the tableau: what a pivot costs.
    pub fn size(&self) -> usize {
        self.rows * self.columns
    }

    /// Adds Gomory's mixed-integer cuts for the most fractional rows, at most `most`: every whole solution keeps them,
    /// the present one does not. Returns how many were added.
    pub fn cut(&mut self, most: usize) -> usize {
        let before = self.rows;
        let mut candidates: Vec<(f64, usize)> = (0..before)
            .filter(|&r| self.whole[self.basic[r] as usize])
            .map(|r| ((self.value[r] - self.value[r].floor() - 0.5).abs(), r))
            .filter(|&(off, _)| off < 0.48)
            .collect();
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        for &(_, r) in candidates.iter().take(most) {
            self.cut_row(r);
        }
        self.rows - before
    }

    fn cut_row(&mut self, row: usize) {
        let n = self.columns;
        let f0 = self.value[row] - self.value[row].floor();
        let (mut least, mut largest) = (f64::INFINITY, 0.0);
        let mut cut = vec![0.0; n];
        for (j, entry) in cut.iter_mut().enumerate() {
            let v = self.nonbasic[j] as usize;
            if self.lower[v] == self.upper[v] {
                continue;
            }
            // In distances from the bound each variable rests on.
            let a = self.tableau[row * n + j] * if self.at_upper[j] { -1.0 } else { 1.0 };
            let weight = if self.whole[v] {
                let f = a - a.floor();
                if f <= f0 {
                    f / f0
                } else {
                    (1.0 - f) / (1.0 - f0)
                }
            } else if a > 0.0 {
                a / f0
            } else {
                -a / (1.0 - f0)
            };
            if weight > 1e-9 {
                least = if weight < least { weight } else { least };
                largest = if weight > largest { weight } else { largest };
            }
            *entry = if self.at_upper[j] { weight } else { -weight };
        }
        if largest == 0.0 || largest > 1e6 * least {
            return; // arithmetic noise would decide what it cuts off
        }
        // Slightly relaxed, so that rounding never cuts off a whole solution.
        self.row(-1.0 + 1e-7, false, false).copy_from_slice(&cut);
    }

    fn resting(&self, column: usize) -> f64 {
        let v = self.nonbasic[column] as usize;
        if self.at_upper[column] {
            self.upper[v]
        } else {
            self.lower[v]
        }
    }

    /// Runs the dual simplex until every basic variable is within its bounds or the objective passes `cut_off`.
    pub fn solve(&mut self, cut_off: f64) -> Result<Status> {
        let patience = 20 * (self.rows + self.columns) as u64 + 200;
        let mut steps = 0;
        loop {
            // A program of a thousand series takes seconds; asking costs as much as a small program's step.
            if steps % 16 == 15 {
                interrupt::check()?;
            }
            if self.objective >= cut_off {
                return Ok(Status::CutOff);
            }
            // Ties and long runs of degenerate steps are broken by the lowest index, which cannot cycle.
            let careful = steps > patience;
            let Some((row, bound)) = self.leaving(careful) else {
                return Ok(Status::Optimal);
            };
            let Some(column) = self.entering(row, bound, careful) else {
                return Ok(Status::Infeasible);
            };
            self.pivot(row, column, bound);
            steps += 1;
            if steps > 20 * patience {
                fail!(
                    CalculationError,
                    "the pairing program did not settle in {steps} pivots ({} rows, {} columns)",
                    self.rows,
                    self.columns
                );
            }
        }
    }

    /// The row furthest outside its bounds (in careful mode the first variable outside), and the bound it missed.
    fn leaving(&self, careful: bool) -> Option<(usize, f64)> {
        let mut worst = FEASIBLE;
        let mut found = None;
        for r in 0..self.rows {
            let v = self.basic[r] as usize;
            let (x, lower, upper) = (self.value[r], self.lower[v], self.upper[v]);
            let (miss, bound) = if x < lower {
                (lower - x, lower)
            } else {
                (x - upper, upper)
            };
            if careful {
                if miss > FEASIBLE
                    && found.is_none_or(|(f, _): (usize, f64)| self.basic[f] > self.basic[r])
                {
                    found = Some((r, bound));
                }
            } else if miss > worst {
                worst = miss;
                found = Some((r, bound));
            }
        }
        found
    }

    /// The column whose reduced cost runs out first when the row moves to its bound.
    fn entering(&self, row: usize, bound: f64, careful: bool) -> Option<usize> {
        let entries = &self.tableau[row * self.columns..(row + 1) * self.columns];
        let rising = self.value[row] < bound;
        let mut best = f64::INFINITY;
        let mut strength = 0.0;
        let mut found: Option<usize> = None;
        for (j, &a) in entries.iter().enumerate() {
            let size = a.abs();
            // A column at its lower bound can only grow: it lifts the row when its entry is negative.
            if size <= PIVOT || ((a < 0.0) == self.at_upper[j]) == rising {
                continue;
            }
            let v = self.nonbasic[j] as usize;
            if self.lower[v] == self.upper[v] {
                continue;
            }
            let ratio = self.reduced[j].abs() / size;
            let better = match found {
                None => true,
                Some(f) if careful => {
                    ratio < best || (ratio == best && self.nonbasic[f] > self.nonbasic[j])
                }
                Some(_) => ratio < best - 1e-12 || (ratio < best + 1e-12 && size > strength),
            };
            if better {
                if ratio < best {
                    best = ratio;
                }
                strength = size;
                found = Some(j);
            }
        }
        found
    }

    fn pivot(&mut self, row: usize, column: usize, bound: f64) {
        let n = self.columns;
        let pivot = self.tableau[row * n + column];
        let step = (self.value[row] - bound) / pivot;
        let inverse = 1.0 / pivot;
        let resting = self.resting(column);
        self.objective += self.reduced[column] * step;

        let (before, rest) = self.tableau.split_at_mut(row * n);
        let (pivot_row, after) = rest.split_at_mut(n);
        for entry in pivot_row.iter_mut() {
            *entry *= inverse;
        }
        for (r, line) in before.chunks_exact_mut(n).enumerate().chain(
            after
                .chunks_exact_mut(n)
                .enumerate()
                .map(|(k, line)| (k + row + 1, line)),
        ) {
            let a = line[column];
            if a != 0.0 {
                self.value[r] -= a * step;
                for (x, &p) in line.iter_mut().zip(pivot_row.iter()) {
                    *x -= a * p;
                }
                line[column] = -a * inverse;
            }
        }
        let d = self.reduced[column];
        if d != 0.0 {
            for (x, &p) in self.reduced.iter_mut().zip(pivot_row.iter()) {
                *x -= d * p;
            }
        }
        self.reduced[column] = -d * inverse;
        pivot_row[column] = inverse;

        let leaving = self.basic[row];
        let entering = self.nonbasic[column];
        self.basic[row] = entering;
        self.nonbasic[column] = leaving;
        self.place[entering as usize] = Place::Row(row as u32);
        self.place[leaving as usize] = Place::Column(column as u32);
        self.at_upper[column] =
            bound == self.upper[leaving as usize] && bound != self.lower[leaving as usize];
        self.value[row] = resting + step;
        self.pivots += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_program_by_hand() {
        // max 3x + 2y with x + y <= 4, x + 3y <= 6, x <= 3, y <= 9: x = 3, y = 1, value 11.
        let mut s = Simplex::default();
        s.start(&[-3.0, -2.0], &[0.0, 0.0], &[3.0, 9.0], 0);
        s.row(4.0, false, true).copy_from_slice(&[1.0, 1.0]);
        s.row(6.0, false, true).copy_from_slice(&[1.0, 3.0]);
        s.settle();
        assert_eq!(s.solve(f64::INFINITY), Ok(Status::Optimal));
        assert!((s.objective() + 11.0).abs() < 1e-12);
        assert!((s.value_of(0) - 3.0).abs() < 1e-12);
        assert!((s.value_of(1) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn an_impossible_row_is_infeasible() {
        let mut s = Simplex::default();
        s.start(&[1.0], &[0.0], &[1.0], 0);
        s.row(2.0, true, true).copy_from_slice(&[1.0]);
        s.settle();
        assert_eq!(s.solve(f64::INFINITY), Ok(Status::Infeasible));
    }
}
