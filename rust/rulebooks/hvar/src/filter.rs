//! Volatility filters: each return divided by the volatility known before it, times the volatility of tomorrow.
//!
//! Hull and White (1998); Barone-Adesi's filtered historical simulation. A volatility that already contains the
//! return it divides would bias margins low, so the two are kept apart by name: `known` and `after`.

use serde::{Deserialize, Serialize};

use super::measure;
use engine::bounds;
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

/// Where a recursion starts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Seed {
    /// Sample variance with divisor n - 1: Hull's published table.
    SampleVarDdof1,
    SampleVarDdof0,
    MeanSquare,
    /// A variance.
    Given(#[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Variance"))] f64),
}

impl Seed {
    pub(super) fn variance(self, returns: &[f64]) -> f64 {
        let n = returns.len() as f64;
        let mean = returns.iter().fold(0.0, |a, r| a + r) / n;
        let squares = |from: f64| returns.iter().fold(0.0, |a, r| a + (r - from) * (r - from));
        match self {
            Self::SampleVarDdof1 => squares(mean) / (n - 1.0),
            Self::SampleVarDdof0 => squares(mean) / n,
            Self::MeanSquare => squares(0.0) / n,
            Self::Given(variance) => variance,
        }
    }
}

/// How a variance follows from the returns before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// `v' = lambda v + (1 - lambda) r^2`. `seed_returns`: the oldest so many returns make the seed and are no
    /// scenarios; without it the seed is made from the window's own returns and stands before the first of them.
    Ewma {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Inner"))]
        lambda: f64,
        seed: Seed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed_returns: Option<usize>,
        /// Deviations from the mean `m' = lambda m + (1 - lambda) r`, which starts at that of the seed's returns,
        /// instead of from zero.
        #[serde(default)]
        mean: bool,
    },
    /// `v' = omega + alpha r^2 + beta v`; parameters are fitted elsewhere.
    Garch {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        omega: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        alpha: f64,
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Times"))]
        beta: f64,
        seed: Seed,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        seed_returns: Option<usize>,
    },
    /// Normalised weights `(1 - lambda) / (1 - lambda^points) lambda^k` over a finite number of returns.
    Finite {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Inner"))]
        lambda: f64,
        points: usize,
        /// Deviations from the rolling mean with the same weights instead of from zero.
        #[serde(default)]
        mean: bool,
    },
}

/// The volatility that scenarios are given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Tomorrow's.
    #[default]
    Current,
    /// Half way between the return's own and tomorrow's.
    Mid,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Filter {
    pub model: Model,
    #[serde(default)]
    pub target: Target,
    /// Tomorrow's volatility is the mean of so many newest ones: one per interleaved set.
    #[serde(default = "single")]
    pub average: usize,
    /// Tomorrow's volatility is at least this quantile (averaged inverted distribution) of the set's own volatilities,
    /// in parts per million.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quantile_floor_ppm: Option<u32>,
    /// No volatility is below this.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Relative"))]
    pub vol_floor: f64,
    /// Bounds of the ratio of the volatilities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(
        feature = "schema",
        schemars(
            with = "Option<(engine::schema::units::Positive, engine::schema::units::Positive)>"
        )
    )]
    pub ratio: Option<(f64, f64)>,
    /// The rolling mean is added back to the scenario.
    #[serde(default)]
    pub add_mean: bool,
}

fn single() -> usize {
    1
}

impl Filter {
    pub(super) fn check(&self) -> Result<()> {
        let decay = |lambda: f64| {
            if lambda > 0.0 && lambda < 1.0 {
                Ok(())
            } else {
                fail!(
                InvalidInput: OutOfRange, place "filter: lambda", value lambda;
                "filter: lambda is {lambda}: it lies above 0 and below 1"
                                )
            }
        };
        let seed = |seed: Seed, returns: Option<usize>| {
            if let Seed::Given(variance) = seed {
                bounds::positive("filter: the given variance", variance)?;
            }
            if returns.is_some_and(|n| n < 2) {
                fail!(InvalidInput: OutOfRange; "filter: seed_returns is at least 2");
            }
            Ok(())
        };
        match self.model {
            Model::Ewma {
                lambda,
                seed: s,
                seed_returns,
                ..
            } => {
                decay(lambda)?;
                seed(s, seed_returns)?;
            }
            Model::Garch {
                omega,
                alpha,
                beta,
                seed: s,
                seed_returns,
            } => {
                for (name, value) in [("omega", omega), ("alpha", alpha), ("beta", beta)] {
                    bounds::finite(format_args!("filter: {name}"), value)?;
                    if value < 0.0 {
                        fail!(InvalidInput: OutOfRange; "filter: {name} is negative");
                    }
                }
                seed(s, seed_returns)?;
            }
            Model::Finite { lambda, points, .. } => {
                decay(lambda)?;
                if points < 2 {
                    fail!(
InvalidInput: OutOfRange, place "filter: points", value points;
"filter: points is {points}: at least 2");
                }
            }
        }
        if self.add_mean && !self.has_mean() {
            fail!(
                InvalidInput: Contradiction;
                "filter: add_mean without a mean: the ewma and finite models have one by mean"
            );
        }
        if self.average == 0 {
            fail!(InvalidInput: OutOfRange; "filter: average is at least 1");
        }
        if self
            .quantile_floor_ppm
            .is_some_and(|p| p == 0 || p >= 1_000_000)
        {
            fail!(
                InvalidInput: OutOfRange;
                "filter: quantile_floor_ppm lies above 0 and below 1000000"
            );
        }
        bounds::finite("filter: vol_floor", self.vol_floor)?;
        if self.vol_floor < 0.0 {
            fail!(InvalidInput: OutOfRange; "filter: vol_floor is negative");
        }
        if let Some((low, high)) = self.ratio
            && !(low > 0.0 && low <= high && high.is_finite())
        {
            fail!(
                InvalidInput: OutOfRange;
                "filter: ratio bounds {low} to {high}: positive, the lower first"
            );
        }
        Ok(())
    }

