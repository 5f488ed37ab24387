//! Requirements and their explanation: lines that add up to the total, always.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use kernel::error::Result;
use kernel::parallel;

/// One term of a requirement. Credits are negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Whom the term is about: a class group, a commodity, a currency.
    pub scope: String,
    /// The rulebook's own name for the term.
    pub component: String,
    pub initial: f64,
    pub maintenance: f64,
    pub currency: String,
    /// Units of the report's currency for one of `currency`.
    pub fx: f64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
}

/// The numbers of a requirement, without their explanation, on the basis `equity_required`: what the liquidating
/// equity (cash, option value and collateral) must reach. In the report's currency.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Requirement {
    pub initial: f64,
    pub maintenance: f64,
    /// Liquidating value of the premium-style options held; positive for an asset.
    pub net_option_value: f64,
    /// Index of the account's worst scenario in the rulebook's own list, where it has one.
    pub worst_scenario: Option<u32>,
    /// Where positions are paired: by how much at most a cheaper pairing could lower either requirement. Zero where the
    /// minimum is proven, `None` where nothing is paired.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pairing_gap: Option<f64>,
}

impl Requirement {
    /// The initial requirement on the basis of exchanges that count no option value as equity: SPAN's total, a venue's
    /// standard margin of a short option.
    pub fn less_option_value(&self) -> f64 {
        self.initial - self.net_option_value
    }
}

/// An amount as text: two decimals or more, as many as six significant digits need, at most eight: coins show.
/// Thousands are set apart.
pub fn amount_text(amount: f64) -> String {
    if !amount.is_finite() {
        return amount.to_string();
    }
    let digits = if amount == 0.0 {
        2
    } else {
        (5 - amount.abs().log10().floor() as i32).clamp(2, 8) as usize
    };
    let text = format!("{amount:.digits$}");
    let (whole, decimals) = text.split_once('.').expect("two decimals at least");
    let (kept, rest) = decimals.split_at(2);
    let (sign, whole) = whole.split_at(usize::from(whole.starts_with('-')));
    // What rounds to nothing has no sign.
    let is_zero = text.chars().all(|c| matches!(c, '-' | '0' | '.'));
    let mut out = if is_zero { "" } else { sign }.to_string();
    for (i, digit) in whole.chars().enumerate() {
        if i > 0 && (whole.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out + "." + kept + rest.trim_end_matches('0')
}

/// A worst scenario in words: its label, or that every line has its own; nothing without scenarios.
pub fn worst_text(scenario: Option<&str>, of_lines: bool) -> Option<&str> {
    scenario.or(of_lines.then_some("per line"))
}

/// Which parameters made a number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ParameterInfo {
    pub name: String,
    pub version: String,
    pub effective: String,
    pub source: String,
    /// SHA-256 of the parameters in hexadecimal.
    pub digest: String,
    /// The newest preset of the same rulebook that was in force at the valuation, with its date, where these parameters
    /// are older; else empty.
    #[serde(default)]
    pub superseded_by: String,
}

/// Sensitivities of an account to one underlying; units in [`crate::greeks`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct UnderlyingGreeks {
    pub underlying: String,
    pub currency: String,
    pub delta: f64,
    pub gamma: f64,
    pub vega: f64,
    pub theta: f64,
    pub rho: f64,
    /// Options held that the rulebook does not price, such as those with an exchange's own values: not in the sums.
    pub excluded: Vec<String>,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningCode {
    /// Newer parameters were in force at the valuation.
    SupersededPreset,
    /// The parameters are of a date after the valuation.
    NotYetInForce,
    /// An interest rate that looks like a percentage.
    UnusualRate,
    /// A dividend yield that looks like a percentage.
    UnusualYield,
    /// A volatility that looks like a percentage, or a fraction of one.
    UnusualVol,
    /// Marks were kept while what they are written on moved.
    KeptMarks,
    /// An option's mark is far below what it is worth at least.
    MarkBelowBound,
    /// An option's mark is far above what it is worth at most.
    MarkAboveBound,
}

/// Something suspicious in the input, which is no error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Warning {
    pub code: WarningCode,
    /// What it is about, as errors name it: `vol of 'X'`.
    #[serde(rename = "where")]
    pub place: String,
    /// The number or text found there.
    pub value: Value,
    pub message: String,
    /// The rule or bound it is held against.
    pub source: String,
}

