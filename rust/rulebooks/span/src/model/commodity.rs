//! A combined commodity's tiers, spreads, rates and levels.

use serde::de::value::Error;
use serde::de::{DeserializeOwned, IntoDeserializer};
use serde::{Deserialize, Serialize};

/// The variant of a method that a file names by this word or letter. The words are those of the `serde` attributes below
/// and nowhere else; none where it is none of them.
pub(crate) fn named<T: DeserializeOwned>(word: &str) -> Option<T> {
    T::deserialize(IntoDeserializer::<Error>::into_deserializer(word)).ok()
}

/// A range of periods, both ends included by prefix; an empty end is open. `rate` is a tier's SOM rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// The tier's number, from 1.
    pub number: u32,
    /// First period of the tier, by prefix; open where empty.
    #[serde(default)]
    pub start: String,
    /// Last period of the tier, by prefix; open where empty.
    #[serde(default)]
    pub end: String,
    /// Money per short option, of a tier of short option minimums.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Number>")
    )]
    pub rate: Option<f64>,
}

impl Tier {
    pub fn holds(&self, period: &str) -> bool {
        let cut = |end: &str| {
            period
                .get(..end.len().min(period.len()))
                .unwrap_or(period)
                .to_string()
        };
        (self.start.is_empty() || cut(&self.start) >= self.start)
            && (self.end.is_empty() || cut(&self.end) <= self.end)
    }
}

/// How a spread turns into money: `chargeMeth` of `dSpread`, record 6 column 101. A new method is a variant here and an
/// arm where the compiler asks for one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ChargeMethod {
    /// Flat money per spread.
    #[serde(rename = "F")]
    Flat,
    /// A fraction of the legs' weighted futures price risk.
    #[serde(rename = "W")]
    Weighted,
    /// Per month per spread.
    #[serde(rename = "P")]
    PerMonth,
}

impl ChargeMethod {
    /// Whether its rate is money, which the commodity's risk exponent scales; a fraction otherwise.
    pub(crate) fn is_money(self) -> bool {
        match self {
            Self::Flat | Self::PerMonth => true,
            Self::Weighted => false,
        }
    }
}

/// A leg: deltas of a tier (0: the whole commodity) or of one period, on side A (+1) or B (-1).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// Another clearing organisation's leg names it; empty for this file's own.
    #[serde(default)]
    pub organisation: String,
    /// Code of the leg's combined commodity.
    pub commodity: String,
    /// The tier whose deltas it takes; 0 is the whole commodity.
    #[serde(default)]
    pub tier: u32,
    /// The one period whose deltas it takes, in place of a tier.
    #[serde(default)]
    pub period: Option<String>,
    /// Deltas that one spread takes of the leg.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub ratio: f64,
    /// The side of the market, +1 (A) or -1 (B): legs of one side are of one sign.
    pub side: i8,
    /// The leg's own credit rate, where it differs from the spread's.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Number>")
    )]
    pub rate: Option<f64>,
    /// Scanning-based spreads only.
    #[serde(default = "engine::parameters::yes")]
    pub required: bool,
    /// Scanning-based spreads: whether the credit goes to this leg's commodity.
    #[serde(default)]
    pub target: bool,
}

impl Leg {
    /// A leg of this file's own commodity, with nothing but what every leg has.
    pub(crate) fn plain(commodity: String, tier: u32, ratio: f64, side: i8) -> Self {
        Self {
            organisation: String::new(),
            commodity,
            tier,
            period: None,
            ratio,
            side,
            rate: None,
            required: false,
            target: false,
        }
    }
}

