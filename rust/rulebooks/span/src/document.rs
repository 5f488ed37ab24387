//! Parameters given inline as a document, for tests, examples and clearing houses without a file.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::model::*;
use super::spn::check_unique;
use kernel::error::Result;
use kernel::fail;

fn one() -> f64 {
    1.0
}

/// One leg of a combination: a contract's id, signed ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LegDocument {
    pub id: String,
    pub ratio: f64,
}

/// One contract with its array: losses positive, one long contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContractDocument {
    #[serde(default)]
    pub exchange: String,
    pub product: String,
    pub kind: ContractKind,
    pub period: String,
    #[serde(default)]
    pub right: Option<String>,
    #[serde(default)]
    pub strike: Option<f64>,
    pub commodity: String,
    pub array: Vec<f64>,
    #[serde(default = "one")]
    pub delta: f64,
    /// Money value of one contract; options need it where their value counts.
    #[serde(default)]
    pub value: Option<f64>,
    #[serde(default)]
    pub price: Option<f64>,
    #[serde(default)]
    pub price_scan: Option<f64>,
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default)]
    pub futures_style: bool,
    #[serde(default = "one")]
    pub scale: f64,
    #[serde(default = "one")]
    pub delta_scale: f64,
    #[serde(default)]
    pub delta_period: Option<String>,
    #[serde(default)]
    pub settlement_date: String,
    #[serde(default)]
    pub multiplier: Option<f64>,
    #[serde(default)]
    pub legs: Vec<LegDocument>,
}

/// A whole parameter set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParametersDocument {
    pub name: String,
    pub organisation: String,
    pub business_date: String,
    pub run: String,
    /// The standard 16 scenarios with this extreme move (multiplier, cover); `points` replaces it.
    pub extreme: Option<(f64, f64)>,
    pub points: Vec<ScanPoint>,
    pub contract_scale: bool,
    pub rates: Vec<CurrencyRate>,
    pub contracts: Vec<ContractDocument>,
    pub commodities: Vec<Commodity>,
    pub super_spreads: Vec<Spread>,
    pub inter_spreads: Vec<Spread>,
    pub exchange_spreads: Vec<Spread>,
}

impl ParametersDocument {
    /// The parameter set; every number checked.
    pub fn build(&self) -> Result<SpanFile> {
        let points = match (&self.points, self.extreme) {
            (points, None) if !points.is_empty() => points.clone(),
            (points, Some((multiplier, cover))) if points.is_empty() => {
                standard_points(multiplier, cover)
            }
            _ => fail!(
                InvalidInput,
                "give either extreme (multiplier, cover) or points"
            ),
        };
        if points.iter().any(|p| {
            p.paired >= points.len() || ![p.price, p.vol, p.weight].iter().all(|v| v.is_finite())
        }) {
            fail!(
                InvalidInput,
                "points: a number that is not finite, or a pair that does not exist"
            );
        }
        let mut file = SpanFile {
            info: FileInfo {
                file: if self.name.is_empty() {
                    "document".into()
                } else {
                    self.name.clone()
                },
                format: "document".into(),
                digest: String::new(),
                organisation: self.organisation.clone(),
                created: String::new(),
                business_date: self.business_date.clone(),
                settlement: true,
                run: self.run.clone(),
            },
            contract_scale: self.contract_scale,
            points,
            delta_points: standard_delta_points(),
            rates: self.rates.clone(),
            commodities: self.commodities.clone(),
            super_spreads: self.super_spreads.clone(),
            inter_spreads: self.inter_spreads.clone(),
            exchange_spreads: self.exchange_spreads.clone(),
            ..SpanFile::default()
        };
        for rate in &file.rates {
            if !rate.factor.is_finite() || rate.factor <= 0.0 {
                fail!(
                    InvalidInput,
                    "rate {} to {}: {} is not a positive number",
                    rate.from,
                    rate.to,
                    rate.factor
                );
            }
        }
        for cc in &mut file.commodities {
            if cc.code.is_empty() || cc.currency.is_empty() {
                fail!(InvalidInput, "a commodity needs a code and a currency");
            }
            if cc.organisation.is_empty() {
                cc.organisation.clone_from(&self.organisation);
            }
        }
        check_spreads(&file)?;
        let mut families: BTreeMap<String, u32> = BTreeMap::new();
        let mut series: HashMap<(u32, String, String), Vec<&ContractDocument>> = HashMap::new();
        let mut order = Vec::new();
        for contract in &self.contracts {
            let Some(commodity) = file.commodity(&contract.commodity) else {
                fail!(
                    InvalidInput,
                    "contract {}: commodity '{}' is not among the commodities",
                    contract.product,
                    contract.commodity
                );
            };
            let cc = &file.commodities[commodity as usize];
            let family = Family {
                exchange: contract.exchange.clone(),
                id: format!("{}/{}", contract.product, contract.kind.code()),
                code: contract.product.clone(),
                name: String::new(),
                kind: contract.kind,
                currency: contract
                    .currency
                    .clone()
                    .unwrap_or_else(|| cc.currency.clone()),
                cvf: 0.0,
                cabinet: 0.0,
                exercise: String::new(),
                model: String::new(),
                value_method: if contract.futures_style {
                    "FUT".into()
                } else {
                    "EQTY".into()
                },
                commodity: Some(commodity),
                scale: contract.scale,
                delta_method: String::new(),
            };
            let key = format!(
                "{}\u{1f}{}\u{1f}{}",
                family.exchange,
                family.code,
                family.kind.code()
            );
            let index = match families.get(&key) {
                Some(&index) if file.families[index as usize] == family => index,
                Some(_) => fail!(
                    InvalidInput,
                    "product {}: its contracts differ in commodity, currency, scale or style",
                    contract.product
                ),
                None => {
                    file.families.push(family);
                    families.insert(key, file.families.len() as u32 - 1);
                    file.families.len() as u32 - 1
                }
            };
            let delta_period = contract
                .delta_period
                .clone()
                .unwrap_or_else(|| contract.period.clone());
            let key = (index, contract.period.clone(), delta_period);
            let list = series.entry(key.clone()).or_default();
            if list.is_empty() {
                order.push(key);
            }
            list.push(contract);
        }
        for key in order {
            file.push_documents(key.0, &key.2, &series[&key])?;
        }
        check_unique(&file)?;
        file.info.digest = engine::parameters::digest(self)?;
        Ok(file)
    }
}

