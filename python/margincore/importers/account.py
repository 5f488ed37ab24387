"""An account from a CSV file: option symbols and quantities suffice.

Columns, in any order; the first row names them:

==========  ===========================================================================================
symbol      an option symbol in any spelling (``SPXW  261218C04700000``, ``SPXW261218C04700000``,
            ``.SPXW261218C4700``, ``SPXW 12/18/2026 4700.00 C`` ...: :mod:`margincore.symbols` has the
            list), a stock or fund ticker, or a currency on a row of cash
quantity    contracts or shares, a signed whole number (negative is short), shares with decimals where the reader
            is told their `lot`; an amount on a row of cash
kind        ``option``, ``stock``, ``etf`` or ``cash``; may be left out for option symbols and for what the
            table of securities or the product table knows
price       the mark per unit, optional: it goes into the market
vol         the implied volatility as an annual fraction (0.18 is 18 %), optional: it goes into the market
==========  ===========================================================================================

Quantities of one contract on several rows are netted. A root that no product table knows is refused.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from margincore._core import (
    Account,
    Contract,
    InvalidInput,
    MarginError,
    MissingData,
    OsiSymbol,
    Products,
    Securities,
)
from margincore._pickles import Record
from margincore.importers.text import at_line, records
from margincore.numerals import decimal, whole
from margincore.portfolio import Etf, Position, Stock
from margincore.symbols.contracts import listed_option

COLUMNS = ("symbol", "quantity", "kind", "price", "vol")
KINDS = ("option", "stock", "etf", "cash")
_HELD_AS = {"stock": "stock", "adr": "stock", "etf": "etf", "etn": "etf", "index": "index"}
"""The kind of contract by the kind of security; a future's symbol is no ticker."""


@dataclass(frozen=True)
class AccountFile(Record):
    """What the file holds: the account, and the marks and vols beside its positions by contract id."""

    account: Account
    price: dict[str, float]
    vol: dict[str, float]


def read_account(
    path: str | os.PathLike[str],
    *,
    products: Products | None = None,
    equities: Iterable[str] = (),
    currency: str = "USD",
    securities: Securities | None = None,
    lot: float = 1.0,
) -> AccountFile:
    """Reads an account; see the module for the columns.

    ``products`` is the table that option roots are looked up in (default: the shipped one), ``equities``
    names the stocks whose options are standard (American, 100 shares). ``currency`` is that of the stocks and
    funds, ``securities`` the table that says which they are (default: the shipped one). ``lot`` is the least
    quantity of a share that the broker keeps, for all stocks and funds of the file: 0.001 where it keeps three
    decimals. Option contracts are whole always. Raises
    :class:`margincore.ParseError`, :class:`margincore.InvalidInput` or :class:`margincore.MissingData`, each
    with file and line.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "account.csv"
    >>> _ = path.write_text("symbol,quantity\\nSPXW261218P04500000,-2\\nSPY,100\\n")
    >>> read_account(path).account.positions
    (Position("SPXW261218P04500000", -2), Position("SPY", 100))
    """
    path = Path(path)
    table = (products or Products()).with_equities(list(equities))
    kinds = {row["underlying"]: row["kind"] for row in table.rows()}
    known = securities or Securities()
    positions: list[Position] = []
    cash: dict[str, float] = {}
    price: dict[str, float] = {}
    vol: dict[str, float] = {}
    for line, row in records(path, ("symbol", "quantity"), known=COLUMNS):
        try:
            if row.get("kind") == "cash":
                _cash(row, cash)
                continue
            contract = _contract(row["symbol"], row.get("kind", ""), table, kinds, known, currency, lot)
            positions.append(Position(contract, _quantity(row["quantity"], contract)))
            for name, quotes in (("price", price), ("vol", vol)):
                if row.get(name, ""):
                    _quote(contract, name, decimal(row[name], name), quotes)
        except MarginError as error:
            raise at_line(path, line, error) from None
    if not positions and not cash:
        raise MissingData(
            f"{path}: no row after the column names: an account holds something", code="missing_parameter"
        )
    return AccountFile(Account(positions, cash=cash or None), price, vol)


def _contract(
    symbol: str, kind: str, table: Products, kinds: dict[str, str], securities: Securities, currency: str, lot: float
) -> Contract:
    if kind and kind not in KINDS:
        raise InvalidInput(f"kind {kind!r} is not one of {', '.join(KINDS)}")
    if not symbol:
        raise InvalidInput("the symbol is empty", code="bad_text")
    if kind == "option" or (not kind and _looks_like_option(symbol)):
        return listed_option(symbol, table)
    if not kind:
        kind = _HELD_AS.get(securities.kind(symbol) or "") or kinds.get(symbol, "")
        if kind == "index":
            raise InvalidInput(
                f"{symbol!r} is an index: it cannot be held, only options and futures on it", code="bad_text"
            )
        if kind not in ("stock", "etf"):
            raise MissingData(
                f"{symbol!r} is neither an option symbol nor known to the table of securities or of products: "
                "say what it is in a column 'kind' (stock or etf)",
                code="missing_product",
            )
    OsiSymbol(f"{symbol}300101C00001000")  # a ticker has the characters and the length of an option's root
    return (Etf if kind == "etf" else Stock)(symbol, currency=currency, lot=lot)


def _quantity(text: str, contract: Contract) -> float:
    if contract.kind != "option" and contract.lot != 1.0:
        return decimal(text, "quantity")
    if contract.kind != "option" and "." in text:
        raise InvalidInput(
            f"quantity {text!r} of '{contract.id}' is not a whole number such as -5: where the broker keeps parts of "
            "shares, say which: lot=0.001 of the reader, --lot 0.001 on the command line",
            where="quantity",
            value=text,
            code="not_whole",
        )
    return whole(text, "quantity")


def _looks_like_option(symbol: str) -> bool:
    """A ticker has at most six characters; nothing that short is an option symbol."""
    return len(symbol) > 6 or symbol.startswith((".", "O:"))


def _cash(row: dict[str, str], cash: dict[str, float]) -> None:
    name = row["symbol"]
    if not (len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()):
        raise InvalidInput(f"cash in {name!r}: a currency code such as USD is needed")
    if row.get("price") or row.get("vol"):
        raise InvalidInput("cash has neither a price nor a vol", code="contradiction")
    cash[name] = cash.get(name, 0.0) + decimal(row["quantity"], "amount of cash")


def _quote(contract: Contract, name: str, value: float, quotes: dict[str, float]) -> None:
    known = quotes.setdefault(contract.id, value)
    if known != value:
        raise InvalidInput(f"{name} {value} of '{contract.id}' differs from {known} on an earlier row")
