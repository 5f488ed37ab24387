"""From a symbol to a contract: through the product table, the venues' names and the table of standard futures."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any, get_args

from margincore._core import Contract, InvalidInput, MarginError, MissingData, Products, Securities
from margincore.crypto import names
from margincore.portfolio import Etf, Exercise, Future, Index, Option, Settles, Stock, When
from margincore.symbols import standard
from margincore.symbols.expiries import expiry_date, expiry_terms
from margincore.symbols.parts import CODES
from margincore.symbols.reading import parse
from margincore.symbols.spelling import native_root, spell
from margincore.symbols.symbol import Right, Symbol

__all__ = ["contract", "listed_option"]

_VENUES = get_args(names.Venue)
_INDIAN = {"kite", "openalgo", "shoonya", "dhan", "upstox"}
_EUREX = {"eurex", "eurex_t7", "ibkr_eurex"}
_INDIAN_MARKETS = {"NFO", "NSE", "BFO", "BSE"}


def contract(
    symbol: Symbol | str,
    *,
    products: Products | None = None,
    dialect: str | None = None,
    on: dt.date | str | None = None,
    multiplier: float | None = None,
    expiry: When | None = None,
    settles: Settles | None = None,
    exchange: str | None = None,
    currency: str | None = None,
    exercise: Exercise | None = None,
    underlying: str | None = None,
) -> Contract:
    """The contract that a symbol stands for.

    A text is read as :func:`margincore.symbols.parse` does, with `dialect` and `on`. Options of United States exchanges
    take their terms from `products` (default: the shipped table), stocks and funds from the table of securities, a
    venue's contracts from :func:`margincore.crypto.contract`, and standard futures and the options on them from
    ``futures.json``: multiplier, currency, and the expiry by the exchange's rule. Their id is the code with two digits
    of a year (``ESZ26``, ``ESZ26 C4500``), and an option's underlying the id of its future. A multiplier is money for
    one unit of the price as the exchange quotes it: grains in cents, bonds in points of 100.

    What a table lacks is to be stated: `multiplier` (the lot, of an Indian contract), `expiry` as an instant or as a
    day with `settles` and `exchange` (the day may be left out where the symbol or the table has it), `currency`; of an
    option that no table has also its `exercise` and `underlying`.
    `exchange` is also the market of an Indian symbol that names none, ``NFO`` or ``BFO``. An `expiry` that is stated is
    taken instead of the table's; a multiplier or currency that contradicts the table is
    :class:`margincore.InvalidInput`. Raises :class:`margincore.MissingData` for what is in no table, with what to
    state, and as :func:`margincore.symbols.parse`.

    >>> contract("AAPL 12/18/2026 290.00 C", products=Products().with_equities(["AAPL"])).id
    'AAPL261218C00290000'
    >>> future = contract("CLF7", on="2026-11-27")
    >>> future.id, future.multiplier, future.expires
    ('CLF27', 1000.0, '2026-12-21T19:30:00Z')
    >>> contract("ESZ6 C4500", on="2026-11-27").underlying
    'ESZ26'
    >>> contract("NIFTY26D0826000PE", exchange="NFO", multiplier=65).currency
    'INR'
    >>> contract("BTC-PERPETUAL").settlement
    'inverse'
    """
    said = symbol if isinstance(symbol, Symbol) else parse(symbol, dialect=dialect, on=on)
    stated: dict[str, Any] = {
        "multiplier": multiplier, "expiry": expiry, "settles": settles, "exchange": exchange, "currency": currency,
        "exercise": exercise, "underlying": underlying,
    }  # fmt: skip
    stated = {name: value for name, value in stated.items() if value is not None}
    if said.exchange in _VENUES:
        return _of_venue(said, stated)
    if said.kind in ("stock", "index"):
        return _of_security(said, products, stated)
    if said.dialect in _INDIAN:
        return _indian(said, stated)
    if said.kind == "future":
        return _future(said, stated)
    if said.kind == "future_option":
        return _future_option(said, stated)
    if said.dialect in _EUREX or (said.dialect == "ibkr" and standard.index_option_row(said.root) is not None):
        return _index_option(said, stated)
    return _listed_option(said, products, stated)


def listed_option(text: str, products: Products) -> Contract:
    """The contract of an option symbol, as :meth:`margincore.Products.contract` gives it, in the spellings of all
    dialects; files and documents take it.

    Raises as that does for what no dialect reads as an option. One that can be read in two ways is refused with both.

    >>> listed_option("SPXW Dec 18 '26 $4700 Call", Products()).id
    'SPXW261218C04700000'
    """
    try:
        return products.contract(text)
    except InvalidInput as error:
        refusal = error
    try:
        said = parse(text)
    except MarginError as error:
        raise error if error.code == "not_stated" else refusal from None
    if said.kind != "option":
        raise refusal
    return contract(said, products=products)


def _none_stated(symbol: Symbol, stated: Mapping[str, Any], why: str, *allowed: str) -> None:
    extra = sorted(set(stated) - set(allowed))
    if extra:
        raise InvalidInput(
            f"{symbol.said()}: {', '.join(extra)} cannot be stated: {why}", where=extra[0], code="contradiction"
        )


def _of_venue(symbol: Symbol, stated: Mapping[str, Any]) -> Contract:
    venue: Any = symbol.exchange
    _none_stated(symbol, stated, "the venue's name says it", "multiplier")
    name = spell(symbol, venue)
    if venue == "okx" and "multiplier" not in stated and (symbol.kind == "option" or symbol.settle != symbol.root):
        raise MissingData(
            f"{name}: OKX counts contracts whose size its name does not say: state multiplier=, ctVal times ctMult of "
            "its product list",
            code="not_stated",
            where="multiplier",
        )
    return names.contract(venue, name, multiplier=stated.get("multiplier"))


def _of_security(symbol: Symbol, products: Products | None, stated: Mapping[str, Any]) -> Contract:
    _none_stated(symbol, stated, "a ticker has no terms but a currency", "currency")
    kind = Securities().kind(symbol.root) or _underlyings(products or _shipped()).get(symbol.root)
    kind = {"adr": "stock", "etn": "etf"}.get(kind or "", kind)
    abroad = symbol.exchange not in (None, "US") or symbol.dialect in _INDIAN
    if kind is None or abroad or (symbol.kind == "index" and kind != "index"):
        raise MissingData(
            f"{symbol.said()} is in no table of securities or products: make it with mc.Stock, mc.Etf or mc.Index, and "
            "its currency",
            code="missing_product",
            value=symbol.root,
        )
    make = {"stock": Stock, "etf": Etf, "index": Index}[kind]
    return make(symbol.root, currency=stated.get("currency", "USD"))


@cache
def _shipped() -> Products:
    return Products()


@lru_cache(maxsize=4)
def _underlyings(products: Products) -> dict[str, str]:
    """What the table's options are on, with its kind; a table is immutable, and files ask for every row."""
    return {row["underlying"]: row["kind"] for row in products.rows()}


