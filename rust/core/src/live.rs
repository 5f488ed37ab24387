//! The live account: margin watched between trades, and the check before an order.
//!
//! [`Live`] is what a rulebook keeps of an open account; [`Recompute`] keeps nothing and is right for all of them.
//! [`LiveAccount`] is the account itself: positions, money, open orders, and the questions asked about them.

mod account;
mod check;
mod messages;
mod money;
mod order;
mod orders;
mod search;
mod worst;

pub use account::{LiveAccount, Trade, WhatIf};
pub use money::Money;
pub use order::{Decision, Limit, Order, Reason, Side};
pub use orders::{Coverage, OpenOrder};
pub use search::{Hedge, MOST};
pub use worst::MAX_FILLS;

use std::sync::Arc;

use crate::account::AccountView;
use crate::contract::ContractIndex;
use crate::error::Result;
use crate::methods::{Prepared, Scratch};
use crate::report::Requirement;

/// An initial requirement from kept sums, and how far from a fresh one it can lie.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub initial: f64,
    /// At most this far from a fresh requirement: `2 (n + 2) 2^-53` times the sum of `|quantity * value|`.
    pub band: f64,
}

/// One open order as a rulebook sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    pub contract: ContractIndex,
    /// Signed lots that may still be filled.
    pub lots: i64,
    /// What a complete fill takes from the account's excess beside requirement and option value.
    pub cost: f64,
}

/// The largest values over every set of fills of the open orders.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WorstCase {
    pub requirement: f64,
    /// Requirement plus costs less the option value gained: what the excess loses at most.
    pub drain: f64,
    /// Whether the values are reached, not only bounds.
    pub exact: bool,
}

/// What a rulebook keeps of one open account between trades. Every answer but [`Live::after`]'s has the bits of a
/// fresh requirement.
pub trait Live: Send {
    /// Takes the account as it is now.
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement>;

    /// The requirement of other positions, which differ from the kept ones in the contracts of `changed` only.
    /// Nothing is kept.
    fn requirement(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
    ) -> Result<Requirement>;

    /// The requirement after one more trade of the kept account, from kept sums; `None` where there are none.
    fn after(
        &mut self,
        _account: AccountView<'_>,
        _contract: ContractIndex,
        _lots: i64,
    ) -> Option<Estimate> {
        None
    }

    /// The worst case over fills of open orders, for positions as in [`Live::requirement`]; `None` where the
    /// rulebook has no closed form.
    fn worst_case(
        &mut self,
        _account: AccountView<'_>,
        _changed: &[ContractIndex],
        _orders: &[Exposure],
    ) -> Result<Option<WorstCase>> {
        Ok(None)
    }

    /// [`Live::requirement`] and [`Live::worst_case`] of the same positions at once.
    fn assess(
        &mut self,
        account: AccountView<'_>,
        changed: &[ContractIndex],
        orders: &[Exposure],
    ) -> Result<(Requirement, Option<WorstCase>)> {
        let requirement = self.requirement(account, changed)?;
        Ok((requirement, self.worst_case(account, changed, orders)?))
    }

    /// Where requirement and drain are convex functions of the lots held of this contract between whole multiples of a
    /// number of them, zero among these, whatever else is held: that number. Then the worst partial fill lies at a
    /// multiple or next to one.
    fn convex_between(&self, _contract: ContractIndex) -> Option<i64> {
        None
    }

    /// Whether requirement and drain are convex functions of the lots of this contract, whatever else is held: then the
    /// fills that pass are one interval, and the worst fill of an order is none of it or all of it.
    fn is_convex(&self, _contract: ContractIndex) -> bool {
        false
    }
}

/// Keeps nothing: every answer is a fresh requirement.
pub struct Recompute {
    prepared: Arc<dyn Prepared>,
    scratch: Scratch,
}

impl Recompute {
    pub fn new(prepared: Arc<dyn Prepared>) -> Self {
        Self {
            prepared,
            scratch: Scratch::default(),
        }
    }
}

impl Live for Recompute {
    fn keep(&mut self, account: AccountView<'_>) -> Result<Requirement> {
        self.prepared.requirement(account, &mut self.scratch)
    }

    fn requirement(
        &mut self,
        account: AccountView<'_>,
        _changed: &[ContractIndex],
    ) -> Result<Requirement> {
        self.prepared.requirement(account, &mut self.scratch)
    }
}
