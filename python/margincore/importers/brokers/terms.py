"""From what a row says to a contract: the tables, what the file itself declares, and what the caller states."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, Literal

from margincore import symbols
from margincore._core import Contract, InvalidInput, MissingData, OsiSymbol, Products, Securities, Unsupported
from margincore.importers.brokers.table import Row, plain
from margincore.portfolio import Etf, Option, Spot, Stock

KINDS = {
    "stock": "stock", "stk": "stock", "stocks": "stock", "equity": "stock", "equities": "stock", "common": "stock",
    "commonstock": "stock", "adr": "stock", "reit": "stock", "eq": "stock",
    "etf": "etf", "etfs": "etf", "etfsclosedendfunds": "etf", "exchangetradedfund": "etf", "etn": "etf",
    "option": "option", "options": "option", "opt": "option", "equityoption": "option",
    "equityandindexoptions": "option", "optn": "option",
    "future": "future", "futures": "future", "fut": "future", "f": "future",
    "futureoption": "future_option", "futureoptions": "future_option", "fop": "future_option",
    "optionsonfutures": "future_option", "oof": "future_option", "futuresoptions": "future_option",
    "cash": "cash", "cashandmoneymarket": "cash", "forex": "cash", "money": "cash", "sweep": "cash",
    "crypto": "coin", "cryptocurrency": "coin", "cryptocurrencies": "coin", "coin": "coin",
}  # fmt: skip
"""The kind of what is held by the word of a type column, compared as column names are."""

_ELSEWHERE = frozenset({"eurex_t7", "eurex", "ibkr_eurex", "kite", "openalgo", "shoonya", "dhan", "upstox"})
"""Dialects whose options are not those of United States exchanges."""

_MARKED = re.compile(r"([A-Z]{1,4})[ ./]([A-Z])")
_CLASSES = "AB"
"""Letters behind a mark that are a share class (http://www.cbsx.com/transservices/symbology.aspx); other letters are a
class where a table says so, and elsewhere may be an exchange, as vendors write it."""
_TICKER = re.compile(r"[A-Z][A-Z0-9]{0,5}", re.ASCII)
_ABROAD = re.compile(r"[A-Z0-9][A-Z0-9.\-]{0,11}", re.ASCII)
_CUSIP = re.compile(r"(?=.*\d)[0-9A-Z]{8}\d", re.ASCII)
_ISIN = re.compile(r"[A-Z]{2}[A-Z0-9]{9}\d", re.ASCII)
_MONEY_FUND = re.compile(r"[A-Z]{3}XX", re.ASCII)


def mended(message: str, mend: str, code: str = "missing_product", value: object = None) -> MissingData:
    """A refusal that says how it is mended."""
    error = MissingData(message, code=code, value=value)
    error.mend = mend
    return error


@dataclass(frozen=True, slots=True)
class Held:
    """What a row says is held."""

    contract: Contract
    long: float
    short: float
    mark: float | None = None
    vol: float | None = None
    spot: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Money:
    """Cash, or a money-market fund that is taken as cash."""

    currency: str
    amount: float


@dataclass(frozen=True, slots=True)
class Passed:
    """A row that holds nothing: what it is."""

    what: str


Item = Held | Money | Passed


def is_option(symbol: str) -> bool:
    """Whether a symbol is that of a listed option, in any spelling."""
    try:
        OsiSymbol(symbol.strip())
    except InvalidInput:
        return False
    return True


def kind_of(word: str) -> str | None:
    """The kind that a word of a type column means."""
    return KINDS.get(plain(word))


class Terms:
    """What gives rows their contracts."""

    def __init__(
        self,
        products: Products | None,
        equities: Iterable[str],
        securities: Securities | None,
        lot: float | None,
        stated: Mapping[str, Mapping[str, Any]],
        money_funds: Iterable[str],
    ) -> None:
        self.products = (products or Products()).with_equities([name for name in equities])
        self.equities = {*equities}
        self.securities = securities or Securities()
        self.kinds = {row["underlying"]: row["kind"] for row in self.products.rows()}
        self.roots = {row["root"] for row in self.products.rows()}
        self.lot = lot
        self.stated = stated
        self.used: set[str] = set()
        self.money_funds = {*money_funds}
        self.declared: dict[str, str] = {}
        self.lots: dict[str, float] = {}
        self.written_on: dict[str, Contract] = {}
        self.months: dict[str, str] = {}
        self.on: dt.date | None = None

    def ticker(self, text: str) -> str:
        """A ticker as options are written on it: a share class without its mark, ``BRKB`` for ``BRK/B``.

        A letter behind a mark that nothing says is a class stays where it is; :meth:`share` refuses it.
        """
        found = _MARKED.fullmatch(text)
        if found is None:
            return text
        joined = found[1] + found[2]
        known = found[2] in _CLASSES or joined in self.equities or self.securities.kind(joined) is not None
        return joined if known else text

    def fresh(self) -> Terms:
        """The same before any row was read: what one account's rows declare is not another's."""
        new = copy(self)
        new.used, new.declared, new.lots, new.written_on, new.months = set(), {}, {}, {}, {}
        new.roots, new.on = {*self.roots}, None
        return new

    def standard(self, roots: Iterable[str]) -> None:
        """Roots whose options a file says are standard: of the shares it declares, and of rows that say so."""
        new = sorted({root for root in roots if re.fullmatch(r"[A-Z]{1,6}", root)} - self.roots)
        if new:
            self.products = self.products.with_equities(new)
            self.roots.update(new)

    def declare(self, symbol: str, kind: str) -> None:
        """A share that the file itself says it is."""
        self.declared.setdefault(self.ticker(symbol), kind)

    def decimals(self, symbol: str, digits: int) -> None:
        """The decimals that a quantity shows: the lot they imply is the least of a symbol's rows."""
        name = self.ticker(symbol)
        self.lots[name] = min(float(f"1e-{digits}"), self.lots.get(name, 1.0))

    # Options of United States exchanges ---------------------------------------------------------------------------

    def listed(
        self,
        root: str,
        expiry: dt.date,
        right: Literal["call", "put"],
        strike: float,
        *,
        multiplier: float | None = None,
        currency: str = "USD",
    ) -> Contract:
        """A listed option by its parts."""
        if not 0.0 < strike < 1e5 or abs(strike * 1000.0 - round(strike * 1000.0)) > 1e-6:
            raise InvalidInput(f"strike {strike} is no strike of a listed option", where="strike", value=strike)
        symbol = f"{root}{expiry:%y%m%d}{'C' if right == 'call' else 'P'}{round(strike * 1000.0):08d}"
        if root not in self.roots:
            if re.fullmatch(r"[A-Z]{1,6}", root) and multiplier in (None, 100.0):
                raise mended(
                    f"root {root!r} of {symbol} has no terms in the product table: equities=[{root!r}] says that its "
                    f"options "
                    "are standard (American, 100 shares)",
                    f"--equity {root}",
                    value=root,
                )
            raise MissingData(
                f"root {root!r} of {symbol} has no terms in the product table, and looks like an adjusted or "
                f"odd-sized "
                "root: state them, products=mc.Products().extended([...])",
                code="missing_product",
                value=root,
            )
        contract = self.products.contract(symbol)
        self._agrees(contract, "multiplier", contract.multiplier, multiplier)
        self._agrees(contract, "currency", contract.currency, currency)
        return contract

    def _agrees(self, contract: Contract, what: str, known: Any, said: Any) -> None:
        if said is not None and said != known:
            raise InvalidInput(
                f"{contract.id}: {what} is {said} in the file and {known} in the product table: state its terms, "
                "products=mc.Products().extended([...])",
                where=what,
                value=said,
                code="contradiction",
            )

    def osi(self, text: str, **said: Any) -> Contract:
        """A listed option by any spelling of its symbol."""
        found = OsiSymbol(text.strip())
        right: Any = found.right
        return self.listed(found.root, dt.date.fromisoformat(found.expiry), right, found.strike, **said)

    # Shares -----------------------------------------------------------------------------------------------------------

    def share(self, symbol: str, kind: str | None, currency: str = "USD") -> Contract:
        """A share or fund: by the tables, else by what the file says it is."""
        name = self.ticker(symbol)
        if _CUSIP.fullmatch(name) or _ISIN.fullmatch(name):
            raise Unsupported(
                f"{symbol!r} is the number of a security, not a ticker: bonds and mutual funds are not held"
            )
        marked = _MARKED.fullmatch(name)
        if marked is not None:
            root, letter = marked[1], marked[2]
            raise mended(
                f"{symbol!r} may be class {letter} of {root}, or {root} at an exchange that {letter} stands for: "
                f"equities=[{root + letter!r}] says that it is the class; what is listed elsewhere is held by the "
                "ticker it has there",
                f"--equity {root}{letter}",
                "not_stated",
                symbol,
            )
        known = {"adr": "stock", "etn": "etf"}.get(self.securities.kind(name) or "", self.securities.kind(name))
        found = known or self.kinds.get(name) or ("stock" if name in self.equities else None)
        if found in ("stock", "equity") or found is None:
            found = kind or self.declared.get(name) or (found and "stock")
        if found == "index":
            raise InvalidInput(f"{symbol!r} is an index: it cannot be held", code="bad_text", value=symbol)
        if not (_TICKER if currency == "USD" else _ABROAD).fullmatch(name):
            raise InvalidInput(f"{symbol!r} is not a ticker of at most six characters", code="bad_text", value=symbol)
        if found not in ("stock", "etf"):
            if _MONEY_FUND.fullmatch(name):
                raise mended(
                    f"{symbol!r} has the form of a money-market fund and no column says so: money_funds=[{symbol!r}] "
                    "takes it as cash",
                    f"--money-fund {symbol}",
                    value=symbol,
                )
            raise mended(
                f"{symbol!r}: nothing says whether it is a stock or a fund: equities=[{name!r}] says that it is "
                f"a stock "
                "whose options are standard; a fund is stated with securities=mc.Securities().extended([...])",
                f"--equity {name}",
                value=symbol,
            )
        lot = self.lot if self.lot is not None else self.lots.get(name, 1.0)
        return (Etf if found == "etf" else Stock)(name, currency=currency, lot=lot)

    def coin(self, symbol: str, currency: str = "USD") -> Contract:
        """A coin held outright, ``BTC`` or ``BTC/USD``."""
        name, _, quoted = symbol.replace("-", "/").partition("/")
        return Spot(name, currency=quoted or currency)

    # Everything else ---------------------------------------------------------------------------------------------

    def symbol(
        self,
        text: str,
        dialect: str | None = None,
        *,
        multiplier: float | None = None,
        currency: str | None = None,
        expiry: dt.date | None = None,
        exchange: str | None = None,
        on: dt.date | None = None,
    ) -> Contract:
        """A contract by its symbol in a dialect of :mod:`margincore.symbols`, with the terms stated for it, and what
        the row says held against them.
        """
        said = symbols.parse(text, dialect=dialect, on=on or self.on)
        if said.kind == "option" and said.exchange is None and dialect not in _ELSEWHERE and said.expiry is not None:
            assert said.right is not None
            assert said.strike is not None
            return self.listed(
                said.root, said.expiry, said.right, said.strike, multiplier=multiplier, currency=currency or "USD"
            )
        stated = self.terms_of(text, said)
        if exchange is not None:
            stated.setdefault("exchange", exchange)
        try:
            contract = symbols.contract(said, products=self.products, on=on or self.on, **stated)
        except MissingData as error:
            names = (
                error.where if error.where in ("multiplier", "expiry", "currency") else "multiplier, currency, expiry"
            )
            first = names.split(",")[0]
            raise mended(
                f"{error} (terms={{{said.root!r}: {{{first!r}: ...}}}})",
                f"--terms {said.root}:{first}=...",
                error.code,
                text,
            ) from None
        if not stated:
            self._agrees(contract, "multiplier", contract.multiplier, multiplier)
            self._agrees(contract, "currency", contract.currency, currency)
        day = dt.datetime.fromisoformat(contract.expires).date() if contract.expires else None
        if expiry is not None and day is not None and abs((day - expiry).days) > 1:
            self._agrees(contract, "expiry", day.isoformat(), expiry.isoformat())
        if said.kind == "future_option" and contract.underlying not in self.written_on:
            self.written_on[contract.underlying] = symbols.contract(contract.underlying, dialect="globex_long")
        return contract

    def terms_of(self, text: str, said: symbols.Symbol) -> dict[str, Any]:
        """The terms stated for a root, for a root and a contract month, or for the symbol itself, which go first."""
        month = f"{said.root} {said.year}-{said.month:02}" if said.month is not None else ""
        found: dict[str, Any] = {}
        for name in (said.root, month, text):
            if name in self.stated:
                self.used.add(name)
                found |= self.stated[name]
        if month and "expiry" in self.stated.get(said.root, {}) and self.months.setdefault(said.root, month) != month:
            own = {**self.stated.get(month, {}), **self.stated.get(text, {})}
            if "expiry" not in own:
                raise mended(
                    f"{text}: the expiry stated for {said.root!r} is that of {self.months[said.root]} already: state "
                    f"one for each month, terms={{{month!r}: {{'expiry': ...}}}}",
                    f'--terms "{month}:expiry=..."',
                    "not_stated",
                    text,
                )
        return found

    def made_option(self, text: str, root: str, **terms: Any) -> Contract:
        """An option whose terms the file has but for those that are stated for its root."""
        if root not in self.stated:
            raise mended(
                f"{text}: {root!r} is in no table here: state what the file does not say, "
                f"terms={{{root!r}: {{'multiplier': ..., 'currency': ...}}}}",
                f"--terms {root}:multiplier=...,currency=...",
                value=root,
            )
        self.used.add(root)
        return Option(**{"underlying": root, **terms, **self.stated[root]})

    def is_money_fund(self, symbol: str, description: str) -> bool:
        """Whether a row's own words, or the caller, say that it is a money-market fund.

        Such funds have five letters that end in XX (Nasdaq, Mutual Fund Quotation Service): an exchange-traded fund of
        the money market, or an option on one, is none.
        """
        name = symbol.rstrip("*")
        return name in self.money_funds or (
            "MONEY MARKET" in description.upper() and _MONEY_FUND.fullmatch(name) is not None
        )


def sides(row: Row, quantity: float | None = None) -> tuple[float, float]:
    """Long and short of a row: a signed quantity, with a column of sides where there is one.

    A short row may print its quantity with a minus or without one; a long row that prints a minus contradicts itself.
    """
    amount = row.count() if quantity is None else quantity
    side = row.text("side").casefold()
    if side in ("short", "s", "sell", "sld", "-1", "sold"):
        amount = -abs(amount)
    elif side in ("long", "l", "buy", "b", "bot", "1", "bought"):
        if amount < 0.0:
            raise InvalidInput(f"quantity {amount:g} of a row that says {side}", where="quantity", code="contradiction")
    elif side:
        raise InvalidInput(f"side {side!r} is neither long nor short", where="side", value=side, code="unknown_name")
    return (amount, 0.0) if amount >= 0.0 else (0.0, -amount)


def option_parts(row: Row) -> tuple[dt.date, Literal["call", "put"], float] | None:
    """Expiry, right and strike in a row's columns; `None` where it has none of them. A part of them is refused."""
    strike = row.number("strike")
    said = {"expiry": row.has("expiry"), "right": row.has("right"), "strike": bool(strike)}
    if not any(said.values()):
        return None
    lacks = [row.named(name) for name, there in said.items() if not there]
    if lacks:
        raise MissingData(
            f"{row.text('symbol')}: a row of an option without {' and '.join(lacks)}", where=lacks[0], code="not_stated"
        )
    expiry = row.date("expiry")
    assert expiry is not None
    assert strike is not None
    return expiry, right_of(row.text("right")), strike


def agrees_with_columns(row: Row, said: OsiSymbol | Contract) -> None:
    """Refuses a row whose columns say another right or strike than its symbol; of a listed option, another expiry."""
    right = right_of(row.text("right")) if row.has("right") else None
    strike, expiry = row.number("strike") or None, row.date("expiry")
    own_expiry = said.expiry if isinstance(said, OsiSymbol) else None
    for what, stated, known in (
        ("right", right, said.right),
        ("strike", strike, said.strike),
        ("expiry", None if expiry is None or own_expiry is None else expiry.isoformat(), own_expiry),
    ):
        if stated is not None and stated != known:
            raise InvalidInput(
                f"{row.text('symbol')}: {what} is {stated} in its column and {known or 'none'} in its symbol",
                where=what,
                value=str(stated),
                code="contradiction",
            )


def right_of(text: str) -> Literal["call", "put"]:
    """Call or put."""
    word = text.strip().upper()
    if word in ("C", "CALL", "CE"):
        return "call"
    if word in ("P", "PUT", "PE"):
        return "put"
    raise InvalidInput(f"{text!r} is neither a call nor a put", where="right", value=text, code="unknown_name")
