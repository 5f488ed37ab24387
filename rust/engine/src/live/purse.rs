//! What the account is worth beside its requirement: cash, collateral after haircuts, and holdings paid in full.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::money::Money;
use crate::account::AccountView;
use crate::bounds;
use crate::report::Requirement;
use kernel::error::Result;
use kernel::fail;

#[derive(Clone)]
pub(super) struct Purse {
    money: Arc<Money>,
    /// Cash and collateral, and holdings paid in full, in the report's currency.
    funds: Result<f64>,
    holdings: Result<f64>,
    /// Fractions taken off collateral, by asset.
    haircuts: BTreeMap<String, f64>,
}

impl Purse {
    /// An empty one: [`Self::value`] fills it.
    pub(super) fn new(money: Arc<Money>, haircuts: BTreeMap<String, f64>) -> Result<Self> {
        for (asset, &haircut) in &haircuts {
            bounds::fraction(format_args!("haircut of {asset}"), haircut)?;
        }
        Ok(Self {
            money,
            funds: Ok(0.0),
            holdings: Ok(0.0),
            haircuts,
        })
    }

    #[inline]
    pub(super) fn money(&self) -> &Arc<Money> {
        &self.money
    }

    /// Takes other marks and rates, at which nothing is valued yet.
    pub(super) fn revalue_at(&mut self, money: Arc<Money>) {
        self.money = money;
    }

    /// Values money and positions as they stand.
    pub(super) fn value(&mut self, account: AccountView<'_>) {
        self.funds = self.money.funds(account.terms, &self.haircuts);
        self.holdings = self.money.holdings(account.positions);
    }

    /// The cash that must stand in the account for a requirement of it; `None` where a mark or a rate is missing.
    pub(super) fn cash_balance_required(
        &self,
        requirement: Requirement,
        account: AccountView<'_>,
    ) -> Option<f64> {
        self.money
            .cash_balance_required(requirement, account, Some(&self.haircuts))
    }

    /// Equity after a trade that takes `cost` from it, with options worth `net_option_value`; in the report's currency.
    #[inline]
    pub(super) fn equity(&self, cost: f64, net_option_value: f64) -> Result<f64> {
        match (&self.funds, &self.holdings) {
            (Ok(funds), Ok(holdings)) => {
                let equity = funds - cost + net_option_value + holdings;
                if !equity.is_finite() {
                    fail!(
                        CalculationError: NoNumber;
                        "the equity is not a finite number: a balance, a quantity or a price is too large"
                    );
                }
                Ok(equity)
            }
            (Err(error), _) | (_, Err(error)) => Err(error.clone()),
        }
    }
}
