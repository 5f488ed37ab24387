//! `Order` and `Limit`.

use std::sync::Arc;

use margincore::MarginError as Core;
use margincore::account::{self, Effect};
use margincore::contract::Contracts;
use margincore::error::Code;
use margincore::live as core;
use margincore::names::hint;
use margincore::reading::read;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::{Value, json};

use crate::arguments::{flag, maybe_number, maybe_text, maybe_throttle, number, text};
use crate::contract::Contract;
use crate::errors::raise;
use crate::pickles::{Pickled, Reduced, reduced};
use crate::values::{quoted, to_python};

pub(super) fn side(text: &str) -> PyResult<core::Side> {
    match text {
        "buy" => Ok(core::Side::Buy),
        "sell" => Ok(core::Side::Sell),
        other => Err(unknown("side", other, "buy", "sell")),
    }
}

/// A word that is neither of the two that are known.
fn unknown(what: &str, word: &str, one: &str, other: &str) -> PyErr {
    let hint = hint(word, [one, other]);
    let message = format!("{what}: '{word}' is not known: use {one} or {other}{hint}");
    raise(
        Core::InvalidInput(message.into())
            .code(Code::UnknownName)
            .place(what)
            .value(word),
    )
}

pub(super) fn effect(text: Option<&str>) -> PyResult<Option<Effect>> {
    match text {
        None => Ok(None),
        Some("open") => Ok(Some(Effect::Open)),
        Some("close") => Ok(Some(Effect::Close)),
        Some(other) => Err(unknown("effect", other, "open", "close")),
    }
}

/// An order: whole contracts at a limit price in the contract's quote; `fees` for the whole order, in its currency.
///
/// Numbers are judged by :meth:`LiveAccount.check`, so that a bad one is a refusal and not an exception. `effect` is
/// needed where the account keeps long and short apart. The price counts as the fill price. Under rulebooks without a
/// closed form for open orders every way they may fill is margined, up to 4,096 ways; an `all_or_none` order has two.
/// Raises :class:`InvalidInput` for a `side` or `effect` that is not a word of theirs.
///
/// >>> import margincore as mc
/// >>> mc.Order("a1", mc.Stock("XYZ", currency="USD"), "buy", 100, 50.0)
/// Order("a1", "XYZ", "buy", 100, 50)
#[pyclass(frozen, skip_from_py_object, module = "margincore._core")]
#[derive(Clone)]
pub(crate) struct Order {
    contract: Contract,
    quantity: f64,
    /// Its contract row is set when it meets a table.
    order: core::Order,
}

#[pymethods]
impl Order {
    #[new]
    #[pyo3(signature = (id, contract, side, quantity, price, *, fees=0.0, effect=None, all_or_none=false))]
    fn new(
        #[pyo3(from_py_with = text)] id: &str,
        contract: Contract,
        #[pyo3(from_py_with = text)] side: &str,
        #[pyo3(from_py_with = number)] quantity: f64,
        #[pyo3(from_py_with = number)] price: f64,
        #[pyo3(from_py_with = number)] fees: f64,
        #[pyo3(from_py_with = maybe_text)] effect: Option<&str>,
        #[pyo3(from_py_with = flag)] all_or_none: bool,
    ) -> PyResult<Self> {
        let what = format_args!("order '{id}': quantity");
        let (lots, unfit) = match account::lots(&contract.0, what, quantity) {
            Ok(lots) => (lots, None),
            Err(error) => (0, Some(error.message().into())),
        };
        Ok(Self {
            contract,
            quantity,
            order: core::Order {
                id: id.to_string(),
                contract: u32::MAX,
                side: self::side(side)?,
                lots,
                price,
                fees,
                effect: self::effect(effect)?,
                all_or_none,
                unfit,
            },
        })
    }

    /// The caller's id of the order, unique in the account.
    #[getter]
    fn id(&self) -> &str {
        &self.order.id
    }

    /// The contract to trade.
    #[getter]
    fn contract(&self) -> Contract {
        self.contract.clone()
    }

