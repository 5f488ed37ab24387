//! The account itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use super::money::Money;
use super::orders::Orders;
use super::worst::Exposed;
use crate::account::{Account, AccountTerms, AccountView, Effect, Holdings};
use crate::contract::{ContractIndex, check_finite};
use crate::report::{MarginReport, Requirement};
use crate::seam::Live;
use crate::seam::Prepared;
use kernel::error::Result;
use kernel::fail;

/// A trade of signed lots; positive buys.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trade {
    pub contract: ContractIndex,
    pub lots: i64,
    pub effect: Option<Effect>,
    /// What it was done at, where cash is to follow; in the contract's quote.
    pub price: Option<f64>,
    pub fees: f64,
}

impl Trade {
    pub fn new(contract: ContractIndex, lots: i64) -> Self {
        Self {
            contract,
            lots,
            effect: None,
            price: None,
            fees: 0.0,
        }
    }
}

/// Requirements before and after trades, both with the bits of a fresh margin.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WhatIf {
    pub before: Requirement,
    pub after: Requirement,
}

impl WhatIf {
    /// After less before; the worst scenario is the one after.
    pub fn change(&self) -> Requirement {
        Requirement {
            initial: self.after.initial - self.before.initial,
            maintenance: self.after.maintenance - self.before.maintenance,
            net_option_value: self.after.net_option_value - self.before.net_option_value,
            worst_scenario: self.after.worst_scenario,
        }
    }
}

/// An open account under one prepared rulebook.
pub struct LiveAccount {
    prepared: Arc<dyn Prepared>,
    /// Rows of the prepared table.
    rows: usize,
    pub(super) money: Arc<Money>,
    pub(super) live: Box<dyn Live>,
    book: Holdings,
    pub(super) terms: AccountTerms,
    haircuts: BTreeMap<String, f64>,
    requirement: Requirement,
    /// Cash and collateral, and holdings paid in full, in the report's currency.
    pub(super) funds: Result<f64>,
    pub(super) holdings: Result<f64>,
    pub(super) orders: Orders,
    pub(super) exposed: Exposed,
    pub(super) killed: bool,
    epoch: u64,
    pub(super) sequence: u64,
    /// Times of messages inside the throttle's window.
    pub(super) messages: VecDeque<f64>,
    // Working memory.
    pub(super) next: Holdings,
    pub(super) trial: Holdings,
    pub(super) changed: Vec<ContractIndex>,
}

impl LiveAccount {
    /// Opens an account. `haircuts` are the fractions taken off collateral, by asset.
    pub fn open(
        prepared: Arc<dyn Prepared>,
        money: Arc<Money>,
        account: &Account,
        haircuts: BTreeMap<String, f64>,
    ) -> Result<Self> {
        account.terms.check()?;
        for (asset, &haircut) in &haircuts {
            if !(0.0..=1.0).contains(&haircut) {
                fail!(
                    InvalidInput,
                    "haircut of {asset} is {haircut}: a fraction from 0 to 1 is needed"
                );
            }
        }
        let book = account.bind(prepared.contracts())?;
        prepared.admit(AccountView {
            positions: book.positions(),
            terms: &account.terms,
        })?;
        let mut this = Self {
            live: prepared.clone().live(),
            rows: prepared.contracts().len(),
            prepared,
            money,
            next: book.clone(),
            trial: book.clone(),
            book,
            terms: account.terms.clone(),
            haircuts,
            requirement: Requirement::default(),
            funds: Ok(0.0),
            holdings: Ok(0.0),
            orders: Orders::default(),
            exposed: Exposed::default(),
            killed: false,
            epoch: 0,
            sequence: 0,
            messages: VecDeque::new(),
            changed: Vec::new(),
        };
        this.refresh()?;
        Ok(this)
    }

    /// Takes positions and money as they stand, from scratch.
    fn refresh(&mut self) -> Result<()> {
        let view = AccountView {
            positions: self.book.positions(),
            terms: &self.terms,
        };
        self.requirement = self.live.keep(view)?;
        let positions = self.book.positions();
        self.funds = self.money.funds(&self.terms, &self.haircuts);
        self.holdings = self
            .money
            .holdings((0..positions.len()).map(|i| (positions.contract[i], positions.net(i))));
        self.expose();
        Ok(())
    }

    pub fn prepared(&self) -> &Arc<dyn Prepared> {
        &self.prepared
    }

    pub fn money(&self) -> &Arc<Money> {
        &self.money
    }

    pub fn terms(&self) -> &AccountTerms {
        &self.terms
    }

