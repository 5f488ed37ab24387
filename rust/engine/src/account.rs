//! Positions and the money beside them: one account, or many in CSR columns.

mod fills;
mod sorter;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use self::sorter::ContractSorter;
use crate::bounds;
use crate::contract::{Contract, ContractIndex, Contracts, check_identifier};
use kernel::error::Result;
use kernel::{fail, interrupt};

/// What an account is besides its positions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccountTerms {
    pub cash: BTreeMap<String, f64>,
    /// Amounts of assets posted, by asset; what they are worth as cover is the rulebook's.
    pub collateral: BTreeMap<String, f64>,
    /// The rulebook's own word: margin, cash, hedger, member ...
    pub kind: Option<String>,
}

impl AccountTerms {
    pub fn check(&self) -> Result<()> {
        for (what, key, amounts) in [
            ("cash", "currency of the account's cash", &self.cash),
            (
                "collateral",
                "asset of the account's collateral",
                &self.collateral,
            ),
        ] {
            for (name, &amount) in amounts {
                check_identifier(key, name)?;
                bounds::finite(format_args!("account {what} of {name}"), amount)?;
            }
        }
        Ok(())
    }

    /// Adds to a cash balance; a currency that is not there begins at zero.
    ///
    /// # Errors
    /// `InvalidInput` where the balance would be no number.
    pub fn add_cash(&mut self, currency: &str, amount: f64) -> Result<()> {
        // Zero plus the amount: -0.0 becomes 0.0.
        let cash = self.cash.get(currency).copied().unwrap_or(0.0) + amount;
        bounds::finite(format_args!("account cash of {currency}"), cash)?;
        match self.cash.get_mut(currency) {
            Some(balance) => *balance = cash,
            None => {
                self.cash.insert(currency.to_string(), cash);
            }
        }
        Ok(())
    }
}

/// A holding in lots, long and short apart. In a net account one of them is zero.
#[derive(Debug, Clone, PartialEq)]
pub struct Position {
    pub contract: Arc<Contract>,
    pub long: i64,
    pub short: i64,
}

/// Accounts beyond this in one batch are refused: columns by account would not fit in memory.
pub const MAX_ACCOUNTS: usize = 100_000_000;

/// Rows of columns that are read before asking whether to go on.
const SLICE: usize = 1 << 16;

/// Lots beyond this are refused: sums of quantity times price must stay exact enough to mean something.
pub const MAX_LOTS: i64 = 1 << 53;

/// Whole lots of a quantity in contracts (or units of a spot); what does not divide is refused, as `what`.
pub fn lots(contract: &Contract, what: impl fmt::Display, quantity: f64) -> Result<i64> {
    let lot = contract.terms().lot;
    let lots = (quantity / lot).round();
    if !quantity.is_finite() || lots.abs() > MAX_LOTS as f64 {
        fail!(
        InvalidInput: OutOfRange, place &what, value quantity;
        "{what} is {quantity}: a number of at most 2^53 lots is needed"
                );
    }
    if !is_whole(lots, lot, quantity) {
        fail!(
            InvalidInput: NotWhole;
            "{what} {quantity} is not a whole number of lots of {lot}"
        );
    }
    Ok(lots as i64)
}

/// Whether a quantity is so many lots: a decimal quantity and a decimal lot are each off by half a unit in their last
/// place.
fn is_whole(lots: f64, lot: f64, quantity: f64) -> bool {
    (lots * lot - quantity).abs() <= 1e-9 * lot + 2.0 * f64::EPSILON * quantity.abs()
}

/// The most whole lots in a quantity in contracts that is finite and not negative. What [`lots`] takes for whole is.
pub fn lots_within(contract: &Contract, quantity: f64) -> i64 {
    let lot = contract.terms().lot;
    let nearest = (quantity / lot).round();
    if is_whole(nearest, lot, quantity) {
        nearest as i64
    } else {
        (quantity / lot).floor() as i64
    }
}

impl Position {
    /// A signed quantity in lots: positive is long.
    pub fn new(contract: Arc<Contract>, quantity: i64) -> Result<Self> {
        Self::gross(contract, quantity.max(0), quantity.saturating_neg().max(0))
    }

