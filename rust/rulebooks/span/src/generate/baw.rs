//! Barone-Adesi and Whaley's quadratic approximation (J. Finance 42, 1987): PC-SPAN's models W, WS and WB.
//!
//! No public file with American arrays was found: these values are checked against trees, not against PC-SPAN.
//!
//! The kernel's `pricing::baw` is the same approximation with a wider search: here the critical price is looked for between
//! the strike and the perpetual option's boundary only, and the approximation's own root can lie beyond it. At rates and
//! yields up to 6 %, vols from 10 % and three years the two differ by at most 3e-5 of the price of the underlying, and by
//! more than 1e-9 from two years on only; far beyond (rates of 12 % and five years) by up to some percent, and the kernel's
//! is the root. At negative rates this one is never exercised early. It stays because arrays once made are made alike.

use kernel::pricing::black;
use kernel::pricing::math::{exp, normal_cdf, normal_pdf};

/// Newton's steps before the bracket takes over; convergence is quadratic from Barone-Adesi and Whaley's seed.
const STEPS: usize = 60;

/// Value per unit of an American option on something with cost of carry `rate - dividend_yield`.
pub(super) fn price_one(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    vol: f64,
    right: i8,
) -> f64 {
    let sign = f64::from(right);
    let intrinsic = sign * (spot - strike);
    let intrinsic = if intrinsic > 0.0 { intrinsic } else { 0.0 };
    if years <= 0.0 {
        return intrinsic;
    }
    let european = black::price_one(spot, strike, years, rate, dividend_yield, vol, right);
    let carry = rate - dividend_yield;
    // A call that costs nothing to hold is never exercised early, nor a put that earns nothing; at vol zero the
    // approximation has no meaning and the better of now and later is exact enough.
    if (right > 0 && carry >= rate) || (right < 0 && rate <= 0.0) || vol <= 0.0 {
        return if european > intrinsic {
            european
        } else {
            intrinsic
        };
    }
    let variance = vol * vol;
    let n = 2.0 * carry / variance;
    let k = 1.0 - exp(-rate * years);
    // At a rate of zero M/k has the limit 2/(vol^2 T).
    let ratio = if rate.abs() < 1e-12 {
        2.0 / (variance * years)
    } else {
        2.0 * rate / (variance * k)
    };
    let root = ((n - 1.0) * (n - 1.0) + 4.0 * ratio).sqrt();
    let q = (1.0 - n + sign * root) / 2.0;
    let deviation = vol * years.sqrt();
    let growth = exp((carry - rate) * years);
    let d1 = |s: f64| ((s / strike).ln() + (carry + variance / 2.0) * years) / deviation;
    // sign (s - K) - european(s) - (1 - growth N(sign d1)) sign s / q, and its slope
    let gap = |s: f64| {
        let n1 = growth * normal_cdf(sign * d1(s));
        let value = black::price_one(s, strike, years, rate, dividend_yield, vol, right);
        let gap = sign * (s - strike) - value - sign * (1.0 - n1) * s / q;
        let slope =
            sign * (1.0 - n1) * (1.0 - 1.0 / q) + growth * normal_pdf(d1(s)) / (q * deviation);
        (gap, slope)
    };
    // The boundary lies between the strike and the perpetual option's boundary.
    let perpetual = {
        let q = (1.0 - n + sign * ((n - 1.0) * (n - 1.0) + 8.0 * rate / variance).sqrt()) / 2.0;
        strike / (1.0 - 1.0 / q)
    };
    let far = if perpetual.is_finite() && perpetual > 0.0 {
        perpetual
    } else {
        strike * exp(10.0 * sign * deviation)
    };
    let (mut low, mut high) = if right > 0 {
        (strike, far)
    } else {
        (far, strike)
    };
    let mut s = 0.5 * (low + high);
    for _ in 0..STEPS {
        let (value, slope) = gap(s);
        if value.abs() < 1e-12 * strike {
            break;
        }
        if (value > 0.0) == (right > 0) {
            high = s;
        } else {
            low = s;
        }
        let next = s - value / slope;
        s = if next > low && next < high {
            next
        } else {
            0.5 * (low + high)
        };
    }
    if sign * (spot - s) >= 0.0 {
        return intrinsic;
    }
    let a = sign * (s / q) * (1.0 - growth * normal_cdf(sign * d1(s)));
    let value = european + a * (spot / s).powf(q);
    if value > intrinsic { value } else { intrinsic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::pricing::tree::{self, DividendTreatment, Scheme, TreeInputs};

    #[test]
    fn close_to_a_fine_tree() {
        for &(right, rate, dividend_yield, years, vol) in &[
            (1, 0.05, 0.08, 0.25, 0.3),
            (-1, 0.05, 0.0, 0.5, 0.2),
            (-1, 0.1, 0.1, 0.1, 0.4),
            (1, 0.03, 0.03, 1.0, 0.25),
        ] {
            for spot in [80.0, 95.0, 100.0, 105.0, 120.0] {
                let own = price_one(spot, 100.0, years, rate, dividend_yield, vol, right);
                let inputs = TreeInputs {
                    spot,
                    strike: 100.0,
                    years,
                    rate,
                    dividend_yield,
                    vol,
                    right,
                    dividends: &[],
                };
                let fine = tree::price(
                    &inputs,
                    true,
                    Scheme::LeisenReimer,
                    1001,
                    DividendTreatment::Escrowed,
                )
                .unwrap();
                assert!(
                    (own - fine).abs() < 0.15,
                    "{right} {rate} {years} {spot}: {own} {fine}"
                );
            }
        }
    }

    #[test]
    fn a_published_value() {
        // Haug, The Complete Guide to Option Pricing Formulas, table 3-1: futures call 90, vol 15 %, 0.1 years.
        let call = price_one(100.0, 100.0, 0.1, 0.1, 0.1, 0.15, 1);
        assert!((call - 1.8770).abs() < 2e-3, "{call}");
    }
}
