//! Arrays and deltas of many contracts: American options by collocation together, each other one by its model.

use crate::generate::{ArrayInputs, UNDERLYING_FLOOR};
use crate::model::{DeltaPoint, ScanPoint};
use kernel::error::Result;
use kernel::float::larger;
use kernel::interrupt;
use kernel::pricing::american::{self, Mode, Sharing};
use kernel::pricing::{Moves, OptionColumns};

/// Options priced together.
const TOGETHER: usize = 1024;
/// The least share of its price an underlying falls to, so that it stays a number above zero.
const LEAST: f64 = 1e-12;
/// The half-width of the difference that a delta is, in parts of the underlying: that of the other American models.
const STEP: f64 = 1e-3;

/// What is made for one contract, per unit: the value today, losses by scan point, the composite delta.
#[derive(Debug, Clone, Default)]
pub(super) struct Made {
    pub(super) value: f64,
    pub(super) array: Vec<f64>,
    pub(super) delta: f64,
}

/// Makes every contract's array; `collocated` says which are American options to be priced by collocation. A contract's
/// numbers do not depend on what it is made with. Errors name the contract by its place.
pub(super) fn make(
    inputs: &[ArrayInputs],
    collocated: impl Fn(usize) -> bool,
    points: &[ScanPoint],
    deltas: &[DeltaPoint],
    at: impl Fn(usize) -> String,
) -> Result<Vec<Made>> {
    let mut made = vec![Made::default(); inputs.len()];
    let mut together = Vec::new();
    for (i, own) in inputs.iter().enumerate() {
        if i.is_multiple_of(256) {
            interrupt::check()?;
        }
        if collocated(i) {
            own.check().map_err(|e| e.at(at(i)))?;
            together.push(i);
        } else {
            made[i] = single(own, points, deltas).map_err(|e| e.at(at(i)))?;
        }
    }
    // The strikes of an expiry share boundaries, and those without a yield share them across underlyings.
    together.sort_by_key(|&i| {
        (
            inputs[i].years.to_bits(),
            inputs[i].dividend_yield != 0.0,
            i,
        )
    });
    for rows in together.chunks(TOGETHER) {
        let own: Vec<&ArrayInputs> = rows.iter().map(|&i| &inputs[i]).collect();
        for (&i, new) in rows.iter().zip(collocate(&own, points, deltas)?) {
            made[i] = new;
        }
    }
    Ok(made)
}

fn single(inputs: &ArrayInputs, points: &[ScanPoint], deltas: &[DeltaPoint]) -> Result<Made> {
    Ok(Made {
        value: inputs.theoretical()?,
        array: inputs.array(points)?,
        delta: inputs.composite_delta(deltas)?,
    })
}

/// American options with one look-ahead: a table of prices, a column for each scan point and two for each delta's.
fn collocate(
    inputs: &[&ArrayInputs],
    points: &[ScanPoint],
    deltas: &[DeltaPoint],
) -> Result<Vec<Made>> {
    let Some(lookahead) = inputs.first().map(|i| i.lookahead) else {
        return Ok(Vec::new());
    };
    let column =
        |of: fn(&ArrayInputs) -> f64| -> Vec<f64> { inputs.iter().map(|i| of(i)).collect() };
    let (spot, strike, years) = (
        column(|i| i.underlying),
        column(|i| i.strike),
        column(|i| i.years),
    );
    let (rate, dividend_yield, vol) = (
        column(|i| i.rate),
        column(|i| i.dividend_yield),
        column(|i| i.vol),
    );
    let right: Vec<i8> = inputs.iter().map(|i| i.right).collect();
    let options = OptionColumns {
        spot: &spot,
        strike: &strike,
        years: &years,
        rate: &rate,
        dividend_yield: &dividend_yield,
        vol: &vol,
        right: &right,
    };
    let width = points.len() + 2 * deltas.len();
    let (mut price_moves, mut vol_moves) = (
        Vec::with_capacity(inputs.len() * width),
        Vec::with_capacity(inputs.len() * width),
    );
    for own in inputs {
        let fraction = |moved: f64| {
            let share = larger(moved, UNDERLYING_FLOOR) / own.underlying;
            larger(share, LEAST) - 1.0
        };
        for p in points {
            price_moves.push(fraction(own.underlying + own.price_move(p.price)));
            vol_moves.push(if p.vol == 0.0 {
                0.0
            } else {
                own.moved_vol(p.vol) - own.vol
            });
        }
        for p in deltas {
            let (at, h) = around(own, p);
            price_moves.extend([fraction(at + h), fraction(at - h)]);
            vol_moves.extend([0.0, 0.0]);
        }
    }
    let price = |moves: (&[f64], &[f64]), roll: f64, width: usize| {
        let mut out = vec![0.0; inputs.len() * width];
        american::price_grid(
            &options,
            Mode::Standard,
            Sharing::PerExpiry,
            Moves::PerRow(moves.0),
            Moves::PerRow(moves.1),
            roll,
            width,
            &mut out,
        )
        .map(|()| out)
    };
    let still = vec![0.0; inputs.len()];
    let today = price((&still, &still), 0.0, 1)?;
    let moved = price((&price_moves, &vol_moves), lookahead, width)?;
    let rows = inputs.iter().zip(&today).zip(moved.chunks_exact(width));
    rows.map(|((own, &value), moved)| {
        let (scanned, sides) = moved.split_at(points.len());
        let array = points.iter().zip(scanned);
        Ok(Made {
            value,
            array: array
                .map(|(p, moved)| p.weight * (value - moved) + 0.0)
                .collect(),
            delta: if own.years - own.lookahead > 0.0 && own.vol > 0.0 {
                let sides = deltas.iter().zip(sides.as_chunks::<2>().0);
                sides.fold(0.0, |sum, (p, [up, down])| {
                    sum + p.weight * ((up - down) / (2.0 * around(own, p).1))
                })
            } else {
                // Of what is exercised or not: no model is asked.
                own.composite_delta(deltas)?
            },
        })
    })
    .collect()
}

