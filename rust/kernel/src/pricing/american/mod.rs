//! American options on a spot with a continuous yield, by spectral collocation of the exercise boundary.
//!
//! Andersen, Lake and Offengenden, "High-performance American option pricing", J. Computational Finance 20 (2016):
//! the boundary of the put at Chebyshev points of the square root of time, from a QD+ start by fixed point iteration;
//! calls by McDonald-Schroder symmetry. Eight options at a time. The boundary does not depend on the spot, so the
//! scenarios of an option share it, and with [`Sharing::PerExpiry`] so do the strikes of an expiry.
//!
//! Every row has an answer; which method gives it depends on the row alone:
//! * no time left, or early exercise never pays (a call with `yield <= 0` and `rate >= yield`, a put with
//!   `rate <= 0` and `yield >= rate`): the European price, with the bits of [`super::black`];
//! * no vol to speak of, below a millionth over the life of the option: a trinomial lattice of [`Mode::tree_steps`] steps;
//! * `|rate - yield| sqrt(years)` above [`Mode::most_carry`] vols, where that collocation's equations do not settle, or
//!   `rate years` above 2, where its points are too few: other equations, at more points (`high_rates.rs`);
//! * two boundaries (`yield < rate < 0` for a put): Leisen-Reimer trees of as many steps and half, extrapolated;
//! * anything else: the collocation.
// Index loops over lanes and points of constant number are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

mod boundary;
mod exercise;
mod greeks;
mod grid;
mod high_rates;
mod implied;
mod mode;
mod nodes;
mod premium;
mod rows;
mod shared;
mod solve;
#[cfg(test)]
mod tests;

pub use exercise::exercise_boundary;
pub use greeks::greeks;
pub use implied::implied_vol;
pub use mode::{Mode, Sharing};

use super::{Moves, OptionColumns};
use crate::error::Result;
use crate::fail;
use crate::simd::{self, Level};
use grid::{Grid, table};

/// Prices, one per row.
///
/// # Errors
/// `InvalidInput` for columns of different lengths and values that no option has, naming the row.
pub fn price(o: &OptionColumns<'_>, mode: Mode, out: &mut [f64]) -> Result<()> {
    price_grid(
        o,
        mode,
        Sharing::PerOption,
        Moves::Shared(&[0.0]),
        Moves::Shared(&[0.0]),
        0.0,
        1,
        out,
    )
}

/// The price of one option; the bits of [`price`].
///
/// # Errors
/// As [`price`].
pub fn price_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
    mode: Mode,
) -> Result<f64> {
    let o = OptionColumns {
        spot: &[spot],
        strike: &[strike],
        years: &[years],
        rate: &[rate],
        dividend_yield: &[dividend_yield],
        vol: &[vol],
        right: &[right],
    };
    let mut out = [0.0];
    price(&o, mode, &mut out)?;
    Ok(out[0])
}

/// Prices of each row under each scenario, row-major: `out[row * scenarios + scenario]`.
///
/// `price_moves` are fractions of spot, `vol_moves` are added to vol (not below zero), `roll` years are taken off the
/// time to expiry. Scenarios with equal vol moves share a boundary.
///
/// # Errors
/// As [`price`].
pub fn price_grid(
    o: &OptionColumns<'_>,
    mode: Mode,
    sharing: Sharing,
    price_moves: Moves<'_>,
    vol_moves: Moves<'_>,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<()> {
    price_grid_at(
        simd::level(),
        o,
        mode,
        sharing,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    )
}

pub(crate) fn price_grid_at(
    level: Level,
    o: &OptionColumns<'_>,
    mode: Mode,
    sharing: Sharing,
    price_moves: Moves<'_>,
    vol_moves: Moves<'_>,
    roll: f64,
    scenarios: usize,
    out: &mut [f64],
) -> Result<()> {
    rows::check(o)?;
    if !roll.is_finite() {
        fail!(
            InvalidInput: NotFinite;
            "american: roll of {roll} years is not a number"
        );
    }
    let price_moves = table("price", price_moves, o.spot.len(), scenarios)?;
    let vol_moves = table("vol", vol_moves, o.spot.len(), scenarios)?;
    if out.len() != o.spot.len() * scenarios {
        fail!(
            InvalidInput,
            "american: {} rows x {scenarios} scenarios and room for {}",
            o.spot.len(),
            out.len()
        );
    }
    Grid {
        level,
        o: *o,
        methods_of: None,
        mode,
        sharing,
        price_moves,
        vol_moves,
        roll,
        scenarios,
        out,
    }
    .run()
}