    /// Long and short sides held at once.
    pub fn gross(contract: Arc<Contract>, long: i64, short: i64) -> Result<Self> {
        for (side, lots) in [("long", long), ("short", short)] {
            if !(0..=MAX_LOTS).contains(&lots) {
                fail!(
                    InvalidInput: OutOfRange;
                    "position in '{}': {side} is {lots} lots: 0 to 2^53 are accepted",
                    contract.id()
                );
            }
        }
        Ok(Self {
            contract,
            long,
            short,
        })
    }
}

/// One account as a user writes it. It is bound to a table of contracts when it is margined.
#[derive(Debug, Clone, Default)]
pub struct Account {
    pub positions: Vec<Position>,
    pub terms: AccountTerms,
    /// Long and short of one contract are kept apart instead of netted; a rulebook without a rule for that refuses it.
    pub gross: bool,
}

impl Account {
    /// Rows in ascending contract order, equal contracts merged: the form every rulebook reads.
    pub fn bind(&self, contracts: &Contracts) -> Result<Holdings> {
        let mut rows = Vec::with_capacity(self.positions.len());
        for (i, position) in self.positions.iter().enumerate() {
            let index = contracts
                .resolve(&position.contract)
                .map_err(|e| e.at(format!("position {i}")))?;
            rows.push((index, position.long, position.short));
        }
        Holdings::from_rows(rows, self.gross)
    }
}

/// Whether a trade in an account that keeps long and short apart opens or closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    Open,
    Close,
}

/// Positions of one account in canonical order: contract rows strictly ascending, none of them empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holdings {
    contract: Vec<ContractIndex>,
    quantity: Vec<i64>,
    short: Option<Vec<i64>>,
}

impl Holdings {
    pub fn from_rows(mut rows: Vec<(ContractIndex, i64, i64)>, gross: bool) -> Result<Self> {
        rows.sort_unstable_by_key(|r| r.0);
        let mut holdings = Self {
            short: gross.then(Vec::new),
            ..Self::default()
        };
        for chunk in rows.chunk_by(|a, b| a.0 == b.0) {
            let sum = |side: fn(&(u32, i64, i64)) -> i64| {
                chunk.iter().map(|r| i128::from(side(r))).sum::<i128>()
            };
            let (long, short) = (sum(|r| r.1), sum(|r| r.2));
            if long > i128::from(MAX_LOTS) || short > i128::from(MAX_LOTS) {
                fail!(
                    InvalidInput: TooLarge;
                    "contract row {}: more than 2^53 lots in one account",
                    chunk[0].0
                );
            }
            if long == 0 && short == 0 || (!gross && long == short) {
                continue;
            }
            holdings.contract.push(chunk[0].0);
            if let Some(shorts) = &mut holdings.short {
                holdings.quantity.push(long as i64);
                shorts.push(short as i64);
            } else {
                holdings.quantity.push((long - short) as i64);
            }
        }
        Ok(holdings)
    }

    /// Takes over another account's rows; allocates nothing once its own columns are as long.
    pub fn assign(&mut self, other: &Self) {
        self.contract.clone_from(&other.contract);
        self.quantity.clone_from(&other.quantity);
        self.short.clone_from(&other.short);
    }

    pub fn is_gross(&self) -> bool {
        self.short.is_some()
    }

    /// Long and short lots of one contract.
    pub fn sides(&self, contract: ContractIndex) -> (i64, i64) {
        match self.contract.binary_search(&contract) {
            Ok(i) => (self.positions().long(i), self.positions().short(i)),
            Err(_) => (0, 0),
        }
    }

