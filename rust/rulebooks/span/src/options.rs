//! What the rulebook leaves open, as named options with documented defaults.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::Level;
use engine::bounds;
use kernel::error::Result;
use kernel::fail;

/// Rounding of the net delta that divides the price risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeltaRounding {
    /// Modern files allow fractions; the default.
    #[default]
    None,
    HalfEven,
    HalfDown,
}

/// How much net option value counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Anov {
    /// As each commodity's cap flag says.
    #[default]
    File,
    /// Up to the commodity's own requirement.
    Capped,
    /// Excess value of one commodity offsets another's risk.
    Pooled,
}

/// Charge method P, whose formula is not published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PerMonth {
    /// Forming such a spread is an error; the default.
    #[default]
    Refuse,
    /// rate + per-spread rate + per-month rate times the months between the first and last leg. Inferred.
    Additive,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    pub delta_rounding: DeltaRounding,
    /// Whole spreads only, as one old implementation forms them.
    pub whole_spreads: bool,
    pub anov: Anov,
    /// Whether deltas used by inter-commodity spreads count as used for the delivery charge.
    pub delivery_counts_inter: bool,
    /// Whether months in delivery take part in inter-commodity spreads.
    pub delivery_months_in_inter: bool,
    pub per_month: PerMonth,
    /// Which levels an account without a kind is margined at: member, hedger or speculator.
    pub account_kind: String,
    /// Levels used instead of the file's, for every commodity and kind.
    pub level: Option<Level>,
    /// The report's currency; the file's first commodity's where left out.
    pub base_currency: Option<String>,
    /// The file's contracts in one lot, by product: positions are then in lots, and a product without one is an
    /// error. Empty: positions are in the file's contracts. NSE's file counts shares.
    #[cfg_attr(
        feature = "schema",
        schemars(with = "BTreeMap<String, engine::schema::units::Positive>")
    )]
    pub lot_sizes: BTreeMap<String, f64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            delta_rounding: DeltaRounding::None,
            whole_spreads: false,
            anov: Anov::File,
            delivery_counts_inter: false,
            delivery_months_in_inter: true,
            per_month: PerMonth::Refuse,
            account_kind: "speculator".into(),
            level: None,
            base_currency: None,
            lot_sizes: BTreeMap::new(),
        }
    }
}

/// The largest level of the risk: ten times. Larger ones are percentages by mistake.
const MAX_LEVEL: f64 = 10.0;

impl Options {
    pub fn check(&self) -> Result<()> {
        kind_index(&self.account_kind)?;
        for (product, lot) in &self.lot_sizes {
            if !lot.is_finite() || *lot <= 0.0 {
                fail!(
                    InvalidInput: OutOfRange;
                    "lot_sizes: {product}: {lot} is not a positive number"
                );
            }
        }
        if let Some(level) = self.level {
            for (what, value) in [
                ("initial", level.initial),
                ("maintenance", level.maintenance),
            ] {
                bounds::factor(format_args!("level.{what}"), value, MAX_LEVEL)?;
            }
        }
        Ok(())
    }

    pub fn round_delta(&self, delta: f64) -> f64 {
        match self.delta_rounding {
            DeltaRounding::None => delta,
            DeltaRounding::HalfEven => delta.round_ties_even(),
            DeltaRounding::HalfDown => (delta.abs() - 0.5).ceil().copysign(delta),
        }
    }
}

/// The row of an account kind in a commodity's levels.
pub fn kind_index(kind: &str) -> Result<usize> {
    match kind {
        "member" => Ok(0),
        "hedger" => Ok(1),
        "speculator" => Ok(2),
        other => fail!(
            InvalidInput: UnknownName;
            "account kind '{other}': SPAN knows member, hedger and speculator"
        ),
    }
}
