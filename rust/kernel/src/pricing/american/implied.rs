//! The vol that an American price implies.

use super::{Mode, Sharing, price_grid, rows};
use crate::error::Result;
use crate::fail;
use crate::pricing::greeks::black_one;
use crate::pricing::implied::{PriceColumns, Status, black};
use crate::pricing::{Moves, OptionColumns};

/// Above this deviation over the life of the option every price is at its maximum.
const MOST_DEVIATION: f64 = 30.0;
const MOST_ITERATIONS: usize = 60;

/// The state of one row's search.
#[derive(Clone, Copy)]
struct Search {
    index: usize,
    vol: f64,
    low: f64,
    high: f64,
    /// The point before, for the secant.
    before: Option<(f64, f64)>,
}

/// American implied vol of each price, with a status per row; the vol is NaN where the status is not `Ok`.
///
/// From the European vol, a secant within a bracket, all open rows priced together, until the step is below 1e-13 of
/// the vol or the bracket has closed: [`super::price_grid`] of the same `sharing` at the vol returns the price to about 1e-14 of the strike. (Next to the
/// vol where the method changes from tree to collocation, to their difference, about 1e-5 of the strike.) A price that
/// equals the value without vol, such as the intrinsic value of an option that should be exercised at once, belongs to
/// many vols: `BelowIntrinsic`.
///
/// # Errors
/// `InvalidInput` for columns of different lengths; a row that cannot be priced at all is `Invalid`.
pub fn implied_vol(
    o: &PriceColumns<'_>,
    mode: Mode,
    sharing: Sharing,
    vol: &mut [f64],
    status: &mut [Status],
) -> Result<()> {
    let n = o.price.len();
    let lengths = [o.spot, o.strike, o.years, o.rate, o.dividend_yield].map(<[f64]>::len);
    if lengths.iter().any(|&l| l != n) || o.right.len() != n || vol.len() != n || status.len() != n
    {
        fail!(
            InvalidInput: WrongShape;
            "american implied vol: columns must be of one length ({n} prices)"
        );
    }
    black(o, vol, status);
    let mut open: Vec<Search> = Vec::with_capacity(n);
    for i in 0..n {
        let start = vol[i];
        status[i] = state(o, i);
        vol[i] = f64::NAN;
        if status[i] == Status::Ok {
            let high = MOST_DEVIATION / o.years[i].sqrt();
            let start = if start > 0.0 && start < high {
                start
            } else {
                0.3_f64.min(0.5 * high)
            };
            open.push(Search {
                index: i,
                vol: start,
                low: 0.0,
                high,
                before: None,
            });
        }
    }
    for _ in 0..MOST_ITERATIONS {
        if open.is_empty() {
            break;
        }
        let values = prices(o, &open, mode, sharing)?;
        let mut still = Vec::with_capacity(open.len());
        for (search, value) in open.iter().zip(values) {
            match advance(o, search, value - o.price[search.index]) {
                Ok(next) => still.push(next),
                Err(found) => vol[search.index] = found,
            }
        }
        open = still;
    }
    for search in open {
        vol[search.index] = search.vol;
    }
    for i in 0..n {
        if status[i] == Status::Ok && vol[i] > 0.999 * MOST_DEVIATION / o.years[i].sqrt() {
            (vol[i], status[i]) = (f64::NAN, Status::AboveMaximum);
        }
    }
    Ok(())
}

/// Whether some vol gives the price.
fn state(o: &PriceColumns<'_>, i: usize) -> Status {
    let (target, spot, strike, years) = (o.price[i], o.spot[i], o.strike[i], o.years[i]);
    let (rate, dividend_yield, right) = (o.rate[i], o.dividend_yield[i], o.right[i]);
    let one = |x: f64| [x];
    let row = OptionColumns {
        spot: &one(spot),
        strike: &one(strike),
        years: &one(years),
        rate: &one(rate),
        dividend_yield: &one(dividend_yield),
        vol: &[1.0],
        right: &[right],
    };
    if !target.is_finite() || years <= 0.0 || rows::check(&row).is_err() {
        return Status::Invalid;
    }
    let (paid, received) = if right > 0 {
        (dividend_yield, spot)
    } else {
        (rate, strike)
    };
    if target <= without_vol(spot, strike, years, rate, dividend_yield, right) {
        Status::BelowIntrinsic
    } else if target >= received * (-paid * years).exp().max(1.0) {
        Status::AboveMaximum
    } else {
        Status::Ok
    }
}

/// The value where the spot grows at its carry with certainty: exercised now, at the end, or where waiting stops paying.
pub(super) fn without_vol(
    spot: f64,
    strike: f64,
    years: f64,
    rate: f64,
    dividend_yield: f64,
    right: i8,
) -> f64 {
    let at = |t: f64| {
        let value =
            f64::from(right) * (spot * (-dividend_yield * t).exp() - strike * (-rate * t).exp());
        if value > 0.0 { value } else { 0.0 }
    };
    let turn = (rate * strike / (dividend_yield * spot)).ln() / (rate - dividend_yield);
    let between = if turn > 0.0 && turn < years {
        at(turn)
    } else {
        0.0
    };
    at(0.0).max(at(years)).max(between)
}

fn prices(o: &PriceColumns<'_>, open: &[Search], mode: Mode, sharing: Sharing) -> Result<Vec<f64>> {
    let column =
        |from: &[f64]| -> Vec<f64> { open.iter().map(|search| from[search.index]).collect() };
    let mut values = vec![0.0; open.len()];
    price_grid(
        &OptionColumns {
            spot: &column(o.spot),
            strike: &column(o.strike),
            years: &column(o.years),
            rate: &column(o.rate),
            dividend_yield: &column(o.dividend_yield),
            vol: &open.iter().map(|search| search.vol).collect::<Vec<_>>(),
            right: &open
                .iter()
                .map(|search| o.right[search.index])
                .collect::<Vec<_>>(),
        },
        mode,
        sharing,
        Moves::Shared(&[0.0]),
        Moves::Shared(&[0.0]),
        0.0,
        1,
        &mut values,
    )?;
    Ok(values)
}

/// The next point, or the vol that is found.
fn advance(o: &PriceColumns<'_>, search: &Search, excess: f64) -> std::result::Result<Search, f64> {
    let Search {
        index: i,
        vol,
        mut low,
        mut high,
        before,
    } = *search;
    if excess == 0.0 {
        return Err(vol);
    }
    if excess > 0.0 {
        high = vol;
    } else {
        low = vol;
    }
    let slope = match before {
        Some((at, was)) => (excess - was) / (vol - at),
        None => {
            black_one(
                o.spot[i],
                o.strike[i],
                o.years[i],
                o.rate[i],
                o.dividend_yield[i],
                vol,
                o.right[i],
            )
            .vega
        }
    };
    let step = excess / slope;
    if step.abs() <= 1e-13 * vol {
        return Err(vol);
    }
    let next = vol - step;
    // Outside the bracket, or no number: halve it.
    let next = if next > low && next < high {
        next
    } else {
        0.5 * (low + high)
    };
    if next <= low || next >= high || high - low <= 1e-15 * high {
        return Err(vol);
    }
    Ok(Search {
        index: i,
        vol: next,
        low,
        high,
        before: Some((vol, excess)),
    })
}
