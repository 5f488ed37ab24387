"""A symbol or contract in the words of a dialect; every spelling is read again before it is given out."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, get_args

from margincore._core import Contract, InvalidInput, MarginError, MissingData, Products, Securities
from margincore.crypto import names
from margincore.symbols import eurex, india, standard, us
from margincore.symbols.expiries import expiry_date
from margincore.symbols.parts import CODES, bad
from margincore.symbols.reading import dialects, forms_of, parse
from margincore.symbols.symbol import Right, Symbol

__all__ = ["native_root", "spell", "symbol_of"]

_VOCABULARIES = {"bloomberg": "bloomberg", "clearing": "clearing"}
"""Dialects whose roots of futures are not the exchange's own."""
_INDIA = frozenset(form.dialect for form in india.FORMS)
_EUREX = frozenset(form.dialect for form in eurex.FORMS)
_UNITED_STATES = frozenset(form.dialect for form in us.FORMS) - {"ticker"}


def spell(symbol: Symbol | Contract, dialect: str) -> str:
    """A symbol or contract in the spelling of a dialect; what it prints, :func:`parse` reads as the same.

    Roots of futures are turned into the dialect's own by the table of standard futures. Raises
    :class:`margincore.InvalidInput` for a dialect that has no form for it, or whose forms cannot say all of it.

    >>> spell(parse("AAPL  261218C00290000"), "etrade")
    "AAPL Dec 18 '26 $290 Call"
    >>> spell(parse("ZNH27"), "bloomberg"), spell(parse("ZNH27"), "clearing"), spell(parse("ESZ26"), "dxfeed")
    ('TYH7 Comdty', '21 202703', '/ESZ26:XCME')
    """
    forms = forms_of(dialect)
    said = symbol_of(symbol) if isinstance(symbol, Contract) else symbol
    if not isinstance(said, Symbol):
        raise InvalidInput(
            f"a symbol or contract is needed, not {type(said).__name__}",
            where="symbol",
            value=symbol,
            code="wrong_type",
        )
    if _market(said, said.dialect) != _market(said, dialect) and said.dialect != "ticker":
        raise InvalidInput(
            f"{said.said()} is {said.dialect}'s, and {dialect} spells what is listed elsewhere",
            where="dialect",
            value=dialect,
        )
    fitting = [form for form in forms if form.kind == said.kind]
    if not fitting:
        kinds = ", ".join(sorted({form.kind.replace("_", " ") for form in forms}))
        raise InvalidInput(f"{dialect} spells {kinds}: not {said.said()}", where="dialect", value=dialect)
    refusal: MarginError | None = None
    for form in fitting:
        try:
            own = _in_words_of(said, dialect)
            text = form.write(own)
            match = form.pattern.fullmatch(text)
            if match is None or not _holds(own, form.read(match, _first_day(own))):
                raise bad(f"{text!r} would say something else")
            return text
        except MarginError as error:
            refusal = refusal or error
    raise InvalidInput(f"no spelling of {dialect} says {said.said()}: {refusal}", where="dialect", value=dialect)


def _market(symbol: Symbol, dialect: str) -> str:
    """Where what a dialect names is listed: roots of one market mean nothing in another."""
    if dialect in _INDIA:
        return "India"
    return "Eurex" if dialect in _EUREX and symbol.kind == "option" else ""


def _first_day(symbol: Symbol) -> dt.date | None:
    day = symbol.last_day
    return None if day is None else day.replace(day=1)


def _holds(symbol: Symbol, again: Symbol) -> bool:
    """Whether what is read again says the same; exchange and market sector may be left out or come with the dialect."""
    if symbol.exchange is not None and again.exchange not in (None, symbol.exchange):
        return False
    loose: dict[str, Any] = {"dialect": "", "exchange": None, "market_sector": None}
    return replace(symbol, **loose) == replace(again, **loose)


def native_root(symbol: Symbol) -> str | None:
    """The exchange's own root of a symbol; `None` where the dialect has words of its own and the table not this one.

    >>> native_root(parse("TYH7 Comdty", on="2026-11-27")), native_root(parse("ZNH27"))
    ('ZN', 'ZN')
    """
    vocabulary = _VOCABULARIES.get(symbol.dialect)
    if vocabulary is None:
        return symbol.root
    row = standard.future_row(symbol.root, vocabulary, symbol.market_sector)
    return None if row is None else str(row["root"])


