//! What happens to an account in a day, and what each did to the level.

use crate::live::{Level, Trade};

/// What was done as one: a fill, legs executed together, a deposit or withdrawal, an expiry, an exercise.
#[derive(Debug, Clone, PartialEq)]
pub struct Transaction {
    /// Without a price no cash moves: securities that come or go, options that expire.
    pub trades: Vec<Trade>,
    /// Amounts by currency; negative for a withdrawal.
    pub cash: Vec<(String, f64)>,
    /// At which of the day's markets its levels are taken, the one before it too.
    pub market: usize,
    /// Whether it counts where it lowers the level.
    pub counts: bool,
    /// Transactions of one place followed one another in an order nobody knows, after those of smaller places. `None`: at
    /// any time of the day.
    pub place: Option<u64>,
}

impl Transaction {
    pub(super) fn cash(&self) -> Vec<(&str, f64)> {
        self.cash
            .iter()
            .map(|(currency, amount)| (currency.as_str(), *amount))
            .collect()
    }
}

/// What one transaction did: the levels right before and right after it, at the same marks.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Its number among those given.
    pub transaction: usize,
    pub before: Level,
    pub after: Level,
    /// Whether it counts and lowered the level.
    pub reduces: bool,
}
