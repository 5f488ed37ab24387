//! TIMS of an open account: class groups' tallies and portfolio groups' amounts are kept between trades.

use std::sync::Arc;

use super::book::Book;
use super::netting::{Tally, TimsScratch};
use super::parameters::POINTS;
use super::requirement::AccountWorst;
use super::row::Row;
use engine::account::AccountView;
use engine::contract::ContractIndex;
use engine::report::{Ledger, LineText, Requirement, Totals};
use engine::scan;
use engine::seam::{Estimate, Exposure, Live, WorstCase};
use engine::seam::{Outcome, requirement};
use kernel::error::Result;
use kernel::float::larger;
use kernel::simd::{self, Kernel};

/// The lines of one portfolio group, without their words.
#[derive(Clone, Copy)]
struct Amounts {
    portfolio: u32,
    first: usize,
    end: usize,
    sum: f64,
    worst: (f64, usize),
}

pub(super) struct LiveBook {
    book: Arc<Book>,
    kept: TimsScratch,
    groups: Vec<Amounts>,
    amounts: Vec<f64>,
    requirement: Requirement,
    /// Sum of `|quantity|` times the contract's largest value, and how many positions it has.
    magnitude: f64,
    // Working memory of a question; the kept state is put back after it.
    totals: Totals,
    classes: Vec<u32>,
    saved: Vec<(u32, Tally)>,
    saved_touched: Vec<u32>,
    losses: Vec<f64>,
}

/// Adds one trade to a class group's sums.
struct AddTrade<'a> {
    sums: &'a mut Row,
    net: f64,
    long: f64,
    short: f64,
    row: &'a Row,
}

impl Kernel for AddTrade<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        self.sums.add(self.net, self.long, self.short, self.row);
    }
}

/// Adds amounts up, and keeps them where there is a place.
struct Sum<'a> {
    sum: f64,
    amounts: Option<&'a mut Vec<f64>>,
}

impl Ledger for Sum<'_> {
    fn line(&mut self, _: usize, initial: f64, _: f64, _: &dyn Fn() -> LineText) {
        self.sum += initial;
        if let Some(amounts) = &mut self.amounts {
            amounts.push(initial);
        }
    }
}

/// At least zero.
fn positive(a: f64) -> f64 {
    larger(a, 0.0)
}

impl LiveBook {
    pub(super) fn open(book: Arc<Book>) -> Box<dyn Live> {
        Box::new(Self {
            book,
            kept: TimsScratch::default(),
            groups: Vec::new(),
            amounts: Vec::new(),
            requirement: Requirement::default(),
            magnitude: 0.0,
            totals: Totals::default(),
            classes: Vec::new(),
            saved: Vec::new(),
            saved_touched: Vec::new(),
            losses: Vec::new(),
        })
    }

    /// Nets the class groups of `changed` again for other positions; [`Self::restore`] undoes it.
    fn change(&mut self, account: AccountView<'_>, changed: &[ContractIndex]) {
        self.classes.clear();
        self.saved.clear();
        self.saved_touched.clone_from(&self.kept.touched);
        for &contract in changed {
            let class = self.book.terms[contract as usize].class_group;
            if !self.classes.contains(&class) {
                self.classes.push(class);
                self.saved.push((class, self.kept.tallies[class as usize]));
                let tally = self.book.tally_class(account, class);
                self.kept.tallies[class as usize] = tally;
                self.hold(class, tally.held);
            }
        }
    }

    /// Whether a class group is among those held.
    fn hold(&mut self, class: u32, held: bool) {
        match (self.kept.touched.binary_search(&class), held) {
            (Ok(i), false) => {
                self.kept.touched.remove(i);
            }
            (Err(i), true) => self.kept.touched.insert(i, class),
            _ => {}
        }
    }

    fn restore(&mut self) {
        for &(class, tally) in &self.saved {
            self.kept.tallies[class as usize] = tally;
        }
        self.kept.touched.clone_from(&self.saved_touched);
    }

