//! The scenarios of a component: which returns, in which sets, and what each makes of a factor's price.

use super::component::Component;
use super::filter::{Filter, Volatilities};
use super::history::History;
use super::parameters::ReturnRule;
use kernel::error::Result;
use kernel::fail;

/// Scenarios measured together, oldest first. Interleaved holding periods have one set for each day of theirs.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set {
    /// Steps of the history.
    pub(super) steps: Vec<usize>,
    /// With the opposite of every return after the returns themselves.
    pub(super) mirrored: bool,
    /// So many first ones are of stressed periods, before the newest returns.
    pub(super) stressed: usize,
}

/// What the weights of a set's scenarios depend on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) scenarios: usize,
    pub(super) mirrored: bool,
    pub(super) stressed: usize,
}

impl Shape {
    pub(super) fn plain(scenarios: usize) -> Self {
        Self {
            scenarios,
            mirrored: false,
            stressed: 0,
        }
    }
}

impl Set {
    /// Scenarios in the set.
    pub(super) fn len(&self) -> usize {
        self.steps.len() * if self.mirrored { 2 } else { 1 }
    }

    pub(super) fn shape(&self) -> Shape {
        Shape {
            scenarios: self.len(),
            mirrored: self.mirrored,
            stressed: self.stressed,
        }
    }

    /// The words of a scenario: its date, or its number from one.
    pub(super) fn label(&self, history: &History, at: usize) -> String {
        let step = self.steps[at % self.steps.len()];
        let own = match history.date(step) {
            Some(date) => date.to_string(),
            None => format!("scenario {}", step + 1),
        };
        if at < self.steps.len() {
            own
        } else {
            format!("{own}, mirrored")
        }
    }
}

/// The sets of a component as of a step: the newest returns, fixed periods, or both.
pub(super) fn sets(component: &Component, history: &History, today: usize) -> Result<Vec<Set>> {
    let stride = component.stride();
    let stressed = period_steps(component, history)?;
    let mut sets = vec![Vec::new(); stride];
    if component.is_windowed() {
        let first = first_step(component);
        let available = (today + 1).saturating_sub(first);
        let window = component.window.unwrap_or(available - available % stride);
        if !window.is_multiple_of(stride) {
            fail!(
                InvalidInput,
                "a window of {window} returns does not divide into {stride} interleaved sets"
            );
        }
        if window > available || window == 0 {
            fail!(
                MissingData: MissingHistory;
                "{} returns are needed and the history '{}' has {available} that can be scenarios{}",
                window.max(1),
                history.name,
                match first {
                    0 => String::new(),
                    _ =>
                        format!(", after {first} that make the first volatility or holding period"),
                }
            );
        }
        for step in today + 1 - window..=today {
            sets[(today - step) % stride].push(step);
        }
    }
    let sets: Vec<Set> = sets
        .into_iter()
        .zip(stressed)
        .map(|(newest, mut steps)| {
            let stressed = if newest.is_empty() { 0 } else { steps.len() };
            steps.extend(newest);
            Set {
                steps,
                mirrored: component.antithetic,
                stressed,
            }
        })
        .collect();
    if sets.iter().any(|s| s.steps.is_empty()) {
        fail!(MissingData: MissingHistory; "no return falls into one of the {stride} sets");
    }
    Ok(sets)
}

/// The steps of fixed periods by interleaved set, ascending.
fn period_steps(component: &Component, history: &History) -> Result<Vec<Vec<usize>>> {
    let stride = component.stride();
    let mut sets = vec![Vec::new(); stride];
    for period in &component.periods {
        let mut steps = Vec::with_capacity(period.len());
        for date in period {
            steps.push(history.step_on(date)?);
        }
        let gap = steps.windows(2).position(|w| match component.span() {
            1 => w[1] <= w[0],
            _ => w[1] != w[0] + 1,
        });
        if let Some(gap) = gap {
            fail!(
                InvalidInput: BadTime;
                "a period leads from {} to {}: dates ascend, and where returns span days a period has no gaps",
                period[gap],
                period[gap + 1]
            );
        }
        for (age, &step) in steps.iter().rev().enumerate() {
            if age + component.span() <= steps.len() {
                sets[age % stride].push(step);
            }
        }
    }
    sets.iter_mut().for_each(|steps| steps.sort_unstable());
    Ok(sets)
}

/// The first step that can be a scenario: returns span days, and filters consume returns for their first volatility.
fn first_step(component: &Component) -> usize {
    let filtered = component
        .filter
        .as_ref()
        .map_or(0, |f| f.first() * component.stride());
    component.span() - 1 + filtered
}

