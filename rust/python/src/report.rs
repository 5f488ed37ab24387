//! `Requirement`, `Line`, `UnderlyingGreeks`, `MarginReport` and `MarginBatch`.

use margincore::report as core;
use numpy::{PyArray1, ToPyArray};
use pyo3::exceptions::PyDeprecationWarning;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use serde::{Deserialize, Serialize};

use crate::arguments::{maybe_number, maybe_text};
use crate::cards::card;
use crate::errors::invalid;
use crate::pickles::{Pickled, Reduced, of_document, reduced};
use crate::values::{from_python, from_python_with, quoted, read_only, to_python, tuple_of};
use crate::versions::{versioned, without_version};

/// An amount as text: two decimals or more, as many as six significant digits need, at most eight: coins show.
///
/// `None` is ``not known``.
#[pyfunction]
#[pyo3(signature = (amount, /))]
pub(crate) fn amount_text(#[pyo3(from_py_with = maybe_number)] amount: Option<f64>) -> String {
    amount.map_or_else(|| "not known".into(), core::amount_text)
}

/// An amount of a one-line text, without the noise of rounding: eight decimals at most, where a number has them.
pub(crate) fn shown(amount: f64) -> f64 {
    const EIGHT: f64 = 1e8;
    let rounded = (amount * EIGHT).round() / EIGHT;
    // Of larger ones the shortest text is short enough. A zero has no sign.
    if amount.abs() < 1e7 {
        rounded + 0.0
    } else {
        amount
    }
}

/// A worst scenario in words: its label, or that every line has its own; empty without scenarios.
#[pyfunction]
pub(crate) fn worst_text(
    #[pyo3(from_py_with = maybe_text)] scenario: Option<&str>,
    of_lines: &Bound<'_, PyAny>,
) -> PyResult<String> {
    let mut any = false;
    for label in of_lines.try_iter()? {
        any |= !label?.is_none();
    }
    Ok(core::worst_text(scenario, any).unwrap_or_default().into())
}

/// The numbers of a requirement, in the report's currency.
///
/// What the liquidating equity (cash, option value and collateral) must reach.
#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Requirement {
    /// The initial requirement, in the report's currency.
    pub(crate) initial: f64,
    /// The maintenance requirement, in the report's currency.
    pub(crate) maintenance: f64,
}

impl From<core::Requirement> for Requirement {
    fn from(r: core::Requirement) -> Self {
        Self {
            initial: r.initial,
            maintenance: r.maintenance,
        }
    }
}

#[pymethods]
impl Requirement {
    fn __repr__(&self) -> String {
        format!(
            "Requirement(initial={}, maintenance={})",
            shown(self.initial),
            shown(self.maintenance)
        )
    }

    /// The two numbers as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("requirement", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Requirement {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

/// One term of a requirement; credits are negative. Amounts are in `currency`, `fx` converts to the report's.
#[pyclass(frozen, get_all, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Line {
    /// Whom the term is about: a class group, a commodity, a currency.
    scope: String,
    /// The rulebook's own name for the term.
    component: String,
    /// Its part of the initial requirement, in `currency`; negative for a credit.
    initial: f64,
    /// Its part of the maintenance requirement, in `currency`; negative for a credit.
    maintenance: f64,
    /// The currency of its amounts.
    currency: String,
    /// Units of the report's currency for one of `currency`.
    fx: f64,
    /// The label of the scenario the term comes from, where it comes from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    scenario: Option<String>,
}

#[pymethods]
impl Line {
    fn __repr__(&self) -> String {
        format!(
            "Line({}, {}, initial={}, maintenance={}, {})",
            quoted(&self.scope),
            quoted(&self.component),
            shown(self.initial),
            shown(self.maintenance),
            self.currency
        )
    }

