//! The account itself.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::money::Money;
use super::order::{Decision, Limit, Order, Reason, Refusal};
use super::orders::{Coverage, OpenOrder, Orders};
use super::{Exposure, Live, WorstCase};
use crate::account::{Account, AccountTerms, AccountView, Effect, Holdings};
use crate::contract::{ContractIndex, check_finite};
use crate::error::Result;
use crate::fail;
use crate::methods::Prepared;
use crate::report::{MarginReport, Requirement};

/// Sets of fills margined one by one where a rulebook has no closed form for open orders.
const MAX_FILL_SETS: u64 = 4096;

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

/// One trade's effect with open orders in their worst case.
pub(super) struct Assessed {
    pub(super) after: Requirement,
    pub(super) worst: f64,
    pub(super) excess: Result<f64>,
    pub(super) coverage: Coverage,
}

/// An open account under one prepared rulebook.
pub struct LiveAccount {
    prepared: Arc<dyn Prepared>,
    money: Arc<Money>,
    pub(super) live: Box<dyn Live>,
    book: Holdings,
    terms: AccountTerms,
    haircuts: BTreeMap<String, f64>,
    requirement: Requirement,
    /// Cash and collateral, and holdings paid in full, in the report's currency.
    funds: Result<f64>,
    holdings: Result<f64>,
    orders: Orders,
    killed: bool,
    epoch: u64,
    sequence: u64,
    /// Times of messages inside the throttle's window.
    messages: VecDeque<f64>,
    // Working memory.
    next: Holdings,
    trial: Holdings,
    changed: Vec<ContractIndex>,
    exposures: Vec<Exposure>,
    effects: Vec<Option<Effect>>,
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
        let mut this = Self {
            live: prepared.clone().live(),
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
            killed: false,
            epoch: 0,
            sequence: 0,
            messages: VecDeque::new(),
            changed: Vec::new(),
            exposures: Vec::new(),
            effects: Vec::new(),
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

    fn known(&self, contract: ContractIndex) -> Result<()> {
        let count = self.prepared.contracts().len();
        if contract as usize >= count {
            fail!(
                InvalidInput,
                "contract row {contract} of a table of {count}"
            );
        }
        Ok(())
    }

    /// Puts positions with trades applied into `self.next`.
    fn prepare_next(&mut self, trades: &[Trade]) -> Result<()> {
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

    fn next_requirement(&mut self) -> Result<Requirement> {
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
        if contract as usize >= self.prepared.contracts().len() {
            self.known(contract)?;
        }
        let view = AccountView {
            positions: self.book.positions(),
            terms: &self.terms,
        };
        match self.live.after(view, contract, lots) {
            Some(estimate) if estimate.requirement.initial.is_finite() => {
                Ok(estimate.requirement.initial)
            }
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
        for trade in trades {
            let price = trade.price.unwrap_or(0.0);
            let paid = if trade.price.is_some() {
                self.money.payment(trade.contract, trade.lots, price)
            } else {
                0.0
            };
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
        let mut live = prepared.clone().live();
        let mut terms = self.terms.clone();
        let positions = self.book.positions();
        for i in 0..positions.len() {
            let contract = positions.contract[i];
            let amount = self.money.variation(&money, contract, positions.net(i));
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
        self.prepared = prepared;
        self.money = money;
        self.terms = terms;
        self.epoch += 1;
        self.refresh()
    }

    // ---- open orders

    /// Counts an order's worst case from now on. Whether it is new: the same order again changes nothing.
    pub fn reserve(&mut self, order: &Order) -> Result<bool> {
        self.known(order.contract)?;
        if self.book.is_gross() && order.effect.is_none() {
            fail!(
                InvalidInput,
                "order '{}': the account keeps long and short apart: say whether it opens or closes",
                order.id
            );
        }
        self.orders.reserve(order)
    }

    /// Books an execution of an order. Whether it is new: the same execution again changes nothing.
    pub fn fill(
        &mut self,
        order: &str,
        execution: &str,
        lots: i64,
        price: f64,
        fees: f64,
    ) -> Result<bool> {
        let Some(terms) = self.orders.fill_of(order, execution, lots, price, fees)? else {
            return Ok(false);
        };
        let signed = if terms.signed_lots() > 0 { lots } else { -lots };
        self.apply(&[Trade {
            contract: terms.contract,
            lots: signed,
            effect: terms.effect,
            price: Some(price),
            fees,
        }])?;
        self.orders.record_fill(order, execution, lots, price, fees);
        Ok(true)
    }

    /// Whether anything was left to cancel.
    pub fn cancel(&mut self, order: &str) -> Result<bool> {
        self.orders.cancel(order)
    }

    /// Cancels one order and reserves another in its place.
    pub fn replace(&mut self, id: &str, order: &Order) -> Result<bool> {
        self.known(order.contract)?;
        self.orders.replace(id, order)
    }

    pub fn order(&self, id: &str) -> Option<&OpenOrder> {
        self.orders.get(id)
    }

    /// Orders with something left to fill, by id.
    pub fn open_orders(&self) -> impl Iterator<Item = &OpenOrder> {
        self.orders.open()
    }

    pub(super) fn has_open_orders(&self) -> bool {
        self.orders.open().next().is_some()
    }

    /// The requirement now, with open orders in their worst case.
    pub fn worst_requirement(&mut self) -> Result<(f64, Coverage)> {
        let assessed = self.assess(None, 0.0, 0.0)?;
        Ok((assessed.worst, assessed.coverage))
    }

    // ---- checks

    /// Margins one trade, with open orders in their worst case.
    pub(super) fn assess(
        &mut self,
        trade: Option<Trade>,
        price: f64,
        fees: f64,
    ) -> Result<Assessed> {
        self.prepare_next(trade.as_slice())?;
        let after = self.next_requirement()?;
        let cost = match trade {
            Some(t) => self.money.cost(t.contract, t.lots, price, fees),
            None => Ok(0.0),
        };
        let (worst, drain, coverage) = if self.has_open_orders() {
            let (case, coverage) = self.open_orders_worst(after)?;
            (case.requirement, case.drain, coverage)
        } else {
            (after.initial, after.initial, Coverage::None)
        };
        let equity = |cost: f64| -> Result<f64> {
            Ok(self.funds.clone()? - cost + after.net_option_value + self.holdings.clone()?)
        };
        let excess = cost.and_then(equity).map(|equity| equity - drain);
        Ok(Assessed {
            after,
            worst,
            excess,
            coverage,
        })
    }

    /// The worst case over fills of open orders on top of `self.next`, whose own requirement is `base`.
    fn open_orders_worst(&mut self, base: Requirement) -> Result<(WorstCase, Coverage)> {
        self.exposures.clear();
        self.effects.clear();
        for open in self.orders.open() {
            let order = &open.order;
            let lots = open.remaining() * order.signed_lots().signum();
            let fees = order.fees * (open.remaining() as f64 / order.lots as f64);
            let fees = if fees > 0.0 { fees } else { 0.0 };
            self.exposures.push(Exposure {
                contract: order.contract,
                lots,
                cost: self.money.cost(order.contract, lots, order.price, fees)?,
            });
            self.effects.push(order.effect);
        }
        let view = AccountView {
            positions: self.next.positions(),
            terms: &self.terms,
        };
        let (mut case, coverage) =
            match self.live.worst_case(view, &self.changed, &self.exposures)? {
                Some(case) if case.exact => (case, Coverage::Exact),
                Some(case) => (case, Coverage::Bound),
                None => self.every_fill()?,
            };
        // No fill at all is one of the sets.
        if base.initial > case.requirement {
            case.requirement = base.initial;
        }
        if base.initial > case.drain {
            case.drain = base.initial;
        }
        if !case.requirement.is_finite() || !case.drain.is_finite() {
            fail!(
                CalculationError,
                "the worst case of open orders is not a finite number"
            );
        }
        Ok((case, coverage))
    }

    /// Margins every set of fills: of partial fills where they are few, else of complete ones.
    fn every_fill(&mut self) -> Result<(WorstCase, Coverage)> {
        let sets = |choices: &dyn Fn(&Exposure) -> u64| {
            self.exposures
                .iter()
                .fold(1_u64, |n, e| n.saturating_mul(choices(e)))
        };
        let partial = sets(&|e| e.lots.unsigned_abs() + 1);
        let complete = sets(&|_| 2);
        let (count, coverage) = if partial <= MAX_FILL_SETS {
            (partial, Coverage::EveryFill)
        } else if complete <= MAX_FILL_SETS {
            (complete, Coverage::CompleteFills)
        } else {
            fail!(
                Unsupported,
                "{} open orders: the rulebook has no closed form for their worst case, and they are too many to margin every set of fills",
                self.exposures.len()
            );
        };
        let kept = self.changed.len();
        for exposure in &self.exposures {
            if !self.changed.contains(&exposure.contract) {
                self.changed.push(exposure.contract);
            }
        }
        let mut worst = WorstCase {
            requirement: 0.0,
            drain: f64::NEG_INFINITY,
            exact: true,
        };
        let mut base_value = None;
        for set in 0..count {
            self.trial.assign(&self.next);
            let (mut rest, mut cost) = (set, 0.0);
            for (exposure, &effect) in self.exposures.iter().zip(&self.effects) {
                let whole = exposure.lots.unsigned_abs();
                let filled = if coverage == Coverage::EveryFill {
                    let filled = rest % (whole + 1);
                    rest /= whole + 1;
                    filled
                } else {
                    let filled = rest % 2 * whole;
                    rest /= 2;
                    filled
                };
                let lots = filled as i64 * exposure.lots.signum();
                self.trial.trade(exposure.contract, lots, effect)?;
                cost += exposure.cost * (filled as f64 / whole as f64);
            }
            let view = AccountView {
                positions: self.trial.positions(),
                terms: &self.terms,
            };
            let own = finite(self.live.requirement(view, &self.changed)?)?;
            let base = *base_value.get_or_insert(own.net_option_value);
            let drain = own.initial + cost - (own.net_option_value - base);
            if own.initial > worst.requirement {
                worst.requirement = own.initial;
            }
            if drain > worst.drain {
                worst.drain = drain;
            }
        }
        self.changed.truncate(kept);
        Ok((worst, coverage))
    }

    /// Whether an order may be sent. Fails closed: what cannot be established is a refusal with its reason.
    ///
    /// The order of the checks, so that the first reason is always the same: kill switch; the order's and the limit's
    /// own numbers; a known order id; the market's age; the contract; throttle; quantity; notional; price collar; open
    /// orders' worst case; anything the engine refuses; `max_requirement`; `min_excess`. With `reserve`, an accepted
    /// order is counted at once. `now` is in seconds since 1970.
    pub fn check(
        &mut self,
        order: &Order,
        limit: &Limit,
        now: Option<f64>,
        reserve: bool,
    ) -> Decision {
        self.sequence += 1;
        let mut decision = Decision {
            accepted: false,
            reason: Reason::Engine,
            message: String::new(),
            before: self.requirement,
            after: self.requirement,
            worst: self.requirement.initial,
            excess_before: self.excess().ok(),
            excess_after: None,
            headroom: 0.0,
            coverage: Coverage::None,
            market_age: now.zip(self.money.valuation).map(|(now, at)| now - at),
            epoch: self.epoch,
            sequence: self.sequence,
        };
        let examined = catch_unwind(AssertUnwindSafe(|| {
            self.examine(order, limit, now, &mut decision)?;
            if reserve {
                self.reserve(order)?;
            }
            Ok::<(), Refusal>(())
        }));
        match examined {
            Ok(Ok(())) => {
                decision.accepted = true;
                decision.reason = Reason::Accepted;
            }
            Ok(Err(Refusal(reason, message))) => {
                decision.reason = reason;
                decision.message = message;
            }
            Err(_) => {
                // Kept sums may be half changed: nothing is answered from them again.
                self.killed = true;
                decision.message = "the engine panicked: the account is closed for orders".into();
            }
        }
        decision
    }

    fn examine(
        &mut self,
        order: &Order,
        limit: &Limit,
        now: Option<f64>,
        decision: &mut Decision,
    ) -> std::result::Result<(), Refusal> {
        let refuse = |reason| Err(Refusal(reason, String::new()));
        if self.killed {
            return refuse(Reason::Killed);
        }
        order
            .validate()
            .map_err(|e| Refusal(Reason::InvalidOrder, e.message().into()))?;
        limit
            .validate()
            .map_err(|e| Refusal(Reason::InvalidLimit, e.message().into()))?;
        if self.orders.get(&order.id).is_some() {
            return refuse(Reason::DuplicateOrder);
        }
        if now.is_some_and(|now| !now.is_finite()) {
            return refuse(Reason::NoTime);
        }
        if let Some(max_age) = limit.max_age {
            match decision.market_age {
                None => return refuse(Reason::NoTime),
                Some(age) if age.abs() > max_age => return refuse(Reason::StaleMarket),
                Some(_) => {}
            }
        }
        if order.contract as usize >= self.prepared.contracts().len() {
            return refuse(Reason::UnknownContract);
        }
        if let Some((count, seconds)) = limit.throttle {
            let Some(now) = now else {
                return refuse(Reason::NoTime);
            };
            while self.messages.front().is_some_and(|&at| at <= now - seconds) {
                self.messages.pop_front();
            }
            if self.messages.len() >= count as usize {
                return refuse(Reason::Throttled);
            }
            self.messages.push_back(now);
        }
        if limit.max_quantity.is_some_and(|most| order.lots > most) {
            return refuse(Reason::MaxQuantity);
        }
        if let Some(most) = limit.max_notional {
            let notional = self
                .money
                .notional(order.contract, order.lots, order.price)?;
            if exceeds(notional, most) {
                return refuse(Reason::MaxNotional);
            }
        }
        if let Some(collar) = limit.price_collar {
            let Some(mark) = self.money.mark(order.contract) else {
                return Err(Refusal(
                    Reason::MissingData,
                    format!(
                        "contract row {}: no mark for the price collar",
                        order.contract
                    ),
                ));
            };
            if exceeds((order.price - mark).abs(), collar * mark.abs()) {
                return refuse(Reason::PriceCollar);
            }
        }
        let trade = Trade {
            effect: order.effect,
            ..Trade::new(order.contract, order.signed_lots())
        };
        let assessed = self
            .assess(Some(trade), order.price, order.fees)
            .map_err(|e| match e {
                crate::MarginError::Unsupported(m) => Refusal(Reason::OpenOrders, m),
                other => other.into(),
            })?;
        decision.after = assessed.after;
        decision.worst = assessed.worst;
        decision.coverage = assessed.coverage;
        let excess = assessed.excess;
        decision.excess_after = excess.as_ref().ok().copied();
        decision.headroom = f64::INFINITY;
        let mut reason = Reason::Accepted;
        if let Some(most) = limit.max_requirement {
            decision.headroom = most - assessed.worst;
            if exceeds(assessed.worst, most) {
                reason = Reason::MaxRequirement;
            }
        }
        if let Some(least) = limit.min_excess {
            let excess = excess?;
            if !excess.is_finite() {
                return refuse(Reason::Engine);
            }
            if excess - least < decision.headroom {
                decision.headroom = excess - least;
            }
            if exceeds(least, excess) && reason == Reason::Accepted {
                reason = Reason::MinExcess;
            }
        }
        match reason {
            Reason::Accepted => Ok(()),
            broken => refuse(broken),
        }
    }
}

/// Whether a value is above its limit, or cannot be compared with it.
fn exceeds(value: f64, limit: f64) -> bool {
    value.partial_cmp(&limit).is_none_or(|order| order.is_gt())
}

/// A requirement that is a number, or an error.
fn finite(requirement: Requirement) -> Result<Requirement> {
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
