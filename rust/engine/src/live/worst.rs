//! A trade's effect with open orders in their worst case.

use super::account::LiveAccount;
use super::fills::FillsCase;
use super::intraday::Fall;
use super::level::Level;
use super::order::{Coverage, Limit, Order};
use super::trade::Trade;
use super::walk::Walk;
use crate::report::Requirement;
use kernel::error::Result;
use kernel::{fail, interrupt};

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
    /// The intraday margin level with no open order filled, and with them filled in the way that lowers it most.
    pub(super) levels: Result<[Level; 2]>,
    /// What an order does to the level, where a limit asks; of all its fills, the one nearest to a deficit.
    pub(super) fall: Option<Result<Fall>>,
}

impl LiveAccount {
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
    pub(super) fn assess_order(&mut self, order: &Order, limit: &Limit) -> Result<Assessed> {
        let trade = |lots: i64| Trade {
            effect: order.effect,
            ..Trade::new(order.contract, lots)
        };
        let mut worst = self.assess(Some(trade(order.signed_lots())), order.price, order.fees)?;
        let levels = match limit.block_intraday_deficit {
            true => Some(self.levels()?),
            false => None,
        };
        worst.fall = levels
            .as_ref()
            .map(|none| Fall::between(none, &worst.levels));
        if order.lots == 1
            || order.all_or_none
            || limit.complete_only
            || self.book.is_convex(order.contract)
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
            interrupt::check()?;
            let fees = order.fees * (lots as f64 / order.lots as f64);
            let part = self.assess(
                Some(trade(lots * order.signed_lots().signum())),
                order.price,
                fees,
            )?;
            if part.worst > none.worst && part.worst > worst.worst {
                worst.worst = part.worst;
            }
            if let (Some(none), Some(Ok(least))) = (&levels, &mut worst.fall)
                && let Ok(fall) = Fall::between(none, &part.levels)
                && fall.room() < least.room()
            {
                *least = fall;
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
        let step = match self.book.convex_between(order.contract) {
            Some(step) if !self.exposed.has(order.contract) => step,
            _ => 1,
        };
        let (long, short) = self.book.positions().sides(order.contract);
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
        self.book.prepare(trade.as_slice())?;
        self.expose();
        let cost = match trade {
            Some(t) => self.purse.money().cost(&Trade {
                price: Some(price),
                fees,
                ..t
            }),
            None => Ok(0.0),
        };
        let (after, case, coverage) = if self.exposed.is_empty() {
            let after = self.book.next_requirement()?;
            (after, FillsCase::of(after), Coverage::None)
        } else {
            self.open_orders_worst()?
        };
        let equity = cost.and_then(|cost| self.purse.equity(cost, after.net_option_value));
        let levels = equity.clone().map(|equity| {
            [after.maintenance, case.maintenance_drain].map(|maintenance| Level {
                equity,
                maintenance,
            })
        });
        Ok(Assessed {
            after,
            worst: case.requirement,
            excess: equity.map(|equity| equity - case.drain),
            coverage,
            levels,
            fall: None,
        })
    }

    /// The intraday margin level of the account as it is, with no open order filled and with them filled at their worst.
    pub(super) fn levels(&mut self) -> Result<Result<[Level; 2]>> {
        self.expose();
        if self.exposed.is_empty() {
            return Ok(self.level().map(|level| [level; 2]));
        }
        Ok(self.assess(None, 0.0, 0.0)?.levels)
    }

    /// The requirement of the prepared positions; its worst and the largest drains over fills of open orders; how they
    /// were found.
    fn open_orders_worst(&mut self) -> Result<(Requirement, FillsCase, Coverage)> {
        let (base, case) = self.book.next_worst(self.exposed.list()?)?;
        let (mut case, coverage) = match case {
            Some(case) if case.exact => (case.into(), Coverage::Exact),
            Some(case) => (case.into(), Coverage::Bound),
            None => (self.every_fill()?, Coverage::EveryFill),
        };
        // No fill at all is one of the sets.
        if base.initial > case.requirement {
            case.requirement = base.initial;
        }
        if base.initial > case.drain {
            case.drain = base.initial;
        }
        if base.maintenance > case.maintenance_drain {
            case.maintenance_drain = base.maintenance;
        }
        if !case.requirement.is_finite()
            || !case.drain.is_finite()
            || !case.maintenance_drain.is_finite()
        {
            fail!(
                CalculationError: NoNumber;
                "the worst case of open orders is not a finite number"
            );
        }
        Ok((base, case, coverage))
    }

    /// Margins every set of fills, or refuses where they are too many.
    fn every_fill(&mut self) -> Result<FillsCase> {
        let exposed = &self.exposed;
        let count = exposed.sets();
        if count > MAX_FILL_SETS {
            fail!(
                Unsupported,
                "{} open orders can fill in {count} ways, and the rulebook has no closed form for the worst of them: at most {MAX_FILL_SETS} are margined one by one; fewer lots, fewer orders, or all-or-none orders",
                exposed.list()?.len()
            );
        }
        self.book.every_fill(exposed, count)
    }
}
