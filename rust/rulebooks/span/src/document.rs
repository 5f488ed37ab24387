//! Parameters given inline as a document, for tests, examples and clearing houses without a file.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use crate::model::*;
use crate::unique::check_unique;
use kernel::error::Result;
use kernel::fail;

/// One leg of a combination: a contract's id, signed ratio.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct LegDocument {
    /// The contract, `EXCHANGE:PRODUCT:KIND:PERIOD`.
    pub id: String,
    /// Contracts of the leg in one combination, negative where it is sold.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub ratio: f64,
}

/// One contract with its array: losses positive, one long contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ContractDocument {
    /// The exchange's code.
    #[serde(default)]
    pub exchange: String,
    /// The product's code.
    pub product: String,
    pub kind: ContractKind,
    /// The contract month or day, as the file writes it: `202612`.
    pub period: String,
    /// `C` or `P` of an option.
    #[serde(default)]
    pub right: Option<String>,
    /// Strike of an option.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Price>")
    )]
    pub strike: Option<f64>,
    /// Code of the combined commodity that margins it.
    pub commodity: String,
    /// Loss of one long contract at every scan point, in the contract's currency; gains are negative.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Vec<engine::schema::units::Money>")
    )]
    pub array: Vec<f64>,
    /// Composite delta of one long contract.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub delta: f64,
    /// Money value of one contract; options need it where their value counts.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Money>")
    )]
    pub value: Option<f64>,
    /// The settlement price.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Price>")
    )]
    pub price: Option<f64>,
    /// Price scan range of one contract, in money.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Money>")
    )]
    pub price_scan: Option<f64>,
    /// Currency of the array; the commodity's where left out.
    #[serde(default)]
    pub currency: Option<String>,
    /// Whether an option is settled to market like a future, so that its value is no premium.
    #[serde(default)]
    pub futures_style: bool,
    /// Factor of the family on its contracts' deltas, and on contracts where `contract_scale`.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub scale: f64,
    /// Factor of the period on deltas.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub delta_scale: f64,
    /// The period that its delta belongs to: an option's underlying month; its own where left out.
    #[serde(default)]
    pub delta_period: Option<String>,
    /// The day it settles or expires, as the file writes it.
    #[serde(default)]
    pub settlement_date: String,
    /// Money per unit of price.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Multiple>")
    )]
    pub multiplier: Option<f64>,
    /// What a combination is made of.
    #[serde(default)]
    pub legs: Vec<LegDocument>,
}

/// A whole parameter set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct ParametersDocument {
    /// The name that the report shows.
    pub name: String,
    /// The clearing organisation's code.
    pub organisation: String,
    /// The day the parameters are of.
    pub business_date: String,
    /// The run of the day: settlement or intraday, as the file calls it.
    pub run: String,
    /// The standard 16 scenarios with this extreme move (multiplier, cover); `points` replaces it.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<(engine::schema::units::Multiple, engine::schema::units::Multiple)>"
        )
    )]
    pub extreme: Option<(f64, f64)>,
    /// The scan points, where they are not the standard 16.
    pub points: Vec<ScanPoint>,
    /// Whether a family's scale multiplies contracts, and so arrays, and not deltas only.
    pub contract_scale: bool,
    /// Exchange rates between currencies.
    pub rates: Vec<CurrencyRate>,
    /// The contracts with their arrays.
    pub contracts: Vec<ContractDocument>,
    /// The combined commodities.
    pub commodities: Vec<Commodity>,
    /// Spreads that form first, between commodities.
    pub super_spreads: Vec<Spread>,
    /// Spreads between commodities, by priority.
    pub inter_spreads: Vec<Spread>,
    /// Spreads with commodities of another clearing organisation.
    pub exchange_spreads: Vec<Spread>,
}

impl ParametersDocument {
    /// The parameter set; every number checked.
    pub fn build(&self) -> Result<SpanFile> {
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
            points: self.scan_points()?,
            delta_points: standard_delta_points(),
            rates: self.rates.clone(),
            commodities: self.commodities.clone(),
            super_spreads: self.super_spreads.clone(),
            inter_spreads: self.inter_spreads.clone(),
            exchange_spreads: self.exchange_spreads.clone(),
            ..SpanFile::default()
        };
        check_rates(&file)?;
        for cc in &mut file.commodities {
            if cc.code.is_empty() || cc.currency.is_empty() {
                fail!(InvalidInput: NotStated; "a commodity needs a code and a currency");
            }
            if cc.organisation.is_empty() {
                cc.organisation.clone_from(&self.organisation);
            }
        }
        check_spreads(&file)?;
        for (family, list) in self.series(&mut file)? {
            push_series(&mut file, family, &list)?;
        }
        check_unique(&file)?;
        file.info.digest = engine::parameters::digest(self)?;
        Ok(file)
    }

    fn scan_points(&self) -> Result<Vec<ScanPoint>> {
        let points = match (&self.points, self.extreme) {
            (points, None) if !points.is_empty() => points.clone(),
            (points, Some((multiplier, cover))) if points.is_empty() => {
                standard_points(multiplier, cover)
            }
            _ => fail!(
                InvalidInput: Contradiction;
                "give either extreme (multiplier, cover) or points"
            ),
        };
        if points.iter().any(|p| {
            p.paired >= points.len() || ![p.price, p.vol, p.weight].iter().all(|v| v.is_finite())
        }) {
            fail!(
                InvalidInput: NotFinite;
                "points: a number that is not finite, or a pair that does not exist"
            );
        }
        Ok(points)
    }

    /// The contracts by family and period, in the order their series first appear; the families are added to the file.
    fn series(&self, file: &mut SpanFile) -> Result<Vec<(u32, Vec<&ContractDocument>)>> {
        let mut families: HashMap<(&str, &str, ContractKind), u32> = HashMap::new();
        let mut at: HashMap<(u32, &str, &str), usize> = HashMap::new();
        let mut series: Vec<(u32, Vec<&ContractDocument>)> = Vec::new();
        for contract in &self.contracts {
            let family = contract.family(file)?;
            let key = (
                contract.exchange.as_str(),
                contract.product.as_str(),
                contract.kind,
            );
            let index = match families.get(&key) {
                Some(&index) if file.families[index as usize] == family => index,
                Some(_) => fail!(
                    InvalidInput: Contradiction;
                    "product {}: its contracts differ in commodity, currency, scale or style",
                    contract.product
                ),
                None => {
                    file.families.push(family);
                    let index = file.families.len() as u32 - 1;
                    families.insert(key, index);
                    index
                }
            };
            let key = (index, contract.period.as_str(), contract.delta_period());
            let place = *at.entry(key).or_insert_with(|| {
                series.push((index, Vec::new()));
                series.len() - 1
            });
            series[place].1.push(contract);
        }
        Ok(series)
    }
}

