"""The one call: a report, an account and a market become a statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar, get_args

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginError,
    Market,
    Methodology,
    MissingData,
    Position,
    Prepared,
)
from margincore.analysis import given
from margincore.analysis.qualify import Monitoring, least_equity
from margincore.analysis.statements import restrictions as limits
from margincore.analysis.statements.calls import Call, Carried, current_call
from margincore.analysis.statements.cash import Cash, Interest, interest, withdrawable
from margincore.analysis.statements.cures import Cure, cures
from margincore.analysis.statements.futures import FuturesAccount, futures_account, pretrade_cost
from margincore.analysis.statements.groups import STRESS, PortfolioMargin, gross_value, stress, tree
from margincore.analysis.statements.minimum import MinimumEquity, minimum_equity
from margincore.analysis.statements.money import Equity, Valuation
from margincore.analysis.statements.power import BuyingPower, Rates, affordable, class_rates, rates_of
from margincore.analysis.statements.regimes import Regime, fits, regime_of
from margincore.analysis.statements.sma import Close, Transaction, close, entries, opening, priced, read, traded
from margincore.analysis.statements.whole import REDUCING_ONLY, Absent, Statement
from margincore.calendars import BusinessDays, day_of, nyse
from margincore.engine import holder, rulebook, snapshot

__all__ = ["statement"]

T = TypeVar("T")


def statement(
    account: Account | Iterable[Position],
    market: Market | None,
    methodology: Methodology,
    *,
    contracts: Iterable[Contract] = (),
    haircuts: Mapping[str, float] | None = None,
    regime: Regime | None = None,
    date: dt.date | str | None = None,
    holidays: BusinessDays | Iterable[dt.date | str] | None = None,
    carried: Carried | None = None,
    transactions: Sequence[Transaction] | None = None,
    waive_up_to: float | None = None,
    settled: Mapping[str, float] | None = None,
    interest_rate: Mapping[str, float] | None = None,
    days_in_year: int = 360,
    monitoring: Monitoring | None = None,
    house_minimum: float | None = None,
    restrictions: Sequence[str] = (),
    open_trade_equity: Mapping[str, float] | None = None,
    initial_ratio: float | None = None,
    premiums: tuple[float, float] | None = None,
    moves: Sequence[float] = STRESS,
) -> Statement:
    """What an account holder asks: how much is left, what is called and by when, and what may still be done.

    Pure: the same arguments give the same statement. What is not stated is not guessed; it is named in `absent`, with
    what to give. The account, its cash and its marks are those of the moment (after the day's `transactions`).

    - `contracts`: what else may be bought, and what options are written on, as in :func:`margincore.margin`.
    - `haircuts`: fractions taken off collateral, by asset.
    - `regime`: what kind of account it is. Left out, Reg T is ``"reg_t"`` (or ``"cash"``, by the account's kind),
      OCC's customer portfolio margin ``"portfolio_margin"``, SPAN ``"futures"``; others have no calls.
    - `date`: the day, that of the market's valuation in its own zone where left out.
    - `holidays`: of the exchange, :func:`margincore.calendars.nyse` where left out.
    - `carried`: :meth:`Statement.carry` of the last statement; `transactions`: the day's, in order: trades with their
      prices (:data:`margincore.Trade`), trades executed together as a list, and
      :class:`~margincore.analysis.statements.Money`. Both make the SMA and the initial call of a Reg T account.
    - `waive_up_to`: initial calls up to it are marked as waived (12 CFR 220.4(d) allows 1,000).
    - `settled`: settled cash by currency; a cash account may withdraw no more.
    - `interest_rate`: annual rates on debits by currency (0.08 is 8 %), simple, over `days_in_year` (360 or 365).
    - `monitoring`: how the member watches a portfolio margin account, which decides its minimum equity;
      `house_minimum`: the house's own, where it is higher.
    - `restrictions`: those the account was opened with, of ``"ira"`` and ``"limited_margin"``.
    - `open_trade_equity`: profit on futures that is not in the cash, by currency; left out, futures are settled
      to their marks in cash, as the engine does. :func:`open_trade_equity` makes it of trade prices.
    - `initial_ratio`: customers' initial requirement over the clearing one (1.1 for speculators), where the
      rulebook has only the clearing one.
    - `premiums`: of filled options (paid positive) and of working long options, in the report's currency, for the
      pre-trade credit.
    - `moves`: of the stress of a portfolio margin account.

    Raises what the rulebook raises, and :class:`margincore.InvalidInput` for arguments that contradict each other.

    >>> import margincore as mc
    >>> stock = mc.Stock("XYZ", currency="USD")
    >>> account = mc.Account([mc.Position(stock, 240)], cash={"USD": -10_000.0})
    >>> market = mc.Market("2026-11-20T16:00:00-05:00", spot={"XYZ": 50.0})
    >>> page = mc.statement(account, market, mc.methods.RegT())
    >>> page.equity.total, page.maintenance, page.maintenance_excess
    (2000.0, 3000.0, -1000.0)
    >>> [(call.rule.name, call.left, str(call.due_on)) for call in page.calls]
    [('maintenance call', 1000.0, '2026-12-14')]
    >>> [(cure.action, cure.amount, cure.quantity) for cure in page.cures]
    [('deposit', 1000.0, None), ('sell', 4000.0, 80.0)]
    """
    desk = _Desk(
        holder(account), snapshot(market), rulebook(methodology), contracts, haircuts, regime, date, holidays, carried
    )
    opened_with = limits.known(restrictions)
    known = desk.currencies()
    if transactions is not None:
        transactions = read(transactions)
    if waive_up_to is not None:
        waive_up_to = given.number("waive_up_to", waive_up_to, least=0.0)
    if settled is not None:
        settled = given.amounts("settled", settled, known)
    if interest_rate is not None:
        interest_rate = given.amounts("interest_rate", interest_rate, known, least=-2.0, most=2.0)
    if given.number("days_in_year", days_in_year) not in (360, 365):
        given.refuse("days_in_year", days_in_year, "360 or 365", "out_of_range")
    if monitoring is not None:
        given.name("monitoring", monitoring, get_args(Monitoring))
    if house_minimum is not None:
        house_minimum = given.number("house_minimum", house_minimum, least=0.0)
    if open_trade_equity is not None:
        open_trade_equity = given.amounts("open_trade_equity", open_trade_equity, known)
    if initial_ratio is not None:
        initial_ratio = given.number("initial_ratio", initial_ratio, least=1.0)
    if premiums is not None:
        premiums = _pair(premiums)
    moves = [
        given.number(f"moves[{i}]", move, most=10.0, above=-1.0) for i, move in enumerate(given.rows("moves", moves))
    ]
    equity = desk.equity(open_trade_equity)
    initial, futures = desk.futures(equity, initial_ratio, open_trade_equity, premiums)
    maintenance = desk.report.maintenance
    total = None if equity is None else equity.total
    minimum = desk.minimum(total, monitoring, house_minimum)
    reg_t = desk.close(total, initial, transactions, waive_up_to)
    calls = desk.calls(total, initial, maintenance, reg_t)
    sma = None if reg_t is None else reg_t.sma
    bounds = desk.bounds(total, initial, maintenance, sma, minimum, settled, opened_with)
    standing = (*limits.breaches(opened_with, desk.account, desk.report), *desk.standing(calls, minimum))
    balance = desk.report.cash_balance_required if equity is not None or not open_trade_equity else None
    if balance is not None:
        balance += initial - desk.report.initial - (0.0 if equity is None else equity.parts["open trade equity"])
    return Statement(
        date=desk.date,
        valuation=desk.report.valuation,
        regime=desk.regime,
        currency=desk.prepared.currency,
        initial=initial,
        maintenance=maintenance,
        cash_balance_required=balance,
        equity=equity,
        minimum=minimum,
        buying_power=desk.power(total, initial, maintenance, sma, opened_with),
        close=reg_t,
        calls=calls,
        cures=desk.cures(calls),
        cash=desk.cash(settled, bounds),
        interest=desk.interest(interest_rate, days_in_year),
        portfolio=desk.portfolio(total, moves),
        futures=futures,
        restrictions=standing,
        absent=tuple(desk.absent),
        report=desk.report,
        positions=tuple(desk.valuation.holding(position) for position in desk.account.positions),
    )


def _converted(amounts: Mapping[str, float] | None, valuation: Valuation) -> float:
    return sum(amount * valuation.rate(currency) for currency, amount in (amounts or {}).items())


class _Desk:
    """One statement in the making: what every part needs, and the list of what could not be said."""

    def __init__(
        self,
        account: Account,
        market: Market | None,
        methodology: Methodology,
        contracts: Iterable[Contract],
        haircuts: Mapping[str, float] | None,
        regime: Regime | None,
        date: dt.date | str | None,
        holidays: BusinessDays | Iterable[dt.date | str] | None,
        carried: Carried | None,
    ) -> None:
        self.absent: list[Absent] = []
        self.account, self.market, self.methodology, self.carried = account, market, methodology, carried
        if carried is not None and not isinstance(carried, Carried):
            given.refuse("carried", carried, "a Carried is needed: Carried.from_dict reads a document", "wrong_type")
        contracts = given.rows("contracts", contracts)
        for contract in contracts:
            if not isinstance(contract, Contract):
                given.refuse("contracts", contract, "each is a Contract", "wrong_type")
        own = regime_of(methodology, account)
        if regime is not None:
            given.name("regime", regime, get_args(Regime))
            fits(regime, own, methodology, account)
        self.offered = list(dict.fromkeys([*(p.contract for p in account.positions), *contracts]))
        self.prepared: Prepared = methodology.prepare(self.offered, market)
        self.report = self.prepared.open(account, haircuts=haircuts).report()
        self.valuation = Valuation(self.prepared, account, haircuts)
        self.regime = regime if regime is not None else own
        if self.regime is None:
            self.miss("calls", f"no rule on calls is known for {self.report.methodology}: give regime")
        day = date if date is not None else self.report.valuation
        self.date = None if day is None else day_of(day, "date")
        self.days = nyse() if holidays is None else _days(holidays)
        if self.date is None:
            self.miss("dates", "no market says the day: give date")
        elif carried is not None and carried.date >= self.date:
            raise InvalidInput(
                f"carried is of {carried.date}, the statement of {self.date}: give what an earlier day carried",
                where="carried",
                value=carried.date,
                code="bad_time",
            )

    def miss(self, what: str, because: str) -> None:
        self.absent.append(Absent(what, because))

    def currencies(self) -> list[str]:
        """Those of the account, of what it holds or may buy, and of the report."""
        of_contracts = (contract.currency for contract in self.offered)
        return list(dict.fromkeys([self.prepared.currency, *self.account.cash, *of_contracts]))

    def asked(self, what: str, ask: Callable[[], T]) -> T | None:
        """An answer, or none and its name where something was not stated."""
        try:
            return ask()
        except MissingData as error:
            self.miss(what, str(error))
            return None

    def equity(self, open_trade_equity: Mapping[str, float] | None) -> Equity | None:
        return self.asked("equity", lambda: self.valuation.equity(open_trade_equity or {}))

    def minimum(self, equity: float | None, monitoring: Monitoring | None, house: float | None) -> MinimumEquity | None:
        regime = self.regime
        if regime is None:
            if house is not None:
                met = None if equity is None else equity >= house
                return MinimumEquity(house, met, "the house's minimum", "given", "house rule")
            self.miss("minimum equity", "no rule is known: give house_minimum")
            return None
        return self.asked(
            "minimum equity",
            lambda: minimum_equity(regime, self.account, equity, self.valuation, monitoring=monitoring, house=house),
        )

    def futures(
        self,
        equity: Equity | None,
        ratio: float | None,
        open_trade_equity: Mapping[str, float] | None,
        premiums: tuple[float, float] | None,
    ) -> tuple[float, FuturesAccount | None]:
        """Customers' initial requirement, and the section of a futures account."""
        report = self.report
        if self.regime != "futures":
            if ratio is not None:
                raise InvalidInput(
                    f"initial_ratio is of futures accounts, not of {self.regime}: leave it out",
                    where="initial_ratio",
                    value=ratio,
                    code="contradiction",
                )
            return report.initial, None
        if ratio is None and report.initial == report.maintenance and report.maintenance > 0.0:
            self.miss("customers' initial requirement", "it is taken as the clearing one: give initial_ratio")
        total = 0.0 if equity is None else equity.total
        section = futures_account(report.maintenance, report.initial, report.net_option_value, total, ratio)
        if open_trade_equity is None:
            self.miss(
                "open trade equity", "futures are taken as settled to their marks in cash: give open_trade_equity"
            )
        if premiums is None:
            self.miss("pre-trade credit", "give premiums=(of filled options, of working long options)")
        elif open_trade_equity is not None and equity is not None:
            own = equity.parts["open trade equity"]
            section = replace(section, pretrade=pretrade_cost(section.risk_less_option_value, own, *premiums))
        return section.initial, section if equity is not None else None

    def close(
        self,
        equity: float | None,
        initial: float,
        transactions: Sequence[Transaction] | None,
        waive_up_to: float | None,
    ) -> Close | None:
        if self.regime != "reg_t":
            return None
        carried = self.carried
        if carried is None or carried.sma is None:
            self.miss("SMA", "give carried, of the last statement; Carried(date, 0.0) for a new account")
            return None
        if transactions is None:
            self.miss("SMA", "give transactions, the day's; [] for none")
            return None
        if equity is None:
            self.miss("SMA", "the equity is not known")
            return None
        before = opening(self.account, transactions)
        table = dict.fromkeys([*self.offered, *(p.contract for p in before.positions), *traded(transactions)])
        own = self.methodology.prepare(list(table), priced(self.market, transactions))
        made = entries(before, transactions, own)
        excess = equity - initial
        return close(carried, made, excess, self.prepared.currency, self.date, self.days, waive_up_to)

    def calls(self, equity: float | None, initial: float, maintenance: float, reg_t: Close | None) -> tuple[Call, ...]:
        if self.regime is None:
            return ()
        if equity is None:
            self.miss("calls", "the equity is not known")
            return ()
        currency = self.prepared.currency
        deficit = maintenance - equity

        def current(kind: str, amount: float) -> tuple[Call, ...]:
            call = current_call(kind, amount, currency, self.date, self.days, self.carried)
            if call is not None and call.due_on is None and call.rule.days is not None and self.date is not None:
                self.miss(
                    f"last day of the {call.rule.name}", f"it lies outside {self.days.name} holidays: give holidays"
                )
            return () if call is None else (call,)

        if self.regime == "reg_t":
            federal: tuple[Call, ...] = ()
            if reg_t is not None:
                federal = reg_t.calls
            else:
                federal = () if self.carried is None else self.carried.open("reg_t_initial")
                if equity < initial:
                    self.miss("initial call", "the equity is below the Reg T requirement, and SMA is not known")
            return (*federal, *current("maintenance", deficit))
        if self.regime == "portfolio_margin":
            return current("portfolio_margin", deficit)
        if self.regime == "cash":
            return current("cash_account", initial - equity)
        return current("futures", initial - equity) if deficit > 0.0 else ()

    def cures(self, calls: tuple[Call, ...]) -> tuple[Cure, ...]:
        found: list[Cure] = []
        for call in calls:
            if not call.waived and call.left > 0.0:
                found.extend(cures(call, self.account, self.prepared))
        return tuple(found)

    def bounds(
        self,
        equity: float | None,
        initial: float,
        maintenance: float,
        sma: float | None,
        minimum: MinimumEquity | None,
        settled: Mapping[str, float] | None,
        opened_with: tuple[str, ...],
    ) -> dict[str, float] | None:
        """What limits a withdrawal, by name; `None` where something it depends on is not known."""
        if equity is None or self.regime is None:
            self.miss("cash that may be withdrawn", "the equity is not known" if equity is None else "give regime")
            return None
        free = equity - initial
        bounds = {"initial excess": free}
        if self.regime == "reg_t":
            bounds = {"SMA or initial excess": free if sma is None else max(sma, free)}
            bounds["maintenance excess"] = equity - maintenance
        if minimum is None:
            self.miss("cash that may be withdrawn", "the minimum equity is not known")
            return None
        if minimum.required > 0.0:
            bounds["minimum equity"] = equity - minimum.required
        if self.regime == "cash" or opened_with:
            bounds["cash"] = sum(a * self.valuation.rate(c) for c, a in self.account.cash.items())
        if self.regime == "cash":
            if settled is None:
                self.miss("cash that may be withdrawn", "give settled, the settled cash by currency")
                return None
            bounds["settled cash"] = _converted(settled, self.valuation)
        return bounds

    def cash(self, settled: Mapping[str, float] | None, bounds: dict[str, float] | None) -> Cash:
        amount, limit = (None, None) if bounds is None else withdrawable(bounds)
        if settled is None:
            self.miss("settled cash", "give settled, by currency")
            return Cash(None, None, amount, limit)
        held = self.account.cash
        unsettled = {c: held.get(c, 0.0) - settled.get(c, 0.0) for c in dict.fromkeys([*held, *settled])}
        return Cash(dict(settled), unsettled, amount, limit)

    def interest(self, rates: Mapping[str, float] | None, days_in_year: int) -> tuple[Interest, ...]:
        debts = any(amount < 0.0 for amount in self.account.cash.values())
        if rates is None:
            if debts:
                self.miss("interest on debits", "give interest_rate, by currency")
            return ()
        return self.asked("interest on debits", lambda: interest(self.account.cash, rates, days_in_year)) or ()

    def power(
        self,
        equity: float | None,
        initial: float,
        maintenance: float,
        sma: float | None,
        opened_with: tuple[str, ...],
    ) -> tuple[BuyingPower, ...]:
        if self.regime in ("portfolio_margin", "futures"):
            self.miss("buying power", "no single number: see the excess, and LiveAccount.max_quantity for an order")
            return ()
        if self.regime is None or equity is None:
            self.miss("buying power", "give regime" if self.regime is None else "the equity is not known")
            return ()
        free, kept = equity - initial, equity - maintenance
        if self.regime == "cash" or opened_with:
            cash = sum(a * self.valuation.rate(c) for c, a in self.account.cash.items())
            return (BuyingPower("anything, paid in full", 1.0, 1.0, max(0.0, min(cash, free, kept))),)
        found: list[Rates] = []
        if self.report.valuation is not None:
            try:
                found.extend(class_rates(self.methodology, self.report.valuation, self.prepared.currency))
            except MarginError as error:
                self.miss("buying power by class", str(error))
        found.extend(rates_of(self.prepared, self.offered))
        rows = [affordable(rates, sma, free, kept) for rates in (*found, Rates("options, paid in full", 1.0, 1.0))]
        return tuple(self._within_minimum(row, equity) for row in rows)

    def _within_minimum(self, row: BuyingPower, equity: float) -> BuyingPower:
        """Below the minimum equity only what is paid in full may be bought, and only beside long positions."""
        if equity >= least_equity("reg_t")["amount"]:
            return row
        if any(p.short for p in self.account.positions):
            return replace(row, amount=0.0)
        paid_for = minimum_equity("reg_t", self.account, equity, self.valuation).required
        return replace(row, amount=max(0.0, min(row.amount, equity - paid_for)))

    def portfolio(self, equity: float | None, moves: Sequence[float]) -> PortfolioMargin | None:
        if self.regime != "portfolio_margin":
            return None
        stressed = None
        if self.market is None or self.market.contracts is not None:
            self.miss("stress", "give a market with prices and vols as mappings")
        elif equity is not None:
            stressed = self.asked("stress", lambda: stress(self.prepared, self.account, equity, moves))
        gross = self.asked("leverage", lambda: gross_value(self.account, self.valuation))
        leverage = gross / equity if gross is not None and equity is not None and equity > 0.0 else None
        return PortfolioMargin(tree(self.report), stressed or (), gross, leverage)

    def standing(self, calls: tuple[Call, ...], minimum: MinimumEquity | None) -> tuple[limits.Restriction, ...]:
        """What the state of the account forbids now."""
        found = []
        if minimum is not None and minimum.met is False and minimum.required > 0.0:
            because = f"the equity is below the minimum of {minimum.required:,.2f} ({minimum.source})"
            what = REDUCING_ONLY if self.regime == "portfolio_margin" else "no new positions, no withdrawals"
            found.append(limits.Restriction(what, because))
        if any(call.kind == "portfolio_margin" for call in calls):
            because = "a deficiency is to be met (FINRA 4210(g))"
            found.append(limits.Restriction("no new positions that need more margin, but hedges", because))
        if any(self.date is not None and call.overdue(self.date) for call in calls):
            found.append(limits.Restriction("positions may be liquidated", "a call is overdue"))
        return tuple(found)


def _days(holidays: BusinessDays | Iterable[dt.date | str]) -> BusinessDays:
    if isinstance(holidays, BusinessDays):
        return holidays
    return BusinessDays(tuple(day_of(day, "holidays") for day in given.rows("holidays", holidays)))


def _pair(premiums: object) -> tuple[float, float]:
    pair = given.rows("premiums", premiums)
    if len(pair) != 2:
        given.refuse("premiums", premiums, "two numbers: of filled options, of working long options", "wrong_shape")
    return given.number("premiums[0]", pair[0]), given.number("premiums[1]", pair[1])
