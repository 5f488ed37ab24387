//! `Decision`.

use std::sync::Arc;

use margincore::contract::Contracts;
use margincore::live as core;
use margincore::report::amount_text;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde::{Deserialize, Serialize};

use crate::errors::invalid;
use crate::pickles::{Pickled, Reduced, of_document, reduced};
use crate::report::Requirement;
use crate::values::{from_python_with, to_python};
use crate::versions::{versioned, without_version};

/// The answer to a check. Anything that could not be established is a refusal; `reason` is a fixed code.
///
/// Codes, in the order of the checks: ``killed``, ``invalid_order``, ``invalid_limit``, ``duplicate_order``,
/// ``no_time``, ``stale_market``, ``unknown_contract``, ``throttled``, ``max_quantity``, ``max_notional``,
/// ``price_collar``, ``open_orders`` (the worst fills cannot be established), ``missing_data``, ``engine``,
/// ``max_requirement``, ``min_excess``, ``intraday_deficit``; ``accepted`` otherwise. True in a condition where
/// accepted. Amounts are in the report's currency.
#[pyclass(frozen, eq, module = "margincore._core")]
pub(crate) struct Decision {
    decision: core::Decision,
    of: Of,
}

/// What a decision's digest is made of.
enum Of {
    Check {
        order: core::Order,
        limit: core::Limit,
        contracts: Arc<Contracts>,
    },
    /// Of a decision that was a document between: the digest it had.
    Document(String),
}

/// A decision as plain values.
#[derive(PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    accepted: bool,
    reason: core::Reason,
    message: String,
    before: Requirement,
    after: Requirement,
    worst: f64,
    excess_before: Option<f64>,
    excess_after: Option<f64>,
    headroom: f64,
    coverage: core::Coverage,
    market_age: Option<f64>,
    epoch: u64,
    sequence: u64,
    digest: String,
}

/// Decisions are equal where all they show is.
impl PartialEq for Decision {
    fn eq(&self, other: &Self) -> bool {
        self.document() == other.document()
    }
}

impl Decision {
    pub(super) fn new(
        decision: core::Decision,
        order: core::Order,
        limit: core::Limit,
        contracts: Arc<Contracts>,
    ) -> Self {
        let of = Of::Check {
            order,
            limit,
            contracts,
        };
        Self { decision, of }
    }

    fn document(&self) -> Document {
        let core::Decision {
            accepted,
            reason,
            message,
            before,
            after,
            worst,
            excess_before,
            excess_after,
            headroom,
            coverage,
            market_age,
            epoch,
            sequence,
        } = self.decision.clone();
        Document {
            accepted,
            reason,
            message,
            before: before.into(),
            after: after.into(),
            worst,
            excess_before,
            excess_after,
            headroom,
            coverage,
            market_age,
            epoch,
            sequence,
            digest: self.digest(),
        }
    }
}

impl From<Document> for Decision {
    fn from(document: Document) -> Self {
        let Document {
            accepted,
            reason,
            message,
            before,
            after,
            worst,
            excess_before,
            excess_after,
            headroom,
            coverage,
            market_age,
            epoch,
            sequence,
            digest,
        } = document;
        // Of a requirement a decision shows two numbers, and keeps no others here.
        let shown = |r: Requirement| margincore::report::Requirement {
            initial: r.initial,
            maintenance: r.maintenance,
            ..Default::default()
        };
        let decision = core::Decision {
            accepted,
            reason,
            message,
            before: shown(before),
            after: shown(after),
            worst,
            excess_before,
            excess_after,
            headroom,
            coverage,
            market_age,
            epoch,
            sequence,
        };
        Self {
            decision,
            of: Of::Document(digest),
        }
    }
}

#[pymethods]
impl Decision {
    /// Whether the order may be sent.
    #[getter]
    fn accepted(&self) -> bool {
        self.decision.accepted
    }

    /// The code of the first check that failed, or ``accepted``.
    #[getter]
    fn reason(&self) -> &'static str {
        self.decision.reason.code()
    }

    /// What refused the order, with the numbers that decided; empty where it is accepted.
    ///
    /// As ``"max_requirement: 12,345.00 is above the limit of 10,000.00"``; where two amounts print alike, every digit.
    #[getter]
    fn message(&self) -> &str {
        &self.decision.message
    }

    /// Fresh margin of the positions, without open orders.
    #[getter]
    fn before(&self) -> Requirement {
        Requirement::from(self.decision.before)
    }

    /// Fresh margin with this order filled, without other open orders.
    #[getter]
    fn after(&self) -> Requirement {
        Requirement::from(self.decision.after)
    }

    /// The requirement that limits are held against, open orders in their worst case.
    ///
    /// With this order filled completely, or with a part of it filled that needs more than that and more than none.
    #[getter]
    fn worst(&self) -> f64 {
        self.decision.worst
    }

    /// Equity less requirement now, in the report's currency; `None` where equity is not known.
    #[getter]
    fn excess_before(&self) -> Option<f64> {
        self.decision.excess_before
    }

    /// Equity less requirement in the worst case of it; `None` where equity is not known.
    #[getter]
    fn excess_after(&self) -> Option<f64> {
        self.decision.excess_after
    }

    /// How far the tightest limit of requirement and excess is away, in the report's currency.
    ///
    /// Negative where it is broken.
    #[getter]
    fn headroom(&self) -> f64 {
        self.decision.headroom
    }

    /// How the worst case of open orders was established.
    ///
    /// ``none`` (there were none), ``exact`` or ``bound`` (a closed form, reached or not exceeded), ``every_fill``.
    #[getter]
    fn coverage(&self) -> &'static str {
        self.decision.coverage.code()
    }

    /// Seconds from the market to `now`, the argument of the check; `None` where either is not known.
    #[getter]
    fn market_age(&self) -> Option<f64> {
        self.decision.market_age
    }

    /// How many markets the account had been moved to.
    #[getter]
    fn epoch(&self) -> u64 {
        self.decision.epoch
    }

    /// The number of this check in the account, from 1.
    #[getter]
    fn sequence(&self) -> u64 {
        self.decision.sequence
    }

    /// SHA-256 of order, limit, table, numbers and reason, in hexadecimal.
    fn digest(&self) -> String {
        match &self.of {
            Of::Check {
                order,
                limit,
                contracts,
            } => self.decision.digest(order, limit, contracts.digest()),
            Of::Document(digest) => digest.clone(),
        }
    }

    /// The decision as a document of plain values, by the names of its properties, with its digest.
    ///
    /// With the version of documents.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        versioned(py, &self.document())
    }

    /// What :meth:`to_dict` wrote, to the last bit, with the digest it had; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind, :class:`ParseError` for
    /// another version of documents; without one it is the present.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        let document = without_version("decision", document)?;
        let document: Document = from_python_with("decision", &document, |key| key == "accepted")?;
        if document.accepted != (document.reason == core::Reason::Accepted) {
            return Err(invalid(format!(
                "decision: accepted is {} and the reason '{}'",
                document.accepted,
                document.reason.code()
            )));
        }
        Ok(document.into())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    fn __bool__(&self) -> bool {
        self.decision.accepted
    }

    fn __repr__(&self) -> String {
        let d = &self.decision;
        format!(
            "Decision({}, {}, requirement {} -> {})",
            if d.accepted { "accepted" } else { "rejected" },
            d.reason.code(),
            amount_text(d.before.initial),
            amount_text(d.worst)
        )
    }
}

impl Pickled for Decision {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, to_python(py, &self.document())?)
    }
}
