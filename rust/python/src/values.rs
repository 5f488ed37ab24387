//! Plain Python values into the core's documents and back.

use margincore::reading::read;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{
    PyBool, PyDict, PyFloat, PyList, PyMapping, PySequence, PyString, PyTuple, PyType,
};
use pythonize::{
    PythonizeListType, PythonizeMappingType, PythonizeTypes, PythonizeUnnamedMappingAdapter,
};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::errors::{invalid, raise};

/// A number given as an argument. Python would take `True` for 1: it is refused.
#[derive(Clone, Copy)]
pub(crate) struct Number(pub(crate) f64);

impl<'py> FromPyObject<'_, 'py> for Number {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if is_flag(&value)? {
            return Err(invalid(format!(
                "{} stands where a number is needed",
                value.repr()?
            )));
        }
        Ok(Self(value.extract()?))
    }
}

/// Whether a value is Python's or NumPy's true or false.
pub(crate) fn is_flag(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyString>() {
        return Ok(false);
    }
    let name = value.get_type().name()?;
    Ok(value.is_instance_of::<PyBool>() || matches!(name.to_str()?, "bool" | "bool_"))
}

/// Finds true or false where it would be taken for 1 or 0, but not below the keys that `may_be` names.
fn find_flag(
    value: &Bound<'_, PyAny>,
    may_be: fn(&str) -> bool,
    place: &mut Vec<String>,
) -> PyResult<Option<String>> {
    if let Ok(dict) = value.cast::<PyDict>() {
        for (key, inner) in dict {
            let key = key.str()?.to_string();
            if may_be(&key) {
                continue;
            }
            place.push(key);
            if let Some(found) = find_flag(&inner, may_be, place)? {
                return Ok(Some(found));
            }
            place.pop();
        }
    } else if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        for (i, inner) in value.try_iter()?.enumerate() {
            place.push(i.to_string());
            if let Some(found) = find_flag(&inner?, may_be, place)? {
                return Ok(Some(found));
            }
            place.pop();
        }
    } else if is_flag(value)? {
        return Ok(Some(value.repr()?.to_string()));
    }
    Ok(None)
}

/// Levels of lists and dictionaries within each other. No document has more; a thousand times as many use up the stack.
const DEEPEST: usize = 64;

fn check_depth(what: &str, value: &Bound<'_, PyAny>, left: usize) -> PyResult<()> {
    let below = |inner: Bound<'_, PyAny>| match left.checked_sub(1) {
        Some(left) => check_depth(what, &inner, left),
        None => Err(invalid(format!("{what}: nested too deep"))),
    };
    if let Ok(dict) = value.cast::<PyDict>() {
        dict.iter().try_for_each(|(_, inner)| below(inner))
    } else if let Ok(list) = value.cast::<PyList>() {
        list.iter().try_for_each(below)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        tuple.iter().try_for_each(below)
    } else {
        Ok(())
    }
}

/// A document whose own types come later, and refuse true and false where a number is due: a rulebook's parameters,
/// open orders.
pub(crate) fn document(what: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    check_depth(what, value, DEEPEST)?;
    deserialized(what, value)
}

/// A document type from a Python value; unknown keys, wrong types, and true or false for a number are `InvalidInput`
/// with their place.
pub(crate) fn from_python<T: DeserializeOwned>(
    what: &str,
    value: &Bound<'_, PyAny>,
) -> PyResult<T> {
    from_python_with(what, value, |_| false)
}

/// As [`from_python`], where true and false may stand below the keys that `may_be` names.
pub(crate) fn from_python_with<T: DeserializeOwned>(
    what: &str,
    value: &Bound<'_, PyAny>,
    may_be: fn(&str) -> bool,
) -> PyResult<T> {
    check_depth(what, value, DEEPEST)?;
    let mut place = Vec::new();
    if let Some(found) = find_flag(value, may_be, &mut place)? {
        return Err(invalid(format!(
            "{what}: {}: {found} stands where a number is needed",
            place.join(".")
        )));
    }
    deserialized(what, value)
}

fn deserialized<T: DeserializeOwned>(what: &str, value: &Bound<'_, PyAny>) -> PyResult<T> {
    read(what, &mut pythonize::Depythonizer::from_object(value)).map_err(raise)
}

/// A text as Python writes it in double quotes, whatever is in it: JSON's escapes are Python's.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

pub(crate) fn to_python<'py, T: Serialize>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    pythonize::pythonize(py, value).map_err(|e| invalid(e.to_string()))
}