impl ContractDocument {
    /// As messages name it.
    fn name(&self) -> String {
        format!("{} {} {}", self.product, self.kind.code(), self.period)
    }

    fn delta_period(&self) -> &str {
        self.delta_period.as_deref().unwrap_or(&self.period)
    }

    fn family(&self, file: &SpanFile) -> Result<Family> {
        let Some(commodity) = file.commodity(&self.commodity) else {
            fail!(
                InvalidInput: UnknownName;
                "contract {}: commodity '{}' is not among the commodities",
                self.product,
                self.commodity
            );
        };
        let cc = &file.commodities[commodity as usize];
        Ok(Family {
            exchange: self.exchange.clone(),
            id: format!("{}/{}", self.product, self.kind.code()),
            code: self.product.clone(),
            name: String::new(),
            kind: self.kind,
            currency: self.currency.clone().unwrap_or_else(|| cc.currency.clone()),
            cvf: 0.0,
            cabinet: 0.0,
            exercise: String::new(),
            model: String::new(),
            value_method: if self.futures_style {
                "FUT".into()
            } else {
                "EQTY".into()
            },
            commodity: Some(commodity),
            scale: self.scale,
            delta_method: String::new(),
        })
    }

    /// What a combination is made of.
    fn underlying(&self) -> Result<Vec<UnderlyingRef>> {
        let mut underlying = Vec::new();
        for leg in &self.legs {
            let mut parts = leg.id.split(':');
            let (Some(exchange), Some(product), Some(kind), Some(period)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                fail!(
                    InvalidInput,
                    "{}: leg '{}' is not EXCHANGE:PRODUCT:KIND:PERIOD",
                    self.name(),
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
        Ok(underlying)
    }

    /// Refuses what no contract of a series that begins with `first` is.
    fn check(&self, width: usize, first: &Self) -> Result<()> {
        if self.array.len() != width {
            fail!(
                InvalidInput,
                "{}: an array of {} values where there are {width} points",
                self.name(),
                self.array.len()
            );
        }
        let numbers = [
            self.delta,
            self.scale,
            self.delta_scale,
            self.strike.unwrap_or(0.0),
        ];
        let given = [self.value, self.price, self.price_scan, self.multiplier];
        if self
            .array
            .iter()
            .chain(&numbers)
            .chain(given.iter().flatten())
            .any(|v| !v.is_finite())
        {
            fail!(InvalidInput: NotFinite; "{}: a number that is not finite", self.name());
        }
        let right = self.right()?;
        if self.kind.is_option() != (right != 0) || self.kind.is_option() != self.strike.is_some() {
            fail!(
                InvalidInput: Contradiction;
                "{}: options have a right and a strike, other contracts neither",
                self.name()
            );
        }
        if self.price_scan != first.price_scan || self.delta_scale != first.delta_scale {
            fail!(
                InvalidInput: Contradiction;
                "{}: contracts of one period differ in price_scan or delta_scale",
                self.name()
            );
        }
        Ok(())
    }

    fn right(&self) -> Result<i8> {
        Ok(match self.right.as_deref() {
            None => 0,
            Some("C" | "call") => 1,
            Some("P" | "put") => -1,
            Some(other) => fail!(
                InvalidInput,
                "{}: right '{other}' is not C or P",
                self.name()
            ),
        })
    }
}

/// Adds the contracts of one family and period.
fn push_series(file: &mut SpanFile, family: u32, list: &[&ContractDocument]) -> Result<()> {
    let first = list[0];
    file.series.push(Series {
        family,
        period: first.period.clone(),
        delta_period: first.delta_period().into(),
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
        underlying: first.underlying()?,
        first: file.contracts.len() as u32,
        count: list.len() as u32,
    });
    let series = file.series.len() as u32 - 1;
    for contract in list {
        contract.check(file.width(), first)?;
        let table = &mut file.contracts;
        table.series.push(series);
        table.right.push(contract.right()?);
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

fn check_rates(file: &SpanFile) -> Result<()> {
    for rate in &file.rates {
        if !rate.factor.is_finite() || rate.factor <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "rate {} to {}: {} is not a positive number",
                rate.from,
                rate.to,
                rate.factor
            );
        }
    }
    Ok(())
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
                    InvalidInput: OutOfRange;
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
