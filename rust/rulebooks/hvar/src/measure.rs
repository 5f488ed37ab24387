//! Risk measures on losses: which ranks count and for how much, in integer arithmetic.
//!
//! "The 99 % VaR of 500 losses" has at least five answers, so every convention has its name and none is a default.
//! Losses are sorted worst first, equal ones by scenario; rank 0 is the worst. Quantiles are those of Hyndman and Fan
//! (1996) under NumPy's names, taken of the losses at the confidence.

use serde::{Deserialize, Serialize};

/// The whole of a confidence: levels are integers of parts per million, because `ceil((1 - 0.994) * 1000)` is 7 in binary
/// floating point and should be 6.
pub(super) const PPM: u64 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Measure {
    /// The k-th worst, k = floor(n (1 - a)), which must be at least one: Hull.
    OrderFloor,
    /// k = ceil(n (1 - a)).
    OrderCeil,
    InvertedCdf,
    AveragedInvertedCdf,
    ClosestObservation,
    InterpolatedInvertedCdf,
    Hazen,
    Weibull,
    Linear,
    MedianUnbiased,
    NormalUnbiased,
    Lower,
    Higher,
    Nearest,
    Midpoint,
    /// The mildest of the worst losses whose weights reach 1 - a: Boudoukh, Richardson and Whitelaw (1998).
    Weighted,
    /// Mean of the ceil(n (1 - a)) worst: HKSCC's "ES (Discrete)".
    EsDiscrete,
    /// Mean of the losses strictly worse than `order_floor`, or that loss where none is worse: Hull. As many scenarios
    /// are needed.
    EsHull,
    /// Mean of the losses from the `inverted_cdf` quantile on: floor(n (1 - a)) + 1 of them.
    EsInclusive,
    /// The tail integral: Acerbi and Tasche (2002).
    EsAcerbi,
    /// The tail integral under age weights.
    EsWeighted,
    /// The normal quantile times the deviation of the profits and losses: parametric VaR.
    Normal,
}

impl Measure {
    pub(super) fn is_weighted(self) -> bool {
        match self {
            Self::Weighted | Self::EsWeighted => true,
            Self::OrderFloor
            | Self::OrderCeil
            | Self::InvertedCdf
            | Self::AveragedInvertedCdf
            | Self::ClosestObservation
            | Self::InterpolatedInvertedCdf
            | Self::Hazen
            | Self::Weibull
            | Self::Linear
            | Self::MedianUnbiased
            | Self::NormalUnbiased
            | Self::Lower
            | Self::Higher
            | Self::Nearest
            | Self::Midpoint
            | Self::EsDiscrete
            | Self::EsHull
            | Self::EsInclusive
            | Self::EsAcerbi
            | Self::Normal => false,
        }
    }

    /// Whether the measure is convex in the book: a mean over a fixed number of the worst losses, or their integral.
    pub(super) fn is_coherent(self) -> bool {
        match self {
            // Artzner, Delbaen, Eber and Heath (1999); Acerbi and Tasche (2002).
            Self::EsDiscrete | Self::EsInclusive | Self::EsAcerbi => true,
            // The number of losses averaged changes with the book.
            Self::EsHull => false,
            // Convex too, but it reads all losses: no tail of it is kept that could be asked.
            Self::EsWeighted => false,
            Self::OrderFloor
            | Self::OrderCeil
            | Self::InvertedCdf
            | Self::AveragedInvertedCdf
            | Self::ClosestObservation
            | Self::InterpolatedInvertedCdf
            | Self::Hazen
            | Self::Weibull
            | Self::Linear
            | Self::MedianUnbiased
            | Self::NormalUnbiased
            | Self::Lower
            | Self::Higher
            | Self::Nearest
            | Self::Midpoint
            | Self::Weighted
            | Self::Normal => false,
        }
    }

    pub(super) fn name(self) -> String {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::String(name)) => name,
            _ => unreachable!("unit variants are written as their names"),
        }
    }
}

/// Ranks that count, each with its weight; the risk is their weighted sum over `divisor`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Ranks {
    /// Whole runs of equal weights come out of order statistics: (first rank, last rank, weight).
    pub(super) runs: Vec<(usize, usize, f64)>,
    pub(super) divisor: f64,
}

impl Ranks {
    fn one(rank: usize) -> Self {
        Self {
            runs: vec![(rank, rank, 1.0)],
            divisor: 1.0,
        }
    }

    fn worst(count: usize) -> Self {
        Self {
            runs: vec![(0, count - 1, 1.0)],
            divisor: count as f64,
        }
    }

