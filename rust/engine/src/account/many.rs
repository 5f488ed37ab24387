//! Many accounts over one table of contracts, as columns.

mod fills;

use super::sorter::ContractSorter;
use super::{AccountTerms, AccountView, MAX_LOTS, Positions};
use crate::contract::{ContractIndex, Contracts};
use kernel::error::{MarginError, Result};
use kernel::{fail, interrupt};

/// Accounts beyond this in one batch are refused: columns by account would not fit in memory.
pub const MAX_ACCOUNTS: usize = 100_000_000;

/// Rows of columns that are read before asking whether to go on.
const SLICE: usize = 1 << 16;

/// What a row holds of its contract: signed lots of accounts that net, or long and short apart.
pub trait Lots: Copy + Default {
    /// Whether the two sides stay apart.
    const GROSS: bool;
    /// Long and short; signed lots are all long.
    fn sides(self) -> [i64; 2];
}

impl Lots for i64 {
    const GROSS: bool = false;

    fn sides(self) -> [i64; 2] {
        [self, 0]
    }
}

impl Lots for [i64; 2] {
    const GROSS: bool = true;

    fn sides(self) -> [i64; 2] {
        self
    }
}

/// Many accounts over one table of contracts, in CSR columns: account `a` owns rows `start[a]..start[a + 1]`.
#[derive(Debug, Clone)]
pub struct Accounts {
    start: Vec<usize>,
    contract: Vec<ContractIndex>,
    /// Signed lots, or the long side where `short` is there.
    quantity: Vec<i64>,
    short: Option<Vec<i64>>,
    terms: Vec<AccountTerms>,
}

/// Refuses columns of different lengths.
fn check_columns(account: usize, contract: usize, lots: usize) -> Result<()> {
    if account != contract || account != lots {
        fail!(
            InvalidInput: WrongShape;
            "accounts: columns of different lengths: account {account}, contract {contract}, lots {lots}"
        );
    }
    Ok(())
}

/// Refuses a row of columns whose account or contract is not there, or that has too many lots.
#[inline]
fn check_row(
    row: usize,
    (account, contract, lots): (u32, ContractIndex, i64),
    accounts: usize,
    contracts: usize,
) -> Result<()> {
    if account as usize >= accounts {
        fail!(InvalidInput: OutOfRange; "accounts row {row}: account {account} of {accounts}");
    }
    if contract as usize >= contracts {
        fail!(
            InvalidInput: OutOfRange;
            "accounts row {row}: contract row {contract} of a table of {contracts}"
        );
    }
    if !(-MAX_LOTS..=MAX_LOTS).contains(&lots) {
        fail!(
            InvalidInput: TooLarge;
            "accounts row {row}: {lots} lots: at most 2^53 are accepted"
        );
    }
    Ok(())
}

impl Accounts {
    /// `account` (any order, 0-based), `contract` (rows of the table) and lots, one entry per position.
    /// `terms` has one entry for all accounts or one per account.
    pub fn from_columns<L: Lots>(
        contracts: &Contracts,
        count: usize,
        account: &[u32],
        contract: &[u32],
        lots: &[L],
        terms: Vec<AccountTerms>,
    ) -> Result<Self> {
        let refused = |account, error: MarginError| Err(error.at(format!("account {account}")));
        Self::sorted(contracts, count, account, contract, lots, terms, refused)
    }

    /// The same, where `refused` hears of an account that cannot be: it is left without positions where that is accepted.
    pub fn sorted<L: Lots>(
        contracts: &Contracts,
        count: usize,
        account: &[u32],
        contract: &[u32],
        lots: &[L],
        terms: Vec<AccountTerms>,
        refused: impl FnMut(usize, MarginError) -> Result<()>,
    ) -> Result<Self> {
        check_columns(account.len(), contract.len(), lots.len())?;
        if count > MAX_ACCOUNTS {
            fail!(
                InvalidInput: TooLarge;
                "accounts: a batch of {count} accounts: at most {MAX_ACCOUNTS} are accepted"
            );
        }
        for t in &terms {
            t.check()?;
        }
        // Counting sort by account, then each account's rows by contract, which the cache holds.
        let mut start = vec![0_usize; count + 1];
        for (row, (&a, (&c, &q))) in account.iter().zip(contract.iter().zip(lots)).enumerate() {
            if row.is_multiple_of(SLICE) {
                interrupt::check()?;
            }
            for lots in q.sides() {
                check_row(row, (a, c, lots), count, contracts.len())?;
            }
            start[a as usize + 1] += 1;
        }
        for a in 0..count {
            start[a + 1] += start[a];
        }
        let mut next = start.clone();
        let mut rows = vec![(0_u32, L::default()); account.len()];
        for (row, ((&a, &c), &q)) in account.iter().zip(contract).zip(lots).enumerate() {
            if row.is_multiple_of(SLICE) {
                interrupt::check()?;
            }
            let place = &mut next[a as usize];
            rows[*place] = (c, q);
            *place += 1;
        }
        Self::from_groups(contracts, &start, &mut rows, terms, refused)
    }

