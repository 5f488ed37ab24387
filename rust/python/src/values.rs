//! Plain Python values into the core's documents and back.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::errors::InvalidInput;

/// A document type from a Python value; unknown keys and wrong types are `InvalidInput` with their place.
pub(crate) fn from_python<T: DeserializeOwned>(
    what: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<T> {
    serde_path_to_error::deserialize(&mut pythonize::Depythonizer::from_object(value)).map_err(
        |e| {
            let why = e.inner().to_string();
            let why = why.strip_prefix("TypeError: ").unwrap_or(&why);
            match e.path().to_string().as_str() {
                "." => InvalidInput::new_err(format!("{what}: {why}")),
                place => InvalidInput::new_err(format!("{what}: {place}: {why}")),
            }
        },
    )
}

pub(crate) fn to_python<'py, T: Serialize>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    pythonize::pythonize(py, value).map_err(|e| InvalidInput::new_err(e.to_string()))
}

/// Text of a date or instant: a string, a `date`, an aware `datetime` or anything else with `isoformat()`.
pub(crate) fn time_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_str()?.to_string());
    }
    match value.call_method0("isoformat") {
        Ok(text) => text.extract(),
        Err(_) => Err(PyTypeError::new_err(format!(
            "a date or instant is a string or a datetime, not {}",
            value.get_type().name()?
        ))),
    }
}

/// The same dictionary without entries that are `None`.
pub(crate) fn without_none<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let kept = PyDict::new(dict.py());
    for (key, value) in dict.iter().filter(|(_, v)| !v.is_none()) {
        kept.set_item(key, value)?;
    }
    Ok(kept)
}
