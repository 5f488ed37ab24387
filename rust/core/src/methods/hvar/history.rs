//! Dated tables of history and the returns made from them.
//!
//! Steps count returns, oldest first: step `i` of a table of levels leads from row `i` to row `i + 1`.

use std::collections::HashMap;

use super::parameters::{HistoryKind, HistoryTable, Parameters, ReturnRule};
use crate::error::Result;
use crate::fail;
use crate::methods::registry::Attachments;
use crate::pricing::math;
use crate::time::parse_date;

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
                InvalidInput,
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
        let Some((shape, values)) = table else {
            fail!(
                MissingData,
                "the numbers are not given: a table of rows by factors is needed"
            );
        };
        let &[rows, columns] = shape.as_slice() else {
            fail!(
                InvalidInput,
                "a table of rows by factors is needed, not of shape {shape:?}"
            );
        };
        if columns != words.columns.len() {
            fail!(
                InvalidInput,
                "{columns} columns of numbers for {} factors",
                words.columns.len()
            );
        }
        if !words.dates.is_empty() && words.dates.len() != rows {
            fail!(InvalidInput, "{} dates for {rows} rows", words.dates.len());
        }
        for pair in words.dates.windows(2) {
            if parse_date(&pair[0])? >= parse_date(&pair[1])? {
                fail!(
                    InvalidInput,
                    "dates ascend without repeats: {} stands before {}",
                    pair[0],
                    pair[1]
                );
            }
        }
        let mut index = HashMap::with_capacity(columns);
        for (i, name) in words.columns.iter().enumerate() {
            if index.insert(name.clone(), i).is_some() {
                fail!(InvalidInput, "factor '{name}' has two columns");
            }
        }
        let history = Self {
            name: name.to_string(),
            words: words.clone(),
            index,
            rows,
            values: values.clone(),
        };
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            fail!(
                InvalidInput,
                "factor '{}' on {} is {}: every number is finite, a missing one cannot be skipped",
                words.columns[at % columns],
                history.row_label(at / columns),
                values[at]
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
                MissingData,
                "hvar: history '{}' has no return for {date}",
                self.name
            ),
        }
    }

    /// A column's returns over `span` days by step; the first `span - 1` steps have none and hold zero.
    pub(super) fn returns(&self, column: usize, rule: ReturnRule, span: usize) -> Result<Vec<f64>> {
        let value = |row: usize| self.values[row * self.words.columns.len() + column];
        let mut returns = vec![0.0; self.steps()];
        for (step, out) in returns.iter_mut().enumerate().skip(span - 1) {
            *out = match self.words.kind {
                HistoryKind::Levels => {
                    let (before, after) = (step + 1 - span, step + 1);
                    for row in [before, after] {
                        if rule.shift().is_some_and(|by| value(row) + by <= 0.0) {
                            fail!(
                                InvalidInput,
                                "hvar: non-positive price: factor '{}' on {} is {}: its {} return does not exist; use \
                                 absolute or displaced returns for this factor",
                                self.words.columns[column],
                                self.row_label(row),
                                value(row),
                                if rule == ReturnRule::Log {
                                    "log"
                                } else {
                                    "relative"
                                },
                            );
                        }
                    }
                    rule.change(value(before), value(after))
                }
                HistoryKind::Returns => {
                    let own = (step + 1 - span..=step).map(value);
                    match rule {
                        ReturnRule::Log | ReturnRule::Absolute => own.fold(0.0, |a, r| a + r),
                        ReturnRule::Relative | ReturnRule::Displaced(_) if span == 1 => value(step),
                        _ => own.fold(1.0, |a, r| a * (1.0 + r)) - 1.0,
                    }
                }
            };
        }
        Ok(returns)
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

    fn change(self, from: f64, to: f64) -> f64 {
        match self {
            Self::Relative => to / from - 1.0,
            Self::Log => math::ln(to / from),
            Self::Absolute => to - from,
            Self::Displaced(by) => (to + by) / (from + by) - 1.0,
        }
    }

    /// A return as the move it makes: a fraction of the price (of the displaced price), or an amount.
    pub(super) fn applied(self, r: f64) -> f64 {
        match self {
            Self::Log => math::exp(r) - 1.0,
            _ => r,
        }
    }
}
