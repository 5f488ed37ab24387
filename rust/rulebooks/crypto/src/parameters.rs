//! A venue's rulebook as data: which scenarios, which law of volatility, which charges, how they aggregate.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::rules::MAX_FACTOR;
use super::scenario::ScenarioLists;
use super::vol::VolLaw;
use engine::bounds;
use engine::reading::read;
use kernel::error::Result;
use kernel::fail;

/// How sure we are of a component: checked against published numbers, read in published text, or inferred by us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Grade {
    Verified,
    Published,
    Inferred,
    Unverified,
}

/// How a requirement is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Model {
    /// A scan of scenarios and charges on top.
    Scenario,
    /// A formula per position, nothing offsets.
    Standard,
    /// Derive's portfolio managers: values per expiry, discounted by sign.
    Pmrm,
    /// Derive's standard manager.
    Srm,
}

/// What one scan covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum UnitOf {
    /// One underlying in one settlement currency.
    #[default]
    Settlement,
    /// One underlying whatever it settles in; coin is converted at the scenario's own price.
    Underlying,
}

/// What spot does in a scan. No venue treatment is assumed: every comparison prints it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum SpotTreatment {
    /// A position like any other.
    InMatrix,
    /// As much of it as the delta of everything else is hedged by is a position, the rest is not in the scan (OKX).
    InUse,
    /// Its gain covers losses of scenarios that move up, never more than the loss; its loss is not margined.
    UpsideOffset,
    /// Not in the scan: collateral at its haircut.
    #[default]
    CollateralOnly,
}

fn rate_of_year() -> f64 {
    365.0
}

/// Sum over expiries of |delta| times max(`min`, exp(`annualised` * years) - 1). A perpetual pays the minimum.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Roll {
    /// Least rate on the delta of an expiry; the whole rate of a perpetual.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub min: f64,
    /// Continuous rate per year to expiry.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Annual"))]
    pub annualised: f64,
}

/// A charge on a delta too large to liquidate: |D| * min(`max`, `slope` * max(0, |D| - `threshold` / index)), in coin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct DeltaShock {
    /// Value of the delta, in the index's currency, up to which nothing is charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub threshold: f64,
    /// Rate per coin of delta above the threshold.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
    pub slope: f64,
    /// The largest rate on the delta.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub max: f64,
}

/// A floor of the scan: `unhedged` on the net delta, `hedged` on the offset part.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct MinDelta {
    /// Share of the index per coin of the net delta.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub unhedged: f64,
    /// Share of the index per coin of delta that another offsets: half of gross less net.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub hedged: f64,
}

/// Which short options are charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ShortNetting {
    /// Every option held, long or short.
    All,
    /// Net short per contract.
    Contract,
    /// Net short per expiry and strike, calls and puts together.
    Strike,
    /// As `strike`, after a band at the money and shorts rolled against longs further out.
    Rolled,
}

/// A rate per short option, of the index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct ShortOptions {
    /// Share of the index per coin of option that is charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub rate: f64,
    /// Which options are charged.
    pub netting: ShortNetting,
    /// Half the band around the money, as a share of the index, in which a position counts by its distance; for
    /// `rolled`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Signed"))]
    pub atm_range: f64,
}

/// A rate on futures and perpetuals, of the index: on the sum of absolute positions, or on the larger side.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Futures {
    /// Share of the index per coin of position that is charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub rate: f64,
    /// Whether only the larger of the long and the short side is charged.
    #[serde(default)]
    pub larger_side: bool,
}

/// `rate` on perpetual notional, times a multiplier that grows with the product: `tiers` are (up to, multiplier) in
/// ascending order, the last without an end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Slippage {
    /// Share of the perpetuals' notional, before the multiplier.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub rate: f64,
    /// (product up to, multiplier), ascending; the last has no end.
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Vec<(Option<engine::schema::units::Money>, engine::schema::units::Multiple)>"
        )
    )]
    pub tiers: Vec<(Option<f64>, f64)>,
}

