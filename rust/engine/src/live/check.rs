//! The check before an order.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::account::LiveAccount;
use super::order::{Coverage, Decision, Limit, Order, Reason, Refusal};
use super::worst::Assessed;
use crate::account;
use crate::report::amount_text;
use kernel::error::{MarginError, Result};
use kernel::fail;

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
    /// `min_excess`; `block_intraday_deficit`. With `reserve`, an accepted order is counted at once. `now` is in seconds since 1970.
    pub fn check(
        &mut self,
        order: &Order,
        limit: &Limit,
        now: Option<f64>,
        reserve: bool,
    ) -> Decision {
        match self.check_or_defer((order, limit, now, reserve)) {
            Checked::Decided(decision) => decision,
            Checked::Deferred(deferred) => {
                deferred.refuse("the check was told to stop before the margins were known")
            }
        }
    }

    /// As [`Self::check`], for work that is watched ([`kernel::interrupt`]): where that ends before the margins are known,
    /// they are still to be asked, of a copy.
    pub(super) fn check_or_defer(&mut self, (order, limit, now, reserve): Asked<'_>) -> Checked {
        let mut decision = self.undecided(now, None);
        let mut is_interrupted = false;
        let examined = self.guarded(|this| {
            this.filter(order, limit, now, true, &decision)?;
            let assessed = this.assess_order(order, limit);
            is_interrupted = matches!(assessed, Err(MarginError::Interrupted(_)));
            if is_interrupted {
                return Ok(());
            }
            this.judge(order, limit, reserve, assessed, &mut decision)
        });
        if is_interrupted {
            return Checked::Deferred(Box::new(Deferred {
                decision,
                copy: self.copy(),
            }));
        }
        decision.close(examined);
        Checked::Decided(decision)
    }

    /// Decides with margins that a copy was asked for; or defers again, where the account is another by now.
    pub(super) fn conclude(
        &mut self,
        (order, limit, now, reserve): Asked<'_>,
        mut deferred: Box<Deferred>,
        assessed: Result<Assessed>,
    ) -> Checked {
        let is_same = deferred.copy.changes() == self.changes();
        let mut decision = self.undecided(now, Some(deferred.decision.sequence));
        let examined = self.guarded(|this| {
            // The throttle has counted it already.
            this.filter(order, limit, now, false, &decision)?;
            if is_same {
                this.judge(order, limit, reserve, assessed, &mut decision)?;
            }
            Ok(())
        });
        if examined.is_ok() && !is_same {
            deferred.copy = self.copy();
            return Checked::Deferred(deferred);
        }
        decision.close(examined);
        Checked::Decided(decision)
    }

    /// The account as a check finds it. A check that goes on has its number already.
    fn undecided(&mut self, now: Option<f64>, sequence: Option<u64>) -> Decision {
        Decision {
            accepted: false,
            reason: Reason::Engine,
            message: String::new(),
            before: self.requirement(),
            after: self.requirement(),
            worst: self.requirement().initial,
            excess_before: self.known_excess().ok(),
            excess_after: None,
            headroom: 0.0,
            coverage: Coverage::None,
            market_age: now
                .filter(|now| now.is_finite())
                .zip(self.money().valuation)
                .map(|(now, at)| now - at),
            epoch: self.epoch(),
            sequence: sequence.unwrap_or_else(|| self.gate.next()),
        }
    }

    /// A part of a check, in which a panic is a refusal.
    fn guarded(
        &mut self,
        part: impl FnOnce(&mut Self) -> std::result::Result<(), Refusal>,
    ) -> std::result::Result<(), Refusal> {
        catch_unwind(AssertUnwindSafe(|| part(self))).unwrap_or_else(|_| {
            // Kept sums may be half changed: nothing is answered from them again.
            self.gate.kill();
            Err(Refusal(
                Reason::Engine,
                "the engine panicked: the account is closed for orders".into(),
            ))
        })
    }

    /// What refuses an order before any margin is asked for. `counts`: whether it is a message to the throttle.
    fn filter(
        &mut self,
        order: &Order,
        limit: &Limit,
        now: Option<f64>,
        counts: bool,
        decision: &Decision,
    ) -> std::result::Result<(), Refusal> {
        let refuse = |reason, message: String| Err(Refusal(reason, message));
        if self.gate.is_killed() {
            return refuse(
                Reason::Killed,
                "the account is closed for orders until it is revived".into(),
            );
        }
        order
            .validate()
            .map_err(|e| Refusal(Reason::InvalidOrder, e.message().into()))?;
        limit
            .validate()
            .map_err(|e| Refusal(Reason::InvalidLimit, e.message().into()))?;
        if limit.block_intraday_deficit {
            // Where the rule does not apply there is nothing to hold the order against.
            self.prepared()
                .intraday(self.view())
                .map_err(|e| Refusal(Reason::InvalidLimit, e.message().into()))?;
        }
        if self.order(&order.id).is_some() {
            return refuse(
                Reason::DuplicateOrder,
                format!("order '{}' is known already", order.id),
            );
        }
        if now.is_some_and(|now| !now.is_finite()) {
            return refuse(Reason::NoTime, "now is not an instant".into());
        }
        if let Some(max_age) = limit.max_age {
            match decision.market_age {
                None => {
                    let lacking = if now.is_none() {
                        "max_age needs now, which was not given"
                    } else {
                        "max_age needs a market, and the account has none"
                    };
                    return refuse(Reason::NoTime, lacking.into());
                }
                Some(age) if age.abs() > max_age => {
                    return refuse(
                        Reason::StaleMarket,
                        format!(
                            "max_age: {} seconds between the market and now are above the limit of {max_age}",
                            age.abs()
                        ),
                    );
                }
                Some(_) => {}
            }
        }
        if self.book.known(order.contract).is_err() {
            return refuse(
                Reason::UnknownContract,
                "the order's contract is not in the account's table".into(),
            );
        }
        self.money()
            .check_price(order)
            .map_err(|e| Refusal(Reason::InvalidOrder, e.message().into()))?;
        if let Some((count, seconds)) = limit.throttle {
            let Some(now) = now else {
                return refuse(
                    Reason::NoTime,
                    "throttle needs now, which was not given".into(),
                );
            };
            if counts && !self.gate.admits(now, count, seconds) {
                return refuse(
                    Reason::Throttled,
                    format!(
                        "throttle: one message more is above the limit of {count} in {seconds} seconds"
                    ),
                );
            }
        }
        if let Some(most) = limit.max_quantity {
            let contract = &self.prepared().contracts().rows()[order.contract as usize];
            if order.lots > account::lots_within(contract, most) {
                let quantity = contract.quantity(order.lots);
                return refuse(
                    Reason::MaxQuantity,
                    format!("max_quantity: {quantity} contracts are above the limit of {most}"),
                );
            }
        }
        if let Some(most) = limit.max_notional {
            let notional = self
                .money()
                .notional(order.contract, order.lots, order.price)?;
            if exceeds(notional, most) {
                return refuse(
                    Reason::MaxNotional,
                    broken("max_notional", notional, "above", most),
                );
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
            let (away, most) = ((order.price - mark).abs(), collar * mark.abs());
            if exceeds(away, most) {
                return refuse(
                    Reason::PriceCollar,
                    format!(
                        "{} from the mark of {mark}",
                        broken("price_collar", away, "above", most)
                    ),
                );
            }
        }
        Ok(())
    }

    /// Holds margins against the limit, and reserves the order where it is asked for and passes.
    fn judge(
        &mut self,
        order: &Order,
        limit: &Limit,
        reserve: bool,
        assessed: Result<Assessed>,
        decision: &mut Decision,
    ) -> std::result::Result<(), Refusal> {
        let assessed = assessed.map_err(|e| match e {
            MarginError::Unsupported(m) => Refusal(Reason::OpenOrders, m.to_string()),
            other => other.into(),
        })?;
        decision.after = assessed.after;
        decision.worst = assessed.worst;
        decision.coverage = assessed.coverage;
        let excess = assessed.excess;
        decision.excess_after = excess.as_ref().ok().copied();
        decision.headroom = f64::INFINITY;
        let mut refusal = None;
        if let Some(most) = limit.max_requirement {
            decision.headroom = most - assessed.worst;
            if exceeds(assessed.worst, most) {
                let message = broken("max_requirement", assessed.worst, "above", most);
                refusal = Some(Refusal(Reason::MaxRequirement, message));
            }
        }
        if let Some(least) = limit.min_excess {
            let excess = excess?;
            if !excess.is_finite() {
                return Err(Refusal(
                    Reason::Engine,
                    format!("the excess is {excess}: it cannot be held against min_excess"),
                ));
            }
            if excess - least < decision.headroom {
                decision.headroom = excess - least;
            }
            if exceeds(least, excess) && refusal.is_none() {
                let message = broken("min_excess", excess, "below", least);
                refusal = Some(Refusal(Reason::MinExcess, message));
            }
        }
        if let Some(fall) = assessed.fall {
            let fall = fall?;
            if fall.room() < decision.headroom {
                decision.headroom = fall.room();
            }
            if fall.is_blocked() && refusal.is_none() {
                refusal = Some(Refusal(
                    Reason::IntradayDeficit,
                    format!(
                        "intraday_deficit: the intraday margin level would fall from {} to {}, below zero",
                        amount_text(fall.before.margin()),
                        amount_text(fall.after.margin())
                    ),
                ));
            }
        }
        if let Some(refusal) = refusal {
            return Err(refusal);
        }
        if reserve {
            self.reserve(order)?;
        }
        Ok(())
    }
}

