//! Names of arguments, and what a wrong one was meant to be.

use margincore::MarginError as Core;
use margincore::error::Code;
use margincore::names::hint;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::errors::raise;

/// Refuses arguments whose names are none of `known`, with the nearest of those. A function takes them as `**unknown`,
/// beside all that it knows by name, and leaves that out of the signature it shows: it takes no such argument.
pub(crate) fn refuse_unknown(
    what: &str,
    known: &[&str],
    unknown: Option<&Bound<'_, PyDict>>,
) -> PyResult<()> {
    match unknown.and_then(|unknown| unknown.iter().next()) {
        None => Ok(()),
        Some((name, _)) => {
            let name: String = name.extract()?;
            let hint = hint(&name, known.iter().copied());
            let message = format!("{what}: no argument is called '{name}'{hint}");
            Err(raise(
                Core::InvalidInput(message.into())
                    .code(Code::UnknownName)
                    .place(what)
                    .value(name),
            ))
        }
    }
}
