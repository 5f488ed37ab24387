//! Contracts and market resolved into the plain numbers a crypto venue reprices: coins, forwards, years, vols, units.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::feeds::settlement_parts;
use super::parameters::{Model, Parameters, SpotTreatment, UnitOf};
use crate::contract::{Contract, ContractIndex, Contracts, Exercise, Kind, Settlement};
use crate::error::{MarginError, Result};
use crate::fail;
use crate::market::Market;
use crate::pricing::{black, implied};
use crate::time::Expiry;

/// What nets in one scan.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct UnitKey {
    pub(super) underlying: String,
    /// The settlement currency; empty where the unit spans all of them.
    pub(super) currency: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Option,
    Future,
    Perpetual,
    Spot,
}

/// One expiry of one unit.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExpirySlot {
    pub(super) years: f64,
    pub(super) days: f64,
    pub(super) seconds: f64,
}

/// One contract as numbers. Money is in the settlement currency.
#[derive(Debug, Clone)]
pub(super) struct Instrument {
    pub(super) unit: u32,
    pub(super) class: Class,
    pub(super) inverse: bool,
    /// Coins per lot.
    pub(super) coins: f64,
    /// Its own forward or mark; for an option the part that still moves plus the part already fixed.
    pub(super) forward: f64,
    /// The part of an option's forward that its settlement average has fixed.
    pub(super) fixed: f64,
    pub(super) strike: f64,
    pub(super) right: i8,
    pub(super) vol: f64,
    /// Row of the unit's expiries; perpetuals and spot have their own, without years.
    pub(super) expiry: u32,
    /// Row of the unit's strikes.
    pub(super) strike_slot: u32,
    /// Discount factor of an option's value.
    pub(super) discount: f64,
    /// Units of the unit's currency for one of the settlement currency (linear contracts of a unit that spans several).
    pub(super) to_unit: f64,
    /// An option's quoted mark per coin, in its settlement currency, where a formula needs it.
    pub(super) mark: f64,
}

/// One unit's instruments and what they share.
#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) key: UnitKey,
    pub(super) index: f64,
    pub(super) inverse: bool,
    pub(super) expiries: Vec<ExpirySlot>,
    /// (expiry, strike) pairs in ascending order of expiry, then strike.
    pub(super) strikes: Vec<(u32, f64)>,
    /// The contract rows of the unit, ascending.
    pub(super) rows: Vec<ContractIndex>,
}

/// Everything resolved.
#[derive(Debug, Clone)]
pub(super) struct Resolved {
    pub(super) units: Vec<Unit>,
    /// By contract row.
    pub(super) instruments: Vec<Instrument>,
}

/// Names collected from several contracts, so that one error names all of them.
#[derive(Default)]
struct Missing(Vec<String>);

impl Missing {
    fn take<T>(&mut self, result: Result<T>) -> Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(MarginError::MissingData(why)) => {
                self.0.push(why);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    fn refuse(self) -> Result<()> {
        if self.0.is_empty() {
            return Ok(());
        }
        let shown: Vec<&str> = self.0.iter().take(5).map(String::as_str).collect();
        let more = if self.0.len() > 5 {
            format!(" (and {} more)", self.0.len() - 5)
        } else {
            String::new()
        };
        fail!(MissingData, "{}{more}", shown.join("; "))
    }
}

fn class_of(contract: &Contract) -> Result<Class> {
    Ok(match contract.kind() {
        Kind::Option => Class::Option,
        Kind::Future => Class::Future,
        Kind::Perpetual => Class::Perpetual,
        Kind::Spot => Class::Spot,
        other => fail!(
            NotApplicable,
            "'{}' is a {other:?}: crypto venues margin options, futures, perpetuals and spot",
            contract.id()
        ),
    })
}

/// Coins per lot: the multiplier counts coins, or dollars at the contract's own mark.
fn coins_of(contract: &Contract, mark: f64) -> Result<f64> {
    let terms = contract.terms();
    let inverse = terms.settlement == Settlement::Inverse;
    let in_coin = match terms.multiplier_unit.as_deref() {
        Some(unit) => unit == "coin" || unit == contract.underlying(),
        None if inverse && contract.kind() != Kind::Option => fail!(
            InvalidInput,
            "'{}' is inverse: say multiplier_unit=\"USD\" (its face) or \"coin\"",
            contract.id()
        ),
        None => true,
    };
    let size = contract.value_per_lot();
    Ok(if in_coin { size } else { size / mark })
}

/// Forward of an option's expiry: the market's, the mark of a future of the table with that expiry, or spot at the
/// market's rate of the quote currency.
struct Forwards<'a> {
    contracts: &'a Contracts,
    market: &'a Market,
    known: BTreeMap<(String, i64), Option<f64>>,
    futures: BTreeMap<(String, i64), f64>,
}

