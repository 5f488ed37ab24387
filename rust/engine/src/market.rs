//! One snapshot of a market, its valuation time inside.

pub mod fx;
mod prices;
mod quotes;
mod snapshot;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::{Timestamp, Zoned};
use serde::{Deserialize, Serialize};

use self::fx::Rates;
use self::prices::{Prices, check_sign, range};
use self::quotes::Rows;
use self::snapshot::{Dated, ForwardExpiry, Forwards, check_quote};
use crate::bounds::{self, MAX_APART};
use crate::contract::{
    Contract, ContractIndex, Contracts, Exercise, Kind, Premium, Right, check_identifier,
};
use crate::time::{Expiry, parse_instant};
use kernel::error::{MarginError, Result};
use kernel::fail;
use kernel::float::larger;

pub use self::prices::Column;
pub use self::quotes::Quotes;
pub use self::snapshot::{Curve, Dividend, Forward, Snapshot};

/// A checked market snapshot. Immutable.
#[derive(Debug, Clone)]
pub struct Market {
    snapshot: Snapshot,
    valuation: Zoned,
    curves: Dated,
    dividends: Dated,
    forwards: Forwards,
    rates: Rates,
    price_column: Option<Column>,
    vol_column: Option<Column>,
    extremes: Extremes,
    prices: Prices,
    /// The quotes by row of the table that the market is used with.
    rows: Option<Rows>,
    marks: Marks,
}

/// Tables of fewer rows are looked up by id: to find their quotes once would save nothing.
const LARGE_TABLE: usize = 256;

/// What bounds an option's mark, in the unit of the mark: prices, and the discount of each to the expiry.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    pub underlying: f64,
    /// Of the underlying: one at its forward.
    pub carry: f64,
    pub strike: f64,
    pub discount: f64,
}

/// What becomes of quotes whose underlying moves without them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Marks {
    /// They are refused: the change has to bring new ones.
    #[default]
    Refuse,
    /// They stay as they are, and so does the value they give to holdings.
    Keep,
}

/// The smallest and the largest size of numbers, zero not counted; one is always among them.
#[derive(Debug, Clone)]
struct Extremes {
    quote: (f64, f64),
    fx: (f64, f64),
}

impl Market {
    pub fn new(snapshot: Snapshot) -> Result<Self> {
        Self::with_columns(snapshot, None, None)
    }

    pub fn with_columns(
        snapshot: Snapshot,
        price: Option<Column>,
        vol: Option<Column>,
    ) -> Result<Self> {
        Self::check(snapshot, price, vol, None).map_err(|e| e.at("market"))
    }

    /// This market with another snapshot, which comes of its own by other prices and vols by id. What they do not touch is
    /// neither checked nor looked up again.
    pub(crate) fn moved(
        &self,
        snapshot: Snapshot,
        price: &BTreeMap<String, f64>,
        vol: &BTreeMap<String, f64>,
    ) -> Result<Self> {
        let columns = (self.price_column.clone(), self.vol_column.clone());
        let market = Self::check(snapshot, columns.0, columns.1, Some(self));
        Ok(Self {
            rows: self.rows.as_ref().map(|rows| rows.after(price, vol)),
            ..market.map_err(|e| e.at("market"))?
        })
    }

    /// This market with its quotes found by row of the table it is to be used with.
    pub(crate) fn with_rows_of(self: &Arc<Self>, contracts: &Arc<Contracts>) -> Arc<Self> {
        let by_id = !(self.snapshot.price.is_empty() && self.snapshot.vol.is_empty());
        if self.rows_of(contracts).is_some() || !by_id || contracts.len() < LARGE_TABLE {
            return self.clone();
        }
        let (price, vol) = (
            |row| self.price(contracts, row),
            |row| self.vol(contracts, row),
        );
        Arc::new(Self {
            rows: Some(Rows::new(contracts, price, vol)),
            ..Self::clone(self)
        })
    }

    fn rows_of(&self, contracts: &Contracts) -> Option<&Rows> {
        self.rows.as_ref().filter(|rows| rows.are_of(contracts))
    }

