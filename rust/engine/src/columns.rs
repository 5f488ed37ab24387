//! Contracts from columns: a chain or a clearing house's table without an object per row in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::contract::{Contract, Contracts, Kind, Terms};
use kernel::error::{MarginError, Result};
use kernel::fail;

/// A column of text: for each row, which of the few distinct values it holds.
#[derive(Debug, Clone)]
pub struct TextColumn {
    pub codes: Vec<u32>,
    pub values: Vec<String>,
}

/// The terms of many contracts by name. A column of one entry holds for every row.
#[derive(Debug, Clone, Default)]
pub struct TermColumns {
    pub text: BTreeMap<String, TextColumn>,
    pub numbers: BTreeMap<String, Vec<f64>>,
}

const TEXT: &[&str] = &[
    "id",
    "kind",
    "underlying",
    "right",
    "expiry",
    "settles",
    "exchange",
    "exercise",
    "multiplier_unit",
    "settlement",
    "premium",
    "currency",
    "deliverable",
    "venue",
];
const NUMBERS: &[&str] = &["strike", "multiplier", "lot"];

impl TermColumns {
    /// The table, or the first row that is not a contract. Empty text means left out.
    pub fn contracts(&self) -> Result<Arc<Contracts>> {
        let count = self.count()?;
        let kinds = self.parsed::<Kind>("kind")?;
        let (rights, exercises) = (self.parsed("right")?, self.parsed("exercise")?);
        let (settles, settlements, premiums) = (
            self.parsed("settles")?,
            self.parsed("settlement")?,
            self.parsed("premium")?,
        );
        let mut rows = Vec::with_capacity(count);
        for row in 0..count {
            let text = |name: &str| self.text(name, row).map(str::to_string);
            let required = |name: &str| match self.text(name, row) {
                Some(value) => Ok(value.to_string()),
                None => Err(MarginError::MissingData(format!(
                    "contracts row {row}: {name} is missing"
                ))),
            };
            let Some(kind) = self.pick("kind", &kinds, row) else {
                fail!(MissingData, "contracts row {row}: kind is missing");
            };
            // Strikes and rights of rows that are no options are padding.
            let is_option = kind == Kind::Option;
            let terms = Terms {
                id: text("id").unwrap_or_default(),
                kind,
                underlying: required("underlying")?,
                right: self.pick("right", &rights, row),
                strike: self.number("strike", row).filter(|_| is_option),
                expiry: text("expiry"),
                settles: self.pick("settles", &settles, row),
                exchange: text("exchange"),
                exercise: self.pick("exercise", &exercises, row),
                multiplier: self.number("multiplier", row),
                multiplier_unit: text("multiplier_unit"),
                settlement: self
                    .pick("settlement", &settlements, row)
                    .unwrap_or_default(),
                premium: self.pick("premium", &premiums, row).unwrap_or_default(),
                currency: required("currency")?,
                lot: self.number("lot", row).unwrap_or(1.0),
                deliverable: text("deliverable"),
                listed: true,
                venue: text("venue"),
                aliases: BTreeMap::new(),
            };
            rows.push(Arc::new(
                Contract::new(terms).map_err(|e| e.at(format!("contracts row {row}")))?,
            ));
        }
        Contracts::new(rows)
    }

    fn count(&self) -> Result<usize> {
        let lengths = || {
            let text = self.text.iter().map(|(name, c)| (name, c.codes.len()));
            text.chain(self.numbers.iter().map(|(name, c)| (name, c.len())))
        };
        if let Some(unknown) = self.text.keys().find(|k| !TEXT.contains(&k.as_str())) {
            fail!(
                InvalidInput,
                "contracts: unknown text column '{unknown}': known are {}",
                TEXT.join(", ")
            );
        }
        if let Some(unknown) = self.numbers.keys().find(|k| !NUMBERS.contains(&k.as_str())) {
            fail!(
                InvalidInput,
                "contracts: unknown number column '{unknown}': known are {}",
                NUMBERS.join(", ")
            );
        }
        let count = lengths().map(|l| l.1).max().unwrap_or(0);
        if let Some((name, length)) = lengths().find(|&(_, l)| l != 1 && l != count) {
            fail!(
                InvalidInput,
                "contracts: column '{name}' has {length} rows where others have {count}"
            );
        }
        for (name, column) in &self.text {
            if let Some(row) = column
                .codes
                .iter()
                .position(|&c| c as usize >= column.values.len())
            {
                fail!(
                    InvalidInput,
                    "contracts row {row}: column '{name}' refers to a value that is not there"
                );
            }
        }
        Ok(count)
    }

    fn text(&self, name: &str, row: usize) -> Option<&str> {
        let column = self.text.get(name)?;
        let code = column.codes[if column.codes.len() == 1 { 0 } else { row }];
        Some(column.values[code as usize].as_str()).filter(|t| !t.is_empty())
    }

    fn number(&self, name: &str, row: usize) -> Option<f64> {
        let column = self.numbers.get(name)?;
        Some(column[if column.len() == 1 { 0 } else { row }])
    }

    /// Each distinct value of a column as its type; `None` for empty text.
    fn parsed<T: DeserializeOwned>(&self, name: &str) -> Result<Vec<Option<T>>> {
        let Some(column) = self.text.get(name) else {
            return Ok(Vec::new());
        };
        let parse = |text: &String| {
            if text.is_empty() {
                return Ok(None);
            }
            serde_json::from_value(Value::String(text.clone()))
                .map(Some)
                .map_err(|e| MarginError::InvalidInput(format!("contracts: column '{name}': {e}")))
        };
        column.values.iter().map(parse).collect()
    }

    fn pick<T: Copy>(&self, name: &str, parsed: &[Option<T>], row: usize) -> Option<T> {
        let column = self.text.get(name)?;
        parsed[column.codes[if column.codes.len() == 1 { 0 } else { row }] as usize]
    }
}