def _listed_option(symbol: Symbol, products: Products | None, stated: Mapping[str, Any]) -> Contract:
    if symbol.exchange not in (None, "US"):
        raise MissingData(
            f"{symbol.said()}: the product table has options of United States exchanges: make it with mc.Option",
            code="missing_product",
            value=symbol.root,
        )
    if symbol.expiry is None:
        raise MissingData(
            f"{symbol.said()} says a month and no day: make it with mc.Option and its expiry",
            code="not_stated",
            where="expiry",
        )
    _none_stated(symbol, stated, "the product table says it: extend it with Products().extended([...])")
    return (products or _shipped()).contract(spell(symbol, "compact"))


def _table_terms(symbol: Symbol, row: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """Multiplier and currency of a row, and its expiry where none is stated."""
    terms: dict[str, Any] = {}
    for name in ("multiplier", "currency"):
        terms[name] = row[name]
        if name in stated and stated[name] != row[name]:
            raise InvalidInput(
                f"{symbol.said()}: {name} {stated[name]!r} is stated, and {row[name]!r} is what {row['source']} says",
                where=name,
                value=stated[name],
                code="contradiction",
            )
    return terms | _expiry(symbol, row, stated)


def _expiry(symbol: Symbol, row: Mapping[str, Any], stated: Mapping[str, Any]) -> dict[str, Any]:
    """When it expires: as stated, or on the day that the symbol or the rule of its contract month says, at the table's
    hour or the stated one.
    """
    hour = {name: stated[name] for name in ("settles", "exchange") if name in stated}
    if "expiry" in stated:
        _same_day(symbol, stated["expiry"])
        return {"expiry": stated["expiry"], **hour}
    day = _expiry_day(symbol, row)
    if row["at"] is None or day is None:
        if day is None or "settles" not in hour:
            raise MissingData(
                f"{symbol.said()}: no table here says when it expires: state expiry=, an instant, or a day with "
                f"settles= and exchange={'' if day is None else f'; the day may be left out, {day}'}",
                code="not_stated",
                where="expiry",
            )
        return {"expiry": day.isoformat(), **hour}
    terms = expiry_terms(day, row["at"])
    for name, value in hour.items():
        if terms.get(name) != value:
            raise InvalidInput(
                f"{symbol.said()}: {name} {value!r} is stated, and {row['at']} is what {row['source']} says: state "
                "expiry= as well",
                where=name,
                value=value,
                code="contradiction",
            )
    return terms


def _expiry_day(symbol: Symbol, row: Mapping[str, Any]) -> dt.date | None:
    """The day of expiry that the symbol says, or its contract month by the exchange's rule: one day where both do."""
    day = symbol.expiry
    if row["expiry"] is not None and symbol.year is not None and symbol.month is not None:
        if CODES[symbol.month - 1] not in row["months"]:
            raise InvalidInput(
                f"{symbol.said()}: the exchange lists months {row['months']} ({row['source']})",
                where="month",
                value=symbol.month,
            )
        try:
            ruled = expiry_date(row["expiry"], symbol.year, symbol.month, standard.business_days(row["exchange"]))
        except MissingData as error:
            raise MissingData(f"{symbol.said()}: {error}: state expiry=", code="not_stated", where="expiry") from None
        if day is not None and day != ruled:
            raise InvalidInput(
                f"{symbol.said()}: it says {day}, and the exchange's rule {ruled} ({row['source']}): state expiry=",
                where="expiry",
                value=day,
                code="contradiction",
            )
        day = ruled
    return day


def _same_day(symbol: Symbol, when: When) -> None:
    if symbol.expiry is not None and str(when)[:10] != symbol.expiry.isoformat():
        raise InvalidInput(
            f"{symbol.said()}: expiry {when} is stated, and it says {symbol.expiry}",
            where="expiry",
            value=when,
            code="contradiction",
        )


def _code(root: str, year: int, month: int) -> str:
    return f"{root}{CODES[month - 1]}{year % 100:02}"


def _future(symbol: Symbol, stated: Mapping[str, Any]) -> Contract:
    root = native_root(symbol)
    row = None if root is None else standard.future_row(root)
    _none_stated(symbol, stated, "a future has none", "multiplier", "currency", "expiry", "settles", "exchange")
    if row is None:
        missing = [name for name in ("multiplier", "currency", "expiry") if name not in stated]
        if missing:
            raise MissingData(
                f"{symbol.said()} ({symbol.dialect}) is in no table of standard futures "
                f"({', '.join(standard.roots('futures'))}): state {'=, '.join(missing)}=",
                code="missing_product",
                where=missing[0],
                value=symbol.root,
            )
        _same_day(symbol, stated["expiry"])
        code = _code(symbol.root, symbol.year, symbol.month) if symbol.year and symbol.month else None
        return Future(symbol.root, id=code, **stated)
    symbol = _with_month(symbol, row)
    terms = _table_terms(symbol, row, stated)
    code = _code(row["root"], symbol.year or 0, symbol.month or 0)
    alias = {"globex": f"{code[:-2]}{code[-1]}"} if row["exchange"] != "EUREX" else {}
    return Future(row["underlying"], id=code, aliases=alias, **terms)


def _with_month(symbol: Symbol, row: Mapping[str, Any]) -> Symbol:
    """A future that says its day, with the contract month whose rule gives that day."""
    if symbol.month is not None or symbol.expiry is None:
        return symbol
    days = standard.business_days(row["exchange"])
    first = symbol.expiry.year * 12 + symbol.expiry.month - 1
    for at in (first, first + 1):
        year, month = at // 12, at % 12 + 1
        if CODES[month - 1] in row["months"] and expiry_date(row["expiry"], year, month, days) == symbol.expiry:
            return Symbol("future", symbol.root, symbol.dialect, symbol.expiry, year, month)
    raise InvalidInput(
        f"{symbol.said()}: no {symbol.root} future expires then by the exchange's rule ({row['source']})",
        where="expiry",
        value=symbol.expiry,
        code="contradiction",
    )


def _future_option(symbol: Symbol, stated: Mapping[str, Any]) -> Contract:
    row = standard.option_row(symbol.root) if symbol.dialect != "bloomberg" else None
    if row is None or symbol.year is None or symbol.month is None:
        return _stated_option(symbol, stated, "options on futures (the underlying is its future's id)")
    future = standard.future_row(row["underlying"])
    assert future is not None
    _none_stated(symbol, stated, "the table has it", "multiplier", "currency", "expiry", "settles", "exchange")
    terms = _table_terms(symbol, {**future, **row}, stated)
    underlying = _delivered(symbol.year, symbol.month, future, _expires(terms))
    if symbol.underlying not in (None, underlying):
        raise InvalidInput(
            f"{symbol.said()}: it is on {underlying} by the exchange's rule ({row['source']})",
            where="underlying",
            value=symbol.underlying,
            code="contradiction",
        )
    right, strike = _option_parts(symbol)
    code = replace(symbol, dialect="globex", expiry=None, underlying=None, exchange=None)
    return Option(
        underlying, right, strike, exercise=row["exercise"], id=spell(code, "globex_long"),
        aliases={"globex": spell(code, "globex")}, **terms,
    )  # fmt: skip


def _delivered(year: int, month: int, future: Mapping[str, Any], expires: dt.datetime) -> str:
    """The future that an option of a month delivers: the first one listed that does not expire before the option.

    A weekly option of December that expires with the December future, or after it, is on the March one.
    """
    days = standard.business_days(future["exchange"])
    while True:
        if CODES[month - 1] in future["months"]:
            day = expiry_date(future["expiry"], year, month, days)
            if _expires(expiry_terms(day, future["at"])) >= expires:
                return _code(future["root"], year, month)
        year, month = (year, month + 1) if month < 12 else (year + 1, 1)


def _expires(terms: Mapping[str, Any]) -> dt.datetime:
    """The instant that the terms of an expiry say."""
    when = {name: terms[name] for name in ("expiry", "settles", "exchange") if name in terms}
    probe = Contract(kind="future", underlying="X", multiplier=1.0, currency="USD", **when)
    assert probe.expires is not None, terms
    return dt.datetime.fromisoformat(probe.expires)


def _index_option(symbol: Symbol, stated: Mapping[str, Any]) -> Contract:
    row = standard.index_option_row(symbol.root)
    right, strike = _option_parts(symbol)
    if row is None:
        return _stated_option(symbol, stated, f"Eurex options ({', '.join(standard.roots('index_options'))})")
    _none_stated(symbol, stated, "the table has it", "multiplier", "currency", "expiry", "settles", "exchange")
    if symbol.exercise not in (None, row["exercise"]) or symbol.delivery not in (None, "cash"):
        raise InvalidInput(
            f"{symbol.said()}: {row['source']} says {row['exercise']} and cash", where="exercise", code="contradiction"
        )
    terms = _table_terms(symbol, row, stated)
    return Option(row["underlying"], right, strike, exercise=row["exercise"], deliverable="cash", **terms)


def _stated_option(symbol: Symbol, stated: Mapping[str, Any], table: str) -> Contract:
    """An option whose terms are all stated."""
    needed = ("multiplier", "currency", "expiry", "exercise", "underlying")
    missing = [name for name in needed if name not in stated]
    if missing:
        raise MissingData(
            f"{symbol.said()} ({symbol.dialect}) is in no table of {table}: state {'=, '.join(missing)}=",
            code="missing_product",
            where=missing[0],
            value=symbol.root,
        )
    _same_day(symbol, stated["expiry"])
    right, strike = _option_parts(symbol)
    return Option(right=right, strike=strike, **stated)


def _indian(symbol: Symbol, stated: Mapping[str, Any]) -> Contract:
    """Index and stock derivatives of NSE and BSE: European, in rupees, until the close of 15:30.

    NSE, "Equity Derivatives, Contract Specifications": CE and PE are European calls and puts, and contracts expire at
    the normal closing time. Lots change by circular: `multiplier` is stated.
    """
    if symbol.exchange is not None and stated.get("exchange", symbol.exchange) != symbol.exchange:
        raise InvalidInput(
            f"{symbol.said()}: exchange {stated['exchange']!r} is stated, and it says {symbol.exchange!r}",
            where="exchange",
            value=stated["exchange"],
            code="contradiction",
        )
    if stated.get("exchange", symbol.exchange) not in _INDIAN_MARKETS:
        raise MissingData(
            f"{symbol.said()} ({symbol.dialect}): state exchange='NFO' (NSE) or 'BFO' (BSE), whose stock and index "
            "derivatives are known; make those of commodities and currencies with mc.Option or mc.Future",
            code="not_stated",
            where="exchange",
        )
    _none_stated(symbol, stated, "the exchange says it", "multiplier", "expiry", "exchange")
    if "multiplier" not in stated:
        raise MissingData(
            f"{symbol.said()}: lots change by circular: state multiplier=, the lot on its date",
            code="not_stated",
            where="multiplier",
        )
    when = stated.get("expiry", symbol.expiry)
    if when is not None:
        _same_day(symbol, when)
    else:
        raise MissingData(
            f"{symbol.said()} says a month and no day: state expiry=, the day that the exchange lists",
            code="not_stated",
            where="expiry",
        )
    terms: dict[str, Any] = {"multiplier": stated["multiplier"], "currency": "INR"}
    terms |= {"expiry": when} if isinstance(when, dt.datetime) else {"expiry": when, "settles": "pm", "exchange": "nse"}
    if symbol.right is None:
        return Future(symbol.root, **terms)
    right, strike = _option_parts(symbol)
    return Option(symbol.root, right, strike, exercise="european", **terms)


def _option_parts(symbol: Symbol) -> tuple[Right, float]:
    assert symbol.right is not None, symbol
    assert symbol.strike is not None, symbol
    return symbol.right, symbol.strike