    fn kept_amounts(&self, portfolio: u32) -> Option<&Amounts> {
        self.groups
            .binary_search_by_key(&portfolio, |g| g.portfolio)
            .ok()
            .map(|i| &self.groups[i])
    }

    /// The requirement of the tallies as they stand; groups without a class group of `self.classes` are as kept.
    fn write(&mut self, account: AccountView<'_>) -> Requirement {
        let mut totals = std::mem::take(&mut self.totals);
        let mut losses = std::mem::take(&mut self.losses);
        totals.clear();
        let mut worst = AccountWorst::default();
        let touched = &self.kept.touched;
        for classes in touched.chunk_by(|&a, &b| self.book.portfolio(a) == self.book.portfolio(b)) {
            let portfolio = self.book.portfolio(classes[0]);
            let same = !self
                .classes
                .iter()
                .any(|&c| self.book.portfolio(c) == portfolio);
            if let Some(group) = self.kept_amounts(portfolio).filter(|_| same) {
                for &amount in &self.amounts[group.first..group.end] {
                    totals.line(0, amount, amount, &|| unreachable!("totals keep no words"));
                }
                worst.take(group.worst);
            } else {
                let sum = self.book.portfolio_sum(portfolio, classes, &self.kept);
                worst.take(self.book.charge_group(
                    &sum,
                    account,
                    &self.kept,
                    &mut losses,
                    &mut totals,
                ));
            }
        }
        let outcome = Outcome {
            net_option_value: self.kept.net_option_value(),
            worst_scenario: worst.scenario(),
            pairing_gap: None,
        };
        let result = requirement(&totals, &self.book.frame.currencies, outcome);
        self.totals = totals;
        self.losses = losses;
        result
    }

    /// Whether the account holds no other class group of the portfolio group.
    fn is_alone(&self, class: u32, portfolio: u32) -> bool {
        let touched = &self.kept.touched;
        let (before, after) = match touched.binary_search(&class) {
            Ok(i) => (i, i + 1),
            Err(i) => (i, i),
        };
        let same = |c: Option<&u32>| c.is_some_and(|&c| self.book.portfolio(c) == portfolio);
        !same(before.checked_sub(1).and_then(|i| touched.get(i))) && !same(touched.get(after))
    }

    /// The amount of one portfolio group with the tallies as they stand.
    fn group_sum(&mut self, portfolio: u32, account: AccountView<'_>) -> (f64, (f64, usize)) {
        let mut losses = std::mem::take(&mut self.losses);
        let touched = &self.kept.touched;
        let from = touched.partition_point(|&c| self.book.portfolio(c) < portfolio);
        let to = touched.partition_point(|&c| self.book.portfolio(c) <= portfolio);
        let mut ledger = Sum {
            sum: 0.0,
            amounts: None,
        };
        let mut worst = (0.0, 0);
        if from < to {
            let sum = self
                .book
                .portfolio_sum(portfolio, &touched[from..to], &self.kept);
            worst = self
                .book
                .charge_group(&sum, account, &self.kept, &mut losses, &mut ledger);
        }
        let sum = ledger.sum;
        self.losses = losses;
        (sum, worst)
    }

    /// Whether kept sums say all: an overlay's stress is not kept.
    fn is_scanned(&self) -> bool {
        self.book.overlays.is_empty()
    }

