//! Open orders: reserved when sent, idempotent by order and execution id.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::exposed::Exposed;
use super::money::Money;
use super::order::Order;
use super::trade::Trade;
use crate::account::{Effect, MAX_LOTS};
use crate::bounds;
use crate::contract::ContractIndex;
use kernel::error::Result;
use kernel::fail;

/// A reserved order and what became of it. Kept after it is done, so that a repeated message is recognised.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenOrder {
    pub order: Order,
    pub filled: i64,
    pub cancelled: bool,
    /// (lots, price, fees) by execution id.
    pub executions: BTreeMap<String, (i64, f64, f64)>,
}

impl OpenOrder {
    /// Lots that may still be filled.
    pub fn remaining(&self) -> i64 {
        if self.cancelled {
            0
        } else {
            self.order.lots - self.filled
        }
    }
}

/// Orders that may fill in part, in the same contract on the same terms: together they may fill as one order of all
/// their lots. However many there are, a check sees what is different.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Level {
    contract: ContractIndex,
    /// Of a lot.
    sign: i64,
    effect: Option<Effect>,
    /// By bits: equal or not is all that is asked.
    price: u64,
    /// Of an order of so many lots; both zero where there are none. A rebate may never be paid and is not counted.
    fees: u64,
    of: i64,
}

impl Level {
    fn of(order: &Order) -> Self {
        let charged = order.fees > 0.0;
        Self {
            contract: order.contract,
            sign: order.signed_lots().signum(),
            effect: order.effect,
            price: order.price.to_bits(),
            fees: if charged { order.fees.to_bits() } else { 0 },
            of: if charged { order.lots } else { 0 },
        }
    }

    /// What a complete fill of lots takes from the account's excess beside requirement and option value.
    fn cost(&self, lots: i64, money: &Money) -> Result<f64> {
        let fees = if self.of == 0 {
            0.0
        } else {
            f64::from_bits(self.fees) * (lots as f64 / self.of as f64)
        };
        let price = f64::from_bits(self.price);
        money.cost(&Trade {
            contract: self.contract,
            lots: lots * self.sign,
            effect: None,
            price: Some(price),
            fees,
        })
    }
}

/// Every order ever reserved, by id.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    by_id: BTreeMap<String, OpenOrder>,
    /// Ids of those with something left to fill: an account that trades long keeps many that are done.
    open: BTreeSet<String>,
    /// Lots left to fill of those that may fill in part.
    levels: BTreeMap<Level, i64>,
    /// Ids of those that fill completely or not at all, with something left.
    whole: BTreeSet<String>,
}

impl Orders {
    pub fn get(&self, id: &str) -> Option<&OpenOrder> {
        self.by_id.get(id)
    }

    /// Orders with something left to fill, by id.
    pub fn open(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.iter().filter_map(|id| self.by_id.get(id))
    }

    /// Every order ever reserved with what became of it: what [`LiveAccount::restore_orders`] takes.
    ///
    /// [`LiveAccount::restore_orders`]: crate::live::LiveAccount::restore_orders
    pub fn all(&self) -> impl Iterator<Item = &OpenOrder> {
        self.by_id.values()
    }

    /// Lists what may still be filled, as it stands and at these marks.
    pub(super) fn expose(&self, money: &Money, exposed: &mut Exposed) {
        exposed.clear();
        let mut add = |level: &Level, lots: i64, all_or_none: bool| {
            let cost = level.cost(lots, money);
            let signed = lots * level.sign;
            exposed.add(level.contract, signed, cost, level.effect, all_or_none);
        };
        for (level, &lots) in &self.levels {
            add(level, lots, false);
        }
        for open in self.whole.iter().filter_map(|id| self.by_id.get(id)) {
            add(&Level::of(&open.order), open.remaining(), true);
        }
    }

    /// Counts what an order has left to fill.
    fn count(&mut self, open: &OpenOrder) -> Result<()> {
        let (order, lots) = (&open.order, open.remaining());
        if lots == 0 {
            return Ok(());
        }
        if order.all_or_none {
            self.whole.insert(order.id.clone());
        } else {
            let counted = self.levels.entry(Level::of(order)).or_insert(0);
            if lots > MAX_LOTS - *counted {
                fail!(
                    InvalidInput: TooLarge;
                    "order '{}': with it more than 2^53 lots are open at its price",
                    order.id
                );
            }
            *counted += lots;
        }
        self.open.insert(order.id.clone());
        Ok(())
    }

