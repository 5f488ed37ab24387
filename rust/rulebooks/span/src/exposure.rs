//! Exposure margin beside SPAN, as NSE charges it: a share of the notional of futures and short options. NSE Clearing's
//! pages on equity derivatives' margins have the general rates, its daily AEL file those of single symbols.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::model::{ContractKind, SpanFile};
use crate::options::Options;
use engine::account::AccountView;
use engine::report::{Ledger, LineText};
use kernel::error::Result;
use kernel::fail;

/// Rates by symbol: fractions of notional.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SymbolRates {
    /// Futures, and options that are not far out of the money.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub other: f64,
    /// Options further out of the money than [`Exposure::far_out`].
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Signed>")
    )]
    pub far_out: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Exposure {
    pub index_rates: SymbolRates,
    pub stock_rates: SymbolRates,
    /// Symbols that have the index rates; all others have those of stocks.
    pub index_symbols: BTreeSet<String>,
    /// How far a strike must be from spot, as a fraction of spot, to count as far out of the money.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub far_out: f64,
    /// Index options expiring in more than `months` calendar months.
    pub long_dated_months: u32,
    /// Rate on long-dated index options, as a fraction of notional.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub long_dated_rate: f64,
    /// The exchange's daily table: rates of single symbols, used before the general ones.
    #[serde(default)]
    pub table: BTreeMap<String, SymbolRates>,
}

impl Exposure {
    /// Exposure per contract, long and short, in the contract's currency.
    fn contract(&self, file: &SpanFile, row: usize, spots: &[Option<f64>]) -> Result<(f64, f64)> {
        let (series, family) = (file.series_of(row), file.family_of(row));
        let symbol = &family.code;
        let index = self.index_symbols.contains(symbol);
        let general = if index {
            &self.index_rates
        } else {
            &self.stock_rates
        };
        let rates = self.table.get(symbol).unwrap_or(general);
        if family.kind == ContractKind::Physical {
            return Ok((0.0, 0.0));
        }
        if !family.kind.is_option() {
            let value = rates.other * file.contracts.value[row];
            if value.is_nan() {
                fail!(
                    MissingData: MissingPrice;
                    "{}: the exposure margin needs its price",
                    file.contract_id(row)
                );
            }
            return Ok((value, value));
        }
        let Some(spot) = family.commodity.and_then(|c| spots[c as usize]) else {
            fail!(
                MissingData: MissingSpot;
                "{}: the exposure margin needs the spot price of {symbol}",
                file.contract_id(row)
            );
        };
        let strike = file.contracts.strike[row];
        let out = f64::from(file.contracts.right[row]) * (strike - spot) / spot;
        let mut rate = if out > self.far_out {
            rates.far_out.unwrap_or(rates.other)
        } else {
            rates.other
        };
        if index
            && months_between(&file.info.business_date, &series.period) > self.long_dated_months
        {
            rate = self.long_dated_rate;
        }
        let cvf = if series.cvf == 0.0 { 1.0 } else { series.cvf };
        Ok((0.0, rate * spot * cvf))
    }
}

/// The price of each commodity's physical.
fn spot_prices(file: &SpanFile) -> Vec<Option<f64>> {
    let mut spots = vec![None; file.commodities.len()];
    for series in &file.series {
        let family = &file.families[series.family as usize];
        if family.kind == ContractKind::Physical
            && let Some(commodity) = family.commodity
        {
            let price = file.contracts.price[series.first as usize];
            let spot = &mut spots[commodity as usize];
            *spot = spot.or(Some(price).filter(|p| p.is_finite() && *p > 0.0));
        }
    }
    spots
}

/// Whole calendar months from a date CCYYMMDD to a period that begins so; 0 where either is something else.
fn months_between(date: &str, period: &str) -> u32 {
    let part =
        |text: &str, from: usize, to: usize| text.get(from..to).and_then(|t| t.parse::<i64>().ok());
    let months = |text: &str| Some(part(text, 0, 4)? * 12 + part(text, 4, 6)?);
    let (Some(from), Some(to)) = (months(date), months(period)) else {
        return 0;
    };
    let early = part(period, 6, 8).unwrap_or(31) <= part(date, 6, 8).unwrap_or(1);
    u32::try_from(to - from - i64::from(early && part(period, 6, 8).is_some()))
        .unwrap_or(0)
        .saturating_add(u32::from(!early))
}

/// Exposure per contract, long and short, with the symbol each is charged under.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    per_contract: Vec<(f64, f64)>,
    symbol: Vec<u32>,
    symbols: Vec<String>,
}

/// The rates for the rows of a table; `base` is the report's currency, in which exposure is charged.
pub(super) fn compile(
    exposure: &Exposure,
    options: &Options,
    file: &SpanFile,
    base: &str,
    rows: &[u32],
) -> Result<Compiled> {
    let symbols: Vec<String> = rows
        .iter()
        .map(|&r| file.family_of(r as usize).code.clone())
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let mut compiled = Compiled {
        per_contract: Vec::with_capacity(rows.len()),
        symbol: Vec::with_capacity(rows.len()),
        symbols,
    };
    let spots = spot_prices(file);
    for &row in rows {
        let family = file.family_of(row as usize);
        let Some(fx) = file.fx(&family.currency, base) else {
            fail!(
                MissingData: MissingParameter;
                "{}: no currency rate from {} to {base} for its exposure margin",
                file.contract_id(row as usize),
                family.currency
            );
        };
        let lot = options.lot_sizes.get(&family.code).copied().unwrap_or(1.0);
        let (long, short) = exposure.contract(file, row as usize, &spots)?;
        compiled
            .per_contract
            .push((long * fx * lot, short * fx * lot));
        let at = compiled
            .symbols
            .binary_search(&family.code)
            .unwrap_or_default();
        compiled.symbol.push(at as u32);
    }
    Ok(compiled)
}

impl Compiled {
    /// Exposure by symbol: long and short each at their own rate, so a gross account owes both.
    fn amounts(&self, account: AccountView<'_>, amounts: &mut Vec<f64>) {
        amounts.clear();
        amounts.resize(self.symbols.len(), 0.0);
        let positions = account.positions;
        for i in 0..positions.len() {
            let c = positions.contract[i] as usize;
            let (long, short) = self.per_contract[c];
            amounts[self.symbol[c] as usize] +=
                positions.long(i) as f64 * long + positions.short(i) as f64 * short;
        }
    }

    /// Writes one line per symbol that is charged; allocates nothing once `amounts` is warm.
    pub(super) fn charge<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        amounts: &mut Vec<f64>,
        ledger: &mut L,
    ) {
        self.amounts(account, amounts);
        for (symbol, &amount) in self.symbols.iter().zip(amounts.iter()) {
            if amount != 0.0 {
                ledger.line(0, amount, amount, &|| {
                    LineText::new(symbol.as_str(), "exposure")
                });
            }
        }
    }

    pub(super) fn details(&self, account: AccountView<'_>) -> Value {
        let mut amounts = Vec::new();
        self.amounts(account, &mut amounts);
        let by_symbol: BTreeMap<&String, f64> = self
            .symbols
            .iter()
            .zip(amounts)
            .filter(|a| a.1 != 0.0)
            .collect();
        json!(by_symbol)
    }
}
