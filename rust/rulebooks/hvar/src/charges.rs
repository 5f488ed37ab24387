//! Stages compiled for a table of contracts, and run over an account.

use super::stages::{Rule, SCENARIOS, Stage, Threshold, round_to, round_up};
use engine::account::AccountView;
use engine::contract::{Contracts, Kind};
use engine::report::{Ledger, LineText};
use kernel::error::Result;
use kernel::fail;
use kernel::float::{larger, smaller};

/// What stages know of one contract, per lot, in the report's currency.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    pub(super) value: f64,
    /// Money for a move of one in the price.
    pub(super) units: f64,
    pub(super) is_covered: bool,
}

/// One stage with its tables by contract row.
#[derive(Debug, Clone)]
pub(super) struct Charge {
    name: String,
    rule: Rule,
    /// By contract row: the group it falls into, and its rates for long and short (or per unit).
    rows: Vec<Option<(u32, f64, f64)>>,
    groups: Vec<(String, Threshold)>,
    /// Places of the stages in `of` within the running totals.
    of: Vec<usize>,
}

pub(super) fn compile(
    stages: &[Stage],
    contracts: &Contracts,
    worth: &[Worth],
) -> Result<Vec<Charge>> {
    let mut names = vec![SCENARIOS.to_string()];
    let mut charges = Vec::with_capacity(stages.len());
    for stage in stages {
        let charge = Charge::new(stage, contracts, worth, &names)
            .map_err(|e| e.at(format!("hvar: stage '{}'", stage.name)))?;
        if names.contains(&stage.name) {
            fail!(InvalidInput, "hvar: two stages are named '{}'", stage.name);
        }
        names.push(stage.name.clone());
        charges.push(charge);
    }
    Ok(charges)
}

impl Charge {
    fn new(
        stage: &Stage,
        contracts: &Contracts,
        worth: &[Worth],
        names: &[String],
    ) -> Result<Self> {
        let mut charge = Self {
            name: stage.name.clone(),
            rule: stage.rule.clone(),
            rows: vec![None; contracts.len()],
            groups: Vec::new(),
            of: Vec::new(),
        };
        // A contract is spoken of by its id, or by the symbol it is written on.
        let keys = |row: u32| {
            [
                contracts.rows()[row as usize].id(),
                contracts.root_symbol(row),
            ]
        };
        for (row, contract) in contracts.iter() {
            let at = row as usize;
            charge.rows[at] = match &stage.rule {
                Rule::FlatRate { rates, groups, .. } => keys(row).iter().find_map(|k| {
                    let rate = *rates.get(*k)?;
                    let group = groups.iter().position(|g| g.iter().any(|m| m == k));
                    Some((group.unwrap_or(groups.len() + at) as u32, rate, rate))
                }),
                Rule::SideRate { rates } => keys(row)
                    .iter()
                    .find_map(|k| rates.get(*k).map(|s| (0, s.long, s.short))),
                Rule::TickValue { products } => keys(row).iter().find_map(|k| {
                    products
                        .get(*k)
                        .map(|p| (0, p.ticks * p.tick, p.ticks * p.tick))
                }),
                Rule::Liquidity {
                    underlyings,
                    underlying_of,
                    delta,
                    ..
                } => {
                    let root = keys(row)
                        .iter()
                        .find_map(|k| underlying_of.get(*k))
                        .map_or(contracts.root_symbol(row), String::as_str);
                    let group = underlyings.keys().position(|u| u == root);
                    let own = keys(row)
                        .iter()
                        .find_map(|k| delta.get(*k))
                        .map(|d| d * worth[at].units);
                    match (group, own) {
                        (None, _) => None,
                        (Some(group), Some(own)) => Some((group as u32, own, own)),
                        (Some(_), None) if contract.kind() == Kind::Option => fail!(
                            MissingData,
                            "no delta of the option '{}': add it to delta",
                            contract.id()
                        ),
                        (Some(group), None) => {
                            Some((group as u32, worth[at].value, worth[at].value))
                        }
                    }
                }
                Rule::CloseOut { products, .. } => keys(row).iter().find_map(|k| {
                    let depth = products.get(*k)?;
                    Some((0, 0.5 * depth.spread * worth[at].units, depth.volume))
                }),
                Rule::Impact { products, .. } => keys(row).iter().find_map(|k| {
                    let daily = products.get(*k)?;
                    Some((0, daily.vol * worth[at].value.abs(), daily.volume))
                }),
                // Read no contract of their own.
                Rule::GrossFloor { .. }
                | Rule::Scale { .. }
                | Rule::RoundUp { .. }
                | Rule::PositionLimit { .. }
                | Rule::FavourableMark
                | Rule::MarkRequirement
                | Rule::Credit { .. }
                | Rule::Amount { .. }
                | Rule::Buffer { .. }
                | Rule::Cap { .. }
                | Rule::SpeedLimit { .. } => None,
            };
        }
        match &stage.rule {
            Rule::Liquidity { underlyings, .. } => {
                charge.groups = underlyings
                    .iter()
                    .map(|(name, t)| (name.clone(), *t))
                    .collect();
            }
            Rule::Scale { of, .. } | Rule::PositionLimit { of, .. } => {
                for name in of {
                    match names.iter().position(|n| n == name) {
                        Some(at) => charge.of.push(at),
                        None => fail!(
                            InvalidInput,
                            "'{name}' is no earlier stage: those are {}",
                            names.join(", ")
                        ),
                    }
                }
            }
            // Read no earlier stage.
            Rule::GrossFloor { .. }
            | Rule::FlatRate { .. }
            | Rule::CloseOut { .. }
            | Rule::Impact { .. }
            | Rule::TickValue { .. }
            | Rule::SideRate { .. }
            | Rule::RoundUp { .. }
            | Rule::FavourableMark
            | Rule::MarkRequirement
            | Rule::Credit { .. }
            | Rule::Amount { .. }
            | Rule::Buffer { .. }
            | Rule::Cap { .. }
            | Rule::SpeedLimit { .. } => {}
        }
        Ok(charge)
    }
}

