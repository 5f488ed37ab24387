//! Columns of numbers, and of whole ones from whatever integer type Python holds them in.

use numpy::{Element, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::arguments::is_flag;
use crate::errors::invalid;

/// A column of whole numbers: an array of any integer type, or what NumPy makes one of. Numbers that do not fit are
/// refused by row; fractions, true and false are refused whatever their values.
pub(crate) fn whole_numbers<T>(what: &str, values: &Bound<'_, PyAny>) -> PyResult<Vec<T>>
where
    T: Element + Copy + TryFrom<i128>,
{
    if let Ok(column) = values.extract::<PyReadonlyArray1<'_, T>>() {
        return Ok(column.as_array().to_vec());
    }
    let py = values.py();
    let numpy = py.import("numpy")?;
    let array = numpy.call_method1("asarray", (values,));
    let array = array.map_err(|e| invalid(format!("{what}: {}", e.value(py))))?;
    let native = array
        .getattr("dtype")?
        .call_method1("newbyteorder", ("=",))?;
    let array = numpy.call_method1("asarray", (array, native))?;
    let wanted = T::get_dtype(py);
    macro_rules! converted {
        ($($integer:ty)*) => {$(
            if let Ok(column) = array.cast::<PyArray1<$integer>>() {
                return narrowed(what, &wanted.to_string(), column.readonly().as_array().iter().map(|&v| i128::from(v)));
            }
        )*};
    }
    converted!(i64 i32 i16 i8 u64 u32 u16 u8);
    let shape: Vec<usize> = array.getattr("shape")?.extract()?;
    // An empty list is no integers to NumPy.
    if shape == [0] {
        return Ok(Vec::new());
    }
    Err(invalid(format!(
        "{what} is {} of shape {shape:?}: one dimension of whole numbers ({wanted}) is needed",
        array.getattr("dtype")?
    )))
}

/// A column of numbers from an array, a list, a tuple or a Series, in its order; `needed` says what may be there.
pub(crate) fn numbers(what: &str, needed: &str, values: &Bound<'_, PyAny>) -> PyResult<Vec<f64>> {
    let refuse = || -> PyResult<Vec<f64>> {
        let found = values.get_type();
        Err(invalid(format!(
            "{what}: {needed} needed, not {}",
            found.name()?
        )))
    };
    let listed = values.is_instance_of::<PyList>() || values.is_instance_of::<PyTuple>();
    if !listed && !values.hasattr("__array__")? {
        return refuse();
    }
    if listed {
        for value in values.try_iter()? {
            if is_flag(&value?)? {
                return refuse();
            }
        }
    }
    let numpy = values.py().import("numpy")?;
    let array = numpy.call_method1("asarray", (values,))?;
    let kind: String = array.getattr("dtype")?.getattr("kind")?.extract()?;
    if !matches!(kind.as_str(), "f" | "i" | "u") {
        return refuse();
    }
    match array
        .call_method1("astype", ("float64",))?
        .cast::<PyArray1<f64>>()
    {
        Ok(column) => Ok(column.readonly().as_array().to_vec()),
        Err(_) => refuse(),
    }
}

fn narrowed<T: TryFrom<i128>>(
    what: &str,
    wanted: &str,
    values: impl Iterator<Item = i128>,
) -> PyResult<Vec<T>> {
    values
        .enumerate()
        .map(|(row, value)| {
            T::try_from(value)
                .map_err(|_| invalid(format!("{what} row {row}: {value} does not fit {wanted}")))
        })
        .collect()
}
