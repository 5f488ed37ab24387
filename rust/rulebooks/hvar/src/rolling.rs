//! Margins through time: the same scenarios and measures as of every date of the history, for fixed linear exposures.

use std::collections::BTreeMap;

use super::HistoricalVar;
use super::component::{Component, Role};
use super::history::History;
use super::layout::View;
use super::measure::Measure;
use super::risk::{Part, RiskScratch};
use super::scenarios::{Series, Shape};
use engine::bounds;
use kernel::error::Result;
use kernel::float::larger;
use kernel::{fail, interrupt, parallel};

/// Which dates: steps of the history, both included; from the first that has enough history, to the last.
#[derive(Debug, Clone, Copy, Default)]
pub struct Range {
    pub first: Option<usize>,
    pub last: Option<usize>,
}

/// Margins by date, and what they are made of.
#[derive(Debug, Clone, Default)]
pub struct Rolling {
    /// Steps of the history as of which the margins stand.
    pub steps: Vec<usize>,
    /// Their dates; empty where the history has none.
    pub dates: Vec<String>,
    pub margin: Vec<f64>,
    /// The risk of every component with its weight, by name.
    pub components: Vec<(String, Vec<f64>)>,
    /// The loss over the holding period that begins at each date; shorter than `margin` by the days after which no
    /// history is left.
    pub realised: Vec<f64>,
    /// The largest of the losses over one day, two days, up to the holding period that begin at each date.
    pub worst: Vec<f64>,
}

/// One component with what does not change from date to date.
struct Track<'a> {
    component: &'a Component,
    history: &'a History,
    /// (exposure, series) by factor.
    series: Vec<(f64, Series)>,
    /// The risk of fixed periods or a given number; measured once.
    fixed: Option<f64>,
}

impl HistoricalVar {
    /// The step of the history that all components share which ends on a date.
    pub fn step_on(&self, date: &str) -> Result<usize> {
        self.base()?.step_on(date)
    }

    fn base(&self) -> Result<&History> {
        let moving = self
            .parameters
            .components
            .iter()
            .filter(|c| c.is_windowed() && c.given.is_empty());
        let mut names = moving.map(|c| &c.history);
        let Some(first) = names.next() else {
            fail!(
                InvalidInput,
                "rolling: no component reads a window of history"
            );
        };
        if let Some(other) = names.find(|n| *n != first) {
            fail!(
                Unsupported,
                "rolling: components read the histories '{first}' and '{other}': one is rolled at a time"
            );
        }
        Ok(self
            .histories
            .iter()
            .find(|h| h.name == *first)
            .expect("checked with the parameters"))
    }

    /// Margins as of each date for exposures by factor: money held of it today under relative and log returns, units
    /// under absolute ones; positive is long. Netting sets and stages are of accounts and do not enter.
    pub fn rolling(
        &self,
        exposures: &BTreeMap<String, f64>,
        range: Range,
        threads: usize,
    ) -> Result<Rolling> {
        if !self.parameters.netting_sets.is_empty()
            || !self.parameters.stages.is_empty()
            || self.parameters.offset_cap.is_some()
        {
            fail!(
                Unsupported,
                "rolling: netting sets, stages and offset caps are for accounts: leave them out of a methodology that \
                 is rolled"
            );
        }
        if !self.parameters.fx_map.is_empty() {
            fail!(
                Unsupported,
                "rolling: exposures are in the report's money: leave fx out, and give an exposure to the exchange rate's \
                 factor beside that to what is held abroad"
            );
        }
        if exposures.is_empty() {
            fail!(InvalidInput: NotStated; "rolling: no exposure to any factor");
        }
        for (factor, &amount) in exposures {
            bounds::finite(format_args!("the exposure to '{factor}'"), amount)?;
        }
        let base = self.base()?;
        let tracks = self.tracks(exposures)?;
        let last = range.last.unwrap_or(base.steps().saturating_sub(1));
        if last >= base.steps() {
            fail!(
                InvalidInput,
                "rolling: step {last} of a history of {} returns",
                base.steps()
            );
        }
        let first = match range.first {
            Some(first) => first,
            None => earliest(&tracks, last)?,
        };
        if first > last {
            fail!(
                InvalidInput: OutOfRange;
                "rolling: the first step {first} lies after the last one {last}"
            );
        }
        let width = tracks.len();
        let mut risks = vec![0.0; (last - first + 1) * width];
        parallel::chunks(&mut risks, width, threads, 32, |row, out| {
            let mut scratch = RiskScratch::default();
            for (i, risks) in out.chunks_mut(width).enumerate() {
                interrupt::check()?;
                for (risk, track) in risks.iter_mut().zip(&tracks) {
                    *risk = match track.fixed {
                        Some(fixed) => fixed,
                        None => track.risk(first + row + i, &mut scratch)?,
                    };
                }
            }
            Ok(())
        })?;
        let floor = if self.parameters.allow_negative {
            f64::NEG_INFINITY
        } else {
            0.0
        };
        let steps: Vec<usize> = (first..=last).collect();
        let column = |c: usize| risks.iter().skip(c).step_by(width).copied().collect();
        let (realised, worst) = self.realised(base, exposures, &steps)?;
        Ok(Rolling {
            dates: steps
                .iter()
                .filter_map(|&s| base.date(s))
                .map(str::to_string)
                .collect(),
            margin: risks
                .chunks(width)
                .map(|own| combine(&tracks, own, floor))
                .collect(),
            components: tracks
                .iter()
                .enumerate()
                .map(|(c, t)| (t.component.name.clone(), column(c)))
                .collect(),
            realised,
            worst,
            steps,
        })
    }

