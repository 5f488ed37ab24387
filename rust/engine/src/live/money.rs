//! What trades cost and holdings are worth, beside the requirement: payment style, marks and exchange rates by contract.
//!
//! Sizes are those the crypto rulebooks see: a multiplier that counts money holds its face over the price in coins.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::order::Order;
use super::trade::Trade;
use crate::account::{AccountTerms, AccountView, Positions};
use crate::contract::{Contract, ContractIndex, Kind, Premium, Settlement};
use crate::market::Market;
use crate::report::Requirement;
use crate::seam::Prepared;
use kernel::error::Result;
use kernel::fail;

/// How a trade is paid for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pays {
    /// An option's premium, up front; its value is in the net option value.
    Premium,
    /// In full: stock, ETF, spot. The holding is an asset at its mark.
    Outright,
    /// Nothing up front; profit and loss is settled in money (futures, perpetuals, futures-style options).
    Variation,
}

#[derive(Debug, Clone, Copy)]
struct ContractMoney {
    pays: Pays,
    is_option: bool,
    /// Quoted in dollars and paid in the coin. An option's premium is quoted in what it is paid in.
    inverse: bool,
    /// Whether it can trade below zero: futures can (crude oil in April 2020).
    trades_below_zero: bool,
    /// Units of the underlying per lot; of money where `is_face`.
    size: f64,
    is_face: bool,
    fx: Option<f64>,
    mark: Option<f64>,
}

impl ContractMoney {
    /// Units of the underlying in one lot at a price: a face value holds fewer the higher the price.
    fn units(&self, price: f64) -> f64 {
        if self.is_face {
            self.size / price
        } else {
            self.size
        }
    }

    /// What lots bought at one price have gained at another, in the contract's currency. A face value settled in
    /// coin gains `face (1 / from - 1 / to)`, one coin settled in coin `1 - from / to`, a face value settled in money
    /// `face (to / from - 1)`.
    fn gain(&self, lots: i64, from: f64, to: f64) -> f64 {
        let gain = lots as f64 * self.units(from) * (to - from);
        if self.inverse { gain / to } else { gain }
    }

    /// What lots are worth at a price, in the contract's currency.
    fn worth(&self, lots: i64, price: f64) -> f64 {
        let units = lots as f64 * self.units(price);
        if self.inverse { units } else { units * price }
    }

    /// Refuses a price, or a contract, that says nothing of the money a lot is worth.
    fn check(&self, contract: ContractIndex, price: f64) -> Result<()> {
        if self.is_face && self.is_option {
            fail!(
                Unsupported,
                "contract row {contract}: the premium of an option whose multiplier counts money: state its multiplier in units of the underlying"
            );
        }
        if (self.is_face || self.inverse) && price <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "contract row {contract}: price {price}: a contract sized in money or settled in coin has positive prices only"
            );
        }
        Ok(())
    }
}

/// Payment terms of a prepared table under one market. Shared by the accounts opened on it.
#[derive(Debug)]
pub struct Money {
    rows: Vec<ContractMoney>,
    rates: BTreeMap<String, f64>,
    report: String,
    /// Seconds since 1970 of the market's valuation.
    pub valuation: Option<f64>,
}

fn pays(contract: &Contract) -> Pays {
    match (contract.kind(), contract.terms().premium) {
        (Kind::Option, Premium::Upfront) => Pays::Premium,
        (Kind::Option, Premium::FuturesStyle) | (Kind::Future | Kind::Perpetual, _) => {
            Pays::Variation
        }
        _ => Pays::Outright,
    }
}