/// What a property hands out: as [`to_python`], and every dictionary and list in it refuses to be changed.
pub(crate) fn read_only<'py, T: Serialize>(
    py: Python<'py>,
    value: &T,
) -> PyResult<Bound<'py, PyAny>> {
    pythonize::pythonize_custom::<ReadOnly, _>(py, value).map_err(|e| invalid(e.to_string()))
}

/// A sequence that a property hands out.
pub(crate) fn tuple_of<'py, T: IntoPyObject<'py>>(
    py: Python<'py>,
    items: impl Iterator<Item = T>,
) -> PyResult<Bound<'py, PyTuple>> {
    PyTuple::new(py, items.collect::<Vec<_>>())
}

/// Dictionaries and lists as `margincore.read_only` has them.
struct ReadOnly;

impl ReadOnly {
    fn of<'py>(
        class: &PyOnceLock<Py<PyType>>,
        name: &str,
        plain: Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        class
            .import(plain.py(), "margincore.read_only", name)?
            .call1((plain,))
    }
}

impl PythonizeMappingType for ReadOnly {
    type Builder<'py> = Bound<'py, PyDict>;

    fn builder<'py>(py: Python<'py>, _: Option<usize>) -> PyResult<Self::Builder<'py>> {
        Ok(PyDict::new(py))
    }

    fn push_item<'py>(
        builder: &mut Self::Builder<'py>,
        key: Bound<'py, PyAny>,
        value: Bound<'py, PyAny>,
    ) -> PyResult<()> {
        builder.set_item(key, value)
    }

    fn finish<'py>(builder: Self::Builder<'py>) -> PyResult<Bound<'py, PyMapping>> {
        static DICT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        Ok(Self::of(&DICT, "ReadOnlyDict", builder.into_any())?.cast_into()?)
    }
}

impl PythonizeListType for ReadOnly {
    fn create_sequence<'py, T, U>(
        py: Python<'py>,
        elements: impl IntoIterator<Item = T, IntoIter = U>,
    ) -> PyResult<Bound<'py, PySequence>>
    where
        T: IntoPyObject<'py>,
        U: ExactSizeIterator<Item = T>,
    {
        static LIST: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let list = PyList::new(py, elements)?;
        Ok(Self::of(&LIST, "ReadOnlyList", list.into_any())?.cast_into()?)
    }
}

impl PythonizeTypes for ReadOnly {
    type Map = Self;
    type NamedMap = PythonizeUnnamedMappingAdapter<Self>;
    type List = Self;
}

/// Text of a date or instant: a string, a `date`, an aware `datetime`, anything else with `isoformat()`, or NumPy's
/// `datetime64`, which is a date where its unit is a day and has no zone where it is less.
pub(crate) fn time_text(value: &Bound<'_, PyAny>) -> PyResult<String> {
    if let Ok(text) = value.cast::<PyString>() {
        return Ok(text.to_str()?.to_string());
    }
    if value.get_type().name()? == "datetime64" {
        return Ok(value.str()?.to_str()?.to_string());
    }
    match value.call_method0("isoformat") {
        Ok(text) => text.extract(),
        Err(_) => Err(PyTypeError::new_err(format!(
            "a date or instant is a string, a date, a datetime or a datetime64, not {}",
            value.get_type().name()?
        ))),
    }
}

/// The text of a date or instant, as every argument that takes one reads it.
///
/// Text as it stands; a date, a datetime or NumPy's ``datetime64`` in ISO 8601. Raises ``TypeError`` for anything
/// else. Whether the text is a date, and has a zone where it needs one, is judged where it is used.
///
/// >>> import datetime as dt, numpy as np
/// >>> from margincore._core import read_time
/// >>> read_time(dt.date(2026, 12, 18)), read_time(np.datetime64("2026-12-18"))
/// ('2026-12-18', '2026-12-18')
#[pyfunction]
#[pyo3(signature = (value, /))]
pub(crate) fn read_time(value: &Bound<'_, PyAny>) -> PyResult<String> {
    time_text(value)
}

/// The same dictionary without entries that are `None`.
pub(crate) fn without_none<'py>(dict: &Bound<'py, PyDict>) -> PyResult<Bound<'py, PyDict>> {
    let kept = PyDict::new(dict.py());
    for (key, value) in dict.iter().filter(|(_, v)| !v.is_none()) {
        kept.set_item(key, value)?;
    }
    Ok(kept)
}
