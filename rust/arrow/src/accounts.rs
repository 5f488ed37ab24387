//! Accounts of a table of positions, all in memory, with their labels.

use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::Schema;
use engine::account::Accounts;
use engine::contract::Contracts;
use kernel::error::Result;

use crate::columns::Columns;
use crate::gather::Gather;
use crate::input::Input;
use crate::labels::{AccountLabels, Labels};

/// Reads accounts from record batches, their rows in any order.
pub struct AccountsReader {
    contracts: Arc<Contracts>,
    input: Input,
    gather: Gather,
    count: Option<usize>,
}

impl AccountsReader {
    /// `count` says that accounts are numbered from 0 and how many there are; without it what they are called are labels.
    pub fn new(
        contracts: Arc<Contracts>,
        columns: Columns,
        is_gross: bool,
        kind: Option<String>,
        count: Option<usize>,
    ) -> Self {
        Self {
            input: Input::new(&contracts, columns, is_gross, true),
            gather: Gather::new(is_gross, kind),
            contracts,
            count,
        }
    }

    /// Refuses a source whose columns are not those of a table of positions.
    pub fn look(&self, source: &Schema) -> Result<()> {
        self.input.places(source).map(|_| ())
    }

    pub fn push(&mut self, batch: &RecordBatch) -> Result<()> {
        self.input.open(batch)?;
        let gather = &mut self.gather;
        self.input
            .read(&self.contracts, batch, |slice| gather.add(&slice))
    }

    /// The accounts by ascending label, with their labels where there are any; or by number.
    ///
    /// # Errors
    /// What the first account is refused for, by its name.
    pub fn finish(mut self) -> Result<(Accounts, Option<AccountLabels>)> {
        let mut whole = match self.count {
            Some(count) => self.gather.numbered(&self.contracts, count)?,
            None => self.gather.finish(&self.contracts)?,
        };
        whole.raise()?;
        let labels = match &whole.labels {
            Some(labels) => Some(Labels::read("account", labels)?.all()),
            None => None,
        };
        Ok((whole.accounts, labels))
    }
}
