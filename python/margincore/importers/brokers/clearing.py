"""Positions as clearing houses and their members exchange them: CME, Eurex, OCC, Strata, Cumulus9.

- CME CORE, Portfolio Margining: transactions as CSV (``Bus_Date, ..., Product_Code, ..., CVF, Period, ..., Buy_Sell,
  Qty, ..., Put_Call, Strike``); buys and sells of one contract are its long and its short side. CVF is the multiplier.
  https://www.cmegroup.com/clearing/risk-management/files/cme-core-api.pdf
- Eurex Clearing, Prisma margin estimator: the short form ``Product ID, Contract Date (or Maturity), Call Put Flag,
  Exercise Price, Version Number, Net LS Balance`` (https://deutsche-boerse-risk.github.io/CloudPrismaMarginEstimator/)
  and the long one with ``Expiry Year, Expiry Month, Expiry Day, ..., Long Balance, Short Balance``. A version other
  than 0 is a contract adjusted for a corporate action, whose size no column says: refused.
- OpenGamma Strata ``PositionCsvLoader``: ``Strata Position Type`` (FUT, OPT), ``Exchange`` (ECAG, XCME ...), ``Contract
  Code``, ``Long Quantity``, ``Short Quantity``, ``Expiry`` (2026-12), ``Put Call``, ``Exercise Price``.
  https://strata.opengamma.io/apidocs/com/opengamma/strata/loader/csv/PositionCsvLoader.html
- Cumulus9 ``POST /portfolios``: ``exchange_code, contract_code, contract_type, contract_expiry, contract_strike,
  net_position`` (or ``long_qty``, ``short_qty``); 20261200 is a month. https://docs.cumulus9.com/
- OCC, position file of the Portfolio Margin Calculator: the fields of its help pages (``Account ID``, ``Symbol``,
  ``Exp Date``, ``C/P``, ``Strike``, ``Quantity``), CSV only; the fixed ASCII layout is not public.
"""

from __future__ import annotations

import re
from typing import Any

from margincore._core import Contract, InvalidInput, MissingData, Unsupported
from margincore.importers.brokers.table import Format, Row, date_of
from margincore.importers.brokers.terms import Held, Item, Passed, Terms, option_parts, right_of, sides
from margincore.symbols import standard

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_CME = frozenset({"CME", "CBOT", "CBT", "NYMEX", "NYM", "COMEX", "CMX", "XCME", "XCBT", "XNYM", "XCEC", "GLBX"})
_EUREX = frozenset({"EUREX", "EUX", "XEUR", "ECAG"})


def _month(text: str, what: str) -> tuple[int, int, int | None]:
    """Year, month and, where one is said, day: ``202612``, ``20261200``, ``2026-12``, ``20261218``, ``DEC-26``."""
    found = re.fullmatch(r"(\d{4})[-/]?(\d{2})(?:[-/]?(\d{2}))?", text)
    if found is not None and 1 <= int(found[2]) <= 12:
        return int(found[1]), int(found[2]), int(found[3] or 0) or None
    named = re.fullmatch(r"([A-Za-z]{3})-?(\d{2}|\d{4})", text)
    if named is not None and named[1].upper() in _MONTHS:
        year = int(named[2])
        return year + 2000 if year < 100 else year, _MONTHS.index(named[1].upper()) + 1, None
    if "/" in text:
        day = date_of(text, what)
        return day.year, day.month, day.day
    raise InvalidInput(
        f"{what} {text!r} is not a contract month such as 202612", where=what, value=text, code="bad_time"
    )


def _cme(terms: Terms, code: str, when: tuple[int, int, int | None], row: Row, **said: Any) -> Contract:
    year, month, _ = when
    text = f"{code} {year}{month:02}"
    if row.has("right"):
        letter = "C" if right_of(row.text("right")) == "call" else "P"
        text += f" {letter} {row.count('strike'):.10g}"
    return terms.symbol(text, "clearing", **said)