    /// Accounts whose rows stand together: account `a` owns rows `start[a]..start[a + 1]`, in any order; contracts are rows
    /// of the table, checked by whoever read them. Its rows are sorted in place, equal contracts merged.
    /// `refused` as in [`Self::sorted`].
    ///
    /// # Errors
    /// `InvalidInput` for a number of terms that is neither one nor one per account, and what `refused` returns.
    pub fn from_groups<L: Lots>(
        contracts: &Contracts,
        start: &[usize],
        rows: &mut [(ContractIndex, L)],
        terms: Vec<AccountTerms>,
        mut refused: impl FnMut(usize, MarginError) -> Result<()>,
    ) -> Result<Self> {
        let count = start.len() - 1;
        if terms.len() > 1 && terms.len() != count {
            fail!(
                InvalidInput,
                "accounts: {} sets of account terms for {count} accounts",
                terms.len()
            );
        }
        let mut sorter = ContractSorter::new(contracts.len());
        let mut result = Self {
            start: Vec::with_capacity(count + 1),
            contract: Vec::with_capacity(rows.len()),
            quantity: Vec::with_capacity(rows.len()),
            short: L::GROSS.then(|| Vec::with_capacity(rows.len())),
            terms: if terms.is_empty() {
                vec![AccountTerms::default()]
            } else {
                terms
            },
        };
        result.start.push(0);
        for a in 0..count {
            if a.is_multiple_of(SLICE / 64) {
                interrupt::check()?;
            }
            let own = &mut rows[start[a]..start[a + 1]];
            if !own.is_sorted_by(|x, y| x.0 < y.0) {
                sorter.sort(own);
            }
            let before = result.contract.len();
            if let Err(error) = result.merge(own) {
                result.contract.truncate(before);
                result.quantity.truncate(before);
                if let Some(short) = &mut result.short {
                    short.truncate(before);
                }
                refused(a, error)?;
            }
            result.start.push(result.contract.len());
        }
        Ok(result)
    }

    /// Adds the rows of one account, which are sorted by contract.
    fn merge<L: Lots>(&mut self, own: &[(ContractIndex, L)]) -> Result<()> {
        let mut at = 0;
        while at < own.len() {
            let row = own[at].0;
            let mut sums = own[at].1.sides().map(i128::from);
            at += 1;
            while at < own.len() && own[at].0 == row {
                let [long, short] = own[at].1.sides();
                sums[0] += i128::from(long);
                sums[1] += i128::from(short);
                at += 1;
            }
            if sums.iter().any(|sum| sum.abs() > i128::from(MAX_LOTS)) {
                fail!(InvalidInput: TooLarge; "more than 2^53 lots of contract row {row}");
            }
            if sums != [0, 0] {
                self.contract.push(row);
                self.quantity.push(sums[0] as i64);
                if let Some(short) = &mut self.short {
                    short.push(sums[1] as i64);
                }
            }
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Positions of all accounts.
    pub fn positions(&self) -> usize {
        self.contract.len()
    }

    /// CSR columns: row starts, contract rows, and lots: signed, or those of the long side.
    pub fn columns(&self) -> (&[usize], &[ContractIndex], &[i64]) {
        (&self.start, &self.contract, &self.quantity)
    }

    /// The short sides, where they are kept apart.
    pub fn short(&self) -> Option<&[i64]> {
        self.short.as_deref()
    }

    /// What accounts are besides their positions: one for all of them, or one each.
    pub fn terms(&self) -> &[AccountTerms] {
        &self.terms
    }

    /// Whether long and short are kept apart.
    pub fn is_gross(&self) -> bool {
        self.short.is_some()
    }

    pub fn view(&self, account: usize) -> AccountView<'_> {
        let rows = self.start[account]..self.start[account + 1];
        AccountView {
            positions: Positions {
                contract: &self.contract[rows.clone()],
                quantity: &self.quantity[rows.clone()],
                short: self.short.as_ref().map(|short| &short[rows]),
            },
            terms: if self.terms.len() == 1 {
                &self.terms[0]
            } else {
                &self.terms[account]
            },
        }
    }
}