/// How a scanning-based spread adds its legs at one point.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct PointRule {
    /// Scan point, from 1.
    pub point: usize,
    /// The `losses` largest losses instead of losses plus `rate` times gains.
    #[serde(default)]
    pub maximum: bool,
    /// Part of the gains that is set against losses at the point.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub rate: f64,
    /// How many of the largest losses are added, where `maximum`.
    #[serde(default)]
    pub losses: usize,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// Order in which spreads form, lowest first.
    pub priority: u32,
    pub method: ChargeMethod,
    /// Money for flat spreads, a fraction for weighted and scanning-based ones.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Number"))]
    pub rate: f64,
    /// The legs; one spread takes deltas of each at its ratio.
    pub legs: Vec<Leg>,
    /// Whether legs are scanned together instead of being credited by deltas.
    #[serde(default)]
    pub scanning: bool,
    /// Whether the target leg has to be held.
    #[serde(default)]
    pub target_required: bool,
    /// Least number of legs that have to be held.
    #[serde(default = "two")]
    pub minimum_legs: u32,
    /// How losses and gains of the legs add at single points; scanning-based spreads only.
    #[serde(default)]
    pub point_rules: Vec<PointRule>,
    /// (rate, per month, per spread) of charge method P.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<(engine::schema::units::Money, engine::schema::units::Money, engine::schema::units::Money)>"
        )
    )]
    pub per_month: Option<(f64, f64, f64)>,
    /// What the file says of the spread that is not implemented: forming it is an error.
    #[serde(default)]
    pub unsupported: Option<String>,
}

impl Spread {
    /// A delta-based spread with nothing but what every spread has.
    pub(crate) fn plain(priority: u32, method: ChargeMethod, rate: f64, legs: Vec<Leg>) -> Self {
        Self {
            priority,
            method,
            rate,
            legs,
            scanning: false,
            target_required: false,
            minimum_legs: 2,
            point_rules: Vec::new(),
            per_month: None,
            unsupported: None,
        }
    }
}

/// Delivery rates of one period: per delta used by spreads, and per delta left outright.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct SpotRate {
    /// The period in delivery.
    pub period: String,
    /// Money per delta that spreads use.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Money"))]
    pub spread: f64,
    /// Money per delta left outright.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Money"))]
    pub outright: f64,
}

/// Weighted futures price risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum WfprMethod {
    #[default]
    Normal,
    ScanrangeCap,
    Scanrange,
}

/// How short options are counted for their minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum SomMethod {
    /// Calls plus puts.
    #[default]
    Gross,
    /// The larger of calls and puts.
    Max,
}

/// How combinations are margined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum CombinationMethod {
    #[serde(rename = "S")]
    Split,
    #[default]
    #[serde(rename = "D")]
    DeltaSplit,
    #[serde(rename = "M")]
    ModifiedSplit,
}

/// Factors from the file's risk level to one account kind's two levels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Level {
    /// Factor on the file's risk for initial margin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub initial: f64,
    /// Factor on the file's risk for maintenance margin.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub maintenance: f64,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            initial: 1.0,
            maintenance: 1.0,
        }
    }
}

/// Levels by account kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Levels {
    pub member: Level,
    pub hedger: Level,
    pub speculator: Level,
}

/// A combined commodity: everything SPAN does, it does per commodity.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Commodity {
    /// The combined commodity's code.
    pub code: String,
    /// Its name, for readers.
    pub name: String,
    /// The clearing organisation; filled from the file where left out.
    pub organisation: String,
    /// Currency of its risk.
    pub currency: String,
    /// Power of ten that money in the file is scaled by.
    pub risk_exponent: i32,
    /// Whether its option value counts up to its risk only.
    pub cap_anov: bool,
    pub wfpr: WfprMethod,
    pub som_method: SomMethod,
    pub combination: CombinationMethod,
    /// Tiers whose contracts are scanned apart.
    pub scan_tiers: Vec<Tier>,
    /// Tiers that spreads between its own periods name.
    pub intra_tiers: Vec<Tier>,
    /// Tiers that spreads between commodities name.
    pub inter_tiers: Vec<Tier>,
    /// Tiers of short option minimums, each with its rate.
    pub som_tiers: Vec<Tier>,
    /// Spreads between its own periods.
    pub spreads: Vec<Spread>,
    /// Charges on periods in delivery.
    pub spot_rates: Vec<SpotRate>,
    /// Delivery method 11: product code and basis risk rate per spot position.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<(String, engine::schema::units::Money)>")
    )]
    pub basis: Option<(String, f64)>,
    pub levels: Levels,
    /// What the file says of the commodity that is not implemented: holding it is an error.
    pub unsupported: Option<String>,
}

fn two() -> u32 {
    2
}
