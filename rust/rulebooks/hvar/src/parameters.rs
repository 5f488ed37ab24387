//! VaR and expected-shortfall parameters as data: histories, return types, netting sets, options, charges on top.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::component::Component;
use super::stages::Stage;
use engine::bounds;
use engine::inputs::American;
use kernel::error::Result;
use kernel::fail;

/// How a factor's change from one date to the next is expressed, and applied to today's price.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReturnRule {
    /// `x_t / x_{t-1} - 1`.
    Relative,
    /// `ln(x_t / x_{t-1})`.
    Log,
    /// `x_t - x_{t-1}`: rates, spreads, prices that can be negative.
    Absolute,
    /// `(x_t + d) / (x_{t-1} + d) - 1`.
    Displaced(#[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Price"))] f64),
}

/// What the rows of a table of history are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum HistoryKind {
    /// Prices by date; there is one return fewer than rows.
    Levels,
    /// Returns already, under the factor's return rule; each over one day (or over the component's own horizon).
    Returns,
}

/// The words to a numeric table of history: one row a date, oldest first, one column a factor.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct HistoryTable {
    /// The factors, one a column.
    pub columns: Vec<String>,
    /// ISO dates, ascending, one per row; empty where the rows have none and scenarios are known by number.
    #[serde(default)]
    pub dates: Vec<String>,
    pub kind: HistoryKind,
    /// The numbers, row by row, where they come in the document and not as a table beside it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<Vec<Vec<engine::schema::units::Observed>>>")
    )]
    pub values: Option<Vec<Vec<f64>>>,
}

/// The factor of an exchange rate, by how its history is quoted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum FxFactor {
    /// Report currency for one unit of the contract's.
    Direct(String),
    /// Units of the contract's currency for one of the report's.
    Inverse(String),
}

/// How the price of an option follows from its underlying's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum OptionModel {
    /// Black and Scholes, Black-76, or for early exercise what `american` names.
    #[default]
    Lognormal,
    /// Bachelier: the underlying may be at or below zero, and the volatility is in its price's units.
    Normal,
}

/// Offsets between products are granted in part: EMIR RTS 153/2013 Article 27 (4), 80 %.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OffsetCap {
    /// Of the difference between the sum of the products' own margins and the margin together.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
    pub share: f64,
    /// Product by contract id or underlying symbol; the symbol itself where left out.
    #[serde(default)]
    pub products: BTreeMap<String, String>,
}

/// JSCC, from 10 February 2025: an option that a scenario makes worthless counts as one tick.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct OptionFloor {
    /// The smallest price step by contract id or underlying symbol: times the contract unit, rounded up to whole units
    /// of money, it is the least value of a lot.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::PositivePrice>")
    )]
    pub ticks: BTreeMap<String, f64>,
    /// A lot's value in a scenario is recorded as zero below this much money.
    #[serde(default = "half")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Unit"))]
    pub zero_below: f64,
}

/// Positions that net with each other and with no others.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct NettingSet {
    /// The word in lines and details.
    pub name: String,
    /// Contract ids, underlying symbols or factors; a set without members takes what no other set names.
    #[serde(default)]
    pub members: Vec<String>,
    /// The sum this set is part of, as a scope in the report: a liquidation group of several splits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The set's own components instead of the methodology's: a split's own holding period.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub components: Vec<Component>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Parameters {
    /// What the numbers may be taken for; printed in every report.
    pub calibration: String,
    /// The report's currency.
    pub currency: String,
    /// Tables of history, by the name that components call them by.
    #[serde(default)]
    pub histories: BTreeMap<String, HistoryTable>,
    /// Return rule by factor; `*` stands for every factor not named.
    #[serde(default)]
    pub returns: BTreeMap<String, ReturnRule>,
    /// Factor by contract id or underlying symbol; a symbol that is a factor needs no entry.
    #[serde(default)]
    pub map: BTreeMap<String, String>,
    /// Factor of implied volatility by underlying symbol; options of others keep their volatility.
    #[serde(default)]
    pub vol_map: BTreeMap<String, String>,
    /// Factor of the exchange rate by currency; the rates of others stay where they are.
    #[serde(default)]
    pub fx_map: BTreeMap<String, FxFactor>,
    /// Pricing model of options by contract id or underlying symbol; lognormal where left out.
    #[serde(default)]
    pub option_models: BTreeMap<String, OptionModel>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option_floor: Option<OptionFloor>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset_cap: Option<OffsetCap>,
    /// The risk measures whose weighted sum is a netting set's risk.
    pub components: Vec<Component>,
    /// Sets of positions that net with one another and with no other; where left out the account is one.
    #[serde(default)]
    pub netting_sets: Vec<NettingSet>,
    /// Unit to which each position's profit and loss is rounded before it is summed; zero: not at all.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub position_rounding: f64,
    /// A netting set's requirement may be negative.
    #[serde(default)]
    pub allow_negative: bool,
    /// Charges and credits after the scenarios, in order.
    #[serde(default)]
    pub stages: Vec<Stage>,
    /// How American options are priced.
    #[serde(default)]
    pub american: American,
    /// Steps of the binomial tree, with `american` the tree.
    #[serde(default = "steps")]
    pub steps: usize,
}

