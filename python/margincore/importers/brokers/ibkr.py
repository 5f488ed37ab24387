"""Interactive Brokers: the open positions of a Flex query, and of an activity statement.

- Flex (https://www.ibkrguides.com/reportingreference/reportguide/open%20positionsfq.htm; IBridgePy, ibflex and
  tfiala/ibkr-flex-statement-rs list the columns): one row names the columns, and again where a section begins; rows of
  ``BOF``, ``BOA``, ``EOF`` are headers and trailers; ``HEADER``/``DATA`` and a section's code may stand in front.
  ``LevelOfDetail`` is SUMMARY or LOT: lots beside their summary are not counted again. ``MarkPrice`` is per unit.
- Activity statement (public readers, such as https://github.com/slmyers/portfolio_tracker, docs/ibkr_csv_module.md):
  every row begins with its section and ``Header``, ``Data``, ``Total`` or ``SubTotal``. Positions are in ``Open
  Positions``, money in ``Cash Report`` (``Ending Cash`` by currency), what is an ETF in ``Financial Instrument
  Information``.

An option whose ``UnderlyingSecurityID`` is an ISIN is on a share or a fund (an index has none), so a standard one where
its root is the underlying's ticker and its multiplier 100.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from margincore._core import Contract, InvalidInput, MissingData, OsiSymbol, Unsupported
from margincore.importers.brokers.table import Format, Row
from margincore.importers.brokers.terms import (
    Held,
    Item,
    Money,
    Passed,
    Terms,
    agrees_with_columns,
    kind_of,
    option_parts,
    sides,
)

_LOTS = ("lot", "lots")
_CLOSED = ("closed_lot", "closedlot", "closed lot")
"""Levels of detail beside SUMMARY."""
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d", re.ASCII)


def _position(row: Row, terms: Terms) -> Item:
    word, symbol = row.needed("kind"), row.needed("symbol")
    if row.text("level").casefold() not in ("", "summary", *_LOTS):
        raise Unsupported(f"{symbol!r}: a row of level of detail {row.text('level')} is no open position")
    kind, currency = kind_of(word), row.text("currency") or "USD"
    mark = row.price("mark")
    if kind == "cash":
        if len(symbol) != 3:
            raise Unsupported(
                f"{symbol!r} is a pair of currencies: cash is stated by currency, pairs are not held here"
            )
        return Money(symbol, row.count())
    if kind in ("stock", "etf"):
        own = kind_of(row.text("subkind")) or terms.declared.get(terms.ticker(symbol)) or kind
        contract = terms.share(symbol, own if own in ("stock", "etf") else kind, currency)
        if row.number("multiplier") not in (None, 0.0, 1.0):
            raise InvalidInput(
                f"{symbol}: a multiplier of {row.text('multiplier')} of a share",
                where="multiplier",
                code="contradiction",
            )
        return _held(row, contract, spot=mark)
    if kind == "option":
        return _held(row, _option(row, terms, symbol, currency), mark)
    if kind in ("future", "future_option"):
        contract = terms.symbol(
            symbol, "ibkr", multiplier=row.number("multiplier"), currency=currency, expiry=row.date("expiry"),
            on=row.date("as_of"),
        )  # fmt: skip
        agrees_with_columns(row, contract)
        return _held(row, contract, mark)
    if kind == "coin":
        contract = terms.coin(symbol, currency)
        return _held(row, contract, spot=mark)
    raise Unsupported(f"{symbol!r} is of asset class {word!r}: nothing here margins that")


def _held(row: Row, contract: Contract, mark: float | None = None, spot: float | None = None) -> Held:
    long, short = sides(row)
    return Held(contract, long, short, mark, spot=None if spot is None else (contract.underlying, spot))


def _option(row: Row, terms: Terms, symbol: str, currency: str) -> Contract:
    multiplier = row.number("multiplier")
    underlying = row.text("underlying")
    try:
        said = OsiSymbol(symbol)
    except InvalidInput:
        parts = option_parts(row) if underlying and currency == "USD" and row.has("expiry") else None
        if parts is not None:
            return terms.listed(terms.ticker(underlying), *parts, multiplier=multiplier, currency=currency)
        contract = terms.symbol(symbol, "ibkr_eurex", multiplier=multiplier, currency=currency, on=row.date("as_of"))
        agrees_with_columns(row, contract)
        return contract
    agrees_with_columns(row, said)
    return terms.osi(symbol, multiplier=multiplier, currency=currency)


def _standard(row: Row, terms: Terms) -> str | None:
    """The root of an option on a share or a fund, which has the number of a security; its own ticker, and no other."""
    if kind_of(row.text("kind")) != "option" or _ISIN.fullmatch(row.text("underlying_id")) is None:
        return None
    try:
        root = OsiSymbol(row.text("symbol")).root
    except InvalidInput:
        return None
    return root if root == terms.ticker(row.text("underlying")) and row.number("multiplier") in (None, 100.0) else None


def _share(row: Row) -> tuple[str, str] | None:
    kind = kind_of(row.text("kind"))
    if kind not in ("stock", "etf"):
        return None
    sub = kind_of(row.text("subkind"))
    return row.text("symbol"), sub if sub in ("stock", "etf") else kind


def _summaries(rows: Sequence[Row]) -> tuple[list[Row], list[str]]:
    """Rows without the lots whose sum is a row too. Lots without one are counted."""

    def key(row: Row) -> tuple[str, ...]:
        return tuple(row.text(name) for name in ("account", "kind", "symbol", "conid", "currency"))

    def level(row: Row) -> str:
        return row.text("level").casefold()

    open_rows = [row for row in rows if level(row) not in _CLOSED]
    summed = {key(row) for row in open_rows if level(row) not in _LOTS}
    kept = [row for row in open_rows if not (level(row) in _LOTS and key(row) in summed)]
    closed, gone = len(rows) - len(open_rows), len(open_rows) - len(kept)
    notes = [f"{gone} rows of lots beside their sum"] if gone else []
    return kept, [*notes, *([f"{closed} rows of closed lots"] if closed else [])]


_COLUMNS = {
    "symbol": ("Symbol",), "quantity": ("Quantity", "Position"), "kind": ("AssetClass", "Asset Category", "AssetType"),
    "subkind": ("SubCategory",), "currency": ("CurrencyPrimary", "Currency"),
    "mark": ("MarkPrice", "Close Price", "MarketPrice"),
    "account": ("ClientAccountID", "AccountId", "Account"), "multiplier": ("Multiplier", "Mult"), "strike": ("Strike",),
    "expiry": ("Expiry", "Expiration"), "right": ("Put/Call", "Right"), "underlying": ("UnderlyingSymbol",),
    "underlying_id": ("UnderlyingSecurityID",), "conid": ("Conid",), "side": ("Side",), "as_of": ("ReportDate",),
    "level": ("LevelOfDetail", "DataDiscriminator"), "fx": ("FXRateToBase",),
    "value": ("PositionValue", "Value", "MarketValue"),
}  # fmt: skip

FLEX = Format(
    "ibkr-flex",
    "Interactive Brokers, Flex query of open positions (CSV)",
    "https://www.ibkrguides.com/reportingreference/reportguide/open%20positionsfq.htm",
    needed=("symbol", "quantity", "kind", "currency"),
    columns={name: cells for name, cells in _COLUMNS.items()},
    either=(("mark", "value", "level", "side", "conid", "account", "multiplier", "underlying", "as_of", "fx"),),
    read=_position, declares=_share, standard=_standard, rows=_summaries, totals=("total",),
    cash="rows of asset class CASH; section CRTT",
)  # fmt: skip


BASE = ("BASE_SUMMARY", "BASE CURRENCY SUMMARY")
"""What stands for a currency where a cash report is summed in the base currency."""


def is_ending(row: Row) -> bool:
    """Whether a row of a cash report is the cash at its end."""
    return row.form is CASH and row.text("cash_line").casefold() in ("", "ending cash")


def _cash_report(row: Row, terms: Terms) -> Item:
    what = row.text("cash_line").casefold()
    if what and what != "ending cash":
        return Passed(f"cash report: {row.text('cash_line')}")
    currency = row.needed("currency").upper()
    if currency in BASE:
        return Passed("cash report: sum in the base currency")
    if len(currency) != 3:
        raise InvalidInput(f"cash in {currency!r}: a currency code such as USD is needed", where="currency")
    amount = row.number("ending")
    if amount is None:
        raise MissingData("ending cash is empty", where="ending", code="not_stated")
    return Money(currency, amount)


CASH = Format(
    "ibkr-cash",
    "Interactive Brokers, cash report (a section)",
    FLEX.source,
    needed=("currency", "ending"),
    columns={
        "account": ("ClientAccountID", "AccountId"), "currency": ("CurrencyPrimary", "Currency"),
        "ending": ("EndingCash", "Total"), "cash_line": ("Currency Summary",),
    },
    read=_cash_report,
)  # fmt: skip

ACTIVITY = Format(
    "ibkr-activity",
    "Interactive Brokers, activity statement (CSV)",
    "https://github.com/slmyers/portfolio_tracker, docs/ibkr_csv_module.md",
    needed=("symbol", "quantity", "kind", "currency"),
    columns={name: cells for name, cells in _COLUMNS.items()},
    read=_position, declares=_share, standard=_standard, rows=_summaries,
    cash="Ending Cash of the cash report, by currency",
)  # fmt: skip
