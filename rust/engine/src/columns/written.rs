//! A table of contracts as columns again: what [`super::TermColumns::contracts`] reads.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::form::{Form, TermColumns, TextColumn};

/// A column of a term as it grows, a row at a time.
#[derive(Default)]
pub(super) struct Writer {
    text: Distinct,
    numbers: Vec<f64>,
    flags: Vec<bool>,
    named: BTreeMap<String, Distinct>,
    rows: usize,
    /// Rows that leave the term out.
    absent: Vec<usize>,
}

/// A column of text as it grows, with its distinct values.
#[derive(Default)]
pub struct Distinct {
    column: TextColumn,
    known: HashMap<String, u32, RandomState>,
    last: Option<u32>,
}

impl Distinct {
    /// Adds a row; gives the code of its value.
    pub fn push(&mut self, text: &str) -> u32 {
        let values = &mut self.column.values;
        let code = match self.last {
            Some(last) if values[last as usize] == text => last,
            _ => match self.known.get(text) {
                Some(&code) => code,
                None => {
                    let code = values.len() as u32;
                    values.push(text.to_string());
                    self.known.insert(text.to_string(), code);
                    code
                }
            },
        };
        self.last = Some(code);
        self.column.codes.push(code);
        code
    }

    /// Adds a row with a value of a code.
    pub fn again(&mut self, code: u32) {
        self.column.codes.push(code);
    }

    /// Adds a row with a value that no other row is expected to have: it is not looked for.
    pub fn push_new(&mut self, text: &str) {
        self.column.codes.push(self.column.values.len() as u32);
        self.column.values.push(text.to_string());
    }

    /// The column.
    pub fn column(self) -> TextColumn {
        self.column
    }

    /// Leaves rows out up to this one.
    fn pad(&mut self, rows: usize) {
        while self.column.codes.len() < rows {
            self.push("");
        }
    }
}

impl Writer {
    pub(super) fn leave_out(&mut self) {
        self.absent.push(self.rows);
        self.rows += 1;
    }

    pub(super) fn text(&mut self, text: &str) {
        self.text.pad(self.rows);
        self.text.push(text);
        self.rows += 1;
    }

    pub(super) fn number(&mut self, number: f64) {
        self.numbers.resize(self.rows, 0.0);
        self.numbers.push(number);
        self.rows += 1;
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.flags.push(flag);
        self.rows += 1;
    }

    pub(super) fn named(&mut self, named: &BTreeMap<String, String>) {
        for (name, text) in named {
            let column = self.named.entry(name.clone()).or_default();
            column.pad(self.rows);
            column.push(text);
        }
        self.rows += 1;
    }

    /// Adds the column, where any row states the term.
    pub(super) fn done(mut self, name: &str, form: Form, columns: &mut TermColumns) {
        let name = name.to_string();
        if self.absent.len() == self.rows {
            return;
        }
        match form {
            Form::Text | Form::Words => {
                self.text.pad(self.rows);
                columns.text.insert(name, self.text.column);
            }
            Form::Number => {
                self.numbers.resize(self.rows, 0.0);
                // Left out, these two are the multiplier, which every contract has.
                if let Some(multiplier) = columns.numbers.get("multiplier")
                    && name != "strike"
                {
                    for &row in &self.absent {
                        self.numbers[row] = multiplier[row];
                    }
                }
                columns.numbers.insert(name, self.numbers);
            }
            Form::Flag => {
                columns.flags.insert(name, self.flags);
            }
            Form::Named => {
                for column in self.named.values_mut() {
                    column.pad(self.rows);
                }
                if !self.named.is_empty() {
                    let named = self.named.into_iter().map(|(name, own)| (name, own.column));
                    columns.named.insert(name, named.collect());
                }
            }
        }
    }
}
