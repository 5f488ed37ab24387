//! Accounts, contracts and requirements as Arrow columns: what comes from databases, files and engines of queries is read as
//! it lies in memory, a slice at a time.
//!
//! [`Margins`] takes record batches of positions and gives record batches of requirements: whole accounts, wherever the
//! borders of batches are. Every buffer is checked before it is read, as another program has filled it.

mod accounts;
mod columns;
mod contracts;
mod gather;
mod input;
mod labels;
mod margins;
mod pending;
mod positions;
mod requirements;
mod table;
mod taken;
mod text;
mod whole;

pub use accounts::AccountsReader;
pub use columns::Columns;
pub use contracts::{ContractsReader, contracts};
pub use labels::{AccountLabels, Order};
pub use margins::{Margins, Request};
pub use requirements::Errors;
pub use table::refused;
