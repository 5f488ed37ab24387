//! A source of positions: its columns, found once, and its batches, a slice at a time.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use engine::contract::Contracts;
use kernel::error::Result;
use kernel::{fail, interrupt};

use crate::columns::{Columns, Places};
use crate::labels::Labels;
use crate::positions::{Memory, Positions, Reader};
use crate::table::type_name;

/// Rows that are read at a time: their columns stay in the cache.
const SLICE: usize = 1 << 14;

/// What is known of a source of positions.
pub(crate) struct Input {
    columns: Columns,
    is_gross: bool,
    /// Whether every contract's lot is 1.
    is_plain: bool,
    /// Whether faults say their rows: what is written down of an account may not depend on where its rows stand.
    says_rows: bool,
    source: Option<Source>,
    /// Rows before the next slice.
    before: u64,
}

/// What the first batch says of all.
struct Source {
    schema: SchemaRef,
    places: Places,
    memory: Memory,
}

/// A slice of a batch, read.
pub(crate) struct Slice<'a> {
    pub(crate) positions: Positions<'a>,
    /// The column of the labels, and its first row in the source.
    pub(crate) column: &'a ArrayRef,
    pub(crate) labels: Labels<'a>,
    pub(crate) first: u64,
}

impl Input {
    pub(crate) fn new(
        contracts: &Contracts,
        columns: Columns,
        is_gross: bool,
        says_rows: bool,
    ) -> Self {
        Self {
            columns,
            is_gross,
            is_plain: contracts.rows().iter().all(|c| c.terms().lot == 1.0),
            says_rows,
            source: None,
            before: 0,
        }
    }

    pub(crate) fn places(&self, schema: &Schema) -> Result<Places> {
        self.columns.places(schema, self.is_gross)
    }

    /// Takes a batch in: its columns are those of the source, and its buffers what they say.
    pub(crate) fn open(&mut self, batch: &RecordBatch) -> Result<()> {
        let mut source = match self.source.take() {
            Some(source) if source.schema.fields() == batch.schema_ref().fields() => source,
            Some(source) => fail!(
                InvalidInput: Contradiction;
                "arrow: a batch has other columns than those before it: {}, not {}",
                names(batch.schema_ref()), names(&source.schema)
            ),
            None => Source {
                schema: batch.schema(),
                places: self.places(batch.schema_ref())?,
                memory: Memory::default(),
            },
        };
        source.memory.check(batch, &source.places)?;
        self.source = Some(source);
        Ok(())
    }

    /// Reads a batch that was taken in, a slice at a time.
    pub(crate) fn read(
        &mut self,
        contracts: &Contracts,
        batch: &RecordBatch,
        mut take: impl FnMut(Slice<'_>) -> Result<()>,
    ) -> Result<()> {
        let Some(Source { places, memory, .. }) = &mut self.source else {
            unreachable!("the batch was taken in");
        };
        let reader = Reader {
            contracts,
            is_gross: self.is_gross,
            is_plain: self.is_plain,
        };
        for first in (0..batch.num_rows()).step_by(SLICE) {
            interrupt::check()?;
            let slice = batch.slice(first, SLICE.min(batch.num_rows() - first));
            let mut positions = reader.read(&slice, places, memory)?;
            if self.says_rows {
                positions.say_rows(self.before);
            }
            let column = slice.column(places.account);
            let name = slice.schema_ref().field(places.account).name();
            take(Slice {
                positions,
                column,
                labels: Labels::read(name, column)?,
                first: self.before,
            })?;
            self.before += slice.num_rows() as u64;
        }
        Ok(())
    }
}

/// Columns with their types, for messages.
fn names(schema: &Schema) -> String {
    let fields = schema.fields().iter();
    let names: Vec<String> = fields
        .map(|f| format!("{} ({})", f.name(), type_name(f.data_type())))
        .collect();
    names.join(", ")
}
