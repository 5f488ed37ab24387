//! How accurate a price is, and what shares a boundary.

/// What is solved for the boundary: the two fixed point systems of Andersen, Lake and Offengenden.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum System {
    /// A, the slope of the price at the boundary: settles in a step or two, at a small carry.
    Slope,
    /// B, the price at the boundary: settles at any carry, in more steps.
    Value,
}

/// How accurate: (collocation points, fixed point steps, their quadrature)-quadrature of the price. Errors are relative,
/// where the price exceeds 0.01 % of the strike, over 19,000 options of a week to two years, vols of 10-80 %, rates of
/// 0.05-8 %, yields of 0-6 %, against [`Mode::Precise`]. Beyond [`Mode::most_carry`] other points are taken.
///
/// At any rates, against QuantLib's scheme of high precision (`python -m benches.accuracy`): 10,000 random options of a day
/// to ten years, vols of 5-200 %, rates and yields of -10 to 500 %: standard median 6e-8, 99th percentile 6e-5, largest 4e-4;
/// precise 2e-9, 2e-6 and 2e-4.
///
/// With two boundaries, trees, standard: 343 random options of up to three years, vols of 2-100 %, rates and yields down to
/// -3 %: median 8e-7, 95th percentile 2e-5, largest 5e-4 at a vol of 2 %. 80 more of up to ten years, vols of 5-200 %, rates
/// and yields down to -10 %, are within 8e-4 of QuantLib's finite differences (1,200 by 1,200), whose own error is of that
/// size there.
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
