//! Dated tables of history and the returns made from them.
//!
//! Steps count returns, oldest first: step `i` of a table of levels leads from row `i` to row `i + 1`.

use std::collections::HashMap;

use super::parameters::{HistoryKind, HistoryTable, Parameters, ReturnRule};
use engine::parameters::Attachments;
use engine::time::parse_date;
use kernel::error::Result;
use kernel::fail;
use kernel::pricing::math;
use kernel::simd::{self, Kernel};

/// One checked table of history.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) name: String,
    words: HistoryTable,
    index: HashMap<String, usize>,
    rows: usize,
    /// Row-major `(rows, columns)`.
    values: Vec<f64>,
}

impl History {
    pub(super) fn all(parameters: &Parameters, tables: &Attachments) -> Result<Vec<Self>> {
        let known: Vec<&String> = parameters.histories.keys().collect();
        if let Some(name) = tables
            .keys()
            .find(|n| !parameters.histories.contains_key(*n))
        {
            fail!(
                InvalidInput: UnknownName;
                "hvar: no words for the table '{name}'; known are {known:?}"
            );
        }
        parameters
            .histories
            .iter()
            .map(|(name, words)| {
                Self::new(name, words, tables.get(name))
                    .map_err(|e| e.at(format!("history '{name}'")))
            })
            .collect()
    }

    fn new(
        name: &str,
        words: &HistoryTable,
        table: Option<&(Vec<usize>, Vec<f64>)>,
    ) -> Result<Self> {
        let mut words = words.clone();
        let (shape, values) = match (table, words.values.take()) {
            (Some((shape, values)), None) => (shape.clone(), values.clone()),
            (None, Some(rows)) => {
                let columns = words.columns.len();
                if let Some(at) = rows.iter().position(|r| r.len() != columns) {
                    fail!(
                        InvalidInput,
                        "values row {at} has {} numbers for {columns} factors",
                        rows[at].len()
                    );
                }
                (vec![rows.len(), columns], rows.concat())
            }
            _ => fail!(
                MissingData: MissingParameter;
                "the numbers are needed once: a table of rows by factors, or values in the document"
            ),
        };
        let &[rows, columns] = shape.as_slice() else {
            fail!(
                InvalidInput: WrongShape;
                "a table of rows by factors is needed, not of shape {shape:?}"
            );
        };
        if columns != words.columns.len() {
            fail!(
                InvalidInput: WrongShape;
                "{columns} columns of numbers for {} factors",
                words.columns.len()
            );
        }
        if !words.dates.is_empty() && words.dates.len() != rows {
            fail!(InvalidInput: BadTime; "{} dates for {rows} rows", words.dates.len());
        }
        for pair in words.dates.windows(2) {
            if parse_date(&pair[0])? >= parse_date(&pair[1])? {
                fail!(
                    InvalidInput: Contradiction;
                    "dates ascend without repeats: {} stands before {}",
                    pair[0],
                    pair[1]
                );
            }
        }
        let mut index = HashMap::with_capacity(columns);
        for (i, name) in words.columns.iter().enumerate() {
            if index.insert(name.clone(), i).is_some() {
                fail!(InvalidInput: Duplicate; "factor '{name}' has two columns");
            }
        }
        let history = Self {
            name: name.to_string(),
            words,
            index,
            rows,
            values,
        };
        if let Some(at) = history.values.iter().position(|v| !v.is_finite()) {
            fail!(
                InvalidInput: OutOfRange;
                "factor '{}' on {} is {}: every number is finite, a missing one cannot be skipped",
                history.words.columns[at % columns],
                history.row_label(at / columns),
                history.values[at]
            );
        }
        Ok(history)
    }

    pub(super) fn column(&self, factor: &str) -> Option<usize> {
        self.index.get(factor).copied()
    }

    /// Returns of one day in the table.
    pub(super) fn steps(&self) -> usize {
        match self.words.kind {
            HistoryKind::Levels => self.rows.saturating_sub(1),
            HistoryKind::Returns => self.rows,
        }
    }

    fn row_label(&self, row: usize) -> String {
        match self.words.dates.get(row) {
            Some(date) => date.clone(),
            None => format!("row {}", row + 1),
        }
    }

    /// The row in which a step ends.
    fn row_of(&self, step: usize) -> usize {
        match self.words.kind {
            HistoryKind::Levels => step + 1,
            HistoryKind::Returns => step,
        }
    }

    /// The date a step ends on, where the table has dates.
    pub(super) fn date(&self, step: usize) -> Option<&str> {
        self.words.dates.get(self.row_of(step)).map(String::as_str)
    }

    pub(super) fn last_date(&self) -> Option<&str> {
        self.words.dates.last().map(String::as_str)
    }

