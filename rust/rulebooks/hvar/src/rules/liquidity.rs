//! Liquidation risk add-on: HKSCC's VaR Platform: Initial Margin Calculation Guide v1.4 (October 2025), sections
//! 3.2.4.3.1 (of each underlying) and 3.2.4.3.2 (of the portfolio, against the hedge instrument).

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::parts::{Amount, Books, Listed, Parts, Row, SideSums, not_negative};
use crate::rounding::round_to;
use engine::bounds;
use engine::contract::Kind;
use kernel::error::Result;
use kernel::fail;

/// A threshold of delta-equivalent value and the rate on what lies above it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// Value of delta up to which nothing is charged.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Amount"))]
    pub threshold: f64,
    /// Share of what lies above the threshold.
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Relative"))]
    pub rate: f64,
    /// Of the underlying to the hedge instrument.
    #[serde(default = "engine::parameters::one")]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Multiple"))]
    pub beta: f64,
}

pub(crate) fn liquidity<'a>(
    underlyings: &'a BTreeMap<String, Threshold>,
    underlying_of: &'a BTreeMap<String, String>,
    delta: &'a BTreeMap<String, f64>,
    hedge: Option<Threshold>,
    rounding: f64,
) -> Parts<'a> {
    let groups: Arc<[(String, Threshold)]> = underlyings
        .iter()
        .map(|(name, t)| (name.clone(), *t))
        .collect();
    let charged = groups.clone();
    Parts {
        check: check(underlyings, delta, hedge, rounding),
        takes: Vec::new(),
        row: Some(Box::new(move |own| {
            row(underlyings, underlying_of, delta, own)
        })),
        of: &[],
        amount: Amount::InLines(Box::new(move |books, sides, line| {
            charge(&charged, hedge, rounding, books, sides, line)
        })),
        explain: Some(Box::new(move |books| explain(&groups, books))),
    }
}

fn check(
    underlyings: &BTreeMap<String, Threshold>,
    delta: &BTreeMap<String, f64>,
    hedge: Option<Threshold>,
    rounding: f64,
) -> Result<()> {
    for (id, &value) in delta {
        bounds::finite(format_args!("delta of '{id}'"), value)?;
    }
    let thresholds = underlyings.values().chain(&hedge);
    for t in thresholds.clone() {
        bounds::finite("beta", t.beta)?;
    }
    not_negative(
        thresholds
            .flat_map(|t| [("threshold", t.threshold), ("rate", t.rate)])
            .chain([("rounding", rounding)]),
    )
}

/// A contract's underlying, and the delta-equivalent value of a lot.
fn row(
    underlyings: &BTreeMap<String, Threshold>,
    underlying_of: &BTreeMap<String, String>,
    delta: &BTreeMap<String, f64>,
    own: &Listed<'_>,
) -> Result<Option<Row>> {
    let named = own.keys.iter().find_map(|k| underlying_of.get(*k));
    let root = named.map_or(own.keys[1], String::as_str);
    let Some(group) = underlyings.keys().position(|u| u == root) else {
        return Ok(None);
    };
    let delta = own.keys.iter().find_map(|k| delta.get(*k));
    let value = match delta {
        Some(delta) => delta * own.worth.units,
        None if own.contract.kind() == Kind::Option => fail!(
            MissingData,
            "no delta of the option '{}': add it to delta",
            own.contract.id()
        ),
        None => own.worth.value,
    };
    Ok(Some((group as u32, value, value)))
}

fn charge(
    groups: &[(String, Threshold)],
    hedge: Option<Threshold>,
    rounding: f64,
    books: &Books<'_>,
    sides: &mut SideSums,
    line: &mut dyn FnMut(&str, f64),
) -> f64 {
    sides.clear();
    sides.extend((0..groups.len() as u32).map(|g| (g, 0.0, 0.0)));
    let positions = books.account.positions;
    for i in 0..positions.len() {
        if let Some((group, delta, _)) = books.rows[positions.contract[i] as usize] {
            sides[group as usize].1 += positions.net(i) as f64 * delta;
        }
    }
    let above = |delta: f64, t: &Threshold| {
        let excess = delta.abs() - t.threshold;
        if excess > 0.0 {
            round_to(excess * t.rate, rounding)
        } else {
            0.0
        }
    };
    let (mut sum, mut hedged) = (0.0, 0.0);
    for ((name, threshold), &(_, delta, _)) in groups.iter().zip(sides.iter()) {
        let own = above(delta, threshold);
        hedged += threshold.beta * delta;
        line(name, own);
        sum += own;
    }
    if let Some(threshold) = hedge {
        let own = above(hedged, &threshold);
        line("account", own);
        sum += own;
    }
    sum
}

/// Each underlying's delta and the beta-weighted sum.
fn explain(groups: &[(String, Threshold)], books: &Books<'_>) -> Option<Value> {
    let positions = books.account.positions;
    let delta = |group: usize| {
        (0..positions.len()).fold(0.0, |sum, i| {
            match books.rows[positions.contract[i] as usize] {
                Some((own, delta, _)) if own as usize == group => {
                    sum + positions.net(i) as f64 * delta
                }
                Some(_) | None => sum,
            }
        })
    };
    let deltas: Vec<f64> = (0..groups.len()).map(delta).collect();
    let hedged = groups
        .iter()
        .zip(&deltas)
        .fold(0.0, |sum, ((_, t), d)| sum + t.beta * d);
    let own: Map<String, Value> = groups
        .iter()
        .zip(&deltas)
        .map(|((name, _), &delta)| (name.clone(), delta.into()))
        .collect();
    (!own.is_empty()).then(|| json!({"delta": own, "beta_delta": hedged}))
}