    fn check(
        snapshot: Snapshot,
        price_column: Option<Column>,
        vol_column: Option<Column>,
        old: Option<&Self>,
    ) -> Result<Self> {
        let valuation = parse_instant(&snapshot.valuation).map_err(|e| e.at("valuation"))?;
        for (symbol, &value) in &snapshot.spot {
            check_identifier("spot symbol", symbol)?;
            check_quote("spot", symbol, value)?;
        }
        for (symbol, &value) in &snapshot.dividend_yield {
            bounds::dividend_yield(format_args!("dividend_yield of '{symbol}'"), value)?;
        }
        for (symbol, &value) in &snapshot.borrow {
            bounds::borrow(format_args!("borrow of '{symbol}'"), value)?;
        }
        let own = |values: fn(&Snapshot) -> &Quotes| {
            let same = old.filter(|old| values(&old.snapshot).shares(values(&snapshot)));
            (values(&snapshot), same)
        };
        let (price, vol) = (own(|s| &s.price), own(|s| &s.vol));
        for (what, (values, same)) in [("price", price), ("vol", vol)] {
            for (id, &value) in values.iter().filter(|_| same.is_none()) {
                check_quote(what, id, value)?;
            }
        }
        let prices = match price.1 {
            Some(same) => same.prices.clone(),
            None => Prices::new(price.0, price_column.as_ref()),
        };
        let rates = Rates::new(&snapshot.fx)?;
        let (forwards, curves, dividends) = (
            snapshot::forwards(&snapshot.forward)?,
            snapshot::curves(&snapshot.rate)?,
            snapshot::dividends(&snapshot)?,
        );
        let forward = snapshot.forward.iter().map(|f| &f.price);
        let (least, most) = &prices.extremes;
        let quotes = snapshot.spot.values().chain(forward).chain([least, most]);
        let extremes = Extremes {
            quote: range(quotes),
            fx: range(snapshot.fx.values()),
        };
        Ok(Self {
            snapshot,
            valuation,
            curves,
            dividends,
            forwards,
            rates,
            price_column,
            vol_column,
            extremes,
            prices,
            rows: None,
            marks: Marks::default(),
        })
    }

    /// The same market, its marks of another time than what they are written on where they are kept: they are not
    /// held against it.
    #[must_use]
    pub fn with_marks(mut self, marks: Marks) -> Self {
        self.marks = marks;
        self
    }

    /// Whether marks are of the time of what they are written on.
    pub fn marks(&self) -> Marks {
        self.marks
    }

    /// Refuses a table that the market's numbers cannot be of: see [`Self::check_sizes`] and [`check_sign`].
    pub(crate) fn check_table(&self, contracts: &Contracts) -> Result<()> {
        self.check_sizes(contracts)?;
        for id in &self.prices.below_zero {
            let Ok(row) = contracts.index_of(id) else {
                continue;
            };
            if let Some(value) = self.price(contracts, row) {
                check_sign(&contracts.rows()[row as usize], value).map_err(|e| e.at("market"))?;
            }
        }
        Ok(())
    }

    /// Refuses a table in which the largest lot's money is, at the largest quote and exchange rate, too much for sums.
    fn check_sizes(&self, contracts: &Contracts) -> Result<()> {
        let Some((contract, lot)) = contracts.largest_lot() else {
            return Ok(());
        };
        let Extremes { quote, fx } = &self.extremes;
        let quoted = if contracts.has_face_values() {
            larger(quote.1, 1.0 / quote.0)
        } else {
            quote.1
        };
        let factor = quoted * larger(fx.1, 1.0 / fx.0);
        bounds::per_lot(
            format_args!(
                "the largest quote and exchange rate of the market ({factor:e}) times the largest lot ('{}')",
                contract.id()
            ),
            lot * factor,
        )
    }

    pub fn snapshot(&self) -> &Snapshot {
        &self.snapshot
    }

    pub fn columns(&self) -> (Option<&Column>, Option<&Column>) {
        (self.price_column.as_ref(), self.vol_column.as_ref())
    }

    /// The valuation's date, in the zone it is stated in.
    pub fn date(&self) -> jiff::civil::Date {
        self.valuation.date()
    }

    pub fn valuation(&self) -> Timestamp {
        self.valuation.timestamp()
    }

    pub fn spot(&self, symbol: &str) -> Result<f64> {
        match self.snapshot.spot.get(symbol) {
            Some(&value) => Ok(value),
            None => fail!(
                MissingData: MissingSpot;
                "no spot price for '{symbol}': add it to market.spot"
            ),
        }
    }

    /// The forward of an underlying for an expiry, where the market states one.
    pub fn forward(&self, underlying: &str, expiry: &Expiry) -> Option<f64> {
        let written = self.forwards.get(underlying)?;
        let same = |at: &ForwardExpiry| match at {
            ForwardExpiry::Date(date) => *date == expiry.date,
            ForwardExpiry::Instant(instant) => *instant == expiry.instant,
        };
        written
            .iter()
            .find_map(|(at, price)| same(at).then_some(*price))
    }

