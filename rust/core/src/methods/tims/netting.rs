//! Profits, minimums and option value of an account's positions, netted per class group.

use super::book::{Book, WIDTH};
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

/// Adds positions to the tallies of their class groups in ascending contract order: of all, or of `only`.
struct TallyPass<'a> {
    book: &'a Book,
    positions: Positions<'a>,
    only: Option<&'a [u32]>,
    scratch: &'a mut TimsScratch,
}

impl Kernel for TallyPass<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for i in 0..self.positions.len() {
            let row = self.positions.contract[i] as usize;
            let terms = &self.book.terms[row];
            if self
                .only
                .is_some_and(|only| !only.contains(&terms.class_group))
            {
                continue;
            }
            let tally = &mut self.scratch.tallies[terms.class_group as usize];
            if !tally.held {
                tally.held = true;
                if self.only.is_none() {
                    self.scratch.touched.push(terms.class_group);
                }
            }
            let quantity = self.positions.net(i) as f64;
            let profit = &self.book.scan[row];
            for (sum, profit) in tally.profit.iter_mut().zip(profit) {
                *sum = quantity.mul_add(*profit, *sum);
            }
            tally.option_value = quantity.mul_add(terms.option_value, tally.option_value);
            let (long, short) = (
                self.positions.long(i) as f64,
                self.positions.short(i) as f64,
            );
            tally.minimum += terms.minimum_of(long, short);
            if terms.is_option {
                tally.short_options += short * terms.contracts_per_lot;
            }
        }
    }
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
            only: None,
            scratch: &mut *scratch,
        });
        scratch.touched.sort_unstable();
    }

    /// Nets some class groups again, whose tallies are clear; which groups are held is the caller's to keep.
    pub(super) fn tally_classes(
        &self,
        account: AccountView<'_>,
        classes: &[u32],
        scratch: &mut TimsScratch,
    ) {
        simd::run(TallyPass {
            book: self,
            positions: account.positions,
            only: Some(classes),
            scratch,
        });
    }
}
