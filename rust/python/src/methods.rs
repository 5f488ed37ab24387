//! Rulebooks by name, preparation, and prepared rulebooks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use margincore::MarginError as Core;
use margincore::parameters::Attachments;
use margincore::preparation::Preparation;
use margincore::{batch, combined, registry, seam};
use numpy::{PyArray1, PyArrayMethods, PyReadonlyArrayDyn, PyUntypedArrayMethods};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::account::Account;
use crate::account_columns::{Named, given};
use crate::accounts::Accounts;
use crate::arguments::{
    flag, items, maybe_amounts, maybe_object, maybe_text, named, object, text, threads,
};
use crate::contract::Contract;
use crate::contracts::Contracts;
use crate::errors::{enter, invalid, malformed, raise};
use crate::live::LiveAccount;
use crate::margins::{self, Asked, MarginReader};
use crate::market::{Change, Market, Part};
use crate::names::refuse_unknown;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::prepared::Prepared;
use crate::report::{MarginBatch, MarginReport};
use crate::span::SpanFile;
use crate::values::{from_python, read_only, to_python};

/// One rulebook as frozen, versioned data.
///
/// Built by its registered name, its parameters as a document and numeric tables beside it; or from `parts`,
/// several rulebooks over one account as ``[(claims, methodology), ...]``; `file` is a parsed SPAN file, for
/// SPAN over it, and `base` the rulebook that a house's rules are over. Raises :class:`InvalidInput` for a name or
/// parameter it does not know.
#[pyclass(frozen, subclass, from_py_object, module = "margincore._core")]
#[derive(Clone)]
pub(crate) struct Methodology(pub(crate) Arc<dyn seam::Methodology>);

#[pymethods]
impl Methodology {
    /// A rulebook by its registered name, its parameters as a document, and numeric tables beside it; or, where
    /// `parts` is given, several rulebooks over one account as `[(claims, methodology), ...]`. `file` is a parsed
    /// SPAN file, for SPAN over it, and `base` the rulebook that a house's rules are over.
    #[new]
    #[pyo3(signature = (name, parameters, tables=None, parts=None, file=None, base=None))]
    fn new(
        py: Python<'_>,
        #[pyo3(from_py_with = text)] name: &str,
        parameters: &Bound<'_, PyAny>,
        tables: Option<BTreeMap<String, PyReadonlyArrayDyn<'_, f64>>>,
        parts: Option<Vec<(Py<PyAny>, Methodology)>>,
        #[pyo3(from_py_with = maybe_object)] file: Option<&SpanFile>,
        base: Option<Methodology>,
    ) -> PyResult<Self> {
        if let Some(parts) = parts {
            return combined(parts);
        }
        let document = crate::values::document(name, parameters)?;
        if let Some(file) = file {
            let file = Arc::clone(&file.0);
            return Ok(Self(enter(py, || margincore::span::over(file, &document))?));
        }
        let tables = attachments(tables.unwrap_or_default());
        if let Some(base) = base {
            let over = enter(py, || registry::house(&document, Some(base.0), &tables))?;
            return Ok(Self(over));
        }
        Ok(Self(enter(py, || {
            registry::build(name, &document, &tables)
        })?))
    }

    /// The rulebook's own name, such as ``OCC TIMS``.
    #[getter]
    fn name(&self) -> &str {
        self.0.name()
    }

