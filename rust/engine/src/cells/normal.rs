//! European options on a forward of any sign by Bachelier's formula.

use super::{Block, OptionCells, RiskBlock};
use kernel::error::Result;
use kernel::parallel;
use kernel::pricing::bachelier;
use kernel::pricing::greeks::Greeks;
use kernel::pricing::math::{exp, normal_cdf, normal_pdf};

/// Rows a thread takes at a time.
const SLICE: usize = 256;

pub(super) fn price(block: &Block, result: &mut RiskBlock, threads: usize) -> Result<()> {
    let count = result.scenarios;
    let first = result.pnl.len();
    let still = vec![0.0; block.european.len()];
    let mut base = still.clone();
    for (row, base) in base.iter_mut().enumerate() {
        values(
            block,
            row,
            &[0.0],
            &still[row..=row],
            0.0,
            std::slice::from_mut(base),
        );
    }
    result.pnl.resize(first + base.len() * count, 0.0);
    parallel::slices(
        &mut result.pnl[first..],
        count,
        threads,
        SLICE,
        |start, out| {
            for (row, out) in (start..).zip(out.chunks_mut(count)) {
                let scenarios = &block.scenarios;
                let vol: Vec<f64> = (0..count)
                    .map(|s| scenarios.vol.at(row, s, count))
                    .collect();
                values(block, row, &scenarios.price, &vol, scenarios.roll, out);
                for value in out {
                    *value = (*value - base[row]) * block.european.scale[row];
                }
            }
            Ok(())
        },
    )?;
    for (row, base) in base.into_iter().enumerate() {
        result.contract.push(block.european.contract[row]);
        result.value.push(base * block.european.scale[row]);
    }
    Ok(())
}

/// Prices of one row per unit of the underlying, under moves of its forward and volatility after a time.
fn values(block: &Block, row: usize, moves: &[f64], vol_moves: &[f64], roll: f64, out: &mut [f64]) {
    let ([forward, strike, years, rate, _, vol, _], right, _) = block.european.row(row);
    let left = if years > roll { years - roll } else { 0.0 };
    let n = moves.len();
    let forward: Vec<f64> = moves.iter().map(|m| forward + m).collect();
    let vol: Vec<f64> = vol_moves.iter().map(|m| vol + m).collect();
    bachelier::price(
        &forward,
        &vec![strike; n],
        &vec![left; n],
        &vol,
        &vec![right; n],
        &vec![exp(-rate * left); n],
        out,
    );
}

/// Sensitivities of one option per unit of its forward; vega, vanna and volga per unit of the normal volatility. At
/// zero time or volatility they are those of the intrinsic value.
pub(super) fn greeks(options: &OptionCells, row: usize) -> Greeks {
    let ([forward, strike, years, rate, _, vol, _], right, _) = options.row(row);
    let (sign, root, discount) = (f64::from(right), years.sqrt(), exp(-rate * years));
    let price = bachelier::price_one(forward, strike, years, vol, right, discount);
    let deviation = vol * root;
    if deviation <= 0.0 {
        let gap = sign * (forward - strike);
        let exercised = if gap > 0.0 { 1.0 } else { 0.0 };
        return Greeks {
            price,
            delta: sign * discount * exercised,
            theta: rate * price,
            ..Greeks::default()
        };
    }
    let d = (forward - strike) / deviation;
    let density = discount * normal_pdf(d);
    Greeks {
        price,
        delta: sign * discount * normal_cdf(sign * d),
        gamma: density / deviation,
        vega: density * root,
        theta: rate * price - 0.5 * density * vol / root,
        rho: -years * price,
        vanna: -density * d / vol,
        volga: density * root * d * d / vol,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greeks_are_the_price_s_differences() {
        let option = |forward: f64, years: f64, vol: f64, right: i8| OptionCells {
            contract: vec![0],
            spot: vec![forward],
            strike: vec![5.0],
            years: vec![years],
            rate: vec![0.04],
            dividend_yield: vec![0.04],
            vol: vec![vol],
            right: vec![right],
            scale: vec![1.0],
            base: vec![None],
        };
        let (h, years, vol) = (1e-4, 0.3, 12.0);
        for (forward, right) in [(-3.0, 1), (7.0, -1), (5.0, 1)] {
            let at = |f: f64, t: f64, v: f64| greeks(&option(f, t, v, right), 0);
            let own = at(forward, years, vol);
            let slope = |up: f64, down: f64| (up - down) / (2.0 * h);
            for (name, exact, difference) in [
                (
                    "delta",
                    own.delta,
                    slope(
                        at(forward + h, years, vol).price,
                        at(forward - h, years, vol).price,
                    ),
                ),
                (
                    "gamma",
                    own.gamma,
                    slope(
                        at(forward + h, years, vol).delta,
                        at(forward - h, years, vol).delta,
                    ),
                ),
                (
                    "vega",
                    own.vega,
                    slope(
                        at(forward, years, vol + h).price,
                        at(forward, years, vol - h).price,
                    ),
                ),
                (
                    "theta",
                    -own.theta,
                    slope(
                        at(forward, years + h, vol).price,
                        at(forward, years - h, vol).price,
                    ),
                ),
                (
                    "vanna",
                    own.vanna,
                    slope(
                        at(forward, years, vol + h).delta,
                        at(forward, years, vol - h).delta,
                    ),
                ),
                (
                    "volga",
                    own.volga,
                    slope(
                        at(forward, years, vol + h).vega,
                        at(forward, years, vol - h).vega,
                    ),
                ),
            ] {
                assert!(
                    (exact - difference).abs() < 1e-5,
                    "{name} {exact} {difference}"
                );
            }
        }
        let dead = greeks(&option(7.0, 0.0, 12.0, 1), 0);
        assert_eq!((dead.price, dead.delta, dead.gamma), (2.0, 1.0, 0.0));
    }
}
