//! Many accounts, or the positions of one, margined one by one.

use crate::account::{Account, AccountTerms, AccountView, Holdings};
use crate::report::MarginBatch;
use crate::seam::{Prepared, Scratch};
use kernel::error::Result;

/// Accounts that are objects rather than columns: each is bound to the prepared table, then margined.
pub fn margin_list(
    prepared: &dyn Prepared,
    accounts: &[Account],
    threads: usize,
) -> Result<MarginBatch> {
    MarginBatch::gather(accounts.len(), threads, 64, 256, |first, out| {
        let mut scratch = Scratch::default();
        for (i, row) in out.iter_mut().enumerate() {
            let account = &accounts[first + i];
            let one = |scratch: &mut Scratch| {
                let holdings = account.bind(prepared.contracts())?;
                prepared.requirement(holdings.view(&account.terms), scratch)
            };
            *row = one(&mut scratch).map_err(|e| e.at(format!("account {}", first + i)))?;
        }
        Ok(())
    })
}

/// The initial requirements of every position margined alone, added up.
pub fn standalone_sum(prepared: &dyn Prepared, account: AccountView<'_>) -> Result<f64> {
    let mut scratch = Scratch::default();
    let positions = account.positions;
    let terms = AccountTerms {
        kind: account.terms.kind.clone(),
        ..AccountTerms::default()
    };
    let mut sum = 0.0;
    for i in 0..positions.len() {
        let alone = Holdings::from_rows(
            vec![(positions.contract[i], positions.long(i), positions.short(i))],
            positions.short.is_some(),
        )?;
        sum += prepared
            .requirement(alone.view(&terms), &mut scratch)?
            .initial;
    }
    Ok(sum)
}
