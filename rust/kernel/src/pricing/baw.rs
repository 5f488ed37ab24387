//! Barone-Adesi and Whaley's quadratic approximation of American prices, with a general cost of carry.
//!
//! Barone-Adesi and Whaley, "Efficient analytic approximation of American option values", J. Finance 42 (1987). The
//! carry is `rate - yield` on a spot (SPAN's `W`), `rate` without a yield (`WS`) and 0 on a future (`WB`). Errors reach
//! some percent of the price: it is here for rulebooks that name it; [`super::american`] is the accurate price.

use super::black;
use super::math::{exp, ln_ratio, normal_cdf, normal_pdf};
use crate::error::Result;
use crate::fail;
use crate::float::larger;

/// An option on something that grows at `carry`; `right` is +1 for a call, -1 for a put.
#[derive(Clone, Copy, Debug)]
pub struct QuadraticInputs {
    pub spot: f64,
    pub strike: f64,
    pub years: f64,
    pub rate: f64,
    pub carry: f64,
    pub vol: f64,
    pub right: i8,
}

/// Past this multiple of the strike (or this part of it) the option is never exercised early.
const FARTHEST: f64 = 1e9;
const MOST_ITERATIONS: usize = 100;

/// The value per unit. Without time or vol it is the European value, or the intrinsic one where that is greater.
///
/// # Errors
/// `InvalidInput` for values that no option has; `Unsupported` where exercise has two boundaries, negative rates with
/// the carry above zero for a put, or a carry below the rate below zero for a call.
pub fn price(o: &QuadraticInputs) -> Result<f64> {
    let QuadraticInputs {
        spot,
        strike,
        years,
        rate,
        carry,
        vol,
        right,
    } = *o;
    if !(spot > 0.0
        && spot.is_finite()
        && strike > 0.0
        && strike.is_finite()
        && vol >= 0.0
        && vol.is_finite())
    {
        fail!(
            InvalidInput: OutOfRange;
            "baw: spot {spot} and strike {strike} must be positive, vol {vol} not negative"
        );
    }
    if !(years.is_finite() && rate.is_finite() && carry.is_finite()) || (right != 1 && right != -1)
    {
        fail!(
            InvalidInput,
            "baw: years {years}, rate {rate}, carry {carry} must be finite and right {right} +1 or -1"
        );
    }
    let sign = f64::from(right);
    let european = o.european(spot);
    let exercised = sign * (spot - strike);
    // As a put, by symmetry, for the two cases that need no approximation.
    let dividend_yield = rate - carry;
    let (put_rate, put_yield) = if right > 0 {
        (dividend_yield, rate)
    } else {
        (rate, dividend_yield)
    };
    if years <= 0.0 || (put_rate <= 0.0 && put_yield >= put_rate) {
        return Ok(european);
    }
    if put_rate < 0.0 {
        fail!(
            Unsupported,
            "baw: at a rate of {rate} and a carry of {carry} the option is exercised between two boundaries; use the tree"
        );
    }
    if vol * years.sqrt() < 1e-8 {
        return Ok(larger(european, exercised));
    }
    let power = o.power();
    let Some(critical) = o.critical(power) else {
        return Ok(larger(european, exercised));
    };
    if sign * (spot - critical) >= 0.0 {
        return Ok(exercised);
    }
    let premium = sign * (1.0 - o.growth() * normal_cdf(sign * o.d1(critical))) * critical / power;
    Ok(larger(
        european + premium * exp(power * ln_ratio(spot, critical)),
        exercised,
    ))
}

impl QuadraticInputs {
    fn european(&self, spot: f64) -> f64 {
        let years = larger(self.years, 0.0);
        let discount = exp(-self.rate * years);
        black::forward_price_one(
            spot * exp(self.carry * years),
            self.strike,
            years,
            self.vol,
            self.right,
            discount,
        )
    }

    fn growth(&self) -> f64 {
        exp((self.carry - self.rate) * self.years)
    }

    fn d1(&self, spot: f64) -> f64 {
        let deviation = self.vol * self.years.sqrt();
        (ln_ratio(spot, self.strike) + self.carry * self.years) / deviation + 0.5 * deviation
    }

    /// `q2` of a call, `q1` of a put.
    fn power(&self) -> f64 {
        let variance = self.vol * self.vol;
        let n1 = 2.0 * self.carry / variance - 1.0;
        let growing = self.rate * self.years;
        // M / K; its limit where the rate vanishes.
        let ratio = if growing.abs() < 1e-9 {
            2.0 / (variance * self.years)
        } else {
            2.0 * self.rate / (variance * (1.0 - exp(-growing)))
        };
        0.5 * (f64::from(self.right) * (n1 * n1 + 4.0 * ratio).sqrt() - n1)
    }

