//! Trees: Cox-Ross-Rubinstein, Leisen-Reimer and an extrapolated trinomial, American and European, with a continuous
//! yield and discrete cash dividends.
//!
//! Sources: Cox, Ross and Rubinstein, J. Financial Economics 7 (1979); Leisen and Reimer, Applied Mathematical
//! Finance 3 (1996), Peizer-Pratt inversion 2; Hull, Options, Futures, and Other Derivatives, ch. 21 (escrowed
//! dividends and the forward-centred tree).
//!
//! One induction serves both binomial schemes. A node of level `m` with `i` ups is worth `spot u^i d^(m-i)`; values are kept
//! divided by `d^m`, so that the node's price `spot (u/d)^i` does not change from level to level and only the
//! strike does. Eight trees run side by side, or one alone: the same operations in the same order, so the same bits.

use crate::error::Result;
use crate::fail;
use crate::interrupt;
use crate::simd;

mod dividends;
mod greeks;
mod implied;
mod induction;
mod inputs;
mod moves;
mod trinomial;

pub use greeks::greeks;
pub use implied::{implied_status, implied_vol};
pub use inputs::{DividendTreatment, Scheme, TreeInputs};
pub use trinomial::Curve;

use crate::float::larger;
use dividends::Schedule;
use induction::{Induction, Trees};

/// Steps of [`Scheme::Trinomial`] where an option has many price points and a thousandth is near enough.
pub const LATTICE_STEPS: usize = 120;

/// More steps than this is a mistake in units, not a wish for accuracy.
pub const MAX_STEPS: usize = 20_000;

/// The lattice spans `exp(±vol sqrt(years steps))`; beyond this exponent it leaves the range of numbers.
const MAX_HALF_WIDTH: f64 = 300.0;

