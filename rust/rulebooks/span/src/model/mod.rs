//! The parameters of one clearing organisation's SPAN file, whichever format it was read from.
//!
//! Losses are positive and for one long contract; arrays are as printed, before the commodity's risk exponent.

mod commodity;

use std::collections::BTreeMap;

use engine::market::fx;
use serde::{Deserialize, Serialize};

pub use commodity::*;

/// Where a parameter set came from: printed in every report, because intraday and settlement files differ.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FileInfo {
    pub file: String,
    pub format: String,
    /// SHA-256 of the decompressed file, hexadecimal.
    pub digest: String,
    pub organisation: String,
    pub created: String,
    pub business_date: String,
    pub settlement: bool,
    pub run: String,
}

/// One scan point: multiples of the price and vol scan range, the weight (cover), and the paired point from 0.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ScanPoint {
    /// Move of the price, in price scan ranges.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub price: f64,
    /// Move of the vol, in vol scan ranges.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub vol: f64,
    /// Share of the loss that counts; 1 but for extreme moves.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub weight: f64,
    /// The point of the same price move and the opposite vol move, counted from 0.
    pub paired: usize,
}

/// One point of the composite delta.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DeltaPoint {
    pub price: f64,
    pub weight: f64,
}

/// What a family's contracts are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ContractKind {
    #[serde(rename = "PHY")]
    Physical,
    #[serde(rename = "FUT")]
    Future,
    #[serde(rename = "CMB")]
    Combination,
    #[serde(rename = "OOF")]
    OptionOnFuture,
    #[serde(rename = "OOP")]
    OptionOnPhysical,
    #[serde(rename = "OOC")]
    OptionOnCombination,
}

impl ContractKind {
    pub const ALL: [Self; 6] = [
        Self::Physical,
        Self::Future,
        Self::Combination,
        Self::OptionOnFuture,
        Self::OptionOnPhysical,
        Self::OptionOnCombination,
    ];

    pub fn code(self) -> &'static str {
        match self {
            Self::Physical => "PHY",
            Self::Future => "FUT",
            Self::Combination => "CMB",
            Self::OptionOnFuture => "OOF",
            Self::OptionOnPhysical => "OOP",
            Self::OptionOnCombination => "OOC",
        }
    }

    pub fn parse(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|k| k.code() == code)
    }

    pub fn is_option(self) -> bool {
        matches!(
            self,
            Self::OptionOnFuture | Self::OptionOnPhysical | Self::OptionOnCombination
        )
    }
}

/// A product family: contracts that share code, currency and terms.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Family {
    pub exchange: String,
    /// The exchange's own number of the family, where the file links by number.
    pub id: String,
    pub code: String,
    pub name: String,
    pub kind: ContractKind,
    pub currency: String,
    /// Money per unit of price; 0 where it is given per contract.
    pub cvf: f64,
    pub cabinet: f64,
    pub exercise: String,
    pub model: String,
    /// EQTY (premium style), FUT (futures style) ...
    pub value_method: String,
    /// The combined commodity, and the scale of the link to it; none where no commodity claims the family.
    pub commodity: Option<u32>,
    pub scale: f64,
    pub delta_method: String,
}

impl Family {
    /// Whether an option's value counts: anything but the futures styles.
    pub fn is_premium(&self) -> bool {
        !matches!(self.value_method.as_str(), "FUT" | "FUTDA" | "F")
    }
}

/// Price and vol scan ranges as quoted. `*_down` are asymmetric scans.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ScanRange {
    pub price: Option<f64>,
    pub price_percent: Option<f64>,
    pub vol: Option<f64>,
    pub vol_percent: Option<f64>,
    pub price_down: Option<f64>,
    pub price_down_percent: Option<f64>,
    pub vol_down: Option<f64>,
    pub vol_down_percent: Option<f64>,
}

impl ScanRange {
    /// The price scan range in money for an underlying of `value`, up and down.
    pub fn price_money(&self, value: f64) -> Option<(f64, f64)> {
        let up = self.price.or(self.price_percent.map(|p| p * value))?;
        let down = self
            .price_down
            .or(self.price_down_percent.map(|p| p * value))
            .unwrap_or(up);
        Some((up, down))
    }
}

/// Which contract of which family a contract or series is on, with its ratio and side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct UnderlyingRef {
    pub exchange: String,
    pub family: String,
    pub contract: String,
    /// +1 for side A (or S in some files), -1 for side B; only combinations read it.
    pub sign: f64,
    pub ratio: f64,
}

/// What contracts of one period share: a future or physical has a series of its own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub family: u32,
    pub period: String,
    /// The period its delta belongs to: the underlying future's month for an option on a future.
    pub delta_period: String,
    pub settlement_date: String,
    pub years: Option<f64>,
    pub cvf: f64,
    pub svf: f64,
    /// The delta scaling factor.
    pub scale: f64,
    pub vol: f64,
    pub rate: Option<f64>,
    pub dividend_yield: f64,
    pub lookahead: Option<f64>,
    pub scan: ScanRange,
    pub underlying: Vec<UnderlyingRef>,
    /// Contracts of the series, as rows of the table.
    pub first: u32,
    pub count: u32,
}

