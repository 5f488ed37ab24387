//! The check before an order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::account::LiveAccount;
use super::order::{Coverage, Decision, Limit, Order, Reason, Refusal};
use kernel::error::MarginError;

impl LiveAccount {
    /// Whether an order may be sent. Fails closed: what cannot be established is a refusal with its reason.
    ///
    /// Limits are held against the complete fill of the order, and against every partial fill that needs more than the
    /// account without the order does (the order is not to blame for the rest: one that mends a broken limit passes).
    /// Both with open orders in their worst case. Where the requirement is convex in the lots no partial fill can do so
    /// and none is margined; where it is between whole multiples
    /// ([`Live::convex_between`](crate::seam::Live::convex_between)), those and their neighbours are; elsewhere each is. Up
    /// to [`MAX_FILLS`](crate::live::MAX_FILLS) ways for the order and open orders together are margined, and more refused,
    /// unless the limit says `complete_only`.
    ///
    /// The order of the checks, so that the first reason is always the same: kill switch; the order's and the limit's
    /// own numbers; a known order id; the market's age; the contract and whether it trades at such a price; throttle;
    /// quantity; notional; price collar; open orders' worst case; anything the engine refuses; `max_requirement`;
    /// `min_excess`. With `reserve`, an accepted order is counted at once. `now` is in seconds since 1970.
    pub fn check(
        &mut self,
        order: &Order,
        limit: &Limit,
        now: Option<f64>,
        reserve: bool,
    ) -> Decision {
        let sequence = self.gate.next();
        let mut decision = Decision {
            accepted: false,
            reason: Reason::Engine,
            message: String::new(),
            before: self.requirement(),
            after: self.requirement(),
            worst: self.requirement().initial,
            excess_before: self.excess().ok(),
            excess_after: None,
            headroom: 0.0,
            coverage: Coverage::None,
            market_age: now.zip(self.money().valuation).map(|(now, at)| now - at),
            epoch: self.epoch(),
            sequence,
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
                self.gate.kill();
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
        if self.gate.is_killed() {
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
        if self.book.known(order.contract).is_err() {
            return refuse(Reason::UnknownContract);
        }
        self.money()
            .check_price(order)
            .map_err(|e| Refusal(Reason::InvalidOrder, e.message().into()))?;
        if let Some((count, seconds)) = limit.throttle {
            let Some(now) = now else {
                return refuse(Reason::NoTime);
            };
            if !self.gate.admits(now, count, seconds) {
                return refuse(Reason::Throttled);
            }
        }
        if limit.max_quantity.is_some_and(|most| order.lots > most) {
            return refuse(Reason::MaxQuantity);
        }
        if let Some(most) = limit.max_notional {
            let notional = self
                .money()
                .notional(order.contract, order.lots, order.price)?;
            if exceeds(notional, most) {
                return refuse(Reason::MaxNotional);
            }
        }
        if let Some(collar) = limit.price_collar {
            let Some(mark) = self.money().mark(order.contract) else {
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
        let assessed = self
            .assess_order(order, limit.complete_only)
            .map_err(|e| match e {
                MarginError::Unsupported(m) => Refusal(Reason::OpenOrders, m),
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