fn check_spreads(file: &SpanFile) -> Result<()> {
    let own = file.commodities.iter().flat_map(|c| &c.spreads);
    for spread in own
        .chain(&file.super_spreads)
        .chain(&file.inter_spreads)
        .chain(&file.exchange_spreads)
    {
        if !spread.rate.is_finite() || spread.legs.is_empty() {
            fail!(
                InvalidInput,
                "spread {}: a finite rate and legs are needed",
                spread.priority
            );
        }
        for leg in &spread.legs {
            if !leg.ratio.is_finite()
                || leg.ratio <= 0.0
                || leg.rate.is_some_and(|r| !r.is_finite())
            {
                fail!(
                    InvalidInput,
                    "spread {}, leg {}: ratio and rate must be finite, the ratio positive",
                    spread.priority,
                    leg.commodity
                );
            }
            if !spread.scanning && leg.side.abs() != 1 {
                fail!(
                    InvalidInput,
                    "spread {}, leg {}: side is +1 (A) or -1 (B)",
                    spread.priority,
                    leg.commodity
                );
            }
        }
    }
    Ok(())
}

impl SpanFile {
    fn push_documents(
        &mut self,
        family: u32,
        delta_period: &str,
        list: &[&ContractDocument],
    ) -> Result<()> {
        let first = list[0];
        let id = |c: &ContractDocument| format!("{} {} {}", c.product, c.kind.code(), c.period);
        let mut underlying = Vec::new();
        for leg in &first.legs {
            let mut parts = leg.id.split(':');
            let (Some(exchange), Some(product), Some(kind), Some(period)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                fail!(
                    InvalidInput,
                    "{}: leg '{}' is not EXCHANGE:PRODUCT:KIND:PERIOD",
                    id(first),
                    leg.id
                );
            };
            underlying.push(UnderlyingRef {
                exchange: exchange.into(),
                family: format!("{product}/{kind}"),
                contract: period.into(),
                sign: leg.ratio.signum(),
                ratio: leg.ratio.abs(),
            });
        }
        self.series.push(Series {
            family,
            period: first.period.clone(),
            delta_period: delta_period.into(),
            settlement_date: first.settlement_date.clone(),
            years: None,
            cvf: first.multiplier.unwrap_or(1.0),
            svf: first.multiplier.unwrap_or(1.0),
            scale: first.delta_scale,
            vol: 0.0,
            rate: None,
            dividend_yield: 0.0,
            lookahead: None,
            scan: ScanRange {
                price: first.price_scan,
                ..ScanRange::default()
            },
            underlying,
            first: self.contracts.len() as u32,
            count: list.len() as u32,
        });
        let width = self.width();
        for contract in list {
            if contract.array.len() != width {
                fail!(
                    InvalidInput,
                    "{}: an array of {} values where there are {width} points",
                    id(contract),
                    contract.array.len()
                );
            }
            let numbers = [
                contract.delta,
                contract.scale,
                contract.delta_scale,
                contract.strike.unwrap_or(0.0),
            ];
            let given = [
                contract.value,
                contract.price,
                contract.price_scan,
                contract.multiplier,
            ];
            if contract
                .array
                .iter()
                .chain(&numbers)
                .chain(given.iter().flatten())
                .any(|v| !v.is_finite())
            {
                fail!(
                    InvalidInput,
                    "{}: a number that is not finite",
                    id(contract)
                );
            }
            let right = match contract.right.as_deref() {
                None => 0,
                Some("C" | "call") => 1,
                Some("P" | "put") => -1,
                Some(other) => fail!(
                    InvalidInput,
                    "{}: right '{other}' is not C or P",
                    id(contract)
                ),
            };
            if contract.kind.is_option() != (right != 0)
                || contract.kind.is_option() != contract.strike.is_some()
            {
                fail!(
                    InvalidInput,
                    "{}: options have a right and a strike, other contracts neither",
                    id(contract)
                );
            }
            if contract.price_scan != first.price_scan || contract.delta_scale != first.delta_scale
            {
                fail!(
                    InvalidInput,
                    "{}: contracts of one period differ in price_scan or delta_scale",
                    id(contract)
                );
            }
            let table = &mut self.contracts;
            table.series.push(self.series.len() as u32 - 1);
            table.right.push(right);
            table.strike.push(contract.strike.unwrap_or(0.0));
            table.price.push(contract.price.unwrap_or(f64::NAN));
            table.value.push(contract.value.unwrap_or(f64::NAN));
            table.vol.push(0.0);
            table.delta.push(contract.delta);
            table.array.extend_from_slice(&contract.array);
            table.number.push(0);
        }
        Ok(())
    }
}
