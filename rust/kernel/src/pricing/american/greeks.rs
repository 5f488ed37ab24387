//! Sensitivities of American prices, in the units of [`crate::pricing::greeks`].
//!
//! Central differences of the price, all of one method; they share boundaries: three vols with three spots each, and
//! two rates. The collocation's error is smooth in its inputs, so the differences keep its accuracy. Theta is that of
//! the pricing equation, `r V - (r - q) S delta - vol^2 S^2 gamma / 2`, and 0 where the option should be exercised now.

use super::grid::{Grid, table};
use super::{Mode, Sharing, rows};
use crate::error::Result;
use crate::fail;
use crate::pricing::greeks::{GreekColumns, Greeks, black_one};
use crate::pricing::{Moves, OptionColumns};
use crate::simd;

/// Spot step as a part of `vol sqrt(years)`, and its least value.
const SPOT_STEP: f64 = 0.01;
const LEAST_SPOT_STEP: f64 = 1e-5;
/// Vol step as a part of the vol.
const VOL_STEP: f64 = 5e-3;
const RATE_STEP: f64 = 1e-4;

/// Spots and vols of the nine prices, in steps.
const SPOTS: [f64; 9] = [0.0, -1.0, 1.0, 0.0, -1.0, 1.0, 0.0, -1.0, 1.0];
const VOLS: [f64; 9] = [0.0, 0.0, 0.0, -1.0, -1.0, -1.0, 1.0, 1.0, 1.0];

/// Price and sensitivities of American options. Options that are never exercised early have those of the European.
///
/// # Errors
/// As [`super::price`].
pub fn greeks(o: &OptionColumns<'_>, mode: Mode, out: GreekColumns<'_>) -> Result<()> {
    rows::check(o)?;
    let n = o.spot.len();
    let columns = [
        &out.price, &out.delta, &out.gamma, &out.vega, &out.theta, &out.rho, &out.vanna, &out.volga,
    ];
    if columns.iter().any(|column| column.len() != n) {
        fail!(
            InvalidInput: WrongShape;
            "american greeks: {n} rows and columns of another length to write"
        );
    }
    let spot_step: Vec<f64> = (0..n)
        .map(|i| {
            let step = SPOT_STEP * o.vol[i] * o.years[i].max(0.0).sqrt();
            if step > LEAST_SPOT_STEP {
                step.min(0.1)
            } else {
                LEAST_SPOT_STEP
            }
        })
        .collect();
    let price_moves: Vec<f64> = spot_step
        .iter()
        .flat_map(|step| SPOTS.map(|steps| steps * step))
        .collect();
    let vol_moves: Vec<f64> = o
        .vol
        .iter()
        .flat_map(|vol| VOLS.map(|steps| steps * VOL_STEP * vol))
        .collect();
    let mut values = vec![0.0; n * 9];
    difference(o, o.rate, mode, &price_moves, &vol_moves, &mut values)?;
    let at_rate = |step: f64| -> Result<Vec<f64>> {
        let rate: Vec<f64> = o.rate.iter().map(|rate| rate + step).collect();
        let mut values = vec![0.0; n];
        difference(o, &rate, mode, &vec![0.0; n], &vec![0.0; n], &mut values)?;
        Ok(values)
    };
    let (low_rate, high_rate) = (at_rate(-RATE_STEP)?, at_rate(RATE_STEP)?);
    for i in 0..n {
        let row = rows::Row::new(o, i);
        let greeks = if row.route(mode) == rows::Route::European {
            black_one(
                row.spot,
                row.strike,
                row.years,
                row.rate,
                row.dividend_yield,
                row.vol,
                row.right,
            )
        } else {
            let [
                v,
                v_down,
                v_up,
                low,
                low_down,
                low_up,
                high,
                high_down,
                high_up,
            ] = std::array::from_fn(|k| values[i * 9 + k]);
            let dx = spot_step[i] * row.spot;
            let dv = VOL_STEP * row.vol;
            let delta = (v_up - v_down) / (2.0 * dx);
            let moving = row.vol > 0.0;
            let per_vol = |x: f64| if moving { x } else { 0.0 };
            let gamma = per_vol((v_up - v + (v_down - v)) / (dx * dx));
            let carried = row.rate * v - (row.rate - row.dividend_yield) * row.spot * delta;
            let exercised = v <= f64::from(row.right) * (row.spot - row.strike);
            Greeks {
                price: v,
                delta,
                gamma,
                vega: per_vol((high - low) / (2.0 * dv)),
                theta: if exercised {
                    0.0
                } else {
                    carried - 0.5 * (row.vol * row.spot).powi(2) * gamma
                },
                rho: (high_rate[i] - low_rate[i]) / (2.0 * RATE_STEP),
                vanna: per_vol((high_up - high_down - (low_up - low_down)) / (4.0 * dx * dv)),
                volga: per_vol((high - v + (low - v)) / (dv * dv)),
            }
        };
        out.price[i] = greeks.price;
        out.delta[i] = greeks.delta;
        out.gamma[i] = greeks.gamma;
        out.vega[i] = greeks.vega;
        out.theta[i] = greeks.theta;
        out.rho[i] = greeks.rho;
        out.vanna[i] = greeks.vanna;
        out.volga[i] = greeks.volga;
    }
    Ok(())
}

/// Prices with a rate and moves of their own, by the methods of the unmoved rows.
fn difference(
    o: &OptionColumns<'_>,
    rate: &[f64],
    mode: Mode,
    price_moves: &[f64],
    vol_moves: &[f64],
    out: &mut [f64],
) -> Result<()> {
    let n = o.spot.len();
    if n == 0 {
        return Ok(());
    }
    let scenarios = out.len() / n;
    Grid {
        level: simd::level(),
        o: OptionColumns { rate, ..*o },
        methods_of: Some(*o),
        mode,
        sharing: Sharing::PerOption,
        price_moves: table("price", Moves::PerRow(price_moves), n, scenarios)?,
        vol_moves: table("vol", Moves::PerRow(vol_moves), n, scenarios)?,
        roll: 0.0,
        scenarios,
        out,
    }
    .run()
}
