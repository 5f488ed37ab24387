//! Open orders: reserved when sent, idempotent by order and execution id.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::exposed::Exposed;
use super::money::Money;
use super::order::Order;
use crate::bounds;
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

#[derive(Debug, Clone, Default)]
pub(super) struct Orders {
    by_id: BTreeMap<String, OpenOrder>,
    /// Ids of those with something left to fill: an account that trades long keeps many that are done.
    open: BTreeSet<String>,
    /// Those with something left to fill, at the marks they were last valued at.
    exposed: Exposed,
}

impl Orders {
    pub(super) fn get(&self, id: &str) -> Option<&OpenOrder> {
        self.by_id.get(id)
    }

    /// Orders with something left to fill, by id.
    pub(super) fn open(&self) -> impl Iterator<Item = &OpenOrder> {
        self.open.iter().filter_map(|id| self.by_id.get(id))
    }

    pub(super) fn all(&self) -> impl Iterator<Item = &OpenOrder> {
        self.by_id.values()
    }

    #[inline]
    pub(super) fn exposed(&self) -> &Exposed {
        &self.exposed
    }

    /// Takes the open orders as they stand, at other marks.
    pub(super) fn expose(&mut self, money: &Money) {
        let exposed = &mut self.exposed;
        exposed.clear();
        for open in self.open.iter().filter_map(|id| self.by_id.get(id)) {
            let order = &open.order;
            let lots = open.remaining() * order.signed_lots().signum();
            let fees = order.fees * (open.remaining() as f64 / order.lots as f64);
            let fees = if fees > 0.0 { fees } else { 0.0 };
            let cost = money.cost(order.contract, lots, order.price, fees);
            exposed.add(order.contract, lots, cost, order.effect, order.all_or_none);
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
                InvalidInput,
                "order '{id}': known already, or its fills do not add up to {} of {} lots",
                open.filled,
                open.order.lots
            );
        }
        if open.remaining() > 0 {
            self.open.insert(id.clone());
        }
        self.by_id.insert(id, open);
        Ok(())
    }

    fn existing(&mut self, id: &str) -> Result<&mut OpenOrder> {
        match self.by_id.get_mut(id) {
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
                InvalidInput,
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
                self.by_id.insert(order.id.clone(), open);
                self.open.insert(order.id.clone());
                Ok(true)
            }
        }
    }

    /// The order a new execution belongs to; `None` where the execution is known. Nothing is recorded yet. A fill that
    /// crossed a cancel on its way is still a fill.
    pub(super) fn fill_of(
        &mut self,
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
                    InvalidInput,
                    "order '{id}': execution '{execution}' is known with other terms"
                );
            }
            return Ok(None);
        }
        if lots < 1 || lots > open.order.lots - open.filled {
            fail!(
                InvalidInput,
                "order '{id}': a fill of {lots} lots with {} of {} open",
                open.order.lots - open.filled,
                open.order.lots
            );
        }
        if open.order.all_or_none && lots != open.order.lots {
            fail!(
                InvalidInput,
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
        if let Some(open) = self.by_id.get_mut(id) {
            open.executions
                .insert(execution.to_string(), (lots, price, fees));
            open.filled += lots;
            if open.remaining() == 0 {
                self.open.remove(id);
            }
        }
    }

    /// Whether anything was left to cancel.
    pub(super) fn cancel(&mut self, id: &str) -> Result<bool> {
        let open = self.existing(id)?;
        let changed = open.remaining() > 0;
        open.cancelled = true;
        self.open.remove(id);
        Ok(changed)
    }

    /// Cancels one order and reserves another in its place, or does neither.
    pub(super) fn replace(&mut self, id: &str, order: &Order) -> Result<bool> {
        if id == order.id {
            fail!(
                InvalidInput,
                "order '{id}': its replacement needs another id"
            );
        }
        self.existing(id)?;
        let fresh = self.reserve(order)?;
        self.cancel(id)?;
        Ok(fresh)
    }
}
