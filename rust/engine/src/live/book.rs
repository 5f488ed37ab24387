//! The positions, what the rulebook keeps of them, and the positions of a question.
//!
//! A question is put in steps: [`Book::prepare`] sets the trades' positions apart, the others ask about those. Nothing
//! is kept of it until [`Book::take`]. Numbers are made in three places, each of which looks at the processor's state first:
//! [`Book::keep`] and its like, [`Book::prepare`] and [`Book::estimate`].

use std::sync::Arc;

use super::exposed::{Exposed, Fill};
use super::fills::FillsCase;
use super::trade::Trade;
use crate::account::{Account, AccountTerms, AccountView, Holdings};
use crate::contract::ContractIndex;
use crate::report::Requirement;
use crate::seam::{Estimate, Exposure, Live, Prepared, WorstCase, finite};
use kernel::error::Result;
use kernel::fail;
use kernel::{interrupt, simd};

pub(super) struct Book {
    positions: Holdings,
    terms: AccountTerms,
    live: Box<dyn Live>,
    /// What the next positions are kept in before they are the account's: a change that fails has changed nothing.
    spare: Option<Box<dyn Live>>,
    /// Of the positions, open orders not counted.
    requirement: Requirement,
    /// Rows of the prepared table.
    rows: usize,
    /// The positions of a question, and the contracts they differ in.
    next: Holdings,
    changed: Vec<ContractIndex>,
    /// The same with open orders filled.
    trial: Holdings,
}

impl Book {
    /// The account's positions in the rows of a prepared table; [`Self::keep`] has to follow.
    pub(super) fn open(prepared: &Arc<dyn Prepared>, account: &Account) -> Result<Self> {
        let positions = account.bind(prepared.contracts())?;
        prepared.admit(positions.view(&account.terms))?;
        Ok(Self {
            live: prepared.clone().live(),
            spare: None,
            rows: prepared.contracts().len(),
            next: positions.clone(),
            trial: positions.clone(),
            positions,
            terms: account.terms.clone(),
            requirement: Requirement::default(),
            changed: Vec::new(),
        })
    }

    /// The same positions and money, nothing kept of them yet: [`Self::keep`] has to follow.
    pub(super) fn copy(&self, prepared: &Arc<dyn Prepared>) -> Self {
        Self {
            live: prepared.clone().live(),
            spare: None,
            rows: self.rows,
            positions: self.positions.clone(),
            next: self.positions.clone(),
            trial: self.positions.clone(),
            terms: self.terms.clone(),
            requirement: self.requirement,
            changed: Vec::new(),
        }
    }

    /// Moves to another preparation, with other money. On an error nothing has changed.
    pub(super) fn rebase(
        &mut self,
        prepared: &Arc<dyn Prepared>,
        terms: AccountTerms,
    ) -> Result<()> {
        simd::check_environment()?;
        let mut live = prepared.clone().live();
        self.requirement = finite(live.keep(self.positions.view(&terms))?)?;
        self.live = live;
        self.spare = None;
        self.rows = prepared.contracts().len();
        self.terms = terms;
        Ok(())
    }