/// Order, limit, time and whether to reserve: the arguments of [`LiveAccount::check`].
pub(super) type Asked<'a> = (&'a Order, &'a Limit, Option<f64>, bool);

/// A check that has been decided, or whose margins are still to be asked.
pub(super) enum Checked {
    Decided(Decision),
    Deferred(Box<Deferred>),
}

/// A check that nothing has refused yet.
pub(super) struct Deferred {
    decision: Decision,
    /// The account to ask.
    copy: LiveAccount,
}

impl Deferred {
    /// The margins of the order in the copied account. A panic is an error: it is the copy's alone.
    pub(super) fn assess(&mut self, (order, limit, ..): Asked<'_>) -> Result<Assessed> {
        let assess = AssertUnwindSafe(|| {
            self.copy.keep()?;
            self.copy.assess_order(order, limit)
        });
        catch_unwind(assess).unwrap_or_else(|_| fail!(CalculationError, "the engine panicked"))
    }

    /// Refuses an order whose margins could not be established.
    pub(super) fn refuse(mut self, why: &str) -> Decision {
        let refusal = Refusal(Reason::Engine, why.into());
        self.decision.close(Err(refusal));
        self.decision
    }
}

/// Whether a value is above its limit, or cannot be compared with it.
fn exceeds(value: f64, limit: f64) -> bool {
    value.partial_cmp(&limit).is_none_or(|order| order.is_gt())
}

/// A number whose digits decide: of rounding noise its size and no string of zeros.
fn plain(number: f64) -> String {
    if number != 0.0 && number.abs() < 1e-6 {
        format!("{number:.2e}")
    } else {
        number.to_string()
    }
}

/// A broken limit with the two numbers that decided. Where they print alike as amounts, they are printed in full.
#[cold]
fn broken(name: &str, value: f64, side: &str, limit: f64) -> String {
    let mut texts = [value, limit].map(amount_text);
    if texts[0] == texts[1] {
        texts = [value, limit].map(plain);
    }
    let [value, limit] = texts;
    format!("{name}: {value} is {side} the limit of {limit}")
}