    /// The spot at and beyond which the option is exercised: Newton's method kept within a bracket.
    fn critical(&self, power: f64) -> Option<f64> {
        let sign = f64::from(self.right);
        let deviation = self.vol * self.years.sqrt();
        // Rises from below zero at the strike to above zero beyond the critical spot.
        let excess = |spot: f64| {
            let d1 = self.d1(spot);
            let given = 1.0 - self.growth() * normal_cdf(sign * d1);
            let value =
                sign * (spot - self.strike) - self.european(spot) - sign * given * spot / power;
            let slope = sign * given * (1.0 - 1.0 / power)
                + self.growth() * normal_pdf(d1) / (deviation * power);
            (value, slope)
        };
        let mut inside = self.strike;
        let mut beyond = self.strike;
        loop {
            beyond = if sign > 0.0 {
                beyond * 1.5
            } else {
                beyond / 1.5
            };
            if excess(beyond).0 > 0.0 {
                break;
            }
            inside = beyond;
            if beyond > self.strike * FARTHEST || beyond < self.strike / FARTHEST {
                return None;
            }
        }
        let mut spot = 0.5 * (inside + beyond);
        for _ in 0..MOST_ITERATIONS {
            let (value, slope) = excess(spot);
            if value > 0.0 {
                beyond = spot;
            } else {
                inside = spot;
            }
            let next = spot - value / slope;
            let next = if (next - inside) * (next - beyond) < 0.0 {
                next
            } else {
                0.5 * (inside + beyond)
            };
            if (next - spot).abs() <= 1e-13 * spot {
                return Some(next);
            }
            spot = next;
        }
        Some(spot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on_spot(
        spot: f64,
        strike: f64,
        days: f64,
        rate: f64,
        q: f64,
        vol: f64,
        right: i8,
    ) -> QuadraticInputs {
        QuadraticInputs {
            spot,
            strike,
            years: days / 365.0,
            rate,
            carry: rate - q,
            vol,
            right,
        }
    }

    /// QuantLib 1.44, `BaroneAdesiWhaleyApproximationEngine`, actual/365; it stops its search at 1e-6.
    #[test]
    fn agrees_with_quantlib() {
        for (o, expected) in [
            (
                on_spot(100.0, 100.0, 365.0, 0.05, 0.0, 0.2, -1),
                6.097615381626404,
            ),
            (
                on_spot(100.0, 100.0, 365.0, 0.05, 0.02, 0.2, -1),
                6.6722152937701305,
            ),
            (
                on_spot(100.0, 100.0, 365.0, 0.02, 0.06, 0.25, 1),
                8.227291504221341,
            ),
            (
                on_spot(80.0, 100.0, 73.0, 0.04, 0.0, 0.35, -1),
                20.094505665959193,
            ),
            (
                on_spot(120.0, 100.0, 730.0, 0.03, 0.05, 0.4, 1),
                32.16359453792748,
            ),
            (
                on_spot(100.0, 105.0, 30.0, 0.01, 0.08, 0.6, 1),
                4.584762870089885,
            ),
            (
                on_spot(95.0, 100.0, 182.0, 0.08, 0.03, 0.1, -1),
                5.058558171481043,
            ),
            (
                on_spot(100.0, 130.0, 365.0, 0.05, 0.05, 0.3, 1),
                3.4556238663054413,
            ),
            (
                on_spot(60.0, 100.0, 1825.0, 0.03, 0.0, 0.45, -1),
                47.52175198456651,
            ),
            (
                on_spot(150.0, 100.0, 365.0, 0.06, 0.02, 0.8, -1),
                16.732783911876197,
            ),
        ] {
            let ours = price(&o).unwrap();
            assert!((ours - expected).abs() < 1e-4, "{o:?} {ours} {expected}");
        }
    }

    /// As above, on futures: the yield is the rate, the carry 0.
    #[test]
    fn agrees_with_quantlib_on_futures() {
        for (forward, days, vol, right, expected) in [
            (90.0, 73.0, 0.15, 1, 0.15650905336179807),
            (100.0, 73.0, 0.15, 1, 2.6349446303202435),
            (110.0, 73.0, 0.15, 1, 10.140185997292111),
            (100.0, 365.0, 0.35, 1, 13.033889737980706),
            (90.0, 73.0, 0.15, -1, 10.065569183448298),
            (100.0, 73.0, 0.15, -1, 2.634943794950044),
            (110.0, 365.0, 0.35, -1, 9.482196047913709),
        ] {
            let o = on_spot(forward, 100.0, days, 0.1, 0.1, vol, right);
            assert_eq!(o.carry, 0.0);
            let ours = price(&o).unwrap();
            assert!((ours - expected).abs() < 1e-4, "{o:?} {ours} {expected}");
        }
    }

    #[test]
    fn bounded_by_the_european_and_the_intrinsic_value() {
        for right in [1, -1] {
            for rate in [0.0, 1e-12, 0.04, 0.12] {
                for q in [0.0, 0.03, 0.1] {
                    for vol in [0.0, 1e-6, 0.05, 0.3, 2.0] {
                        for spot in [1e-3, 50.0, 95.0, 100.0, 140.0, 1e5] {
                            let o = on_spot(spot, 100.0, 200.0, rate, q, vol, right);
                            let value = price(&o).unwrap();
                            assert!(value.is_finite(), "{o:?}");
                            assert!(value >= o.european(spot) - 1e-12 * spot, "{o:?} {value}");
                            assert!(value >= f64::from(right) * (spot - 100.0), "{o:?} {value}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn never_exercised_early_is_european() {
        let call = on_spot(100.0, 95.0, 100.0, 0.05, 0.0, 0.3, 1);
        assert_eq!(
            price(&call).unwrap().to_bits(),
            call.european(100.0).to_bits()
        );
        let double = on_spot(100.0, 95.0, 100.0, -0.01, -0.03, 0.3, -1);
        assert!(
            price(&double)
                .unwrap_err()
                .message()
                .contains("two boundaries")
        );
    }
}
