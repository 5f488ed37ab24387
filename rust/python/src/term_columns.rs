//! Columns of a table of contracts, from whatever Python holds them in.

use std::collections::HashMap;

use margincore::columns::{self, TermColumns, TextColumn};
use margincore::contract as core;
use numpy::{PyReadonlyArray1, PyUntypedArray};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString, PyTuple};

use crate::arguments::is_flag;
use crate::columns::whole_numbers;
use crate::errors::invalid;
use crate::values::{from_python, time_text};

/// Adds a column to those of its form.
pub(crate) fn add_column(
    terms: &mut TermColumns,
    name: String,
    column: &Bound<'_, PyAny>,
) -> PyResult<()> {
    let words = columns::is_words(&name);
    if let Some(coded) = coded(&name, column)? {
        terms.text.insert(name, coded);
    } else if let Some(named) = column.cast::<PyDict>().ok().filter(|_| !words) {
        let named = named.iter().map(|(vendor, column)| {
            let vendor: String = vendor.extract()?;
            let place = format!("{name}.{vendor}");
            let text = if let Some(coded) = coded(&place, &column)? {
                coded
            } else if column.is_instance_of::<PyString>() {
                one_text(text(&place, 0, &column)?)
            } else {
                text_column(&place, &column, &as_array(&place, &column)?)?
            };
            Ok((vendor, text))
        });
        let named = named.collect::<PyResult<_>>()?;
        terms.named.insert(name, named);
    } else if column.is_instance_of::<PyString>() || column.is_instance_of::<PyDict>() {
        let text = one_text(text(&name, 0, column)?);
        terms.text.insert(name, text);
    } else if is_flag(column)? {
        if !columns::is_flag(&name) {
            return Err(invalid(format!(
                "contracts: column '{name}': {column} stands where a number or text is needed"
            )));
        }
        terms.flags.insert(name, vec![column.is_truthy()?]);
    } else if let Ok(number) = column.extract::<f64>() {
        terms.numbers.insert(name, vec![number]);
    } else {
        let array = as_array(&name, column)?;
        match element_kind(&array)?.as_str() {
            "f" | "i" | "u" => {
                let numbers = array.call_method1("astype", ("float64",))?;
                let numbers = numbers.extract::<PyReadonlyArray1<'_, f64>>()?;
                terms.numbers.insert(name, numbers.as_array().to_vec());
            }
            "b" => {
                let flags = array.extract::<PyReadonlyArray1<'_, bool>>()?;
                terms.flags.insert(name, flags.as_array().to_vec());
            }
            _ => {
                let text = text_column(&name, column, &array)?;
                terms.text.insert(name, text);
            }
        }
    }
    Ok(())
}

/// A column of text as codes and the texts they stand for; `None` where it is no such pair.
fn coded(name: &str, column: &Bound<'_, PyAny>) -> PyResult<Option<TextColumn>> {
    let Ok(pair) = column.cast::<PyTuple>() else {
        return Ok(None);
    };
    let [codes, values] = match pair.iter().collect::<Vec<_>>().try_into() {
        Ok(pair) => pair,
        Err(_) => return Ok(None),
    };
    let pair: [Bound<'_, PyAny>; 2] = [codes, values];
    let is_column =
        |part: &Bound<'_, PyAny>| part.len().is_ok() && !part.is_instance_of::<PyString>();
    if !pair.iter().all(is_column) {
        return Ok(None);
    }
    let codes = whole_numbers(&format!("contracts: column '{name}': codes"), &pair[0])?;
    let values = pair[1].try_iter()?.enumerate();
    let values = values.map(|(row, value)| text(name, row, &value?));
    Ok(Some(TextColumn {
        codes,
        values: values.collect::<PyResult<_>>()?,
    }))
}

/// What NumPy makes of a column, of one dimension.
fn as_array<'py>(name: &str, column: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let py = column.py();
    let refused = |why: String| invalid(format!("contracts: column '{name}': {why}"));
    let array = py
        .import("numpy")?
        .call_method1("asarray", (column,))
        .map_err(|e| refused(e.value(py).to_string()))?;
    let dimensions: usize = array.getattr("ndim")?.extract()?;
    if dimensions != 1 {
        return Err(refused(format!(
            "{} is no column: one value, or a list or array with one per row, is needed",
            column.get_type().name()?
        )));
    }
    Ok(array)
}

