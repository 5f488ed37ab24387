//! `LiveAccount`.

mod decision;
mod intraday;
mod orders;
mod search;
mod trades;
mod what_if;

pub(crate) use decision::Decision;
pub(crate) use intraday::{intraday_day, intraday_many};
pub(crate) use orders::{Limit, Order};
pub(crate) use trades::read_trades;
pub(crate) use what_if::WhatIf;

use std::collections::BTreeMap;

use margincore::account::lots;
use margincore::live::{self as core, OrderCheck, SharedAccount, Tried};
use margincore::preparation::Preparation;
use margincore::report::amount_text;
use margincore::shared::Refused;
use numpy::{PyArray1, PyReadonlyArray1, ToPyArray};
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use serde_json::Value;

use crate::account::{Account, Position};
use crate::arguments::{
    flag, maybe_number, maybe_object, maybe_text, number, object, text, threads, whole,
};
use crate::contract::Contract;
use crate::errors::{enter, invalid, raise};
use crate::prepared::Prepared;
use crate::report::{MarginReport, Requirement};
use crate::values::{document, read_only, to_python, tuple_of};

/// An open account: margin between trades, and the check before an order. Safe to share between threads.
///
/// Trades are :data:`margincore.Trade`: ``(contract, quantity)``, signed, in contracts, with a price and fees behind it
/// where cash is to follow. `what_if`, `check` and
/// `apply` give the bits of a fresh margin. Equity is cash, collateral after haircuts, option value, and stock, ETF and
/// spot holdings at their mark; futures and perpetuals settle to their mark when traded and at every `rebase`.
///
/// A call that takes longer than about a millisecond gives the interpreter back, works on a copy of the account, and is
/// ended by Ctrl-C with nothing half done. In a process that was forked while another thread worked on the account
/// every call raises :class:`CalculationError`: open it again.
///
/// >>> import margincore as mc
/// >>> stock = mc.Stock("XYZ", currency="USD")
/// >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
/// >>> prepared = mc.Engine(mc.methods.Tims()).prepare([stock], market)
/// >>> live = prepared.open(mc.Account([], cash={"USD": 1_000.0}))
/// >>> live.what_if([(stock, 100)]).change.initial
/// 750.0
/// >>> limit = mc.Limit(min_excess=0.0)
/// >>> live.check(mc.Order("1", stock, "buy", 100, 50.0), limit).accepted
/// True
/// >>> live.check(mc.Order("2", stock, "buy", 100, 53.0), limit).reason      # paid too much: 300 gone at once
/// 'min_excess'
/// >>> live.max_quantity(stock, "buy", limit)
/// 133.0
#[pyclass(frozen, module = "margincore._core")]
pub(crate) struct LiveAccount(SharedAccount);

impl LiveAccount {
    pub(crate) fn open(
        preparation: &Preparation,
        account: &Account,
        haircuts: BTreeMap<String, f64>,
    ) -> margincore::Result<Self> {
        let live = core::LiveAccount::open(
            preparation.prepared.clone(),
            preparation.money(),
            &account.0,
            haircuts,
        )?;
        Ok(Self(SharedAccount::new(live)))
    }

    /// Asks or changes the account: the binding's one way to it, for plain Rust only. What Python gives is read before, what
    /// it gets is built after. The interpreter lock is held where the account is free and the answer quick.
    #[inline]
    fn ask<T: Send>(
        &self,
        py: Python<'_>,
        work: impl Fn(&mut core::LiveAccount) -> margincore::Result<T> + Send + Sync,
    ) -> PyResult<T> {
        match self.0.try_ask(&work) {
            Tried::Answered(answer) => answer.map_err(raise),
            Tried::Held => enter(py, || self.0.ask(&work)),
            Tried::TooLong => enter(py, || self.0.ask_copy(&work)),
        }
    }

    /// What the account knows without asking its rulebook anything.
    #[inline]
    fn look<T: Send>(
        &self,
        py: Python<'_>,
        look: impl Fn(&core::LiveAccount) -> T + Send + Sync,
    ) -> PyResult<T> {
        match self.0.try_with(|live| look(live)) {
            Ok(seen) => Ok(seen),
            Err(Refused::Held(_)) => enter(py, || self.0.with(|live| look(live))),
            Err(Refused::Lost(error)) => Err(raise(error)),
        }
    }
}

