//! SPAN-like margin without a file: the 16 scenarios over the user's own price and vol scan ranges.
//!
//! The arrays are made here from the market, then margined by the same steps as a file's. No clearing house publishes
//! this; it is named SPAN-like wherever it shows.

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::book::Book;
use super::compile;
use super::generate::{ArrayInputs, Model};
use super::live::LiveBook;
use super::model::*;
use super::options::Options;
use engine::cells::{Block, Cells, LinearCell, RiskArrays};
use engine::contract::{ContractIndex, Contracts, Exercise, Kind, Premium, Settlement};
use engine::market::Market;
use engine::parameters::Attachments;
use engine::report::ParameterInfo;
use engine::seam::{self, Frame, Methodology, Prepared, Quoted, Resolved};
use kernel::error::{MarginError, Result};
use kernel::fail;

pub const PRESETS: &str = include_str!("../presets/span_like.json");

/// The largest vol scan range, of the vol or absolute. Larger ones are percentages by mistake.
const MAX_VOL_SCAN: f64 = 2.0;

/// Scan ranges of one underlying, by root symbol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Underlying {
    /// Price scan range as a fraction of the underlying's price.
    pub price_scan: f64,
    /// Vol scan range: a fraction of each option's vol, or an amount where `vol_scan_absolute`.
    pub vol_scan: f64,
    #[serde(default)]
    pub vol_scan_absolute: bool,
    /// Money per short option.
    #[serde(default)]
    pub short_option_minimum: f64,
    /// Money per unit of delta long in one month and short in another.
    #[serde(default)]
    pub calendar_charge: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LikeParameters {
    pub extreme: (f64, f64),
    pub lookahead_days: f64,
    pub days_per_year: f64,
    /// Model of American options: CA (tree) or W (quadratic approximation).
    pub american_model: Model,
    pub underlyings: BTreeMap<String, Underlying>,
    #[serde(default)]
    pub options: Options,
}

/// The rulebook with one set of scan ranges.
#[derive(Debug, Clone)]
pub struct SpanLike {
    parameters: Arc<LikeParameters>,
    info: ParameterInfo,
}

pub fn build(document: &Value, _: &Attachments) -> Result<Arc<dyn Methodology>> {
    let (parameters, info) =
        engine::parameters::resolve::<LikeParameters>(PRESETS, "span-like", document)?;
    parameters.options.check()?;
    for (name, u) in &parameters.underlyings {
        if !(u.price_scan > 0.0 && u.price_scan < 1.0) {
            fail!(
                InvalidInput,
                "span-like: {name}: price_scan is {}: a fraction of the price between 0 and 1 is needed (0.06 is 6 %)",
                u.price_scan
            );
        }
        if !(0.0..=MAX_VOL_SCAN).contains(&u.vol_scan) {
            fail!(
                InvalidInput,
                "span-like: {name}: vol_scan is {}: a fraction between 0 and {MAX_VOL_SCAN} is needed (0.25 is 25 %)",
                u.vol_scan
            );
        }
        for (what, value) in [
            ("short_option_minimum", u.short_option_minimum),
            ("calendar_charge", u.calendar_charge),
        ] {
            if !(value.is_finite() && value >= 0.0) {
                fail!(
                    InvalidInput,
                    "span-like: {name}: {what} is {value}: a number that is not negative is needed"
                );
            }
        }
    }
    let numbers = [
        parameters.extreme.0,
        parameters.extreme.1,
        parameters.lookahead_days,
        parameters.days_per_year,
    ];
    if numbers.iter().any(|v| !v.is_finite() || *v < 0.0) || parameters.days_per_year <= 0.0 {
        fail!(
            InvalidInput,
            "span-like: extreme, lookahead_days and days_per_year are finite and not negative"
        );
    }
    Ok(Arc::new(SpanLike {
        parameters: Arc::new(parameters),
        info,
    }))
}