    /// Counts lots no longer as left to fill; none are left of the order where `is_done`.
    fn discount(&mut self, order: &Order, lots: i64, is_done: bool) {
        if let Entry::Occupied(mut counted) = self.levels.entry(Level::of(order))
            && !order.all_or_none
        {
            *counted.get_mut() -= lots;
            if *counted.get() == 0 {
                counted.remove();
            }
        }
        if is_done {
            self.whole.remove(&order.id);
            self.open.remove(&order.id);
        }
    }

    pub(super) fn restore(&mut self, open: OpenOrder) -> Result<()> {
        open.order.validate()?;
        let id = open.order.id.clone();
        let filled = open
            .executions
            .values()
            .fold(0_i64, |sum, e| sum.saturating_add(e.0));
        if self.by_id.contains_key(&id) || filled != open.filled || filled > open.order.lots {
            fail!(
                InvalidInput: Duplicate;
                "order '{id}': known already, or its fills do not add up to {} of {} lots",
                open.filled,
                open.order.lots
            );
        }
        self.count(&open)?;
        self.by_id.insert(id, open);
        Ok(())
    }

    fn existing(&self, id: &str) -> Result<&OpenOrder> {
        match self.by_id.get(id) {
            Some(order) => Ok(order),
            None => fail!(
                MissingData,
                "order '{id}' was not reserved: use apply for trades without an order"
            ),
        }
    }

    /// Whether the order is new; the same order again changes nothing.
    pub(super) fn reserve(&mut self, order: &Order) -> Result<bool> {
        order.validate()?;
        match self.by_id.get(&order.id) {
            Some(known) if known.order == *order => Ok(false),
            Some(_) => fail!(
                InvalidInput: Contradiction;
                "order '{}' is known with other terms: use replace, or another id",
                order.id
            ),
            None => {
                let open = OpenOrder {
                    order: order.clone(),
                    filled: 0,
                    cancelled: false,
                    executions: BTreeMap::new(),
                };
                self.count(&open)?;
                self.by_id.insert(order.id.clone(), open);
                Ok(true)
            }
        }
    }

    /// The order a new execution belongs to; `None` where the execution is known. Nothing is recorded yet. A fill that
    /// crossed a cancel on its way is still a fill.
    pub(super) fn fill_of(
        &self,
        id: &str,
        execution: &str,
        lots: i64,
        price: f64,
        fees: f64,
    ) -> Result<Option<Order>> {
        bounds::finite(format_args!("order '{id}': fill price"), price)?;
        bounds::finite(format_args!("order '{id}': fill fees"), fees)?;
        let open = self.existing(id)?;
        if let Some(&known) = open.executions.get(execution) {
            if known != (lots, price, fees) {
                fail!(
                    InvalidInput: OtherTable;
                    "order '{id}': execution '{execution}' is known with other terms"
                );
            }
            return Ok(None);
        }
        if lots < 1 || lots > open.order.lots - open.filled {
            fail!(
                InvalidInput: OutOfRange;
                "order '{id}': a fill of {lots} lots with {} of {} open",
                open.order.lots - open.filled,
                open.order.lots
            );
        }
        if open.order.all_or_none && lots != open.order.lots {
            fail!(
                InvalidInput: OutOfRange;
                "order '{id}': a fill of {lots} of {} lots, all or none",
                open.order.lots
            );
        }
        Ok(Some(open.order.clone()))
    }

    pub(super) fn record_fill(
        &mut self,
        id: &str,
        execution: &str,
        lots: i64,
        price: f64,
        fees: f64,
    ) {
        let Some(open) = self.by_id.get_mut(id) else {
            return;
        };
        let counted = if open.cancelled { 0 } else { lots };
        open.executions
            .insert(execution.to_string(), (lots, price, fees));
        open.filled += lots;
        let (order, is_done) = (open.order.clone(), open.remaining() == 0);
        if counted > 0 {
            self.discount(&order, counted, is_done);
        }
    }

    /// Whether anything was left to cancel.
    pub(super) fn cancel(&mut self, id: &str) -> Result<bool> {
        let left = self.existing(id)?.remaining();
        if let Some(open) = self.by_id.get_mut(id) {
            open.cancelled = true;
            let order = open.order.clone();
            if left > 0 {
                self.discount(&order, left, true);
            }
        }
        Ok(left > 0)
    }

    /// Cancels one order and reserves another in its place, or does neither.
    pub(super) fn replace(&mut self, id: &str, order: &Order) -> Result<bool> {
        if id == order.id {
            fail!(
                InvalidInput: Contradiction;
                "order '{id}': its replacement needs another id"
            );
        }
        self.existing(id)?;
        let fresh = self.reserve(order)?;
        self.cancel(id)?;
        Ok(fresh)
    }
}
