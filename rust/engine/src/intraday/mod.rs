//! A day of one account's transactions against its intraday margin level (FINRA 4210(a)(17)-(19), (d)(2)).
//!
//! | idea | file |
//! |---|---|
//! | transactions, and what each did to the level | `transaction.rs` |
//! | an open account that follows them and the day's markets | `ledger.rs` |
//! | the day | `day.rs` |
//! | the order that gives the highest deficit, where it is not known | `order.rs` |
//! | the same of transactions whose requirements do not separate | `part.rs` |
//! | many accounts' fills as columns | `columns.rs` |
//!
//! The engine finds levels; what is a deficit, how it ages and what it forbids is in `margincore.intraday`.

mod columns;
mod day;
mod ledger;
mod order;
mod part;
mod transaction;

pub use columns::{DayColumns, Fills, many};
pub use day::{Day, day};
pub use part::EXACT;
pub use transaction::{Step, Transaction};
