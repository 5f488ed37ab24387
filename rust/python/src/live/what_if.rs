//! `WhatIf`: requirements before and after trades.

use margincore::report::amount_text;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};

use crate::pickles::{Pickled, Reduced, of_document, reduced};
use crate::report::Requirement;
use crate::values::{from_python, to_python};
use crate::versions::{versioned, without_version};

/// Requirements before and after trades, and the difference, in the report's currency.
#[pyclass(frozen, get_all, eq, module = "margincore._core")]
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhatIf {
    /// The requirement of the positions as they are.
    pub(super) before: Requirement,
    /// The requirement with the trades done.
    pub(super) after: Requirement,
    /// After less before; negative where the trades lower it.
    pub(super) change: Requirement,
}

#[pymethods]
impl WhatIf {
    fn __repr__(&self) -> String {
        format!(
            "WhatIf({} -> {}: {}{})",
            amount_text(self.before.initial),
            amount_text(self.after.initial),
            if self.change.initial >= 0.0 { "+" } else { "" },
            amount_text(self.change.initial)
        )
    }

    /// The three requirements as a document of plain values, by the names of its properties.
    ///
    /// With the version of documents.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        versioned(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind, :class:`ParseError` for
    /// another version of documents; without one it is the present.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("what-if", &without_version("what-if", document)?)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for WhatIf {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, to_python(py, self)?)
    }
}
