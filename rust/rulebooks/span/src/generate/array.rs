//! One contract's array and deltas from what it is priced from.

use serde::{Deserialize, Serialize};

use super::baw;
use super::models::Model;
use crate::model::{DeltaPoint, ScanPoint};
use kernel::error::Result;
use kernel::fail;
use kernel::pricing::math::exp;
use kernel::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};
use kernel::pricing::{bachelier, black, greeks};

/// Lognormal models cannot price an underlying at or below zero: this stands in for it.
pub(crate) const UNDERLYING_FLOOR: f64 = 1e-8;
/// The step count of CA and CE is not published.
pub(super) const DEFAULT_STEPS: usize = 400;

fn steps() -> usize {
    DEFAULT_STEPS
}

/// One contract's inputs, all money for one contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArrayInputs {
    /// A pricing model's code; none for a future.
    #[serde(default)]
    pub model: Option<Model>,
    pub underlying: f64,
    #[serde(default)]
    pub strike: f64,
    #[serde(default)]
    pub years: f64,
    #[serde(default)]
    pub rate: f64,
    #[serde(default)]
    pub dividend_yield: f64,
    #[serde(default)]
    pub vol: f64,
    #[serde(default)]
    pub right: i8,
    pub price_scan: f64,
    #[serde(default)]
    pub price_scan_down: Option<f64>,
    #[serde(default)]
    pub vol_scan: f64,
    #[serde(default)]
    pub vol_scan_down: Option<f64>,
    /// The vol scan range is a fraction of the volatility instead of an amount.
    #[serde(default)]
    pub vol_scan_percent: bool,
    #[serde(default)]
    pub lookahead: f64,
    /// A future is worth `underlying * exp(rate * years)`, as NSE values it.
    #[serde(default)]
    pub spot_carry: bool,
    #[serde(default = "steps")]
    pub steps: usize,
}

impl ArrayInputs {
    pub(crate) fn check(&self) -> Result<()> {
        let numbers = [
            self.underlying,
            self.strike,
            self.years,
            self.rate,
            self.dividend_yield,
            self.vol,
            self.price_scan,
            self.vol_scan,
            self.lookahead,
            self.price_scan_down.unwrap_or(0.0),
            self.vol_scan_down.unwrap_or(0.0),
        ];
        if numbers.iter().any(|v| !v.is_finite()) {
            fail!(
                InvalidInput: NotFinite;
                "risk array: a number that is not finite: {self:?}"
            );
        }
        if self.model.is_some() && (self.right.abs() != 1 || self.vol < 0.0) {
            fail!(
                InvalidInput: OutOfRange;
                "risk array: an option has right +1 or -1 and a vol that is not negative"
            );
        }
        if self
            .model
            .is_some_and(|m| m != Model::Normal && m != Model::Intrinsic)
            && self.strike <= 0.0
        {
            fail!(
                InvalidInput,
                "risk array: strike {} under a lognormal model",
                self.strike
            );
        }
        Ok(())
    }

    fn value(&self, underlying: f64, years: f64, vol: f64) -> Result<f64> {
        let Some(model) = self.model else {
            let years = if years > 0.0 { years } else { 0.0 };
            return Ok(if self.spot_carry {
                underlying * exp(self.rate * years)
            } else {
                underlying
            });
        };
        let right = f64::from(self.right);
        let intrinsic = |u: f64| {
            if right * (u - self.strike) > 0.0 {
                right * (u - self.strike)
            } else {
                0.0
            }
        };
        if years <= 0.0 || model == Model::Intrinsic {
            return Ok(intrinsic(underlying));
        }
        let spot = if underlying > UNDERLYING_FLOOR {
            underlying
        } else {
            UNDERLYING_FLOOR
        };
        let q = model.dividend_yield(self.rate, self.dividend_yield);
        let vol = if vol > 0.0 { vol } else { 0.0 };
        Ok(match model {
            Model::BlackScholes | Model::Black | Model::Merton => {
                black::price_one(spot, self.strike, years, self.rate, q, vol, self.right)
            }
            Model::Normal => bachelier::price_one(
                underlying,
                self.strike,
                years,
                vol,
                self.right,
                exp(-self.rate * years),
            ),
            Model::AdesiWhaley | Model::WhaleySpot | Model::WhaleyFuture => {
                baw::price_one(spot, self.strike, years, self.rate, q, vol, self.right)
            }
            Model::TreeAmerican | Model::TreeEuropean => {
                let inputs = TreeInputs {
                    spot,
                    strike: self.strike,
                    years,
                    rate: self.rate,
                    dividend_yield: q,
                    vol,
                    right: self.right,
                    dividends: &[],
                };
                let american = model == Model::TreeAmerican;
                tree::price(
                    &inputs,
                    american,
                    Scheme::Crr,
                    self.steps,
                    DividendTreatment::Escrowed,
                )?
            }
            Model::Intrinsic => intrinsic(underlying),
        })
    }

