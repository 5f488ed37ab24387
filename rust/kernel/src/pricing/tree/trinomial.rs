//! American options with cash dividends on trinomial lattices of two step widths, the finer one of twice the steps,
//! extrapolated. A lattice spans the prices around the strike at which the outcome is open, whatever the spot: it serves all
//! price points of an option.
//!
//! The ex-dates are levels: the time between two of them is divided evenly. What is left of the error is that of exercise
//! at levels only, of first order, `2 fine - coarse` (as Broadie and Detemple's BBSR), and at nodes only: it turns over with
//! the place of the boundary between two nodes, so that each width has two lattices, half a node apart, of which the mean
//! is taken. Values between nodes are those of the polynomial through the six nodes around the spot, delta and gamma of
//! that through eight, of what holding is worth: exercise now is compared afterwards.
//!
//! A spot beyond the lattices is deviations away from where the outcome is open: its option is worth what the best time of
//! exercise gives along the forward.

mod curve;
mod lattice;
mod schedule;

use super::{DividendTreatment, TreeInputs};
use crate::error::Result;
use crate::fail;
use crate::float::larger;
use crate::simd::{self, Kernel};
pub use curve::Curve;
use lattice::{Held, Lattice, STRETCH};
use schedule::Schedule;

/// Deviations over the life of the option that the lattice spans beyond the prices where the outcome is open.
const SPAN: f64 = 6.5;
/// Beyond this spacing of the logarithms of the nodes the moves have no probabilities.
const MOST_SPACING: f64 = 2.0;
/// Spans for which one lattice serves all spots; where dividends or the carry lie farther apart than that, in deviations,
/// each spot has lattices of its own.
const MOST_SPANS: f64 = 4.0;
/// The lattices of an option: times the steps, nodes that they are shifted by, and weight.
const LATTICES: [(usize, f64, f64); 4] =
    [(1, 0.0, -0.5), (1, 0.5, -0.5), (2, 0.0, 1.0), (2, 0.5, 1.0)];

/// The largest deviation over the life of an option for which lattices of so many steps have moves.
pub(super) fn most_deviation(steps: usize) -> f64 {
    MOST_SPACING * (steps.div_ceil(2) as f64 / STRETCH).sqrt()
}

/// The prices of [`curves`]; a European one with escrowed dividends is Black's.
pub(super) fn prices(
    inputs: &TreeInputs<'_>,
    spots: &[f64],
    american: bool,
    steps: usize,
    treatment: DividendTreatment,
    out: &mut [f64],
) -> Result<()> {
    if !american && treatment == DividendTreatment::Escrowed {
        let schedule = Schedule::new(inputs, american, treatment);
        for (value, &spot) in out.iter_mut().zip(spots) {
            *value = schedule.european(schedule.diffusing(spot)?);
        }
        return Ok(());
    }
    curves(inputs, spots, american, steps, treatment, |i, curve| {
        out[i] = curve.price;
    })
}

/// The curves of one option at several spots (`inputs.spot` is not used); `steps` are those of the finer lattice, at least.
/// Exercised now, or without time: delta is +1, -1 or 0, gamma 0.
pub(super) fn curves(
    inputs: &TreeInputs<'_>,
    spots: &[f64],
    american: bool,
    steps: usize,
    treatment: DividendTreatment,
    out: impl FnMut(usize, Curve),
) -> Result<()> {
    let schedule = Schedule::new(inputs, american, treatment);
    if schedule.life > most_deviation(steps) {
        fail!(
            InvalidInput: OutOfRange;
            "tree: a vol of {} over {} years needs more than {steps} steps",
            inputs.vol,
            schedule.years
        );
    }
    let mut diffusing = Vec::with_capacity(spots.len());
    for &spot in spots {
        diffusing.push(schedule.diffusing(spot)?);
    }
    simd::run(Curves {
        schedule: &schedule,
        steps: steps.div_ceil(2),
        spots,
        diffusing: &diffusing,
        out,
    });
    Ok(())
}

struct Curves<'a, F> {
    schedule: &'a Schedule<'a>,
    /// Of the coarser lattices, at least.
    steps: usize,
    spots: &'a [f64],
    /// What diffuses of each.
    diffusing: &'a [f64],
    out: F,
}

impl<F: FnMut(usize, Curve)> Kernel for Curves<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(mut self) {
        let schedule = self.schedule;
        let most = 2.0 * MOST_SPANS * SPAN * schedule.life;
        let range = schedule.open(SPAN).filter(|(low, high)| high - low <= most);
        let mut lattices: Option<(f64, f64)> = None;
        let mut held: Vec<Held> = Vec::with_capacity(LATTICES.len());
        for (i, (&spot, &diffusing)) in self.spots.iter().zip(self.diffusing).enumerate() {
            let now = schedule.exercised_now(spot);
            if schedule.years <= 0.0 {
                (self.out)(i, Curve::exercised(larger(now, 0.0), schedule.sign));
                continue;
            }
            let wanted = range.unwrap_or_else(|| schedule.around(diffusing, SPAN));
            if lattices != Some(wanted) {
                lattices = Some(wanted);
                held.clear();
                for (times, shift, _) in LATTICES {
                    held.push(Lattice::new(schedule, self.steps, times, shift, wanted).held());
                }
            }
            let mut curve =
                extrapolated(&held, diffusing).unwrap_or_else(|| schedule.certain(spot));
            let least = if schedule.is_escrowed() {
                schedule.european(diffusing)
            } else {
                0.0
            };
            curve.price = larger(curve.price, least);
            if schedule.american && curve.price <= now {
                curve = Curve::exercised(now, schedule.sign);
            }
            (self.out)(i, curve);
        }
    }
}

#[inline(always)]
fn extrapolated(held: &[Held], diffusing: f64) -> Option<Curve> {
    let mut sum = Curve::default();
    for (held, (_, _, weight)) in held.iter().zip(LATTICES) {
        let own = held.at(diffusing)?;
        sum.price += weight * own.price;
        sum.delta += weight * own.delta;
        sum.gamma += weight * own.gamma;
    }
    Some(sum)
}
