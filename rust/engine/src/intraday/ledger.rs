//! An open account through a day: transaction by transaction, market by market.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::transaction::{Step, Transaction};
use crate::account::Account;
use crate::live::LiveAccount;
use crate::preparation::Preparation;
use kernel::error::Result;
use kernel::fail;

/// An open account that follows a day's markets.
pub(super) struct Ledger<'a> {
    markets: &'a [Arc<Preparation>],
    pub(super) account: LiveAccount,
    at: usize,
}

impl<'a> Ledger<'a> {
    pub(super) fn open(
        markets: &'a [Arc<Preparation>],
        account: &Account,
        haircuts: &BTreeMap<String, f64>,
    ) -> Result<Self> {
        let Some(first) = markets.first() else {
            fail!(InvalidInput: OutOfRange; "intraday: at least one market is needed");
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
    pub(super) fn go(&mut self, market: usize) -> Result<()> {
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

    pub(super) fn step(&mut self, number: usize, transaction: &Transaction) -> Result<Step> {
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