    /// ``buy`` or ``sell``.
    #[getter]
    fn side(&self) -> &'static str {
        match self.order.side {
            core::Side::Buy => "buy",
            core::Side::Sell => "sell",
        }
    }

    /// How much, in contracts, without a sign.
    #[getter]
    fn quantity(&self) -> f64 {
        self.quantity
    }

    /// The limit price, in the contract's quote.
    #[getter]
    fn price(&self) -> f64 {
        self.order.price
    }

    /// Fees of the whole order, in the contract's currency; negative for a rebate.
    #[getter]
    fn fees(&self) -> f64 {
        self.order.fees
    }

    /// ``open`` or ``close``, needed where the account keeps long and short apart; `None` otherwise.
    #[getter]
    fn effect(&self) -> Option<&'static str> {
        self.order.effect.map(|e| match e {
            Effect::Open => "open",
            Effect::Close => "close",
        })
    }

    /// Whether it fills completely or not at all: its partial fills are not judged.
    #[getter]
    fn all_or_none(&self) -> bool {
        self.order.all_or_none
    }

    fn __repr__(&self) -> String {
        format!(
            "Order({}, {}, {}, {}, {})",
            quoted(&self.order.id),
            quoted(self.contract.0.id()),
            quoted(self.side()),
            self.quantity,
            self.order.price
        )
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Order {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let state = PyDict::new(py);
        state.set_item(intern!(py, "id"), self.id())?;
        state.set_item(intern!(py, "contract"), self.contract())?;
        state.set_item(intern!(py, "side"), self.side())?;
        state.set_item(intern!(py, "quantity"), self.quantity)?;
        state.set_item(intern!(py, "price"), self.price())?;
        state.set_item(intern!(py, "fees"), self.fees())?;
        state.set_item(intern!(py, "effect"), self.effect())?;
        state.set_item(intern!(py, "all_or_none"), self.all_or_none())?;
        Ok(state)
    }
}

impl Order {
    /// The order in no table's rows.
    pub(super) fn unplaced(&self) -> core::Order {
        self.order.clone()
    }

    /// The row of its contract; of one that is not in the table, a row no table has.
    pub(super) fn row(&self, table: &Contracts) -> u32 {
        table.resolve(&self.contract.0).unwrap_or(u32::MAX)
    }

    /// The order in a table's rows.
    pub(super) fn placed(&self, table: &Contracts) -> core::Order {
        let mut order = self.unplaced();
        order.contract = self.row(table);
        order
    }
}

/// The orders of an account as they stand, and the table their rows are of.
pub(super) fn known(live: &core::LiveAccount) -> (Arc<core::Orders>, Arc<Contracts>) {
    (live.orders().clone(), live.prepared().contracts().clone())
}

/// An order and its fate as plain data, its contract by id instead of by row.
pub(super) fn document(open: &core::OpenOrder, table: &Contracts) -> Value {
    let mut document = serde_json::to_value(open).unwrap_or_default();
    let contract = &table.rows()[open.order.contract as usize];
    document["order"]["contract"] = json!(contract.id());
    document
}

/// What [`document`] wrote, in a table's rows.
pub(super) fn restored(
    mut document: Value,
    table: &Contracts,
) -> margincore::Result<core::OpenOrder> {
    if let Some(contract) = document.pointer_mut("/order/contract") {
        let row = contract.as_str().and_then(|id| table.index_of(id).ok());
        *contract = json!(row.unwrap_or(u32::MAX));
    }
    read("orders", &document)
}

/// What a check is held against, in the report's currency, on the basis `equity_required`.
///
/// At least one of `max_requirement`, `min_excess` (equity less requirement) and `block_intraday_deficit` is needed:
/// the last refuses what would create or increase an intraday margin deficit of a Reg T margin account (FINRA
/// 4210(d)(2)): a fill after which equity less maintenance requirement is negative and lower than before. Optional
/// filters before them: `max_age` (seconds between the market and `now`), `price_collar` (fraction of the mark),
/// `max_quantity` (contracts), `max_notional` (price times quantity), `throttle` ``(messages, seconds)``.
/// `complete_only` leaves an order's partial fills unjudged (see :meth:`LiveAccount.check`). Raises
/// :class:`InvalidInput`.
///
/// >>> import margincore as mc
/// >>> mc.Limit(max_requirement=10_000.0, min_excess=0.0).max_requirement
/// 10000.0
#[pyclass(frozen, eq, skip_from_py_object, module = "margincore._core")]
#[derive(Clone, PartialEq)]
pub(crate) struct Limit(pub(super) core::Limit);

