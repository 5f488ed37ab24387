//! Columns of whole numbers from whatever integer type Python holds them in.

use numpy::{Element, PyArray1, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

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