    /// The continuously compounded zero rate to a date: linear between the curve's dates, flat outside them.
    pub fn rate(&self, currency: &str, date: Date) -> Result<f64> {
        let Some(nodes) = self.curves.get(currency) else {
            fail!(
                MissingData: MissingRate;
                "no interest rate for '{currency}': add it to market.rate (a number, or zero rates by date)"
            );
        };
        let after = nodes.partition_point(|&(d, _)| d < date);
        if after == 0 {
            return Ok(nodes[0].1);
        }
        let (from, low) = nodes[after - 1];
        let Some(&(to, high)) = nodes.get(after) else {
            return Ok(low);
        };
        let days = |a: Date, b: Date| f64::from(a.until(b).map_or(0, |s| s.get_days()));
        Ok(low + (high - low) * days(from, date) / days(from, to))
    }

    /// The continuous dividend yield of a symbol; zero where the market gives none, as for a stock that pays none.
    pub fn dividend_yield(&self, symbol: &str) -> f64 {
        self.snapshot
            .dividend_yield
            .get(symbol)
            .copied()
            .unwrap_or(0.0)
    }

    /// Dated cash dividends of a symbol after the valuation and up to a date, as (date, amount).
    pub fn dividends(&self, symbol: &str, until: Date) -> Vec<(Date, f64)> {
        let today = self.valuation.date();
        let all = self.dividends.get(symbol).map_or(&[][..], Vec::as_slice);
        all.iter()
            .copied()
            .filter(|&(date, _)| date > today && date <= until)
            .collect()
    }

    /// The mark of a contract, where the market quotes one.
    pub fn price(&self, contracts: &Contracts, row: ContractIndex) -> Option<f64> {
        if let Some(rows) = self.rows_of(contracts) {
            return rows.price.get(row);
        }
        let id = contracts.rows()[row as usize].id();
        if let Some(&value) = self.snapshot.price.get(id) {
            return Some(value);
        }
        self.price_column.as_ref()?.get(contracts, row)
    }

    /// The lognormal volatility of a contract, where the market quotes one: an annual fraction.
    pub fn lognormal_vol(&self, contracts: &Contracts, row: ContractIndex) -> Result<Option<f64>> {
        let vol = self.vol(contracts, row);
        if let Some(vol) = vol {
            let id = contracts.rows()[row as usize].id();
            bounds::vol(format_args!("vol of '{id}'"), vol)?;
        }
        Ok(vol)
    }

    /// Refuses the mark of an option above the most it can be worth: a call its underlying, a put its strike, each under
    /// its discount, in the mark's own unit. Options on another deliverable than `underlying` are not judged, nor marks
    /// that were kept while their underlying moved.
    pub fn check_option_mark(&self, contract: &Contract, mark: f64, most: &Most) -> Result<()> {
        let terms = contract.terms();
        let (Some(option), None, Marks::Refuse) =
            (contract.option(), contract.delivery(), self.marks)
        else {
            return Ok(());
        };
        // An option that may be exercised now is worth what that pays now; one settled daily is not discounted.
        let undiscounted =
            option.exercise == Exercise::American || terms.premium == Premium::FuturesStyle;
        let least = if undiscounted { 1.0 } else { 0.0 };
        let (value, of) = match option.right {
            Right::Call => (
                most.underlying * larger(most.carry, least),
                "its underlying",
            ),
            Right::Put => (most.strike * larger(most.discount, least), "its strike"),
        };
        bounds::option_mark(
            format_args!("price of '{}'", contract.id()),
            mark,
            value,
            format_args!("{of} discounted"),
        )
    }

    /// The volatility of a contract in its rulebook's units, where the market quotes one.
    pub fn vol(&self, contracts: &Contracts, row: ContractIndex) -> Option<f64> {
        if let Some(rows) = self.rows_of(contracts) {
            return rows.vol.get(row);
        }
        let id = contracts.rows()[row as usize].id();
        if let Some(&value) = self.snapshot.vol.get(id) {
            return Some(value);
        }
        self.vol_column.as_ref()?.get(contracts, row)
    }

    /// The mark of anything but an option: its own quote, or the spot of its symbol for cash instruments. Only a future
    /// may be at zero or below (crude oil in April 2020).
    pub fn linear_price(&self, contracts: &Contracts, row: ContractIndex) -> Result<f64> {
        let contract = &contracts.rows()[row as usize];
        let price = self.quoted_price(contracts, row)?;
        if price <= 0.0 && contract.kind() != Kind::Future {
            fail!(
                InvalidInput: Contradiction;
                "contract '{}': its price is {price}, and a {} has a positive one: leave unset values out of the market",
                contract.id(),
                contract.kind().name()
            );
        }
        Ok(price)
    }