/// NumPy's letter for the kind of an array's elements.
fn element_kind(array: &Bound<'_, PyAny>) -> PyResult<String> {
    array.getattr("dtype")?.getattr("kind")?.extract()
}

/// A text for every row.
fn one_text(text: String) -> TextColumn {
    TextColumn {
        codes: vec![0],
        values: vec![text],
    }
}

/// The distinct values of a column of text or dates, of which `array` is NumPy's, and which of them each row holds.
fn text_column(
    name: &str,
    column: &Bound<'_, PyAny>,
    array: &Bound<'_, PyAny>,
) -> PyResult<TextColumn> {
    let py = array.py();
    let numpy = py.import("numpy")?;
    let kind = element_kind(array)?;
    if kind == "O" {
        return distinct(name, array.call_method0("tolist")?);
    }
    // NumPy's text has no NUL at its end. What is not NumPy's yet is read as it stands, or a name would be shortened.
    if matches!(kind.as_str(), "U" | "S") && column.cast::<PyUntypedArray>().is_err() {
        let objects = numpy.call_method1("asarray", (column, "object"))?;
        return distinct(name, objects.call_method0("tolist")?);
    }
    let options = PyDict::new(py);
    options.set_item("return_inverse", true)?;
    let (values, codes): (Bound<'_, PyAny>, Bound<'_, PyAny>) = numpy
        .call_method("unique", (array,), Some(&options))?
        .extract()?;
    let values = match kind.as_str() {
        "M" => values.call_method1("astype", ("str",))?,
        _ => values,
    };
    let codes = codes.call_method1("astype", ("uint32",))?;
    let mut column = distinct(name, values.call_method0("tolist")?)?;
    // Values that NumPy tells apart are few: their rows follow its codes.
    let codes = codes.extract::<PyReadonlyArray1<'_, u32>>()?;
    column.codes = codes
        .as_array()
        .iter()
        .map(|&code| column.codes[code as usize])
        .collect();
    Ok(column)
}

/// The distinct texts of a list, and which of them each row holds.
fn distinct(name: &str, rows: Bound<'_, PyAny>) -> PyResult<TextColumn> {
    let mut known: HashMap<String, u32> = HashMap::new();
    let mut column = TextColumn {
        codes: Vec::new(),
        values: Vec::new(),
    };
    for (row, value) in rows.try_iter()?.enumerate() {
        let text = text(name, row, &value?)?;
        let code = match known.get(&text) {
            Some(&code) => code,
            None => {
                let code = column.values.len() as u32;
                column.values.push(text.clone());
                known.insert(text, code);
                code
            }
        };
        column.codes.push(code);
    }
    Ok(column)
}

/// One text or date of a column.
fn text(name: &str, row: usize, value: &Bound<'_, PyAny>) -> PyResult<String> {
    let refused = |why: &str| invalid(format!("contracts row {row}: column '{name}': {why}"));
    if let Ok(text) = value.cast::<PyString>() {
        let text = text.to_str().map(str::to_string);
        return text.map_err(|_| refused("half of a surrogate pair is no character"));
    }
    if let Ok(bytes) = value.cast::<PyBytes>() {
        let text = std::str::from_utf8(bytes.as_bytes()).map(str::to_string);
        return text.map_err(|_| refused("the bytes are not UTF-8"));
    }
    if columns::is_words(name) && value.is_instance_of::<PyDict>() {
        let what = format!("contracts row {row}: column '{name}'");
        return Ok(from_python::<core::Deliverable>(&what, value)?.to_string());
    }
    time_text(value).map_err(|_| {
        let found = value.get_type();
        refused(&format!(
            "{} is neither text (\"\" where it is left out) nor a date",
            found
                .name()
                .map_or_else(|_| "this".to_string(), |n| n.to_string())
        ))
    })
}