/// A requirement with everything that explains it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct MarginReport {
    pub methodology: String,
    pub parameters: ParameterInfo,
    pub valuation: Option<String>,
    pub currency: String,
    pub requirement: Requirement,
    /// The cash that must stand in the account once its trades have settled, in the report's currency: the initial
    /// requirement less the value of all positions that are paid in full and of collateral after haircuts. Negative where
    /// these are worth more. Not what must be brought: that is the initial requirement.
    ///
    /// A rulebook knows no marks and leaves it out: [`crate::preparation::Preparation::margin`] and
    /// [`crate::live::LiveAccount::report`] fill it in. `None` where a mark, an exchange rate or a haircut is missing.
    pub cash_balance_required: Option<f64>,
    pub lines: Vec<Line>,
    /// The worst scenario's label, where the rulebook has scenarios and one is the worst of the whole account.
    pub worst_scenario: Option<String>,
    /// The rulebook's intermediate results, under its own names.
    pub details: Value,
    /// Sensitivities per underlying, where the rulebook prices options; units in [`crate::greeks`].
    pub greeks: Vec<UnderlyingGreeks>,
    /// What is suspicious in the input and cannot be refused. A rulebook leaves it out: a prepared one has it. A document
    /// without any has no such key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<Warning>,
}

impl MarginReport {
    /// [`worst_text`] of the report.
    pub fn worst_text(&self) -> Option<&str> {
        let of_lines = self.lines.iter().any(|l| l.scenario.is_some());
        worst_text(self.worst_scenario.as_deref(), of_lines)
    }

    /// Whether the lines, summed per currency in order and converted, give the requirement to the last bit.
    pub fn adds_up(&self) -> bool {
        let (initial, maintenance) = self.totals().iter().fold((0.0, 0.0), |(i, m), t| {
            (i + t.initial * t.fx, m + t.maintenance * t.fx)
        });
        initial == self.requirement.initial && maintenance == self.requirement.maintenance
    }

    /// Sums of initial and maintenance by a word of the lines, converted, in the order the words first appear.
    pub fn grouped<'a>(
        &'a self,
        key: impl Fn(&'a Line) -> &'a String,
    ) -> Vec<(&'a str, (f64, f64))> {
        let mut groups: Vec<(&str, (f64, f64))> = Vec::new();
        for line in &self.lines {
            let name = key(line);
            let at = groups.iter().position(|g| g.0 == name).unwrap_or_else(|| {
                groups.push((name, (0.0, 0.0)));
                groups.len() - 1
            });
            groups[at].1.0 += line.initial * line.fx;
            groups[at].1.1 += line.maintenance * line.fx;
        }
        groups
    }

    /// One line per currency, in the order the currencies first appear.
    pub fn totals(&self) -> Vec<Line> {
        let mut totals: Vec<Line> = Vec::new();
        for line in &self.lines {
            let at = totals
                .iter()
                .position(|t| t.currency == line.currency)
                .unwrap_or_else(|| {
                    totals.push(Line {
                        scope: "account".into(),
                        component: "total".into(),
                        initial: 0.0,
                        maintenance: 0.0,
                        scenario: None,
                        ..line.clone()
                    });
                    totals.len() - 1
                });
            totals[at].initial += line.initial;
            totals[at].maintenance += line.maintenance;
        }
        totals
    }
}

/// Requirements of many accounts as columns.
#[derive(Debug, Clone, Default)]
pub struct MarginBatch {
    pub initial: Vec<f64>,
    pub maintenance: Vec<f64>,
    pub net_option_value: Vec<f64>,
    /// -1 where the rulebook has no scenarios, or the account no single worst one.
    pub worst_scenario: Vec<i32>,
    /// NaN where the rulebook pairs nothing: see [`Requirement::pairing_gap`].
    pub pairing_gap: Vec<f64>,
}

/// The columns of a run of accounts, to be filled.
pub(crate) struct BatchRun<'a> {
    initial: &'a mut [f64],
    maintenance: &'a mut [f64],
    net_option_value: &'a mut [f64],
    worst_scenario: &'a mut [i32],
    pairing_gap: &'a mut [f64],
}

impl MarginBatch {
    /// The requirements of `count` accounts: runs of at most `run` of them, on up to `threads` threads, each run given by
    /// its first account. Fewer than `least` accounts a thread are not worth one.
    pub fn gather(
        count: usize,
        threads: usize,
        least: usize,
        run: usize,
        requirements: impl Fn(usize, &mut [Requirement]) -> Result<()> + Sync,
    ) -> Result<Self> {
        let threads = threads.clamp(1, count.div_ceil(least).max(1));
        let run = run.min(count.div_ceil(threads)).max(1);
        let mut batch = Self::of(count);
        parallel::each(batch.runs(run), threads, |(i, columns)| {
            let mut rows = vec![Requirement::default(); columns.len()];
            requirements(i * run, &mut rows)?;
            columns.fill(&rows);
            Ok(())
        })?;
        Ok(batch)
    }

    /// Columns of `count` accounts, in memory that is touched first by whoever fills it.
    fn of(count: usize) -> Self {
        Self {
            initial: vec![0.0; count],
            maintenance: vec![0.0; count],
            net_option_value: vec![0.0; count],
            worst_scenario: vec![0; count],
            pairing_gap: vec![0.0; count],
        }
    }

