//! Requirements of a stream of positions: whole accounts, wherever the borders of its batches are.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use arrow_schema::{Schema, SchemaRef};
use arrow_select::concat::concat_batches;
use engine::contract::Contracts;
use engine::seam::Prepared;
use kernel::error::Result;

use crate::columns::Columns;
use crate::gather::Gather;
use crate::input::{Input, Slice};
use crate::labels::{Closed, Order, OwnLabel};
use crate::pending::Pending;
use crate::requirements::{Errors, Output, margin};
use crate::table::refused;
use crate::taken::Whole;

/// What is asked of a stream.
#[derive(Debug, Clone)]
pub struct Request {
    pub columns: Columns,
    pub order: Order,
    pub errors: Errors,
    /// Long and short of one contract are kept apart instead of netted.
    pub is_gross: bool,
    /// The kind of accounts whose rows do not say it.
    pub kind: Option<String>,
    pub threads: usize,
    /// What the schema of the result says besides its columns.
    pub metadata: HashMap<String, String>,
}

/// Margins the accounts of a stream of record batches.
pub struct Margins {
    input: Input,
    begun: Begun,
    output: Option<Output>,
    margining: Margining,
}

/// How whole accounts are margined.
struct Margining {
    prepared: Arc<dyn Prepared>,
    errors: Errors,
    threads: usize,
    metadata: HashMap<String, String>,
}

/// Accounts that are not margined yet.
enum Begun {
    /// Those that are whole go with every slice.
    Grouped {
        pending: Pending,
        closed: Closed,
        last: Option<OwnLabel>,
    },
    /// None is known to be whole before the end.
    Any(Gather),
}

impl Margins {
    pub fn new(prepared: Arc<dyn Prepared>, request: Request) -> Self {
        let Request {
            columns,
            order,
            errors,
            is_gross,
            kind,
            threads,
            metadata,
        } = request;
        let begun = match order {
            Order::Any => Begun::Any(Gather::new(is_gross, kind)),
            order => Begun::Grouped {
                pending: Pending::new(is_gross, kind),
                closed: Closed::new(order),
                last: None,
            },
        };
        let says_rows = errors == Errors::Raise;
        Self {
            input: Input::new(prepared.contracts(), columns, is_gross, says_rows),
            begun,
            output: None,
            margining: Margining {
                prepared,
                errors,
                threads,
                metadata,
            },
        }
    }

    /// The schema of the result, for a source of this one.
    pub fn schema(&self, source: &Schema) -> Result<SchemaRef> {
        Ok(self.output(source)?.schema)
    }

    fn output(&self, source: &Schema) -> Result<Output> {
        let account = source.field(self.input.places(source)?.account);
        let Margining {
            prepared,
            errors,
            metadata,
            ..
        } = &self.margining;
        Ok(Output::new(
            account,
            prepared.as_ref(),
            *errors,
            metadata.clone(),
        ))
    }

    /// Takes a batch; gives the requirements of the accounts that are whole.
    pub fn push(&mut self, batch: &RecordBatch) -> Result<Option<RecordBatch>> {
        self.input.open(batch)?;
        if self.output.is_none() {
            self.output = Some(self.output(batch.schema_ref())?);
        }
        let Some(output) = &self.output else {
            unreachable!("set just above");
        };
        let (begun, margining) = (&mut self.begun, &self.margining);
        let contracts = margining.prepared.contracts();
        let mut done = Vec::new();
        self.input.read(contracts, batch, |slice| {
            if let Some(whole) = begun.add(contracts, &slice)? {
                done.push(margining.margined(output, whole)?);
            }
            Ok(())
        })?;
        joined(&output.schema, done)
    }

    /// Ends the stream; gives the requirements of the accounts that are left.
    pub fn finish(&mut self) -> Result<Option<RecordBatch>> {
        let Some(output) = self.output.take() else {
            return Ok(None);
        };
        let contracts = self.margining.prepared.contracts();
        let whole = match &mut self.begun {
            Begun::Grouped { pending, .. } if pending.len() == 0 => return Ok(None),
            Begun::Grouped { pending, .. } => pending.split(contracts, pending.len())?,
            Begun::Any(gather) if gather.is_empty() => return Ok(None),
            Begun::Any(gather) => gather.finish(contracts)?,
        };
        self.margining.margined(&output, whole).map(Some)
    }
}

impl Begun {
    /// Adds a slice's rows; gives the accounts that are whole after it.
    fn add(&mut self, contracts: &Contracts, slice: &Slice<'_>) -> Result<Option<Whole>> {
        let (pending, closed, last) = match self {
            Self::Any(gather) => {
                gather.add(slice)?;
                return Ok(None);
            }
            Self::Grouped {
                pending,
                closed,
                last,
            } => (pending, closed, last),
        };
        let labels = &slice.labels;
        let mut begins = labels.breaks();
        if last
            .as_ref()
            .is_none_or(|last| last.borrowed() != labels.at(0))
        {
            begins.insert(0, 0);
        }
        for (i, &row) in begins.iter().enumerate() {
            let previous = match i {
                0 => last.as_ref().map(OwnLabel::borrowed),
                _ => Some(labels.at(begins[i - 1])),
            };
            closed
                .begin(labels.at(row), previous)
                .map_err(|e| e.at(format!("arrow: row {}", slice.first + row as u64)))?;
        }
        *last = Some(labels.at(slice.column.len() - 1).to_owned());
        pending.add(slice, &begins)?;
        match pending.len() - 1 {
            0 => Ok(None),
            whole => pending.split(contracts, whole).map(Some),
        }
    }
}

impl Margining {
    /// The requirements of whole accounts; the first that is refused ends the stream where that is asked for.
    fn margined(&self, output: &Output, mut whole: Whole) -> Result<RecordBatch> {
        let prepared = self.prepared.as_ref();
        let batch = margin(prepared, &whole.accounts, self.threads, &mut whole.faults)?;
        if self.errors == Errors::Raise {
            whole.raise()?;
        }
        output.batch(prepared, whole, batch)
    }
}

fn joined(schema: &SchemaRef, mut batches: Vec<RecordBatch>) -> Result<Option<RecordBatch>> {
    if batches.len() < 2 {
        return Ok(batches.pop());
    }
    concat_batches(schema, &batches)
        .map(Some)
        .map_err(|e| refused(&e))
}
