//! Risk arrays and composite deltas from parameters: what an exchange does before it publishes.
//!
//! In money, loss positive, for one long contract, cover included. The old value is theoretical, at today's time and
//! the contract's own volatility; the new one is a look-ahead later. A margin engine reads arrays instead.
//!
//! | part | file |
//! |---|---|
//! | PC-SPAN's model codes | `models.rs` |
//! | one contract's array and deltas | `array.rs` |
//! | Barone-Adesi and Whaley's approximation | `baw.rs` |
//! | a file's arrays made again, by the conventions of its clearing house | `file.rs` |

mod array;
mod baw;
mod file;
mod models;

pub(crate) use array::UNDERLYING_FLOOR;
pub use array::{ArrayInputs, round_half_away};
pub use file::{PRESETS, Regenerated, Variant, regenerate, variant};
pub use models::Model;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::model::{DeltaPoint, ScanPoint, standard_delta_points, standard_points};
use engine::reading::read;
use kernel::error::Result;
use kernel::fail;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Request {
    inputs: ArrayInputs,
    #[serde(default)]
    extreme: Option<(f64, f64)>,
    #[serde(default)]
    points: Vec<ScanPoint>,
    #[serde(default)]
    delta_points: Vec<DeltaPoint>,
    #[serde(default)]
    rounding: f64,
}

/// `{"inputs": {...}, "extreme": [multiplier, cover], "rounding": unit}` to array and deltas.
pub fn evaluate(document: &Value) -> Result<Value> {
    let request: Request = read("risk array", document)?;
    let points = match (request.points, request.extreme) {
        (points, None) if !points.is_empty() => points,
        (points, Some((multiplier, cover))) if points.is_empty() => {
            standard_points(multiplier, cover)
        }
        _ => fail!(
            InvalidInput: Contradiction;
            "risk array: give either extreme (multiplier, cover) or points"
        ),
    };
    let deltas = if request.delta_points.is_empty() {
        standard_delta_points()
    } else {
        request.delta_points
    };
    let mut array = request.inputs.array(&points)?;
    if request.rounding > 0.0 {
        array
            .iter_mut()
            .for_each(|v| *v = round_half_away(*v, request.rounding));
    }
    Ok(json!({
        "array": array,
        "composite_delta": request.inputs.composite_delta(&deltas)?,
        "delta": request.inputs.current_delta()?,
    }))
}