    /// Adds a trade of signed lots. A gross account has to be told whether it opens or closes.
    pub fn trade(
        &mut self,
        contract: ContractIndex,
        lots: i64,
        effect: Option<Effect>,
    ) -> Result<()> {
        if lots == 0 {
            return Ok(());
        }
        let (mut long, mut short) = self.sides(contract);
        match (&self.short, effect) {
            // Net positions: what was opened or closed follows from the sum.
            (None, _) => {
                let net = i128::from(long) - i128::from(short) + i128::from(lots);
                let net = i64::try_from(net).unwrap_or(i64::MAX);
                (long, short) = (net.max(0), net.saturating_neg().max(0));
            }
            (Some(_), None) => fail!(
                InvalidInput: NotStated;
                "contract row {contract}: the account keeps long and short apart: say whether the trade opens or closes"
            ),
            (Some(_), Some(Effect::Open)) if lots > 0 => long = long.saturating_add(lots),
            (Some(_), Some(Effect::Open)) => short = short.saturating_sub(lots),
            (Some(_), Some(Effect::Close)) if lots > 0 => short -= lots,
            (Some(_), Some(Effect::Close)) => long = long.saturating_add(lots),
        }
        if long < 0 || short < 0 {
            fail!(
                InvalidInput: OutOfRange;
                "contract row {contract}: a closing trade of {lots} lots is larger than the position"
            );
        }
        if long > MAX_LOTS || short > MAX_LOTS {
            fail!(
                InvalidInput: TooLarge;
                "contract row {contract}: more than 2^53 lots in one account"
            );
        }
        self.set(contract, long, short);
        Ok(())
    }

    fn set(&mut self, contract: ContractIndex, long: i64, short: i64) {
        let quantity = if self.short.is_some() {
            long
        } else {
            long - short
        };
        match (
            self.contract.binary_search(&contract),
            long == 0 && short == 0,
        ) {
            (Ok(i), false) => {
                self.quantity[i] = quantity;
                if let Some(shorts) = &mut self.short {
                    shorts[i] = short;
                }
            }
            (Ok(i), true) => {
                self.contract.remove(i);
                self.quantity.remove(i);
                if let Some(shorts) = &mut self.short {
                    shorts.remove(i);
                }
            }
            (Err(i), false) => {
                self.contract.insert(i, contract);
                self.quantity.insert(i, quantity);
                if let Some(shorts) = &mut self.short {
                    shorts.insert(i, short);
                }
            }
            (Err(_), true) => {}
        }
    }

    #[inline]
    pub fn positions(&self) -> Positions<'_> {
        Positions {
            contract: &self.contract,
            quantity: &self.quantity,
            short: self.short.as_deref(),
        }
    }

    /// What a rulebook sees of an account with these positions.
    #[inline]
    pub fn view<'a>(&'a self, terms: &'a AccountTerms) -> AccountView<'a> {
        AccountView {
            positions: self.positions(),
            terms,
        }
    }
}

/// Borrowed positions in canonical order. `quantity` is signed lots, or the long side where `short` is given.
#[derive(Debug, Clone, Copy)]
pub struct Positions<'a> {
    pub contract: &'a [ContractIndex],
    pub quantity: &'a [i64],
    pub short: Option<&'a [i64]>,
}

impl Positions<'_> {
    #[inline]
    pub fn len(&self) -> usize {
        self.contract.len()
    }

    pub fn is_empty(&self) -> bool {
        self.contract.is_empty()
    }

    #[inline]
    pub fn long(&self, i: usize) -> i64 {
        if self.short.is_some() || self.quantity[i] > 0 {
            self.quantity[i]
        } else {
            0
        }
    }

    #[inline]
    pub fn short(&self, i: usize) -> i64 {
        match self.short {
            Some(short) => short[i],
            None => (-self.quantity[i]).max(0),
        }
    }

    #[inline]
    pub fn net(&self, i: usize) -> i64 {
        self.quantity[i] - self.short.map_or(0, |s| s[i])
    }
}

/// What a rulebook sees of an account.
#[derive(Debug, Clone, Copy)]
pub struct AccountView<'a> {
    pub positions: Positions<'a>,
    pub terms: &'a AccountTerms,
}

/// Many accounts over one table of contracts, in CSR columns: account `a` owns rows `start[a]..start[a + 1]`.
#[derive(Debug, Clone)]
pub struct Accounts {
    start: Vec<usize>,
    contract: Vec<ContractIndex>,
    quantity: Vec<i64>,
    terms: Vec<AccountTerms>,
}

