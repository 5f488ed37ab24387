//! Which positions margin which: the cheapest pairing, the cheapest of pairs, and what a greedy matcher takes.
//!
//! The unit of solution is a component: the underlyings that can cover each other. Initial and maintenance have
//! different optima and are solved apart.

use super::branch::{Outcome, Search};
use super::greedy;
use super::groups::{Group, Leg, alone, report, take};
use super::program::{Kind, Program};
use super::question::{Holding, Method, Question, Total};
use super::rules::Amounts;
use kernel::error::Result;
use kernel::fail;

/// Buffers of a solve; nothing is allocated once they are warm.
#[derive(Debug, Default)]
pub struct Scratch {
    program: Program,
    search: Search,
    outcome: Outcome,
    order: Vec<Holding>,
    /// Where each component ends in `order`.
    ends: Vec<usize>,
    families: Vec<u32>,
    left: Vec<f64>,
}

/// The components of one solve with their totals, for another of the same question: those whose holdings are the same
/// are not solved again.
#[derive(Debug, Default)]
pub struct Kept {
    order: Vec<Holding>,
    ends: Vec<usize>,
    totals: Vec<Total>,
}

impl Kept {
    /// Takes the components that `scratch` has just solved.
    pub fn keep(&mut self, scratch: &Scratch, totals: &[Total]) {
        self.order.clone_from(&scratch.order);
        self.ends.clone_from(&scratch.ends);
        self.totals.clear();
        self.totals.extend_from_slice(totals);
    }

    /// The total of a component, looked for from the `at`-th on.
    fn find(&self, component: u32, holdings: &[Holding], at: usize) -> Option<Total> {
        let count = self.totals.len();
        let i = (0..count)
            .map(|k| (at + k) % count)
            .find(|&i| self.totals[i].component == component)?;
        let start = if i == 0 { 0 } else { self.ends[i - 1] };
        (self.order[start..self.ends[i]] == *holdings).then(|| self.totals[i])
    }
}

impl Scratch {
    /// Requirement of the holdings by component; `kept` is of the same question, or empty. With `groups`, also how it
    /// comes about.
    pub fn solve(
        &mut self,
        question: &Question<'_>,
        holdings: &[Holding],
        kept: &Kept,
        totals: &mut Vec<Total>,
        mut groups: Option<&mut Vec<Group>>,
    ) -> Result<()> {
        totals.clear();
        self.ends.clear();
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(holdings.iter().filter(|h| h.long != 0 || h.short != 0));
        self.label_families(question, &order);
        let mut families = std::mem::take(&mut self.families);
        let component = |h: &Holding| families[family_of(question, h) as usize];
        order.sort_unstable_by(|a, b| {
            component(a)
                .cmp(&component(b))
                .then_with(|| canonical(question, a, b))
        });
        let mut result = Ok(());
        let mut start = 0;
        while start < order.len() && result.is_ok() {
            let mut end = start + 1;
            while end < order.len() && component(&order[end]) == component(&order[start]) {
                end += 1;
            }
            let held = order[start..end]
                .iter()
                .map(|h| family_of(question, h))
                .min();
            let own = &order[start..end];
            let mut total = Total {
                component: held.unwrap_or_default(),
                ..Total::default()
            };
            match kept.find(total.component, own, totals.len()) {
                Some(known) if groups.is_none() => total = known,
                _ => result = self.component(question, own, &mut total, groups.as_deref_mut()),
            }
            totals.push(total);
            self.ends.push(end);
            start = end;
        }
        families.clear();
        self.families = families;
        self.order = order;
        result
    }

    /// Families joined by a fund that is held and covers options of an index belong to one component; so do those of
    /// the securities that one option delivers.
    fn label_families(&mut self, question: &Question<'_>, holdings: &[Holding]) {
        let joined = |h: &Holding| {
            let row = h.row as usize;
            let (tracks, delivered): (_, &[(u32, f64)]) = if h.stock {
                (question.shares[row].tracks, &[])
            } else {
                (None, &question.series[row].delivered)
            };
            let families = delivered.iter().map(|d| d.0);
            families.chain(tracks)
        };
        let most = holdings
            .iter()
            .flat_map(|h| joined(h).chain([family_of(question, h)]))
            .max()
            .unwrap_or(0);
        self.families.clear();
        self.families.extend(0..=most);
        for h in holdings {
            for other in joined(h) {
                let (a, b) = (
                    self.families[family_of(question, h) as usize],
                    self.families[other as usize],
                );
                if a == b {
                    continue;
                }
                let (low, high) = if a < b { (a, b) } else { (b, a) };
                for label in &mut self.families {
                    if *label == high {
                        *label = low;
                    }
                }
            }
        }
    }

