//! A file's arrays made again from its own parameters, by the conventions of its clearing house.

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::array::{ArrayInputs, DEFAULT_STEPS, round_half_away};
use super::models::Model;
use crate::model::*;
use kernel::error::{MarginError, Result};

/// How a file's arrays were made where the file does not say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Look-ahead in years where the file has none, or instead of the file's.
    pub lookahead: f64,
    pub lookahead_overrides_file: bool,
    /// Time is whole days / `days_per_year`, with `extra_days` added.
    pub days_per_year: f64,
    pub extra_days: f64,
    pub spot_carry: bool,
    /// Arrays are rounded to this unit of money; 0 leaves them.
    pub rounding: f64,
}

/// One contract of a file with its array made again.
#[derive(Debug, Clone)]
pub struct Regenerated {
    pub row: usize,
    pub array: Vec<f64>,
    pub delta: f64,
    /// Value of the underlying contract in money.
    pub underlying: f64,
}

/// Makes the arrays of a file's futures and options again from its own parameters.
pub fn regenerate(file: &SpanFile, variant: &Variant) -> Result<Vec<Regenerated>> {
    let mut by_number = std::collections::HashMap::new();
    for (row, number) in file.contracts.number.iter().enumerate() {
        let family = file.family_of(row);
        if !family.kind.is_option() {
            by_number.insert(
                (
                    family.exchange.as_str(),
                    family.id.as_str(),
                    number.to_string(),
                ),
                row,
            );
        }
    }
    let mut out = Vec::new();
    for row in 0..file.contracts.len() {
        let (series, family) = (file.series_of(row), file.family_of(row));
        let option = family.kind.is_option();
        if !option && family.kind != ContractKind::Future {
            continue;
        }
        let id = file.contract_id(row);
        let missing = |what: &str| {
            MarginError::MissingData(format!("{id}: {what}, so its array cannot be made").into())
        };
        let own = file.contracts.value[row];
        let underlying = match series.underlying.first() {
            Some(u) => {
                let key = (u.exchange.as_str(), u.family.as_str(), u.contract.clone());
                let row = by_number
                    .get(&key)
                    .ok_or_else(|| missing("its underlying is not in the file"))?;
                file.contracts.value[*row]
            }
            None if !option => own,
            None => return Err(missing("it names no underlying")),
        };
        let range = series.scan;
        let (up, down) = range
            .price_money(underlying)
            .ok_or_else(|| missing("no price scan range"))?;
        let days = series
            .years
            .map(|t| (t * variant.days_per_year).round() + variant.extra_days);
        let inputs = ArrayInputs {
            model: option
                .then(|| Model::parse(&family.model))
                .transpose()
                .map_err(|e| e.at(&id))?,
            underlying,
            strike: file.contracts.strike[row] * series.svf,
            years: days.map_or(0.0, |d| d / variant.days_per_year),
            rate: series.rate.unwrap_or(0.0),
            dividend_yield: series.dividend_yield,
            vol: file.contracts.vol[row],
            right: file.contracts.right[row],
            price_scan: up,
            price_scan_down: Some(down),
            vol_scan: range.vol_percent.or(range.vol).unwrap_or(0.0),
            vol_scan_down: range.vol_down_percent.or(range.vol_down),
            vol_scan_percent: range.vol_percent.is_some(),
            lookahead: if variant.lookahead_overrides_file {
                variant.lookahead
            } else {
                series.lookahead.unwrap_or(variant.lookahead)
            },
            spot_carry: variant.spot_carry && !option,
            steps: DEFAULT_STEPS,
        };
        let mut array = inputs.array(&file.points).map_err(|e| e.at(&id))?;
        if variant.rounding > 0.0 {
            for value in &mut array {
                *value = round_half_away(*value, variant.rounding);
            }
        }
        out.push(Regenerated {
            row,
            array,
            delta: inputs.composite_delta(&file.delta_points)?,
            underlying,
        });
    }
    Ok(out)
}

/// The shipped variants.
pub const PRESETS: &str = include_str!("../../presets/span_arrays.json");

/// A shipped variant by name.
pub fn variant(name: &str) -> Result<Variant> {
    Ok(engine::parameters::resolve::<Variant>(PRESETS, "pc-span", &json!({"preset": name}))?.0)
}
