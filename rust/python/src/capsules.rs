//! Arrow across the border: the PyCapsules of streams and arrays, in and out.
//!
//! Source: Apache Arrow, "The Arrow PyCapsule Interface". This file holds the `unsafe` of it: a capsule is an address.
#![allow(unsafe_code)]

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::NonNull;

use arrow_array::ffi::{FFI_ArrowArray, FFI_ArrowSchema, from_ffi, to_ffi};
use arrow_array::ffi_stream::{FFI_ArrowArrayStream, RecordBatchStreamReader};
use arrow_array::{Array, RecordBatch, RecordBatchReader, StructArray};
use arrow_schema::{ArrowError, SchemaRef};
use margincore::MarginError;
use margincore::error::Code;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyTuple};

use crate::arguments::wrong_type;
use crate::errors::raise;

const SCHEMA: &std::ffi::CStr = c"arrow_schema";
const ARRAY: &std::ffi::CStr = c"arrow_array";
const STREAM: &std::ffi::CStr = c"arrow_array_stream";

/// The address in a capsule of a name.
fn address<T>(capsule: &Bound<'_, PyAny>, name: &std::ffi::CStr) -> PyResult<NonNull<T>> {
    let capsule = capsule
        .cast::<PyCapsule>()
        .map_err(|_| wrong_type("a capsule of Arrow's", capsule))?;
    match capsule.pointer_checked(Some(name)) {
        Ok(pointer) => Ok(pointer.cast()),
        Err(error) => Err(refused(capsule.py(), &error)),
    }
}

/// Runs what reads another program's memory by Arrow's own code, which panics where its rules are broken.
pub(crate) fn guarded<T>(work: impl FnOnce() -> Result<T, ArrowError>) -> margincore::Result<T> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(done) => done.map_err(|error| margincore::arrow::refused(&error)),
        Err(_) => Err(MarginError::InvalidInput(
            "arrow: the data break Arrow's own rules".to_string().into(),
        )
        .code(Code::Damaged)),
    }
}

/// Has pyarrow look at its own object: it knows how long its buffers are, which gets lost on the way.
fn look(source: &Bound<'_, PyAny>) -> PyResult<()> {
    let class = source.get_type();
    let is_pyarrow = class.module()?.to_str()?.starts_with("pyarrow");
    if !is_pyarrow || !source.hasattr("validate")? {
        return Ok(());
    }
    let looked = source.call_method0("validate");
    looked
        .map(|_| ())
        .map_err(|error| refused(source.py(), &error))
}

/// What another program's own code raises, in our terms; what is no exception (an interrupt) goes on as it is.
fn refused(py: Python<'_>, error: &PyErr) -> PyErr {
    let is_own = |error: &PyErr| -> PyResult<bool> {
        let ours = py.import("margincore.errors")?.getattr("MarginError")?;
        error.value(py).is_instance(&ours)
    };
    if !error.is_instance_of::<PyException>(py) || is_own(error).unwrap_or(false) {
        return error.clone_ref(py);
    }
    let kind = error
        .get_type(py)
        .name()
        .map_or_else(|_| String::new(), |n| n.to_string());
    let message = format!(
        "arrow: the table cannot be read: {kind}: {}",
        error.value(py)
    );
    raise(MarginError::InvalidInput(message.into()).code(Code::Damaged))
}

/// The stream of an object that has one: of a table, a reader, a frame. `None` where it has none.
pub(crate) fn stream(source: &Bound<'_, PyAny>) -> PyResult<Option<RecordBatchStreamReader>> {
    if !source.hasattr("__arrow_c_stream__")? {
        return Ok(None);
    }
    look(source)?;
    let capsule = source.call_method0("__arrow_c_stream__");
    let capsule = capsule.map_err(|error| refused(source.py(), &error))?;
    let at = address::<FFI_ArrowArrayStream>(&capsule, STREAM)?;
    // SAFETY: the interface says that a capsule of this name holds such a struct; it is moved out, and what is left there is
    // a released one, as the interface asks for. The capsule lives until after the move.
    let stream = unsafe { FFI_ArrowArrayStream::from_raw(at.as_ptr()) };
    guarded(|| RecordBatchStreamReader::try_new(stream))
        .map(Some)
        .map_err(raise)
}

/// The record batch of an object that is one.
pub(crate) fn batch(source: &Bound<'_, PyAny>) -> PyResult<RecordBatch> {
    if !source.hasattr("__arrow_c_array__")? {
        return Err(wrong_type(
            "an Arrow record batch, or a table or a reader of them,",
            source,
        ));
    }
    look(source)?;
    let capsules = source.call_method0("__arrow_c_array__");
    let capsules = capsules.map_err(|error| refused(source.py(), &error))?;
    let capsules = capsules.cast::<PyTuple>()?;
    let schema = address::<FFI_ArrowSchema>(&capsules.get_item(0)?, SCHEMA)?;
    let array = address::<FFI_ArrowArray>(&capsules.get_item(1)?, ARRAY)?;
    guarded(|| {
        // SAFETY: as in `stream`; the schema is only read, its capsule releases it.
        let data = unsafe { from_ffi(FFI_ArrowArray::from_raw(array.as_ptr()), schema.as_ref()) }?;
        if !matches!(data.data_type(), arrow_schema::DataType::Struct(_)) {
            return Err(ArrowError::CDataInterface(format!(
                "a record batch is needed, not an array of {}",
                data.data_type()
            )));
        }
        Ok(RecordBatch::from(StructArray::from(data)))
    })
    .map_err(raise)
}

/// A reader as a capsule.
pub(crate) fn stream_capsule<'py>(
    py: Python<'py>,
    reader: Box<dyn RecordBatchReader + Send>,
) -> PyResult<Bound<'py, PyCapsule>> {
    PyCapsule::new_with_value(py, FFI_ArrowArrayStream::new(reader), STREAM)
}

/// A schema as a capsule.
pub(crate) fn schema_capsule<'py>(
    py: Python<'py>,
    schema: &SchemaRef,
) -> PyResult<Bound<'py, PyCapsule>> {
    let schema = FFI_ArrowSchema::try_from(schema.as_ref());
    let schema = schema.map_err(|e| raise(margincore::arrow::refused(&e)))?;
    PyCapsule::new_with_value(py, schema, SCHEMA)
}

/// A record batch as the two capsules that it is.
pub(crate) fn batch_capsules<'py>(
    py: Python<'py>,
    batch: &RecordBatch,
) -> PyResult<(Bound<'py, PyCapsule>, Bound<'py, PyCapsule>)> {
    let data = StructArray::from(batch.clone()).to_data();
    let (array, _) = to_ffi(&data).map_err(|e| raise(margincore::arrow::refused(&e)))?;
    Ok((
        schema_capsule(py, &batch.schema())?,
        PyCapsule::new_with_value(py, array, ARRAY)?,
    ))
}
