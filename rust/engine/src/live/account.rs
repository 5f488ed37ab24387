//! The account itself: its parts, and what changes them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::book::Book;
use super::exposed::Exposed;
use super::gate::Gate;
use super::level::Level;
use super::money::Money;
use super::orders::Orders;
use super::purse::Purse;
use super::trade::{Trade, WhatIf};
use crate::account::{Account, AccountTerms, AccountView};
use crate::bounds;
use crate::contract::ContractIndex;
use crate::report::{MarginReport, Requirement};
use crate::seam::Prepared;
use kernel::error::Result;
use kernel::{fail, simd};

/// An open account under one prepared rulebook.
pub struct LiveAccount {
    prepared: Arc<dyn Prepared>,
    pub(super) book: Book,
    pub(super) purse: Purse,
    /// Shared with copies until one of them changes it.
    orders: Arc<Orders>,
    /// The orders as a rulebook sees them, where they have not changed since.
    pub(super) exposed: Exposed,
    is_exposed: bool,
    pub(super) gate: Gate,
    /// Counts what has changed positions, money, orders or market.
    changes: u64,
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
        let purse = Purse::new(money, haircuts)?;
        let mut this = Self {
            book: Book::open(&prepared, account)?,
            purse,
            prepared,
            orders: Arc::default(),
            exposed: Exposed::default(),
            is_exposed: false,
            gate: Gate::default(),
            changes: 0,
        };
        this.book.keep()?;
        this.value();
        Ok(this)
    }

    /// Values money and positions as they stand, after a change of them.
    fn value(&mut self) {
        self.purse.value(self.book.view());
        self.changes += 1;
    }

    /// The same account apart from this one, of which nothing is kept yet: [`Self::keep`] has to follow.
    pub(super) fn copy(&self) -> Self {
        Self {
            prepared: self.prepared.clone(),
            book: self.book.copy(&self.prepared),
            purse: self.purse.clone(),
            orders: self.orders.clone(),
            exposed: Exposed::default(),
            is_exposed: false,
            gate: self.gate.clone(),
            changes: self.changes,
        }
    }

    /// What a rulebook keeps of the account, made anew.
    pub(super) fn keep(&mut self) -> Result<()> {
        self.book.keep()
    }

    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Becomes what a copy of it has become. Checks and the kill switch went on meanwhile.
    pub(super) fn become_copy(&mut self, copy: Self) {
        let gate = std::mem::take(&mut self.gate);
        let moved = copy.gate.epoch();
        *self = copy;
        self.gate = gate;
        self.gate.moved_to(moved);
    }

    /// Every order ever reserved, as they stand: shared, and not changed by what comes after.
    pub fn orders(&self) -> &Arc<Orders> {
        &self.orders
    }

    /// The orders, to change them.
    pub(super) fn orders_to_change(&mut self) -> &mut Orders {
        self.is_exposed = false;
        self.changes += 1;
        Arc::make_mut(&mut self.orders)
    }

    /// Lists open orders as they stand in [`Self::exposed`], where that is not done yet.
    pub(super) fn expose(&mut self) {
        if !self.is_exposed {
            self.orders.expose(self.purse.money(), &mut self.exposed);
            self.is_exposed = true;
        }
    }

    pub fn prepared(&self) -> &Arc<dyn Prepared> {
        &self.prepared
    }

    pub fn money(&self) -> &Arc<Money> {
        self.purse.money()
    }

    pub fn terms(&self) -> &AccountTerms {
        self.book.terms()
    }

    pub fn view(&self) -> AccountView<'_> {
        self.book.view()
    }

    /// The requirement of the positions, open orders not counted.
    pub fn requirement(&self) -> Requirement {
        self.book.requirement()
    }

    /// The margin of the positions, explained; collateral counts after the account's haircuts.
    pub fn report(&self) -> Result<MarginReport> {
        let mut report = self.prepared.margin(self.view())?;
        report.cash_balance_required = self
            .purse
            .cash_balance_required(report.requirement, self.view());
        Ok(report)
    }

    /// Cash, collateral, option value and holdings paid in full, in the report's currency.
    pub fn equity(&self) -> Result<f64> {
        simd::check_environment()?;
        self.known_equity()
    }

    fn known_equity(&self) -> Result<f64> {
        self.purse.equity(0.0, self.requirement().net_option_value)
    }

    pub fn excess(&self) -> Result<f64> {
        simd::check_environment()?;
        self.known_excess()
    }

    /// For a question that looks at the processor's state itself.
    pub(super) fn known_excess(&self) -> Result<f64> {
        Ok(self.known_equity()? - self.requirement().initial)
    }

    /// Counts the markets this account has seen.
    pub fn epoch(&self) -> u64 {
        self.gate.epoch()
    }

    /// Refuses every order until [`Self::revive`].
    pub fn kill(&mut self) {
        self.gate.kill();
    }

    pub fn revive(&mut self) {
        self.gate.revive();
    }

    pub fn is_killed(&self) -> bool {
        self.gate.is_killed()
    }

    /// Requirements before and after trades; nothing changes.
    pub fn what_if(&mut self, trades: &[Trade]) -> Result<WhatIf> {
        self.book.prepare(trades)?;
        Ok(WhatIf {
            before: self.book.requirement(),
            after: self.book.next_requirement()?,
        })
    }

    /// The requirement after one more trade, from kept sums where the rulebook keeps them: fast, and within
    /// [`Self::band_after`] of a fresh one.
    pub fn margin_after(&mut self, contract: ContractIndex, lots: i64) -> Result<f64> {
        self.book.known(contract)?;
        match self.book.estimate(contract, lots)? {
            Some(estimate) => Ok(estimate.initial),
            None => Ok(self.what_if(&[Trade::new(contract, lots)])?.after.initial),
        }
    }

    /// How far [`Self::margin_after`] can lie from a fresh margin; zero where it is one.
    pub fn band_after(&mut self, contract: ContractIndex, lots: i64) -> Result<f64> {
        self.book.known(contract)?;
        Ok(self.book.estimate(contract, lots)?.map_or(0.0, |e| e.band))
    }

    /// Books trades: all of them, or none where one is refused. Cash follows those that state a price.
    pub fn apply(&mut self, trades: &[Trade]) -> Result<Requirement> {
        self.transact(trades, &[])
    }

    /// Adds to a cash balance: a deposit, a withdrawal, interest.
    pub fn deposit(&mut self, currency: &str, amount: f64) -> Result<()> {
        self.transact(&[], &[(currency, amount)])?;
        Ok(())
    }

    /// Books trades and amounts of cash as one: all of them, or none where one is refused. Cash follows the trades that
    /// state a price.
    pub fn transact(&mut self, trades: &[Trade], cash: &[(&str, f64)]) -> Result<Requirement> {
        self.book.prepare(trades)?;
        let money = self.purse.money();
        let mut terms = self.terms().clone();
        for trade in trades {
            bounds::finite("trade: price", trade.price.unwrap_or(0.0))?;
            bounds::finite("trade: fees", trade.fees)?;
            let amount = -(money.paid(trade)? + trade.fees);
            if amount != 0.0 {
                let contract = &self.prepared.contracts().rows()[trade.contract as usize];
                terms.add_cash(contract.currency(), amount)?;
            }
        }
        for &(currency, amount) in cash {
            bounds::finite("deposit", amount)?;
            terms.add_cash(currency, amount)?;
        }
        self.book.take(&self.prepared, terms)?;
        self.value();
        Ok(self.requirement())
    }

    /// Equity and maintenance requirement now, open orders not counted.
    pub fn level(&self) -> Result<Level> {
        Ok(Level {
            equity: self.known_equity()?,
            maintenance: self.requirement().maintenance,
        })
    }

    /// The same after trades and amounts of cash, as [`Self::transact`] would leave it; nothing changes.
    pub fn level_after(&mut self, trades: &[Trade], cash: &[(&str, f64)]) -> Result<Level> {
        self.book.prepare(trades)?;
        let requirement = self.book.next_requirement()?;
        let cost = self.cost_of(trades, cash)?;
        Ok(Level {
            equity: self.purse.equity(cost, requirement.net_option_value)?,
            maintenance: requirement.maintenance,
        })
    }

    /// What trades and amounts of cash take from the equity beside option value, in the report's currency.
    pub fn cost_of(&self, trades: &[Trade], cash: &[(&str, f64)]) -> Result<f64> {
        let money = self.purse.money();
        let mut cost = 0.0;
        for trade in trades {
            cost += money.cost(trade)?;
        }
        for &(currency, amount) in cash {
            cost -= amount * money.rate(currency)?;
        }
        Ok(cost)
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
                InvalidInput: Contradiction;
                "rebase: the new table of contracts is neither the account's own nor an extension of it: open the account again"
            );
        }
        prepared.admit(self.view())?;
        let mut terms = self.terms().clone();
        let positions = self.view().positions;
        for i in 0..positions.len() {
            let contract = positions.contract[i];
            let flowed = self.money().variation(&money, contract, positions.net(i))?;
            if flowed != 0.0 {
                terms.add_cash(new.rows()[contract as usize].currency(), flowed)?;
            }
        }
        self.book.rebase(&prepared, terms)?;
        self.prepared = prepared;
        self.purse.revalue_at(money);
        self.gate.moved_to(self.gate.epoch() + 1);
        self.is_exposed = false;
        self.value();
        Ok(())
    }
}
