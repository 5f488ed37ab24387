//! Fills added to a batch of accounts: what they do not touch is copied as it lies.

use std::ops::Range;

use super::{Accounts, SLICE, check_columns, check_row};
use crate::account::MAX_LOTS;
use crate::contract::{ContractIndex, Contracts};
use kernel::error::Result;
use kernel::{fail, interrupt};

/// Signed lots of a contract row for an account, by both numbers in one: account first.
type Fill = (u64, i64);

fn account_of(fill: &Fill) -> usize {
    (fill.0 >> 32) as usize
}

fn contract_of(fill: &Fill) -> ContractIndex {
    fill.0 as u32
}

impl Accounts {
    /// These accounts after fills of signed lots: one entry a fill in any order, accounts numbered as here, `contracts` the
    /// table they were made over. Fills of one contract in one account add up; what comes to zero is no position any
    /// more. Costs a copy of the columns.
    ///
    /// # Errors
    /// `NotApplicable` for gross accounts; `InvalidInput` for columns of different lengths, an account or a contract row that is not there, and more than
    /// 2^53 lots.
    pub fn apply(
        &self,
        contracts: &Contracts,
        account: &[u32],
        contract: &[ContractIndex],
        lots: &[i64],
    ) -> Result<Self> {
        if self.is_gross() {
            fail!(
                NotApplicable,
                "accounts: long and short are kept apart, and a column of fills does not say whether they open or close"
            );
        }
        check_columns(account.len(), contract.len(), lots.len())?;
        let mut fills: Vec<Fill> = Vec::with_capacity(lots.len());
        for (row, (&a, (&c, &q))) in account.iter().zip(contract.iter().zip(lots)).enumerate() {
            if row.is_multiple_of(SLICE) {
                interrupt::check()?;
            }
            check_row(row, (a, c, q), self.len(), contracts.len())?;
            fills.push((u64::from(a) << 32 | u64::from(c), q));
        }
        fills.sort_unstable_by_key(|fill| fill.0);
        let most = self.contract.len() + fills.len();
        let mut result = Self {
            start: Vec::with_capacity(self.start.len()),
            contract: Vec::with_capacity(most),
            quantity: Vec::with_capacity(most),
            short: None,
            terms: self.terms.clone(),
        };
        let mut done = 0;
        for own in fills.chunk_by(|a, b| account_of(a) == account_of(b)) {
            let account = account_of(&own[0]);
            result.copy_accounts(self, done..account)?;
            result.add(self, account, own)?;
            done = account + 1;
        }
        result.copy_accounts(self, done..self.len())?;
        result.start.push(result.contract.len());
        Ok(result)
    }

    /// Appends accounts of another batch as they are.
    fn copy_accounts(&mut self, from: &Self, accounts: Range<usize>) -> Result<()> {
        interrupt::check()?;
        let (first, here) = (from.start[accounts.start], self.contract.len());
        self.copy_rows(from, first..from.start[accounts.end]);
        let starts = from.start[accounts].iter();
        self.start.extend(starts.map(|start| start - first + here));
        Ok(())
    }

    fn copy_rows(&mut self, from: &Self, rows: Range<usize>) {
        self.contract
            .extend_from_slice(&from.contract[rows.clone()]);
        self.quantity.extend_from_slice(&from.quantity[rows]);
    }

    /// Appends one account of another batch after its fills, which come by contract.
    fn add(&mut self, from: &Self, account: usize, fills: &[Fill]) -> Result<()> {
        self.start.push(self.contract.len());
        let (mut at, end) = (from.start[account], from.start[account + 1]);
        for same in fills.chunk_by(|a, b| a.0 == b.0) {
            let row = contract_of(&same[0]);
            let before = from.contract[at..end].partition_point(|&held| held < row);
            self.copy_rows(from, at..at + before);
            at += before;
            let mut net: i128 = same.iter().map(|fill| i128::from(fill.1)).sum();
            if at < end && from.contract[at] == row {
                net += i128::from(from.quantity[at]);
                at += 1;
            }
            if net.abs() > i128::from(MAX_LOTS) {
                fail!(
                    InvalidInput: TooLarge;
                    "account {account}: more than 2^53 lots of contract row {row}"
                );
            }
            if net != 0 {
                self.contract.push(row);
                self.quantity.push(net as i64);
            }
        }
        self.copy_rows(from, at..end);
        Ok(())
    }
}
