//! A day's fills of many accounts as columns.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::ledger::Ledger;
use crate::account::{Account, Accounts, Position};
use crate::live::Trade;
use crate::preparation::Preparation;
use kernel::error::Result;
use kernel::{fail, interrupt, parallel};

/// Fills in the order they happened, one entry each.
#[derive(Debug, Clone, Copy)]
pub struct Fills<'a> {
    pub account: &'a [u32],
    pub contract: &'a [u32],
    /// Signed lots.
    pub lots: &'a [i64],
    pub price: &'a [f64],
    pub fees: &'a [f64],
    /// At which of the markets its levels are taken; none: at the first.
    pub market: &'a [u32],
}

/// One entry per account.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DayColumns {
    /// The lowest level right after a fill that lowered it, and the equity then; not a number where none did.
    pub lowest: Vec<f64>,
    pub equity: Vec<f64>,
    /// The row of that fill; -1 where none.
    pub fill: Vec<i64>,
    /// After the last fill, at the last market.
    pub closing: Vec<f64>,
}

/// What a day came to in one account.
#[derive(Clone, Copy)]
struct Outcome {
    lowest: f64,
    equity: f64,
    fill: i64,
    closing: f64,
}

/// The levels of many accounts' days. `cash` is one balance per account in the report's currency. Independent of `threads`.
pub fn many(
    markets: &[Arc<Preparation>],
    accounts: &Accounts,
    cash: &[f64],
    fills: Fills<'_>,
    threads: usize,
) -> Result<DayColumns> {
    let count = accounts.len();
    let rows = fills.account.len();
    let lengths = [
        ("contract", fills.contract.len()),
        ("quantity", fills.lots.len()),
        ("price", fills.price.len()),
        ("fees", fills.fees.len()),
        (
            "market",
            if fills.market.is_empty() {
                rows
            } else {
                fills.market.len()
            },
        ),
    ];
    for (name, length) in lengths {
        if length != rows {
            fail!(
                InvalidInput: WrongShape;
                "intraday: {name} has {length} rows and account {rows}"
            );
        }
    }
    if cash.len() != count {
        fail!(
            InvalidInput,
            "intraday: cash has {} rows for {count} accounts",
            cash.len()
        );
    }
    if let Some(row) = fills.account.iter().position(|&a| a as usize >= count) {
        fail!(
            InvalidInput,
            "intraday: fill {row}: account {} of {count}",
            fills.account[row]
        );
    }
    // Counting sort by account; within one, the order given.
    let mut start = vec![0_usize; count + 1];
    for &account in fills.account {
        start[account as usize + 1] += 1;
    }
    for account in 0..count {
        start[account + 1] += start[account];
    }
    let (mut next, mut order) = (start.clone(), vec![0_usize; rows]);
    for (row, &account) in fills.account.iter().enumerate() {
        let place = &mut next[account as usize];
        order[*place] = row;
        *place += 1;
    }
    let mut out = vec![
        Outcome {
            lowest: f64::NAN,
            equity: f64::NAN,
            fill: -1,
            closing: f64::NAN,
        };
        count
    ];
    parallel::chunks(&mut out, 1, threads, 8, |first, out| {
        for (i, outcome) in out.iter_mut().enumerate() {
            let account = first + i;
            let own = &order[start[account]..start[account + 1]];
            *outcome = one(markets, accounts, account, cash[account], fills, own)
                .map_err(|e| e.at(format!("account {account}")))?;
        }
        Ok(())
    })?;
    let mut columns = DayColumns::default();
    for outcome in out {
        columns.lowest.push(outcome.lowest);
        columns.equity.push(outcome.equity);
        columns.fill.push(outcome.fill);
        columns.closing.push(outcome.closing);
    }
    Ok(columns)
}

fn one(
    markets: &[Arc<Preparation>],
    accounts: &Accounts,
    account: usize,
    cash: f64,
    fills: Fills<'_>,
    rows: &[usize],
) -> Result<Outcome> {
    let view = accounts.view(account);
    let Some(prepared) = markets.first().map(|market| &market.prepared) else {
        fail!(InvalidInput: OutOfRange; "intraday: at least one market is needed");
    };
    prepared.intraday(view)?;
    let table = prepared.contracts().rows();
    let mut opened = Account {
        terms: view.terms.clone(),
        ..Account::default()
    };
    for i in 0..view.positions.len() {
        let contract = table[view.positions.contract[i] as usize].clone();
        opened
            .positions
            .push(Position::new(contract, view.positions.net(i))?);
    }
    opened
        .terms
        .add_cash(prepared.currencies().report(), cash)?;
    let mut ledger = Ledger::open(markets, &opened, &BTreeMap::new())?;
    let mut outcome = Outcome {
        lowest: f64::NAN,
        equity: f64::NAN,
        fill: -1,
        closing: 0.0,
    };
    for &row in rows {
        interrupt::check()?;
        ledger.go(fills.market.get(row).map_or(0, |&market| market as usize))?;
        let before = ledger.account.level()?;
        let trade = Trade {
            price: Some(fills.price[row]),
            fees: fills.fees[row],
            ..Trade::new(fills.contract[row], fills.lots[row])
        };
        ledger
            .account
            .transact(&[trade], &[])
            .map_err(|e| e.at(format!("fill {row}")))?;
        let after = ledger.account.level()?;
        if after.is_below(&before) && (outcome.fill < 0 || after.margin() < outcome.lowest) {
            outcome.lowest = after.margin();
            outcome.equity = after.equity;
            outcome.fill = row as i64;
        }
    }
    ledger.go(markets.len() - 1)?;
    outcome.closing = ledger.account.level()?.margin();
    Ok(outcome)
}
