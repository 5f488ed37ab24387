//! Charges and credits after the scenarios, as data: floors, flat rates, liquidity, corporate actions, holidays,
//! rounding, mark to market, position limits, anti-procyclicality tools.
//!
//! Stages run in the order given, each on what stands before it. Sources: HKSCC's VaR Platform guide v1.4 (October
//! 2025) for what its member margin has; EMIR RTS 153/2013 Article 28 for `buffer`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use engine::bounds;
use kernel::error::Result;
use kernel::fail;

/// The name other stages call the sum of all netting sets by.
pub(super) const SCENARIOS: &str = "scenarios";

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    /// The word in lines, and in the `of` of later stages.
    pub name: String,
    pub rule: Rule,
}

/// Rates on the two sides of a position.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sides {
    pub long: f64,
    pub short: f64,
}

/// A threshold of delta-equivalent value and the rate on what lies above it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    pub threshold: f64,
    pub rate: f64,
    /// Of the underlying to the hedge instrument.
    #[serde(default = "engine::parameters::one")]
    pub beta: f64,
}

/// How a product trades.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Depth {
    /// Between bid and ask, in units of the price.
    pub spread: f64,
    /// Lots of an average day.
    pub volume: f64,
}

/// How a product trades, and how far it moves.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Daily {
    /// Volatility of the day's relative return.
    pub vol: f64,
    /// Lots of an average day.
    pub volume: f64,
}

/// Minimum price steps of a low-priced product.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ticks {
    pub ticks: f64,
    pub tick: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Rule {
    /// The sum so far is at least `rate` times the larger of gross long and gross short value of what the scenarios
    /// cover.
    GrossFloor {
        rate: f64,
    },
    /// Contracts outside the scenarios: in each group the larger of the two sides' value times rate, times the
    /// multiplier. A contract in no group is one of its own.
    FlatRate {
        rates: BTreeMap<String, f64>,
        #[serde(default)]
        groups: Vec<Vec<String>>,
        #[serde(default = "engine::parameters::one")]
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
        delta: BTreeMap<String, f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hedge: Option<Threshold>,
        /// Unit each amount is rounded to; zero: not rounded.
        #[serde(default)]
        rounding: f64,
    },
    /// `spread / 2 |q| (1 + kappa (|q| / volume)^beta)` of each contract's net lots: close-out at the bid or ask, dearer
    /// for what is large against a day's volume. SPAN 2 describes both in words; the formula is ours.
    CloseOut {
        products: BTreeMap<String, Depth>,
        kappa: f64,
        beta: f64,
    },
    /// `vol sqrt(|q| / volume) |value| * scale` of each contract's net lots: the square-root law of market impact.
    Impact {
        products: BTreeMap<String, Daily>,
        scale: f64,
    },
    /// Units held, long or short, times `ticks * tick`.
    TickValue {
        products: BTreeMap<String, Ticks>,
    },
    /// Contracts outside the scenarios: their value times the rate of its side.
    SideRate {
        rates: BTreeMap<String, Sides>,
    },
    /// A multiple of earlier stages: `factor`, or `sqrt(days) - 1`.
    Scale {
        of: Vec<String>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        factor: Option<f64>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        days: Option<f64>,
        #[serde(default)]
        rounding: f64,
    },
    /// The sum so far, rounded up to a unit.
    RoundUp {
        unit: f64,
    },
    /// The net value beyond `min(capital * multiplier, cap)`, as a share of itself, of the rounded-up earlier stages.
    PositionLimit {
        capital: f64,
        multiplier: f64,
        cap: f64,
        rate: f64,
        of: Vec<String>,
        unit: f64,
        #[serde(default)]
        rounding: f64,
    },
    /// A gain of the account against what it paid (value plus cash) covers the sum so far.
    FavourableMark,
    /// A loss of the account against what it paid is asked for.
    MarkRequirement,
    /// An allowance that covers the sum so far, as far as it goes.
    Credit {
        amount: f64,
    },
    Amount {
        amount: f64,
    },
    /// Article 28 (a): `max(m, min((1 + rate) m, release))`, a buffer that is used up while margins rise.
    Buffer {
        rate: f64,
        release: f64,
    },
    Cap {
        amount: f64,
    },
    /// `min(previous * limit, m)`.
    SpeedLimit {
        previous: f64,
        limit: f64,
    },
}

impl Stage {
    pub(super) fn check(&self) -> Result<()> {
        self.check_rule()
            .map_err(|e| e.at(format!("stage '{}'", self.name)))
    }

