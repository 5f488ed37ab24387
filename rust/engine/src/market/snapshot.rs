//! The market as it is written: its types, and how dates and numbers in it are read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::quotes::Quotes;
use crate::bounds;
use crate::contract::Contracts;
use crate::names;
use crate::time::{parse_date, parse_instant};
use kernel::error::Result;
use kernel::fail;

/// A zero curve of one currency: continuously compounded annual fractions, flat or by date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Curve {
    Flat(f64),
    Dated(BTreeMap<String, f64>),
}

impl Curve {
    /// Its rate farthest from zero.
    pub(crate) fn farthest(&self) -> f64 {
        let farther = |a: f64, &b: &f64| if b.abs() > a.abs() { b } else { a };
        match self {
            Self::Flat(rate) => *rate,
            Self::Dated(rates) => rates.values().fold(0.0, farther),
        }
    }
}

/// A forward price of an underlying for one expiry, which is written as the contracts write theirs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    pub underlying: String,
    pub expiry: String,
    pub price: f64,
}

/// A cash dividend per unit of the underlying, with its ex-date.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dividend {
    pub date: String,
    pub amount: f64,
}

/// The market as written in a document. [`Market::new`] checks it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Snapshot {
    pub valuation: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub spot: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub forward: Vec<Forward>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dividends: BTreeMap<String, Vec<Dividend>>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dividend_yield: BTreeMap<String, f64>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rate: BTreeMap<String, Curve>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub borrow: BTreeMap<String, f64>,
    /// Marks by contract id, in the contract's quote.
    #[serde(default, skip_serializing_if = "Quotes::is_empty")]
    pub price: Quotes,
    /// Implied volatilities by contract id: annual fractions (0.18 is 18 %), or amounts where a rulebook prices by
    /// Bachelier's formula.
    #[serde(default, skip_serializing_if = "Quotes::is_empty")]
    pub vol: Quotes,
    /// Units of the second currency for one of the first: `{"EURUSD": 1.08}` or `{"BTC/USD": 70000}`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub fx: BTreeMap<String, f64>,
}

impl Snapshot {
    /// Refuses marks and vols of contracts that a table does not have.
    pub fn check_ids(&self, contracts: &Contracts) -> Result<()> {
        for (what, values) in [("price", &self.price), ("vol", &self.vol)] {
            for id in values.keys().filter(|id| contracts.index_of(id).is_err()) {
                let known = || contracts.iter().map(|(_, c)| c.id());
                names::refuse_unknown("market", what, "contract", id, known)?;
            }
        }
        Ok(())
    }
}

/// A forward's expiry: a date holds for every settlement on it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum ForwardExpiry {
    Date(Date),
    Instant(Timestamp),
}

/// Forwards by underlying, each with its expiry.
pub(super) type Forwards = BTreeMap<String, Vec<(ForwardExpiry, f64)>>;

/// Values by date, ascending; by currency or symbol.
pub(super) type Dated = BTreeMap<String, Vec<(Date, f64)>>;

pub(super) fn check_quote(what: &str, id: &str, value: f64) -> Result<()> {
    bounds::finite(format_args!("{what} of '{id}'"), value)?;
    // IBKR sends the largest double for "not set"; a number of that size is never a quote.
    if value.abs() > 1e15 {
        fail!(
        InvalidInput: NotFinite, place format_args!("{what} of '{id}'"), value value;
        "{what} of '{id}' is {value}: that is no quote; leave unset values out"
                );
    }
    if what == "vol" && value < 0.0 {
        fail!(
InvalidInput: OutOfRange, place format_args!("vol of '{id}'"), value value;
"vol of '{id}' is {value}: it is not negative");
    }
    Ok(())
}

/// Forwards by underlying; one expiry has one.
pub(super) fn forwards(written: &[Forward]) -> Result<Forwards> {
    let mut forwards = Forwards::new();
    for forward in written {
        let name = || format!("forward of '{}'", forward.underlying);
        check_quote("forward", &forward.underlying, forward.price)?;
        let expiry = if forward.expiry.contains('T') {
            parse_instant(&forward.expiry).map(|z| ForwardExpiry::Instant(z.timestamp()))
        } else {
            parse_date(&forward.expiry).map(ForwardExpiry::Date)
        };
        let expiry = expiry.map_err(|e| e.at(name()))?;
        let own = forwards.entry(forward.underlying.clone()).or_default();
        if own.iter().any(|(at, _)| *at == expiry) {
            fail!(
                InvalidInput: Duplicate;
                "{} for {} is given twice",
                name(),
                forward.expiry
            );
        }
        own.push((expiry, forward.price));
    }
    Ok(forwards)
}

/// Zero rates by currency, in order of date.
pub(super) fn curves(written: &BTreeMap<String, Curve>) -> Result<Dated> {
    let mut curves = BTreeMap::new();
    for (currency, curve) in written {
        let name = || format!("rate of {currency}");
        let nodes = match curve {
            Curve::Flat(rate) => vec![(Date::MIN, *rate)],
            Curve::Dated(dated) => dated
                .iter()
                .map(|(date, rate)| Ok((parse_date(date).map_err(|e| e.at(name()))?, *rate)))
                .collect::<Result<Vec<_>>>()?,
        };
        if nodes.is_empty() {
            fail!(InvalidInput: BadTime; "{} has no dates", name());
        }
        for &(_, rate) in &nodes {
            bounds::rate(name(), rate)?;
        }
        curves.insert(currency.clone(), nodes);
    }
    Ok(curves)
}

/// Cash dividends by symbol, in order of date.
pub(super) fn dividends(snapshot: &Snapshot) -> Result<Dated> {
    let mut dividends = BTreeMap::new();
    for (symbol, list) in &snapshot.dividends {
        if snapshot.dividend_yield.contains_key(symbol) {
            fail!(
                InvalidInput: Contradiction;
                "'{symbol}' has both dated dividends and a dividend_yield: give one"
            );
        }
        let mut dated = Vec::new();
        for dividend in list {
            bounds::finite(format_args!("dividend of '{symbol}'"), dividend.amount)?;
            if dividend.amount < 0.0 {
                fail!(
                    InvalidInput: OutOfRange;
                    "dividend of '{symbol}' on {} is negative",
                    dividend.date
                );
            }
            let date =
                parse_date(&dividend.date).map_err(|e| e.at(format!("dividend of '{symbol}'")))?;
            dated.push((date, dividend.amount));
        }
        dated.sort_by_key(|&(date, _)| date);
        dividends.insert(symbol.clone(), dated);
    }
    Ok(dividends)
}