    pub fn view(&self) -> AccountView<'_> {
        AccountView {
            positions: self.book.positions(),
            terms: &self.terms,
        }
    }

    pub(super) fn book(&self) -> &Holdings {
        &self.book
    }

    /// The requirement of the positions, open orders not counted.
    pub fn requirement(&self) -> Requirement {
        self.requirement
    }

    pub fn report(&self) -> Result<MarginReport> {
        self.prepared.margin(self.view())
    }

    /// Cash, collateral, option value and holdings paid in full, in the report's currency.
    pub fn equity(&self) -> Result<f64> {
        Ok(self.funds.clone()? + self.requirement.net_option_value + self.holdings.clone()?)
    }

    pub fn excess(&self) -> Result<f64> {
        Ok(self.equity()? - self.requirement.initial)
    }

    /// Counts the markets this account has seen.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Refuses every order until [`Self::revive`].
    pub fn kill(&mut self) {
        self.killed = true;
    }

    pub fn revive(&mut self) {
        self.killed = false;
    }

    pub fn is_killed(&self) -> bool {
        self.killed
    }

    #[inline]
    pub(super) fn known(&self, contract: ContractIndex) -> Result<()> {
        if contract as usize >= self.rows {
            fail!(
                InvalidInput,
                "contract row {contract} of a table of {}",
                self.rows
            );
        }
        Ok(())
    }

    /// Puts positions with trades applied into `self.next`.
    pub(super) fn prepare_next(&mut self, trades: &[Trade]) -> Result<()> {
        self.next.assign(&self.book);
        self.changed.clear();
        for trade in trades {
            self.known(trade.contract)?;
            self.next.trade(trade.contract, trade.lots, trade.effect)?;
            if !self.changed.contains(&trade.contract) {
                self.changed.push(trade.contract);
            }
        }
        Ok(())
    }

    pub(super) fn next_requirement(&mut self) -> Result<Requirement> {
        let view = AccountView {
            positions: self.next.positions(),
            terms: &self.terms,
        };
        finite(self.live.requirement(view, &self.changed)?)
    }

    /// Requirements before and after trades; nothing changes.
    pub fn what_if(&mut self, trades: &[Trade]) -> Result<WhatIf> {
        self.prepare_next(trades)?;
        Ok(WhatIf {
            before: self.requirement,
            after: self.next_requirement()?,
        })
    }

    /// The requirement after one more trade, from kept sums where the rulebook keeps them: fast, and within
    /// [`super::Estimate::band`] of a fresh one.
    pub fn margin_after(&mut self, contract: ContractIndex, lots: i64) -> Result<f64> {
        self.known(contract)?;
        let view = AccountView {
            positions: self.book.positions(),
            terms: &self.terms,
        };
        match self.live.after(view, contract, lots) {
            Some(estimate) if estimate.initial.is_finite() => Ok(estimate.initial),
            _ => Ok(self.what_if(&[Trade::new(contract, lots)])?.after.initial),
        }
    }

    /// How far [`Self::margin_after`] can lie from a fresh margin; zero where it is one.
    pub fn band_after(&mut self, contract: ContractIndex, lots: i64) -> Result<f64> {
        self.known(contract)?;
        let view = AccountView {
            positions: self.book.positions(),
            terms: &self.terms,
        };
        Ok(self
            .live
            .after(view, contract, lots)
            .map_or(0.0, |e| e.band))
    }

    /// Books trades: all of them, or none where one is refused. Cash follows those that state a price.
    pub fn apply(&mut self, trades: &[Trade]) -> Result<Requirement> {
        self.prepare_next(trades)?;
        self.next_requirement()?;
        for trade in trades {
            check_finite("trade: price", trade.price.unwrap_or(0.0))?;
            check_finite("trade: fees", trade.fees)?;
        }
        let paid = |trade: &Trade| match trade.price {
            Some(price) => self.money.payment(trade.contract, trade.lots, price),
            None => Ok(0.0),
        };
        let paid: Vec<f64> = trades.iter().map(paid).collect::<Result<_>>()?;
        for (trade, paid) in trades.iter().zip(paid) {
            self.book_cash(trade.contract, -(paid + trade.fees));
        }
        self.book.assign(&self.next);
        self.refresh()?;
        Ok(self.requirement)
    }

    fn book_cash(&mut self, contract: ContractIndex, amount: f64) {
        if amount != 0.0 {
            let currency = self.prepared.contracts().rows()[contract as usize].currency();
            match self.terms.cash.get_mut(currency) {
                Some(cash) => *cash += amount,
                None => {
                    self.terms.cash.insert(currency.to_string(), amount);
                }
            }
        }
    }

    /// Adds to a cash balance: a deposit, a withdrawal, interest.
    pub fn deposit(&mut self, currency: &str, amount: f64) -> Result<()> {
        check_finite("deposit", amount)?;
        *self.terms.cash.entry(currency.to_string()).or_default() += amount;
        self.refresh()
    }

    /// Moves to another preparation of the same table, or of one that only appends to it. What is settled in money is
    /// settled from the old marks to the new, into cash. On an error nothing has changed.
    pub fn rebase(&mut self, prepared: Arc<dyn Prepared>, money: Arc<Money>) -> Result<()> {
        let (old, new) = (self.prepared.contracts(), prepared.contracts());
        let extends = Arc::ptr_eq(old, new)
            || old.digest() == new.digest()
            || (old.len() <= new.len()
                && old
                    .rows()
                    .iter()
                    .zip(new.rows())
                    .all(|(a, b)| Arc::ptr_eq(a, b) || a == b));
        if !extends {
            fail!(
                InvalidInput,
                "rebase: the new table of contracts is neither the account's own nor an extension of it: open the account again"
            );
        }
        prepared.admit(self.view())?;
        let mut live = prepared.clone().live();
        let mut terms = self.terms.clone();
        let positions = self.book.positions();
        for i in 0..positions.len() {
            let contract = positions.contract[i];
            let amount = self.money.variation(&money, contract, positions.net(i))?;
            if amount != 0.0 {
                let currency = new.rows()[contract as usize].currency();
                *terms.cash.entry(currency.to_string()).or_default() += amount;
            }
        }
        finite(live.keep(AccountView {
            positions,
            terms: &terms,
        })?)?;
        self.live = live;
        self.rows = new.len();
        self.prepared = prepared;
        self.money = money;
        self.terms = terms;
        self.epoch += 1;
        self.refresh()
    }
}

/// A requirement that is a number, or an error.
pub(super) fn finite(requirement: Requirement) -> Result<Requirement> {
    let Requirement {
        initial,
        maintenance,
        net_option_value,
        ..
    } = requirement;
    if !(initial.is_finite() && maintenance.is_finite() && net_option_value.is_finite()) {
        fail!(
            CalculationError,
            "the requirement is not a finite number: a quantity is too large"
        );
    }
    Ok(requirement)
}