impl Methodology for SpanLike {
    fn name(&self) -> &'static str {
        "SPAN-like"
    }

    fn parameters(&self) -> &ParameterInfo {
        &self.info
    }

    fn resolve(&self, contracts: &Arc<Contracts>, _on: Option<Date>) -> Result<Arc<dyn Resolved>> {
        for (row, contract) in contracts.iter() {
            self.covered(contracts, row)
                .map_err(|e| e.at(format!("'{}'", contract.id())))?;
        }
        Ok(Arc::new(Ranged {
            like: self.clone(),
            contracts: contracts.clone(),
        }))
    }
}

/// A table of contracts that all have scan ranges.
struct Ranged {
    like: SpanLike,
    contracts: Arc<Contracts>,
}

impl Resolved for Ranged {
    fn at(self: Arc<Self>, market: Option<&Arc<Market>>) -> Result<Box<dyn Quoted>> {
        let Some(market) = market else {
            fail!(
                MissingData,
                "span-like makes its arrays from a market, and there is none"
            );
        };
        market.refuse_expired(&self.contracts)?;
        let inputs = self
            .contracts
            .iter()
            .map(|(row, contract)| {
                self.like
                    .inputs(&self.contracts, row, market)
                    .map_err(|e| e.at(format!("'{}'", contract.id())))
            })
            .collect::<Result<_>>()?;
        Ok(Box::new(Inputted {
            priced_from: OnceCell::new(),
            cells: Arc::default(),
            market: market.clone(),
            inputs,
            ranged: self,
        }))
    }
}

/// A table with what each contract's array is made from.
struct Inputted {
    ranged: Arc<Ranged>,
    market: Arc<Market>,
    inputs: Vec<ArrayInputs>,
    /// None: the arrays are made by models of their own.
    cells: Arc<Cells>,
    priced_from: OnceCell<Arc<Cells>>,
}

impl Quoted for Inputted {
    fn cells(&self) -> &Arc<Cells> {
        &self.cells
    }

    fn priced_from(&self) -> &Arc<Cells> {
        self.priced_from.get_or_init(|| {
            let mut block = Block {
                scope: "options".into(),
                ..Block::default()
            };
            for ((row, contract), inputs) in self.ranged.contracts.iter().zip(&self.inputs) {
                let Some(option) = contract.option() else {
                    block.linear.push(LinearCell {
                        contract: row,
                        price: inputs.underlying,
                        scale: contract.value_per_lot(),
                    });
                    continue;
                };
                if inputs.strike <= 0.0 {
                    continue;
                }
                let cells = match option.exercise {
                    Exercise::European => &mut block.european,
                    Exercise::American => &mut block.american,
                };
                cells.contract.push(row);
                cells.spot.push(inputs.underlying);
                cells.strike.push(inputs.strike);
                cells.years.push(inputs.years);
                cells.rate.push(inputs.rate);
                cells.dividend_yield.push(inputs.dividend_yield);
                cells.vol.push(inputs.vol);
                cells.right.push(inputs.right);
                cells.scale.push(contract.value_per_lot());
                cells.base.push(None);
            }
            Arc::new(Cells {
                blocks: vec![block],
                ..Cells::default()
            })
        })
    }

    fn compile(self: Box<Self>, _: RiskArrays) -> Result<Arc<dyn Prepared>> {
        let Ranged { like, contracts } = &*self.ranged;
        let parameters = &like.parameters;
        let mut file = SpanFile {
            info: FileInfo {
                file: like.info.name.clone(),
                format: "made from scan ranges".into(),
                ..FileInfo::default()
            },
            points: standard_points(parameters.extreme.0, parameters.extreme.1),
            delta_points: standard_delta_points(),
            ..SpanFile::default()
        };
        for ((row, contract), inputs) in contracts.iter().zip(self.inputs) {
            like.contract(&mut file, contracts, row, inputs, &self.market)
                .map_err(|e| e.at(format!("'{}'", contract.id())))?;
        }
        for cc in &file.commodities {
            if let Ok(fx) = self.market.fx(&cc.currency, &file.commodities[0].currency) {
                file.rates.push(CurrencyRate {
                    from: cc.currency.clone(),
                    to: file.commodities[0].currency.clone(),
                    factor: fx,
                });
            }
        }
        let rows: Vec<u32> = (0..contracts.len() as u32).collect();
        let (program, currencies) = compile::compile(&file, &parameters.options, &rows)?;
        let book = Book {
            frame: Frame {
                methodology: like.name().into(),
                parameters: like.info.clone(),
                valuation: Some(self.market.valuation().to_string()),
                contracts: Arc::clone(contracts),
                currencies,
            },
            program,
            info: file.info,
            exposure: None,
        };
        Ok(seam::compiled(book, LiveBook::open))
    }
}

