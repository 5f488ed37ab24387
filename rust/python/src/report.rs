//! `MarginReport`.

mod amounts;
mod batch;
mod parts;

pub(crate) use amounts::{amount_text, worst_text};
pub(crate) use batch::MarginBatch;
pub(crate) use parts::{Line, Requirement, UnderlyingGreeks};

use margincore::report as core;
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};

use crate::cards::card;
use crate::errors::invalid;
use crate::pickles::{Pickled, Reduced, of_document, reduced};
use crate::values::{from_python_with, read_only, to_python, tuple_of};
use crate::versions::{versioned, without_version};

/// A requirement with everything that explains it; the lines add up to the total, always.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct MarginReport {
    pub(crate) report: core::MarginReport,
    pub(crate) standalone_sum: Option<f64>,
}

#[pymethods]
impl MarginReport {
    /// The requirement: initial and maintenance, in `currency`.
    #[getter]
    fn requirement(&self) -> Requirement {
        let core::Requirement {
            initial,
            maintenance,
            ..
        } = self.report.requirement;
        Requirement {
            initial,
            maintenance,
        }
    }

    /// The initial requirement, in `currency`: that of `requirement`.
    #[getter]
    fn initial(&self) -> f64 {
        self.report.requirement.initial
    }

    /// The maintenance requirement, in `currency`: that of `requirement`.
    #[getter]
    fn maintenance(&self) -> f64 {
        self.report.requirement.maintenance
    }

    /// What the liquidating equity must reach, in `currency`: the initial requirement.
    ///
    /// Liquidating equity is cash, option value and collateral. Also what these trades need brought: premium paid
    /// leaves the cash and comes back as option value, premium received the other way round. A minimum equity of the
    /// account is not in it.
    #[getter]
    fn equity_required(&self) -> f64 {
        self.report.requirement.initial
    }

    /// The cash that must stand in the account once its trades have settled, in `currency`.
    ///
    /// Not what must be brought. `equity_required` less the value of all positions that are paid in full (options,
    /// stock, spot; long positive, short negative) and less collateral after haircuts; negative where these are worth
    /// more than is required. `None` where a position has no mark or no exchange rate, and with collateral of unknown
    /// haircut: :meth:`LiveAccount.report` knows the haircuts of :meth:`Prepared.open`.
    ///
    /// >>> import margincore as mc
    /// >>> stock = mc.Stock("XYZ", currency="USD")
    /// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    /// >>> report = mc.margin([mc.Position(stock, 100)], market, mc.methods.RegT(classes={"XYZ": "equity"}))
    /// >>> report.equity_required, report.cash_balance_required         # half is lent
    /// (2500.0, -2500.0)
    #[getter]
    fn cash_balance_required(&self) -> Option<f64> {
        self.report.cash_balance_required
    }

    /// Deprecated, version 0.2 removes it: `equity_required` less `net_option_value`, in `currency`.
    ///
    /// What must be brought is `equity_required`, what must stand in the account is `cash_balance_required`.
    #[getter]
    fn cash_required(&self, py: Python<'_>) -> PyResult<f64> {
        PyErr::warn(
            py,
            &py.get_type::<PyDeprecationWarning>(),
            c"cash_required is deprecated and version 0.2 removes it: cash_balance_required is the cash that must stand in \
              the account, equity_required what must be brought",
            1,
        )?;
        Ok(self.report.requirement.less_option_value())
    }

    /// Liquidating value of the premium-style options held, in `currency`; positive for an asset.
    #[getter]
    fn net_option_value(&self) -> f64 {
        self.report.requirement.net_option_value
    }

    /// The worst scenario's label where the whole account has one, else `None`; lines name their own.
    #[getter]
    fn worst_scenario(&self) -> Option<&str> {
        self.report.worst_scenario.as_deref()
    }

    /// The worst scenario's number from 0 in the rulebook's own list; `None` where it has none.
    #[getter]
    fn worst_scenario_index(&self) -> Option<u32> {
        self.report.requirement.worst_scenario
    }

    /// The rulebook's own name, such as ``OCC TIMS``.
    #[getter]
    fn methodology(&self) -> &str {
        &self.report.methodology
    }