def _eurex(terms: Terms, code: str, when: tuple[int, int, int | None], row: Row) -> Contract:
    version = row.number("version") or 0.0
    if version:
        raise Unsupported(
            f"{code}: version {version:g} is a contract adjusted for a corporate action, whose size no column says"
        )
    year, month, day = when
    option = row.has("right")
    name = f"{code} {_MONTHS[month - 1]}{year % 100:02}"
    right = right_of(row.text("right")) if option else None
    strike = row.count("strike") if option else 0.0
    if option and standard.index_option_row(code) is None:
        if day is None:
            raise MissingData(f"{name}: no day of expiry", code="not_stated", where="expiry")
        style = {"AMERICAN": "american", "A": "american", "EUROPEAN": "european", "E": "european"}
        own = {"exercise": style[word]} if (word := row.text("exercise").upper()) in style else {}
        return terms.made_option(name, code, right=right, strike=strike, expiry=f"{year}-{month:02}-{day:02}", **own)
    if day is None:
        text = f"{name} {strike:.10g} {'C' if right == 'call' else 'P'}" if option else name
        return terms.symbol(text, "eurex")
    settled = "PS" if row.text("settlement").upper() in ("S", "P", "PHYSICAL") else "CS"
    text = f"{code} SI {year}{month:02}{day:02} {settled}"
    if option:
        text += f" EU {'C' if right == 'call' else 'P'} {strike:.2f} 0"
    return terms.symbol(text, "eurex_t7")


def _two_sides(row: Row) -> tuple[float, float]:
    if row.has("long") or row.has("short"):
        long, short = row.number("long") or 0.0, row.number("short") or 0.0
        if long < 0.0 or short < 0.0:
            raise InvalidInput("a balance below zero on one side", where="short", code="out_of_range")
        return long, short
    return sides(row)


def _held(row: Row, contract: Contract) -> Item:
    long, short = _two_sides(row)
    if not long and not short:
        return Passed("rows without a balance")
    return Held(contract, long, short, row.price("mark"))


def _cme_core(row: Row, terms: Terms) -> Item:
    kind = row.needed("kind").upper()
    if kind not in ("FUT", "OOF", "OPT", "OOP"):
        raise Unsupported(f"product type {kind!r}: futures (FUT) and options on them (OOF) are read")
    if kind == "FUT" and (row.has("right") or row.number("strike")):
        raise InvalidInput("a future with Put_Call or Strike", where="kind", value=kind, code="contradiction")
    if kind != "FUT" and not row.has("right"):
        raise MissingData("an option without Put_Call", where="right", code="not_stated")
    expiry = row.date("expiry") if kind != "FUT" else None
    contract = _cme(
        terms, row.needed("symbol"), _month(row.needed("month"), "Period"), row,
        multiplier=row.number("multiplier"), currency=row.text("currency") or None, expiry=expiry,
    )  # fmt: skip
    return _held(row, contract)


CME_CORE = Format(
    "cme-core",
    "CME CORE transactions (CSV)",
    "https://www.cmegroup.com/clearing/risk-management/files/cme-core-api.pdf",
    needed=("kind", "symbol", "month", "side", "quantity"),
    columns={
        "kind": ("Product_Type",), "symbol": ("Product_Code",), "month": ("Period",), "side": ("Buy_Sell",),
        "quantity": ("Qty",), "mark": ("Setl_Price",), "currency": ("Setl_Cur",), "multiplier": ("CVF",),
        "right": ("Put_Call",), "strike": ("Strike", "Strike_Price"), "expiry": ("Expiration_Date",),
        "account": ("Cust_Acct", "PA"), "as_of": ("Bus_Date",), "exchange": ("Exch",),
    },
    month_first=True, read=_cme_core, units="contracts bought and sold",
)  # fmt: skip


def _eurex_long(row: Row, terms: Terms) -> Item:
    if row.has("date"):
        when = _month(row.text("date"), "Contract Date")
    else:
        year, month = int(row.count("year")), int(row.count("month"))
        when = (year, month, int(row.number("day") or 0) or None)
    return _held(row, _eurex(terms, row.needed("symbol"), when, row))


EUREX = Format(
    "eurex-etd",
    "Eurex ETD positions, long form (CSV)",
    "https://deutsche-boerse-risk.github.io/CloudPrismaMarginEstimator/",
    needed=("symbol", "long", "short"),
    columns={
        "symbol": ("Product ID",), "year": ("Expiry Year",), "month": ("Expiry Month",), "day": ("Expiry Day",),
        "date": ("Contract Date", "Maturity"), "version": ("Version Number",),
        "settlement": ("Product Settlement Type",),
        "right": ("Call Put Flag",), "strike": ("Exercise Price",),
        "exercise": ("Exercise Style Flag", "Exercise Style"),
        "long": ("Long Balance",), "short": ("Short Balance",), "kind": ("Instrument Type",), "account": ("Account",),
    },
    either=(("year", "date"),),
    read=_eurex_long, currency="EUR",
)  # fmt: skip

