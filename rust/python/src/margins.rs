//! `MarginReader`: requirements of a stream of positions, a batch at a time.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::Mutex;
use std::thread::{self, ThreadId};
use std::time::Duration;

use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::{ArrowError, SchemaRef};
use margincore::MarginError;
use margincore::arrow::{Columns, Errors, Margins, Order, Request};
use margincore::error::Code;
use margincore::names::refuse_unknown;
use margincore::simd;
use pyo3::exceptions::{PyImportError, PyStopIteration};
use pyo3::prelude::*;
use pyo3::types::PyCapsule;

use crate::batches::Batches;
use crate::capsules::{batch_capsules, schema_capsule, stream_capsule};
use crate::errors::{enter, raise};
use crate::prepared::Prepared;

/// What is being read.
struct Reading {
    batches: Batches,
    margins: Margins,
    is_over: bool,
}

impl Reading {
    /// The next requirements; `None` at the end.
    fn next(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        let margins = &mut self.margins;
        while !self.is_over {
            let done = match self.batches.next(py)? {
                Some(next) => enter(py, || margins.push(&next))?,
                None => {
                    self.is_over = true;
                    enter(py, || margins.finish())?
                }
            };
            if done.as_ref().is_some_and(|done| done.num_rows() > 0) {
                return Ok(done);
            }
        }
        Ok(None)
    }
}

/// What is read on as a stream of Arrow's own. The interface leaves it to the reader to ask from one thread at a time; one
/// that does not is made to wait for its turn.
struct Exported {
    turn: Mutex<Turn>,
    schema: SchemaRef,
}

enum Turn {
    Free(Box<Reading>),
    /// Read by this thread just now, with no lock held.
    Taken(ThreadId),
    Over,
}

impl Exported {
    /// The reading, once nobody else has it; `None` at the end.
    fn wait(&self) -> Result<Option<Box<Reading>>, ArrowError> {
        let own = thread::current().id();
        loop {
            let mut turn = self.turn.lock().map_err(|_| said("a reader panicked"))?;
            match std::mem::replace(&mut *turn, Turn::Taken(own)) {
                Turn::Free(reading) => return Ok(Some(reading)),
                Turn::Over => {
                    *turn = Turn::Over;
                    return Ok(None);
                }
                Turn::Taken(by) => {
                    *turn = Turn::Taken(by);
                    drop(turn);
                    if by == own {
                        return Err(said("the source of the stream reads its own result"));
                    }
                    // Whoever reads may need the interpreter.
                    Python::attach(|py| py.detach(|| thread::sleep(Duration::from_millis(1))));
                }
            }
        }
    }

    fn put_back(&self, turn: Turn) {
        if let Ok(mut own) = self.turn.lock() {
            *own = turn;
        }
    }
}

/// The words of an exception are all that the interface carries.
fn said(words: impl Display) -> ArrowError {
    ArrowError::ExternalError(words.to_string().into())
}

impl Iterator for Exported {
    type Item = Result<RecordBatch, ArrowError>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut reading = match self.wait() {
            Ok(reading) => reading?,
            Err(error) => return Some(Err(error)),
        };
        let next = Python::attach(|py| reading.next(py));
        self.put_back(match &next {
            Ok(Some(_)) => Turn::Free(reading),
            Ok(None) | Err(_) => Turn::Over,
        });
        next.map_err(said).transpose()
    }
}

impl RecordBatchReader for Exported {
    fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }
}

/// Requirements of a stream of positions, a record batch at a time: what :meth:`Prepared.margin_arrow` gives.
///
/// Read it once: as an iterator of pyarrow record batches, whole by `read_all`, or by whatever takes an Arrow
/// stream (``polars.DataFrame(reader)``, ``duckdb``, ``pyarrow.RecordBatchReader.from_stream(reader)``). As many
/// rows are in memory as the source gives at a time. Iterating raises this package's own errors; through a stream
/// of Arrow's, its reader raises its own with the same words.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct MarginReader {
    /// Taken by whoever reads a batch, and put back: no lock is held meanwhile.
    reading: Mutex<Option<Reading>>,
    schema: Option<SchemaRef>,
}

impl MarginReader {
    fn take(&self) -> PyResult<Reading> {
        let taken = self
            .reading
            .lock()
            .map_or(None, |mut reading| reading.take());
        taken.ok_or_else(|| {
            let message = "the reader is used up: it was given away as a stream, ended with an error, or another thread reads it";
            raise(MarginError::InvalidInput(message.to_string().into()).code(Code::Contradiction))
        })
    }

    fn put_back(&self, reading: Reading) {
        if let Ok(mut own) = self.reading.lock() {
            *own = Some(reading);
        }
    }