    /// Which parameters these are, by name, version, effective date, source and digest; read-only.
    ///
    /// The digest is the SHA-256 of the parameters, in hexadecimal. Where the valuation chooses among dated parameters
    /// these are all of them, and a report has those it used.
    #[getter]
    fn parameters<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        read_only(py, self.0.parameters())
    }

    /// Reprice what the rulebook needs and compile it for a table of contracts.
    ///
    /// `market` may be left out where the rulebook carries the exchange's own arrays. The same bits for any number of
    /// `threads`. Raises :class:`MissingData` naming what is not quoted, :class:`NotApplicable` naming what is not
    /// covered, :class:`CalculationError` where a price is no number.
    #[pyo3(signature = (contracts, market=None, *, threads=1))]
    fn prepare(
        own: &Bound<'_, Self>,
        contracts: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_object)] market: Option<&Market>,
        #[pyo3(from_py_with = threads)] threads: usize,
    ) -> PyResult<Prepared> {
        let py = contracts.py();
        let contracts = Contracts::from_any(contracts)?.0;
        let market = market.map(|m| m.0.clone());
        let methodology = own.get().0.clone();
        let preparation = enter(py, || {
            Preparation::new(methodology, &contracts, market, threads)
        })?;
        Ok(Prepared(
            Arc::new(preparation),
            own.clone().into_any().unbind(),
        ))
    }

    fn __repr__(&self) -> String {
        let p = self.0.parameters();
        format!("{}({}, version {})", self.0.name(), p.name, p.version)
    }
}

/// Numeric tables copied out of NumPy's memory.
pub(crate) fn attachments(tables: BTreeMap<String, PyReadonlyArrayDyn<'_, f64>>) -> Attachments {
    let copied = |table: PyReadonlyArrayDyn<'_, f64>| {
        let values = table.as_array().iter().copied().collect();
        (table.shape().to_vec(), values)
    };
    tables
        .into_iter()
        .map(|(name, table)| (name, copied(table)))
        .collect()
}

fn combined(parts: Vec<(Py<PyAny>, Methodology)>) -> PyResult<Methodology> {
    let parts = parts
        .into_iter()
        .map(|(claims, methodology)| {
            let claim = move |contract: &margincore::contract::Contract| {
                Python::attach(|py| {
                    let contract = Contract(Arc::new(contract.clone()));
                    claims.call1(py, (contract,))?.bind(py).is_truthy()
                })
                .map_err(|e| Core::InvalidInput(format!("the predicate failed: {e}").into()))
            };
            (Box::new(claim) as combined::Claim, methodology.0)
        })
        .collect();
    Ok(Methodology(Arc::new(
        combined::Combined::new(parts).map_err(raise)?,
    )))
}

/// Parameters read from the files an exchange publishes, as a document: ``read_parameters("tims", {...})``.
///
/// `files` are paths by what they hold. Raises :class:`InvalidInput` for a rulebook that reads none and a file that
/// is not named, :class:`ParseError` or :class:`InvalidInput` for one that cannot be read, with file and line.
#[pyfunction]
pub(crate) fn read_parameters<'py>(
    py: Python<'py>,
    #[pyo3(from_py_with = text)] name: &str,
    files: BTreeMap<String, PathBuf>,
) -> PyResult<Bound<'py, PyAny>> {
    let document = enter(py, || registry::read(name, &files))?;
    to_python(py, &document)
}

/// The names of the registered rulebooks; a new list.
#[pyfunction]
pub(crate) fn rulebooks() -> Vec<&'static str> {
    registry::names()
}

/// The shipped parameter sets of a registered rulebook: ``name``, ``version``, ``effective`` (the day they took
/// effect), ``source``, ``family`` (sets of one follow one another by date; ``None`` without) and ``grades`` (how well
/// each part is known, by part). None for a name that is no rulebook's.
#[pyfunction]
pub(crate) fn presets<'py>(
    py: Python<'py>,
    #[pyo3(from_py_with = text)] name: &str,
) -> PyResult<Bound<'py, PyAny>> {
    to_python(py, &registry::presets(name))
}

#[pymethods]
impl Prepared {
    /// The table it was compiled for: rows elsewhere are rows of this table.
    #[getter]
    fn contracts(&self) -> Contracts {
        Contracts(self.0.prepared.contracts().clone())
    }

    /// The currency of its reports: requirements and limits are in it.
    #[getter]
    fn currency(&self) -> &str {
        self.0.prepared.currencies().report()
    }

