//! Data that is missing, collected from many contracts so that one error names all of it.

use std::collections::BTreeSet;

use kernel::error::{MarginError, Result};

/// How many are named; the rest is counted.
const NAMED: usize = 5;

/// [`MarginError::MissingData`] of several contracts, in the order they were met.
#[derive(Default)]
pub struct Missing {
    named: Vec<MarginError>,
    messages: BTreeSet<String>,
}

impl Missing {
    /// The value, or nothing where data was missing for it: [`Self::refuse`] says so in the end. Other errors stay.
    pub fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(missing @ MarginError::MissingData(_)) => {
                let new = self.messages.insert(missing.message().to_string());
                if new && self.named.len() < NAMED {
                    self.named.push(missing);
                }
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    /// One error with the code of the first, or nothing where all was there.
    pub fn refuse(&self) -> Result<()> {
        let more = self.messages.len() - self.named.len();
        let mut message = (self.named.iter())
            .map(MarginError::message)
            .collect::<Vec<_>>()
            .join("; ");
        if more > 0 {
            message.push_str(&format!(" (and {more} more)"));
        }
        match self.named.first() {
            Some(first) => Err(first.clone().say(message)),
            None => Ok(()),
        }
    }
}