    #[inline]
    pub(super) fn view(&self) -> AccountView<'_> {
        self.positions.view(&self.terms)
    }

    #[inline]
    pub(super) fn positions(&self) -> &Holdings {
        &self.positions
    }

    pub(super) fn terms(&self) -> &AccountTerms {
        &self.terms
    }

    #[inline]
    pub(super) fn requirement(&self) -> Requirement {
        self.requirement
    }

    /// Refuses a contract that is in no row of the table.
    #[inline]
    pub(super) fn known(&self, contract: ContractIndex) -> Result<()> {
        if contract as usize >= self.rows {
            fail!(
                InvalidInput: OutOfRange;
                "contract row {contract} of a table of {}",
                self.rows
            );
        }
        Ok(())
    }

    /// Margins positions and money as they stand, from scratch.
    pub(super) fn keep(&mut self) -> Result<()> {
        simd::check_environment()?;
        self.requirement = finite(self.live.keep(self.positions.view(&self.terms))?)?;
        Ok(())
    }

    /// Sets positions with trades applied apart.
    #[inline]
    pub(super) fn prepare(&mut self, trades: &[Trade]) -> Result<()> {
        simd::check_environment()?;
        self.next.assign(&self.positions);
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

    /// The requirement of the prepared positions.
    #[inline]
    pub(super) fn next_requirement(&mut self) -> Result<Requirement> {
        let view = self.next.view(&self.terms);
        finite(self.live.requirement(view, &self.changed)?)
    }

    /// The requirement of the prepared positions, and its worst over fills of open orders where the rulebook has a closed
    /// form for it.
    pub(super) fn next_worst(
        &mut self,
        orders: &[Exposure],
    ) -> Result<(Requirement, Option<WorstCase>)> {
        let view = self.next.view(&self.terms);
        let (requirement, case) = self.live.assess(view, &self.changed, orders)?;
        Ok((finite(requirement)?, case))
    }

    /// The worst of the prepared positions over `sets` sets of fills of open orders, each margined.
    pub(super) fn every_fill(&mut self, orders: &Exposed, sets: u64) -> Result<FillsCase> {
        let kept = self.changed.len();
        for exposure in orders.list()? {
            if !self.changed.contains(&exposure.contract) {
                self.changed.push(exposure.contract);
            }
        }
        let mut worst = FillsCase {
            requirement: 0.0,
            drain: f64::NEG_INFINITY,
            maintenance_drain: f64::NEG_INFINITY,
        };
        let mut base_value = None;
        for set in 0..sets {
            interrupt::check()?;
            let (own, cost) = self.filled(orders.set(set))?;
            let base = *base_value.get_or_insert(own.net_option_value);
            let drain = own.initial + cost - (own.net_option_value - base);
            let maintenance_drain = own.maintenance + cost - (own.net_option_value - base);
            if own.initial > worst.requirement {
                worst.requirement = own.initial;
            }
            if drain > worst.drain {
                worst.drain = drain;
            }
            if maintenance_drain > worst.maintenance_drain {
                worst.maintenance_drain = maintenance_drain;
            }
        }
        self.changed.truncate(kept);
        Ok(worst)
    }

    /// The requirement of the prepared positions with open orders filled, and what the fills cost.
    fn filled(&mut self, fills: impl Iterator<Item = Fill>) -> Result<(Requirement, f64)> {
        self.trial.assign(&self.next);
        let mut cost = 0.0;
        for fill in fills {
            self.trial.trade(fill.contract, fill.lots, fill.effect)?;
            cost += fill.cost;
        }
        let view = self.trial.view(&self.terms);
        let own = finite(self.live.requirement(view, &self.changed)?)?;
        Ok((own, cost))
    }

    /// Makes the prepared positions the account's own, with other money. On an error nothing has changed.
    pub(super) fn take(&mut self, prepared: &Arc<dyn Prepared>, terms: AccountTerms) -> Result<()> {
        let live = self.spare.get_or_insert_with(|| prepared.clone().live());
        self.requirement = finite(live.keep(self.next.view(&terms))?)?;
        std::mem::swap(&mut self.live, live);
        self.positions.assign(&self.next);
        self.terms = terms;
        Ok(())
    }

    /// The requirement after one more trade of the positions, from kept sums; `None` where there are none that are numbers.
    #[inline]
    pub(super) fn estimate(
        &mut self,
        contract: ContractIndex,
        lots: i64,
    ) -> Result<Option<Estimate>> {
        simd::check_environment()?;
        let view = self.positions.view(&self.terms);
        let estimate = self.live.after(view, contract, lots);
        Ok(estimate.filter(|e| e.initial.is_finite() && e.band.is_finite()))
    }

    #[inline]
    pub(super) fn is_convex(&self, contract: ContractIndex) -> bool {
        self.live.is_convex(contract)
    }

    pub(super) fn convex_between(&self, contract: ContractIndex) -> Option<i64> {
        self.live.convex_between(contract)
    }
}