    /// As [`Market::linear_price`], of any sign: a suspended stock may be carried at zero. The quote of a stock and the
    /// spot its options are priced from are one price: apart by more than [`MAX_APART`] they are refused.
    pub fn quoted_price(&self, contracts: &Contracts, row: ContractIndex) -> Result<f64> {
        let contract = &contracts.rows()[row as usize];
        if let Some(price) = self.price(contracts, row) {
            if price > 0.0
                && matches!(contract.kind(), Kind::Stock | Kind::Etf)
                && let Some(&spot) = self.snapshot.spot.get(contract.underlying())
                && (price - spot).abs() > MAX_APART * price
            {
                fail!(
                    InvalidInput: Contradiction;
                    "contract '{}': market.price says {price}, market.spot of '{}' says {spot}: give one, or both of the same time",
                    contract.id(),
                    contract.underlying()
                );
            }
            return Ok(price);
        }
        if let (Kind::Future, Some(expiry)) = (contract.kind(), contract.expiry())
            && let Some(forward) = self.forward(contract.underlying(), expiry)
        {
            return Ok(forward);
        }
        if matches!(contract.kind(), Kind::Future | Kind::Perpetual) {
            fail!(
                MissingData: MissingPrice;
                "no price for {:?} '{}': add it to market.price",
                contract.kind(),
                contract.id()
            );
        }
        self.spot(contract.underlying())
            .map_err(|e| e.at(format!("contract '{}'", contract.id())))
    }

    /// Units of `to` for one of `from`: the pair, its inverse, or one.
    pub fn fx(&self, from: &str, to: &str) -> Result<f64> {
        match self.rates.rate(from, to) {
            Some(rate) => Ok(rate),
            None => fail!(
                MissingData: MissingFx;
                "no exchange rate from {from} to {to}: add '{from}/{to}' to market.fx"
            ),
        }
    }

    /// The exchange rates as they were stated.
    pub fn rates(&self) -> &Rates {
        &self.rates
    }

    /// Whether marks that another market accepted are accepted here: those it kept may be refused now.
    pub fn accepts_marks_of(&self, before: Marks) -> bool {
        before == Marks::Refuse || self.marks == Marks::Keep
    }

    /// The first contract whose expiry lies before the valuation, as an error.
    pub fn refuse_expired(&self, contracts: &Contracts) -> Result<()> {
        if contracts
            .earliest_expiry()
            .is_none_or(|earliest| earliest >= self.valuation())
        {
            return Ok(());
        }
        for (row, contract) in contracts.iter() {
            if contract
                .expiry()
                .is_some_and(|e| e.is_before(self.valuation()))
            {
                fail!(
                    InvalidInput: BadTime;
                    "contracts row {row}: '{}' expired before the valuation {}: remove it",
                    contract.id(),
                    self.snapshot.valuation
                );
            }
        }
        Ok(())
    }
}

impl TryFrom<Snapshot> for Market {
    type Error = MarginError;
    fn try_from(snapshot: Snapshot) -> Result<Self> {
        Self::new(snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(json: serde_json::Value) -> Result<Market> {
        Market::new(serde_json::from_value(json).unwrap())
    }

    #[test]
    fn rates_interpolate_between_dates() {
        let m = market(serde_json::json!({"valuation": "2026-11-20T21:00:00Z",
            "rate": {"USD": {"2026-12-20": 0.04, "2027-01-19": 0.05}, "EUR": 0.02}}))
        .unwrap();
        let at = |d: &str| m.rate("USD", d.parse().unwrap()).unwrap();
        assert_eq!(at("2026-11-30"), 0.04);
        assert!((at("2027-01-04") - 0.045).abs() < 1e-15);
        assert_eq!(at("2028-01-01"), 0.05);
        assert!(matches!(
            m.rate("JPY", "2027-01-01".parse().unwrap()),
            Err(MarginError::MissingData(_))
        ));
    }

    #[test]
    fn bad_numbers_are_refused_by_name() {
        for (json, word) in [
            (
                serde_json::json!({"valuation": "2026-11-20T21:00:00"}),
                "zone",
            ),
            (
                serde_json::json!({"valuation": "2026-11-20T21:00:00Z", "fx": {"EURUSD": 0.0}}),
                "EURUSD",
            ),
            (
                serde_json::json!({"valuation": "2026-11-20T21:00:00Z", "price": {"X": 1.797e308}}),
                "price of 'X'",
            ),
            (
                serde_json::json!({"valuation": "2026-11-20T21:00:00Z", "forward": [
                    {"underlying": "SPX", "expiry": "2026-12-18", "price": 4500.0},
                    {"underlying": "SPX", "expiry": "2026-12-18", "price": 4510.0}]}),
                "forward of 'SPX' for 2026-12-18 is given twice",
            ),
        ] {
            let error = market(json).unwrap_err();
            assert!(error.message().contains(word), "{error}");
        }
        let mut snapshot = Snapshot {
            valuation: "2026-11-20T21:00:00Z".into(),
            ..Snapshot::default()
        };
        snapshot.spot.insert("SPX".into(), f64::NAN);
        assert!(Market::new(snapshot).is_err());
    }
}