/// Refuses columns of different lengths.
fn check_columns(account: &[u32], contract: &[ContractIndex], lots: &[i64]) -> Result<()> {
    if account.len() != contract.len() || account.len() != lots.len() {
        fail!(
            InvalidInput: WrongShape;
            "accounts: columns of different lengths: account {}, contract {}, lots {}",
            account.len(),
            contract.len(),
            lots.len()
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
    /// `account` (any order, 0-based), `contract` (rows of the table) and signed lots, one entry per position.
    /// `terms` has one entry for all accounts or one per account.
    pub fn from_columns(
        contracts: &Contracts,
        count: usize,
        account: &[u32],
        contract: &[u32],
        lots: &[i64],
        terms: Vec<AccountTerms>,
    ) -> Result<Self> {
        check_columns(account, contract, lots)?;
        if terms.len() > 1 && terms.len() != count {
            fail!(
                InvalidInput,
                "accounts: {} sets of account terms for {count} accounts",
                terms.len()
            );
        }
        for t in &terms {
            t.check()?;
        }
        if count > MAX_ACCOUNTS {
            fail!(
                InvalidInput: TooLarge;
                "accounts: a batch of {count} accounts: at most {MAX_ACCOUNTS} are accepted"
            );
        }
        // Counting sort by account, then each account's rows by contract, which the cache holds.
        let mut start = vec![0_usize; count + 1];
        for (row, (&a, (&c, &q))) in account.iter().zip(contract.iter().zip(lots)).enumerate() {
            if row.is_multiple_of(SLICE) {
                interrupt::check()?;
            }
            check_row(row, (a, c, q), count, contracts.len())?;
            start[a as usize + 1] += 1;
        }
        for a in 0..count {
            start[a + 1] += start[a];
        }
        let mut next = start.clone();
        let mut rows = vec![(0_u32, 0_i64); account.len()];
        for (row, ((&a, &c), &q)) in account.iter().zip(contract).zip(lots).enumerate() {
            if row.is_multiple_of(SLICE) {
                interrupt::check()?;
            }
            let place = &mut next[a as usize];
            rows[*place] = (c, q);
            *place += 1;
        }
        let mut sorter = ContractSorter::new(contracts.len());
        let mut result = Self {
            start: Vec::with_capacity(count + 1),
            contract: Vec::with_capacity(rows.len()),
            quantity: Vec::with_capacity(rows.len()),
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
            let mut at = 0;
            while at < own.len() {
                let row = own[at].0;
                let mut net = 0_i128;
                while at < own.len() && own[at].0 == row {
                    net += i128::from(own[at].1);
                    at += 1;
                }
                if net.abs() > i128::from(MAX_LOTS) {
                    fail!(
                        InvalidInput: TooLarge;
                        "account {a}: more than 2^53 lots of contract row {row}"
                    );
                }
                if net != 0 {
                    result.contract.push(row);
                    result.quantity.push(net as i64);
                }
            }
            result.start.push(result.contract.len());
        }
        Ok(result)
    }

    pub fn len(&self) -> usize {
        self.start.len() - 1
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// CSR columns: row starts, contract rows, signed lots.
    pub fn columns(&self) -> (&[usize], &[ContractIndex], &[i64]) {
        (&self.start, &self.contract, &self.quantity)
    }

    pub fn view(&self, account: usize) -> AccountView<'_> {
        let rows = self.start[account]..self.start[account + 1];
        AccountView {
            positions: Positions {
                contract: &self.contract[rows.clone()],
                quantity: &self.quantity[rows],
                short: None,
            },
            terms: if self.terms.len() == 1 {
                &self.terms[0]
            } else {
                &self.terms[account]
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_merged_in_contract_order() {
        let net = Holdings::from_rows(
            vec![(7, 3, 0), (2, 0, 5), (7, 0, 1), (4, 2, 0), (4, 0, 2)],
            false,
        )
        .unwrap();
        assert_eq!(
            (net.contract.as_slice(), net.quantity.as_slice()),
            (&[2, 7][..], &[-5, 2][..])
        );
        let gross = Holdings::from_rows(vec![(4, 2, 0), (4, 0, 2)], true).unwrap();
        let p = gross.positions();
        assert_eq!((p.long(0), p.short(0), p.net(0)), (2, 2, 0));
    }

    #[test]
    fn lots_beyond_exact_doubles_are_refused() {
        assert!(Holdings::from_rows(vec![(0, MAX_LOTS, 0), (0, 1, 0)], false).is_err());
    }
}
