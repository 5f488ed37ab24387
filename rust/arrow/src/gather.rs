//! Accounts whose rows come in any order: all of them in memory, by ascending label.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use arrow_array::{Array, ArrayRef, UInt32Array, UInt64Array};
use arrow_select::concat::concat;
use arrow_select::take::take;
use engine::account::{AccountTerms, Accounts, MAX_ACCOUNTS};
use engine::contract::{ContractIndex, Contracts};
use foldhash::quality::RandomState;
use kernel::error::Result;
use kernel::fail;

use crate::input::Slice;
use crate::labels::{Labels, OwnLabel};
use crate::pending::own_kind;
use crate::positions::{Held, NONE};
use crate::table::refused;
use crate::taken::{Faults, Whole};

/// All rows so far.
pub(crate) struct Gather {
    /// Which account each position belongs to, in the order in which accounts are met.
    account: Vec<u32>,
    contract: Vec<ContractIndex>,
    held: Held,
    known: HashMap<OwnLabel, u32, RandomState>,
    last: Option<(OwnLabel, u32)>,
    labels: Vec<ArrayRef>,
    terms: Vec<AccountTerms>,
    faults: Faults,
    kind: Option<String>,
}

impl Gather {
    pub(crate) fn new(is_gross: bool, kind: Option<String>) -> Self {
        Self {
            account: Vec::new(),
            contract: Vec::new(),
            held: if is_gross {
                Held::Gross(Vec::new())
            } else {
                Held::Net(Vec::new())
            },
            known: HashMap::default(),
            last: None,
            labels: Vec::new(),
            terms: Vec::new(),
            faults: Vec::new(),
            kind,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    pub(crate) fn add(&mut self, slice: &Slice<'_>) -> Result<()> {
        let Slice {
            positions,
            column,
            labels,
            ..
        } = slice;
        let mut met = Vec::new();
        let mut faults = positions.faults.iter().peekable();
        let mut from = 0;
        for to in labels.breaks().into_iter().chain([column.len()]) {
            let account = self.account(labels, from, &mut met)?;
            if positions.has_terms() {
                self.terms
                    .resize_with(self.known.len(), || own_kind(&self.kind));
            }
            let fault = &mut self.faults[account as usize];
            while let Some((_, error)) = faults.next_if(|f| f.0 < to) {
                fault.get_or_insert_with(|| error.clone());
            }
            if let Some(terms) = self.terms.get_mut(account as usize)
                && let Err(error) = positions.state(from..to, terms)
            {
                fault.get_or_insert(error);
            }
            for row in from..to {
                if positions.contract[row] == NONE {
                    continue;
                }
                self.account.push(account);
                self.contract.push(positions.contract[row]);
                match (&mut self.held, &positions.held) {
                    (Held::Net(all), Held::Net(own)) => all.push(own[row]),
                    (Held::Gross(all), Held::Gross(own)) => all.push(own[row]),
                    _ => unreachable!("both are as the request says"),
                }
            }
            from = to;
        }
        if !met.is_empty() {
            let piece = take(*column, &UInt64Array::from(met), None).map_err(|e| refused(&e))?;
            self.labels.push(piece);
        }
        Ok(())
    }

    /// The number of a row's account; the rows of accounts that are new are noted in `met`.
    fn account(&mut self, labels: &Labels<'_>, row: usize, met: &mut Vec<u64>) -> Result<u32> {
        let label = labels.at(row);
        if let Some((last, number)) = &self.last
            && last.borrowed() == label
        {
            return Ok(*number);
        }
        let own = label.to_owned();
        let count = self.known.len();
        let number = match self.known.entry(own.clone()) {
            Entry::Occupied(number) => *number.get(),
            Entry::Vacant(_) if count >= MAX_ACCOUNTS => fail!(
                InvalidInput: TooLarge;
                "arrow: more than {MAX_ACCOUNTS} accounts: cluster the rows by account and read them as order=\"grouped\""
            ),
            Entry::Vacant(place) => {
                met.push(row as u64);
                self.faults.push(label.check().err());
                *place.insert(count as u32)
            }
        };
        self.last = Some((own, number));
        Ok(number)
    }

    /// The accounts by ascending label.
    pub(crate) fn finish(&mut self, contracts: &Contracts) -> Result<Whole> {
        let mut order: Vec<(OwnLabel, u32)> = std::mem::take(&mut self.known).into_iter().collect();
        order.sort_unstable_by(|a, b| a.0.borrowed().cmp(&b.0.borrowed()));
        let numbers: Vec<u32> = order.into_iter().map(|o| o.1).collect();
        let labels = if self.labels.is_empty() {
            None
        } else {
            let pieces: Vec<&dyn Array> = self.labels.iter().map(AsRef::as_ref).collect();
            let labels = concat(&pieces).map_err(|e| refused(&e))?;
            let rows = UInt32Array::from(numbers.clone());
            Some(take(&labels, &rows, None).map_err(|e| refused(&e))?)
        };
        let mut places = vec![0; numbers.len()];
        for (place, &number) in numbers.iter().enumerate() {
            places[number as usize] = place;
        }
        self.placed(contracts, places.len(), &places, labels)
    }

    /// Accounts that are numbered from 0, `count` of them.
    pub(crate) fn numbered(&mut self, contracts: &Contracts, count: usize) -> Result<Whole> {
        if count > MAX_ACCOUNTS {
            fail!(
                InvalidInput: TooLarge;
                "arrow: count is {count}: at most {MAX_ACCOUNTS} accounts are accepted"
            );
        }
        let mut places = vec![0; self.known.len()];
        for (label, &number) in &self.known {
            let place = match label {
                OwnLabel::Whole(place) => usize::try_from(*place).ok().filter(|&p| p < count),
                OwnLabel::Text(_) => None,
            };
            let Some(place) = place else {
                fail!(
                    InvalidInput: OutOfRange, place label.borrowed();
                    "arrow: {} is none of {count} numbered from 0: leave count out where these are labels",
                    label.borrowed()
                );
            };
            places[number as usize] = place;
        }
        self.placed(contracts, count, &places, None)
    }

    /// `count` accounts, those that were met at their places.
    fn placed(
        &mut self,
        contracts: &Contracts,
        count: usize,
        places: &[usize],
        labels: Option<ArrayRef>,
    ) -> Result<Whole> {
        let mut account = std::mem::take(&mut self.account);
        for own in &mut account {
            *own = places[*own as usize] as u32;
        }
        let mut faults: Faults = vec![None; count];
        let mut terms = Vec::new();
        if self.terms.is_empty() {
            terms.push(own_kind(&self.kind));
        } else {
            terms.resize_with(count, || own_kind(&self.kind));
        }
        for (number, &place) in places.iter().enumerate() {
            faults[place] = self.faults[number].take();
            if let Some(own) = self.terms.get_mut(number) {
                terms[place] = std::mem::take(own);
            }
        }
        let refuse = |account: usize, error| {
            faults[account].get_or_insert(error);
            Ok(())
        };
        let (account, contract) = (&account, &self.contract);
        let accounts = match &self.held {
            Held::Net(held) => {
                Accounts::sorted(contracts, count, account, contract, held, terms, refuse)
            }
            Held::Gross(held) => {
                Accounts::sorted(contracts, count, account, contract, held, terms, refuse)
            }
        }?;
        Ok(Whole {
            accounts,
            labels,
            faults,
        })
    }
}