#[pymethods]
impl LiveAccount {
    /// The requirement of the positions now; open orders are not in it.
    #[getter]
    fn margin(&self, py: Python<'_>) -> PyResult<Requirement> {
        Ok(self.look(py, |live| live.requirement())?.into())
    }

    /// The margin of the positions now, explained; open orders are not in it.
    fn report(&self, py: Python<'_>) -> PyResult<MarginReport> {
        let report = self.ask(py, |live| live.report())?;
        Ok(MarginReport {
            report,
            standalone_sum: None,
        })
    }

    /// Cash, collateral after haircuts, option value and holdings paid in full, in the report's currency.
    ///
    /// Raises :class:`MissingData` where an exchange rate or a mark is missing.
    #[getter]
    fn equity(&self, py: Python<'_>) -> PyResult<f64> {
        self.ask(py, |live| live.equity())
    }

    /// Equity less the initial requirement, in the report's currency; negative for a deficit. Raises as `equity`.
    #[getter]
    fn excess(&self, py: Python<'_>) -> PyResult<f64> {
        self.ask(py, |live| live.excess())
    }

    /// Cash balances by currency as they are now, each in its own; read-only.
    #[getter]
    fn cash<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let cash = self.look(py, |live| live.terms().cash.clone())?;
        read_only(py, &cash)
    }

    /// Whether long and short are kept apart.
    #[getter]
    fn gross(&self, py: Python<'_>) -> PyResult<bool> {
        self.look(py, |live| live.view().positions.short.is_some())
    }

    /// How many markets the account has been moved to.
    #[getter]
    fn epoch(&self, py: Python<'_>) -> PyResult<u64> {
        self.look(py, |live| live.epoch())
    }

    /// How many calls found the account in another thread's hands, and waited.
    #[getter]
    fn contended(&self) -> u64 {
        self.0.contended()
    }

    /// The positions now, long and short apart where the account keeps them so.
    #[getter]
    fn positions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let held = self.ask(py, |live| {
            let (rows, positions) = (live.prepared().contracts().rows(), live.view().positions);
            let held = |i: usize| {
                let contract = rows[positions.contract[i] as usize].clone();
                margincore::account::Position::gross(
                    contract,
                    positions.long(i),
                    positions.short(i),
                )
            };
            (0..positions.len())
                .map(held)
                .collect::<margincore::Result<Vec<_>>>()
        })?;
        tuple_of(py, held.into_iter().map(Position))
    }

    /// Requirements before and after trades; nothing changes.
    ///
    /// `effect` is needed where the account keeps long and short apart. Raises :class:`InvalidInput` for what is not a
    /// whole number of lots, :class:`MissingData` for an unknown contract.
    #[pyo3(signature = (trades, *, effect=None))]
    fn what_if(
        &self,
        trades: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_text)] effect: Option<&str>,
    ) -> PyResult<WhatIf> {
        let wanted = trades::read(trades, effect)?;
        let answer = self.ask(trades.py(), |live| {
            trades::placed(live, &wanted, |live, trades| live.what_if(trades))
        })?;
        Ok(WhatIf {
            before: answer.before.into(),
            after: answer.after.into(),
            change: answer.change().into(),
        })
    }

    /// The initial requirement after one more trade of signed lots: the fast path. In the report's currency.
    ///
    /// From kept sums where the rulebook has them, then within :meth:`band_after` of a fresh margin; else a fresh one.
    /// Raises :class:`InvalidInput` for a row the table has not.
    #[pyo3(signature = (index, lots, /))]
    fn margin_after(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] index: u32,
        #[pyo3(from_py_with = whole)] lots: i64,
    ) -> PyResult<f64> {
        self.ask(py, |live| live.margin_after(index, lots))
    }

    /// How far :meth:`margin_after` can lie from a fresh margin: 2 (n + 2) 2^-53 sum |q a|; 0 where it is one.
    ///
    /// In the report's currency. Raises as :meth:`margin_after`.
    #[pyo3(signature = (index, lots, /))]
    fn band_after(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = whole)] index: u32,
        #[pyo3(from_py_with = whole)] lots: i64,
    ) -> PyResult<f64> {
        self.ask(py, |live| live.band_after(index, lots))
    }

    /// Whether an order may be sent, with open orders in their worst case. Fails closed; never raises for bad data.
    ///
    /// Limits are held against the complete fill, and against every partial fill that needs more than no fill at all
    /// does, so that an order which mends a broken limit passes. Where the requirement is convex in the lots no
    /// partial fill can be the worst. Elsewhere (SPAN, Reg T, TIMS class groups that share a portfolio group, combined
    /// rulebooks, quantiles, some venues' charges) each is margined, up to 65,536 ways for the order and open orders
    /// together; more are refused unless the limit is `complete_only`. Of a stock order under Reg T those suffice that
    /// leave whole covers of options, or a share more or less.
    ///
    /// `now` is seconds since 1970, an instant or an aware datetime. With `reserve`, an accepted order counts as open
    /// at once.
    #[pyo3(signature = (order, limit, now=None, *, reserve=false))]
    fn check(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = object)] order: &Order,
        #[pyo3(from_py_with = object)] limit: &Limit,
        now: Option<&Bound<'_, PyAny>>,
        #[pyo3(from_py_with = flag)] reserve: bool,
    ) -> PyResult<Decision> {
        // A time that cannot be read is given on as no number: the check refuses it.
        let now = now.map(|now| trades::seconds(now).unwrap_or(f64::NAN));
        let mut check = OrderCheck {
            order: order.unplaced(),
            limit: limit.0,
            now,
            reserve,
        };
        // Written in place: a decision is large to hand through.
        let mut begun = None;
        let begin = |live: &mut core::LiveAccount| {
            let contracts = live.prepared().contracts().clone();
            check.order.contract = order.row(&contracts);
            begun = Some((contracts, SharedAccount::begin_check(live, &check)));
        };
        match self.0.try_with(begin) {
            Ok(()) => {}
            Err(Refused::Held(begin)) => enter(py, || self.0.with(begin))?,
            Err(Refused::Lost(error)) => return Err(raise(error)),
        }
        let Some((contracts, begun)) = begun else {
            unreachable!("work that was done wrote its answer")
        };
        let decision = match begun {
            Ok(decision) => decision,
            Err(unfinished) => enter(py, || self.0.finish(&check, unfinished))?,
        };
        Ok(Decision::new(decision, check.order, check.limit, contracts))
    }

    /// Book trades: all of them, or none where one is refused. Gives the requirement after.
    ///
    /// Cash follows the trades that state a price. `effect` is needed where the account keeps long and short apart.
    /// Raises :class:`InvalidInput` for what is not a whole number of lots, :class:`MissingData` for an unknown
    /// contract.
    #[pyo3(signature = (trades, *, effect=None))]
    fn apply(
        &self,
        trades: &Bound<'_, PyAny>,
        #[pyo3(from_py_with = maybe_text)] effect: Option<&str>,
    ) -> PyResult<Requirement> {
        let wanted = trades::read(trades, effect)?;
        let after = self.ask(trades.py(), |live| {
            trades::placed(live, &wanted, |live, trades| live.apply(trades))
        })?;
        Ok(after.into())
    }

    /// Add to a cash balance, in its currency: a deposit, interest, or negative a withdrawal.
    ///
    /// Raises :class:`InvalidInput` for an amount that is not finite.
    fn deposit(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text)] currency: &str,
        #[pyo3(from_py_with = number)] amount: f64,
    ) -> PyResult<()> {
        self.ask(py, |live| live.deposit(currency, amount))
    }

    /// Move to another preparation of the same table or of one that appends to it. On an error nothing changes.
    ///
    /// What settles in money is settled from the old marks to the new, into cash. Raises :class:`InvalidInput` for
    /// another table.
    fn rebase(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = object)] prepared: &Prepared,
    ) -> PyResult<()> {
        let preparation = &prepared.0;
        let money = enter(py, || Ok(preparation.money()))?;
        self.ask(py, |live| {
            live.rebase(preparation.prepared.clone(), money.clone())
        })
    }

    /// Count an order's worst case from now on. False where it is known already.
    ///
    /// Raises :class:`InvalidInput` where its id is known with other terms.
    fn reserve(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = object)] order: &Order,
    ) -> PyResult<bool> {
        self.ask(py, |live| {
            let order = order.placed(live.prepared().contracts());
            live.reserve(&order)
        })
    }

    /// Book an execution of a reserved order. False where it is known already.
    ///
    /// `quantity` is in contracts without a sign, `price` in the contract's quote, `fees` in its currency, negative for
    /// a rebate. Raises :class:`MissingData` for an order never reserved, :class:`InvalidInput` for more than is open.
    #[pyo3(signature = (order_id, execution_id, quantity, price, *, fees=0.0))]
    fn fill(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text)] order_id: &str,
        #[pyo3(from_py_with = text)] execution_id: &str,
        #[pyo3(from_py_with = number)] quantity: f64,
        #[pyo3(from_py_with = number)] price: f64,
        #[pyo3(from_py_with = number)] fees: f64,
    ) -> PyResult<bool> {
        self.ask(py, |live| {
            let whole = match live.order(order_id) {
                Some(open) => {
                    let row = open.order.contract as usize;
                    let what = format_args!("fill of order '{order_id}': quantity");
                    lots(&live.prepared().contracts().rows()[row], what, quantity)?
                }
                // Refused for its order, whatever its size.
                None => 0,
            };
            live.fill(order_id, execution_id, whole, price, fees)
        })
    }

    /// Whether anything was left to cancel. Raises :class:`MissingData` for an order never reserved.
    fn cancel(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text)] order_id: &str,
    ) -> PyResult<bool> {
        self.ask(py, |live| live.cancel(order_id))
    }

    /// Cancel one order and reserve another in its place, or do neither. False where it is known already.
    ///
    /// Raises :class:`MissingData` for an order never reserved, :class:`InvalidInput` where both have one id.
    fn replace(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = text)] order_id: &str,
        #[pyo3(from_py_with = object)] order: &Order,
    ) -> PyResult<bool> {
        self.ask(py, |live| {
            let order = order.placed(live.prepared().contracts());
            live.replace(order_id, &order)
        })
    }

    /// What may still be filled now, by order id: signed, in contracts; read-only.
    #[getter]
    fn open_orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let (orders, contracts) = self.look(py, orders::known)?;
        let open = |o: &core::OpenOrder| {
            let contract = &contracts.rows()[o.order.contract as usize];
            let signed = o.remaining() * o.order.signed_lots().signum();
            (o.order.id.clone(), contract.quantity(signed))
        };
        let sizes: BTreeMap<String, f64> = enter(py, || Ok(orders.open().map(open).collect()))?;
        read_only(py, &sizes)
    }

    /// Every order ever reserved with its fills, as plain data, in whole lots: for :meth:`restore_orders`.
    #[getter]
    fn orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        let (orders, contracts) = self.look(py, orders::known)?;
        let documents: Vec<Value> = enter(py, || {
            let document = |open| orders::document(open, &contracts);
            Ok(orders.all().map(document).collect())
        })?;
        let documents = documents.iter().map(|document| read_only(py, document));
        PyTuple::new(py, documents.collect::<PyResult<Vec<_>>>()?)
    }

    /// One of :attr:`orders`; `None` where it was never reserved.
    fn order<'py>(
        &self,
        py: Python<'py>,
        #[pyo3(from_py_with = text)] order_id: &str,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (orders, contracts) = self.look(py, orders::known)?;
        let known = orders.get(order_id);
        to_python(py, &known.map(|open| orders::document(open, &contracts)))
    }

    /// Take over the orders of a closed account with these positions, so that repeated messages are recognised.
    ///
    /// All of them, or none: raises :class:`InvalidInput` where one is known already or its fills do not add up.
    fn restore_orders(&self, orders: &Bound<'_, PyAny>) -> PyResult<()> {
        let Value::Array(documents) = document("orders", orders)? else {
            return Err(invalid("orders: a list is needed"));
        };
        let py = orders.py();
        let (_, contracts) = self.look(py, orders::known)?;
        let orders: Vec<core::OpenOrder> = enter(py, || {
            let restored = |document| orders::restored(document, &contracts);
            documents.into_iter().map(restored).collect()
        })?;
        self.ask(py, |live| live.restore_orders(orders.clone()))
    }

    /// The initial requirement with open orders in their worst case, in the report's currency.
    ///
    /// Raises :class:`Unsupported` where open orders may fill in too many ways.
    #[getter]
    fn worst(&self, py: Python<'_>) -> PyResult<f64> {
        self.ask(py, |live| Ok(live.worst_requirement()?.0))
    }

    /// Refuse every order until :meth:`revive`.
    fn kill(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, |live| {
            live.kill();
            Ok(())
        })
    }

    /// Accept orders again after :meth:`kill`.
    fn revive(&self, py: Python<'_>) -> PyResult<()> {
        self.ask(py, |live| {
            live.revive();
            Ok(())
        })
    }

    /// Whether every order is refused, by :meth:`kill` or because the engine failed.
    #[getter]
    fn killed(&self, py: Python<'_>) -> PyResult<bool> {
        self.look(py, |live| live.is_killed())
    }

    /// The largest quantity such that every fill from nothing to all of it passes; `None` where nothing does.
    ///
    /// An order of it passes :meth:`check`. In contracts; `price` is the mark where left out, `fees_per_contract` in
    /// the contract's currency; `most` ends the search (100,000 lots by default). Raises :class:`MissingData` for an
    /// unknown contract and for a mark that is missing, :class:`InvalidInput` for a number that is none.
    #[pyo3(signature = (contract, side, limit, *, price=None, fees_per_contract=0.0, most=None))]
    fn max_quantity(
        &self,
        py: Python<'_>,
        contract: Contract,
        #[pyo3(from_py_with = text)] side: &str,
        #[pyo3(from_py_with = object)] limit: &Limit,
        #[pyo3(from_py_with = maybe_number)] price: Option<f64>,
        #[pyo3(from_py_with = number)] fees_per_contract: f64,
        #[pyo3(from_py_with = maybe_number)] most: Option<f64>,
    ) -> PyResult<Option<f64>> {
        let bounds = (price, fees_per_contract, most);
        self.ask(
            py,
            search::largest((&contract, side, limit), bounds, false)?,
        )
    }

    /// The largest quantity whose complete fill passes, whatever smaller fills do (`complete_only` of a limit).
    ///
    /// Arguments, unit and errors as those of :meth:`max_quantity`.
    #[pyo3(signature = (contract, side, limit, *, price=None, fees_per_contract=0.0, most=None))]
    fn max_quantity_complete(
        &self,
        py: Python<'_>,
        contract: Contract,
        #[pyo3(from_py_with = text)] side: &str,
        #[pyo3(from_py_with = object)] limit: &Limit,
        #[pyo3(from_py_with = maybe_number)] price: Option<f64>,
        #[pyo3(from_py_with = number)] fees_per_contract: f64,
        #[pyo3(from_py_with = maybe_number)] most: Option<f64>,
    ) -> PyResult<Option<f64>> {
        let bounds = (price, fees_per_contract, most);
        self.ask(py, search::largest((&contract, side, limit), bounds, true)?)
    }

    /// The requirement after each candidate trade alone, in the report's currency; a new array.
    ///
    /// `index` are contract rows, `lots` signed lots, of one length. The same bits for any number of `threads`. Raises
    /// :class:`InvalidInput` for columns that differ in length or leave the table.
    #[pyo3(signature = (index, lots, *, threads=1))]
    fn rank<'py>(
        &self,
        py: Python<'py>,
        index: PyReadonlyArray1<'_, u32>,
        lots: PyReadonlyArray1<'_, i64>,
        #[pyo3(from_py_with = threads)] threads: usize,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let after = self.ask(py, search::rank(&index, &lots, threads)?)?;
        Ok(after.to_pyarray(py))
    }

    /// The best single trade per contract and side: (contract, quantity, requirement after, change).
    ///
    /// The first `count`, of at most `most` lots each; quantities are signed, in contracts, requirements in the
    /// report's currency. Largest reduction first; with a limit, trades after which its `max_requirement` holds come
    /// before the others. Raises :class:`InvalidInput` for a `most` below 1 or above 100,000.
    #[pyo3(signature = (limit=None, *, count=10, most=100.0))]
    fn hedges(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = maybe_object)] limit: Option<&Limit>,
        #[pyo3(from_py_with = whole)] count: usize,
        #[pyo3(from_py_with = number)] most: f64,
    ) -> PyResult<Vec<search::Hedge>> {
        self.ask(py, search::hedges(limit, count, most)?)
    }

    /// The row of a contract, for :meth:`margin_after`.
    ///
    /// Raises :class:`MissingData` where it is not in the table.
    fn index(&self, py: Python<'_>, contract: Contract) -> PyResult<u32> {
        self.ask(py, |live| live.prepared().contracts().resolve(&contract.0))
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        self.look(py, |live| {
            format!(
                "LiveAccount({} positions, requirement {})",
                live.view().positions.len(),
                amount_text(live.requirement().initial)
            )
        })
    }
}