/// Charges beside the scan. Each is added unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Charges {
    pub roll: Option<Roll>,
    pub delta_shock: Option<DeltaShock>,
    /// An alternative to the scan: the larger counts.
    pub min_delta: Option<MinDelta>,
    /// An alternative to the scan: the value the options lose in this many days.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Days>")
    )]
    pub decay_days: Option<f64>,
    pub short_options: Option<ShortOptions>,
    pub futures: Option<Futures>,
    /// An alternative to the whole sum: the cost of closing perpetuals (OKX MR7).
    pub perpetual_slippage: Option<Slippage>,
    /// Charges whose formula the venue does not publish, in the unit's currency, by name: the caller states them.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Amount>")
    )]
    pub stated: BTreeMap<String, f64>,
    /// Amounts added to initial margin only, without its factor: open orders, market-maker protection.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Amount>")
    )]
    pub initial_only: BTreeMap<String, f64>,
    /// Amounts added to both margins without their factors: funding, fees.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Amount>")
    )]
    pub provisions: BTreeMap<String, f64>,
}

/// Parts of a rulebook that are not published: a unit that would need one raises until the caller states it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Unpublished {
    /// What is not published for options, in words.
    pub options: Vec<String>,
    /// What is not published for futures and perpetuals, in words.
    pub futures: Vec<String>,
    /// Needed where options of more than one expiry are held.
    pub calendars: Vec<String>,
}

/// The rules of one underlying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct UnitRules {
    pub scenarios: ScenarioLists,
    pub vol: VolLaw,
    #[serde(default)]
    pub charges: Charges,
    #[serde(default)]
    pub unpublished: Unpublished,
    /// Initial margin is the scan's loss and charges times this.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Factor"))]
    pub im_factor: f64,
    /// Maintenance margin is the scan's loss and charges times this.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Factor"))]
    pub mm_factor: f64,
    /// Share of a gain that counts in the aggregated table, and its cap in the quote currency.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub gain_share: f64,
    /// Most of a gain that counts in the aggregated table, in the quote currency; no cap where left out.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Amount>")
    )]
    pub gain_cap: Option<f64>,
}

/// An option formula: max(`a` - out of the money, `b`) of the index, `c` for maintenance, mark included.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OptionFormula {
    /// Share of the index asked of a short option at the money, less the distance out of it.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub a: f64,
    /// Least share of the index asked of a short option.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub b: f64,
    /// Share of the index asked as maintenance of a short option.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub c: f64,
    /// Maintenance of a put is at least this share of its mark (beside the mark itself); null where the venue has none.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Fraction>")
    )]
    pub put_mark: Option<f64>,
    /// Distance out of the money over the expiry's forward instead of the index (OKX).
    #[serde(default)]
    pub over_forward: bool,
    /// Premium of a long option counts as its margin, up to this share of the index (Paradex).
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Fraction>")
    )]
    pub long_cap: Option<f64>,
    /// Short puts are capped at this share of the index (Paradex).
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Fraction>")
    )]
    pub put_cap: Option<f64>,
    /// Whether the mark is inside the requirement.
    #[serde(default = "engine::parameters::yes")]
    pub with_mark: bool,
    /// Maintenance as a share of initial where the venue says so instead of `c`.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Fraction>")
    )]
    pub mm_share: Option<f64>,
}

/// A futures formula: (`im` + `slope` * coins) of the notional.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct FutureFormula {
    /// Initial margin as a share of the notional, before the slope.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub im: f64,
    /// Maintenance margin as a share of the notional, before the slope.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub mm: f64,
    /// Added to the share per coin of position.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub slope: f64,
}

/// Rules per position of one underlying.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct StandardRules {
    #[serde(default)]
    pub option: Option<OptionFormula>,
    #[serde(default)]
    pub future: Option<FutureFormula>,
}

