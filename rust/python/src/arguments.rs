//! Arguments as Python gives them. What is of another type than is needed is refused in the house's words; which argument
//! it was is told by PyO3 in a note, which `margincore.errors` puts before the message.

use std::collections::BTreeMap;

use margincore::MarginError as Core;
use margincore::error::Code;
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::pyclass::boolean_struct::True;
use pyo3::types::{PyBool, PyBytes, PyDict, PyFloat, PyInt, PyIterator, PyString, PyTuple};
use pyo3::{PyClass, PyTypeInfo};

use crate::errors::raise;

/// A value of another type than is needed: `a number is needed, not str`.
pub(crate) fn wrong_type(needed: &str, value: &Bound<'_, PyAny>) -> PyErr {
    refused(needed, value, "")
}

fn refused(needed: &str, value: &Bound<'_, PyAny>, hint: &str) -> PyErr {
    let found = match value.get_type().name() {
        Ok(name) => name.to_string(),
        Err(error) => return error,
    };
    let found = match (is_flag(value), value.is_none()) {
        (Ok(true), _) => value.str().map_or(found, |text| text.to_string()),
        (_, true) => "None".to_string(),
        _ => found,
    };
    raise(
        Core::InvalidInput(format!("{needed} is needed, not {found}{hint}").into())
            .code(Code::WrongType),
    )
}

/// Whether a value is Python's or NumPy's true or false.
pub(crate) fn is_flag(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyString>() {
        return Ok(false);
    }
    let name = value.get_type().name()?;
    Ok(value.is_instance_of::<PyBool>() || matches!(name.to_str()?, "bool" | "bool_"))
}

/// A number. Python would take `True` for 1: it is refused.
pub(crate) fn number(value: &Bound<'_, PyAny>) -> PyResult<f64> {
    if let Ok(number) = value.cast_exact::<PyFloat>() {
        return Ok(number.value());
    }
    if is_flag(value)? || value.is_instance_of::<PyString>() {
        return Err(wrong_type("a number", value));
    }
    value.extract().map_err(|_| wrong_type("a number", value))
}

/// As [`number`], or nothing.
pub(crate) fn maybe_number(value: &Bound<'_, PyAny>) -> PyResult<Option<f64>> {
    maybe(value, number)
}

/// A whole number: an `int` or what counts as one, NumPy's too.
pub(crate) fn whole<T: TryFrom<i64>>(value: &Bound<'_, PyAny>) -> PyResult<T> {
    let needed = if T::try_from(-1).is_ok() {
        "a whole number"
    } else {
        "a whole number from 0"
    };
    if is_flag(value)? {
        return Err(wrong_type(needed, value));
    }
    let outside = || {
        let message = format!("{needed} is needed, not {value}");
        raise(Core::InvalidInput(message.into()).code(Code::OutOfRange))
    };
    match value.extract::<i64>() {
        Ok(number) => T::try_from(number).map_err(|_| outside()),
        // Too large even for the widest of them.
        Err(_) if value.is_instance_of::<PyInt>() => Err(outside()),
        Err(_) => Err(wrong_type(needed, value)),
    }
}

/// As [`whole`], or nothing.
pub(crate) fn maybe_whole<T: TryFrom<i64>>(value: &Bound<'_, PyAny>) -> PyResult<Option<T>> {
    maybe(value, whole)
}

/// How many threads: one at least.
pub(crate) fn threads(value: &Bound<'_, PyAny>) -> PyResult<usize> {
    let refused = || wrong_type("a whole number from 1", value);
    match whole::<usize>(value) {
        Ok(threads @ 1..) => Ok(threads),
        Err(_) if !value.is_instance_of::<PyInt>() => Err(refused()),
        _ => {
            let message = format!("a whole number from 1 is needed, not {value}");
            Err(raise(
                Core::InvalidInput(message.into()).code(Code::OutOfRange),
            ))
        }
    }
}

/// Text that is text all through: Python's may hold halves of characters.
pub(crate) fn text<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<&'a str> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(wrong_type("text", value));
    };
    text.to_str().map_err(|_| {
        let message = "text is needed, and this holds half a character (a lone surrogate)";
        raise(Core::InvalidInput(message.into()).code(Code::BadText))
    })
}

/// As [`text`], or nothing.
pub(crate) fn maybe_text<'a>(value: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a str>> {
    maybe(value, text)
}

