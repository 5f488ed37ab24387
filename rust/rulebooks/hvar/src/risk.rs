//! From a book's losses under one set of scenarios to a risk number, and to what each scenario contributes to it.

use super::component::Component;
use super::measure::{self, PPM, Ranks, Reading};
use super::parametric::{self, Variance};
use super::scenarios::Shape;
use super::tail::{DEEPEST, Held, LossTable, Tail};
use super::{filter::Filter, tail};
use kernel::error::Result;
use kernel::fail;

/// A measure made ready for a number of scenarios.
#[derive(Debug, Clone)]
enum Rule {
    Ranks(Ranks),
    /// The mean of what is strictly worse than this rank.
    WorseThan(usize),
    Weighted {
        weights: Vec<f64>,
        tail: f64,
        mean: bool,
    },
    Normal {
        quantile: f64,
        variance: Variance,
    },
}

/// One set of scenarios with its losses per lot and its measure.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) table: LossTable,
    rule: Rule,
    pub(super) depth: usize,
    portfolio_filter: Option<Filter>,
    unit: f64,
}

/// Working memory of one book.
#[derive(Debug, Default)]
pub(super) struct RiskScratch {
    pub(super) losses: Vec<f64>,
    order: Vec<u32>,
    loss: Vec<f64>,
    scenario: Vec<u32>,
}

impl RiskScratch {
    /// The worst losses of the last risk, worst first.
    pub(super) fn tail(&self) -> (&[f64], &[u32]) {
        (&self.loss, &self.scenario)
    }
}

impl Part {
    pub(super) fn new(
        component: &Component,
        set: usize,
        rows: usize,
        shape: Shape,
        unit: f64,
    ) -> Result<Self> {
        let scenarios = shape.scenarios;
        let (measure, level) = (component.measure, component.level(set));
        let tail = (PPM - u64::from(level)) as f64 / PPM as f64;
        let rule = match measure::reading(measure, scenarios, level) {
            Reading::Ranks(ranks) => Rule::Ranks(ranks),
            Reading::WorseThan(rank) => Rule::WorseThan(rank),
            Reading::Weighted { mean } => Rule::Weighted {
                weights: weights(component, shape),
                tail,
                mean,
            },
            Reading::Deviation => Rule::Normal {
                quantile: parametric::normal_quantile(level),
                variance: component.variance.expect("checked with the parameters"),
            },
        };
        let depth = match &rule {
            Rule::Ranks(ranks) => ranks.depth(),
            Rule::WorseThan(rank) => rank + 1,
            Rule::Weighted { .. } => scenarios,
            Rule::Normal { .. } => 1,
        };
        if depth > scenarios {
            fail!(
                InvalidInput: OutOfRange;
                "hvar: component '{}': {} at {} % has no loss to take among {scenarios} scenarios: at least {} are \
                 needed; order_ceil takes the worst of fewer",
                component.name,
                measure.name(),
                f64::from(level) / 1e4,
                PPM.div_ceil(PPM - u64::from(level))
            );
        }
        Ok(Self {
            table: LossTable::new(rows, scenarios),
            rule,
            depth,
            portfolio_filter: component.portfolio_filter.clone(),
            unit,
        })
    }

    /// Whether the risk follows from a short tail, so that losses need not be stored.
    pub(super) fn is_running(&self) -> bool {
        self.depth <= DEEPEST
            && self.portfolio_filter.is_none()
            && match &self.rule {
                Rule::Ranks(_) | Rule::WorseThan(_) => true,
                Rule::Weighted { .. } | Rule::Normal { .. } => false,
            }
    }

    /// The risk of one book; its tail stays in the scratch.
    pub(super) fn risk(&self, held: Held<'_>, scratch: &mut RiskScratch) -> Result<f64> {
        scratch.loss.resize(self.depth, 0.0);
        scratch.scenario.resize(self.depth, 0);
        if self.is_running() {
            let mut tail = Tail {
                loss: &mut scratch.loss,
                scenario: &mut scratch.scenario,
            };
            tail::worst(&self.table, held, self.unit, &mut tail);
            return self.of_tail(&scratch.loss, &scratch.scenario, &[]);
        }
        let mut losses = std::mem::take(&mut scratch.losses);
        tail::losses(&self.table, held, self.unit, &mut losses);
        let risk = self.of_losses(&mut losses, scratch);
        scratch.losses = losses;
        risk
    }