impl<'a> Forwards<'a> {
    fn new(contracts: &'a Contracts, market: &'a Market) -> Self {
        let mut futures = BTreeMap::new();
        for (row, contract) in contracts.iter() {
            if let (Kind::Future, Some(expiry)) = (contract.kind(), contract.expiry())
                && let Ok(mark) = market.linear_price(contracts, row)
            {
                futures.insert(
                    (
                        contract.underlying().to_string(),
                        expiry.instant.as_second(),
                    ),
                    mark,
                );
            }
        }
        Self {
            contracts,
            market,
            known: BTreeMap::new(),
            futures,
        }
    }

    fn of(&mut self, row: ContractIndex, expiry: &Expiry, years: f64) -> Result<f64> {
        let contract = &self.contracts.rows()[row as usize];
        let symbol = self.contracts.root_symbol(row);
        let key = (symbol.to_string(), expiry.instant.as_second());
        let found = match self.known.get(&key) {
            Some(found) => *found,
            None => {
                let found = self.find(symbol, expiry, &key, contract, years)?;
                self.known.insert(key, found);
                found
            }
        };
        match found {
            Some(forward) if forward > 0.0 => Ok(forward),
            Some(forward) => fail!(
                InvalidInput,
                "forward of '{}' is {forward}: it must be positive",
                contract.id()
            ),
            None => fail!(
                MissingData,
                "no forward of {symbol} for '{}': add it to market.forward, or a rate of {} to market.rate",
                contract.id(),
                quote_currency(contract)
            ),
        }
    }

