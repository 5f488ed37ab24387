//! Errors of the core as Python exceptions, and the one way into Rust with the interpreter lock released.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use margincore::MarginError as Core;
use margincore::{interrupt, simd};
use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyKeyboardInterrupt};
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
    "A value no rulebook could accept: NaN, a negative strike, a duplicate id, a naive timestamp."
);
create_exception!(
    margincore,
    ParseError,
    MarginError,
    "A file or document that breaks its format; the message has file and line or byte offset."
);
create_exception!(
    margincore,
    MissingData,
    MarginError,
    "Something the calculation needs was not given; the message names the contracts."
);
create_exception!(
    margincore,
    Unsupported,
    MarginError,
    "A rule that exists but is not implemented; the message names it."
);
create_exception!(
    margincore,
    NotApplicable,
    MarginError,
    "A rulebook was handed something it does not cover; the message names it."
);
create_exception!(
    margincore,
    CalculationError,
    MarginError,
    "The calculation could not be completed; the message says where."
);

pub(crate) fn raise(error: Core) -> PyErr {
    match error {
        Core::InvalidInput(m) => InvalidInput::new_err(m),
        Core::ParseError(m) => ParseError::new_err(m),
        Core::MissingData(m) => MissingData::new_err(m),
        Core::Unsupported(m) => Unsupported::new_err(m),
        Core::NotApplicable(m) => NotApplicable::new_err(m),
        Core::CalculationError(m) => CalculationError::new_err(m),
        Core::Interrupted(m) => PyKeyboardInterrupt::new_err(m),
    }
}

/// How often long work asks whether a signal has arrived: Ctrl-C is answered within a tenth of a second, also where
/// another thread has the interpreter just then.
const ASK: Duration = Duration::from_millis(20);

/// Runs `work` with the interpreter lock released. Nothing borrowed from Python may be inside, and no lock of ours held
/// around it: a signal's handler, which is Python and may call us, runs in between. What it raises ends the work.
///
/// Refuses a processor state that would change results.
pub(crate) fn enter<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> margincore::Result<T> + Send,
) -> PyResult<T> {
    let (answer, raised) = py.detach(|| {
        let raised = Rc::new(RefCell::new(None));
        let told = {
            let raised = raised.clone();
            move || {
                // None where the interpreter is ending: nobody is left to tell.
                let signal = Python::try_attach(|py| py.check_signals().err()).flatten();
                let told = signal.is_some();
                if told {
                    raised.replace(signal);
                }
                told
            }
        };
        let answer = simd::check_environment().and_then(|()| interrupt::watched(ASK, told, work));
        (answer, raised.take())
    });
    match raised {
        Some(error) => Err(error),
        None => answer.map_err(raise),
    }
}
