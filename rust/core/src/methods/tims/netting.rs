//! Profits, minimums and option value of an account's positions, netted per class group.

use super::book::{Book, ContractTerms, WIDTH};
use crate::account::{AccountView, Positions};
use crate::simd::{self, Kernel};

/// Sums of one class group.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) profit: [f64; WIDTH],
    pub(super) option_value: f64,
    pub(super) minimum: f64,
    pub(super) short_options: f64,
    pub(super) held: bool,
}

impl Tally {
    /// Adds one position: its net, long and short lots.
    #[inline(always)]
    fn add(&mut self, terms: &ContractTerms, row: &[f64; WIDTH], net: f64, long: f64, short: f64) {
        self.held = true;
        for k in 0..WIDTH {
            self.profit[k] = net.mul_add(row[k], self.profit[k]);
        }
        self.option_value = net.mul_add(terms.option_value, self.option_value);
        self.minimum += terms.minimum_of(long, short);
        if terms.is_option {
            self.short_options += short * terms.contracts_per_lot;
        }
    }
}

#[derive(Default)]
pub(super) struct TimsScratch {
    pub(super) tallies: Vec<Tally>,
    /// Class groups held, ascending.
    pub(super) touched: Vec<u32>,
    pub(super) overlay: Vec<f64>,
}

impl TimsScratch {
    pub(super) fn net_option_value(&self) -> f64 {
        self.touched.iter().fold(0.0, |sum, &class| {
            sum + self.tallies[class as usize].option_value
        })
    }
}

/// Adds positions to the tallies of their class groups in ascending contract order.
struct TallyPass<'a> {
    book: &'a Book,
    positions: Positions<'a>,
    scratch: &'a mut TimsScratch,
}

impl Kernel for TallyPass<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for i in 0..self.positions.len() {
            let row = self.positions.contract[i] as usize;
            let terms = &self.book.terms[row];
            let tally = &mut self.scratch.tallies[terms.class_group as usize];
            if !tally.held {
                self.scratch.touched.push(terms.class_group);
            }
            let (net, long, short) = sides(&self.positions, i);
            tally.add(terms, &self.book.scan[row], net, long, short);
        }
    }
}

/// The same sums of one class group alone: kept in registers, hence many times as fast.
struct ClassPass<'a> {
    book: &'a Book,
    positions: Positions<'a>,
    class: u32,
}

impl Kernel for ClassPass<'_> {
    type Output = Tally;

    #[inline(always)]
    fn run(self) -> Tally {
        let mut tally = Tally::default();
        for i in 0..self.positions.len() {
            let row = self.positions.contract[i] as usize;
            let terms = &self.book.terms[row];
            if terms.class_group == self.class {
                let (net, long, short) = sides(&self.positions, i);
                tally.add(terms, &self.book.scan[row], net, long, short);
            }
        }
        tally
    }
}

/// Net, long and short lots of one position.
#[inline(always)]
fn sides(positions: &Positions<'_>, i: usize) -> (f64, f64, f64) {
    let quantity = positions.quantity[i];
    let (long, short) = match positions.short {
        Some(short) => (quantity, short[i]),
        None if quantity > 0 => (quantity, 0),
        None => (0, -quantity),
    };
    ((long - short) as f64, long as f64, short as f64)
}

impl Book {
    /// Nets the account's positions per class group, in ascending contract order.
    pub(super) fn tally(&self, account: AccountView<'_>, scratch: &mut TimsScratch) {
        scratch
            .tallies
            .resize(self.class_groups.len(), Tally::default());
        for &group in &scratch.touched {
            scratch.tallies[group as usize] = Tally::default();
        }
        scratch.touched.clear();
        simd::run(TallyPass {
            book: self,
            positions: account.positions,
            scratch: &mut *scratch,
        });
        scratch.touched.sort_unstable();
    }

    /// Nets one class group again.
    pub(super) fn tally_class(&self, account: AccountView<'_>, class: u32) -> Tally {
        simd::run(ClassPass {
            book: self,
            positions: account.positions,
            class,
        })
    }
}