    /// The term as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("line", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Line {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

impl From<&core::Line> for Line {
    fn from(line: &core::Line) -> Self {
        let core::Line {
            scope,
            component,
            initial,
            maintenance,
            currency,
            fx,
            scenario,
        } = line.clone();
        Self {
            scope,
            component,
            initial,
            maintenance,
            currency,
            fx,
            scenario,
        }
    }
}

/// Sensitivities of an account to one underlying, in `currency`, positive for what the account gains.
///
/// `delta` is in units of the underlying; `gamma` is delta per 1.00 of its price; `vega` money per 1.00 of volatility
/// (divide by 100 for a vol point); `theta` money per year of time passing (divide by 365 for a day); `rho` money per
/// 1.00 of the interest rate. Options have the greeks of the model, volatility and carry the rulebook prices them
/// with (American options of SPAN-like margin: those of the exact American price); stocks, futures and coins move one
/// for one, coin-settled contracts valued in dollars. An option on a future or forward feels a rate in its discount
/// only, and none where the venue values it without one. Options the rulebook does not price, because it has an
/// exchange's own values for them, are not in the sums but named in `excluded`. A rulebook that prices no options
/// (Reg T, a SPAN file, a venue's standard margin on marks) gives none.
///
/// >>> import margincore as mc
/// >>> call = mc.Option("XYZ", "call", 50, expiry="2026-12-18", settles="pm", exercise="american", multiplier=100,
/// ...                  currency="USD")
/// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0}, vol={call.id: 0.3}, rate={"USD": 0.05})
/// >>> book = [mc.Position(mc.Stock("XYZ", currency="USD"), 100), mc.Position(call, -1)]
/// >>> [greeks] = mc.margin(book, market, mc.methods.Tims()).greeks
/// >>> greeks.underlying, round(greeks.delta, 1), round(greeks.vega / 100, 2), round(greeks.theta / 365, 2)
/// ('XYZ', 46.5, -5.5, 3.29)
#[pyclass(frozen, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UnderlyingGreeks {
    /// The symbol of the underlying.
    #[pyo3(get)]
    underlying: String,
    /// The currency of the underlying's price, which the money amounts are in.
    #[pyo3(get)]
    currency: String,
    /// Units of the underlying held in effect, positive for long.
    #[pyo3(get)]
    delta: f64,
    /// Change of `delta` per 1.00 of the underlying's price.
    #[pyo3(get)]
    gamma: f64,
    /// Money per 1.00 of volatility; divide by 100 for a vol point.
    #[pyo3(get)]
    vega: f64,
    /// Money per year of time passing, the market unchanged; divide by 365 for a day.
    #[pyo3(get)]
    theta: f64,
    /// Money per 1.00 of the interest rate, the dividend yield unchanged.
    #[pyo3(get)]
    rho: f64,
    excluded: Vec<String>,
}

#[pymethods]
impl UnderlyingGreeks {
    /// Ids of options held that the rulebook does not price: they are not in the sums.
    #[getter]
    fn excluded<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.excluded)
    }

    fn __repr__(&self) -> String {
        format!(
            "UnderlyingGreeks({}, {}: delta={}, gamma={}, vega={}, theta={}, rho={})",
            quoted(&self.underlying),
            self.currency,
            self.delta,
            self.gamma,
            self.vega,
            self.theta,
            self.rho
        )
    }

    /// The sensitivities as a document of plain values, by the names of its properties.
    fn to_dict<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, self)
    }

    /// What :meth:`to_dict` wrote, to the last bit; pickling uses it.
    ///
    /// Raises :class:`InvalidInput` where a part is missing, unknown or of another kind.
    #[staticmethod]
    fn from_dict(document: &Bound<'_, PyAny>) -> PyResult<Self> {
        from_python("greeks", document)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for UnderlyingGreeks {
    const MAKER: Option<&'static str> = Some("from_dict");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        of_document(py, self.to_dict(py)?)
    }
}

