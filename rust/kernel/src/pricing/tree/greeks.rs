//! Sensitivities of American options with cash dividends, by the scheme that prices them; units as in
//! [`crate::pricing::greeks`].
//!
//! Theta is that of the pricing equation between ex-dates: what diffuses, and the escrowed value growing at the rate. Where
//! exercise is due now it is 0.

use super::{DividendTreatment, Scheme, TreeInputs, curves, price_many};
use crate::error::{MarginError, Result};
use crate::float::larger;
use crate::interrupt;
use crate::pricing::escrowed;
use crate::pricing::greeks::Greeks;
use crate::pricing::math::exp;

/// Of the rate, either way.
const RATE_STEP: f64 = 1e-3;

/// Of the vol, either way, where the lattice prices: by less, the lattice's own error shows in volga; by more, the
/// curvature in vega. A binomial tree's error is larger.
const LATTICE_VOL_STEP: f64 = 0.06;
const TREE_VOL_STEP: f64 = 0.08;

/// The least a vol is moved by, either way: a vol of zero moves up only.
const LEAST_VOL_STEP: f64 = 1e-4;

/// Options whose trees are made together.
const TOGETHER: usize = 32;

/// Price, which has the bits of [`super::price_many`], and sensitivities.
///
/// # Errors
/// As [`super::price`], naming the row.
pub fn greeks(
    inputs: &[TreeInputs<'_>],
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<Vec<Greeks>> {
    let mut out = Vec::with_capacity(inputs.len());
    for (i, rows) in inputs.chunks(TOGETHER).enumerate() {
        interrupt::check()?;
        let place = |e: MarginError| e.at(format_args!("options from {}", i * TOGETHER));
        let lattice = scheme == Scheme::Trinomial && rows.iter().all(|o| o.years > 0.0);
        let found = if lattice {
            from_lattices(rows, steps, treatment).map_err(place)?
        } else {
            from_trees(rows, scheme, steps, treatment).map_err(place)?
        };
        for (option, greeks) in rows.iter().zip(found) {
            out.push(with_theta(option, greeks, treatment)?);
        }
    }
    Ok(out)
}

/// What diffuses, and the escrowed value.
fn split(option: &TreeInputs<'_>, treatment: DividendTreatment) -> Result<(f64, f64)> {
    match treatment {
        DividendTreatment::Escrowed => {
            let TreeInputs {
                spot,
                years,
                rate,
                dividend_yield,
                dividends,
                ..
            } = *option;
            let carry = rate - dividend_yield;
            let diffusing = escrowed::diffusing(spot, dividends, years, carry)?;
            Ok((diffusing, escrowed::present_value(dividends, years, carry)))
        }
        DividendTreatment::SpotDrop => Ok((option.spot, 0.0)),
    }
}

fn with_theta(
    option: &TreeInputs<'_>,
    greeks: Greeks,
    treatment: DividendTreatment,
) -> Result<Greeks> {
    let (diffusing, worth) = split(option, treatment)?;
    let Greeks {
        price,
        delta,
        gamma,
        ..
    } = greeks;
    // To the rounding of the trees.
    let exercised = price
        <= f64::from(option.right) * (option.spot - option.strike)
            + 1e-13 * (option.spot + option.strike);
    let carried =
        option.rate * price - (option.rate - option.dividend_yield) * (diffusing + worth) * delta;
    let theta = if exercised || option.years <= 0.0 {
        0.0
    } else {
        carried - 0.5 * (option.vol * diffusing).powi(2) * gamma
    };
    Ok(Greeks { theta, ..greeks })
}

/// How far a vol is moved up and down.
fn vol_steps(vol: f64, fraction: f64) -> (f64, f64) {
    let up = larger(fraction * vol, LEAST_VOL_STEP);
    (up, if vol > up { up } else { 0.0 })
}

fn with_vol<'a>(option: &TreeInputs<'a>, step: f64) -> TreeInputs<'a> {
    TreeInputs {
        vol: option.vol + step,
        ..*option
    }
}

fn with_rate<'a>(option: &TreeInputs<'a>, step: f64) -> TreeInputs<'a> {
    TreeInputs {
        rate: option.rate + step,
        ..*option
    }
}

/// The second difference over unequal steps; zero where there is one side only.
fn second_difference(low: f64, middle: f64, high: f64, down: f64, up: f64) -> f64 {
    if down == up {
        (high - 2.0 * middle + low) / (up * up)
    } else {
        0.0
    }
}