/// The contracts as columns.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ContractTable {
    pub series: Vec<u32>,
    /// +1 call, -1 put, 0 neither.
    pub right: Vec<i8>,
    pub strike: Vec<f64>,
    pub price: Vec<f64>,
    /// Contract value in money; NaN where the file gives neither a value nor a price.
    pub value: Vec<f64>,
    pub vol: Vec<f64>,
    /// Composite delta.
    pub delta: Vec<f64>,
    /// Row-major, [`SpanFile::width`] values per contract; NaN rows have no array.
    pub array: Vec<f64>,
    /// The exchange's own contract number, 0 where there is none.
    pub number: Vec<u64>,
}

impl ContractTable {
    pub fn len(&self) -> usize {
        self.series.len()
    }

    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CurrencyRate {
    /// The currency that is converted.
    pub from: String,
    /// The currency it is converted to.
    pub to: String,
    /// Units of `to` for one of `from`, kept in double precision.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub factor: f64,
}

/// A parsed parameter set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanFile {
    pub info: FileInfo,
    /// `isContractScale`: the family scale multiplies contracts (and so arrays), not only deltas.
    pub contract_scale: bool,
    pub cap_anov: bool,
    pub lookahead: Option<f64>,
    pub points: Vec<ScanPoint>,
    pub delta_points: Vec<DeltaPoint>,
    pub rates: Vec<CurrencyRate>,
    pub families: Vec<Family>,
    pub series: Vec<Series>,
    #[serde(skip)]
    pub contracts: ContractTable,
    pub commodities: Vec<Commodity>,
    pub super_spreads: Vec<Spread>,
    pub inter_spreads: Vec<Spread>,
    pub exchange_spreads: Vec<Spread>,
    /// Elements or records that were met and not read, with how often.
    pub unknown: BTreeMap<String, u64>,
}

impl SpanFile {
    /// Scan points per array.
    pub fn width(&self) -> usize {
        self.points.len()
    }

    pub fn family_of(&self, row: usize) -> &Family {
        &self.families[self.series_of(row).family as usize]
    }

    pub fn series_of(&self, row: usize) -> &Series {
        &self.series[self.contracts.series[row] as usize]
    }

    pub fn array(&self, row: usize) -> &[f64] {
        let width = self.width();
        &self.contracts.array[row * width..(row + 1) * width]
    }

    /// `EXCHANGE:PRODUCT:KIND:PERIOD` and, for options, `:C|P:STRIKE`.
    pub fn contract_id(&self, row: usize) -> String {
        let (series, family) = (self.series_of(row), self.family_of(row));
        let head = format!(
            "{}:{}:{}:{}",
            family.exchange,
            family.code,
            family.kind.code(),
            series.period
        );
        let head = if family.kind == ContractKind::OptionOnFuture
            && series.delta_period != series.period
        {
            format!("{head}/{}", series.delta_period)
        } else {
            head
        };
        match self.contracts.right[row] {
            0 => head,
            right => format!(
                "{head}:{}:{}",
                if right > 0 { 'C' } else { 'P' },
                self.contracts.strike[row]
            ),
        }
    }

    pub fn commodity(&self, code: &str) -> Option<u32> {
        self.commodities
            .iter()
            .position(|c| c.code == code)
            .map(|i| i as u32)
    }

    /// Units of `to` for one of `from`, by the file's own rates.
    pub fn fx(&self, from: &str, to: &str) -> Option<f64> {
        let stated = self.rates.iter();
        fx::rate(stated.map(|r| (&*r.from, &*r.to, r.factor)), from, to)
    }
}

/// The 16 scenarios, with exact thirds and an extreme move of `multiplier` ranges of which `cover` is charged.
pub fn standard_points(multiplier: f64, cover: f64) -> Vec<ScanPoint> {
    let moves = [0.0, 1.0 / 3.0, -1.0 / 3.0, 2.0 / 3.0, -2.0 / 3.0, 1.0, -1.0];
    let mut points = Vec::with_capacity(16);
    for (i, &price) in moves.iter().enumerate() {
        for (j, vol) in [1.0, -1.0].into_iter().enumerate() {
            points.push(ScanPoint {
                price,
                vol,
                weight: 1.0,
                paired: 2 * i + 1 - j,
            });
        }
    }
    points.push(ScanPoint {
        price: multiplier,
        vol: 0.0,
        weight: cover,
        paired: 14,
    });
    points.push(ScanPoint {
        price: -multiplier,
        vol: 0.0,
        weight: cover,
        paired: 15,
    });
    points
}

/// The seven points of the composite delta.
pub fn standard_delta_points() -> Vec<DeltaPoint> {
    let weights = [0.037, 0.111, 0.217, 0.270, 0.217, 0.111, 0.037];
    (-3..=3)
        .zip(weights)
        .map(|(i, weight)| DeltaPoint {
            price: f64::from(i) / 3.0,
            weight,
        })
        .collect()
}
