//! Marks and vols as columns, and what all prices of a market together are asked for.

use std::sync::Arc;

use super::quotes::Quotes;
use super::snapshot::check_quote;
use crate::bounds;
use crate::contract::{Contract, ContractIndex, Contracts, Kind};
use kernel::error::Result;
use kernel::fail;
use kernel::float::larger;

/// Marks or vols as a column beside the table of contracts they belong to.
#[derive(Debug, Clone)]
pub struct Column {
    pub contracts: Arc<Contracts>,
    pub values: Vec<f64>,
}

impl Column {
    pub fn new(what: &str, contracts: Arc<Contracts>, values: Vec<f64>) -> Result<Self> {
        if values.len() != contracts.len() {
            fail!(
                InvalidInput: WrongShape;
                "{what}: {} values for a table of {} contracts",
                values.len(),
                contracts.len()
            );
        }
        for (i, &value) in values.iter().enumerate() {
            let contract = &contracts.rows()[i];
            let sign = || match what {
                "price" => check_sign(contract, value),
                _ => Ok(()),
            };
            check_quote(what, contract.id(), value)
                .and_then(|()| sign())
                .map_err(|e| e.at(format!("row {i}")))?;
        }
        Ok(Self { contracts, values })
    }

    pub(super) fn get(&self, table: &Contracts, row: ContractIndex) -> Option<f64> {
        if std::ptr::eq(Arc::as_ptr(&self.contracts), table) {
            return self.values.get(row as usize).copied();
        }
        let own = self
            .contracts
            .index_of(table.rows()[row as usize].id())
            .ok()?;
        Some(self.values[own as usize])
    }
}

/// What all prices together are asked for.
#[derive(Debug, Clone)]
pub(super) struct Prices {
    /// The smallest and the largest size: [`range`].
    pub(super) extremes: (f64, f64),
    /// The contracts quoted below zero, few as a rule.
    pub(super) below_zero: Vec<String>,
}

impl Prices {
    pub(super) fn new(by_id: &Quotes, column: Option<&Column>) -> Self {
        let negative = by_id.iter().filter(|(_, v)| **v < 0.0);
        let mut below_zero: Vec<String> = negative.map(|(id, _)| id.clone()).collect();
        if let Some(column) = column {
            let rows = column.contracts.rows().iter().zip(&column.values);
            let negative = rows.filter(|(_, v)| **v < 0.0);
            below_zero.extend(negative.map(|(c, _)| c.id().to_string()));
        }
        let columns = column.iter().flat_map(|column| &column.values);
        Self {
            extremes: range(by_id.values().chain(columns)),
            below_zero,
        }
    }
}

/// Refuses a quote below zero but for a future (crude oil in April 2020) and an index, which may be a spread.
pub(super) fn check_sign(contract: &Contract, value: f64) -> Result<()> {
    match contract.kind() {
        Kind::Future | Kind::Index => Ok(()),
        kind => bounds::mark(
            format_args!("price of '{}'", contract.id()),
            kind.name(),
            value,
        ),
    }
}

/// The smallest and the largest size of numbers, zero not counted; one is always among them.
pub(super) fn range<'a>(numbers: impl Iterator<Item = &'a f64>) -> (f64, f64) {
    numbers
        .map(|number| number.abs())
        .filter(|&size| size > 0.0)
        .fold((1.0, 1.0), |(least, most), size| {
            (if size < least { size } else { least }, larger(most, size))
        })
}