    fn own_schema(&self) -> PyResult<&SchemaRef> {
        self.schema.as_ref().ok_or_else(|| {
            let message = "arrow: the source has no batch, so that its columns are not known";
            raise(MarginError::MissingData(message.to_string().into()))
        })
    }
}

#[pymethods]
impl MarginReader {
    fn __iter__(own: Py<Self>) -> Py<Self> {
        own
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let mut reading = self.take()?;
        match reading.next(py)? {
            Some(batch) => {
                self.put_back(reading);
                pyarrow(py)?.call_method1("record_batch", (ArrowBatch(batch),))
            }
            None => {
                self.put_back(reading);
                Err(PyStopIteration::new_err(()))
            }
        }
    }

    /// All requirements as a pyarrow table.
    fn read_all<'py>(own: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = own.py();
        let schema = own.get().schema(py)?;
        let batches = pyo3::types::PyList::empty(py);
        for batch in own.try_iter()? {
            batches.append(batch?)?;
        }
        let table = pyarrow(py)?.getattr("Table")?;
        table.call_method1("from_batches", (batches, schema))
    }

    /// The columns of the result with their types, as a pyarrow schema; its metadata say what made the numbers.
    ///
    /// Raises :class:`MissingData` where the source is an iterator without a batch.
    #[getter]
    fn schema<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let schema = ArrowSchema(self.own_schema()?.clone());
        pyarrow(py)?.call_method1("schema", (schema,))
    }

    /// The stream of requirements for another reader, which reads it in place of this one.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // What is asked for is a wish only, says the interface.
        let _ = requested_schema;
        let schema = self.own_schema()?.clone();
        let turn = Mutex::new(Turn::Free(Box::new(self.take()?)));
        stream_capsule(py, Box::new(Exported { turn, schema }))
    }

    fn __repr__(&self) -> &'static str {
        "MarginReader()"
    }
}

/// A record batch on its way to pyarrow.
#[pyclass(frozen)]
struct ArrowBatch(RecordBatch);

#[pymethods]
impl ArrowBatch {
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_array__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
        let _ = requested_schema;
        batch_capsules(py, &self.0)
    }
}

/// A schema on its way to pyarrow.
#[pyclass(frozen)]
struct ArrowSchema(SchemaRef);

#[pymethods]
impl ArrowSchema {
    fn __arrow_c_schema__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyCapsule>> {
        schema_capsule(py, &self.0)
    }
}

fn pyarrow(py: Python<'_>) -> PyResult<Bound<'_, PyModule>> {
    py.import("pyarrow").map_err(|_| {
        PyImportError::new_err(
            "pyarrow is needed to make record batches: pip install 'margincore[arrow]'",
        )
    })
}

/// What [`crate::methods`]'s `margin_arrow` takes by name.
pub(crate) struct Asked {
    pub(crate) columns: Columns,
    pub(crate) order: String,
    pub(crate) errors: String,
    pub(crate) gross: bool,
    pub(crate) kind: Option<String>,
    pub(crate) threads: usize,
    pub(crate) metadata: BTreeMap<String, String>,
}

/// A reader of the requirements of a source's accounts.
pub(crate) fn open(
    prepared: &Prepared,
    source: &Bound<'_, PyAny>,
    asked: Asked,
) -> PyResult<MarginReader> {
    simd::check_environment().map_err(raise)?;
    let known = |what: &str, name: &str, names: &'static [&'static str]| {
        refuse_unknown("margin_arrow", what, what, name, || names.iter().copied()).map_err(raise)
    };
    known("order", &asked.order, &["grouped", "ascending", "any"])?;
    known("errors", &asked.errors, &["raise", "column"])?;
    let mut metadata: HashMap<String, String> = asked.metadata.into_iter().collect();
    for (name, value) in prepared.0.provenance().entries() {
        let name = format!("margincore.{name}");
        if metadata.contains_key(&name) {
            let message = format!(
                "margin_arrow: metadata '{name}' is what made the numbers: use another name"
            );
            return Err(raise(
                MarginError::InvalidInput(message.into()).code(Code::Contradiction),
            ));
        }
        metadata.insert(name, value);
    }
    let request = Request {
        columns: asked.columns,
        order: match asked.order.as_str() {
            "ascending" => Order::Ascending,
            "any" => Order::Any,
            _ => Order::Grouped,
        },
        errors: if asked.errors == "column" {
            Errors::Column
        } else {
            Errors::Raise
        },
        is_gross: asked.gross,
        kind: asked.kind,
        threads: asked.threads,
        metadata,
    };
    let margins = Margins::new(prepared.0.prepared.clone(), request);
    let batches = Batches::new(source)?;
    let schema = match batches.schema() {
        Some(schema) => Some(margins.schema(schema).map_err(raise)?),
        None => None,
    };
    Ok(MarginReader {
        reading: Mutex::new(Some(Reading {
            batches,
            margins,
            is_over: false,
        })),
        schema,
    })
}