impl Money {
    /// Rates come from the prepared rulebook, then from the market. Without a market nothing has a mark.
    pub fn new(prepared: &dyn Prepared, market: Option<&Market>) -> Arc<Self> {
        let contracts = prepared.contracts();
        let currencies = prepared.currencies();
        let report = currencies.report().to_string();
        let mut rates: BTreeMap<String, f64> = BTreeMap::new();
        let rate_of = |name: &str| market.and_then(|m| m.rates().rate(name, &report));
        for name in market.iter().flat_map(|m| m.rates().names()) {
            if let Some(rate) = rate_of(name) {
                rates.insert(name.to_string(), rate);
            }
        }
        for c in 0..currencies.len() {
            rates.insert(currencies.name(c).to_string(), currencies.fx(c));
        }
        let rows = contracts
            .iter()
            .map(|(row, contract)| {
                let currency = contract.currency();
                if !rates.contains_key(currency)
                    && let Some(rate) = rate_of(currency)
                {
                    rates.insert(currency.to_string(), rate);
                }
                ContractMoney {
                    pays: pays(contract),
                    is_option: contract.kind() == Kind::Option,
                    inverse: contract.terms().settlement == Settlement::Inverse
                        && contract.kind() != Kind::Option,
                    trades_below_zero: contract.kind() == Kind::Future
                        && contract.terms().settlement == Settlement::Linear,
                    size: contract.value_per_lot(),
                    is_face: contract.counts_money(),
                    fx: rates.get(currency).copied(),
                    mark: market.and_then(|m| match contract.kind() {
                        Kind::Option => m.price(contracts, row),
                        _ => m.linear_price(contracts, row).ok(),
                    }),
                }
            })
            .collect();
        Arc::new(Self {
            rows,
            rates,
            report,
            valuation: market.map(|m| m.valuation().as_nanosecond() as f64 / 1e9),
        })
    }

    /// The mark of a contract in its quote, where the market has one.
    pub fn mark(&self, contract: ContractIndex) -> Option<f64> {
        self.rows[contract as usize].mark
    }

    /// Refuses an order at a price the contract cannot trade at.
    pub(super) fn check_price(&self, order: &Order) -> Result<()> {
        if order.price < 0.0 && !self.rows[order.contract as usize].trades_below_zero {
            fail!(
                InvalidInput: OutOfRange;
                "order '{}': price is {}: only futures trade below zero",
                order.id,
                order.price
            );
        }
        Ok(())
    }

    /// Absolute value of a quantity at a price, in the report's currency.
    pub(super) fn notional(&self, contract: ContractIndex, lots: i64, price: f64) -> Result<f64> {
        let row = &self.rows[contract as usize];
        row.check(contract, price)?;
        Ok((row.worth(lots, price) * self.rate_of(contract)?).abs())
    }

    fn rate_of(&self, contract: ContractIndex) -> Result<f64> {
        match self.rows[contract as usize].fx {
            Some(fx) => Ok(fx),
            None => fail!(
                MissingData: MissingFx;
                "contract row {contract}: no exchange rate of its currency into {}: add it to market.fx",
                self.report
            ),
        }
    }

    /// Units of the report's currency for one of another currency or asset.
    pub fn rate(&self, currency: &str) -> Result<f64> {
        match self.rates.get(currency) {
            Some(&rate) => Ok(rate),
            None => fail!(
                MissingData: MissingFx;
                "no exchange rate from {currency} to {}: add '{currency}/{}' to market.fx",
                self.report,
                self.report
            ),
        }
    }

    /// What a trade of signed lots takes from the account's cash, in the contract's currency. What settles in money
    /// is settled to its mark at once, where there is one.
    pub(super) fn payment(&self, contract: ContractIndex, lots: i64, price: f64) -> Result<f64> {
        let row = &self.rows[contract as usize];
        row.check(contract, price)?;
        Ok(match (row.pays, row.mark) {
            (Pays::Premium | Pays::Outright, _) => row.worth(lots, price),
            (Pays::Variation, None) => 0.0,
            (Pays::Variation, Some(mark)) => {
                row.check(contract, mark)?;
                -row.gain(lots, price, mark)
            }
        })
    }