/// Where a delta is taken, and the half-width of its difference.
fn around(own: &ArrayInputs, p: &DeltaPoint) -> (f64, f64) {
    let at = own.underlying + own.price_move(p.price);
    let spot = larger(at, UNDERLYING_FLOOR);
    (at, STEP * larger(spot, own.price_scan))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::Model;
    use crate::model::{standard_delta_points, standard_points};

    fn option(i: usize) -> ArrayInputs {
        let right = if i.is_multiple_of(2) { 1 } else { -1 };
        ArrayInputs {
            model: Some(Model::Merton),
            underlying: 100.0,
            strike: 70.0 + 7.0 * (i % 9) as f64,
            years: [0.02, 0.3, 1.1][i % 3],
            rate: 0.05,
            dividend_yield: if i.is_multiple_of(5) { 0.0 } else { 0.04 },
            vol: 0.2 + 0.03 * (i % 7) as f64,
            right,
            price_scan: 10.0,
            price_scan_down: None,
            vol_scan: 0.25,
            vol_scan_down: None,
            vol_scan_percent: true,
            lookahead: 1.0 / 365.0,
            spot_carry: false,
            steps: 800,
        }
    }

    fn made(inputs: &[ArrayInputs]) -> Vec<Made> {
        let (points, deltas) = (standard_points(3.0, 0.33), standard_delta_points());
        make(inputs, |_| true, &points, &deltas, |i| i.to_string()).unwrap()
    }

    #[test]
    fn arrays_are_those_of_fine_trees() {
        let inputs: Vec<ArrayInputs> = (0..18).map(option).collect();
        let (points, deltas) = (standard_points(3.0, 0.33), standard_delta_points());
        for (own, made) in inputs.iter().zip(made(&inputs)) {
            let tree = ArrayInputs {
                model: Some(Model::TreeAmerican),
                ..own.clone()
            };
            let close = |a: f64, b: f64| assert!((a - b).abs() < 0.02, "{own:?}: {a} {b}");
            close(made.value, tree.theoretical().unwrap());
            for (&a, b) in made.array.iter().zip(tree.array(&points).unwrap()) {
                close(a, b);
            }
            close(made.delta, tree.composite_delta(&deltas).unwrap());
        }
    }

    #[test]
    fn a_contract_alone_has_the_bits_it_has_among_others() {
        let inputs: Vec<ArrayInputs> = (0..1500).map(option).collect();
        for (i, own) in made(&inputs).iter().enumerate().step_by(97) {
            let alone = &made(&inputs[i..=i])[0];
            let bits = |m: &Made| {
                let numbers = m.array.iter().chain([&m.value, &m.delta]);
                numbers.map(|v| v.to_bits()).collect::<Vec<_>>()
            };
            assert_eq!(bits(own), bits(alone), "{i}");
        }
    }

    #[test]
    fn an_option_without_vol_or_time_has_the_delta_of_its_exercise() {
        let mut inputs: Vec<ArrayInputs> = (0..4).map(option).collect();
        (inputs[0].vol, inputs[0].strike) = (0.0, 50.0);
        (inputs[1].years, inputs[1].strike) = (0.0, 150.0);
        // The underlying falls to nothing.
        inputs[2].price_scan = 60.0;
        let made = made(&inputs);
        assert!((made[0].delta - 1.0).abs() < 1e-12 && (made[1].delta + 1.0).abs() < 1e-12);
        assert!((made[2].array[15] - 0.33 * made[2].value).abs() < 1e-9);
    }
}
