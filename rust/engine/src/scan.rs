//! Adding up positions' risk arrays: 16 scenarios at a time, one fused chain per scenario in ascending position order.
//!
//! The chains are never reassociated, so a sum depends neither on the machine nor on how work was cut up. What the
//! numbers mean, and which sign a loss has, is the caller's business.

use kernel::simd::{self, Kernel};

/// Scenarios per row; wider scenario sets use several tables.
pub const WIDTH: usize = 16;

/// One contract's values under 16 scenarios: two cache lines.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[repr(C, align(64))]
pub struct Row(pub [f64; WIDTH]);

/// Row-major values as rows.
///
/// # Panics
/// If the values do not fill whole rows.
pub fn rows_from(values: &[f64]) -> Vec<Row> {
    let (rows, rest) = values.as_chunks::<WIDTH>();
    assert!(
        rest.is_empty(),
        "risk rows hold {WIDTH} values each, got {} in all",
        values.len()
    );
    rows.iter().map(|&row| Row(row)).collect()
}

/// Adds quantity times row, position by position, to `acc`.
///
/// # Panics
/// If `contract` and `quantity` differ in length or a contract has no row.
pub fn accumulate(rows: &[Row], contract: &[u32], quantity: &[i64], acc: &mut [f64; WIDTH]) {
    struct One<'a>(&'a [Row], &'a [u32], &'a [i64], &'a mut [f64; WIDTH]);
    impl Kernel for One<'_> {
        type Output = ();
        #[inline(always)]
        fn run(self) {
            *self.3 = chain(self.0, self.1, self.2, *self.3);
        }
    }
    simd::run(One(rows, contract, quantity, acc));
}

/// The largest of 0 and the losses (negative sums) of the first `N` columns of `acc` plus quantity times one row.
/// Nothing is changed.
#[inline]
pub fn largest_loss<const N: usize>(acc: &[f64; WIDTH], quantity: f64, row: &[f64; WIDTH]) -> f64 {
    struct One<'a, const N: usize>(&'a [f64; WIDTH], f64, &'a [f64; WIDTH]);
    impl<const N: usize> Kernel for One<'_, N> {
        type Output = f64;
        #[inline(always)]
        fn run(self) -> f64 {
            let mut sum = [0.0; WIDTH];
            for (s, (a, r)) in sum.iter_mut().zip(self.0.iter().zip(self.2)).take(N) {
                *s = self.1.mul_add(*r, *a);
            }
            // Halves against each other, so that the columns stay in vectors.
            let mut width = WIDTH / 2;
            while width > 0 {
                for k in 0..width {
                    if sum[k + width] < sum[k] {
                        sum[k] = sum[k + width];
                    }
                }
                width /= 2;
            }
            if sum[0] < 0.0 { -sum[0] } else { 0.0 }
        }
    }
    simd::run(One::<N>(acc, quantity, row))
}

#[inline(always)]
fn chain(rows: &[Row], contract: &[u32], quantity: &[i64], mut acc: [f64; WIDTH]) -> [f64; WIDTH] {
    assert_eq!(contract.len(), quantity.len(), "one quantity per contract");
    for (&c, &q) in contract.iter().zip(quantity) {
        let row = &rows[c as usize].0;
        let q = q as f64;
        for k in 0..WIDTH {
            acc[k] = q.mul_add(row[k], acc[k]);
        }
    }
    acc
}

/// The greatest of each account's 16 sums, and the first scenario that has it.
///
/// Account `a` holds positions `indptr[a] .. indptr[a + 1]`. Rows are taken as losses: the greatest is the worst.
/// An account without positions sums to 0 in scenario 0.
///
/// # Panics
/// If `indptr` does not describe `greatest.len()` accounts over the positions, or a contract has no row.
pub fn greatest_per_account(
    rows: &[Row],
    indptr: &[usize],
    contract: &[u32],
    quantity: &[i64],
    greatest: &mut [f64],
    scenario: &mut [u8],
) {
    simd::run(Accounts {
        rows,
        indptr,
        contract,
        quantity,
        greatest,
        scenario,
    });
}

struct Accounts<'a> {
    rows: &'a [Row],
    indptr: &'a [usize],
    contract: &'a [u32],
    quantity: &'a [i64],
    greatest: &'a mut [f64],
    scenario: &'a mut [u8],
}

impl Kernel for Accounts<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let n = self.greatest.len();
        assert_eq!(
            self.indptr.len(),
            n + 1,
            "indptr needs one entry more than there are accounts"
        );
        assert_eq!(self.scenario.len(), n, "one scenario per account");
        for a in 0..n {
            let held = self.indptr[a]..self.indptr[a + 1];
            let acc = chain(
                self.rows,
                &self.contract[held.clone()],
                &self.quantity[held],
                [0.0; WIDTH],
            );
            let (mut worst, mut at) = (acc[0], 0);
            for (k, &value) in acc.iter().enumerate().skip(1) {
                if value > worst {
                    (worst, at) = (value, k as u8);
                }
            }
            self.greatest[a] = worst;
            self.scenario[a] = at;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::simd::{Level, run_at};

    /// Values whose sums round, so that another order would show.
    fn book() -> (Vec<Row>, Vec<u32>, Vec<i64>) {
        let values: Vec<f64> = (0..50 * WIDTH)
            .map(|i| ((i * 7919) % 1009) as f64 / 7.0 - 60.0)
            .collect();
        let contract = (0..400).map(|p| (p * 31 % 50) as u32).collect();
        let quantity = (0..400).map(|p| (p * 17 % 23) as i64 - 11).collect();
        (rows_from(&values), contract, quantity)
    }

    #[test]
    fn one_fused_chain_per_scenario_in_position_order() {
        let (rows, contract, quantity) = book();
        let mut acc = [0.5; WIDTH];
        accumulate(&rows, &contract, &quantity, &mut acc);
        for (k, &sum) in acc.iter().enumerate() {
            let chain = contract
                .iter()
                .zip(&quantity)
                .fold(0.5_f64, |sum, (&c, &q)| {
                    (q as f64).mul_add(rows[c as usize].0[k], sum)
                });
            assert_eq!(sum.to_bits(), chain.to_bits());
        }
    }

    #[test]
    fn accounts_take_their_first_greatest_scenario_on_every_level() {
        let (rows, contract, quantity) = book();
        let indptr = [0, 0, 1, 150, 151, 400];
        let at = |level| {
            let (mut greatest, mut scenario) = ([f64::NAN; 5], [99_u8; 5]);
            run_at(
                level,
                Accounts {
                    rows: &rows,
                    indptr: &indptr,
                    contract: &contract,
                    quantity: &quantity,
                    greatest: &mut greatest,
                    scenario: &mut scenario,
                },
            );
            (greatest.map(f64::to_bits), scenario)
        };
        let (greatest, scenario) = at(Level::Baseline);
        assert_eq!((greatest, scenario), at(Level::Avx2));
        assert_eq!((greatest, scenario), at(Level::Avx512));
        for a in 0..5 {
            let mut acc = [0.0; WIDTH];
            let held = indptr[a]..indptr[a + 1];
            accumulate(&rows, &contract[held.clone()], &quantity[held], &mut acc);
            let first = (0..WIDTH)
                .find(|&k| acc.iter().all(|&other| acc[k] >= other))
                .unwrap();
            assert_eq!(
                (greatest[a], usize::from(scenario[a])),
                (acc[first].to_bits(), first)
            );
        }
    }
}