    /// The worst case over fills of open orders on the tallies as they stand.
    fn worst_fills(&mut self, account: AccountView<'_>, orders: &[Exposure]) -> WorstCase {
        for order in orders {
            let class = self.book.terms[order.contract as usize].class_group;
            self.hold(class, true);
        }
        let mut result = WorstCase {
            requirement: 0.0,
            drain: 0.0,
            exact: true,
        };
        let mut at = 0;
        while at < self.kept.touched.len() {
            let portfolio = self.book.portfolio(self.kept.touched[at]);
            let end = at
                + self.kept.touched[at..].partition_point(|&c| self.book.portfolio(c) == portfolio);
            let ordered = orders.iter().any(|o| {
                self.book
                    .portfolio(self.book.terms[o.contract as usize].class_group)
                    == portfolio
            });
            if ordered {
                // Class groups offset each other only downwards: their sum bounds the portfolio group.
                result.exact &= self.book.is_single(portfolio);
                for i in at..end {
                    let (requirement, drain) =
                        self.class_worst(account, self.kept.touched[i], orders);
                    result.requirement += requirement;
                    result.drain += drain;
                }
            } else {
                let (sum, _) = self.group_sum(portfolio, account);
                result.requirement += sum;
                result.drain += sum;
            }
            at = end;
        }
        result
    }

    /// One class group's worst requirement and worst drain over every set of fills.
    ///
    /// Requirement is the larger of scan loss and minimum. The scan loss is a maximum of linear functions of the
    /// fills; the minimum is a sum over contracts of a maximum of two. An order is in the worst set of a linear
    /// function exactly where it adds to it.
    fn class_worst(&self, account: AccountView<'_>, class: u32, orders: &[Exposure]) -> (f64, f64) {
        let book = &self.book;
        let tally = &self.kept.tallies[class as usize];
        let own = |o: &&Exposure| book.terms[o.contract as usize].class_group == class;
        // What filling an order costs the excess, its option value set against its price.
        let net_cost =
            |o: &Exposure| o.cost - o.lots as f64 * book.terms[o.contract as usize].option_value;
        let mut loss = tally.profit().map(|profit| -profit);
        let mut drain = loss;
        let (mut flat, mut minimum, mut minimum_drain) = (0.0, tally.minimum(), tally.minimum());
        for (i, order) in orders.iter().enumerate().filter(|(_, o)| own(o)) {
            let cost = net_cost(order);
            let row = &book.scan[order.contract as usize].0;
            for k in 0..POINTS {
                let own_loss = -(order.lots as f64 * row[k]);
                loss[k] += positive(own_loss);
                drain[k] += positive(own_loss + cost);
            }
            flat += positive(cost);
            if orders[..i].iter().any(|o| o.contract == order.contract) {
                continue;
            }
            let terms = &book.terms[order.contract as usize];
            let held = net_lots(account, order.contract) as f64;
            minimum -= terms.minimum_of(positive(held), positive(-held));
            minimum_drain -= terms.minimum_of(positive(held), positive(-held));
            let same = || orders.iter().filter(|o| o.contract == order.contract);
            let piece = |slope: f64, with_cost: bool| {
                same().fold(slope * held, |sum, o| {
                    let cost = if with_cost { net_cost(o) } else { 0.0 };
                    sum + positive(slope * o.lots as f64 + cost)
                })
            };
            let (down, up) = (-terms.minimum, terms.long_minimum);
            minimum += larger(piece(up, false), piece(down, false));
            minimum_drain += larger(piece(up, true), piece(down, true));
        }
        let worst_loss = loss.iter().fold(0.0, |a, &b| larger(b, a));
        let worst_drain = drain.iter().fold(flat, |a, &b| larger(b, a));
        (
            larger(minimum, worst_loss),
            larger(minimum_drain, worst_drain),
        )
    }
}

fn net_lots(account: AccountView<'_>, contract: ContractIndex) -> i64 {
    match account.positions.contract.binary_search(&contract) {
        Ok(i) => account.positions.net(i),
        Err(_) => 0,
    }
}

