//! A trade's effect with open orders in their worst case.

use super::account::{LiveAccount, Trade, finite};
use super::order::Order;
use crate::account::{AccountView, Effect};
use crate::report::Requirement;
use crate::seam::{Exposure, WorstCase};
use kernel::error::{MarginError, Result};
use kernel::fail;

use super::orders::Coverage;

/// Sets of fills margined one by one where a rulebook has no closed form for open orders.
const MAX_FILL_SETS: u64 = 4096;

/// Sets of fills that one check margins at most, those of the new order among them.
pub const MAX_FILLS: u64 = 65_536;

/// One trade's effect with open orders in their worst case.
pub(super) struct Assessed {
    pub(super) after: Requirement,
    pub(super) worst: f64,
    pub(super) excess: Result<f64>,
    pub(super) coverage: Coverage,
}

/// Open orders as a rulebook sees them, with what only enumeration needs. Made anew when an order or a mark changes,
/// so that a check reads them only.
#[derive(Default)]
pub(super) struct Exposed {
    list: Vec<Exposure>,
    fills: Vec<Fills>,
    /// Why what an order would cost is not known.
    error: Option<MarginError>,
}

#[derive(Clone, Copy)]
struct Fills {
    effect: Option<Effect>,
    all_or_none: bool,
}

impl Exposed {
    pub(super) fn is_empty(&self) -> bool {
        self.list.is_empty() && self.error.is_none()
    }

    /// How many sets of fills the open orders have.
    fn sets(&self) -> u64 {
        (0..self.list.len()).fold(1_u64, |n, i| n.saturating_mul(self.choices(i)))
    }

    /// How many ways an order may fill, no fill among them.
    fn choices(&self, order: usize) -> u64 {
        if self.fills[order].all_or_none {
            2
        } else {
            self.list[order].lots.unsigned_abs().saturating_add(1)
        }
    }
}

/// The fills after which the position is a whole multiple of `step`, or a lot off one.
struct Walk {
    held: i64,
    sign: i64,
    step: i64,
}

impl Walk {
    /// The first of them after `lots`.
    fn next(&self, lots: i64) -> i64 {
        let lots = lots + 1;
        let over = (self.held + self.sign * lots).rem_euclid(self.step);
        if over <= 1 || over == self.step - 1 {
            lots
        } else if self.sign > 0 {
            lots + (self.step - 1 - over)
        } else {
            lots + (over - 1)
        }
    }

    /// At most so many of them in an order.
    fn count(&self, lots: i64) -> u64 {
        let near = 3 * (lots.unsigned_abs() / self.step.unsigned_abs() + 2);
        near.min(lots.unsigned_abs())
    }
}

impl LiveAccount {
    /// Takes the open orders as they stand, at the present marks.
    pub(super) fn expose(&mut self) {
        let exposed = &mut self.exposed;
        exposed.list.clear();
        exposed.fills.clear();
        exposed.error = None;
        for open in self.orders.open() {
            let order = &open.order;
            let lots = open.remaining() * order.signed_lots().signum();
            let fees = order.fees * (open.remaining() as f64 / order.lots as f64);
            let fees = if fees > 0.0 { fees } else { 0.0 };
            match self.money.cost(order.contract, lots, order.price, fees) {
                Ok(cost) => {
                    exposed.list.push(Exposure {
                        contract: order.contract,
                        lots,
                        cost,
                    });
                    exposed.fills.push(Fills {
                        effect: order.effect,
                        all_or_none: order.all_or_none,
                    });
                }
                Err(error) => exposed.error = Some(error),
            }
        }
    }

    /// The requirement now, with open orders in their worst case.
    pub fn worst_requirement(&mut self) -> Result<(f64, Coverage)> {
        let assessed = self.assess(None, 0.0, 0.0)?;
        Ok((assessed.worst, assessed.coverage))
    }

    /// Margins an order in the worst of its fills, with open orders in their worst case. `after` is its complete fill.
    ///
    /// A partial fill counts where it needs more than no fill at all. A convex function of the lots is largest at an end
    /// of an interval, and so is the largest of several, one for each way open orders may fill: there the complete fill
    /// says all. Where it is convex between whole multiples, the ends of those intervals do. Costs are linear in the
    /// lots, fees among them.
    pub(super) fn assess_order(&mut self, order: &Order, complete_only: bool) -> Result<Assessed> {
        let trade = |lots: i64| Trade {
            effect: order.effect,
            ..Trade::new(order.contract, lots)
        };
        let mut worst = self.assess(Some(trade(order.signed_lots())), order.price, order.fees)?;
        if order.lots == 1
            || order.all_or_none
            || complete_only
            || self.live.is_convex(order.contract)
        {
            return Ok(worst);
        }
        let sets = match worst.coverage {
            Coverage::EveryFill => self.exposed.sets(),
            _ => 1,
        };
        let walk = self.walk(order);
        let count = sets.saturating_mul(walk.count(order.lots));
        if count > MAX_FILLS {
            fail!(
                Unsupported,
                "an order of {} lots and the open orders can fill in {count} ways, and the rulebook needs them margined one by one: at most {MAX_FILLS} are; fewer lots, an all-or-none order, or a limit with complete_only",
                order.lots
            );
        }
        let none = self.assess(None, 0.0, 0.0)?;
        let mut lots = walk.next(0);
        while lots < order.lots {
            let fees = order.fees * (lots as f64 / order.lots as f64);
            let part = self.assess(
                Some(trade(lots * order.signed_lots().signum())),
                order.price,
                fees,
            )?;
            if part.worst > none.worst && part.worst > worst.worst {
                worst.worst = part.worst;
            }
            if let (Ok(excess), Ok(without), Ok(least)) =
                (part.excess, &none.excess, &mut worst.excess)
                && excess < *without
                && excess < *least
            {
                *least = excess;
            }
            lots = walk.next(lots);
        }
        Ok(worst)
    }

