//! How accurate a price is, and what shares a boundary.

use super::boundary::System;

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
    pub(super) fn fixed_point_steps(self, system: System) -> usize {
        match (system, self) {
            (System::Slope, Self::Fast) => 1,
            (System::Slope, Self::Standard) => 2,
            (System::Slope, Self::Precise) => 5,
            (System::Value, Self::Fast | Self::Standard) => 16,
            (System::Value, Self::Precise) => 30,
        }
    }

    /// Newton steps on the QD+ equation.
    pub(super) fn newton_steps(self) -> usize {
        5
    }

    /// The largest `|rate - yield| sqrt(years) / vol` that is left to the collocation.
    pub fn most_carry(self) -> f64 {
        0.75
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