/// One factor's returns, and its volatilities where the filter does not depend on the window.
#[derive(Debug, Clone)]
pub(super) struct Series {
    factor: String,
    pub(super) rule: ReturnRule,
    returns: Vec<f64>,
    /// By step; entries that do not exist hold zero.
    volatilities: Option<Volatilities>,
}

impl Series {
    pub(super) fn new(
        component: &Component,
        history: &History,
        factor: &str,
        rule: ReturnRule,
    ) -> Result<Self> {
        let Some(column) = history.column(factor) else {
            fail!(
                MissingData: MissingHistory;
                "hvar: history '{}' has no factor '{factor}': add its column, or map the contract to another factor",
                history.name
            );
        };
        let span = component.span();
        let returns = history.returns(column, rule, span)?;
        let volatilities = component
            .filter
            .as_ref()
            .filter(|f| !f.is_seeded_by_window())
            .map(|filter| interleaved(filter, &returns, span - 1, component.stride()));
        Ok(Self {
            factor: factor.to_string(),
            rule,
            returns,
            volatilities,
        })
    }

    /// The factor's scenario returns, set after set, as moves: fractions of its (displaced) price, or amounts.
    pub(super) fn moves(
        &self,
        component: &Component,
        history: &History,
        sets: &[Set],
        today: usize,
    ) -> Result<Vec<f64>> {
        let mut moves = Vec::with_capacity(sets.iter().map(Set::len).sum());
        let root = component.return_scale();
        for set in sets {
            let returns = self.scenario_returns(component, history, set, today)?;
            moves.extend_from_slice(&returns);
            if set.mirrored {
                moves.extend(returns.iter().map(|r| -r));
            }
        }
        self.rule.apply(&mut moves, root, component.multiplier);
        if let Some(at) = moves.iter().position(|m| !m.is_finite()) {
            fail!(
                CalculationError: NoNumber;
                "hvar: factor '{}', {} {}: the scenario is not a finite number",
                self.factor,
                component.name,
                at + 1
            );
        }
        Ok(moves)
    }

    fn scenario_returns(
        &self,
        component: &Component,
        history: &History,
        set: &Set,
        today: usize,
    ) -> Result<Vec<f64>> {
        let plain: Vec<f64> = set.steps.iter().map(|&s| self.returns[s]).collect();
        let Some(filter) = &component.filter else {
            return Ok(plain);
        };
        let windowed;
        // The volatilities, where the set's scenarios stand in them, the newest ones, and the newest mean.
        let (vols, place, newest, mean): (&Volatilities, Vec<usize>, Vec<f64>, f64) =
            match &self.volatilities {
                Some(all) => {
                    let newest = (0..filter.average)
                        .map(|age| today.checked_sub(age).map_or(0.0, |s| all.after[s]));
                    (
                        all,
                        set.steps.clone(),
                        newest.collect(),
                        all.mean_after[today],
                    )
                }
                None => {
                    windowed = filter.volatilities(&plain);
                    let newest = windowed
                        .after
                        .iter()
                        .rev()
                        .take(filter.average)
                        .copied()
                        .collect();
                    let mean = windowed.mean_after.last().copied().unwrap_or(0.0);
                    (&windowed, (0..plain.len()).collect(), newest, mean)
                }
            };
        let own: Vec<f64> = place.iter().map(|&i| vols.after[i]).collect();
        let target = filter.target(&newest, &own);
        let mut scenarios = Vec::with_capacity(plain.len());
        for ((&r, &i), &step) in plain.iter().zip(&place).zip(&set.steps) {
            let known = vols.known[i];
            if !(known > 0.0 && known.is_finite()) {
                fail!(
                    CalculationError,
                    "hvar: factor '{}' on {}: the volatility known before the return is {known}: it cannot be divided \
                     by; set the filter's vol_floor, or use another history",
                    self.factor,
                    history.date(step).unwrap_or("an undated row")
                );
            }
            scenarios.push(filter.scenario(r, vols.mean[i], known, target, mean));
        }
        Ok(scenarios)
    }
}

/// Volatilities along each interleaved run of returns, put back by step.
fn interleaved(filter: &Filter, returns: &[f64], first: usize, stride: usize) -> Volatilities {
    let mut out = Volatilities::new(returns.len());
    for start in first..(first + stride).min(returns.len()) {
        let places: Vec<usize> = (start..returns.len()).step_by(stride).collect();
        let own: Vec<f64> = places.iter().map(|&i| returns[i]).collect();
        let vols = filter.volatilities(&own);
        for (k, &i) in places.iter().enumerate() {
            out.known[i] = vols.known[k];
            out.after[i] = vols.after[k];
            out.mean[i] = vols.mean[k];
            out.mean_after[i] = vols.mean_after[k];
        }
    }
    out
}