    fn tracks(&self, exposures: &BTreeMap<String, f64>) -> Result<Vec<Track<'_>>> {
        let mut tracks = Vec::new();
        for component in &self.parameters.components {
            if component.roll_days != 0.0 || !component.given.is_empty() {
                fail!(
                    Unsupported,
                    "rolling: component '{}' has given numbers or lets options age: exposures are linear and dated",
                    component.name
                );
            }
            let view = View::new(component, &self.histories)?;
            let mut series = Vec::new();
            for (factor, &amount) in exposures {
                let rule = self.parameters.rule(factor)?;
                series.push((amount, view.series(factor, rule)?));
            }
            let mut track = Track {
                component,
                history: view.history,
                series,
                fixed: None,
            };
            if !component.is_windowed() {
                let last = view.history.steps() - 1;
                track.fixed = Some(track.risk(last, &mut RiskScratch::default())?);
            }
            tracks.push(track);
        }
        Ok(tracks)
    }

    /// Losses over the holding period after each step, as they came; and the worst over its first days or all.
    fn realised(
        &self,
        base: &History,
        exposures: &BTreeMap<String, f64>,
        steps: &[usize],
    ) -> Result<(Vec<f64>, Vec<f64>)> {
        let longest = self
            .parameters
            .components
            .iter()
            .map(|c| c.days)
            .max()
            .unwrap_or(1);
        let followed = |&&s: &&usize| s + longest < base.steps();
        let count = steps.iter().filter(followed).count();
        let mut losses = Vec::new();
        let mut worst = vec![f64::NEG_INFINITY; count];
        for days in 1..=longest {
            losses = vec![0.0; count];
            for (factor, amount) in exposures {
                let rule = self.parameters.rule(factor)?;
                let column = base.column(factor).expect("its series was made");
                let mut returns = base.returns(column, rule, days)?;
                rule.apply(&mut returns, 1.0, 1.0);
                for (loss, &step) in losses.iter_mut().zip(steps) {
                    *loss -= amount * returns[step + days];
                }
            }
            for (worst, &loss) in worst.iter_mut().zip(&losses) {
                *worst = larger(loss, *worst);
            }
        }
        Ok((losses, worst))
    }
}

impl Track<'_> {
    fn risk(&self, step: usize, scratch: &mut RiskScratch) -> Result<f64> {
        let view = View::at(self.component, self.history, step)?;
        let mut losses = vec![0.0; view.scenarios()];
        for (amount, series) in &self.series {
            for (loss, scenario) in losses.iter_mut().zip(view.moves(series)?) {
                *loss -= amount * scenario;
            }
        }
        let mut sum = 0.0;
        let mut first = 0;
        for (i, set) in view.sets.iter().enumerate() {
            let part = Part::new(self.component, i, 0, set.shape(), 0.0)?;
            sum += part.of_losses(&mut losses[first..first + set.len()], scratch)?;
            first += set.len();
        }
        let scale = self.component.risk_scale();
        Ok(self.component.weight * scale * sum / view.sets.len() as f64)
    }
}

/// The first step as of which every component has its window, and enough scenarios for its measure.
fn earliest(tracks: &[Track<'_>], last: usize) -> Result<usize> {
    let has = |step: usize| {
        let mut moving = tracks.iter().filter(|t| t.fixed.is_none());
        moving.try_for_each(|t| {
            let view = View::at(t.component, t.history, step)?;
            let mut sets = view.sets.iter().enumerate();
            sets.try_for_each(|(i, set)| Part::new(t.component, i, 0, set.shape(), 0.0).map(drop))
        })
    };
    has(last)?;
    let (mut without, mut with) = (0, last);
    while without < with {
        let middle = without + (with - without) / 2;
        if has(middle).is_ok() {
            with = middle;
        } else {
            without = middle + 1;
        }
    }
    Ok(with)
}

/// Terms added, not below any floor, nor below zero.
fn combine(tracks: &[Track<'_>], risks: &[f64], least: f64) -> f64 {
    let of = |role: Role| {
        tracks
            .iter()
            .zip(risks)
            .filter(move |(t, _)| t.component.role == role)
            .map(|(_, r)| *r)
    };
    let sum = of(Role::Term).fold(0.0, |a, r| a + r);
    let floored = of(Role::Floor).fold(sum, |a, r| larger(r, a));
    larger(floored, least)
}

/// One measure of losses (positive is a loss) in scenario order, oldest first.
pub fn measure(
    losses: &[f64],
    measure: Measure,
    confidence_ppm: u32,
    age_decay: Option<f64>,
) -> Result<f64> {
    if let Some(at) = losses.iter().position(|l| !l.is_finite()) {
        fail!(
            InvalidInput: NotFinite;
            "loss {at} is {}: losses are finite numbers",
            losses[at]
        );
    }
    if losses.is_empty() {
        fail!(InvalidInput: NotStated; "no losses to measure");
    }
    let component = Component::measuring(measure, confidence_ppm, age_decay)?;
    let part = Part::new(&component, 0, 0, Shape::plain(losses.len()), 0.0)?;
    part.of_losses(&mut losses.to_vec(), &mut RiskScratch::default())
}