    /// Runs of `length` accounts, the last one shorter, numbered from 0.
    fn runs(&mut self, length: usize) -> impl Iterator<Item = (usize, BatchRun<'_>)> {
        let initial = self.initial.chunks_mut(length);
        let maintenance = self.maintenance.chunks_mut(length);
        let net_option_value = self.net_option_value.chunks_mut(length);
        let worst_scenario = self.worst_scenario.chunks_mut(length);
        let pairing_gap = self.pairing_gap.chunks_mut(length);
        let columns = initial
            .zip(maintenance)
            .zip(net_option_value.zip(worst_scenario))
            .zip(pairing_gap);
        let run = |(((initial, maintenance), (value, scenario)), pairing_gap)| BatchRun {
            initial,
            maintenance,
            net_option_value: value,
            worst_scenario: scenario,
            pairing_gap,
        };
        columns.map(run).enumerate()
    }
}

impl BatchRun<'_> {
    pub(crate) fn len(&self) -> usize {
        self.initial.len()
    }

    fn fill(self, rows: &[Requirement]) {
        for (i, row) in rows.iter().enumerate() {
            self.initial[i] = row.initial;
            self.maintenance[i] = row.maintenance;
            self.net_option_value[i] = row.net_option_value;
            self.worst_scenario[i] = row.worst_scenario.map_or(-1, |s| s as i32);
            self.pairing_gap[i] = row.pairing_gap.unwrap_or(f64::NAN);
        }
    }
}

/// Where a rulebook writes the terms of a requirement. The sum is kept by the ledger, so that numbers with and
/// without their explanation come from one piece of code and agree to the last bit.
pub trait Ledger {
    /// `currency` indexes the rulebook's currency table; `text` is called only where lines are kept.
    fn line(
        &mut self,
        currency: usize,
        initial: f64,
        maintenance: f64,
        text: &dyn Fn() -> LineText,
    );
}

/// The words of a line.
pub struct LineText {
    pub scope: String,
    pub component: String,
    pub scenario: Option<String>,
}

impl LineText {
    pub fn new(scope: impl Into<String>, component: impl Into<String>) -> Self {
        Self {
            scope: scope.into(),
            component: component.into(),
            scenario: None,
        }
    }

    #[must_use]
    pub fn in_scenario(mut self, label: impl Into<String>) -> Self {
        self.scenario = Some(label.into());
        self
    }
}

/// Currencies of a prepared rulebook: the report's own and the rates into it, fixed at preparation.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Currencies {
    names: Vec<String>,
    fx: Vec<f64>,
}

impl Currencies {
    /// The first currency is the report's.
    pub fn new(report: &str) -> Self {
        Self {
            names: vec![report.to_string()],
            fx: vec![1.0],
        }
    }

    /// The index of a currency, added with its rate into the report's currency where it is new.
    pub fn add(&mut self, name: &str, fx: f64) -> usize {
        self.index(name).unwrap_or_else(|| {
            self.names.push(name.to_string());
            self.fx.push(fx);
            self.names.len() - 1
        })
    }

    /// Their names, the report's first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|n| n == name)
    }

    pub fn name(&self, index: usize) -> &str {
        &self.names[index]
    }

    pub fn fx(&self, index: usize) -> f64 {
        self.fx[index]
    }

    pub fn report(&self) -> &str {
        &self.names[0]
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }
}

/// A ledger that only sums: per currency left to right, then converted in the order currencies first appear.
#[derive(Debug, Default)]
pub struct Totals {
    sums: Vec<(usize, f64, f64)>,
}

impl Totals {
    pub fn clear(&mut self) {
        self.sums.clear();
    }

    /// Initial and maintenance in the report's currency.
    pub fn converted(&self, currencies: &Currencies) -> (f64, f64) {
        self.sums
            .iter()
            .fold((0.0, 0.0), |(i, m), &(c, initial, maintenance)| {
                (
                    i + initial * currencies.fx(c),
                    m + maintenance * currencies.fx(c),
                )
            })
    }
}

impl Ledger for Totals {
    fn line(&mut self, currency: usize, initial: f64, maintenance: f64, _: &dyn Fn() -> LineText) {
        if let Some(sum) = self.sums.iter_mut().find(|s| s.0 == currency) {
            sum.1 += initial;
            sum.2 += maintenance;
        } else {
            // Zero plus the amount, as a report starts its own sums: -0.0 becomes 0.0 in both.
            self.sums.push((currency, 0.0 + initial, 0.0 + maintenance));
        }
    }
}

/// A ledger that keeps the lines.
pub(crate) struct Lines<'a> {
    pub(crate) totals: Totals,
    pub(crate) lines: Vec<Line>,
    pub(crate) currencies: &'a Currencies,
}

impl Ledger for Lines<'_> {
    fn line(
        &mut self,
        currency: usize,
        initial: f64,
        maintenance: f64,
        text: &dyn Fn() -> LineText,
    ) {
        self.totals.line(currency, initial, maintenance, text);
        let text = text();
        self.lines.push(Line {
            scope: text.scope,
            component: text.component,
            initial,
            maintenance,
            currency: self.currencies.name(currency).to_string(),
            fx: self.currencies.fx(currency),
            scenario: text.scenario,
        });
    }
}

#[cfg(test)]
mod tests;
