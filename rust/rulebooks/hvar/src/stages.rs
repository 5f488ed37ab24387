//! Charges and credits after the scenarios, as data: floors, flat rates, liquidity, corporate actions, holidays,
//! rounding, mark to market, position limits, anti-procyclicality tools.
//!
//! Stages run in the order given, each on what stands before it. What a rule does is in `rules/`, where its function also
//! names its source.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::rules::account::{self, Limit};
use super::rules::contracts::{self, Daily, Depth, Sides, Ticks};
use super::rules::liquidity::{self, Threshold};
use super::rules::parts::Parts;
use kernel::error::Result;

/// A rule under the user's name for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The word in lines, and in the `of` of later stages.
    pub name: String,
    pub rule: Rule,
}

/// A charge or credit as it is written in a document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The sum so far is at least `rate` times the larger of gross long and gross short value of what the scenarios
    /// cover.
    GrossFloor {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
        rate: f64,
    },
    /// Contracts outside the scenarios: in each group the larger of the two sides' value times rate, times the
    /// multiplier. A contract in no group is one of its own.
    FlatRate {
        #[cfg_attr(
            feature = "schema",
            schemars(with = "BTreeMap<String, engine::schema::units::Relative>")
        )]
        rates: BTreeMap<String, f64>,
        #[serde(default)]
        groups: Vec<Vec<String>>,
        #[serde(default = "engine::parameters::one")]
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        multiplier: f64,
    },
    /// `max(|delta value| - threshold, 0) * rate` per underlying, and of the beta-weighted sum against the hedge
    /// instrument. `delta` is the value of one unit's delta; without one a contract that is no option counts with its
    /// price.
    Liquidity {
        underlyings: BTreeMap<String, Threshold>,
        #[serde(default)]
        underlying_of: BTreeMap<String, String>,
        #[serde(default)]
        #[cfg_attr(
            feature = "schema",
            schemars(with = "BTreeMap<String, engine::schema::units::Price>")
        )]
        delta: BTreeMap<String, f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hedge: Option<Threshold>,
        /// Unit each amount is rounded to; zero: not rounded.
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        rounding: f64,
    },
    /// `spread / 2 |q| (1 + kappa (|q| / volume)^beta)` of each contract's net lots: close-out at the bid or ask, dearer
    /// for what is large against a day's volume. SPAN 2 describes both in words; the formula is ours.
    CloseOut {
        products: BTreeMap<String, Depth>,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        kappa: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        beta: f64,
    },
    /// `vol sqrt(|q| / volume) |value| * scale` of each contract's net lots: the square-root law of market impact.
    Impact {
        products: BTreeMap<String, Daily>,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        scale: f64,
    },
    /// Units held, long or short, times `ticks * tick`.
    TickValue { products: BTreeMap<String, Ticks> },
    /// Contracts outside the scenarios: their value times the rate of its side.
    SideRate { rates: BTreeMap<String, Sides> },
    /// A multiple of earlier stages: `factor`, or `sqrt(days) - 1`.
    Scale {
        of: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(
            feature = "schema",
            schemars(with = "Option<engine::schema::units::Multiple>")
        )]
        factor: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        #[cfg_attr(
            feature = "schema",
            schemars(with = "Option<engine::schema::units::Days>")
        )]
        days: Option<f64>,
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        rounding: f64,
    },
    /// The sum so far, rounded up to a unit.
    RoundUp {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Unit"))]
        unit: f64,
    },
    /// The net value beyond `min(capital * multiplier, cap)`, as a share of itself, of the rounded-up earlier stages.
    PositionLimit {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        capital: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        multiplier: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        cap: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Relative"))]
        rate: f64,
        of: Vec<String>,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Unit"))]
        unit: f64,
        #[serde(default)]
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        rounding: f64,
    },
    /// A gain of the account against what it paid (value plus cash) covers the sum so far.
    FavourableMark,
    /// A loss of the account against what it paid is asked for.
    MarkRequirement,
    /// An allowance that covers the sum so far, as far as it goes.
    Credit {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        amount: f64,
    },
    /// A charge the clearing house states, or a credit where negative.
    Amount {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Money"))]
        amount: f64,
    },
    /// Article 28 (a): `max(m, min((1 + rate) m, release))`, a buffer that is used up while margins rise.
    Buffer {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Fraction"))]
        rate: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        release: f64,
    },
    /// The sum so far is at most this.
    Cap {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        amount: f64,
    },
    /// `min(previous * limit, m)`.
    SpeedLimit {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
        previous: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        limit: f64,
    },
}

impl Stage {
    pub(super) fn check(&self) -> Result<()> {
        self.rule
            .parts()
            .check
            .map_err(|e| e.at(format!("stage '{}'", self.name)))
    }
}

impl Rule {
    /// The one place where rules are told apart: all that is asked of each is in its own function.
    pub(super) fn parts(&self) -> Parts<'_> {
        match self {
            Self::GrossFloor { rate } => account::gross_floor(*rate),
            Self::FlatRate {
                rates,
                groups,
                multiplier,
            } => contracts::flat_rate(rates, groups, *multiplier),
            Self::Liquidity {
                underlyings,
                underlying_of,
                delta,
                hedge,
                rounding,
            } => liquidity::liquidity(underlyings, underlying_of, delta, *hedge, *rounding),
            Self::CloseOut {
                products,
                kappa,
                beta,
            } => contracts::close_out(products, *kappa, *beta),
            Self::Impact { products, scale } => contracts::impact(products, *scale),
            Self::TickValue { products } => contracts::tick_value(products),
            Self::SideRate { rates } => contracts::side_rate(rates),
            Self::Scale {
                of,
                factor,
                days,
                rounding,
            } => account::scale(of, *factor, *days, *rounding),
            Self::RoundUp { unit } => account::round_up_to(*unit),
            Self::PositionLimit {
                capital,
                multiplier,
                cap,
                rate,
                of,
                unit,
                rounding,
            } => account::position_limit(
                of,
                Limit {
                    capital: *capital,
                    multiplier: *multiplier,
                    cap: *cap,
                    rate: *rate,
                    unit: *unit,
                    rounding: *rounding,
                },
            ),
            Self::FavourableMark => account::favourable_mark(),
            Self::MarkRequirement => account::mark_requirement(),
            Self::Credit { amount } => account::credit(*amount),
            Self::Amount { amount } => account::amount(*amount),
            Self::Buffer { rate, release } => account::buffer(*rate, *release),
            Self::Cap { amount } => account::cap(*amount),
            Self::SpeedLimit { previous, limit } => account::speed_limit(*previous, *limit),
        }
    }
}
