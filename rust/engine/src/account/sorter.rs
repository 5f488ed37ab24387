//! The order of one account's rows, for batches of millions.

use crate::contract::ContractIndex;

/// Sorts one account's rows by contract: a radix sort of two digits (Knuth, TAOCP vol. 3, 5.2.5), or by comparison
/// where the rows are too few to pay for clearing the counters.
pub(super) struct ContractSorter<L> {
    /// Bits of the low digit; the high one has no more.
    bits: u32,
    /// Where the next row of each digit goes, low and high.
    low: Vec<usize>,
    high: Vec<usize>,
    buffer: Vec<(ContractIndex, L)>,
}

impl<L: Copy + Default> ContractSorter<L> {
    pub(super) fn new(contracts: usize) -> Self {
        let bits = contracts.next_power_of_two().ilog2().div_ceil(2);
        Self {
            bits,
            low: vec![0; 1 << bits],
            high: vec![0; 1 << bits],
            buffer: Vec::new(),
        }
    }

    /// Rows of one contract come out in any order.
    pub(super) fn sort(&mut self, rows: &mut [(ContractIndex, L)]) {
        // About two counters a row cost what comparisons do.
        if 4 * rows.len() < self.low.len() {
            rows.sort_unstable_by_key(|r| r.0);
            return;
        }
        let (bits, mask) = (self.bits, self.low.len() - 1);
        let low = |contract: ContractIndex| contract as usize & mask;
        // The mask changes nothing; it spares a check of bounds.
        let high = |contract: ContractIndex| contract as usize >> bits & mask;
        self.low.fill(0);
        self.high.fill(0);
        for r in rows.iter() {
            self.low[low(r.0)] += 1;
            self.high[high(r.0)] += 1;
        }
        let (mut before_low, mut before_high) = (0, 0);
        for (l, h) in self.low.iter_mut().zip(&mut self.high) {
            before_low += std::mem::replace(l, before_low);
            before_high += std::mem::replace(h, before_high);
        }
        self.buffer.resize(rows.len(), (0, L::default()));
        for &r in rows.iter() {
            let place = &mut self.low[low(r.0)];
            self.buffer[*place] = r;
            *place += 1;
        }
        for &r in &self.buffer {
            let place = &mut self.high[high(r.0)];
            rows[*place] = r;
            *place += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_radix_sort_sorts_tables_and_accounts_of_any_size() {
        let mut state = 1_u64;
        let mut noise = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            (state >> 33) as usize
        };
        for contracts in [1, 2, 3, 4, 5, 64, 65, 5_000, 16_384, 16_385] {
            let mut sorter = ContractSorter::new(contracts);
            for length in [1_000, 2, 70, 0, 300] {
                let mut rows: Vec<(u32, i64)> = (0..length)
                    .map(|i| ((noise() % contracts) as u32, i))
                    .chain([(contracts as u32 - 1, -1)])
                    .collect();
                let mut expected = rows.clone();
                expected.sort_unstable();
                sorter.sort(&mut rows);
                assert!(rows.is_sorted_by_key(|r| r.0));
                rows.sort_unstable();
                assert_eq!(rows, expected);
            }
        }
    }
}
