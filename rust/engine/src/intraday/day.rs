//! One account's day.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Ledger;
use super::order;
use super::transaction::{Step, Transaction};
use crate::account::Account;
use crate::live::Level;
use crate::preparation::Preparation;
use kernel::error::Result;
use kernel::{fail, interrupt};

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
