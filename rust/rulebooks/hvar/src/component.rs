//! Components as data: one risk measure over one set of scenarios, and what its parameters may be together.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::filter::Filter;
use super::measure::{Measure, PPM};
use super::parametric::Variance;
use engine::bounds;
use kernel::error::Result;
use kernel::fail;

/// How a loss over several days follows from a history of single days.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scaling {
    /// Returns of one day (or of what the table holds) as they are.
    #[default]
    None,
    /// Each return times the root of the days.
    SqrtReturns,
    /// The measured risk times the root of the days.
    SqrtRisk,
    /// Returns over `days`, one for every date.
    Overlapping,
    /// Returns over `days` in `days` interleaved sets without overlap, measured apart and averaged.
    Interleaved,
}

/// Whether a component is part of the sum, or the sum may not fall below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Role {
    #[default]
    Term,
    Floor,
}

/// One risk measure over one set of scenarios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Component {
    /// The word in lines and details.
    pub name: String,
    /// How risk is measured from losses.
    pub measure: Measure,
    /// Parts per million: 990000 is 99 %.
    pub confidence_ppm: u32,
    /// Of each interleaved set, where they differ.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub levels_ppm: Vec<u32>,
    /// Times the measured risk in the sum.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub weight: f64,
    #[serde(default)]
    pub role: Role,
    /// The table of history; the one named `history` where left out.
    #[serde(default = "default_history")]
    pub history: String,
    /// The newest so many returns; all where left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<usize>,
    /// Fixed periods of stress instead of the newest returns: dates of each, ascending. Returns over several days do
    /// not reach before a period's first date.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub periods: Vec<Vec<String>>,
    /// The share of all weight that the periods have beside the newest returns, in one sample under a weighted
    /// measure: EMIR RTS 153/2013 Article 28 (1)(b), at least a quarter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Inner>")
    )]
    pub stress_weight: Option<f64>,
    /// The holding period, in days of the history.
    #[serde(default = "one_day")]
    pub days: usize,
    #[serde(default)]
    pub scaling: Scaling,
    /// Volatility scaling of each factor's returns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
    /// Volatility scaling of the portfolio's own profits and losses (Hull and White at portfolio level).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub portfolio_filter: Option<Filter>,
    /// Each return with its opposite beside it.
    #[serde(default)]
    pub antithetic: bool,
    /// Decay of scenario weights with age (Boudoukh, Richardson, Whitelaw), for the weighted measures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "Option<engine::schema::units::Inner>")
    )]
    pub age_decay: Option<f64>,
    /// How the variance is estimated, for the normal measure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub variance: Option<Variance>,
    /// Times every scenario's move.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub multiplier: f64,
    /// Calendar days by which options age in every scenario.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Days"))]
    pub roll_days: f64,
    /// Risk numbers of netting sets that a clearing house has stated: used instead of scenarios.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Money>")
    )]
    pub given: BTreeMap<String, f64>,
}

fn one_day() -> usize {
    1
}

fn default_history() -> String {
    "history".into()
}

impl Component {
    /// A component that only measures losses.
    pub(super) fn measuring(
        measure: Measure,
        confidence_ppm: u32,
        age_decay: Option<f64>,
    ) -> Result<Self> {
        let component = Self {
            name: measure.name(),
            measure,
            confidence_ppm,
            levels_ppm: Vec::new(),
            weight: 1.0,
            role: Role::Term,
            history: default_history(),
            window: None,
            periods: Vec::new(),
            stress_weight: None,
            days: 1,
            scaling: Scaling::None,
            filter: None,
            portfolio_filter: None,
            antithetic: false,
            age_decay,
            variance: (measure == Measure::Normal).then_some(Variance::Population),
            multiplier: 1.0,
            roll_days: 0.0,
            given: BTreeMap::new(),
        };
        component.check()?;
        Ok(component)
    }

    /// Whether it reads the newest returns.
    pub(super) fn is_windowed(&self) -> bool {
        self.periods.is_empty() || self.stress_weight.is_some()
    }

    /// Days between the returns of one set.
    pub(super) fn stride(&self) -> usize {
        match self.scaling {
            Scaling::Interleaved => self.days,
            Scaling::None | Scaling::SqrtReturns | Scaling::SqrtRisk | Scaling::Overlapping => 1,
        }
    }

    /// Days that one return spans.
    pub(super) fn span(&self) -> usize {
        match self.scaling {
            Scaling::Overlapping | Scaling::Interleaved => self.days,
            Scaling::None | Scaling::SqrtReturns | Scaling::SqrtRisk => 1,
        }
    }

    /// What each return is multiplied by for the holding period.
    pub(super) fn return_scale(&self) -> f64 {
        match self.scaling {
            Scaling::SqrtReturns => (self.days as f64).sqrt(),
            Scaling::None | Scaling::SqrtRisk | Scaling::Overlapping | Scaling::Interleaved => 1.0,
        }
    }

