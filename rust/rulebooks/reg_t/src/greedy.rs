//! What a matcher that never looks back takes: the pairing many brokers apply, kept to reconcile with them, and what a
//! search that does not end falls back on.

use super::groups::{Group, alone, report, single};
use super::program::{Column, Kind, Program, pair};
use super::question::{Question, Total};
use super::rules::{Amounts, Right, Series, covered, same_units, two_sided};

/// So many times a whole number of units of one item, and one of another.
struct Match {
    column: Column,
    times: f64,
}

impl Match {
    /// Whether margining them together asks for less than margining each on its own.
    fn pays(&self) -> bool {
        self.column.change < 0.0
    }
}

/// What the matcher's pairing requires.
pub(super) fn greedy(
    question: &Question<'_>,
    program: &Program,
    left: &mut Vec<f64>,
    total: &mut Total,
    mut groups: Option<&mut Vec<Group>>,
) {
    for taken in matches(question, program, left) {
        let (column, times) = (&taken.column, taken.times);
        if taken.pays() {
            report(program, column, times, total, groups.as_deref_mut());
            continue;
        }
        // Matched, but both margined on their own: worth nothing to the matcher, and not given back.
        for &(i, units) in column.parts() {
            single(
                program,
                i as usize,
                units * times,
                total,
                groups.as_deref_mut(),
            );
        }
    }
    alone(program, left, total, groups);
    total.bound = total.amounts.equity();
}

/// The matcher's pairing as counts of the program's variables: members, then columns. It costs the matcher's requirement at
/// most, because one universal spread never costs more than its pairs.
pub(super) fn counts(
    question: &Question<'_>,
    program: &Program,
    left: &mut Vec<f64>,
    counts: &mut Vec<f64>,
) {
    let members = program.members.len();
    counts.clear();
    counts.resize(members + program.columns.len(), 0.0);
    for Match { column, times } in matches(question, program, left) {
        let same = |other: &Column| {
            other.kind == column.kind
                && other.used == column.used
                && column
                    .parts()
                    .iter()
                    .all(|part| other.parts().contains(part))
        };
        if let Some(at) = program.columns.iter().position(same) {
            counts[members + at] += times;
        } else if column.kind == Kind::Spread {
            for (k, member) in program.members.iter().enumerate() {
                if column.parts().iter().any(|part| part.0 == member.item) {
                    counts[k] += times;
                }
            }
        }
    }
}

/// Every step takes what looks best, and none is taken back: shares cover the most demanding short; then each short,
/// the most demanding first, takes the long with the nearest strike that lasts as long; then short calls and short
/// puts are matched.
fn matches(question: &Question<'_>, program: &Program, left: &mut Vec<f64>) -> Vec<Match> {
    left.clear();
    left.extend(program.items.iter().map(|i| i.count));
    let mut matcher = Matcher {
        question,
        program,
        left,
        taken: Vec::new(),
    };
    let mut shorts: Vec<usize> = (0..program.items.len())
        .filter(|&i| !program.items[i].stock && !program.items[i].long)
        .collect();
    let naked = |i: usize| matcher.series(i).naked;
    shorts.sort_by(|&a, &b| naked(b).total_cmp(&naked(a)));
    matcher.cover(&shorts);
    matcher.spread(&shorts);
    if question.allowed.two_sided {
        matcher.match_sides(&shorts);
    }
    matcher.taken
}

/// One component being matched; `left` is what no step has taken yet, by item of the program.
struct Matcher<'a> {
    question: &'a Question<'a>,
    program: &'a Program,
    left: &'a mut Vec<f64>,
    taken: Vec<Match>,
}

impl<'a> Matcher<'a> {
    fn series(&self, item: usize) -> &'a Series {
        &self.question.series[self.program.items[item].row]
    }

    /// Takes as many whole pairs of `units` of one item and one of the other as are left.
    fn settle(&mut self, a: usize, b: usize, units: f64, kind: Kind, amounts: Amounts) {
        let program = self.program;
        let (of_a, of_b) = ((self.left[a] / units + 1e-9).floor(), self.left[b]);
        let times = if of_a < of_b { of_a } else { of_b };
        if times < 1.0 {
            return;
        }
        self.left[a] -= units * times;
        self.left[b] -= times;
        let apart = program.items[a].alone_equity * units + program.items[b].alone_equity;
        let mut column = Column {
            kind,
            parts: [(0, 0.0); 4],
            used: 2,
            amounts,
            change: amounts.equity() - apart,
        };
        column.parts[0] = (a as u32, units);
        column.parts[1] = (b as u32, 1.0);
        self.taken.push(Match { column, times });
    }

    /// Shares against the shorts they cover.
    fn cover(&mut self, shorts: &[usize]) {
        let (question, program) = (self.question, self.program);
        for s in (0..program.items.len()).filter(|&i| program.items[i].stock) {
            let shares = &question.shares[program.items[s].row];
            let long = program.items[s].long;
            let writing = if long { Right::Call } else { Right::Put };
            for &w in shorts {
                let written = self.series(w);
                if written.right == writing
                    && let Some(units) = shares.against(written)
                {
                    let amounts = covered(shares, long, written, question.when, question.numbers);
                    self.settle(s, w, units, Kind::Covered, amounts);
                }
            }
        }
    }

    /// Each short against longs, the nearest strike first.
    fn spread(&mut self, shorts: &[usize]) {
        for &s in shorts {
            let short = self.series(s);
            let gap = |l: usize| (self.series(l).strike - short.strike).abs();
            let mut longs: Vec<usize> = (0..self.program.items.len())
                .filter(|&l| {
                    let item = &self.program.items[l];
                    !item.stock
                        && item.long
                        && self.series(l).units == short.units
                        && Program::spreadable(short, self.series(l), self.question.allowed)
                })
                .collect();
            // Of two as near, the one entered first: a matcher depends on the order of entry, as the optimum does not.
            longs.sort_by(|&a, &b| {
                gap(a)
                    .total_cmp(&gap(b))
                    .then(self.program.items[a].row.cmp(&self.program.items[b].row))
            });
            for l in longs {
                self.settle(l, s, 1.0, Kind::Spread, pair(short, self.series(l)));
            }
        }
    }

    /// Short calls against short puts of the same underlying.
    fn match_sides(&mut self, shorts: &[usize]) {
        for &a in shorts {
            for &b in shorts {
                let (x, y) = (self.series(a), self.series(b));
                if x.right != y.right && same_units(x, y) {
                    self.settle(a, b, 1.0, Kind::TwoSided, two_sided(x, y));
                }
            }
        }
    }
}
