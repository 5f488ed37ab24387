//! Cash dividends on a lattice.

use super::{DividendTreatment, TreeInputs};
use crate::error::Result;
use crate::fail;
use crate::float::larger;
use crate::pricing::math::{exp, ln};

/// Deviations by which the spot may have fallen at an ex-date, as far as that matters.
const LIKELY: f64 = 5.0;
/// Deviations over the life of the option below which a value hardly matters.
const FARTHEST: f64 = 8.0;
/// Nodes beyond the last that is needed: an interpolation takes two, and the outermost are the roughest.
const EDGE: f64 = 4.0;

/// The dividends of one option, laid over the levels of its tree.
pub(super) struct Schedule {
    /// The price that diffuses: the spot, less the present value of the dividends when they are escrowed.
    pub(super) diffusing: f64,
    /// (years, present value) of those between now and expiry, escrowed.
    escrowed: Vec<(f64, f64)>,
    /// (level, cash) of the drops, ascending.
    pub(super) drops: Vec<(usize, f64)>,
    pub(super) dt: f64,
    steps: usize,
    /// What a present value grows by in one step.
    growth: f64,
}

impl Schedule {
    pub(super) fn new(
        inputs: &TreeInputs<'_>,
        treatment: DividendTreatment,
        steps: usize,
    ) -> Result<Self> {
        let dt = inputs.years / steps as f64;
        let carry = inputs.rate - inputs.dividend_yield;
        let mut schedule = Self {
            diffusing: inputs.spot,
            escrowed: Vec::new(),
            drops: Vec::new(),
            dt,
            steps,
            growth: exp(carry * dt),
        };
        let before_expiry = inputs
            .dividends
            .iter()
            .copied()
            .filter(|&(when, cash)| when > 0.0 && when <= inputs.years && cash > 0.0);
        match treatment {
            DividendTreatment::Escrowed => {
                schedule.escrowed = before_expiry
                    .map(|(when, cash)| (when, cash * exp(-carry * when)))
                    .collect();
                let escrowed = total(&schedule.escrowed);
                schedule.diffusing -= escrowed;
                if schedule.diffusing <= 0.0 {
                    fail!(
                        InvalidInput,
                        "tree: the dividends before expiry are worth {escrowed}, the spot {}: nothing is left to \
                         diffuse; use the spot-drop treatment",
                        inputs.spot
                    );
                }
            }
            DividendTreatment::SpotDrop => {
                schedule.drops = before_expiry
                    .map(|(when, cash)| (((when / dt).ceil() as usize).clamp(1, steps), cash))
                    .collect();
            }
        }
        Ok(schedule)
    }

    /// Levels that the tree has to begin before now for the nodes of the ex-dates to have others where the spot drops to:
    /// near now there are few. In sixteens, as trees of equally many run side by side.
    pub(super) fn lead(&self, inputs: &TreeInputs<'_>) -> usize {
        let TreeInputs {
            spot, years, vol, ..
        } = *inputs;
        // Between two nodes of a level lie two moves.
        let spacing = 2.0 * vol * self.dt.sqrt();
        if self.drops.is_empty() || spacing <= 0.0 {
            return 0;
        }
        let least = exp(-FARTHEST * vol * years.sqrt());
        let (mut dropped, mut short) = (0.0, 0.0);
        for &(level, cash) in &self.drops {
            dropped += cash;
            let before = exp(-LIKELY * vol * (level as f64 * self.dt).sqrt());
            let after = larger(before - dropped / spot, least);
            // The level has half as many nodes below its middle as it has levels before it.
            short = larger(short, -ln(after) / spacing - 0.5 * level as f64);
        }
        let nodes = (short + EDGE).ceil() as usize;
        (2 * nodes).next_multiple_of(16)
    }

    pub(super) fn has_escrowed(&self) -> bool {
        !self.escrowed.is_empty()
    }

    /// Level by level, the value of the escrowed dividends still to come. One that goes ex at that very time is still
    /// to come, except at expiry: the payoff is on the price without it.
    pub(super) fn remaining(&self) -> impl Iterator<Item = f64> {
        let mut ahead = self.escrowed.as_slice();
        let mut present = total(ahead);
        let mut grown = 1.0;
        (0..=self.steps).map(move |level| {
            let now = level as f64 * self.dt;
            while let [(when, _), rest @ ..] = ahead
                && *when < now
            {
                ahead = rest;
                present = total(ahead);
            }
            let value = if level < self.steps {
                present * grown
            } else {
                0.0
            };
            grown *= self.growth;
            value
        })
    }
}

fn total(dividends: &[(f64, f64)]) -> f64 {
    let mut sum = 0.0;
    for (_, present) in dividends {
        sum += present;
    }
    sum
}

/// Values just before a drop: `value_before(x) = value_after(x - cash)`, with `nodes` ascending and `worthless` the
/// value where the spot is zero.
pub(super) fn drop_values(
    nodes: &[f64],
    after: &[f64],
    cash: f64,
    worthless: f64,
    before: &mut [f64],
) {
    let mut j = 0;
    for (i, target) in before.iter_mut().enumerate() {
        let x = nodes[i] - cash;
        while j + 1 < nodes.len() && nodes[j + 1] <= x {
            j += 1;
        }
        *target = if x <= 0.0 {
            worthless
        } else if x < nodes[0] {
            worthless + (after[0] - worthless) * (x / nodes[0])
        } else {
            between(nodes, after, j, x)
        };
    }
}

