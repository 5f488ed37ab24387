//! Parametric VaR: a normal quantile times the deviation of the portfolio's profits and losses.
//!
//! For positions that are linear in returns this is the variance-covariance method: the variance of the sum is the
//! quadratic form of the covariance matrix made with the same weights.

use serde::{Deserialize, Serialize};

use super::filter::Seed;
use super::measure::PPM;
use kernel::error::Result;
use kernel::fail;
use kernel::pricing::math;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Variance {
    /// Equal weights, divisor n.
    Population,
    /// Equal weights, divisor n - 1.
    Sample,
    /// `v' = lambda v + (1 - lambda) L^2` over the losses, oldest first.
    Ewma {
        #[cfg_attr(feature = "schema", schemars(with = "engine::schema::units::Inner"))]
        lambda: f64,
        seed: Seed,
    },
}

impl Variance {
    pub(super) fn check(&self) -> Result<()> {
        if let Self::Ewma { lambda, .. } = self
            && !(*lambda > 0.0 && *lambda < 1.0)
        {
            fail!(
            InvalidInput: OutOfRange, place "variance: lambda", value *lambda;
            "variance: lambda is {lambda}: it lies above 0 and below 1"
                        );
        }
        Ok(())
    }

    /// The variance, and each scenario's weight `w` with which `sum w L = variance`: how the risk is allocated.
    pub(super) fn of(&self, losses: &[f64]) -> (f64, Vec<f64>) {
        let n = losses.len() as f64;
        let mean = losses.iter().fold(0.0, |a, l| a + l) / n;
        let around = |from: f64, divisor: f64| -> (f64, Vec<f64>) {
            let weights: Vec<f64> = losses.iter().map(|l| (l - from) / divisor).collect();
            (
                losses.iter().fold(0.0, |a, l| a + (l - from) * (l - from)) / divisor,
                weights,
            )
        };
        match *self {
            Self::Population => around(mean, n),
            Self::Sample => around(mean, n - 1.0),
            Self::Ewma { lambda, seed } => {
                let (mut variance, mut weights) = match seed {
                    Seed::SampleVarDdof1 => around(mean, n - 1.0),
                    Seed::SampleVarDdof0 => around(mean, n),
                    Seed::MeanSquare => around(0.0, n),
                    Seed::Given(variance) => (variance, vec![0.0; losses.len()]),
                };
                for (i, loss) in losses.iter().enumerate() {
                    variance = lambda * variance + (1.0 - lambda) * loss * loss;
                    let decay = lambda.powi((losses.len() - 1 - i) as i32);
                    weights[i] = weights[i] * lambda.powi(losses.len() as i32)
                        + (1.0 - lambda) * decay * loss;
                }
                (variance, weights)
            }
        }
    }
}

/// The standard normal quantile of a level in parts per million: Newton's method on the distribution function.
pub(super) fn normal_quantile(level: u32) -> f64 {
    let p = f64::from(level) / PPM as f64;
    let mut x = 0.0;
    // Above one half the distribution function is concave, so that steps from below never pass the root.
    let target = if p < 0.5 { 1.0 - p } else { p };
    for _ in 0..60 {
        let step = (target - math::normal_cdf(x)) / math::normal_pdf(x);
        x += step;
        if step.abs() < 1e-15 {
            break;
        }
    }
    if p < 0.5 { -x } else { x }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantiles() {
        for (level, z) in [
            (990_000, 2.326_347_874_040_841),
            (500_000, 0.0),
            (999_999, 4.753_424_308_822_899),
        ] {
            assert!((normal_quantile(level) - z).abs() < 1e-9, "{level}");
        }
        assert_eq!(normal_quantile(10_000), -normal_quantile(990_000));
    }

    #[test]
    fn weights_reproduce_the_variance() {
        let losses = [3.0, -1.0, 4.0, 1.0, -5.0];
        for variance in [
            Variance::Population,
            Variance::Sample,
            Variance::Ewma {
                lambda: 0.9,
                seed: Seed::SampleVarDdof1,
            },
        ] {
            let (value, weights) = variance.of(&losses);
            let sum: f64 = weights.iter().zip(losses).map(|(w, l)| w * l).sum();
            assert!((sum - value).abs() < 1e-12, "{variance:?}");
        }
    }
}