EUREX_SHORT = Format(
    "eurex-etd-short",
    "Eurex ETD positions, short form (CSV)",
    "https://deutsche-boerse-risk.github.io/CloudPrismaMarginEstimator/",
    needed=("symbol", "date", "quantity"),
    columns={
        "symbol": ("Product ID",), "date": ("Contract Date", "Maturity"), "right": ("Call Put Flag",),
        "strike": ("Exercise Price",), "version": ("Version Number",), "quantity": ("Net LS Balance",),
        "exercise": ("Exercise Style",), "account": ("Account",),
    },
    read=_eurex_long, currency="EUR",
)  # fmt: skip


def _exchange_traded(row: Row, terms: Terms) -> Item:
    exchange, code = row.needed("exchange").upper(), row.needed("symbol")
    when = _month(row.needed("month"), "expiry")
    if row.has("day") and when[2] is None:
        when = (when[0], when[1], int(row.count("day")))
    if exchange in _EUREX:
        return _held(row, _eurex(terms, code, when, row))
    if exchange in _CME:
        return _held(row, _cme(terms, code, when, row))
    raise MissingData(
        f"{code} at {exchange!r}: contracts of CME Group and Eurex are known here: make it with mc.Future or mc.Option",
        code="missing_product",
        value=exchange,
    )


def _strata(row: Row, terms: Terms) -> Item:
    kind = row.text("kind").upper()
    if kind not in ("", "FUT", "OPT"):
        raise Unsupported(f"position type {kind!r}: FUT and OPT are read")
    return _exchange_traded(row, terms)


STRATA = Format(
    "strata-etd",
    "OpenGamma Strata positions (CSV)",
    "https://strata.opengamma.io/apidocs/com/opengamma/strata/loader/csv/PositionCsvLoader.html",
    needed=("symbol", "month", "exchange"),
    columns={
        "kind": ("Strata Position Type",), "exchange": ("Exchange",), "symbol": ("Contract Code",),
        "quantity": ("Quantity",), "long": ("Long Quantity",), "short": ("Short Quantity",), "month": ("Expiry",),
        "day": ("Expiry Day",), "right": ("Put Call",), "strike": ("Exercise Price",), "version": ("Version",),
        "exercise": ("Exercise Style",), "account": ("Account", "Book"), "settlement": ("Settlement Type",),
    },
    either=(("quantity", "long", "short"),),
    read=_strata, currency="EUR",
)  # fmt: skip


def _cumulus9(row: Row, terms: Terms) -> Item:
    kind = row.needed("kind").upper()
    if kind in ("CALL", "PUT", "C", "P"):
        row.cells = {**row.cells, "right": kind}
        row.columns = {**row.columns, "right": "right"}
    elif kind not in ("FUT", "F", "FUTURE"):
        raise Unsupported(f"contract type {kind!r}: FUT, CALL and PUT are read")
    return _exchange_traded(row, terms)


CUMULUS9 = Format(
    "cumulus9",
    "Cumulus9 portfolio (CSV or JSON)",
    "https://docs.cumulus9.com/",
    needed=("exchange", "symbol", "kind", "month"),
    columns={
        "account": ("account_code",), "exchange": ("exchange_code",), "symbol": ("contract_code",),
        "kind": ("contract_type",), "month": ("contract_expiry",), "strike": ("contract_strike",),
        "quantity": ("net_position",), "long": ("long_qty",), "short": ("short_qty",),
    },
    either=(("quantity", "long", "short"),),
    read=_cumulus9, list_of=("portfolio",),
)  # fmt: skip


def _occ(row: Row, terms: Terms) -> Item:
    symbol = row.needed("symbol")
    parts = option_parts(row)
    if parts is None:
        long, short = sides(row)
        return Held(terms.share(symbol, None), long, short)
    return _held(row, terms.listed(symbol, *parts))


OCC = Format(
    "occ",
    "OCC position file (CSV)",
    "https://www.theocc.com/ (Portfolio Margin Calculator, help pages)",
    needed=("symbol", "expiry", "right", "strike", "quantity", "underlying"),
    columns={
        "account": ("Account ID", "Account"), "symbol": ("Symbol",), "underlying": ("Underlying",),
        "expiry": ("Exp Date", "Ser/Ctr Date"), "right": ("C/P",), "strike": ("Strike", "Strike Price"),
        "quantity": ("Quantity",),
    },
    month_first=True, read=_occ,
)  # fmt: skip