    /// The model's own value today.
    pub fn theoretical(&self) -> Result<f64> {
        self.check()?;
        self.value(self.underlying, self.years, self.vol)
    }

    pub(crate) fn price_move(&self, multiple: f64) -> f64 {
        let range = if multiple < 0.0 {
            self.price_scan_down.unwrap_or(self.price_scan)
        } else {
            self.price_scan
        };
        multiple * range
    }

    pub(crate) fn moved_vol(&self, multiple: f64) -> f64 {
        let range = if multiple < 0.0 {
            self.vol_scan_down.unwrap_or(self.vol_scan)
        } else {
            self.vol_scan
        };
        if self.vol_scan_percent {
            self.vol * (1.0 + multiple * range)
        } else {
            self.vol + multiple * range
        }
    }

    /// The array over the given points.
    pub fn array(&self, points: &[ScanPoint]) -> Result<Vec<f64>> {
        self.check()?;
        if self.model.is_none() && !self.spot_carry {
            return Ok(points
                .iter()
                .map(|p| -self.price_move(p.price) * p.weight + 0.0)
                .collect());
        }
        let base = self.value(self.underlying, self.years, self.vol)?;
        points
            .iter()
            .map(|p| {
                let vol = if p.vol == 0.0 {
                    self.vol
                } else {
                    self.moved_vol(p.vol)
                };
                let moved = self.value(
                    self.underlying + self.price_move(p.price),
                    self.years - self.lookahead,
                    vol,
                )?;
                Ok(p.weight * (base - moved) + 0.0)
            })
            .collect()
    }

    fn delta_at(&self, underlying: f64, years: f64) -> Result<f64> {
        let Some(model) = self.model else {
            return Ok(1.0);
        };
        let right = f64::from(self.right);
        if years <= 0.0 || model == Model::Intrinsic || self.vol <= 0.0 {
            return Ok(if right * (underlying - self.strike) > 0.0 {
                right
            } else {
                0.0
            });
        }
        let spot = if underlying > UNDERLYING_FLOOR {
            underlying
        } else {
            UNDERLYING_FLOOR
        };
        if matches!(
            model,
            Model::BlackScholes | Model::Black | Model::Merton | Model::TreeEuropean
        ) {
            let q = model.dividend_yield(self.rate, self.dividend_yield);
            return Ok(greeks::black_one(
                spot,
                self.strike,
                years,
                self.rate,
                q,
                self.vol,
                self.right,
            )
            .delta);
        }
        // Models without a closed delta: a central difference over a thousandth of the underlying.
        let h = 1e-3
            * if spot > self.price_scan {
                spot
            } else {
                self.price_scan
            };
        Ok((self.value(underlying + h, years, self.vol)?
            - self.value(underlying - h, years, self.vol)?)
            / (2.0 * h))
    }

    /// The weighted delta over the scan range, vol unshifted; 1 for a future.
    pub fn composite_delta(&self, points: &[DeltaPoint]) -> Result<f64> {
        self.check()?;
        let mut sum = 0.0;
        for p in points {
            sum += p.weight
                * self.delta_at(
                    self.underlying + self.price_move(p.price),
                    self.years - self.lookahead,
                )?;
        }
        Ok(if self.model.is_none() { 1.0 } else { sum })
    }

    /// The plain delta now, without look-ahead.
    pub fn current_delta(&self) -> Result<f64> {
        self.check()?;
        self.delta_at(self.underlying, self.years)
    }
}

/// Whole currency units (or another unit), half away from zero, as CME rounds arrays.
pub fn round_half_away(value: f64, unit: f64) -> f64 {
    // A billionth of a unit keeps halves that binary fractions put just below from going down: 0.99 * 1050.
    ((value / unit).abs() + 0.5 + 1e-9).floor() * unit * value.signum() + 0.0
}