impl SpanLike {
    /// A contract's scan ranges.
    fn covered(&self, contracts: &Contracts, row: ContractIndex) -> Result<&Underlying> {
        let contract = &contracts.rows()[row as usize];
        let symbol = contracts.root_symbol(row);
        let Some(ranges) = self.parameters.underlyings.get(symbol) else {
            fail!(
                MissingData,
                "span-like has no scan ranges for '{symbol}': give underlyings[\"{symbol}\"]"
            );
        };
        if contract.terms().settlement == Settlement::Inverse || contract.counts_money() {
            fail!(
                NotApplicable,
                "span-like covers neither inverse contracts nor multipliers that count money"
            );
        }
        Ok(ranges)
    }

    fn commodity(
        &self,
        file: &mut SpanFile,
        symbol: &str,
        currency: &str,
        ranges: &Underlying,
    ) -> Result<u32> {
        if let Some(index) = file.commodity(symbol) {
            if file.commodities[index as usize].currency != currency {
                fail!(Unsupported, "{symbol} is held in two currencies");
            }
            return Ok(index);
        }
        let leg = |side: i8| Leg {
            organisation: String::new(),
            commodity: symbol.into(),
            tier: 0,
            period: None,
            ratio: 1.0,
            side,
            rate: None,
            required: false,
            target: false,
        };
        let calendar = Spread {
            priority: 1,
            method: ChargeMethod::Flat,
            rate: ranges.calendar_charge,
            legs: vec![leg(1), leg(-1)],
            scanning: false,
            target_required: false,
            minimum_legs: 2,
            point_rules: Vec::new(),
            per_month: None,
            unsupported: None,
        };
        file.commodities.push(Commodity {
            code: symbol.into(),
            currency: currency.into(),
            som_tiers: vec![Tier {
                number: 0,
                start: String::new(),
                end: String::new(),
                rate: Some(ranges.short_option_minimum),
            }],
            spreads: if ranges.calendar_charge > 0.0 {
                vec![calendar]
            } else {
                Vec::new()
            },
            ..Commodity::default()
        });
        Ok(file.commodities.len() as u32 - 1)
    }

    /// What a contract is priced from.
    fn inputs(
        &self,
        contracts: &Contracts,
        row: ContractIndex,
        market: &Market,
    ) -> Result<ArrayInputs> {
        let parameters = &self.parameters;
        let ranges = self.covered(contracts, row)?;
        let contract = &contracts.rows()[row as usize];
        let mut inputs = ArrayInputs {
            model: None,
            underlying: 0.0,
            strike: 0.0,
            years: 0.0,
            rate: 0.0,
            dividend_yield: 0.0,
            vol: 0.0,
            right: 0,
            price_scan: 0.0,
            price_scan_down: None,
            vol_scan: ranges.vol_scan,
            vol_scan_down: None,
            vol_scan_percent: !ranges.vol_scan_absolute,
            lookahead: parameters.lookahead_days / parameters.days_per_year,
            spot_carry: false,
            steps: 400,
        };
        let (Some(option), Some(expiry)) = (contract.option(), contract.expiry()) else {
            inputs.underlying = market.linear_price(contracts, row)?;
            return Ok(inputs);
        };
        let american = option.exercise == Exercise::American;
        let symbol = contracts.root_symbol(row);
        let future = contracts
            .underlying_row(row)
            .filter(|&u| contracts.rows()[u as usize].kind() == Kind::Future);
        inputs.underlying = match future {
            Some(future) => market.linear_price(contracts, future)?,
            None => market.spot(symbol)?,
        };
        inputs.model = Some(match (american, future.is_some()) {
            (true, _) => parameters.american_model,
            (false, true) => Model::Black,
            (false, false) => Model::Merton,
        });
        inputs.strike = option.strike;
        inputs.right = option.right.sign();
        inputs.years =
            expiry.seconds_from(market.valuation()) / (parameters.days_per_year * 86_400.0);
        inputs.rate = market.rate(contract.currency(), expiry.date)?;
        inputs.dividend_yield = if future.is_some() {
            inputs.rate
        } else {
            market.dividend_yield(symbol)
        };
        inputs.vol = market.lognormal_vol(contracts, row)?.ok_or_else(|| {
            MarginError::MissingData("no volatility in the market: its array cannot be made".into())
        })?;
        Ok(inputs)
    }