/// A whole rulebook.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// The venue's name, which the report shows.
    pub venue: String,
    pub model: Model,
    /// How sure a part of the rules is, by the part's name.
    #[serde(default)]
    pub grades: BTreeMap<String, Grade>,
    #[serde(default)]
    pub unit: UnitOf,
    /// The underlyings that the rules of `*` were published for; empty where they are for any. Another needs an entry
    /// of its own, which may be empty.
    #[serde(default)]
    pub underlyings: Vec<String>,
    /// The report's currency; where left out the contracts' own if they share one, else USD.
    #[serde(default)]
    pub currency: Option<String>,
    #[serde(default)]
    pub spot: SpotTreatment,
    /// Days of a year in time to expiry.
    #[serde(default = "rate_of_year")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "engine::schema::units::DaysOfYear")
    )]
    pub year_days: f64,
    /// Seconds over which an expiry settles as an average, where the rulebook reads the part already fixed.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Seconds>")
    )]
    pub settlement_window: Option<f64>,
    /// Component names as the venue prints them, by ours.
    #[serde(default)]
    pub names: BTreeMap<String, String>,
    /// Share of an asset's value lost as collateral, by asset.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Fraction>")
    )]
    pub haircuts: BTreeMap<String, f64>,
    /// Maintenance and initial margin of borrowed money, as shares of it.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<(engine::schema::units::Fraction, engine::schema::units::Fraction)>"
        )
    )]
    pub borrow: Option<(f64, f64)>,
    /// Scenario rules by underlying and settlement: `BTC/USDC`, `BTC`, `*/USDC`, `*`; each is written over `*`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, UnitRules>"))]
    pub rules: Map<String, Value>,
    /// Formulas per position by underlying and settlement, keyed as `rules`, for the model `standard`.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<String, StandardRules>"))]
    pub standard: Map<String, Value>,
    #[serde(default)]
    pub pmrm: Option<super::pmrm::PmrmRules>,
    /// Rules of Derive's standard manager by underlying, keyed as `rules`, for the model `srm`.
    #[serde(default)]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, super::rules::SrmRules>")
    )]
    pub srm: Map<String, Value>,
    #[serde(default)]
    pub feeds: super::feeds::Feeds,
}

impl Parameters {
    pub fn check(&self) -> Result<()> {
        if self.year_days <= 0.0 {
            fail!(
                InvalidInput: OutOfRange;
                "year_days is {}: it must be positive",
                self.year_days
            );
        }
        let table = match self.model {
            Model::Scenario | Model::Pmrm => &self.rules,
            Model::Standard => &self.standard,
            Model::Srm => &self.srm,
        };
        if table.is_empty() {
            fail!(InvalidInput: NotStated; "{}: no rules for any underlying", self.venue);
        }
        for key in table.keys() {
            let (underlying, currency) = key.split_once('/').unwrap_or((key, ""));
            match self.model {
                Model::Scenario | Model::Pmrm => {
                    merged::<UnitRules>("scenario", table, underlying, currency)?.check(key)?;
                }
                Model::Standard => {
                    merged::<StandardRules>("standard", table, underlying, currency)?.check(key)?;
                }
                Model::Srm => {
                    merged::<super::rules::SrmRules>("srm", table, underlying, currency)?
                        .check(key)?;
                }
            }
        }
        for (asset, &haircut) in &self.haircuts {
            bounds::fraction(format_args!("haircuts: {asset}"), haircut)?;
        }
        let (maintenance, initial) = self.borrow.unwrap_or_default();
        for (name, share) in [("maintenance", maintenance), ("initial", initial)] {
            bounds::fraction(format_args!("borrow: {name}"), share)?;
        }
        self.feeds.check()
    }

    /// The rules of an underlying and settlement currency: its own, written over those of `*`. An underlying that the
    /// rules of `*` were not published for, and that has none of its own, is refused.
    pub(super) fn entry<T: serde::de::DeserializeOwned>(
        &self,
        underlying: &str,
        currency: &str,
    ) -> Result<T> {
        let (what, table) = match self.model {
            Model::Scenario | Model::Pmrm => ("scenario", &self.rules),
            Model::Standard => ("standard", &self.standard),
            Model::Srm => ("srm", &self.srm),
        };
        let own = [format!("{underlying}/{currency}"), underlying.to_string()];
        let known = self.underlyings.is_empty()
            || self.underlyings.iter().any(|u| u == underlying)
            || own.iter().any(|key| table.contains_key(key));
        if !known {
            fail!(
                MissingData: NotStated;
                "{}: no parameters of {underlying} are shipped: state them under '{underlying}' in its rules",
                self.venue
            );
        }
        merged(what, table, underlying, currency)
    }

    /// Whether a formula of any underlying measures distance on the expiry's forward.
    pub(super) fn reads_forward(&self) -> bool {
        self.standard
            .values()
            .any(|r| r["option"]["over_forward"] == Value::Bool(true))
    }

    /// What the venue calls a component.
    pub fn name<'a>(&'a self, component: &'a str) -> &'a str {
        self.names.get(component).map_or(component, String::as_str)
    }
}

