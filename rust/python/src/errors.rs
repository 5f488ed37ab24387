//! Errors of the core as Python exceptions, and the one way into Rust with the interpreter lock released.

use margincore::MarginError as Core;
use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;

create_exception!(
    margincore,
    MarginError,
    PyException,
    "Anything margincore refuses to answer."
);
create_exception!(
    margincore,
    InvalidInput,
    MarginError,
    "A value no rulebook could accept."
);
create_exception!(
    margincore,
    ParseError,
    MarginError,
    "A file or document that breaks its format."
);
create_exception!(
    margincore,
    MissingData,
    MarginError,
    "Something the calculation needs was not given."
);
create_exception!(
    margincore,
    Unsupported,
    MarginError,
    "A rule that exists but is not implemented."
);
create_exception!(
    margincore,
    NotApplicable,
    MarginError,
    "A rulebook was handed something it does not cover."
);
create_exception!(
    margincore,
    CalculationError,
    MarginError,
    "The calculation could not be completed."
);

pub(crate) fn raise(error: Core) -> PyErr {
    match error {
        Core::InvalidInput(m) => InvalidInput::new_err(m),
        Core::ParseError(m) => ParseError::new_err(m),
        Core::MissingData(m) => MissingData::new_err(m),
        Core::Unsupported(m) => Unsupported::new_err(m),
        Core::NotApplicable(m) => NotApplicable::new_err(m),
        Core::CalculationError(m) => CalculationError::new_err(m),
    }
}

/// Runs `work` with the interpreter lock released. Nothing borrowed from Python may be inside.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> margincore::Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(raise)
}