/// The account's values that several stages read.
#[derive(Debug, Default)]
pub(super) struct Standing {
    pub(super) gross_long: f64,
    pub(super) gross_short: f64,
    pub(super) net: f64,
    /// Value plus cash: what has been gained since the positions were paid for.
    pub(super) mark: f64,
}

/// Runs the stages; `totals` starts with the sum of all netting sets.
pub(super) fn run<L: Ledger + ?Sized>(
    charges: &[Charge],
    account: AccountView<'_>,
    worth: &[Worth],
    standing: &Standing,
    totals: &mut Vec<f64>,
    sides: &mut Vec<(u32, f64, f64)>,
    ledger: &mut L,
) {
    for charge in charges {
        let before = totals.len();
        let running = totals.iter().fold(0.0, |a, t| a + t);
        let amount = charge.amount(account, worth, standing, totals, running, sides, ledger);
        totals.push(amount);
        debug_assert_eq!(totals.len(), before + 1);
    }
}

impl Charge {
    /// Writes the stage's lines and returns their sum.
    fn amount<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        worth: &[Worth],
        standing: &Standing,
        totals: &[f64],
        running: f64,
        sides: &mut Vec<(u32, f64, f64)>,
        ledger: &mut L,
    ) -> f64 {
        let of = || self.of.iter().fold(0.0, |sum, &at| sum + totals[at]);
        let amount = match &self.rule {
            Rule::GrossFloor { rate } => larger(
                rate * larger(standing.gross_long, standing.gross_short) - running,
                0.0,
            ),
            Rule::FlatRate { multiplier, .. } => {
                self.add_sides(account, worth, sides);
                multiplier * sides.iter().fold(0.0, |sum, s| sum + larger(s.1, s.2))
            }
            Rule::SideRate { .. } => {
                let positions = account.positions;
                (0..positions.len()).fold(0.0, |sum, i| {
                    let row = positions.contract[i] as usize;
                    let Some((_, long, short)) = self.rows[row] else {
                        return sum;
                    };
                    let value = positions.net(i) as f64 * worth[row].value;
                    sum + (value * if value < 0.0 { short } else { long }).abs()
                })
            }
            Rule::TickValue { .. } => {
                let positions = account.positions;
                (0..positions.len()).fold(0.0, |sum, i| {
                    let row = positions.contract[i] as usize;
                    let Some((_, per_unit, _)) = self.rows[row] else {
                        return sum;
                    };
                    let lots = (positions.long(i) + positions.short(i)) as f64;
                    sum + lots * worth[row].units * per_unit
                })
            }
            Rule::CloseOut { kappa, beta, .. } => self.of_lots(account, |lots, half, volume| {
                half * lots * (1.0 + kappa * (lots / volume).powf(*beta))
            }),
            Rule::Impact { scale, .. } => self.of_lots(account, |lots, value, volume| {
                scale * value * lots * (lots / volume).sqrt()
            }),
            Rule::Liquidity {
                hedge, rounding, ..
            } => {
                return self.liquidity(account, sides, *hedge, *rounding, ledger);
            }
            Rule::Scale {
                factor,
                days,
                rounding,
                ..
            } => {
                let factor = factor.unwrap_or_else(|| days.map_or(0.0, |d| d.sqrt() - 1.0));
                round_to(factor * of(), *rounding)
            }
            Rule::RoundUp { unit } => round_up(running, *unit) - running,
            Rule::PositionLimit {
                capital,
                multiplier,
                cap,
                rate,
                unit,
                rounding,
                ..
            } => {
                let net = standing.net.abs();
                let excess = net - smaller(capital * multiplier, *cap);
                if excess > 0.0 {
                    round_to(excess / net * round_up(of(), *unit) * rate, *rounding)
                } else {
                    0.0
                }
            }
            Rule::FavourableMark => -smaller(larger(standing.mark, 0.0), larger(running, 0.0)),
            Rule::MarkRequirement => larger(-standing.mark, 0.0),
            Rule::Credit { amount } => -smaller(*amount, larger(running, 0.0)),
            Rule::Amount { amount } => *amount,
            Rule::Buffer { rate, release } => {
                larger(smaller((1.0 + rate) * running, *release) - running, 0.0)
            }
            Rule::Cap { amount } => smaller(amount - running, 0.0),
            Rule::SpeedLimit { previous, limit } => smaller(previous * limit - running, 0.0),
        };
        self.line("account", amount, ledger);
        amount
    }

    /// A sum over contracts of what their net lots cost, by the stage's two numbers of each.
    fn of_lots(&self, account: AccountView<'_>, cost: impl Fn(f64, f64, f64) -> f64) -> f64 {
        let positions = account.positions;
        (0..positions.len()).fold(0.0, |sum, i| {
            match self.rows[positions.contract[i] as usize] {
                Some((_, a, b)) => sum + cost(positions.net(i).unsigned_abs() as f64, a, b),
                None => sum,
            }
        })
    }

    fn line<L: Ledger + ?Sized>(&self, scope: &str, amount: f64, ledger: &mut L) {
        if amount != 0.0 {
            ledger.line(0, amount, amount, &|| {
                LineText::new(scope, self.name.as_str())
            });
        }
    }

    /// Rate times value of each group's long and short side; groups in order.
    fn add_sides(
        &self,
        account: AccountView<'_>,
        worth: &[Worth],
        sides: &mut Vec<(u32, f64, f64)>,
    ) {
        sides.clear();
        let positions = account.positions;
        for i in 0..positions.len() {
            let row = positions.contract[i] as usize;
            let Some((group, long, short)) = self.rows[row] else {
                continue;
            };
            let value = worth[row].value;
            let (up, down) = (
                positions.long(i) as f64 * value * long,
                positions.short(i) as f64 * value * short,
            );
            match sides.iter_mut().find(|s| s.0 == group) {
                Some(side) => {
                    side.1 += up;
                    side.2 += down;
                }
                None => sides.push((group, up, down)),
            }
        }
        sides.sort_unstable_by_key(|s| s.0);
    }

    fn liquidity<L: Ledger + ?Sized>(
        &self,
        account: AccountView<'_>,
        sides: &mut Vec<(u32, f64, f64)>,
        hedge: Option<Threshold>,
        rounding: f64,
        ledger: &mut L,
    ) -> f64 {
        sides.clear();
        sides.extend((0..self.groups.len() as u32).map(|g| (g, 0.0, 0.0)));
        let positions = account.positions;
        for i in 0..positions.len() {
            if let Some((group, delta, _)) = self.rows[positions.contract[i] as usize] {
                sides[group as usize].1 += positions.net(i) as f64 * delta;
            }
        }
        let above = |delta: f64, t: &Threshold| {
            let excess = delta.abs() - t.threshold;
            if excess > 0.0 {
                round_to(excess * t.rate, rounding)
            } else {
                0.0
            }
        };
        let (mut sum, mut hedged) = (0.0, 0.0);
        for ((name, threshold), &(_, delta, _)) in self.groups.iter().zip(sides.iter()) {
            let own = above(delta, threshold);
            hedged += threshold.beta * delta;
            self.line(name, own, ledger);
            sum += own;
        }
        if let Some(threshold) = hedge {
            let own = above(hedged, &threshold);
            self.line("account", own, ledger);
            sum += own;
        }
        sum
    }

    /// Each underlying's delta and the beta-weighted sum, for explanations; nothing for other stages.
    pub(super) fn deltas(&self, account: AccountView<'_>) -> Option<(Vec<(String, f64)>, f64)> {
        let positions = account.positions;
        let delta = |group: usize| {
            (0..positions.len()).fold(0.0, |sum, i| {
                match self.rows[positions.contract[i] as usize] {
                    Some((own, delta, _)) if own as usize == group => {
                        sum + positions.net(i) as f64 * delta
                    }
                    _ => sum,
                }
            })
        };
        let deltas: Vec<(String, f64)> = self
            .groups
            .iter()
            .enumerate()
            .map(|(g, (name, _))| (name.clone(), delta(g)))
            .collect();
        let hedged = self
            .groups
            .iter()
            .zip(&deltas)
            .fold(0.0, |sum, ((_, t), (_, d))| sum + t.beta * d);
        (!deltas.is_empty()).then_some((deltas, hedged))
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }
}
