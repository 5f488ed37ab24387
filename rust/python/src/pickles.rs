//! Pickles: one way out for every class, with the version of its form; `revive.rs` is the way in.

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyString};
use pyo3::{PyTypeInfo, intern};

/// A class that pickles. Its state is what its maker takes by name.
pub(crate) trait Pickled: Named {
    /// The version of the state. A part that may be left out leaves it as it is; any other change raises it, and then
    /// `revive` is told how the earlier versions are read.
    const VERSION: u32 = 1;

    /// The method that makes the object again of its state; the class itself where there is none.
    const MAKER: Option<&'static str> = None;

    /// The maker of a state of this or an earlier version.
    fn maker(_version: u32) -> Option<&'static str> {
        Self::MAKER
    }

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>>;
}

/// A class by its public name. One string for all pickles of a class: within one pickle it is written once.
pub(crate) trait Named: PyTypeInfo {
    fn name(py: Python<'_>) -> &Bound<'_, PyString>;
}

/// What Python's pickle asks for: a function, and its arguments.
pub(crate) type Reduced<'py> = (
    Bound<'py, PyAny>,
    (Bound<'py, PyString>, u32, Bound<'py, PyDict>),
);

/// The state of a class that `from_dict` makes of a document.
pub(crate) fn of_document<'py>(
    py: Python<'py>,
    document: Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyDict>> {
    let state = PyDict::new(py);
    state.set_item(intern!(py, "document"), document)?;
    Ok(state)
}

/// The `__reduce__` of a class.
pub(crate) fn reduced<'py, T: Pickled>(value: &T, py: Python<'py>) -> PyResult<Reduced<'py>> {
    static REVIVE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let revive = REVIVE.import(py, "margincore._core", "revive")?;
    let own = (T::name(py).clone(), T::VERSION, value.state(py)?);
    Ok((revive.clone(), own))
}