    /// Losses needed, worst first.
    pub(super) fn depth(&self) -> usize {
        self.runs.iter().map(|r| r.1 + 1).max().unwrap_or(0)
    }
}

/// What a measure reads of sorted losses.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reading {
    Ranks(Ranks),
    /// The mean of what is strictly worse than this rank.
    WorseThan(usize),
    /// Losses until their weights make up the tail: the last of them, or their mean.
    Weighted {
        mean: bool,
    },
    /// The deviation of all losses.
    Deviation,
}

/// What a measure reads of `n` losses at a level in parts per million.
pub(super) fn reading(measure: Measure, n: usize, level: u32) -> Reading {
    // `n (1 - a)` in parts per million.
    let tail = n as u64 * (PPM - u64::from(level));
    let floor = (tail / PPM) as usize;
    let ceil = tail.div_ceil(PPM) as usize;
    // No loss at all where floor is zero: more than there are.
    let order_floor = floor.checked_sub(1).unwrap_or(n);
    // Positions are ascending, from zero, as fractions.
    let (n_, p, one) = (n as i128, i128::from(level), PPM as i128);
    // From the smallest loss to the largest: NumPy's older four.
    let ends = (n_ - 1) * p;
    let is_odd = |below: i128| below.rem_euclid(2) == 1;
    Reading::Ranks(match measure {
        Measure::OrderFloor => Ranks::one(order_floor),
        Measure::OrderCeil => Ranks::one(ceil.max(1) - 1),
        // HKSCC, Initial Margin Calculation Guide v1.4, footnotes 23 and 27: the number of scenarios is rounded up.
        Measure::EsDiscrete => Ranks::worst(ceil.max(1)),
        Measure::EsInclusive => Ranks::worst((floor + 1).min(n)),
        Measure::EsAcerbi => integral(tail, floor),
        Measure::InvertedCdf => between(n, n_ * p - one, one, |_, rest| f64::from(rest > 0)),
        Measure::AveragedInvertedCdf => averaged_inverted_cdf(n, level),
        // Of two equally near, the even one counted from one.
        Measure::ClosestObservation => between(n, 2 * n_ * p - 3 * one, 2 * one, |below, rest| {
            f64::from(!(rest == 0 && is_odd(below)))
        }),
        Measure::InterpolatedInvertedCdf => plotted(n, level, 0, 24),
        Measure::Hazen => plotted(n, level, 12, 12),
        Measure::Weibull => plotted(n, level, 0, 0),
        Measure::Linear => plotted(n, level, 24, 24),
        Measure::MedianUnbiased => plotted(n, level, 8, 8),
        Measure::NormalUnbiased => plotted(n, level, 9, 9),
        Measure::Lower => between(n, ends, one, |_, _| 0.0),
        Measure::Higher => between(n, ends, one, |_, rest| f64::from(rest > 0)),
        Measure::Nearest => between(n, ends, one, |below, rest| {
            f64::from(2 * rest > one || (2 * rest == one && is_odd(below)))
        }),
        Measure::Midpoint => between(n, ends, one, |_, rest| if rest > 0 { 0.5 } else { 0.0 }),
        Measure::EsHull => return Reading::WorseThan(order_floor),
        Measure::Weighted => return Reading::Weighted { mean: false },
        Measure::EsWeighted => return Reading::Weighted { mean: true },
        Measure::Normal => return Reading::Deviation,
    })
}

/// The tail integral: Acerbi and Tasche (2002), with the share of the last loss that the tail has.
fn integral(tail: u64, floor: usize) -> Ranks {
    let mut runs = Vec::new();
    if floor > 0 {
        runs.push((0, floor - 1, 1.0));
    }
    let rest = tail - floor as u64 * PPM;
    if rest > 0 {
        runs.push((floor, floor, rest as f64 / PPM as f64));
    }
    Ranks {
        runs,
        divisor: tail as f64 / PPM as f64,
    }
}

/// Hyndman and Fan's second definition.
fn averaged_inverted_cdf(n: usize, level: u32) -> Ranks {
    let (n_, p, one) = (n as i128, i128::from(level), PPM as i128);
    between(
        n,
        n_ * p - one,
        one,
        |_, rest| if rest > 0 { 1.0 } else { 0.5 },
    )
}

/// Hyndman and Fan's definitions four to nine: `virtual index = n p + a + p (1 - a - b) - 1`, with a and b in 24ths.
fn plotted(n: usize, level: u32, a: i128, b: i128) -> Ranks {
    let (n_, p, one) = (n as i128, i128::from(level), PPM as i128);
    let unit = 24 * one;
    let position = 24 * n_ * p + a * one + p * (24 - a - b) - 24 * one;
    between(n, position, unit, |_, rest| rest as f64 / unit as f64)
}