    /// The margin of one account, explained.
    ///
    /// With `standalone`, every position is also margined alone (`standalone_sum` and `offset_benefit` of the
    /// report). Raises :class:`MissingData` for a contract that is not in the table, :class:`NotApplicable` for an
    /// account that the rulebook has no rule for.
    #[pyo3(signature = (account, *, standalone=false))]
    fn margin(
        &self,
        account: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = flag)] standalone: bool,
    ) -> PyResult<MarginReport> {
        let py = account.py();
        let account = Account::from_any(account)?.0;
        enter(py, || {
            let holdings = account.bind(self.0.prepared.contracts())?;
            let view = holdings.view(&account.terms);
            let report = self.0.margin(view)?;
            let standalone_sum = if standalone {
                Some(batch::standalone_sum(self.0.prepared.as_ref(), view)?)
            } else {
                None
            };
            Ok(MarginReport {
                report,
                standalone_sum,
            })
        })
    }

    /// The requirements of many accounts, as columns in the order of the accounts.
    ///
    /// The same bits for any number of `threads`. Raises :class:`InvalidInput` for columns over another table,
    /// :class:`MissingData` for a contract that is not in the table, :class:`NotApplicable` for an account that the
    /// rulebook has no rule for.
    #[pyo3(signature = (accounts, *, threads=1))]
    fn margin_many(
        &self,
        py: Python<'_>,
        accounts: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = threads)] threads: usize,
    ) -> PyResult<MarginBatch> {
        if let Ok(accounts) = accounts.cast::<Accounts>() {
            let accounts = accounts.get();
            if accounts.contracts.0.digest() != self.0.prepared.contracts().digest() {
                return Err(invalid(
                    "the accounts' columns refer to another table of contracts than the prepared one",
                ));
            }
            return Ok(MarginBatch(enter(py, || {
                self.0.prepared.margin_many(&accounts.accounts, threads)
            })?));
        }
        let list = items("accounts", "Accounts, or a list of accounts,", accounts)?
            .enumerate()
            .map(|(i, account)| {
                let account = Account::from_any(&account?);
                Ok(account.map_err(|e| named(e, &format!("accounts[{i}]")))?.0)
            })
            .collect::<PyResult<Vec<_>>>()?;
        Ok(MarginBatch(enter(py, || {
            batch::margin_list(self.0.prepared.as_ref(), &list, threads)
        })?))
    }

    /// What a lot of each contract gains in each of the rulebook's scenarios, set by set, as it was compiled.
    ///
    /// A list of dictionaries of new arrays: ``"scope"``, ``"currency"``, ``"labels"`` (scenarios), ``"contracts"`` (rows
    /// of the prepared table) and ``"profit"`` (per lot, contracts by scenarios, a loss negative). ``mc.profits``
    /// makes vectors of accounts and positions of it. Raises :class:`NotApplicable` for a rulebook without scenarios,
    /// :class:`Unsupported` for one whose scenarios are not of single contracts.
    fn profit_tables<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let found = enter(py, || self.0.prepared.profits())?;
        found
            .into_iter()
            .map(|set| {
                let out = PyDict::new(py);
                let shape = (set.contracts.len(), set.labels.len());
                out.set_item("scope", set.scope)?;
                out.set_item("currency", set.currency)?;
                out.set_item("labels", set.labels.to_vec())?;
                out.set_item("contracts", PyArray1::from_vec(py, set.contracts))?;
                out.set_item("profit", PyArray1::from_vec(py, set.profit).reshape(shape)?)?;
                Ok(out)
            })
            .collect()
    }

    /// The market it was prepared for; `None` where there was none.
    #[getter]
    fn market(&self) -> Option<Market> {
        self.0.market.clone().map(Market)
    }

    /// The rulebook it was compiled from.
    #[getter]
    fn methodology<'py>(&self, py: Python<'py>) -> Bound<'py, PyAny> {
        self.1.bind(py).clone()
    }

    /// SHA-256 of what its numbers are made of, in hexadecimal: build, rulebook, contracts and market. Those of one
    /// digest give the same numbers.
    #[getter]
    fn digest(&self) -> String {
        self.0.provenance().digest()
    }

    /// Prepares what a pickle holds, and checks that it is of the same `digest`.
    ///
    /// Raises :class:`ParseError` where this build would give other numbers, and as :meth:`Methodology.prepare`.
    #[staticmethod]
    #[pyo3(signature = (methodology, contracts, market, digest))]
    fn from_recipe(
        methodology: &Bound<'_, Methodology>,
        contracts: &Bound<'_, PyAny>,
        market: Option<&Bound<'_, Market>>,
        digest: &str,
    ) -> PyResult<Self> {
        let own = Methodology::prepare(methodology, contracts, market.map(Bound::get), 1)?;
        let found = own.digest();
        if found != digest {
            return Err(malformed(format!(
                "pickle of Prepared: it was made of {digest} and this build makes {found} of it: prepare it here from the \
                 methodology, contracts and market"
            )));
        }
        Ok(own)
    }

    /// The requirements of a stream of positions, a record batch at a time: whole accounts, wherever batches end.
    ///
    /// `source` is anything with an Arrow stream (a table or reader of pyarrow, a frame of polars, a relation of
    /// DuckDB) or an iterator of record batches, a row per position. Columns, by the names they have, or by the usual
    /// ones where they are left out: `account` (``account`` or ``account_id``; text or whole numbers, which come back
    /// as they are), `contract` (``contract`` or ``contract_id``; ids, plain or dictionary-coded, or rows of the
    /// table), and how much: `quantity` in contracts, signed, or `lots`, or `long` and `short`. Of the account, the
    /// same on each of its rows or null: `cash` (columns by currency), `collateral` (columns by asset), `kind_column`.
    /// A row with neither contract nor quantity says something of its account only. Any other column is refused, unless
    /// `ignore` names it.
    ///
    /// `order` says how rows come: ``"grouped"``, those of an account together (16 bytes an account are kept, so that
    /// one that returns is refused); ``"ascending"``, sorted by account as well (nothing is kept); ``"any"``: all rows
    /// are kept, and the accounts come out ascending. With ``errors="column"`` an account that is refused has null
    /// numbers and says why in ``error_kind``, ``error_code`` and ``error``; with ``"raise"`` the first ends the
    /// stream, by its name. `kind` is that of accounts that say none; `gross` keeps long and short apart. `metadata` is
    /// added to the result's schema, which names build, rulebook, parameters, contracts and market by digest, as
    /// ``margincore.*``.
    ///
    /// Columns of the result: the account, ``initial``, ``maintenance`` and ``net_option_value`` in ``currency``,
    /// ``pairing_gap`` (how far a pairing may be from the cheapest, null where a rulebook pairs nothing),
    /// ``worst_scenario`` (null where no one is the worst) and its label ``scenario``. The same bits however rows are
    /// cut into batches, and for any number of `threads`.
    ///
    /// Raises :class:`MissingData` and :class:`InvalidInput` for columns that are missing, unknown or of another type;
    /// reading raises what accounts are refused for, and :class:`InvalidInput` for an account that returns.
    ///
    /// >>> import margincore as mc, pyarrow as pa
    /// >>> table = mc.Contracts([mc.Stock("A", currency="USD"), mc.Stock("B", currency="USD")])
    /// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0, "B": 20.0})
    /// >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
    /// >>> held = pa.table({"account_id": [7, 7, 9], "contract_id": ["A", "B", "B"], "quantity": [100, -50, 10]})
    /// >>> prepared.margin_arrow(held).read_all().select(["account_id", "initial"]).to_pylist()
    /// [{'account_id': 7, 'initial': 300.0}, {'account_id': 9, 'initial': 30.0}]
    #[pyo3(signature = (source, *, account=None, contract=None, quantity=None, lots=None, long=None, short=None,
                        cash=None, collateral=None, kind_column=None, kind=None, gross=false, ignore=None,
                        order="grouped", errors="raise", metadata=None, threads=1))]
    fn margin_arrow(
        &self,
        source: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_text)] account: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] contract: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] quantity: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] lots: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] long: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] short: Option<&str>,
        cash: Option<&Bound<'_, PyAny>>,
        collateral: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = maybe_text)] kind_column: Option<&str>,
        #[pyo3(from_py_with = maybe_text)] kind: Option<&str>,
        #[pyo3(from_py_with = flag)] gross: bool,
        ignore: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = text)] order: &str,
        #[pyo3(from_py_with = text)] errors: &str,
        metadata: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = threads)] threads: usize,
    ) -> PyResult<MarginReader> {
        let columns = Named {
            account,
            contract,
            quantity,
            lots,
            long,
            short,
            cash,
            collateral,
            kind: kind_column,
            ignore,
        };
        let asked = Asked {
            columns: columns.read("margin_arrow")?,
            order: order.to_string(),
            errors: errors.to_string(),
            gross,
            kind: kind.map(str::to_string),
            threads,
            metadata: given("margin_arrow: metadata", metadata)?,
        };
        margins::open(self, source, asked)
    }

    /// Rows priced to make this, and rows in all, as ``(priced, all)``.
    #[getter]
    fn repriced(&self) -> (usize, usize) {
        self.0.repriced
    }

    /// Open an account for checks and what-ifs.
    ///
    /// `haircuts` are the fractions taken off collateral, by asset (0.1 counts 90 %). Raises :class:`MissingData`
    /// for a contract that is not in the prepared table, :class:`NotApplicable` for an account that the rulebook has
    /// no rule for.
    ///
    /// >>> import margincore as mc
    /// >>> stock = mc.Stock("XYZ", currency="USD")
    /// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    /// >>> live = mc.Engine(mc.methods.Tims()).prepare([stock], market).open([mc.Position(stock, 100)])
    /// >>> live.margin.initial
    /// 750.0
    #[pyo3(signature = (account, *, haircuts=None))]
    fn open(
        &self,
        account: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_amounts)] haircuts: Option<BTreeMap<String, f64>>,
    ) -> PyResult<LiveAccount> {
        let py = account.py();
        let account = Account::from_any(account)?;
        enter(py, || {
            LiveAccount::open(&self.0, &account, haircuts.unwrap_or_default())
        })
    }

    /// The same rulebook after a change of the market: a new object; this one stays as it is.
    ///
    /// Only rows whose inputs changed are priced again (`repriced` counts them); the result equals a preparation
    /// from the whole new market to the last bit, for any number of `threads`. What is left out stays as it was; the
    /// parts have the units of :class:`Market`:
    ///
    /// - `valuation`: the new instant, with its zone.
    /// - `spot`, `dividend_yield`: by symbol.
    /// - `forward`: by ``(underlying, expiry)``.
    /// - `price`, `vol`: marks in the contract's quote and implied vols, by contract id.
    /// - `rate`: whole curves, by currency.
    /// - `fx`: units of the second currency for one of the first.
    /// - `marks`: ``"refuse"`` (where left out) or ``"keep"``, see below.
    ///
    /// A spot or forward does not move alone where contracts on it are quoted: old prices would value holdings at a
    /// market that is gone. New prices (and forwards) come in the same update, :class:`MissingData` names the first
    /// that is missing; ``marks="keep"`` keeps the old ones. Options quoted by vol only keep their vol. A new price
    /// moves nothing else: the quotes of options on a future stay where the future ticks.
    ///
    /// Raises :class:`NotApplicable` where there is no market, :class:`InvalidInput` for what :class:`Market` refuses
    /// and for an unknown name, with the nearest known one.
    ///
    /// >>> import margincore as mc
    /// >>> table = [mc.Stock(symbol, currency="USD") for symbol in ("A", "B", "C")]
    /// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0, "B": 20.0, "C": 30.0})
    /// >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table, market)
    /// >>> prepared.update(spot={"B": 21.0}).repriced
    /// (1, 3)
    /// >>> quoted = mc.Market("2026-11-20T16:00:00-05:00", spot={"A": 10.0}, price={table[0].id: 10.01})
    /// >>> prepared = mc.Engine(mc.methods.Tims()).prepare(table[:1], quoted)
    /// >>> prepared.update(spot={"A": 11.0})
    /// Traceback (most recent call last):
    ///     ...
    /// margincore.MissingData: update: the quoted price of '...' is not that of the moved market: ...
    /// >>> prepared.update(spot={"A": 11.0}, price={table[0].id: 11.02}).repriced
    /// (1, 1)
    #[pyo3(signature = (*, valuation=None, spot=None, forward=None, price=None, vol=None, rate=None,
                        dividend_yield=None, fx=None, marks=None, threads=1, **unknown))]
    #[pyo3(
        text_signature = "($self, *, valuation=None, spot=None, forward=None, price=None, vol=None, rate=None, \
                             dividend_yield=None, fx=None, marks=None, threads=1)"
    )]
    fn update<'py>(
        &self,
        py: Python<'py>,
        valuation: Part<'_, 'py>,
        spot: Part<'_, 'py>,
        forward: Part<'_, 'py>,
        price: Part<'_, 'py>,
        vol: Part<'_, 'py>,
        rate: Part<'_, 'py>,
        dividend_yield: Part<'_, 'py>,
        fx: Part<'_, 'py>,
        marks: Part<'_, 'py>,
        #[pyo3(from_py_with = threads)] threads: usize,
        unknown: Option<&Bound<'py, PyDict>>,
    ) -> PyResult<Self> {
        refuse_unknown("market change", &Change::PARTS, unknown)?;
        let change = Change {
            valuation,
            spot,
            forward,
            price,
            vol,
            rate,
            dividend_yield,
            fx,
            marks,
        };
        let change: margincore::preparation::MarketChange =
            from_python("market change", change.document(py)?.as_any())?;
        let moved = enter(py, || self.0.update(&change, threads))?;
        Ok(Self(Arc::new(moved), self.1.clone_ref(py)))
    }

    /// As :meth:`update`, from a whole market: rows whose inputs are equal are not priced again.
    ///
    /// With ``marks="keep"`` its option prices may be of another time than its spots: they are not held against the
    /// bounds that the spots give. Raises as :meth:`Methodology.prepare`.
    #[pyo3(signature = (market, *, marks=None, threads=1))]
    fn with_market<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = object)] market: &Market,
        marks: Part<'_, 'py>,
        #[pyo3(from_py_with = threads)] threads: usize,
    ) -> PyResult<Self> {
        let market = match marks {
            None => market.0.clone(),
            Some(marks) => {
                let marks = from_python("with_market: marks", marks)?;
                Arc::new((*market.0).clone().with_marks(marks))
            }
        };
        let moved = enter(py, || self.0.with_market(market, threads))?;
        Ok(Self(Arc::new(moved), self.1.clone_ref(py)))
    }

    fn __repr__(&self) -> String {
        format!("Prepared({} contracts)", self.0.prepared.contracts().len())
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Prepared {
    const MAKER: Option<&'static str> = Some("from_recipe");

    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "methodology"), self.methodology(py))?;
        state.set_item(intern!(py, "contracts"), self.contracts())?;
        state.set_item(intern!(py, "market"), self.market())?;
        state.set_item(intern!(py, "digest"), self.digest())?;
        Ok(state)
    }
}