impl From<&margincore::report::UnderlyingGreeks> for UnderlyingGreeks {
    fn from(greeks: &margincore::report::UnderlyingGreeks) -> Self {
        let margincore::report::UnderlyingGreeks {
            underlying,
            currency,
            delta,
            gamma,
            vega,
            theta,
            rho,
            excluded,
        } = greeks.clone();
        Self {
            underlying,
            currency,
            delta,
            gamma,
            vega,
            theta,
            rho,
            excluded,
        }
    }
}

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

/// Requirements of many accounts as NumPy columns, one entry per account, in the prepared rulebook's currency.
///
/// `worst_scenario` is -1 where no one scenario is the worst.
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct MarginBatch(pub(crate) core::MarginBatch);

#[pymethods]
impl MarginBatch {
    /// Initial requirements, one per account; a new array.
    #[getter]
    fn initial<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.initial.to_pyarray(py)
    }

    /// Maintenance requirements, one per account; a new array.
    #[getter]
    fn maintenance<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.maintenance.to_pyarray(py)
    }

    /// Liquidating values of the premium-style options held, positive for an asset; a new array.
    #[getter]
    fn net_option_value<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.net_option_value.to_pyarray(py)
    }

    /// Numbers of the worst scenarios from 0, -1 where no one scenario is the worst; a new array.
    #[getter]
    fn worst_scenario<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<i32>> {
        self.0.worst_scenario.to_pyarray(py)
    }

    /// By how much at most a cheaper pairing could lower either requirement; a new array.
    ///
    /// 0 where the minimum is proven, or the pairing is one that does not look for it; NaN where the rulebook pairs
    /// nothing. Larger only where Reg T's search met its ``node_limit``.
    #[getter]
    fn pairing_gap<'py>(&self, py: Python<'py>) -> Bound<'py, PyArray1<f64>> {
        self.0.pairing_gap.to_pyarray(py)
    }

    fn __len__(&self) -> usize {
        self.0.initial.len()
    }

    /// The batch of its columns, in the units of its properties; pickling uses it.
    ///
    /// Without `pairing_gap` nothing is paired. Raises :class:`InvalidInput` where their lengths differ.
    #[staticmethod]
    #[pyo3(signature = (initial, maintenance, net_option_value, worst_scenario, pairing_gap=None))]
    fn from_columns(
        initial: Vec<f64>,
        maintenance: Vec<f64>,
        net_option_value: Vec<f64>,
        worst_scenario: Vec<i32>,
        pairing_gap: Option<Vec<f64>>,
    ) -> PyResult<Self> {
        let pairing_gap = pairing_gap.unwrap_or_else(|| vec![f64::NAN; initial.len()]);
        let lengths = [
            maintenance.len(),
            net_option_value.len(),
            worst_scenario.len(),
            pairing_gap.len(),
        ];
        if lengths.iter().any(|&l| l != initial.len()) {
            return Err(invalid("batch: columns of different lengths"));
        }
        Ok(Self(core::MarginBatch {
            initial,
            maintenance,
            net_option_value,
            worst_scenario,
            pairing_gap,
        }))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }

    /// The batch as a card, for notebooks: its first and last accounts.
    fn _repr_html_(slf: &Bound<'_, Self>) -> PyResult<String> {
        card(slf.as_any(), intern!(slf.py(), "batch"))
    }

    fn __repr__(&self) -> String {
        format!("MarginBatch({} accounts)", self.0.initial.len())
    }
}

impl Pickled for MarginBatch {
    const MAKER: Option<&'static str> = Some("from_columns");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "initial"), self.initial(py))?;
        state.set_item(intern!(py, "maintenance"), self.maintenance(py))?;
        state.set_item(intern!(py, "net_option_value"), self.net_option_value(py))?;
        state.set_item(intern!(py, "worst_scenario"), self.worst_scenario(py))?;
        if self.0.pairing_gap.iter().any(|gap| !gap.is_nan()) {
            state.set_item(intern!(py, "pairing_gap"), self.pairing_gap(py))?;
        }
        Ok(state)
    }
}
