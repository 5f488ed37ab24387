//! Errors of the core as Python exceptions, and the one way into Rust with the interpreter lock released.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use margincore::MarginError as Core;
use margincore::error::{Code, Value};
use margincore::{interrupt, simd};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use pyo3::types::PyDict;

/// An error of the core as the exception of its name, of `margincore.errors`.
pub(crate) fn raise(error: Core) -> PyErr {
    if let Core::Interrupted(_) = error {
        return PyKeyboardInterrupt::new_err(error.to_string());
    }
    let class = error.kind();
    Python::attach(|py| match exception(py, class, &error) {
        Ok(made) => PyErr::from_value(made),
        Err(failed) => failed,
    })
}

fn exception<'py>(py: Python<'py>, class: &str, error: &Core) -> PyResult<Bound<'py, PyAny>> {
    let details = PyDict::new(py);
    details.set_item("code", error.why().text())?;
    details.set_item("where", error.whereabouts())?;
    match error.refused() {
        None => {}
        Some(Value::Number(value)) => details.set_item("value", value)?,
        Some(Value::Whole(value)) => details.set_item("value", value)?,
        Some(Value::Text(value)) => details.set_item("value", value)?,
    }
    py.import("margincore.errors")?
        .getattr(class)?
        .call((error.message(),), Some(&details))
}

/// Every code that an error may have, with its meaning, a new dictionary.
///
/// >>> import margincore as mc
/// >>> mc.error_codes()["out_of_range"]
/// 'A number outside its bounds.'
#[pyfunction]
pub(crate) fn error_codes() -> BTreeMap<&'static str, &'static str> {
    (Code::ALL.iter())
        .map(|code| (code.text(), code.about().trim()))
        .collect()
}

/// The classes, which are Python's, beside those that raise them.
pub(crate) fn export(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let errors = module.py().import("margincore.errors")?;
    for class in [
        "MarginError",
        "InvalidInput",
        "ParseError",
        "MissingData",
        "Unsupported",
        "NotApplicable",
        "CalculationError",
    ] {
        module.add(class, errors.getattr(class)?)?;
    }
    Ok(())
}

/// A value that no rulebook could accept.
pub(crate) fn invalid(message: impl Into<String>) -> PyErr {
    raise(Core::InvalidInput(message.into().into()))
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

/// A file or document that breaks its format.
pub(crate) fn malformed(message: impl Into<String>) -> PyErr {
    raise(Core::ParseError(message.into().into()))
}