/// The value of one option per unit.
///
/// # Errors
/// `InvalidInput` for values no option has, or when escrowed dividends are worth more than the spot.
pub fn price(
    inputs: &TreeInputs<'_>,
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<f64> {
    let mut out = [0.0];
    price_spots(
        inputs,
        &[inputs.spot],
        american,
        scheme,
        steps,
        treatment,
        &mut out,
    )?;
    Ok(out[0])
}

/// The value of one option at several spots (`inputs.spot` is not used): scenario prices with dividends unchanged.
///
/// # Errors
/// As [`price`].
pub fn price_spots(
    inputs: &TreeInputs<'_>,
    spots: &[f64],
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
    out: &mut [f64],
) -> Result<()> {
    let at = |i: usize| TreeInputs {
        spot: spots[i],
        ..*inputs
    };
    if scheme == Scheme::Trinomial {
        room(spots.len(), out)?;
        check_all(spots.len(), at, steps)?;
        interrupt::check()?;
        return trinomial::prices(inputs, spots, american, steps, treatment, out);
    }
    price_each(spots.len(), at, american, scheme, steps, treatment, out)
}

/// The values of many options, eight trees at a time; of lattices, those of neighbouring rows that differ in spot alone
/// are one option's points.
///
/// # Errors
/// As [`price`], naming the row.
pub fn price_many(
    inputs: &[TreeInputs<'_>],
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
    out: &mut [f64],
) -> Result<()> {
    if scheme == Scheme::Trinomial {
        room(inputs.len(), out)?;
        let mut done = 0;
        for options in inputs.chunk_by(TreeInputs::is_but_for_spot) {
            let to = done + options.len();
            let spots: Vec<f64> = options.iter().map(|o| o.spot).collect();
            let out = &mut out[done..to];
            price_spots(&options[0], &spots, american, scheme, steps, treatment, out)
                .map_err(|e| e.at(format_args!("rows {done} to {}", to - 1)))?;
            done = to;
        }
        return Ok(());
    }
    price_each(
        inputs.len(),
        |i| inputs[i],
        american,
        scheme,
        steps,
        treatment,
        out,
    )
}

/// American prices with delta and gamma, from the lattices of [`Scheme::Trinomial`], whose prices these are to the bit.
/// Exercised now: delta is +1 or -1, gamma 0.
///
/// # Errors
/// As [`price`], naming the row; `InvalidInput` for an option without time to expiry, which has no such curve.
pub fn curves(
    inputs: &[TreeInputs<'_>],
    steps: usize,
    treatment: DividendTreatment,
) -> Result<Vec<Curve>> {
    check_all(inputs.len(), |i| inputs[i], steps)?;
    let mut out = Vec::with_capacity(inputs.len());
    for (row, option) in inputs.iter().enumerate() {
        interrupt::check()?;
        if option.years <= 0.0 {
            fail!(InvalidInput: OutOfRange; "row {row}: tree: no time to expiry");
        }
        trinomial::curves(
            option,
            &[option.spot],
            true,
            steps,
            treatment,
            |_, curve| {
                out.push(curve);
            },
        )
        .map_err(|e| e.at(format_args!("row {row}")))?;
    }
    Ok(out)
}

fn room(count: usize, out: &[f64]) -> Result<()> {
    if out.len() != count {
        fail!(
            InvalidInput,
            "tree: {count} prices asked for and room for {}",
            out.len()
        );
    }
    Ok(())
}

/// Below this many trees a group of eight is not worth filling up with copies.
const FEWEST_SIDE_BY_SIDE: usize = 4;

fn price_each<'a>(
    count: usize,
    at: impl Fn(usize) -> TreeInputs<'a>,
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
    out: &mut [f64],
) -> Result<()> {
    room(count, out)?;
    let steps = if scheme == Scheme::LeisenReimer {
        steps | 1
    } else {
        steps
    };
    check_all(count, &at, steps)?;
    let mut wide = Trees::<8>::new();
    let mut single = Trees::<1>::new();
    let mut done = 0;
    while done < count {
        interrupt::check()?;
        if count - done >= FEWEST_SIDE_BY_SIDE {
            let n = (count - done).min(8);
            let lanes: [TreeInputs<'_>; 8] = std::array::from_fn(|l| at(done + l.min(n - 1)));
            let values = run(&mut wide, &lanes, american, scheme, steps, treatment)
                .map_err(|e| e.at(format_args!("rows {done} to {}", done + n - 1)))?;
            out[done..done + n].copy_from_slice(&values[..n]);
            done += n;
        } else {
            let values = run(&mut single, &[at(done)], american, scheme, steps, treatment)
                .map_err(|e| e.at(format_args!("row {done}")))?;
            out[done] = values[0];
            done += 1;
        }
    }
    Ok(())
}

fn check_all<'a>(count: usize, at: impl Fn(usize) -> TreeInputs<'a>, steps: usize) -> Result<()> {
    if steps == 0 || steps > MAX_STEPS {
        fail!(InvalidInput, "tree: {steps} steps: give 1 to {MAX_STEPS}");
    }
    for i in 0..count {
        check(&at(i), steps).map_err(|e| e.at(format_args!("row {i}")))?;
    }
    Ok(())
}

fn check(inputs: &TreeInputs<'_>, steps: usize) -> Result<()> {
    let TreeInputs {
        spot,
        strike,
        years,
        rate,
        dividend_yield,
        vol,
        right,
        dividends,
    } = *inputs;
    if !(spot > 0.0 && spot.is_finite() && strike > 0.0 && strike.is_finite()) {
        fail!(
            InvalidInput: OutOfRange;
            "tree: spot {spot} and strike {strike} must be positive numbers"
        );
    }
    if !(years.is_finite() && rate.is_finite() && dividend_yield.is_finite()) {
        fail!(
            InvalidInput,
            "tree: years {years}, rate {rate} and dividend yield {dividend_yield} must be finite"
        );
    }
    if !(vol >= 0.0 && vol.is_finite()) {
        fail!(
            InvalidInput: OutOfRange;
            "tree: vol {vol} must be a number not below zero"
        );
    }
    if right != 1 && right != -1 {
        fail!(
            InvalidInput,
            "tree: right {right} must be +1 (call) or -1 (put)"
        );
    }
    if years > 0.0 {
        let width = vol * (years * steps as f64).sqrt() + ((rate - dividend_yield) * years).abs();
        if width > MAX_HALF_WIDTH || (rate * years).abs() > MAX_HALF_WIDTH {
            fail!(
                InvalidInput,
                "tree: vol {vol}, rate {rate}, yield {dividend_yield} over {years} years in {steps} steps leave the \
                 range of numbers: check the units, or take fewer steps"
            );
        }
    }
    let mut before = f64::NEG_INFINITY;
    for &(when, cash) in dividends {
        if !(when.is_finite() && cash >= 0.0 && cash.is_finite()) {
            fail!(
                InvalidInput: OutOfRange;
                "tree: dividend of {cash} in {when} years must be finite and not negative"
            );
        }
        if when < before {
            fail!(
                InvalidInput: BadTime;
                "tree: dividends must be in order of date; {when} years follows {before}"
            );
        }
        before = when;
    }
    Ok(())
}

fn run<const L: usize>(
    trees: &mut Trees<L>,
    inputs: &[TreeInputs<'_>; L],
    american: bool,
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<[f64; L]> {
    let mut live = *inputs;
    let mut schedules: [Option<Schedule>; L] = [const { None }; L];
    let mut leads = [0; L];
    for (lane, option) in live.iter_mut().enumerate() {
        option.years = larger(option.years, 0.0);
        if !option.dividends.is_empty() {
            let schedule = Schedule::new(option, treatment, steps)?;
            leads[lane] = schedule.lead(option);
            schedules[lane] = Some(schedule);
        }
    }
    let mut values = [0.0; L];
    let mut done = [false; L];
    // Once, but where the trees begin at different levels: one's bits depend on no other.
    while let Some(first) = done.iter().position(|done| !done) {
        let lead = leads[first];
        trees.clear(steps, lead);
        let mut diffusing = [0.0; L];
        for (lane, option) in live.iter().enumerate() {
            diffusing[lane] = option.spot;
            if let Some(schedule) = &schedules[lane] {
                diffusing[lane] = schedule.diffusing;
                if leads[lane] == lead {
                    trees.add_dividends(lane, option, schedule, american);
                }
            }
        }
        let made = if american {
            simd::run(Induction::<L, true> {
                trees,
                inputs: &live,
                diffusing,
                scheme,
            })
        } else {
            simd::run(Induction::<L, false> {
                trees,
                inputs: &live,
                diffusing,
                scheme,
            })
        };
        for lane in 0..L {
            if leads[lane] == lead {
                (values[lane], done[lane]) = (made[lane], true);
            }
        }
    }
    Ok(values)
}

#[cfg(test)]
mod tests;
