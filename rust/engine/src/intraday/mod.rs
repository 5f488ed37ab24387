//! A day of one account's transactions against its intraday margin level (FINRA 4210(a)(17)-(19), (d)(2)).
//!
//! | idea | file |
//! |---|---|
//! | transactions, and what each did to the level | `mod.rs` |
//! | the order that gives the highest deficit, where it is not known | `order.rs` |
//! | the same of transactions whose requirements do not separate | `part.rs` |
//! | many accounts' fills as columns | `columns.rs` |
//!
//! The engine finds levels; what is a deficit, how it ages and what it forbids is in `margincore.intraday`.

mod columns;
mod order;
mod part;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::account::Account;
use crate::live::{Level, LiveAccount, Trade};
use crate::preparation::Preparation;
use kernel::error::Result;
use kernel::{fail, interrupt};

pub use columns::{DayColumns, Fills, many};
pub use part::EXACT;

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
    fn cash(&self) -> Vec<(&str, f64)> {
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

/// A day in one order of its transactions.
#[derive(Debug, Clone, PartialEq)]
pub struct Day {
    pub steps: Vec<Step>,
    /// Before the first and after the last transaction, at the first and last of the markets.
    pub opening: Level,
    pub closing: Level,
    /// Where the order is not known and too many were possible to look at each: no order gives a level below this one.
    pub bound: Option<f64>,
}

impl Day {
    /// The step with the lowest level right after it, among those that lowered it; the first of equals.
    pub fn lowest(&self) -> Option<&Step> {
        self.steps
            .iter()
            .filter(|step| step.reduces)
            .min_by(|a, b| a.after.margin().total_cmp(&b.after.margin()))
    }
}

/// An open account that follows a day's markets.
struct Ledger<'a> {
    markets: &'a [Arc<Preparation>],
    account: LiveAccount,
    at: usize,
}

impl<'a> Ledger<'a> {
    fn open(
        markets: &'a [Arc<Preparation>],
        account: &Account,
        haircuts: &BTreeMap<String, f64>,
    ) -> Result<Self> {
        let Some(first) = markets.first() else {
            fail!(InvalidInput, "intraday: at least one market is needed");
        };
        Ok(Self {
            markets,
            account: LiveAccount::open(
                first.prepared.clone(),
                first.money(),
                account,
                haircuts.clone(),
            )?,
            at: 0,
        })
    }

    /// Moves to a market.
    fn go(&mut self, market: usize) -> Result<()> {
        if market != self.at {
            let Some(next) = self.markets.get(market) else {
                fail!(
                    InvalidInput,
                    "intraday: market {market} of {}",
                    self.markets.len()
                );
            };
            self.account.rebase(next.prepared.clone(), next.money())?;
            self.at = market;
        }
        Ok(())
    }

    fn step(&mut self, number: usize, transaction: &Transaction) -> Result<Step> {
        self.go(transaction.market)?;
        let before = self.account.level()?;
        self.account
            .transact(&transaction.trades, &transaction.cash())?;
        let after = self.account.level()?;
        Ok(Step {
            transaction: number,
            before,
            after,
            reduces: transaction.counts && after.is_below(&before),
        })
    }
}

/// A day of transactions. Where their order is not known it is the one that gives the lowest level right after a transaction
/// that lowers it. `separated`: refuse rulebooks and accounts the rule does not apply to, and search by what separates.
pub fn day(
    markets: &[Arc<Preparation>],
    account: &Account,
    haircuts: &BTreeMap<String, f64>,
    transactions: &[Transaction],
    separated: bool,
) -> Result<Day> {
    let opened = Ledger::open(markets, account, haircuts)?;
    let rows = opened.account.prepared().contracts().len();
    for (number, transaction) in transactions.iter().enumerate() {
        let trades = &transaction.trades;
        if let Some(trade) = trades.iter().find(|t| t.contract as usize >= rows) {
            fail!(
                InvalidInput,
                "intraday: transaction {number}: contract row {} of a table of {rows}",
                trade.contract
            );
        }
    }
    if separated {
        opened
            .account
            .prepared()
            .intraday(opened.account.view())
            .map(|_| ())?;
    }
    let opening = opened.account.level()?;
    let (order, bound) = order::worst(opened, transactions, separated)?;
    let mut ledger = Ledger::open(markets, account, haircuts)?;
    let mut steps = Vec::with_capacity(transactions.len());
    for number in order {
        interrupt::check()?;
        let step = ledger
            .step(number, &transactions[number])
            .map_err(|e| e.at(format!("transaction {number}")))?;
        steps.push(step);
    }
    ledger.go(markets.len() - 1)?;
    Ok(Day {
        steps,
        opening,
        closing: ledger.account.level()?,
        bound,
    })
}
