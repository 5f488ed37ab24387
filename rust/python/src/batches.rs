//! Record batches from whatever has them: a stream of Arrow's, one batch, an iterator of them.

use arrow_array::ffi_stream::RecordBatchStreamReader;
use arrow_array::{RecordBatch, RecordBatchReader};
use arrow_schema::SchemaRef;
use pyo3::prelude::*;
use pyo3::types::PyIterator;

use crate::capsules::{batch, guarded, stream};
use crate::errors::enter;

/// Record batches, one after another.
pub(crate) struct Batches {
    source: Source,
    /// `None` where an iterator has none to tell.
    schema: Option<SchemaRef>,
}

enum Source {
    Stream(RecordBatchStreamReader),
    One(Option<RecordBatch>),
    /// An iterator, and the batch that was looked at to know its columns.
    Many(Py<PyIterator>, Option<RecordBatch>),
}

impl Batches {
    pub(crate) fn new(source: &Bound<'_, PyAny>) -> PyResult<Self> {
        if let Some(stream) = stream(source)? {
            let schema = Some(stream.schema());
            let source = Source::Stream(stream);
            return Ok(Self { source, schema });
        }
        // What has rows by number only, as a lazy frame does, is no iterator of batches.
        let is_iterable = source.hasattr("__iter__")? && !source.hasattr("__arrow_c_array__")?;
        let iterator = match source.try_iter() {
            Ok(iterator) if is_iterable => iterator,
            // What is no batch is refused as one.
            _ => {
                let one = batch(source)?;
                return Ok(Self {
                    schema: Some(one.schema()),
                    source: Source::One(Some(one)),
                });
            }
        };
        let mut many = iterator;
        let first = many.next().map(|first| batch(&first?)).transpose()?;
        Ok(Self {
            schema: first.as_ref().map(RecordBatch::schema),
            source: Source::Many(many.unbind(), first),
        })
    }

    pub(crate) fn schema(&self) -> Option<&SchemaRef> {
        self.schema.as_ref()
    }

    /// The next batch; what an iterator raises is raised.
    pub(crate) fn next(&mut self, py: Python<'_>) -> PyResult<Option<RecordBatch>> {
        // Small batches are each too short for a signal to be asked about.
        py.check_signals()?;
        match &mut self.source {
            Source::Stream(stream) => enter(py, || guarded(|| stream.next().transpose())),
            Source::One(one) => Ok(one.take()),
            Source::Many(many, first) => match first.take() {
                Some(first) => Ok(Some(first)),
                None => {
                    let next = many.bind(py).clone().next();
                    next.map(|next| batch(&next?)).transpose()
                }
            },
        }
    }
}
