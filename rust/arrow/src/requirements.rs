//! Requirements of accounts as columns, with what is refused of each account.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use arrow_array::builder::{Int32Builder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{DataType, Field, FieldRef, Schema, SchemaRef};
use engine::account::Accounts;
use engine::report::MarginBatch;
use engine::seam::{Prepared, Scratch};
use kernel::error::{MarginError, Result};

use crate::table::refused;
use crate::taken::{Faults, Whole};

/// What becomes of an account that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Errors {
    /// It ends the stream, by its name.
    Raise,
    /// Its numbers are null, and columns of the result say why.
    Column,
}

/// The requirements of accounts; of those that are refused nothing but why, in `faults`.
pub(crate) fn margin(
    prepared: &dyn Prepared,
    accounts: &Accounts,
    threads: usize,
    faults: &mut Faults,
) -> Result<MarginBatch> {
    match prepared.margin_many(accounts, threads) {
        Err(error @ MarginError::Interrupted(_)) => Err(error),
        Err(_) => one_by_one(prepared, accounts, threads, faults),
        done => done,
    }
}

/// The same numbers, an account at a time: each has the bits it has alone.
fn one_by_one(
    prepared: &dyn Prepared,
    accounts: &Accounts,
    threads: usize,
    faults: &mut Faults,
) -> Result<MarginBatch> {
    let refused = Mutex::new(Vec::new());
    let batch = MarginBatch::gather(accounts.len(), threads, 64, 256, |first, out| {
        let mut scratch = Scratch::default();
        for (account, row) in (first..).zip(out) {
            match prepared.requirement(accounts.view(account), &mut scratch) {
                Ok(requirement) => *row = requirement,
                Err(error @ MarginError::Interrupted(_)) => return Err(error),
                Err(error) => {
                    let mut refused = refused.lock().expect("nobody panics with it");
                    refused.push((account, error));
                }
            }
        }
        Ok(())
    })?;
    for (account, error) in refused.into_inner().expect("nobody panics with it") {
        faults[account].get_or_insert(error);
    }
    Ok(batch)
}

/// How requirements are written.
pub(crate) struct Output {
    pub(crate) schema: SchemaRef,
    errors: Errors,
    currency: String,
}

impl Output {
    /// `account` is the source's own column of labels.
    pub(crate) fn new(
        account: &Field,
        prepared: &dyn Prepared,
        errors: Errors,
        metadata: HashMap<String, String>,
    ) -> Self {
        let is_nullable = errors == Errors::Column;
        let own = |name: &str, kind: DataType, is_nullable: bool| -> FieldRef {
            Arc::new(Field::new(name, kind, is_nullable))
        };
        let mut fields: Vec<FieldRef> = vec![
            Arc::new(account.clone().with_nullable(false)),
            own("initial", DataType::Float64, is_nullable),
            own("maintenance", DataType::Float64, is_nullable),
            own("net_option_value", DataType::Float64, is_nullable),
            own("pairing_gap", DataType::Float64, true),
            own("worst_scenario", DataType::Int32, true),
            own("scenario", DataType::Utf8, true),
            own("currency", DataType::Utf8, false),
        ];
        if errors == Errors::Column {
            for name in ["error_kind", "error_code", "error"] {
                fields.push(own(name, DataType::Utf8, true));
            }
        }
        Self {
            schema: Arc::new(Schema::new_with_metadata(fields, metadata)),
            errors,
            currency: prepared.currencies().report().to_string(),
        }
    }

    /// Requirements of accounts with labels, as a record batch.
    pub(crate) fn batch(
        &self,
        prepared: &dyn Prepared,
        whole: Whole,
        batch: MarginBatch,
    ) -> Result<RecordBatch> {
        let Whole { labels, faults, .. } = whole;
        let labels = labels.expect("accounts of a stream have labels");
        let nulls = faults
            .iter()
            .any(Option::is_some)
            .then(|| NullBuffer::from_iter(faults.iter().map(|f| f.is_none())));
        let numbers = |values: Vec<f64>| -> ArrayRef {
            Arc::new(Float64Array::new(values.into(), nulls.clone()))
        };
        let gap = batch.pairing_gap.iter().zip(&faults);
        let gap = gap.map(|(gap, fault)| (fault.is_none() && !gap.is_nan()).then_some(*gap));
        let gap: ArrayRef = Arc::new(Float64Array::from_iter(gap));
        let mut worst = Int32Builder::with_capacity(batch.worst_scenario.len());
        let mut scenario = StringBuilder::new();
        let mut known: HashMap<i32, String> = HashMap::new();
        for (&index, fault) in batch.worst_scenario.iter().zip(&faults) {
            if index < 0 || fault.is_some() {
                worst.append_null();
                scenario.append_null();
                continue;
            }
            worst.append_value(index);
            let label = known
                .entry(index)
                .or_insert_with(|| prepared.scenario_label(index as u32));
            scenario.append_value(label);
        }
        let currency = std::iter::repeat_n(&self.currency, labels.len());
        let currency: ArrayRef = Arc::new(StringArray::from_iter_values(currency));
        let mut columns = vec![
            labels,
            numbers(batch.initial),
            numbers(batch.maintenance),
            numbers(batch.net_option_value),
            gap,
            Arc::new(worst.finish()),
            Arc::new(scenario.finish()),
            currency,
        ];
        if self.errors == Errors::Column {
            let text = |of: fn(&MarginError) -> String| -> ArrayRef {
                Arc::new(StringArray::from_iter(
                    faults.iter().map(|f| f.as_ref().map(of)),
                ))
            };
            columns.push(text(|e| e.kind().to_string()));
            columns.push(text(|e| e.why().text().to_string()));
            columns.push(text(|e| e.message().to_string()));
        }
        RecordBatch::try_new(self.schema.clone(), columns).map_err(|e| refused(&e))
    }
}