    fn contract(
        &self,
        file: &mut SpanFile,
        contracts: &Contracts,
        row: ContractIndex,
        mut inputs: ArrayInputs,
        market: &Market,
    ) -> Result<()> {
        let contract = &contracts.rows()[row as usize];
        let terms = contract.terms();
        let symbol = contracts.root_symbol(row);
        let ranges = self.covered(contracts, row)?;
        let commodity = self.commodity(file, symbol, contract.currency(), ranges)?;
        let kind = match contract.kind() {
            Kind::Spot | Kind::Stock | Kind::Etf | Kind::Index => ContractKind::Physical,
            Kind::Future | Kind::Perpetual => ContractKind::Future,
            Kind::Option => ContractKind::OptionOnPhysical,
        };
        // Options on a future are priced on it and have their delta in its month.
        let future = contracts.underlying_row(row);
        let expiry_of = |r: ContractIndex| {
            contracts
                .get(r)
                .and_then(|c| c.expiry().map(|e| e.date.strftime("%Y%m%d").to_string()))
        };
        let own_period = expiry_of(row).unwrap_or_else(|| "00000000".into());
        let delta_period = future
            .and_then(expiry_of)
            .unwrap_or_else(|| own_period.clone());
        let lot = contract.value_per_lot();
        if inputs.underlying <= 0.0 {
            fail!(
                InvalidInput,
                "the price it is scanned at is {}: a scan range that is a fraction of the price needs a positive one",
                inputs.underlying
            );
        }
        let value = match contract.kind() {
            Kind::Option => {
                let mark = market.price(contracts, row);
                mark.map_or_else(|| inputs.theoretical(), Ok)? * lot
            }
            _ => f64::NAN,
        };
        inputs.price_scan = ranges.price_scan * inputs.underlying;
        let array = inputs.array(&file.points)?;
        file.families.push(Family {
            exchange: String::new(),
            id: contract.id().into(),
            code: contract.id().into(),
            name: String::new(),
            kind,
            currency: contract.currency().into(),
            cvf: lot,
            cabinet: 0.0,
            exercise: String::new(),
            model: String::new(),
            value_method: if terms.premium == Premium::FuturesStyle {
                "FUT".into()
            } else {
                "EQTY".into()
            },
            commodity: Some(commodity),
            scale: 1.0,
            delta_method: String::new(),
        });
        file.series.push(Series {
            family: file.families.len() as u32 - 1,
            period: own_period,
            delta_period,
            settlement_date: String::new(),
            years: Some(inputs.years),
            cvf: lot,
            svf: lot,
            // Deltas of different multipliers net in units of the underlying.
            scale: lot,
            vol: inputs.vol,
            rate: Some(inputs.rate),
            dividend_yield: inputs.dividend_yield,
            lookahead: Some(inputs.lookahead),
            scan: ScanRange {
                price: Some(inputs.price_scan * lot),
                ..ScanRange::default()
            },
            underlying: Vec::new(),
            first: row,
            count: 1,
        });
        let table = &mut file.contracts;
        table.series.push(file.series.len() as u32 - 1);
        table.right.push(inputs.right);
        table.strike.push(inputs.strike);
        table.price.push(value / lot);
        table.value.push(value);
        table.vol.push(inputs.vol);
        table
            .delta
            .push(inputs.composite_delta(&file.delta_points)?);
        table.array.extend(array.iter().map(|a| a * lot));
        table.number.push(0);
        Ok(())
    }
}