#[pymethods]
impl Limit {
    #[new]
    #[pyo3(signature = (max_requirement=None, min_excess=None, *, max_age=None, price_collar=None, max_quantity=None,
                        max_notional=None, throttle=None, complete_only=false, block_intraday_deficit=false))]
    fn new(
        #[pyo3(from_py_with = maybe_number)] max_requirement: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] min_excess: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] max_age: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] price_collar: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] max_quantity: Option<f64>,
        #[pyo3(from_py_with = maybe_number)] max_notional: Option<f64>,
        #[pyo3(from_py_with = maybe_throttle)] throttle: Option<(u32, f64)>,
        #[pyo3(from_py_with = flag)] complete_only: bool,
        #[pyo3(from_py_with = flag)] block_intraday_deficit: bool,
    ) -> PyResult<Self> {
        let limit = core::Limit {
            max_requirement,
            min_excess,
            max_age,
            price_collar,
            max_quantity,
            max_notional,
            throttle,
            complete_only,
            block_intraday_deficit,
        };
        limit.validate().map_err(raise)?;
        Ok(Self(limit))
    }

    /// The requirement may not be larger; in the report's currency.
    #[getter]
    fn max_requirement(&self) -> Option<f64> {
        self.0.max_requirement
    }

    /// Equity less requirement may not be smaller; in the report's currency.
    #[getter]
    fn min_excess(&self) -> Option<f64> {
        self.0.min_excess
    }

    /// Seconds the market may be away from `now`.
    #[getter]
    fn max_age(&self) -> Option<f64> {
        self.0.max_age
    }

    /// The largest distance of a price from the mark, as a fraction of the mark.
    #[getter]
    fn price_collar(&self) -> Option<f64> {
        self.0.price_collar
    }

    /// The most contracts in one order.
    #[getter]
    fn max_quantity(&self) -> Option<f64> {
        self.0.max_quantity
    }

    /// The largest price times quantity of one order, in the report's currency.
    #[getter]
    fn max_notional(&self) -> Option<f64> {
        self.0.max_notional
    }

    /// At most so many messages in so many seconds, as ``(messages, seconds)``.
    #[getter]
    fn throttle(&self) -> Option<(u32, f64)> {
        self.0.throttle
    }

    /// Whether the complete fill of an order alone is judged, not its partial fills.
    #[getter]
    fn complete_only(&self) -> bool {
        self.0.complete_only
    }

    /// Whether no fill may create or increase an intraday margin deficit.
    #[getter]
    fn block_intraday_deficit(&self) -> bool {
        self.0.block_intraday_deficit
    }

    fn __repr__(&self) -> String {
        let limit = &self.0;
        let amount = |name, value: Option<f64>| value.map(|v| format!("{name}={v}"));
        let given = [
            amount("max_requirement", limit.max_requirement),
            amount("min_excess", limit.min_excess),
            amount("max_age", limit.max_age),
            amount("price_collar", limit.price_collar),
            limit.max_quantity.map(|v| format!("max_quantity={v}")),
            amount("max_notional", limit.max_notional),
            limit
                .throttle
                .map(|(messages, seconds)| format!("throttle=({messages}, {seconds})")),
            limit.complete_only.then(|| "complete_only=True".into()),
        ];
        let given: Vec<String> = given.into_iter().flatten().collect();
        format!("Limit({})", given.join(", "))
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<Reduced<'py>> {
        reduced(self, py)
    }
}

impl Pickled for Limit {
    fn state<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        Ok(to_python(py, &self.0)?.cast_into()?)
    }
}
