//! The vol at which a tree returns a given price.

use super::{DividendTreatment, MAX_HALF_WIDTH, Scheme, TreeInputs, price, trinomial};
use crate::error::Result;
use crate::fail;
use crate::pricing::implied::Status;

/// The vol at which [`price`] on the same tree returns `target`, so that a mark is repriced to rounding
/// (`inputs.vol` is not used).
///
/// Solved by Chandrupatla's bracketing method (Advances in Engineering Software 28, 1997) until the bracket closes.
/// Where a value does not depend on the vol (an American option so far in the money that it is exercised at once)
/// there is no such vol, and the price is refused rather than answered with an arbitrary one.
///
/// # Errors
/// `CalculationError` when the price is not above the value without vol, or above what any vol gives; `InvalidInput`
/// as [`price`].
pub fn implied_vol(
    inputs: &TreeInputs<'_>,
    target: f64,
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<f64> {
    match found(inputs, target, american, scheme, steps, treatment)? {
        Ok(vol) => Ok(vol),
        Err(NoVol::NotANumber) => {
            fail!(InvalidInput: NotFinite; "implied vol: price {target} is not a number")
        }
        Err(NoVol::NoTime) => fail!(
            CalculationError: NoNumber;
            "implied vol: an option with {} years to expiry has no vol",
            inputs.years
        ),
        Err(NoVol::Below(value)) => fail!(
            CalculationError: NoNumber;
            "implied vol: price {target} is not above {value}, the option's value without vol"
        ),
        Err(NoVol::Above(value, vol)) => fail!(
            CalculationError: NoNumber;
            "implied vol: price {target} is above {value}, the value at a vol of {vol}"
        ),
    }
}

/// The vol of [`implied_vol`], or NaN and why there is none.
///
/// # Errors
/// `InvalidInput` as [`price`].
pub fn implied_status(
    inputs: &TreeInputs<'_>,
    target: f64,
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<(f64, Status)> {
    let found = found(inputs, target, american, scheme, steps, treatment)?;
    Ok(match found {
        Ok(vol) => (vol, Status::Ok),
        Err(NoVol::NotANumber | NoVol::NoTime) => (f64::NAN, Status::Invalid),
        Err(NoVol::Below(_)) => (f64::NAN, Status::BelowIntrinsic),
        Err(NoVol::Above(..)) => (f64::NAN, Status::AboveMaximum),
    })
}

/// Why a price has no vol.
enum NoVol {
    NotANumber,
    NoTime,
    /// It is not above this, the value without vol.
    Below(f64),
    /// It is above this, the value at this vol, the largest there is.
    Above(f64, f64),
}

fn found(
    inputs: &TreeInputs<'_>,
    target: f64,
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<std::result::Result<f64, NoVol>> {
    if !target.is_finite() {
        return Ok(Err(NoVol::NotANumber));
    }
    if inputs.years.is_nan() || inputs.years <= 0.0 {
        return Ok(Err(NoVol::NoTime));
    }
    let excess = |vol: f64| -> Result<f64> {
        let moved = TreeInputs { vol, ..*inputs };
        Ok(price(&moved, american, scheme, steps, treatment)? - target)
    };
    let mut low = 0.0;
    let mut below = excess(low)?;
    let noise = 4.0 * f64::EPSILON * (inputs.spot + inputs.strike);
    if below >= -noise {
        return Ok(Err(NoVol::Below(below + target)));
    }
    let carry = ((inputs.rate - inputs.dividend_yield) * inputs.years).abs();
    let mut widest = (MAX_HALF_WIDTH - carry) / ((steps + 1) as f64).sqrt();
    if scheme == Scheme::Trinomial {
        widest = widest.min(trinomial::most_deviation(steps));
    }
    let largest = 0.99 * widest / inputs.years.sqrt();
    let mut high = if largest < 0.25 { largest } else { 0.25 };
    let mut above = excess(high)?;
    while above < 0.0 {
        if high >= largest {
            return Ok(Err(NoVol::Above(above + target, high)));
        }
        (low, below) = (high, above);
        high = if 2.0 * high < largest {
            2.0 * high
        } else {
            largest
        };
        above = excess(high)?;
    }
    chandrupatla(excess, (low, below), (high, above)).map(Ok)
}

/// A root between two points of opposite sign, to the last bit or nearly.
fn chandrupatla(
    f: impl Fn(f64) -> Result<f64>,
    (mut a, mut fa): (f64, f64),
    (mut b, mut fb): (f64, f64),
) -> Result<f64> {
    let (mut c, mut fc);
    let mut t = 0.5;
    for _ in 0..200 {
        let x = a + t * (b - a);
        let fx = f(x)?;
        if (fx > 0.0) == (fa > 0.0) {
            (c, fc) = (a, fa);
        } else {
            (c, fc) = (b, fb);
            (b, fb) = (a, fa);
        }
        (a, fa) = (x, fx);
        let (best, at_best) = if fa.abs() < fb.abs() {
            (a, fa)
        } else {
            (b, fb)
        };
        let tolerance = 2.0 * f64::EPSILON * best.abs() + f64::MIN_POSITIVE;
        let limit = tolerance / (b - a).abs();
        if at_best == 0.0 || limit > 0.5 {
            return Ok(best);
        }
        // Inverse quadratic interpolation where it is safe, else halving.
        let xi = (a - b) / (c - b);
        let phi = (fa - fb) / (fc - fb);
        t = if phi * phi < xi && (1.0 - phi) * (1.0 - phi) < 1.0 - xi {
            fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (fc - fb)
        } else {
            0.5
        };
        if t < limit {
            t = limit;
        } else if t > 1.0 - limit {
            t = 1.0 - limit;
        }
    }
    fail!(
        CalculationError: NoNumber;
        "implied vol: no convergence between vols {a} and {b}"
    )
}