    /// The fills of an order one of which is its worst. An open order in the same contract moves the multiples.
    fn walk(&self, order: &Order) -> Walk {
        let same = |e: &Exposure| e.contract == order.contract;
        let step = match self.live.convex_between(order.contract) {
            Some(step) if !self.exposed.list.iter().any(same) => step,
            _ => 1,
        };
        let (long, short) = self.book().sides(order.contract);
        Walk {
            held: long - short,
            sign: order.signed_lots().signum(),
            step,
        }
    }

    /// Margins one trade, with open orders in their worst case.
    pub(super) fn assess(
        &mut self,
        trade: Option<Trade>,
        price: f64,
        fees: f64,
    ) -> Result<Assessed> {
        self.prepare_next(trade.as_slice())?;
        let cost = match trade {
            Some(t) => self.money.cost(t.contract, t.lots, price, fees),
            None => Ok(0.0),
        };
        let (after, worst, drain, coverage) = if self.exposed.is_empty() {
            let after = self.next_requirement()?;
            (after, after.initial, after.initial, Coverage::None)
        } else {
            self.open_orders_worst()?
        };
        let equity = |cost: f64| -> Result<f64> {
            let (funds, holdings) = match (&self.funds, &self.holdings) {
                (Ok(funds), Ok(holdings)) => (funds, holdings),
                (Err(error), _) | (_, Err(error)) => return Err(error.clone()),
            };
            Ok(funds - cost + after.net_option_value + holdings)
        };
        let excess = cost.and_then(equity).map(|equity| equity - drain);
        Ok(Assessed {
            after,
            worst,
            excess,
            coverage,
        })
    }

    /// Requirement of `self.next`; its worst and the largest drain over fills of open orders; how they were found.
    fn open_orders_worst(&mut self) -> Result<(Requirement, f64, f64, Coverage)> {
        if let Some(error) = &self.exposed.error {
            return Err(error.clone());
        }
        let view = AccountView {
            positions: self.next.positions(),
            terms: &self.terms,
        };
        let (base, case) = self.live.assess(view, &self.changed, &self.exposed.list)?;
        let base = finite(base)?;
        let (mut case, coverage) = match case {
            Some(case) if case.exact => (case, Coverage::Exact),
            Some(case) => (case, Coverage::Bound),
            None => (self.every_fill()?, Coverage::EveryFill),
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
        Ok((base, case.requirement, case.drain, coverage))
    }

    /// Margins every set of fills, or refuses where they are too many.
    fn every_fill(&mut self) -> Result<WorstCase> {
        let exposed = &self.exposed;
        let count = exposed.sets();
        if count > MAX_FILL_SETS {
            fail!(
                Unsupported,
                "{} open orders can fill in {count} ways, and the rulebook has no closed form for the worst of them: at most {MAX_FILL_SETS} are margined one by one; fewer lots, fewer orders, or all-or-none orders",
                exposed.list.len()
            );
        }
        let kept = self.changed.len();
        for exposure in &exposed.list {
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
            for (i, exposure) in exposed.list.iter().enumerate() {
                let (whole, choices) = (exposure.lots.unsigned_abs(), exposed.choices(i));
                let filled = if exposed.fills[i].all_or_none {
                    rest % 2 * whole
                } else {
                    rest % choices
                };
                rest /= choices;
                let lots = filled as i64 * exposure.lots.signum();
                self.trial
                    .trade(exposure.contract, lots, exposed.fills[i].effect)?;
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
        Ok(worst)
    }
}

#[cfg(test)]
mod tests {
    use super::Walk;
    use crate::account::MAX_LOTS;

    #[test]
    fn a_walk_meets_every_multiple_and_its_neighbours() {
        for step in [1, 2, 3, 4, 10, 2 * MAX_LOTS] {
            for held in -25..=25_i64 {
                for sign in [1, -1] {
                    let walk = Walk { held, sign, step };
                    let near = |n: &i64| {
                        let over = (held + sign * n).rem_euclid(step);
                        over <= 1 || over == step - 1
                    };
                    let expected: Vec<i64> = (1..60).filter(near).collect();
                    let mut found = Vec::new();
                    let mut lots = walk.next(0);
                    while lots < 60 {
                        found.push(lots);
                        lots = walk.next(lots);
                    }
                    assert_eq!(found, expected, "{held} {sign} {step}");
                    assert!(expected.len() as u64 <= walk.count(60));
                }
            }
        }
        let most = Walk {
            held: -MAX_LOTS,
            sign: 1,
            step: 2 * MAX_LOTS,
        };
        // From the largest short on: nothing before zero, and nothing after it.
        assert_eq!(most.next(0), MAX_LOTS - 1);
        assert!(most.next(MAX_LOTS + 1) > MAX_LOTS + 1 + MAX_LOTS / 2);
    }
}