    fn find(
        &self,
        symbol: &str,
        expiry: &Expiry,
        key: &(String, i64),
        contract: &Contract,
        years: f64,
    ) -> Result<Option<f64>> {
        if let Some(forward) = self.market.forward(symbol, expiry) {
            return Ok(Some(forward));
        }
        if let Some(&mark) = self.futures.get(key) {
            return Ok(Some(mark));
        }
        match self.market.rate(quote_currency(contract), expiry.date) {
            Ok(rate) => {
                let carry = rate - self.market.dividend_yield(symbol);
                Ok(Some(self.market.spot(symbol)? * (carry * years).exp()))
            }
            Err(MarginError::MissingData(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}

/// The currency a contract is quoted in: coin-settled contracts are quoted in dollars.
fn quote_currency(contract: &Contract) -> &str {
    if contract.terms().settlement == Settlement::Inverse {
        "USD"
    } else {
        contract.currency()
    }
}

/// Resolves every contract, or names those the market says too little about.
pub(super) fn resolve(
    parameters: &Parameters,
    contracts: &Arc<Contracts>,
    market: &Market,
) -> Result<Resolved> {
    market.refuse_expired(contracts)?;
    let mut keys: BTreeMap<UnitKey, Vec<ContractIndex>> = BTreeMap::new();
    for (row, contract) in contracts.iter() {
        class_of(contract)?;
        let currency = match parameters.unit {
            UnitOf::Settlement => contract.currency().to_string(),
            UnitOf::Underlying => String::new(),
        };
        keys.entry(UnitKey {
            underlying: contracts.root_symbol(row).to_string(),
            currency,
        })
        .or_default()
        .push(row);
    }
    let mut missing = Missing::default();
    let mut forwards = Forwards::new(contracts, market);
    let mut found: Vec<Option<Instrument>> = vec![None; contracts.len()];
    let mut units = Vec::with_capacity(keys.len());
    for (key, rows) in keys {
        let Some(index) = missing.take(market.spot(&key.underlying))? else {
            continue;
        };
        let inverse = rows
            .iter()
            .any(|&r| contracts.rows()[r as usize].terms().settlement == Settlement::Inverse)
            && parameters.unit == UnitOf::Settlement;
        let mut unit = Unit {
            key,
            index,
            inverse,
            expiries: Vec::new(),
            strikes: Vec::new(),
            rows,
        };
        slots(parameters, contracts, market, &mut unit);
        for &row in &unit.rows {
            let made = instrument(parameters, contracts, market, row, &unit, &mut forwards);
            found[row as usize] = missing.take(made)?.map(|i| Instrument {
                unit: units.len() as u32,
                ..i
            });
        }
        units.push(unit);
    }
    missing.refuse()?;
    let instruments = found.into_iter().flatten().collect();
    Ok(Resolved { units, instruments })
}

/// Expiries and strikes of a unit in ascending order; the first expiry slot is that of undated contracts.
fn slots(parameters: &Parameters, contracts: &Contracts, market: &Market, unit: &mut Unit) {
    let mut instants: Vec<i64> = Vec::new();
    for &row in &unit.rows {
        if let Some(expiry) = contracts.rows()[row as usize].expiry() {
            instants.push(expiry.instant.as_second());
        }
    }
    instants.sort_unstable();
    instants.dedup();
    unit.expiries.push(ExpirySlot {
        years: 0.0,
        days: 0.0,
        seconds: 0.0,
    });
    let now = market.valuation();
    for second in &instants {
        let seconds = *second as f64 - now.as_nanosecond() as f64 * 1e-9;
        let days = seconds / 86_400.0;
        unit.expiries.push(ExpirySlot {
            years: days / parameters.year_days,
            days,
            seconds,
        });
    }
    let mut strikes: Vec<(u32, f64)> = Vec::new();
    for &row in &unit.rows {
        let contract = &contracts.rows()[row as usize];
        if let (Some(strike), Some(expiry)) = (contract.terms().strike, contract.expiry()) {
            let at = instants.partition_point(|&s| s < expiry.instant.as_second());
            strikes.push((at as u32 + 1, strike));
        }
    }
    strikes.sort_unstable_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    strikes.dedup();
    unit.strikes = strikes;
}

fn expiry_slot(unit: &Unit, market: &Market, expiry: &Expiry) -> u32 {
    let seconds =
        expiry.instant.as_second() as f64 - market.valuation().as_nanosecond() as f64 * 1e-9;
    let at = unit.expiries[1..].partition_point(|e| e.seconds < seconds);
    at as u32 + 1
}

fn instrument(
    parameters: &Parameters,
    contracts: &Contracts,
    market: &Market,
    row: ContractIndex,
    unit: &Unit,
    forwards: &mut Forwards<'_>,
) -> Result<Instrument> {
    let contract = &contracts.rows()[row as usize];
    let class = class_of(contract)?;
    let inverse = contract.terms().settlement == Settlement::Inverse;
    let to_unit = if parameters.unit == UnitOf::Underlying && !inverse {
        market.fx(
            contract.currency(),
            parameters.currency.as_deref().unwrap_or("USD"),
        )?
    } else {
        1.0
    };
    let mut made = Instrument {
        unit: 0,
        class,
        inverse,
        coins: 0.0,
        forward: 0.0,
        fixed: 0.0,
        strike: 0.0,
        right: 0,
        vol: 0.0,
        expiry: 0,
        strike_slot: 0,
        discount: 1.0,
        to_unit,
        mark: 0.0,
    };
    let Some(option) = contract.option() else {
        made.forward = market.linear_price(contracts, row)?;
        if made.forward <= 0.0 && parameters.spot != SpotTreatment::CollateralOnly {
            fail!(
                InvalidInput,
                "price of '{}' is {}: it must be positive",
                contract.id(),
                made.forward
            );
        }
        made.coins = coins_of(contract, made.forward)?;
        if let Some(expiry) = contract.expiry() {
            made.expiry = expiry_slot(unit, market, expiry);
        }
        return Ok(made);
    };
    if option.exercise != Exercise::European {
        fail!(
            NotApplicable,
            "'{}' is American: crypto venues list European options",
            contract.id()
        );
    }
    made.expiry = expiry_slot(unit, market, option.expiry);
    made.strike = option.strike;
    made.right = option.right.sign();
    made.strike_slot = unit.strikes.partition_point(|s| {
        s.0.cmp(&made.expiry)
            .then(s.1.total_cmp(&option.strike))
            .is_lt()
    }) as u32;
    made.coins = coins_of(contract, unit.index)?;
    let slot = unit.expiries[made.expiry as usize];
    let formula = parameters.model == Model::Standard;
    let quoted = market.price(contracts, row);
    // A formula on a quoted mark reads the forward only where its rules say so; the index stands in elsewhere.
    let forward = match forwards.of(row, option.expiry, slot.years) {
        Err(MarginError::MissingData(_))
            if formula && quoted.is_some() && !parameters.reads_forward() =>
        {
            unit.index
        }
        other => other?,
    };
    let symbol = contracts.root_symbol(row);
    let written = contract.terms().expiry.as_deref().unwrap_or_default();
    let feed = parameters.feeds.expiry(symbol, written);
    (made.fixed, made.forward) = match parameters.settlement_window {
        Some(window) => settlement_parts(
            forward,
            slot.seconds,
            window,
            feed.and_then(|f| f.settlement_average),
            contract.id(),
        )?,
        None => (0.0, forward),
    };
    made.forward += made.fixed;
    if parameters.model == Model::Pmrm && parameters.pmrm.as_ref().is_some_and(|p| p.discounted) {
        let rate = rate_of(parameters, market, contract, option.expiry, symbol)?;
        made.discount = (-if rate > 0.0 { rate } else { 0.0 } * slot.years).exp();
    }
    if let (Model::Standard | Model::Srm, Some(mark)) = (parameters.model, quoted) {
        made.mark = mark;
        return Ok(made);
    }
    made.vol = match feed.and_then(|f| f.svi) {
        Some(svi) => svi.vol(option.strike),
        None => vol_of(contracts, market, row, &made, slot.years)?,
    };
    if matches!(parameters.model, Model::Standard | Model::Srm) {
        let value = black::forward_price_one(
            made.forward,
            made.strike,
            slot.years,
            made.vol,
            made.right,
            1.0,
        );
        made.mark = if inverse { value / made.forward } else { value };
    }
    Ok(made)
}

/// The zero rate a manager reads: its own feed's, else the market's for the settlement currency.
pub(super) fn rate_of(
    parameters: &Parameters,
    market: &Market,
    contract: &Contract,
    expiry: &Expiry,
    symbol: &str,
) -> Result<f64> {
    let written = contract.terms().expiry.as_deref().unwrap_or_default();
    match parameters
        .feeds
        .expiry(symbol, written)
        .and_then(|f| f.rate)
    {
        Some(rate) => Ok(rate),
        None => market
            .rate(contract.currency(), expiry.date)
            .map_err(|e| e.at(format!("'{}'", contract.id()))),
    }
}

/// The market's vol, or the one its mark implies.
fn vol_of(
    contracts: &Contracts,
    market: &Market,
    row: ContractIndex,
    made: &Instrument,
    years: f64,
) -> Result<f64> {
    if let Some(vol) = market.vol(contracts, row) {
        return Ok(vol);
    }
    let id = contracts.rows()[row as usize].id();
    let Some(mark) = market.price(contracts, row) else {
        fail!(
            MissingData,
            "no vol and no price for option '{id}': add one to market.vol or market.price"
        );
    };
    let price = if made.inverse {
        mark * made.forward
    } else {
        mark
    } / made.discount;
    implied::black_one(
        price,
        made.forward,
        made.strike,
        years,
        0.0,
        0.0,
        made.right,
    )
    .map_err(|status| {
        MarginError::MissingData(format!(
            "the price {mark} of option '{id}' implies no vol ({}): add its vol to market.vol",
            status.message()
        ))
    })
}