/// The quantile at an ascending position over `unit`: `up` is the share of the upper neighbour, by the whole position
/// below and what is left.
fn between(n: usize, position: i128, unit: i128, up: impl Fn(i128, i128) -> f64) -> Ranks {
    let (below, rest) = (position.div_euclid(unit), position.rem_euclid(unit));
    let up = up(below, rest);
    let last = n as i128 - 1;
    let rank = |ascending: i128| (last - ascending.clamp(0, last)) as usize;
    let (low, high) = (rank(below), rank(below + 1));
    let mut runs = Vec::new();
    if up > 0.0 {
        runs.push((high, high, up));
    }
    if up < 1.0 {
        runs.push((low, low, 1.0 - up));
    }
    Ranks { runs, divisor: 1.0 }
}

/// The averaged inverted distribution of values at a level, from the smallest up (R's type 2).
pub(super) fn lower_quantile(values: &[f64], level: u32) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| b.total_cmp(a));
    let ranks = averaged_inverted_cdf(sorted.len(), level);
    ranks
        .runs
        .iter()
        .fold(0.0, |sum, &(rank, _, weight)| sum + weight * sorted[rank])
}

/// Weights of scenarios by age, oldest first, adding up to one.
pub(super) fn age_weights(n: usize, decay: f64) -> Vec<f64> {
    let mut weights = vec![0.0; n];
    let mut power = 1.0;
    for weight in weights.iter_mut().rev() {
        *weight = power;
        power *= decay;
    }
    let norm = (1.0 - decay) / (1.0 - power);
    weights.iter_mut().for_each(|w| *w *= norm);
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 15 worst of 1,000, and 985 losses that are not reached.
    fn losses() -> Vec<f64> {
        let worst = [
            2833.0, 2333.0, 2228.0, 2084.0, 1960.0, 1751.0, 1679.0, 1558.0, 1542.0, 1484.0, 1450.0,
            1428.0, 1368.0, 1347.0, 1319.0,
        ];
        worst
            .into_iter()
            .chain((0..985).map(|i| -f64::from(i)))
            .collect()
    }

    fn ranks(measure: Measure, n: usize, level: u32) -> Ranks {
        match reading(measure, n, level) {
            Reading::Ranks(ranks) => ranks,
            other => panic!("{measure:?} reads {other:?}"),
        }
    }

    fn risk(measure: Measure, n: usize, level: u32) -> f64 {
        let sorted = losses();
        let ranks = ranks(measure, n, level);
        let sum: f64 = ranks
            .runs
            .iter()
            .flat_map(|&(from, to, w)| (from..=to).map(move |r| (r, w)))
            .map(|(r, w)| w * sorted[r])
            .sum();
        sum / ranks.divisor
    }

    #[test]
    fn counts_are_those_of_integers() {
        // ceil((1 - 0.994) * 1000) is 7 in floating point, ceil((1 - 0.99) * 500) is 6.
        for (n, level, count) in [
            (1000, 994_000, 6),
            (1000, 990_000, 10),
            (500, 990_000, 5),
            (1018, 980_000, 21),
        ] {
            assert_eq!(ranks(Measure::EsDiscrete, n, level).depth(), count);
        }
        assert_eq!(ranks(Measure::OrderCeil, 750, 995_000), Ranks::one(3));
        assert_eq!(ranks(Measure::OrderFloor, 100, 990_000), Ranks::one(0));
        assert!(ranks(Measure::OrderFloor, 99, 990_000).depth() > 99);
    }

    #[test]
    fn the_three_conventions_of_expected_shortfall_differ() {
        assert!((risk(Measure::EsDiscrete, 1000, 990_000) - 1945.2).abs() < 1e-9);
        assert!((risk(Measure::EsInclusive, 1000, 990_000) - 1_900.181_818_181_818_2).abs() < 1e-9);
        assert_eq!(risk(Measure::OrderFloor, 1000, 990_000), 1484.0);
        assert_eq!(risk(Measure::InvertedCdf, 1000, 990_000), 1450.0);
        // 9.5 losses: nine whole ones and half of the tenth.
        let acerbi = risk(Measure::EsAcerbi, 1000, 990_500);
        assert!((acerbi - (17_968.0 + 742.0) / 9.5).abs() < 1e-9);
    }

    #[test]
    fn age_weights_add_up_to_one_and_favour_the_newest() {
        let weights = age_weights(500, 0.995);
        assert!((weights.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!((weights[493] - 0.005_28).abs() < 5e-6 && weights[499] > weights[0]);
    }
}