/// Delta and gamma from the nodes of the trinomial lattices, the rest with vols and rates moved.
fn from_lattices(
    rows: &[TreeInputs<'_>],
    steps: usize,
    treatment: DividendTreatment,
) -> Result<Vec<Greeks>> {
    let moved: Vec<TreeInputs<'_>> = rows
        .iter()
        .flat_map(|option| {
            let (up, down) = vol_steps(option.vol, LATTICE_VOL_STEP);
            [
                *option,
                with_vol(option, up),
                with_vol(option, -down),
                with_rate(option, RATE_STEP),
                with_rate(option, -RATE_STEP),
            ]
        })
        .collect();
    let curves = curves(&moved, steps, treatment)?;
    Ok(rows
        .iter()
        .zip(curves.chunks_exact(5))
        .map(|(option, curves)| {
            let [own, more, less, dear, cheap] = curves else {
                unreachable!("chunks of five")
            };
            let (up, down) = vol_steps(option.vol, LATTICE_VOL_STEP);
            Greeks {
                price: own.price,
                delta: own.delta,
                gamma: own.gamma,
                vega: (more.price - less.price) / (up + down),
                theta: 0.0,
                rho: (dear.price - cheap.price) / (2.0 * RATE_STEP),
                vanna: (more.delta - less.delta) / (up + down),
                volga: second_difference(less.price, own.price, more.price, down, up),
            }
        })
        .collect())
}

/// Spots two nodes of the tree up and down, so that its nodes, and their error, stay where they are.
fn node_steps(option: &TreeInputs<'_>, diffusing: f64, steps: usize) -> (f64, f64) {
    let node = exp(2.0 * option.vol * (larger(option.years, 0.0) / steps as f64).sqrt());
    if node > 1.0 + 1e-6 {
        (diffusing * (node - 1.0), diffusing * (1.0 - 1.0 / node))
    } else {
        (1e-4 * diffusing, 1e-4 * diffusing)
    }
}

/// The price of the tree of `steps` steps, and all but theta from it and one of one more step, averaged.
fn from_trees(
    rows: &[TreeInputs<'_>],
    scheme: Scheme,
    steps: usize,
    treatment: DividendTreatment,
) -> Result<Vec<Greeks>> {
    let prices = |options: &[TreeInputs<'_>], steps: usize| -> Result<Vec<f64>> {
        let mut out = vec![0.0; options.len()];
        price_many(options, true, scheme, steps, treatment, &mut out)?;
        Ok(out)
    };
    let moves = rows
        .iter()
        .map(|option| {
            let (diffusing, _) = split(option, treatment)?;
            Ok(node_steps(option, diffusing, steps))
        })
        .collect::<Result<Vec<_>>>()?;
    let moved: Vec<TreeInputs<'_>> = rows
        .iter()
        .zip(&moves)
        .flat_map(|(option, &(above, below))| {
            let (more, less) = vol_steps(option.vol, TREE_VOL_STEP);
            let up = TreeInputs {
                spot: option.spot + above,
                ..*option
            };
            let down = TreeInputs {
                spot: option.spot - below,
                ..*option
            };
            [
                *option,
                up,
                down,
                with_vol(option, more),
                with_vol(option, -less),
                with_vol(&up, more),
                with_vol(&down, more),
                with_vol(&up, -less),
                with_vol(&down, -less),
                with_rate(option, RATE_STEP),
                with_rate(option, -RATE_STEP),
            ]
        })
        .collect();
    let (even, odd) = (prices(&moved, steps)?, prices(&moved, steps + 1)?);
    let values: Vec<f64> = even.iter().zip(&odd).map(|(a, b)| 0.5 * (a + b)).collect();
    Ok(rows
        .iter()
        .zip(&moves)
        .zip(values.chunks_exact(11).zip(even.chunks_exact(11)))
        .map(|((option, &(above, below)), (values, own))| {
            let &[
                middle,
                up,
                down,
                high,
                low,
                high_up,
                high_down,
                low_up,
                low_down,
                dear,
                cheap,
            ] = values
            else {
                unreachable!("chunks of eleven")
            };
            let (more, less) = vol_steps(option.vol, TREE_VOL_STEP);
            let (first, second) = ((up - middle) / above, (middle - down) / below);
            let slope = |low: f64, high: f64| (high - low) / (above + below);
            Greeks {
                price: own[0],
                delta: (below * first + above * second) / (above + below),
                gamma: 2.0 * (first - second) / (above + below),
                vega: (high - low) / (more + less),
                theta: 0.0,
                rho: (dear - cheap) / (2.0 * RATE_STEP),
                vanna: (slope(high_down, high_up) - slope(low_down, low_up)) / (more + less),
                volga: second_difference(low, middle, high, less, more),
            }
        })
        .collect())
}
