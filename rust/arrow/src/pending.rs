//! Accounts whose rows stand together, as their rows arrive: all but the last are whole.

use arrow_array::{Array, ArrayRef, UInt64Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use engine::account::{AccountTerms, Accounts, Lots};
use engine::contract::{ContractIndex, Contracts};
use kernel::error::Result;

use crate::input::Slice;
use crate::positions::{Held, NONE};
use crate::table::refused;
use crate::taken::{Faults, Whole};

/// Accounts that have begun.
pub(crate) struct Pending {
    /// Where each account's rows begin.
    start: Vec<usize>,
    rows: Rows,
    /// What is said of each account; empty where the source says nothing of any.
    terms: Vec<AccountTerms>,
    faults: Faults,
    /// The labels, a row per account, piece by piece.
    labels: Vec<ArrayRef>,
    /// The kind of accounts that say none.
    kind: Option<String>,
}

enum Rows {
    Net(Vec<(ContractIndex, i64)>),
    Gross(Vec<(ContractIndex, [i64; 2])>),
}

impl Rows {
    fn len(&self) -> usize {
        match self {
            Self::Net(rows) => rows.len(),
            Self::Gross(rows) => rows.len(),
        }
    }
}

/// What is said of an account before its rows say anything.
pub(crate) fn own_kind(kind: &Option<String>) -> AccountTerms {
    AccountTerms {
        kind: kind.clone(),
        ..AccountTerms::default()
    }
}

/// Adds the positions of some rows; those that hold none are left out.
fn extend<L: Lots>(rows: &mut Vec<(ContractIndex, L)>, contract: &[ContractIndex], held: &[L]) {
    let own = contract.iter().zip(held).filter(|r| *r.0 != NONE);
    rows.extend(own.map(|(&contract, &held)| (contract, held)));
}

impl Pending {
    pub(crate) fn new(is_gross: bool, kind: Option<String>) -> Self {
        Self {
            start: Vec::new(),
            rows: if is_gross {
                Rows::Gross(Vec::new())
            } else {
                Rows::Net(Vec::new())
            },
            terms: Vec::new(),
            faults: Vec::new(),
            labels: Vec::new(),
            kind,
        }
    }

    /// How many accounts have begun.
    pub(crate) fn len(&self) -> usize {
        self.start.len()
    }

    /// Adds a slice's rows: accounts begin at `begins`, rows before the first belong to the account before.
    pub(crate) fn add(&mut self, slice: &Slice<'_>, begins: &[usize]) -> Result<()> {
        let Slice {
            positions,
            column,
            labels,
            ..
        } = slice;
        if !begins.is_empty() {
            let rows = UInt64Array::from_iter_values(begins.iter().map(|&row| row as u64));
            let piece = take(*column, &rows, None).map_err(|e| refused(&e))?;
            self.labels.push(piece);
        }
        let mut faults = positions.faults.iter().peekable();
        let mut from = 0;
        for (i, to) in begins.iter().copied().chain([column.len()]).enumerate() {
            if i > 0 {
                self.start.push(self.rows.len());
                self.faults.push(labels.at(from).check().err());
                if positions.has_terms() {
                    self.terms.push(own_kind(&self.kind));
                }
            }
            if from < to {
                match (&mut self.rows, &positions.held) {
                    (Rows::Net(rows), Held::Net(held)) => {
                        extend(rows, &positions.contract[from..to], &held[from..to]);
                    }
                    (Rows::Gross(rows), Held::Gross(held)) => {
                        extend(rows, &positions.contract[from..to], &held[from..to]);
                    }
                    _ => unreachable!("both are as the request says"),
                }
                let fault = self.faults.last_mut().expect("an account has begun");
                while let Some((_, error)) = faults.next_if(|f| f.0 < to) {
                    fault.get_or_insert_with(|| error.clone());
                }
                if let Some(terms) = self.terms.last_mut()
                    && let Err(error) = positions.state(from..to, terms)
                {
                    fault.get_or_insert(error);
                }
            }
            from = to;
        }
        Ok(())
    }

    /// Takes the first accounts, which are whole.
    pub(crate) fn split(&mut self, contracts: &Contracts, count: usize) -> Result<Whole> {
        let end = self.start.get(count).copied().unwrap_or(self.rows.len());
        let mut start: Vec<usize> = self.start.drain(..count).collect();
        start.push(end);
        for left in &mut self.start {
            *left -= end;
        }
        let rest = self.faults.split_off(count);
        let mut faults = std::mem::replace(&mut self.faults, rest);
        let terms = if self.terms.is_empty() {
            vec![own_kind(&self.kind)]
        } else {
            self.terms.drain(..count).collect()
        };
        let accounts = match &mut self.rows {
            Rows::Net(rows) => taken(rows, end, contracts, &start, terms, &mut faults),
            Rows::Gross(rows) => taken(rows, end, contracts, &start, terms, &mut faults),
        }?;
        Ok(Whole {
            accounts,
            labels: Some(self.take_labels(count)?),
            faults,
        })
    }

    fn take_labels(&mut self, count: usize) -> Result<ArrayRef> {
        let pieces: Vec<&dyn Array> = self.labels.iter().map(AsRef::as_ref).collect();
        let all = concat(&pieces).map_err(|e| refused(&e))?;
        let left = all.slice(count, all.len() - count);
        self.labels.clear();
        if !left.is_empty() {
            // A copy: a slice would keep its whole column.
            let rows = UInt64Array::from_iter_values(0..left.len() as u64);
            let left = take(&left, &rows, None).map_err(|e| refused(&e))?;
            self.labels.push(left);
        }
        Ok(all.slice(0, count))
    }
}

/// Takes the first rows as accounts.
fn taken<L: Lots>(
    rows: &mut Vec<(ContractIndex, L)>,
    end: usize,
    contracts: &Contracts,
    start: &[usize],
    terms: Vec<AccountTerms>,
    faults: &mut Faults,
) -> Result<Accounts> {
    let own = &mut rows[..end];
    let accounts = Accounts::from_groups(contracts, start, own, terms, |account, error| {
        faults[account].get_or_insert(error);
        Ok(())
    });
    rows.drain(..end);
    accounts
}