    pub(super) fn has_mean(&self) -> bool {
        match self.model {
            Model::Ewma { mean, .. } | Model::Finite { mean, .. } => mean,
            Model::Garch { .. } => false,
        }
    }

    /// Whether the seed is made from each window's own returns.
    pub(super) fn is_seeded_by_window(&self) -> bool {
        match self.model {
            Model::Ewma { seed_returns, .. } | Model::Garch { seed_returns, .. } => {
                seed_returns.is_none()
            }
            Model::Finite { .. } => false,
        }
    }

    /// Returns that the first volatility consumes: they are no scenarios.
    pub(super) fn first(&self) -> usize {
        match self.model {
            Model::Ewma { seed_returns, .. } | Model::Garch { seed_returns, .. } => {
                seed_returns.unwrap_or(0)
            }
            Model::Finite {
                points,
                mean: false,
                ..
            } => points,
            Model::Finite {
                points, mean: true, ..
            } => 2 * points - 1,
        }
    }

    /// Volatilities along one set of returns, oldest first.
    pub(super) fn volatilities(&self, returns: &[f64]) -> Volatilities {
        match self.model {
            Model::Ewma {
                lambda,
                seed,
                seed_returns,
                mean,
            } => self.recursion(
                returns,
                (0.0, 1.0 - lambda, lambda),
                seed,
                seed_returns,
                mean.then_some(lambda),
            ),
            Model::Garch {
                omega,
                alpha,
                beta,
                seed,
                seed_returns,
            } => self.recursion(returns, (omega, alpha, beta), seed, seed_returns, None),
            Model::Finite {
                lambda,
                points,
                mean,
            } => self.finite(returns, lambda, points, mean),
        }
    }

    /// EWMA and GARCH(1,1) alike: `v' = omega + alpha r^2 + beta v`.
    fn recursion(
        &self,
        returns: &[f64],
        (omega, alpha, beta): (f64, f64, f64),
        seed: Seed,
        seed_returns: Option<usize>,
        mean_decay: Option<f64>,
    ) -> Volatilities {
        let n = returns.len();
        let first = seed_returns.unwrap_or(0);
        let mut out = Volatilities::new(n);
        if n == 0 || first > n {
            return out;
        }
        let seeding = match seed_returns {
            Some(count) => &returns[..count],
            None => returns,
        };
        let mut variance = seed.variance(seeding);
        let mut mean = match mean_decay {
            Some(_) => seeding.iter().fold(0.0, |a, r| a + r) / seeding.len() as f64,
            None => 0.0,
        };
        if let Some(last) = first.checked_sub(1) {
            out.after[last] = self.volatility(variance);
            out.mean_after[last] = mean;
        }
        for (i, r) in returns.iter().enumerate().skip(first) {
            out.known[i] = self.volatility(variance);
            out.mean[i] = mean;
            let deviation = r - mean;
            variance = omega + alpha * (deviation * deviation) + beta * variance;
            if let Some(decay) = mean_decay {
                mean = decay * mean + (1.0 - decay) * r;
            }
            out.after[i] = self.volatility(variance);
            out.mean_after[i] = mean;
        }
        out
    }

