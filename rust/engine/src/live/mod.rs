//! The live account: margin watched between trades, and the check before an order.
//!
//! [`Live`](crate::seam::Live) is what a rulebook keeps of an open account; [`LiveAccount`] is the account itself, made of
//! four parts, each with its fields to itself:
//!
//! | part | file | what it holds |
//! |---|---|---|
//! | book | `book.rs` | positions, their requirement, and those of a question |
//! | purse | `purse.rs` | cash, collateral after haircuts, holdings paid in full |
//! | orders | `orders.rs` | reserved orders, and what of them may still be filled (`exposed.rs`) |
//! | gate | `gate.rs` | kill switch, throttle, counters |
//!
//! The questions stand on top, one in a file: `check.rs`, `worst.rs`, `search.rs`; and `messages.rs`, what orders become.
//! [`SharedAccount`] (`shared.rs`) is the account between threads.

mod account;
mod book;
mod check;
mod exposed;
mod fills;
mod gate;
mod intraday;
mod level;
mod messages;
mod money;
mod order;
mod orders;
mod purse;
mod search;
mod shared;
mod trade;
mod walk;
mod worst;

pub use account::LiveAccount;
pub use level::Level;
pub use money::Money;
pub use order::{Coverage, Decision, Limit, Order, Reason, Side};
pub use orders::{OpenOrder, Orders};
pub use search::{Hedge, MOST};
pub use shared::{BUDGET, OrderCheck, SharedAccount, Tried, Unfinished};
pub use trade::{Trade, WhatIf};
pub use worst::MAX_FILLS;