impl Live for LiveBook {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.book.tally(account, &mut self.kept);
        self.classes.clear();
        self.groups.clear();
        self.amounts.clear();
        let mut losses = std::mem::take(&mut self.losses);
        for sum in self.book.groups(&self.kept) {
            let first = self.amounts.len();
            let mut ledger = Sum {
                sum: 0.0,
                amounts: Some(&mut self.amounts),
            };
            let worst = self
                .book
                .charge_group(&sum, account, &self.kept, &mut losses, &mut ledger);
            let total = ledger.sum;
            self.groups.push(Amounts {
                portfolio: self.book.portfolio(sum.classes[0]),
                first,
                end: self.amounts.len(),
                sum: total,
                worst,
            });
        }
        self.losses = losses;
        let positions = account.positions;
        self.magnitude = (0..positions.len()).fold(0.0, |sum, i| {
            let lots = (positions.long(i) + positions.short(i)) as f64;
            let largest = self.book.terms[positions.contract[i] as usize].largest;
            lots.mul_add(largest, sum)
        });
        self.requirement = self.write(account);
        Ok(self.requirement)
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
    ) -> Result<Requirement> {
        self.change(account, changed);
        let result = self.write(account);
        self.restore();
        Ok(result)
    }

    fn after(
        &mut self,
        account: AccountView<'_>,
        contract: ContractIndex,
        lots: i64,
    ) -> Option<Estimate> {
        if !self.is_scanned() {
            return None;
        }
        let book = &self.book;
        let terms = &book.terms[contract as usize];
        let (class, quantity) = (terms.class_group, lots as f64);
        let portfolio = book.portfolio(class);
        let kept = &self.kept.tallies[class as usize];
        let before = net_lots(account, contract) as f64;
        let now = before + quantity;
        let minimum = kept.minimum()
            + (terms.minimum_of(positive(now), positive(-now))
                - terms.minimum_of(positive(before), positive(-before)));
        let magnitude = quantity.abs().mul_add(terms.largest, self.magnitude);
        let old = self.kept_amounts(portfolio).map_or(0.0, |g| g.sum);
        let sum = if self.is_alone(class, portfolio) {
            // Nothing is offset, and every level of the minimum is the same.
            let loss = scan::largest_loss::<POINTS>(
                &kept.sums.0,
                quantity,
                &book.scan[contract as usize].0,
            );
            larger(minimum, loss)
        } else {
            let mut tally = *kept;
            simd::run(AddTrade {
                sums: &mut tally.sums,
                net: quantity,
                long: positive(now) - positive(before),
                short: positive(-now) - positive(-before),
                row: &book.scan[contract as usize],
            });
            let saved = std::mem::replace(&mut self.kept.tallies[class as usize], tally);
            if !saved.held {
                self.hold(class, true);
            }
            let (sum, _) = self.group_sum(portfolio, account);
            if !saved.held {
                self.hold(class, false);
            }
            self.kept.tallies[class as usize] = saved;
            sum
        };
        let n = account.positions.len() + 1;
        Some(Estimate {
            initial: (self.requirement.initial - old) + sum,
            band: 2.0 * (n + 2) as f64 * (f64::EPSILON / 2.0) * magnitude,
        })
    }

    fn worst_case(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
        orders: &[Exposure],
    ) -> Result<Option<WorstCase>> {
        if !self.is_scanned() {
            return Ok(None);
        }
        self.change(account, changed);
        let result = self.worst_fills(account, orders);
        self.restore();
        Ok(Some(result))
    }

    fn assess(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
        orders: &[Exposure],
    ) -> Result<(Requirement, Option<WorstCase>)> {
        self.change(account, changed);
        let requirement = self.write(account);
        let worst = self.is_scanned().then(|| self.worst_fills(account, orders));
        self.restore();
        Ok((requirement, worst))
    }

    fn is_convex(&self, contract: ContractIndex) -> bool {
        // Of one class group it is the largest of the scan loss (a maximum of linear functions of the lots), the sum of
        // the minimums (each a maximum of two) and what an overlay asks (a sum of such maxima): convex, all of them.
        // With several class groups, a minimum that stops binding takes its top-up away.
        self.book.is_single(
            self.book
                .portfolio(self.book.terms[contract as usize].class_group),
        )
    }
}
