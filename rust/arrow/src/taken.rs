//! Whole accounts, taken from what has been read.

use arrow_array::{Array, ArrayRef};
use engine::account::Accounts;
use kernel::error::{MarginError, Result};

use crate::labels::Labels;

/// What is refused, by account.
pub(crate) type Faults = Vec<Option<MarginError>>;

/// Whole accounts: their positions, their labels, and what is refused of each.
pub(crate) struct Whole {
    pub(crate) accounts: Accounts,
    /// `None` of accounts that are numbered from 0.
    pub(crate) labels: Option<ArrayRef>,
    pub(crate) faults: Faults,
}

impl Whole {
    /// The first account that is refused, by its name.
    pub(crate) fn raise(&mut self) -> Result<()> {
        let Some(at) = self.faults.iter().position(Option::is_some) else {
            return Ok(());
        };
        let error = self.faults[at].take().expect("found just above");
        let Some(labels) = &self.labels else {
            return Err(error.at(format!("account {at}")));
        };
        let named = labels.slice(at, 1);
        let labels = Labels::read("account", &named)?;
        Err(error.at(labels.at(0)))
    }
}