    /// Which parameters made the numbers: name, version, effective date, source and digest; read-only.
    ///
    /// ``superseded_by`` is the newer preset of the same rulebook that was in force at the valuation, with its date in
    /// brackets, where the parameters stated are older; else empty.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.report.parameters)
    }

    /// The instant of the market; `None` where the rulebook needed none.
    #[getter]
    fn valuation(&self) -> Option<&str> {
        self.report.valuation.as_deref()
    }

    /// The currency of the requirement.
    #[getter]
    fn currency(&self) -> &str {
        &self.report.currency
    }

    /// The terms of the requirement in the rulebook's order, each in its own currency; credits are negative.
    #[getter]
    fn lines<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.report.lines.iter().map(Line::from))
    }

    /// One line per currency; converted and added in this order they are the requirement.
    #[getter]
    fn totals<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.report.totals().iter().map(Line::from))
    }

    /// The rulebook's intermediate results as plain values, under its own names; read-only.
    #[getter]
    fn details<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, &self.report.details)
    }

    /// Sensitivities by underlying, where the rulebook prices options; empty otherwise.
    #[getter]
    fn greeks<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        tuple_of(py, self.report.greeks.iter().map(UnderlyingGreeks::from))
    }

    /// What is suspicious in the input and cannot be refused: data, not printed; the numbers stand.
    ///
    /// Mappings with ``code``, ``where`` (as errors name it), ``value``, ``message`` and ``source``, read-only. Codes:
    /// ``superseded_preset``, ``not_yet_in_force`` (parameters of a date after the valuation), ``unusual_rate``,
    /// ``unusual_yield``, ``unusual_vol`` (beyond 25 %, 25 %, 1 % to 300 % a year: percentages as a rule),
    /// ``kept_marks`` (older than what they are written on), ``mark_below_bound`` and ``mark_above_bound`` (of options,
    /// by more than 1 % of the underlying and 0.05). Of what the account holds
    /// alone. Documents have the key where there are any.
    ///
    /// >>> import margincore as mc
    /// >>> put = mc.Option("XYZ", "put", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
    /// ...                 currency="USD")
    /// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={put.id: 3.5}, rate={"USD": 0.05})
    /// >>> report = mc.margin([mc.Position(put, -1)], market, mc.methods.Tims())
    /// >>> [(w["code"], w["where"], w["value"]) for w in report.warnings]
    /// [('unusual_vol', "vol of 'XYZ 2026-12-18 50 put'", 3.5)]
    #[getter]
    fn warnings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let each = self.report.warnings.iter().map(|w| read_only(py, w));
        PyTuple::new(py, each.collect::<PyResult<Vec<_>>>()?)
    }

    /// The initial requirements of every position margined alone, added up, in `currency`.
    ///
    /// `None` unless `standalone=True` asked for it.
    #[getter]
    fn standalone_sum(&self) -> Option<f64> {
        self.standalone_sum
    }

    /// `standalone_sum` less the initial requirement: what netting and offsets save. `None` without the former.
    #[getter]
    fn offset_benefit(&self) -> Option<f64> {
        self.standalone_sum
            .map(|s| s - self.report.requirement.initial)
    }

    /// Requirements by scope, in the report's currency, in the order scopes first appear.
    fn by_scope<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.grouped(py, |line| &line.scope)
    }

    /// Requirements by component, in the report's currency, in the order components first appear.
    fn by_component<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        self.grouped(py, |line| &line.component)
    }

    /// Whether the lines, summed per currency in order and converted, give the requirement to the last bit.
    fn adds_up(&self) -> bool {
        self.report.adds_up()
    }

    /// The report as a document of plain values, with the version of documents; :meth:`from_dict` takes it.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let document = versioned(py, &self.report)?;
        document.set_item("totals", to_python(py, &self.report.totals())?)?;
        document.set_item("equity_required", self.equity_required())?;
        // The key of a deprecated property, as long as that.
        let less_options = self.report.requirement.less_option_value();
        document.set_item("cash_required", less_options)?;
        if let Some(sum) = self.standalone_sum {
            document.set_item("standalone_sum", sum)?;
            document.set_item("offset_benefit", self.offset_benefit())?;
        }
        Ok(document)
    }

    /// The report as a card, for notebooks.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        card(slf.as_any(), intern!(slf.py(), "report"))
    }

    fn __repr__(&self) -> String {
        let r = &self.report.requirement;
        let worst = self
            .report
            .worst_text()
            .map(|w| format!(", worst {w}"))
            .unwrap_or_default();
        format!(
            "MarginReport({}: initial {} {c}, maintenance {} {c}{worst})",
            self.report.methodology,
            core::amount_text(r.initial),
            core::amount_text(r.maintenance),
            c = self.report.currency
        )
    }

    /// The report that :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing or the lines do not add up to the requirement,
    /// :class:`ParseError` for another version of documents; without one it is the present.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        let document = without_version("report", document)?;
        // A rulebook's details are its own.
        let report: core::MarginReport =
            from_python_with("report", &document, |key| key == "details")?;
        if !report.adds_up() {
            return Err(invalid(
                "report: the lines do not add up to the requirement",
            ));
        }
        if report.cash_balance_required.is_some_and(|b| !b.is_finite()) {
            return Err(invalid(
                "report: cash_balance_required: not a finite number",
            ));
        }
        let standalone_sum = match document.cast::<PyDict>()?.get_item("standalone_sum")? {
            Some(sum) => Some(sum.extract()?),
            None => None,
        };
        Ok(Self {
            report,
            standalone_sum,
        })
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for MarginReport {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let document = to_python(py, &self.report)?;
        if let Some(sum) = self.standalone_sum {
            document.set_item(intern!(py, "standalone_sum"), sum)?;
        }
        of_document(py, document)
    }
}

impl MarginReport {
    fn grouped<'py>(
        &self,
        py: Python<'py>,
        key: fn(&core::Line) -> &String,
    ) -> PyResult<Bound<'py, PyDict>> {
        let groups = PyDict::new(py);
        for (name, sum) in self.report.grouped(key) {
            let (initial, maintenance) = sum;
            groups.set_item(
                name,
                Py::new(
                    py,
                    Requirement {
                        initial,
                        maintenance,
                    },
                )?,
            )?;
        }
        Ok(groups)
    }
}