    fn check_rule(&self) -> Result<()> {
        let numbers: Vec<(&str, f64)> = match &self.rule {
            Rule::GrossFloor { rate } => vec![("rate", *rate)],
            Rule::FlatRate {
                rates, multiplier, ..
            } => rates
                .values()
                .map(|&r| ("rates", r))
                .chain([("multiplier", *multiplier)])
                .collect(),
            Rule::Liquidity {
                underlyings,
                hedge,
                rounding,
                delta,
                ..
            } => {
                for (id, &value) in delta {
                    bounds::finite(format_args!("delta of '{id}'"), value)?;
                }
                let thresholds = underlyings.values().chain(hedge);
                for t in thresholds.clone() {
                    bounds::finite("beta", t.beta)?;
                }
                thresholds
                    .flat_map(|t| [("threshold", t.threshold), ("rate", t.rate)])
                    .chain([("rounding", *rounding)])
                    .collect()
            }
            Rule::TickValue { products } => products
                .values()
                .flat_map(|p| [("ticks", p.ticks), ("tick", p.tick)])
                .collect(),
            Rule::CloseOut {
                products,
                kappa,
                beta,
            } => {
                check_volumes(products.iter().map(|(name, p)| (name, p.volume)))?;
                let spreads = products.values().map(|p| ("spread", p.spread));
                spreads
                    .chain([("kappa", *kappa), ("beta", *beta)])
                    .collect()
            }
            Rule::Impact { products, scale } => {
                check_volumes(products.iter().map(|(name, p)| (name, p.volume)))?;
                let vols = products.values().map(|p| ("vol", p.vol));
                vols.chain([("scale", *scale)]).collect()
            }
            Rule::SideRate { rates } => {
                for sides in rates.values() {
                    bounds::finite("long", sides.long)?;
                    bounds::finite("short", sides.short)?;
                }
                vec![]
            }
            Rule::Scale {
                factor,
                days,
                rounding,
                ..
            } => match (factor, days) {
                (Some(factor), None) => vec![("factor", *factor), ("rounding", *rounding)],
                (None, Some(days)) if *days >= 1.0 => {
                    vec![("days", *days), ("rounding", *rounding)]
                }
                _ => fail!(InvalidInput, "either factor, or days of at least 1"),
            },
            Rule::RoundUp { unit } if *unit > 0.0 => vec![("unit", *unit)],
            Rule::RoundUp { unit } => fail!(InvalidInput, "unit is {unit}: it must be positive"),
            Rule::PositionLimit {
                capital,
                multiplier,
                cap,
                rate,
                unit,
                rounding,
                ..
            } => {
                if *unit <= 0.0 {
                    fail!(InvalidInput, "unit is {unit}: it must be positive");
                }
                vec![
                    ("capital", *capital),
                    ("multiplier", *multiplier),
                    ("cap", *cap),
                    ("rate", *rate),
                    ("rounding", *rounding),
                ]
            }
            Rule::FavourableMark | Rule::MarkRequirement => vec![],
            Rule::Credit { amount } | Rule::Cap { amount } => vec![("amount", *amount)],
            Rule::Amount { amount } => {
                bounds::finite("amount", *amount)?;
                vec![]
            }
            Rule::Buffer { rate, release } => vec![("rate", *rate), ("release", *release)],
            Rule::SpeedLimit { previous, limit } => {
                vec![("previous", *previous), ("limit", *limit)]
            }
        };
        for (what, value) in numbers {
            bounds::not_negative(what, value)?;
        }
        Ok(())
    }

    /// Contracts this stage margins in the scenarios' place.
    pub(super) fn takes(&self, name: &str) -> bool {
        match &self.rule {
            Rule::FlatRate { rates, .. } => rates.contains_key(name),
            Rule::SideRate { rates } => rates.contains_key(name),
            Rule::GrossFloor { .. }
            | Rule::Liquidity { .. }
            | Rule::CloseOut { .. }
            | Rule::Impact { .. }
            | Rule::TickValue { .. }
            | Rule::Scale { .. }
            | Rule::RoundUp { .. }
            | Rule::PositionLimit { .. }
            | Rule::FavourableMark
            | Rule::MarkRequirement
            | Rule::Credit { .. }
            | Rule::Amount { .. }
            | Rule::Buffer { .. }
            | Rule::Cap { .. }
            | Rule::SpeedLimit { .. } => false,
        }
    }
}

fn check_volumes<'a>(volumes: impl Iterator<Item = (&'a String, f64)>) -> Result<()> {
    for (name, volume) in volumes {
        bounds::positive(format_args!("volume of '{name}'"), volume)?;
    }
    Ok(())
}

/// A multiple of a unit, up; an excess below a billionth of the unit is noise of the sum, not an amount.
pub(super) fn round_up(amount: f64, unit: f64) -> f64 {
    (amount / unit - 1e-9).ceil() * unit
}

/// The nearest multiple of a unit, halves away from zero; no unit: the amount itself.
pub(super) fn round_to(amount: f64, unit: f64) -> f64 {
    if unit == 0.0 {
        amount
    } else {
        (amount / unit).round() * unit
    }
}