    /// What a trade takes from the account's cash without its fees, in the contract's currency: nothing where it states no
    /// price.
    pub(super) fn paid(&self, trade: &Trade) -> Result<f64> {
        match trade.price {
            Some(price) => self.payment(trade.contract, trade.lots, price),
            None => Ok(0.0),
        }
    }

    /// What a trade takes from the excess beside requirement and option value, fees included (in the contract's
    /// currency), in the report's currency.
    pub(super) fn cost(&self, trade: &Trade) -> Result<f64> {
        let row = &self.rows[trade.contract as usize];
        let mut cost = self.paid(trade)? + trade.fees;
        if row.pays == Pays::Outright {
            cost -= self.outright(trade.contract, trade.lots)?;
        }
        Ok(cost * self.rate_of(trade.contract)?)
    }

    fn outright(&self, contract: ContractIndex, lots: i64) -> Result<f64> {
        let row = &self.rows[contract as usize];
        match row.mark {
            Some(mark) => {
                row.check(contract, mark)?;
                Ok(row.worth(lots, mark))
            }
            None => fail!(
                MissingData: MissingPrice;
                "contract row {contract}: no mark to value the holding at: open the account with a market that quotes it"
            ),
        }
    }

    /// The value of holdings that are paid in full, in the report's currency.
    pub(super) fn holdings(&self, positions: Positions<'_>) -> Result<f64> {
        let mut value = 0.0;
        for i in 0..positions.len() {
            let (contract, lots) = (positions.contract[i], positions.net(i));
            if self.rows[contract as usize].pays == Pays::Outright {
                value += self.outright(contract, lots)? * self.rate_of(contract)?;
            }
        }
        Ok(value)
    }

    /// Money that flowed on holdings settled in money, from this market's marks to another's: by contract, in its
    /// currency.
    pub(super) fn variation(&self, next: &Self, contract: ContractIndex, lots: i64) -> Result<f64> {
        let (row, moved) = (&self.rows[contract as usize], &next.rows[contract as usize]);
        match (row.pays, row.mark, moved.mark) {
            (Pays::Variation, Some(from), Some(to)) => {
                row.check(contract, from)?;
                row.check(contract, to)?;
                Ok(row.gain(lots, from, to))
            }
            _ => Ok(0.0),
        }
    }

    /// [`MarginReport::cash_balance_required`](crate::report::MarginReport::cash_balance_required). Without `haircuts`
    /// collateral has no value: `None` where there is any.
    pub(crate) fn cash_balance_required(
        &self,
        requirement: Requirement,
        account: AccountView<'_>,
        haircuts: Option<&BTreeMap<String, f64>>,
    ) -> Option<f64> {
        let holdings = self.holdings(account.positions).ok()?;
        let collateral = match haircuts {
            Some(haircuts) => self.collateral(account.terms, haircuts).ok()?,
            None if account
                .terms
                .collateral
                .values()
                .all(|&amount| amount == 0.0) =>
            {
                0.0
            }
            None => return None,
        };
        let balance = requirement.less_option_value() - holdings - collateral;
        balance.is_finite().then_some(balance)
    }

    /// Cash and collateral in the report's currency; `haircuts` are fractions taken off, by asset.
    pub(super) fn funds(
        &self,
        terms: &AccountTerms,
        haircuts: &BTreeMap<String, f64>,
    ) -> Result<f64> {
        let mut value = self.collateral(terms, haircuts)?;
        for (currency, &amount) in &terms.cash {
            if amount != 0.0 {
                value += amount * self.rate(currency)?;
            }
        }
        Ok(value)
    }

    /// Collateral in the report's currency, `haircuts` taken off.
    fn collateral(&self, terms: &AccountTerms, haircuts: &BTreeMap<String, f64>) -> Result<f64> {
        let mut value = 0.0;
        for (asset, &amount) in &terms.collateral {
            if amount != 0.0 {
                let kept = 1.0 - haircuts.get(asset).copied().unwrap_or(0.0);
                value += amount * self.rate(asset)? * kept;
            }
        }
        Ok(value)
    }
}
