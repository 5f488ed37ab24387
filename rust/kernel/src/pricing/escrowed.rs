//! Escrowed cash dividends: the spot less the present value of the dividends before expiry is what diffuses (Hull, Options,
//! Futures, and Other Derivatives, section 15.12). Dividends are (years to the ex-date, cash per unit); those not after today
//! or after expiry do not count, one at expiry does.
//!
//! The share that is set apart to pay a dividend earns the yield, or costs the borrow fee, like any other until the ex-date:
//! a dividend is worth `cash exp(-carry when)` with `carry = rate - yield`, and the forward is that of carrying the share,
//! `S exp(carry T) - sum cash exp(carry (T - when))`. Without a yield that is the present value at the rate.

use super::math::exp;
use crate::error::Result;
use crate::fail;

/// The dividends after today and until expiry.
pub fn due(dividends: &[(f64, f64)], years: f64) -> impl Iterator<Item = (f64, f64)> {
    let due = move |&(when, _): &(f64, f64)| when > 0.0 && when <= years;
    dividends.iter().copied().filter(due)
}

/// What they are worth now: it grows with time at the carry.
pub fn present_value(dividends: &[(f64, f64)], years: f64, carry: f64) -> f64 {
    due(dividends, years)
        .map(|(when, cash)| cash * exp(-carry * when))
        .sum()
}

/// What that falls by per 1.00 of the rate.
pub fn per_rate(dividends: &[(f64, f64)], years: f64, carry: f64) -> f64 {
    due(dividends, years)
        .map(|(when, cash)| when * cash * exp(-carry * when))
        .sum()
}

/// What diffuses of a spot.
///
/// # Errors
/// `InvalidInput` where nothing is left.
pub fn diffusing(spot: f64, dividends: &[(f64, f64)], years: f64, carry: f64) -> Result<f64> {
    let left =
        due(dividends, years).fold(spot, |left, (when, cash)| left - cash * exp(-carry * when));
    if left <= 0.0 {
        fail!(
            InvalidInput: OutOfRange;
            "the dividends before expiry are worth more than the spot of {spot}: nothing is left to diffuse"
        );
    }
    Ok(left)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hull, Options, Futures, and Other Derivatives, example 15.9: 0.50 in two and in five months at 9 %.
    #[test]
    fn hulls_two_dividends_are_worth_what_he_prints() {
        let dividends = [(2.0 / 12.0, 0.5), (5.0 / 12.0, 0.5)];
        let worth = present_value(&dividends, 0.5, 0.09);
        assert!((worth - 0.9742).abs() < 5e-5, "{worth}");
        let left = diffusing(40.0, &dividends, 0.5, 0.09).unwrap();
        assert!((left - (40.0 - worth)).abs() < 1e-14);
        let up = present_value(&dividends, 0.5, 0.0901) - present_value(&dividends, 0.5, 0.0899);
        assert!((per_rate(&dividends, 0.5, 0.09) + up / 2e-4).abs() < 1e-6);
    }

    #[test]
    fn dividends_of_today_and_after_expiry_do_not_count() {
        let dividends = [(0.0, 9.0), (0.25, 1.0), (0.5, 2.0), (0.51, 9.0)];
        assert_eq!(present_value(&dividends, 0.5, 0.0), 3.0);
        assert!(diffusing(3.0, &dividends, 0.5, 0.0).is_err());
    }

    /// QuantLib's `AnalyticDividendEuropeanEngine` has this forward: 8 in nine months at 9.4 % and a yield of 6.3 %.
    #[test]
    fn with_a_yield_the_forward_is_that_of_carrying_the_share() {
        let carry: f64 = 0.094 - 0.063;
        let left = diffusing(100.0, &[(0.75, 8.0)], 1.0, carry).unwrap();
        let forward = left * carry.exp();
        assert!((forward - (100.0 * carry.exp() - 8.0 * (carry * 0.25).exp())).abs() < 1e-12);
        assert!((forward - 95.0863).abs() < 5e-5, "{forward}");
    }
}
