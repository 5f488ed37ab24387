//! Cash dividends on a lattice.

use super::{DividendTreatment, TreeInputs};
use crate::error::Result;
use crate::fail;
use crate::pricing::math::exp;

/// The dividends of one option, laid over the levels of its tree.
pub(super) struct Schedule {
    /// The price that diffuses: the spot, less the present value of the dividends when they are escrowed.
    pub(super) diffusing: f64,
    /// (years, present value) of those between now and expiry, escrowed.
    escrowed: Vec<(f64, f64)>,
    /// (level, cash) of the drops, ascending.
    pub(super) drops: Vec<(usize, f64)>,
    dt: f64,
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
        let mut schedule = Self {
            diffusing: inputs.spot,
            escrowed: Vec::new(),
            drops: Vec::new(),
            dt,
            steps,
            growth: exp(inputs.rate * dt),
        };
        let before_expiry = inputs
            .dividends
            .iter()
            .copied()
            .filter(|&(when, cash)| when > 0.0 && when <= inputs.years && cash > 0.0);
        match treatment {
            DividendTreatment::Escrowed => {
                schedule.escrowed = before_expiry
                    .map(|(when, cash)| (when, cash * exp(-inputs.rate * when)))
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