    fn finite(&self, returns: &[f64], lambda: f64, points: usize, mean: bool) -> Volatilities {
        let n = returns.len();
        let weights: Vec<f64> = (0..points)
            .scan(1.0, |power, _| {
                let own = *power;
                *power *= lambda;
                Some(own)
            })
            .collect();
        let norm = (1.0 - lambda) / (1.0 - weights[points - 1] * lambda);
        let rolling = |values: &[f64], last: usize| {
            weights
                .iter()
                .enumerate()
                .fold(0.0, |sum, (k, w)| sum + norm * w * values[last - k])
        };
        let ready = self.first() - 1;
        let mut out = Volatilities::new(n);
        let mut means = vec![0.0; n];
        let mut squares = vec![0.0; n];
        for i in 0..n {
            if mean && i + 1 >= points {
                means[i] = rolling(returns, i);
            }
            squares[i] = (returns[i] - means[i]) * (returns[i] - means[i]);
            if i >= ready {
                out.after[i] = self.volatility(rolling(&squares, i));
            }
            if i > ready {
                out.known[i] = out.after[i - 1];
                out.mean[i] = means[i - 1];
            }
        }
        out.mean_after = means;
        out
    }

    fn volatility(&self, variance: f64) -> f64 {
        larger(variance.sqrt(), self.vol_floor)
    }

    /// Tomorrow's volatility from the newest ones, not below the quantile of the set's own.
    pub(super) fn target(&self, newest: &[f64], own: &[f64]) -> f64 {
        let mean = newest.iter().fold(0.0, |a, v| a + v) / newest.len() as f64;
        match self.quantile_floor_ppm {
            Some(level) => larger(measure::lower_quantile(own, level), mean),
            None => mean,
        }
    }

    /// A return as a scenario: its deviation scaled from the volatility known before it to tomorrow's. Hull and White,
    /// Incorporating volatility updating into the historical simulation method for value-at-risk (1998).
    pub(super) fn scenario(
        &self,
        r: f64,
        mean: f64,
        known: f64,
        target: f64,
        newest_mean: f64,
    ) -> f64 {
        let to = match self.target {
            Target::Current => target,
            Target::Mid => 0.5 * (target + known),
        };
        let ratio = to / known;
        let ratio = match self.ratio {
            Some((low, _)) if ratio < low => low,
            Some((_, high)) if ratio > high => high,
            Some(_) | None => ratio,
        };
        let scaled = (r - mean) * ratio;
        if self.add_mean {
            newest_mean + scaled
        } else {
            scaled
        }
    }
}

/// Volatilities along a set of returns. Entries of `known` and `mean` before [`Filter::first`] do not exist and hold
/// zero.
#[derive(Debug, Clone)]
pub(super) struct Volatilities {
    /// Known before the return.
    pub(super) known: Vec<f64>,
    /// With the return; what tomorrow has after the last one.
    pub(super) after: Vec<f64>,
    /// The rolling mean known before the return.
    pub(super) mean: Vec<f64>,
    /// The rolling mean with the return.
    pub(super) mean_after: Vec<f64>,
}

impl Volatilities {
    pub(super) fn new(n: usize) -> Self {
        Self {
            known: vec![0.0; n],
            after: vec![0.0; n],
            mean: vec![0.0; n],
            mean_after: vec![0.0; n],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ewma(seed_returns: Option<usize>) -> Filter {
        Filter {
            model: Model::Ewma {
                lambda: 0.9,
                seed: Seed::MeanSquare,
                seed_returns,
                mean: false,
            },
            target: Target::Current,
            average: 1,
            quantile_floor_ppm: None,
            vol_floor: 0.0,
            ratio: None,
            add_mean: false,
        }
    }

    #[test]
    fn a_return_is_divided_by_what_was_known_before_it() {
        let returns = [0.01, -0.02, 0.03, 0.05];
        let vols = ewma(Some(2)).volatilities(&returns);
        let seed = (0.0001_f64 + 0.0004) / 2.0;
        assert_eq!(ewma(Some(2)).first(), 2);
        assert_eq!(vols.known[2], seed.sqrt());
        let next = 0.9 * seed + (1.0 - 0.9) * (0.03 * 0.03);
        assert!((vols.known[3] - next.sqrt()).abs() < 1e-17);
        // Changing a return does not change the volatility it is divided by.
        let other = ewma(Some(2)).volatilities(&[0.01, -0.02, 0.03, 9.0]);
        assert_eq!(vols.known, other.known);
        assert_ne!(vols.after[3], other.after[3]);
    }

    #[test]
    fn ratio_bounds_and_mid_volatility() {
        let mut filter = ewma(None);
        assert_eq!(filter.scenario(0.01, 0.0, 0.02, 0.08, 0.0), 0.04);
        filter.ratio = Some((0.5, 2.0));
        assert_eq!(filter.scenario(0.01, 0.0, 0.02, 0.08, 0.0), 0.02);
        filter.ratio = None;
        filter.target = Target::Mid;
        assert_eq!(filter.scenario(0.01, 0.0, 0.02, 0.08, 0.0), 0.01 * 2.5);
    }
}