    /// The risk of kept losses with more lots of one row; only where [`Part::is_running`]. `mildest` is the mildest loss
    /// of the kept tail: no loss of the new tail is further below it than the row's largest loss.
    pub(super) fn risk_after(
        &self,
        losses: &[f64],
        mildest: f64,
        row: usize,
        lots: f64,
        scratch: &mut RiskScratch,
    ) -> Result<f64> {
        scratch.loss.resize(self.depth, 0.0);
        scratch.scenario.resize(self.depth, 0);
        let mut tail = Tail {
            loss: &mut scratch.loss,
            scenario: &mut scratch.scenario,
        };
        let change = (lots * self.table.largest(row)).abs();
        // A little further, for the roundings of the sums.
        let bound = mildest - change - 1e-12 * (mildest.abs() + change) - f64::MIN_POSITIVE;
        tail::worst_after(&self.table, losses, row, lots, bound, &mut tail);
        self.of_tail(&scratch.loss, &scratch.scenario, &[])
    }

    /// The risk of losses in scenario order, which a portfolio filter rescales in place.
    pub(super) fn of_losses(&self, losses: &mut [f64], scratch: &mut RiskScratch) -> Result<f64> {
        if let Some(filter) = &self.portfolio_filter {
            rescale(filter, losses)?;
        }
        scratch.loss.resize(self.depth, 0.0);
        scratch.scenario.resize(self.depth, 0);
        let mut tail = Tail {
            loss: &mut scratch.loss,
            scenario: &mut scratch.scenario,
        };
        tail.select(losses, &mut scratch.order);
        self.of_tail(&scratch.loss, &scratch.scenario, losses)
    }

    /// The tails of many books at once, where [`Part::is_running`].
    pub(super) fn tails(
        &self,
        start: &[usize],
        held: Held<'_>,
        loss: &mut [f64],
        scenario: &mut [u32],
    ) -> Result<()> {
        tail::worst_of_many(
            &self.table,
            start,
            held,
            self.unit,
            self.depth,
            loss,
            scenario,
        )
    }

    /// The risk from the worst losses, worst first; the normal measure reads all of them.
    pub(super) fn of_tail(&self, tail: &[f64], scenario: &[u32], losses: &[f64]) -> Result<f64> {
        let mean = |losses: &[f64]| losses.iter().fold(0.0, |a, l| a + l) / losses.len() as f64;
        let risk = match &self.rule {
            Rule::Ranks(ranks) => {
                let run = |sum: f64, &(from, to, weight): &(usize, usize, f64)| {
                    tail[from..=to]
                        .iter()
                        .fold(sum, |sum, loss| sum + weight * loss)
                };
                ranks.runs.iter().fold(0.0, run) / ranks.divisor
            }
            Rule::WorseThan(rank) => match tail.partition_point(|&l| l > tail[*rank]) {
                0 => tail[*rank],
                worse => mean(&tail[..worse]),
            },
            Rule::Weighted {
                weights,
                tail: level,
                mean,
            } => {
                let (mut sum, mut total) = (0.0, 0.0);
                let mut at = tail.len() - 1;
                for (rank, (&loss, &s)) in tail.iter().zip(scenario).enumerate() {
                    let own = weights[s as usize];
                    if sum + own >= *level {
                        at = rank;
                        break;
                    }
                    sum += own;
                    total += own * loss;
                }
                if *mean {
                    (total + (level - sum) * tail[at]) / level
                } else {
                    tail[at]
                }
            }
            Rule::Normal { quantile, variance } => quantile * variance.of(losses).0.sqrt(),
        };
        if !risk.is_finite() {
            fail!(
            CalculationError: NoNumber, place "hvar: the risk", value risk;
            "hvar: the risk is {risk}: losses are too large, or there are too few scenarios"
                        );
        }
        Ok(risk)
    }

