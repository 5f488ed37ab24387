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
//! * `|rate - yield| sqrt(years)` above [`Mode::most_carry`] vols, where the fixed point iteration does not settle (vol
//!   0 included): a trinomial lattice of [`Mode::tree_steps`] steps;
//! * two boundaries (`yield < rate < 0` for a put): Leisen-Reimer trees of as many steps and half, extrapolated;
//! * anything else: the collocation.
// Index loops over lanes and points of constant number are what the compiler vectorises.
#![allow(clippy::needless_range_loop)]

mod boundary;
mod greeks;
mod grid;
mod implied;
mod nodes;
mod premium;
mod rows;
mod shared;
mod solve;
#[cfg(test)]
mod tests;

pub use greeks::greeks;
pub use implied::implied_vol;

use super::{Moves, OptionColumns};
use crate::error::Result;
use crate::fail;
use crate::simd::{self, Level};
use grid::{Grid, table};

/// How accurate: (collocation points, fixed point steps, their quadrature)-quadrature of the price. Errors are relative,
/// where the price exceeds 0.01 % of the strike, over 19,000 options of a week to two years, vols of 10-80 %, rates of
/// 0.05-8 %, yields of 0-6 %, against [`Mode::Precise`]; the carry beyond [`Mode::most_carry`] and two boundaries are the
/// trees'. Close below
/// that carry, at rates of a tenth and vols of a tenth, the error of the standard scheme reaches 1e-3.
///
/// The trees' errors, standard scheme, vols of 2-100 %, up to three years: with two boundaries (343 random options, rates
/// and yields down to -3 %) median 8e-7, 95th percentile 2e-5, largest 5e-4 at a vol of 2 %; at high carry (36 options,
/// rates and yields up to 15 %, so vols of a twentieth) 3e-9, 2e-3 and 4e-3, where the value hangs on a boundary next to
/// the strike that a lattice does not resolve: take [`Mode::Precise`], 3e-10, 3e-4 and 3e-3.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// (5, 1, 5)-9: median 5e-5, largest 9e-4.
    Fast,
    /// (7, 2, 7)-15: median 7e-7, largest 4e-5.
    #[default]
    Standard,
    /// (13, 5, 25)-51: within 1e-5 of QuantLib's `QdFpAmericanEngine` at high precision.
    Precise,
}

impl Mode {
    fn fixed_point_steps(self) -> usize {
        match self {
            Self::Fast => 1,
            Self::Standard => 2,
            Self::Precise => 5,
        }
    }

    /// Newton steps on the QD+ equation.
    fn newton_steps(self) -> usize {
        5
    }

    /// The largest `|rate - yield| sqrt(years) / vol` that is left to the collocation.
    pub fn most_carry(self) -> f64 {
        1.25
    }

    /// Steps of the finer tree beyond that, odd.
    pub fn tree_steps(self) -> usize {
        match self {
            Self::Fast => 201,
            Self::Standard => 501,
            Self::Precise => 2001,
        }
    }
}

/// What a boundary is computed for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sharing {
    /// Each option, at each of its vols.
    #[default]
    PerOption,
    /// All strikes and vols of one expiry: for chains. Adds less than 1e-7 of the strike to the error. Rows of an expiry
    /// are best kept together.
    PerExpiry,
}

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
            InvalidInput,
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
