//! A pickle is a call of [`revive`] with the public name of the class, a version and a state. Classes of the package
//! that are written in Python pickle the same way (`margincore/_pickles.py`); here they are found by their name.

use pyo3::exceptions::{
    PyArithmeticError, PyAttributeError, PyImportError, PyLookupError, PyTypeError, PyValueError,
};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType};

use crate::account::{Account, Position};
use crate::accounts::Accounts;
use crate::contract::Contract;
use crate::contracts::Contracts;
use crate::errors::malformed;
use crate::live::{Decision, Limit, Order, WhatIf};
use crate::market::Market;
use crate::pickles::{Named, Pickled};
use crate::prepared::Prepared;
use crate::products::{OsiSymbol, Products};
use crate::report::{Line, MarginBatch, MarginReport, Requirement, UnderlyingGreeks};
use crate::securities::Securities;
use crate::span::SpanFile;
use crate::versions::check;

macro_rules! pickled {
    ($($class:ident),* $(,)?) => {
        $(impl Named for $class {
            fn name(py: Python<'_>) -> &Bound<'_, PyString> {
                intern!(py, stringify!($class))
            }
        })*

        /// Makes an object of one of the engine's classes; `None` where it has no class of the name.
        fn of_engine<'py>(
            name: &str,
            version: &Bound<'py, PyAny>,
            state: &Bound<'py, PyAny>,
        ) -> Option<PyResult<Bound<'py, PyAny>>> {
            match name {
                $(stringify!($class) => Some(made::<$class>(name, version, state)),)*
                _ => None,
            }
        }
    };
}

pickled!(
    Account,
    Accounts,
    Contract,
    Contracts,
    Decision,
    Limit,
    Line,
    MarginBatch,
    MarginReport,
    Market,
    Order,
    OsiSymbol,
    Position,
    Prepared,
    Products,
    Requirement,
    Securities,
    SpanFile,
    UnderlyingGreeks,
    WhatIf,
);

fn made<'py, T: Pickled>(
    name: &str,
    version: &Bound<'py, PyAny>,
    state: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyAny>> {
    check(format_args!("pickle of {name}"), version, 1, T::VERSION)?;
    let class = state.py().get_type::<T>();
    let parts = state.cast::<PyDict>()?;
    match T::maker(version.extract()?) {
        Some(maker) => class.call_method(maker, (), Some(parts)),
        None => class.call((), Some(parts)),
    }
}

/// Finds a class of the package in `margincore`, or in the room of it that its name says.
fn class_of_package<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
    let package = format!("margincore.{name}");
    let (room, class) = package.rsplit_once('.').expect("there is one");
    let class = py.import(room)?.getattr(class)?;
    class.getattr(intern!(py, "_pickle_version"))?;
    Ok(class)
}

fn of_package<'py>(
    name: &str,
    version: &Bound<'py, PyAny>,
    state: &Bound<'py, PyAny>,
    class: Option<&Bound<'py, PyType>>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = state.py();
    let found = class_of_package(py, name).map_err(|error| {
        let unknown = error.is_instance_of::<PyImportError>(py)
            || error.is_instance_of::<PyAttributeError>(py);
        if !unknown {
            return error;
        }
        malformed(format!(
            "pickle of {name}: this build has no such class: read it with the margincore that wrote it"
        ))
    })?;
    let newest = found.getattr(intern!(py, "_pickle_version"))?.extract()?;
    check(format_args!("pickle of {name}"), version, 1, newest)?;
    let class = class.map_or(&found, |class| class.as_any());
    class.call_method1(intern!(py, "_revived"), (version, state))
}

/// The object of a pickle: `name` is its class's public name, `version` that of its form, `state` what it holds.
///
/// Every pickle of the package is a call of it; `cls` is somebody else's class that derives from the named one. Raises
/// :class:`ParseError` for a name or version this build does not know and a state that makes no such object.
#[pyfunction]
#[pyo3(signature = (name, version, state, cls=None, /))]
pub(crate) fn revive<'py>(
    name: &str,
    version: &Bound<'py, PyAny>,
    state: &Bound<'py, PyAny>,
    cls: Option<&Bound<'py, PyType>>,
) -> PyResult<Bound<'py, PyAny>> {
    let made = match of_engine(name, version, state) {
        Some(made) => made,
        None => of_package(name, version, state, cls),
    };
    made.map_err(|error| {
        let py = state.py();
        let damaged = error.is_instance_of::<PyTypeError>(py)
            || error.is_instance_of::<PyValueError>(py)
            || error.is_instance_of::<PyLookupError>(py)
            || error.is_instance_of::<PyAttributeError>(py)
            || error.is_instance_of::<PyArithmeticError>(py);
        let message = error.value(py).to_string();
        let place = format!("pickle of {name}: ");
        if damaged && !message.starts_with(&place) {
            malformed(format!("{place}{message}"))
        } else {
            error
        }
    })
}