/// The cubic through the four nodes around `x`, where there are four, kept within the two next to it.
fn between(nodes: &[f64], values: &[f64], j: usize, x: f64) -> f64 {
    if j + 1 == nodes.len() {
        return values[j];
    }
    let (low, high) = (values[j], values[j + 1]);
    let straight = low + (high - low) * ((x - nodes[j]) / (nodes[j + 1] - nodes[j]));
    if j == 0 || j + 2 >= nodes.len() {
        return straight;
    }
    let mut cubic = 0.0;
    for a in j - 1..=j + 2 {
        let mut weight = values[a];
        for b in j - 1..=j + 2 {
            if a != b {
                weight *= (x - nodes[b]) / (nodes[a] - nodes[b]);
            }
        }
        cubic += weight;
    }
    let (least, most) = if low < high { (low, high) } else { (high, low) };
    if cubic < least {
        least
    } else if cubic > most {
        most
    } else {
        cubic
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DividendTreatment, Scheme, TreeInputs, price, price_spots};
    use crate::pricing::black;

    /// A call with one dividend, at rates that make exercise pay at the ex-date or the end only (Roll, J. Financial
    /// Economics 5, 1977): one integral over the spot just before the ex-date.
    fn one_integral(o: &TreeInputs<'_>) -> f64 {
        let (when, cash) = o.dividends[0];
        let deviation = o.vol * when.sqrt();
        let (points, width) = (20_000, 9.0);
        let step = 2.0 * width / f64::from(points);
        let mut sum = 0.0;
        for i in 0..=points {
            let z = -width + step * f64::from(i);
            let growth = (o.rate - 0.5 * o.vol * o.vol) * when + deviation * z;
            let before = o.spot * growth.exp();
            let held = if before > cash {
                let left = o.years - when;
                black::price_one(before - cash, o.strike, left, o.rate, 0.0, o.vol, 1)
            } else {
                0.0
            };
            sum += held.max(before - o.strike) * (-0.5 * z * z).exp();
        }
        (-o.rate * when).exp() * sum * step / (2.0 * std::f64::consts::PI).sqrt()
    }

    #[test]
    fn a_drop_within_the_first_levels_is_a_drop() {
        let mut largest: f64 = 0.0;
        for days in [0.04, 1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 90.0, 170.0] {
            for (cash, vol, rate, years) in [
                (7.0, 0.3, 0.06, 1.0),
                (1.0, 0.15, 0.05, 2.0),
                (3.0, 0.2, 0.05, 0.5),
                (20.0, 0.5, 0.01, 0.75),
                (12.0, 0.15, 0.03, 1.0),
                (0.3, 0.6, 0.0, 0.5),
            ] {
                for strike in [70.0, 100.0, 115.0] {
                    let dividends = [(days / 365.0, cash)];
                    let o = TreeInputs {
                        spot: 100.0,
                        strike,
                        years,
                        rate,
                        dividend_yield: 0.0,
                        vol,
                        right: 1,
                        dividends: &dividends,
                    };
                    let value = price(&o, true, Scheme::Crr, 501, DividendTreatment::SpotDrop);
                    // The first level at or after the ex-date is where it drops.
                    let dt = years / 501.0;
                    let moved = [((dividends[0].0 / dt).ceil() * dt, cash)];
                    let expected = one_integral(&TreeInputs {
                        dividends: &moved,
                        ..o
                    });
                    let error = value.unwrap() - expected;
                    assert!(
                        error.abs() < 2e-3 * expected + 3e-5 * strike,
                        "{o:?}: off by {error} of {expected}"
                    );
                    largest = largest.max((error / expected.max(0.1)).abs());
                }
            }
        }
        assert!(largest > 1e-6, "a tree that is exact is no tree");
    }

    #[test]
    fn trees_that_begin_at_different_levels_are_priced_as_alone() {
        let dividends = [(2.0 / 365.0, 4.0), (0.4, 3.0)];
        let o = TreeInputs {
            spot: 0.0,
            strike: 50.0,
            years: 0.75,
            rate: 0.04,
            dividend_yield: 0.01,
            vol: 0.25,
            right: -1,
            dividends: &dividends,
        };
        let spots = [9.0, 20.0, 35.0, 50.0, 51.0, 80.0, 130.0, 400.0];
        for scheme in [Scheme::Crr, Scheme::LeisenReimer] {
            let (mut together, mut alone) = ([0.0; 8], [0.0]);
            let treatment = DividendTreatment::SpotDrop;
            price_spots(&o, &spots, true, scheme, 151, treatment, &mut together).unwrap();
            for (spot, value) in spots.iter().zip(together) {
                price_spots(&o, &[*spot], true, scheme, 151, treatment, &mut alone).unwrap();
                assert_eq!(value.to_bits(), alone[0].to_bits(), "{scheme:?} {spot}");
            }
        }
    }
}
