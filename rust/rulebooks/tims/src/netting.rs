//! Profits, minimums and option value of an account's positions, netted per class group.
//!
//! All a position adds is one row of sixteen columns times its lots: the net lots for the points and the option value,
//! the long or the short side for the rest. So a class group's sums are one fused chain per column.

use super::book::Book;
use super::parameters::POINTS;
use super::row::{LONG_MINIMUM, OPTION_VALUE, Row, SHORT_MINIMUM, SHORT_OPTIONS};
use engine::account::{AccountView, Positions};
use kernel::simd::{self, Kernel};

/// Sums of one class group.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) sums: Row,
    pub(super) held: bool,
}

impl Tally {
    pub(super) fn profit(&self) -> &[f64; POINTS] {
        self.sums.0[..POINTS]
            .try_into()
            .expect("ten of sixteen columns")
    }

    pub(super) fn option_value(&self) -> f64 {
        self.sums.0[OPTION_VALUE]
    }

    pub(super) fn minimum(&self) -> f64 {
        self.sums.0[SHORT_MINIMUM] + self.sums.0[LONG_MINIMUM]
    }

    pub(super) fn short_options(&self) -> f64 {
        self.sums.0[SHORT_OPTIONS]
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
            sum + self.tallies[class as usize].option_value()
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
        let (contract, classes) = (self.positions.contract, &self.book.class_of[..]);
        let mut i = 0;
        while i < contract.len() {
            // A run of one class group is summed in registers.
            let class = classes[contract[i] as usize];
            let end = if self.book.class_groups.len() == 1 {
                contract.len()
            } else {
                contract[i..]
                    .iter()
                    .position(|&c| classes[c as usize] != class)
                    .map_or(contract.len(), |run| i + run)
            };
            let tally = &mut self.scratch.tallies[class as usize];
            if !tally.held {
                tally.held = true;
                self.scratch.touched.push(class);
            }
            tally.sums = sum(self.book, &self.positions, i, end, tally.sums);
            i = end;
        }
    }
}

/// The sums of one class group alone.
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
        let classes = &self.book.class_of[..];
        for (i, &c) in self.positions.contract.iter().enumerate() {
            if classes[c as usize] == self.class {
                tally.held = true;
                tally.sums = sum(self.book, &self.positions, i, i + 1, tally.sums);
            }
        }
        tally
    }
}

/// Adds positions `from .. end` to the sums of their class group.
#[inline(always)]
fn sum(book: &Book, positions: &Positions<'_>, from: usize, end: usize, mut sums: Row) -> Row {
    let contract = &positions.contract[from..end];
    let quantity = &positions.quantity[from..end];
    for (&c, &q) in contract.iter().zip(quantity) {
        sums.add_net(q as f64, &book.scan[c as usize], &book.sides);
    }
    sums
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

#[cfg(test)]
mod tests {
    use super::super::row::{Sides, WIDTH};
    use super::*;
    use kernel::simd::{Level, run_at};

    /// Adds the same lots in both forms.
    struct Both<'a>(&'a [f64], &'a [Row], &'a Sides);

    impl Kernel for Both<'_> {
        type Output = (Row, Row);

        #[inline(always)]
        fn run(self) -> (Row, Row) {
            let (mut netted, mut sided) = (Row::default(), Row::default());
            for (&net, row) in self.0.iter().zip(self.1) {
                netted.add_net(net, row, self.2);
                let (long, short) = if net > 0.0 { (net, 0.0) } else { (0.0, -net) };
                sided.add(net, long, short, row);
            }
            (netted, sided)
        }
    }

    #[test]
    fn one_side_adds_the_bits_of_two() {
        let lots: Vec<f64> = (0..40).map(|i| f64::from(i * 17 % 23 - 11)).collect();
        let value = |i: usize| ((i * 7919) % 1009) as f64 / 7.0 - 60.0;
        let rows: Vec<Row> = (0..lots.len())
            .map(|i| Row(std::array::from_fn(|k| value(i * WIDTH + k))))
            .collect();
        let sides = Sides::default();
        let bits = |row: Row| row.0.map(f64::to_bits);
        let first = run_at(Level::Baseline, Both(&lots, &rows, &sides)).0;
        assert!(first.0[SHORT_MINIMUM] != 0.0 && first.0[LONG_MINIMUM] != 0.0);
        for level in Level::ALL {
            let (netted, sided) = run_at(level, Both(&lots, &rows, &sides));
            assert_eq!((bits(netted), bits(sided)), (bits(first), bits(first)));
        }
    }
}