    /// Scenarios and weights `w` with which `sum w L` is the risk: how it is attributed to positions.
    pub(super) fn contributions(&self, scratch: &RiskScratch) -> Vec<(u32, f64)> {
        let (tail, scenario) = scratch.tail();
        match &self.rule {
            Rule::Ranks(ranks) => ranks
                .runs
                .iter()
                .flat_map(|&(from, to, weight)| {
                    (from..=to).map(move |rank| (scenario[rank], weight / ranks.divisor))
                })
                .collect(),
            Rule::WorseThan(rank) => match tail.partition_point(|&l| l > tail[*rank]) {
                0 => vec![(scenario[*rank], 1.0)],
                worse => scenario[..worse]
                    .iter()
                    .map(|&s| (s, 1.0 / worse as f64))
                    .collect(),
            },
            Rule::Weighted {
                weights,
                tail: level,
                mean,
            } => {
                let mut sum = 0.0;
                let mut out = Vec::new();
                for &s in scenario {
                    let own = weights[s as usize];
                    if sum + own >= *level {
                        if !*mean {
                            out.clear();
                        }
                        out.push((s, if *mean { (level - sum) / level } else { 1.0 }));
                        break;
                    }
                    sum += own;
                    out.push((s, own / level));
                }
                out
            }
            Rule::Normal { quantile, variance } => {
                let (value, weights) = variance.of(&scratch.losses);
                let scale = if value > 0.0 {
                    quantile / value.sqrt()
                } else {
                    0.0
                };
                (0_u32..)
                    .zip(weights)
                    .map(|(s, w)| (s, w * scale))
                    .collect()
            }
        }
    }

    /// A scenario's weight where weights decay with age.
    pub(super) fn age_weight(&self, scenario: u32) -> Option<f64> {
        match &self.rule {
            Rule::Weighted { weights, .. } => Some(weights[scenario as usize]),
            Rule::Ranks(_) | Rule::WorseThan(_) | Rule::Normal { .. } => None,
        }
    }

    /// The deviation of losses, for the normal measure.
    pub(super) fn deviation(&self, losses: &[f64]) -> Option<f64> {
        match &self.rule {
            Rule::Normal { variance, .. } => Some(variance.of(losses).0.sqrt()),
            Rule::Ranks(_) | Rule::WorseThan(_) | Rule::Weighted { .. } => None,
        }
    }

    /// Whether attribution to positions adds up: a portfolio filter and rounded amounts are not sums over positions.
    pub(super) fn is_additive(&self) -> bool {
        self.portfolio_filter.is_none() && self.unit == 0.0
    }
}

/// Weights of a set's scenarios in their order, adding up to one: a share on the stressed ones (EMIR RTS 153/2013 Article
/// 28 (1)(b)), the rest by age where weights decay (Boudoukh, Richardson and Whitelaw, 1998). A mirrored return is as old
/// as the return.
fn weights(component: &Component, shape: Shape) -> Vec<f64> {
    let newest = shape.scenarios - shape.stressed;
    let own = if shape.mirrored { newest / 2 } else { newest };
    let mut aged = match component.age_decay {
        Some(decay) => measure::age_weights(own, decay),
        None => vec![1.0 / own as f64; own],
    };
    if shape.mirrored {
        aged.iter_mut().for_each(|w| *w *= 0.5);
        aged.extend_from_within(..);
    }
    let Some(share) = component.stress_weight else {
        return aged;
    };
    let mut out = vec![share / shape.stressed as f64; shape.stressed];
    out.extend(aged.iter().map(|w| (1.0 - share) * w));
    out
}

/// Hull and White at portfolio level: each loss from the volatility known before it to tomorrow's.
fn rescale(filter: &Filter, losses: &mut [f64]) -> Result<()> {
    let vols = filter.volatilities(losses);
    // A book without any profit or loss has no volatility to scale.
    if losses.iter().all(|&l| l == 0.0) {
        return Ok(());
    }
    let newest: Vec<f64> = vols
        .after
        .iter()
        .rev()
        .take(filter.average)
        .copied()
        .collect();
    let target = filter.target(&newest, &vols.after);
    for (loss, &known) in losses.iter_mut().zip(&vols.known) {
        if known <= 0.0 {
            fail!(
                CalculationError,
                "hvar: a portfolio filter meets a volatility of {known}: set vol_floor"
            );
        }
        *loss = filter.scenario(*loss, 0.0, known, target, 0.0);
    }
    Ok(())
}