def _in_words_of(symbol: Symbol, dialect: str) -> Symbol:
    """The symbol with a dialect's own root, and with the country and market sector that Bloomberg says."""
    vocabulary, source = _VOCABULARIES.get(dialect, "root"), _VOCABULARIES.get(symbol.dialect, "root")
    cleared_as_listed = symbol.kind == "future_option" and standard.option_row(symbol.root) is not None
    if cleared_as_listed and "bloomberg" not in (vocabulary, source):
        return symbol
    if symbol.kind in ("future", "future_option") and vocabulary != source:
        root = native_root(symbol)
        row = None if root is None else standard.future_row(root)
        if row is None or vocabulary not in row:
            raise bad(f"no source here has the root that {dialect} gives {symbol.root!r}", symbol.root)
        if symbol.kind == "future_option" and not row["root"] == row[vocabulary] == symbol.root:
            raise bad(f"no source here has the root that {dialect} gives options {symbol.root!r}", symbol.root)
        return replace(symbol, root=row[vocabulary], market_sector=row.get("market_sector"))
    if dialect == "bloomberg" and symbol.kind in ("option", "stock", "index") and symbol.market_sector is None:
        kind = Securities().kind(symbol.root)
        on_index = {row["root"] for row in Products().rows() if row["kind"] == "index"}
        index = symbol.kind == "index" or symbol.root in on_index or kind == "index"
        american = symbol.dialect in _UNITED_STATES or kind is not None
        country = symbol.exchange or ("US" if american and symbol.kind != "index" else None)
        if country is None and symbol.kind != "index":
            raise bad(f"Bloomberg says the country of the listing, which {symbol.dialect} does not", code="not_stated")
        return replace(symbol, market_sector="Index" if index else "Equity", exchange=country)
    return symbol


def symbol_of(contract: Contract) -> Symbol:
    """What a contract's terms and names say, as a symbol.

    Its aliases come first, then a venue's name, then the terms by the tables. Raises :class:`margincore.MissingData`
    where these do not say which root it has.
    """
    expires = None if contract.expiry is None else dt.date.fromisoformat(contract.expiry[:10])
    known = dialects()
    if contract.venue in get_args(names.Venue):
        return parse(contract.id, dialect=contract.venue)
    for vendor, text in contract.aliases.items():
        if vendor in known:
            return parse(text, dialect=vendor, on=None if expires is None else expires.replace(day=1))
    if contract.kind in ("stock", "etf"):
        return Symbol("stock", contract.underlying, "ticker")
    if contract.kind == "index":
        return Symbol("index", contract.underlying, "ticker")
    if contract.kind == "future" and expires is not None:
        return _future(contract, expires)
    if contract.kind == "option" and expires is not None:
        return _option(contract, expires)
    raise _unknown(contract)


def _unknown(contract: Contract) -> MissingData:
    return MissingData(
        f"contract '{contract.id}': its terms do not say which symbol it has: give it an alias by the name of a "
        "dialect, as aliases={'osi': ...}",
        code="not_stated",
        where=contract.id,
    )


def _future(contract: Contract, expires: dt.date) -> Symbol:
    """The standard future on this underlying that expires on this day."""
    for row in standard.rows():
        if row["underlying"] != contract.underlying or row["multiplier"] != contract.multiplier:
            continue
        days = standard.business_days(row["exchange"])
        for ahead in (0, 1):
            at = expires.year * 12 + expires.month - 1 + ahead
            year, month = at // 12, at % 12 + 1
            if CODES[month - 1] in row["months"] and expiry_date(row["expiry"], year, month, days) == expires:
                return Symbol("future", row["root"], "globex", year=year, month=month)
    raise _unknown(contract)


def _option(contract: Contract, expires: dt.date) -> Symbol:
    """An option by the one root of the product table that has its terms, or by its stock where it is a standard one."""
    terms = (contract.underlying, contract.exercise, contract.settles, contract.multiplier, contract.currency)
    roots = {
        row["root"]
        for row in Products().rows()
        if (row["underlying"], row["exercise"], row["settles"], row["multiplier"], row["currency"]) == terms
        and (row["from"] is None or row["from"] <= expires.isoformat())
        and (row["to"] is None or expires.isoformat() <= row["to"])
    }
    standard_equity = terms[1:] == ("american", "pm", 100.0, "USD") and not contract.adjusted
    if not roots and standard_equity and Securities().kind(contract.underlying) != "index":
        roots = {contract.underlying}
    if len(roots) != 1 or contract.right is None:
        raise _unknown(contract)
    right: Right = "call" if contract.right == "call" else "put"
    return Symbol("option", roots.pop(), "osi", expires, right=right, strike=contract.strike)
