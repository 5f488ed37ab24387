//! The live account: margin watched between trades, and the check before an order.
//!
//! [`Live`](crate::seam::Live) is what a rulebook keeps of an open account; [`LiveAccount`] is the account itself:
//! positions, money, open orders, and the questions asked about them.

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