    fn component(
        &mut self,
        question: &Question<'_>,
        holdings: &[Holding],
        total: &mut Total,
        groups: Option<&mut Vec<Group>>,
    ) -> Result<()> {
        let program = &mut self.program;
        program.clear();
        for h in holdings {
            for (count, long) in [(h.long, true), (h.short, false)] {
                if count == 0 {
                    continue;
                }
                let unit = if h.stock {
                    question.shares[h.row as usize].unit
                } else {
                    1.0
                };
                let alone = if h.stock {
                    question.shares[h.row as usize].alone(long, question.when, question.numbers)
                } else {
                    question.series[h.row as usize].alone(long, question.numbers)
                };
                program.items.push(super::program::Item {
                    row: h.row as usize,
                    stock: h.stock,
                    long,
                    count: count as f64 * unit,
                    alone_equity: alone.equity(),
                    alone,
                    forbidden: !h.stock && !long && question.series[h.row as usize].forbidden,
                });
            }
        }
        if question.pairing == Method::Greedy {
            greedy::greedy(question, program, &mut self.left, total, groups);
            return Ok(());
        }
        if question.pairing == Method::OneSpread {
            return self.one_spread(question, total, groups);
        }
        program.recognise(
            question.series,
            question.shares,
            question.numbers,
            question.allowed,
            question.when,
            question.pairing,
        );
        let left = &mut self.left;
        self.search.run(
            program,
            question.series,
            question.node_limit,
            |program, counts| greedy::counts(question, program, left, counts),
            &mut self.outcome,
        )?;
        self.collect(question, total, groups);
        Ok(())
    }

    /// Everything in one universal spread, whether or not leaving something out would be cheaper.
    fn one_spread(
        &mut self,
        question: &Question<'_>,
        total: &mut Total,
        groups: Option<&mut Vec<Group>>,
    ) -> Result<()> {
        let (program, outcome) = (&mut self.program, &mut self.outcome);
        program.spread_members(question.series, question.numbers, question.allowed);
        outcome.counts.clear();
        outcome.counts.extend(program.items.iter().map(|i| i.count));
        let whole = program.members.len() == program.items.len() && program.spreads == 1;
        if !whole || !program.balanced(&outcome.counts, question.series) {
            fail!(
                NotApplicable,
                "the positions on one underlying are not one universal spread: it needs options of one style and \
                 listing, as many long as short among calls and among puts, and no short that outlasts the longs"
            );
        }
        outcome.losses.clear();
        outcome
            .losses
            .push(program.maximum_loss(0, &outcome.counts, question.series));
        outcome.change = outcome.losses[0]
            + program
                .members
                .iter()
                .zip(&outcome.counts)
                .map(|(m, n)| m.change * n)
                .sum::<f64>();
        outcome.bound = outcome.change;
        outcome.nodes = 0;
        self.collect(question, total, groups);
        Ok(())
    }

    /// Adds up a solved component in canonical order: strategies, spreads, then what stands alone.
    fn collect(
        &mut self,
        question: &Question<'_>,
        total: &mut Total,
        mut groups: Option<&mut Vec<Group>>,
    ) {
        let (program, outcome) = (&self.program, &self.outcome);
        self.left.clear();
        self.left.extend(program.items.iter().map(|i| i.count));
        let (members, columns) = outcome.counts.split_at(program.members.len());
        for (column, &times) in program.columns.iter().zip(columns) {
            if times == 0.0 {
                continue;
            }
            take(program, column, times, &mut self.left);
            report(program, column, times, total, groups.as_deref_mut());
        }
        for spread in 0..program.spreads as u32 {
            let mut amounts = Amounts {
                short: outcome.losses[spread as usize],
                ..Amounts::default()
            };
            let mut legs = Vec::new();
            for (m, &count) in program.members.iter().zip(members) {
                if m.spread != spread || count == 0.0 {
                    continue;
                }
                let item = &program.items[m.item as usize];
                let mark = question.series[item.row].mark;
                if item.long {
                    amounts.paid += mark * count;
                } else {
                    amounts.proceeds += mark * count;
                }
                self.left[m.item as usize] -= count;
                if groups.is_some() {
                    let quantity = if item.long { count } else { -count };
                    legs.push(Leg {
                        row: item.row as u32,
                        stock: false,
                        quantity,
                    });
                }
            }
            total.amounts.add(&amounts, 1.0);
            if let Some(groups) = groups.as_deref_mut()
                && !legs.is_empty()
            {
                groups.push(Group {
                    kind: Some(Kind::Spread),
                    legs,
                    amounts,
                });
            }
        }
        alone(program, &self.left, total, groups);
        total.bound = total.amounts.equity() + (outcome.bound - outcome.change);
        total.nodes = outcome.nodes;
    }
}

fn family_of(question: &Question<'_>, h: &Holding) -> u32 {
    if h.stock {
        question.shares[h.row as usize].family
    } else {
        question.series[h.row as usize].family
    }
}

/// An order that does not depend on how the book or the table of contracts was written down, up to series that are
/// the same in every respect that matters.
fn canonical(question: &Question<'_>, a: &Holding, b: &Holding) -> std::cmp::Ordering {
    a.stock.cmp(&b.stock).then_with(|| {
        if a.stock {
            let (x, y) = (
                &question.shares[a.row as usize],
                &question.shares[b.row as usize],
            );
            return x
                .family
                .cmp(&y.family)
                .then(x.price.total_cmp(&y.price))
                .then(a.row.cmp(&b.row));
        }
        let (x, y) = (
            &question.series[a.row as usize],
            &question.series[b.row as usize],
        );
        x.family
            .cmp(&y.family)
            .then(x.right.cmp(&y.right))
            .then(x.expiry.cmp(&y.expiry))
            .then(x.strike.total_cmp(&y.strike))
            .then(x.nature.cmp(&y.nature))
            .then(x.mark.total_cmp(&y.mark))
            .then(x.multiplier.total_cmp(&y.multiplier))
            .then(x.delivery.cmp(&y.delivery))
            .then(a.row.cmp(&b.row))
    })
}