impl StandardRules {
    /// Shares are of the index, the notional, the mark or the initial margin.
    fn check(&self, key: &str) -> Result<()> {
        let option = self.option.as_ref();
        let future = self.future.as_ref();
        for (name, share) in [
            ("option.a", option.map(|o| o.a)),
            ("option.b", option.map(|o| o.b)),
            ("option.c", option.map(|o| o.c)),
            ("option.put_mark", option.and_then(|o| o.put_mark)),
            ("option.long_cap", option.and_then(|o| o.long_cap)),
            ("option.put_cap", option.and_then(|o| o.put_cap)),
            ("option.mm_share", option.and_then(|o| o.mm_share)),
            ("future.im", future.map(|f| f.im)),
            ("future.mm", future.map(|f| f.mm)),
            ("future.slope", future.map(|f| f.slope)),
        ] {
            if let Some(share) = share {
                bounds::fraction(format_args!("rules of '{key}': {name}"), share)?;
            }
        }
        Ok(())
    }
}

impl UnitRules {
    fn check(&self, key: &str) -> Result<()> {
        self.vol.check()?;
        // Named one by one: a charge that is forgotten here does not compile.
        let Charges {
            roll,
            delta_shock,
            min_delta,
            decay_days,
            short_options,
            futures,
            perpetual_slippage,
            stated,
            initial_only,
            provisions,
        } = &self.charges;
        let stated = [stated, initial_only, provisions];
        for (name, factor) in [("im_factor", self.im_factor), ("mm_factor", self.mm_factor)] {
            bounds::factor(format_args!("rules of '{key}': {name}"), factor, MAX_FACTOR)?;
        }
        let shock = delta_shock.as_ref();
        let roll = roll.as_ref();
        let least = min_delta.as_ref();
        for (name, share) in [
            ("gain_share", Some(self.gain_share)),
            ("charges.delta_shock.max", shock.map(|s| s.max)),
            ("charges.roll.min", roll.map(|r| r.min)),
            ("charges.min_delta.unhedged", least.map(|m| m.unhedged)),
            ("charges.min_delta.hedged", least.map(|m| m.hedged)),
            (
                "charges.short_options.rate",
                short_options.as_ref().map(|s| s.rate),
            ),
            ("charges.futures.rate", futures.as_ref().map(|f| f.rate)),
            (
                "charges.perpetual_slippage.rate",
                perpetual_slippage.as_ref().map(|s| s.rate),
            ),
        ] {
            if let Some(share) = share {
                bounds::fraction(format_args!("rules of '{key}': {name}"), share)?;
            }
        }
        let numbers = [
            (
                "charges.delta_shock.threshold",
                shock.map_or(0.0, |s| s.threshold),
            ),
            ("charges.delta_shock.slope", shock.map_or(0.0, |s| s.slope)),
            (
                "charges.roll.annualised",
                roll.map_or(0.0, |r| r.annualised),
            ),
            ("gain_cap", self.gain_cap.unwrap_or(0.0)),
            ("charges.decay_days", decay_days.unwrap_or(0.0)),
        ]
        .into_iter()
        .chain(
            stated
                .into_iter()
                .flatten()
                .map(|(name, &amount)| (name.as_str(), amount)),
        );
        for (name, value) in numbers {
            bounds::not_negative(format_args!("rules of '{key}': {name}"), value)?;
        }
        Ok(())
    }
}

/// The entry for an underlying and settlement currency, the most particular first, written over `*`.
fn merged<T: serde::de::DeserializeOwned>(
    what: &str,
    table: &Map<String, Value>,
    underlying: &str,
    currency: &str,
) -> Result<T> {
    let mut found = None;
    let base = table.get("*").cloned().unwrap_or(Value::Object(Map::new()));
    for key in [
        format!("{underlying}/{currency}"),
        underlying.to_string(),
        format!("*/{currency}"),
    ] {
        if let Some(own) = table.get(&key) {
            let mut merged = base.clone();
            overlay(&mut merged, own);
            found = Some((key, merged));
            break;
        }
    }
    let (key, value) = match found {
        Some(found) => found,
        None if table.contains_key("*") => ("*".to_string(), base),
        None => {
            let known: Vec<&str> = table.keys().map(String::as_str).collect();
            fail!(
                NotApplicable,
                "no {what} rules for {underlying} in {currency}: the preset has {}",
                known.join(", ")
            )
        }
    };
    read(&format!("{what} rules of '{key}'"), &value)
}

fn overlay(base: &mut Value, own: &Value) {
    match (base, own) {
        (Value::Object(base), Value::Object(own)) => {
            for (key, change) in own {
                overlay(base.entry(key.clone()).or_insert(Value::Null), change);
            }
        }
        (base, own) => *base = own.clone(),
    }
}