/// True or false, and nothing that merely counts as one of them.
pub(crate) fn flag(value: &Bound<'_, PyAny>) -> PyResult<bool> {
    match value.cast::<PyBool>() {
        Ok(flag) => Ok(flag.is_true()),
        Err(_) if is_flag(value)? => value.extract(),
        Err(_) => Err(wrong_type("True or False", value)),
    }
}

/// What a list or another iterable holds, for the argument called `name`: text is none.
pub(crate) fn items<'py>(
    name: &str,
    needed: &str,
    value: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyIterator>> {
    let is_text = value.is_instance_of::<PyString>() || value.is_instance_of::<PyBytes>();
    match value.try_iter() {
        Ok(items) if !is_text => Ok(items),
        // What an iterable raises by itself is its own.
        Err(error) if !error.is_instance_of::<PyTypeError>(value.py()) => Err(error),
        _ => Err(named(wrong_type(needed, value), name)),
    }
}

/// Numbers by name.
pub(crate) fn amounts(value: &Bound<'_, PyAny>) -> PyResult<BTreeMap<String, f64>> {
    let Ok(given) = value.cast::<PyDict>() else {
        return Err(wrong_type("a mapping of numbers by name", value));
    };
    let read = |(name, amount): (Bound<'_, PyAny>, Bound<'_, PyAny>)| {
        let name = text(&name)?.to_string();
        let amount = number(&amount).map_err(|e| named(e, &format!("'{name}'")))?;
        Ok((name, amount))
    };
    given.iter().map(read).collect()
}

/// As [`amounts`], or nothing.
pub(crate) fn maybe_amounts(value: &Bound<'_, PyAny>) -> PyResult<Option<BTreeMap<String, f64>>> {
    maybe(value, amounts)
}

/// A throttle: so many messages in so many seconds; or none.
pub(crate) fn maybe_throttle(value: &Bound<'_, PyAny>) -> PyResult<Option<(u32, f64)>> {
    maybe(value, |value| match value.cast::<PyTuple>() {
        Ok(pair) if pair.len() == 2 => {
            Ok((whole(&pair.get_item(0)?)?, number(&pair.get_item(1)?)?))
        }
        _ => Err(wrong_type("a tuple (messages, seconds)", value)),
    })
}

/// An object of one of our classes.
pub(crate) fn object<'a, T>(value: &'a Bound<'_, PyAny>) -> PyResult<&'a T>
where
    T: PyClass<Frozen = True> + Sync,
{
    match value.cast::<T>() {
        Ok(object) => Ok(object.get()),
        Err(_) => Err(not_a::<T>(value)),
    }
}

/// What is not an object of one of our classes, with how to make one.
pub(crate) fn not_a<T: PyTypeInfo>(value: &Bound<'_, PyAny>) -> PyErr {
    let class = match T::type_object(value.py()).name() {
        Ok(class) => class.to_string(),
        Err(error) => return error,
    };
    let (needed, hint) = match class.as_str() {
        "Contract" => (
            "a Contract".to_string(),
            ": of a symbol, mc.Products().contract(symbol); of an id, contracts[contracts.index(id)]",
        ),
        "Methodology" => (
            "a rulebook".to_string(),
            ": mc.methods has them, such as mc.methods.Tims()",
        ),
        "Account" | "Accounts" | "Order" => (format!("an {class}"), ""),
        _ => (format!("a {class}"), ""),
    };
    refused(&needed, value, hint)
}

/// As [`object`], or nothing.
pub(crate) fn maybe_object<'a, T>(value: &'a Bound<'_, PyAny>) -> PyResult<Option<&'a T>>
where
    T: PyClass<Frozen = True> + Sync,
{
    maybe(value, object)
}

/// An error with the name of what it is about, put before the message as PyO3's note of an argument is.
pub(crate) fn named(error: PyErr, name: &str) -> PyErr {
    Python::attach(|py| {
        let told = error.value(py).call_method1("named", (name,));
        told.err().unwrap_or(error)
    })
}

fn maybe<'a, 'py, T>(
    value: &'a Bound<'py, PyAny>,
    read: fn(&'a Bound<'py, PyAny>) -> PyResult<T>,
) -> PyResult<Option<T>> {
    if value.is_none() {
        Ok(None)
    } else {
        read(value).map(Some)
    }
}