    /// What the risk is multiplied by for the holding period.
    pub(super) fn risk_scale(&self) -> f64 {
        match self.scaling {
            Scaling::SqrtRisk => (self.days as f64).sqrt(),
            Scaling::None | Scaling::SqrtReturns | Scaling::Overlapping | Scaling::Interleaved => {
                1.0
            }
        }
    }

    /// The confidence of a set in parts per million.
    pub(super) fn level(&self, set: usize) -> u32 {
        *self.levels_ppm.get(set).unwrap_or(&self.confidence_ppm)
    }

    /// `VaR 99 %`, `ES 97.5 % 10 d`: the component and how sure.
    pub(super) fn label(&self) -> String {
        let percent = f64::from(self.confidence_ppm) / 1e4;
        let days = if self.days > 1 {
            format!(" {} d", self.days)
        } else {
            String::new()
        };
        format!("{} {percent} %{days}", self.name)
    }

    pub(super) fn check(&self) -> Result<()> {
        self.check_levels()?;
        self.check_periods()?;
        self.check_numbers()?;
        self.check_measure()?;
        self.check_filters()
    }

    /// Confidence and holding period.
    fn check_levels(&self) -> Result<()> {
        let levels = [self.confidence_ppm];
        for &level in levels.iter().chain(&self.levels_ppm) {
            if !(1..PPM as u32).contains(&level) {
                fail!(
                    InvalidInput: OutOfRange;
                    "a confidence of {level} parts per million: it lies above 0 and below 1000000 (990000 is 99 %)"
                );
            }
        }
        if self.days == 0 || self.window == Some(0) {
            fail!(InvalidInput: OutOfRange; "days and window are at least 1");
        }
        if self.days > 1 && self.scaling == Scaling::None {
            fail!(
                InvalidInput: Duplicate;
                "a holding period of {} days needs scaling: sqrt_returns, sqrt_risk, overlapping or interleaved",
                self.days
            );
        }
        if !self.levels_ppm.is_empty()
            && (self.scaling != Scaling::Interleaved || self.levels_ppm.len() != self.days)
        {
            fail!(
                InvalidInput: WrongShape;
                "levels_ppm has {} entries: one for each of the interleaved sets is needed",
                self.levels_ppm.len()
            );
        }
        Ok(())
    }

    fn check_periods(&self) -> Result<()> {
        if !self.periods.is_empty()
            && (self.filter.is_some() || (self.window.is_some() && self.stress_weight.is_none()))
        {
            fail!(
                Unsupported,
                "fixed periods take their returns as they are: leave window and filter out, or say their stress_weight \
                 beside a window"
            );
        }
        if let Some(weight) = self.stress_weight {
            if !(weight > 0.0 && weight < 1.0) {
                fail!(
                InvalidInput: OutOfRange, place "stress_weight", value weight;
                "stress_weight is {weight}: it lies above 0 and below 1 (0.25)"
                                );
            }
            if !self.measure.is_weighted()
                || self.periods.is_empty()
                || self.antithetic
                || self.stride() > 1
            {
                fail!(
                    Unsupported,
                    "stress_weight needs periods and the measure weighted or es_weighted, without antithetic returns and \
                     interleaved sets"
                );
            }
        }
        Ok(())
    }

    fn check_numbers(&self) -> Result<()> {
        for (what, value) in [
            ("weight", self.weight),
            ("multiplier", self.multiplier),
            ("roll_days", self.roll_days),
        ] {
            bounds::finite(what, value)?;
        }
        if self.roll_days < 0.0 {
            fail!(InvalidInput: OutOfRange; "roll_days is negative");
        }
        for (set, &value) in &self.given {
            bounds::finite(format_args!("the given risk of '{set}'"), value)?;
        }
        Ok(())
    }

    /// Whether the measure has what it needs, and nothing else.
    fn check_measure(&self) -> Result<()> {
        match (self.measure.is_weighted(), self.age_decay) {
            (true, Some(decay)) if decay > 0.0 && decay < 1.0 => {}
            (true, None) if self.stress_weight.is_some() => {}
            (false, None) => {}
            (true, _) => fail!(
                InvalidInput: OutOfRange;
                "measure {}: age_decay is needed, above 0 and below 1 (0.995)",
                self.measure.name()
            ),
            (false, Some(_)) => fail!(
                InvalidInput: Contradiction;
                "age_decay belongs to the measures weighted and es_weighted, not to {}",
                self.measure.name()
            ),
        }
        match (self.measure == Measure::Normal, &self.variance) {
            (true, Some(variance)) => variance.check()?,
            (false, None) => {}
            (true, None) | (false, Some(_)) => fail!(
                InvalidInput: Contradiction;
                "variance belongs to the measure normal, and to no other"
            ),
        }
        Ok(())
    }

    fn check_filters(&self) -> Result<()> {
        for filter in self.filter.iter().chain(&self.portfolio_filter) {
            filter.check()?;
        }
        if let Some(filter) = &self.portfolio_filter
            && (filter.first() > 0 || filter.has_mean())
        {
            fail!(
                Unsupported,
                "a portfolio filter is seeded by its own window and has no mean: leave seed_returns and mean out, and \
                 use ewma or garch"
            );
        }
        Ok(())
    }
}