    /// The step that ends on a date.
    pub(super) fn step_on(&self, date: &str) -> Result<usize> {
        let row = self.words.dates.binary_search_by(|d| d.as_str().cmp(date));
        match (row, self.words.kind) {
            (Ok(row), HistoryKind::Returns) => Ok(row),
            (Ok(row), HistoryKind::Levels) if row > 0 => Ok(row - 1),
            _ => fail!(
                MissingData: MissingHistory;
                "hvar: history '{}' has no return for {date}",
                self.name
            ),
        }
    }

    /// A column's returns over `span` days by step; the first `span - 1` steps have none and hold zero.
    pub(super) fn returns(&self, column: usize, rule: ReturnRule, span: usize) -> Result<Vec<f64>> {
        let width = self.words.columns.len();
        let values: Vec<f64> = self
            .values
            .iter()
            .skip(column)
            .step_by(width)
            .copied()
            .collect();
        if self.words.kind == HistoryKind::Levels {
            self.refuse_non_positive(column, rule, &values)?;
        }
        let mut returns = vec![0.0; self.steps()];
        simd::run(Returns {
            values: &values,
            kind: self.words.kind,
            rule,
            span,
            out: &mut returns,
        });
        Ok(returns)
    }

    fn refuse_non_positive(&self, column: usize, rule: ReturnRule, levels: &[f64]) -> Result<()> {
        let Some(shift) = rule.shift() else {
            return Ok(());
        };
        if let Some(row) = levels.iter().position(|level| level + shift <= 0.0) {
            let name = if rule == ReturnRule::Log {
                "log"
            } else {
                "relative"
            };
            fail!(
                InvalidInput: OutOfRange;
                "hvar: non-positive price: factor '{}' on {} is {}: its {name} return does not exist; use absolute or \
                 displaced returns for this factor",
                self.words.columns[column],
                self.row_label(row),
                levels[row],
            );
        }
        Ok(())
    }
}

/// Returns of one column, from its levels or its returns of one day.
struct Returns<'a> {
    values: &'a [f64],
    kind: HistoryKind,
    rule: ReturnRule,
    span: usize,
    out: &'a mut [f64],
}

impl Kernel for Returns<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let span = self.span;
        let out = self.out.iter_mut().skip(span - 1);
        match (self.kind, self.rule) {
            (HistoryKind::Levels, rule) => {
                for ((out, &from), &to) in out
                    .zip(self.values)
                    .zip(&self.values[span.min(self.values.len())..])
                {
                    *out = rule.change(from, to);
                }
            }
            (HistoryKind::Returns, ReturnRule::Log | ReturnRule::Absolute) => {
                for (out, own) in out.zip(self.values.windows(span)) {
                    *out = own.iter().fold(0.0, |a, r| a + r);
                }
            }
            (HistoryKind::Returns, ReturnRule::Relative | ReturnRule::Displaced(_))
                if span == 1 =>
            {
                self.out.copy_from_slice(self.values)
            }
            (HistoryKind::Returns, ReturnRule::Relative | ReturnRule::Displaced(_)) => {
                for (out, own) in out.zip(self.values.windows(span)) {
                    *out = own.iter().fold(1.0, |a, r| a * (1.0 + r)) - 1.0;
                }
            }
        }
    }
}

impl ReturnRule {
    /// What is added to levels that must then be positive; `None` where any level will do.
    fn shift(self) -> Option<f64> {
        match self {
            Self::Relative | Self::Log => Some(0.0),
            Self::Absolute => None,
            Self::Displaced(by) => Some(by),
        }
    }

    #[inline(always)]
    fn change(self, from: f64, to: f64) -> f64 {
        match self {
            Self::Relative => to / from - 1.0,
            Self::Log => math::ln_ratio(to, from),
            Self::Absolute => to - from,
            Self::Displaced(by) => (to + by) / (from + by) - 1.0,
        }
    }

    /// Returns, each times `root`, as the moves they make times `multiplier`: fractions of the price (of the displaced
    /// price), or amounts.
    pub(super) fn apply(self, returns: &mut [f64], root: f64, multiplier: f64) {
        struct Apply<'a>(ReturnRule, &'a mut [f64], f64, f64);
        impl Kernel for Apply<'_> {
            type Output = ();
            #[inline(always)]
            fn run(self) {
                match self.0 {
                    ReturnRule::Log => {
                        for r in self.1 {
                            *r = (math::exp(*r * self.2) - 1.0) * self.3;
                        }
                    }
                    ReturnRule::Relative | ReturnRule::Absolute | ReturnRule::Displaced(_) => {
                        for r in self.1 {
                            *r = *r * self.2 * self.3;
                        }
                    }
                }
            }
        }
        simd::run(Apply(self, returns, root, multiplier));
    }
}