/// The netting set that stands for the whole account where the parameters name none.
pub(super) const WHOLE: &str = "portfolio";

fn refuse_twins(what: &str, names: &[&str]) -> Result<()> {
    let twin = (1..names.len()).find(|&i| names[..i].contains(&names[i]));
    match twin {
        Some(i) => fail!(InvalidInput: Duplicate; "two {what} are named '{}'", names[i]),
        None => Ok(()),
    }
}

fn half() -> f64 {
    0.5
}

fn steps() -> usize {
    400
}

impl Parameters {
    pub(super) fn check(&self) -> Result<()> {
        self.check_all().map_err(|e| e.at("hvar"))
    }

    fn check_all(&self) -> Result<()> {
        let sets: Vec<&str> = match self.netting_sets.as_slice() {
            [] => vec![WHOLE],
            named => named.iter().map(|s| s.name.as_str()).collect(),
        };
        refuse_twins("netting sets", &sets)?;
        let own = self.netting_sets.iter().map(|s| &s.components);
        for components in [&self.components].into_iter().chain(own) {
            let names: Vec<&str> = components.iter().map(|c| c.name.as_str()).collect();
            refuse_twins("components", &names)?;
            for component in components {
                self.check_component(component, &sets)
                    .map_err(|e| e.at(format!("component '{}'", component.name)))?;
            }
        }
        for set in self.netting_sets.iter() {
            if set.components.is_empty() && self.components.is_empty() {
                fail!(InvalidInput: NotStated; "netting set '{}' has no components", set.name);
            }
        }
        if self.netting_sets.is_empty() && self.components.is_empty() {
            fail!(
                InvalidInput: NotStated;
                "no components: say which measure of which scenarios is the margin"
            );
        }
        if self
            .netting_sets
            .iter()
            .filter(|s| s.members.is_empty())
            .count()
            > 1
        {
            fail!(
                InvalidInput: Contradiction;
                "more than one netting set without members: only one can take the rest"
            );
        }
        bounds::finite("position_rounding", self.position_rounding)?;
        if self.position_rounding < 0.0 {
            fail!(InvalidInput: OutOfRange; "position_rounding is negative");
        }
        for (factor, rule) in &self.returns {
            if let ReturnRule::Displaced(by) = rule {
                bounds::finite(format_args!("the displacement of '{factor}'"), *by)?;
            }
        }
        for stage in &self.stages {
            stage.check()?;
        }
        self.check_options()
    }

    fn check_component(&self, component: &Component, sets: &[&str]) -> Result<()> {
        component.check()?;
        for &level in [component.confidence_ppm]
            .iter()
            .chain(&component.levels_ppm)
        {
            bounds::confidence("confidence", f64::from(level) / 1e6)?;
        }
        if let Some(stranger) = component
            .given
            .keys()
            .find(|name| !sets.contains(&name.as_str()))
        {
            fail!(
                InvalidInput: UnknownName;
                "a risk is given for '{stranger}', which is no netting set: those are {}",
                sets.join(", ")
            );
        }
        if !self.histories.contains_key(&component.history) && component.given.is_empty() {
            fail!(
                MissingData: MissingHistory;
                "it reads the history '{}', which is not given",
                component.history
            );
        }
        Ok(())
    }

    /// What is said of exchange rates, options and offsets.
    fn check_options(&self) -> Result<()> {
        if self.fx_map.contains_key(&self.currency) {
            fail!(
                InvalidInput,
                "fx_map: {} is the report's own currency",
                self.currency
            );
        }
        if let Some(floor) = &self.option_floor {
            let ticks = floor
                .ticks
                .iter()
                .map(|(name, tick)| (name.as_str(), *tick));
            for (name, value) in ticks.chain([("zero_below", floor.zero_below)]) {
                bounds::positive(format_args!("option_floor: {name}"), value)?;
            }
        }
        if let Some(cap) = &self.offset_cap {
            bounds::fraction("offset_cap: share", cap.share)?;
        }
        Ok(())
    }

    /// The return rule of a factor; there is no default.
    pub(super) fn rule(&self, factor: &str) -> Result<ReturnRule> {
        match self.returns.get(factor).or_else(|| self.returns.get("*")) {
            Some(rule) => Ok(*rule),
            None => fail!(
                MissingData: MissingHistory;
                "hvar: no return rule for factor '{factor}': say relative, log, absolute or displaced in returns"
            ),
        }
    }
}
