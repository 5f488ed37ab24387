"""From a file to what it holds: every row a position, cash, a note or a named refusal."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from margincore._core import InvalidInput, MarginError, MissingData, Position, Products, Securities, did_you_mean
from margincore.importers.brokers.layout import Layout, layout
from margincore.importers.brokers.own import mapped
from margincore.importers.brokers.record import PositionsFile, Refusal, refused
from margincore.importers.brokers.registry import named as format_named
from margincore.importers.brokers.table import Row, date_of, decimal_point
from margincore.importers.brokers.terms import Held, Item, Money, Passed, Terms
from margincore.importers.text import Source, read_source

__all__ = ["read_positions", "read_positions_by_account"]


def read_positions(
    source: Source,
    *,
    format: str | None = None,
    map: Mapping[str, str] | None = None,
    products: Products | None = None,
    equities: Iterable[str] = (),
    securities: Securities | None = None,
    lot: float | None = None,
    lenient: bool = False,
    account: str | None = None,
    terms: Mapping[str, Mapping[str, Any]] | None = None,
    money_funds: Iterable[str] = (),
    leave_out: Iterable[str] = (),
    decimal: Literal[".", ","] | None = None,
    on: dt.date | str | None = None,
    name: str | None = None,
) -> PositionsFile:
    """Positions, cash and quotes from a broker's, clearing house's or venue's file, as it was downloaded.

    `source` is a path, an open file, or the text or bytes of one (plain or gzip, UTF-8 or UTF-16). What it is is told
    by its columns, never by its name; :func:`position_formats` lists the formats, and ``docs/files.md`` what each of
    them reads and refuses. Titles, totals, footers and lots beside their sum are left out and noted.

    - `format`: one of those names, where the columns are of several; `map`: the column of every field of another table,
      ``{"symbol": "Ticker", "quantity": "Qty"}``.
    - `products`: the table that option roots are looked up in; `equities`: stocks whose options are standard (American,
      100 shares). A stock or fund that the file itself says is one declares its options standard as well.
      `securities`: what symbols are.
    - `lot`: the least quantity of a share; left out, shares with decimals have the lot that their decimals imply.
    - `terms`: what a file does not say, by root, root and month, or symbol: ``{"NIFTY": {"multiplier": 75}}``.
    - `money_funds`: symbols that are money-market funds, where no column says so: they become cash, as those do whose
      row says it.
    - `account`: which account of a file of several; `decimal`: the decimal point, where the file does not show it;
      `name`: what messages call the file.
    - `on`: the day that decides the year of such symbols as ``ESZ6``, where the file names none.
    - `lenient`: leave out what is refused; `leave_out`: ids of contracts to leave out, such as a future that a rulebook
      does not cover. Both are listed in `left_out`.

    Raises :class:`margincore.ParseError` for a file of no known format, with what the nearest two formats lack, and for
    what is no text; :class:`margincore.InvalidInput` for the refused rows, all at once, each with file and line
    (`refusals` of the error has them, with what would mend them; a single one keeps its own class).

    >>> text = '''"Positions for account Margin ...123 as of 04:30 PM ET, 2026/11/25"
    ...
    ... "Symbol","Description","Qty (Quantity)","Price","Mkt Val (Market Value)","Security Type"
    ... "MSFT","MICROSOFT CORP","250","$431.20","$107,800.00","Equity"
    ... "MSFT 01/15/2027 450.00 C","CALL MICROSOFT","-2","$9.85","-$1,970.00","Option"
    ... "Cash & Cash Investments","--","--","--","$8,150.25","Cash and Money Market"
    ... "Account Total","--","--","--","$113,980.25","--"
    ... '''
    >>> file = read_positions(text)
    >>> file.format, file.positions
    ('schwab', (Position("MSFT", 250), Position("MSFT270115C00450000", -2)))
    >>> dict(file.cash), dict(file.spots), dict(file.marks), str(file.as_of)
    ({'USD': 8150.25}, {'MSFT': 431.2}, {'MSFT270115C00450000': 9.85}, '2026-11-25')
    """
    found, own = _opened(source, format, map, products, equities, securities, lot, terms, money_funds, decimal, name)
    accounts = _accounts(found)
    if account is not None and account not in accounts:
        raise InvalidInput(
            f"{own.name}: account {account!r} is not one of {', '.join(map_names(accounts))}"
            f"{did_you_mean(account, list(accounts))}",
            where="account",
            value=account,
            code="unknown_name",
        )
    if account is None and len(accounts) > 1:
        raise InvalidInput(
            f"{own.name}: it holds {len(accounts)} accounts: {', '.join(map_names(accounts))}: choose one "
            f"with account= "
            "(--account-id), or read_positions_by_account reads them all",
            where="account",
            code="not_stated",
        )
    chosen = account if account is not None else accounts[0] if accounts else None
    own.terms.on = found.as_of or (date_of(on, "on") if isinstance(on, str) else on)
    rows = [row for row in found.rows if chosen is None or _account(row) == chosen]
    named = tuple(each for each in accounts if each)
    file = _read(found, rows, own, chosen, named, lenient, tuple(leave_out))
    if not file.left_out:
        _all_used(own, own.terms.used)
    return file


def read_positions_by_account(source: Source, *, lenient: bool = False, **options: Any) -> dict[str, PositionsFile]:
    """What :func:`read_positions` reads, by account, with its options but for `account`.

    >>> head = "Account Number,Symbol,Quantity,Last Price,Current Value\\n"
    >>> text = head + "A1,SPY,5,$600.00,$3000.00\\nB2,SPY,7,$600.00,$4200.00\\n"
    >>> {name: file.positions for name, file in read_positions_by_account(text).items()}
    {'A1': (Position("SPY", 5),), 'B2': (Position("SPY", 7),)}
    """
    known = ("format", "map", "products", "equities", "securities", "lot", "terms", "money_funds", "decimal", "name")
    for key in options:
        if key not in known:
            raise TypeError(f"read_positions_by_account() got an unexpected keyword argument {key!r}")
    given = {key: options.get(key) for key in known}
    given["equities"], given["money_funds"] = tuple(given["equities"] or ()), tuple(given["money_funds"] or ())
    found, own = _opened(source, *given.values())  # type: ignore[arg-type]
    accounts = _accounts(found)
    files = {}
    used: set[str] = set()
    rows: dict[str, list[Row]] = {each: [] for each in accounts}
    for row in found.rows:
        rows[_account(row)].append(row)
    named = tuple(each for each in accounts if each)
    for each in accounts:
        alone = own.again()
        files[each] = _read(found, rows[each], alone, each, named, lenient)
        used |= alone.terms.used
    _all_used(own, used)
    return files


def _all_used(own: _Own, used: set[str]) -> None:
    for name in own.terms.stated:
        if name not in used:
            raise InvalidInput(
                f"terms of {name!r} are stated, and no row of {own.name} needs them",
                where="terms",
                value=name,
                code="unknown_name",
            )


def map_names(accounts: Iterable[str]) -> list[str]:
    """Accounts as messages name them."""
    return [each or "(rows without one)" for each in accounts]


@dataclass(slots=True)
class _Own:
    """What the caller said, and what messages call the file."""

    name: str
    terms: Terms

    def again(self) -> _Own:
        """The same, for another account: what one account's rows declare is not another's."""
        return _Own(self.name, self.terms.fresh())


def _opened(
    source: Source,
    format: str | None,
    map: Mapping[str, str] | None,
    products: Products | None,
    equities: Iterable[str],
    securities: Securities | None,
    lot: float | None,
    terms: Mapping[str, Mapping[str, Any]] | None,
    money_funds: Iterable[str],
    decimal: str | None,
    name: str | None,
) -> tuple[Layout, _Own]:
    if format is not None and map is not None:
        raise InvalidInput("format and map: give one of them", code="contradiction", where="map")
    if decimal not in (None, ".", ","):
        raise InvalidInput(f"decimal {decimal!r} is not '.' or ','", where="decimal", value=decimal)
    form = format_named(format) if format is not None else mapped(dict(map)) if map is not None else None
    called, text = read_source(source, name)
    found = layout(text, called, form)
    point = decimal or decimal_point(found.rows, found.delimiter, called)
    for row in found.rows:
        row.point = point
    if found.form.rows is not None:
        found.rows, gone = found.form.rows(found.rows)
        found.notes.update(gone)
    own = _Own(called, Terms(products, tuple(equities), securities, lot, dict(terms or {}), tuple(money_funds)))
    return found, own


def _account(row: Row) -> str:
    return row.text("account") or row.account


def _accounts(found: Layout) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_account(row) for row in found.rows))


@dataclass(slots=True)
class _Sums:
    """What rows add up to: sides by contract, cash, quotes. A quote that rows contradict is none, and noted."""

    sides: dict[str, list[float]] = field(default_factory=dict)
    contracts: dict[str, Any] = field(default_factory=dict)
    cash: dict[str, float] = field(default_factory=dict)
    quotes: dict[str, dict[str, float]] = field(default_factory=lambda: {"mark": {}, "vol": {}, "spot": {}, "fx": {}})
    doubtful: set[tuple[str, str]] = field(default_factory=set)
    notes: Counter[str] = field(default_factory=Counter)

    def add(self, item: Item) -> None:
        if isinstance(item, Passed):
            self.notes[item.what] += 1
        elif isinstance(item, Money):
            self.cash[item.currency] = self.cash.get(item.currency, 0.0) + item.amount
        else:
            Position(item.contract, long=item.long, short=item.short)  # a quantity that is none is refused on its row
            known = self.contracts.setdefault(item.contract.id, item.contract)
            if known != item.contract:
                raise InvalidInput(f"'{item.contract.id}' has other terms on an earlier row", code="contradiction")
            both = self.sides.setdefault(item.contract.id, [0.0, 0.0])
            both[0] += item.long
            both[1] += item.short
            for kind, value in (("mark", item.mark), ("vol", item.vol)):
                if value is not None:
                    self.quote(kind, item.contract.id, value)
            if item.spot is not None:
                self.quote("spot", *item.spot)

    def quote(self, kind: str, name: str, value: float) -> None:
        contract = self.contracts.get(name)
        if value < 0.0 and (contract is None or contract.kind != "future"):
            raise InvalidInput(
                f"{kind} of {name} is {value:g}: below zero", where=kind, value=value, code="out_of_range"
            )
        known = self.quotes[kind].setdefault(name, value)
        if known != value and (kind, name) not in self.doubtful:
            self.doubtful.add((kind, name))
            self.notes[f"{kind} of {name} is {known:g} and {value:g}: none is taken"] += 0

    def certain(self, kind: str) -> dict[str, float]:
        return {name: value for name, value in self.quotes[kind].items() if (kind, name) not in self.doubtful}

    def positions(self) -> Iterator[Position]:
        for id_, (long, short) in self.sides.items():
            long, short = round(long, 9), round(short, 9)
            if long == 0.0 and short == 0.0:
                self.notes["contracts whose rows add up to nothing"] += 1
            elif long and short:
                yield Position(self.contracts[id_], long=long, short=short)
            else:
                yield Position(self.contracts[id_], long - short)


def _read(
    found: Layout,
    rows: list[Row],
    own: _Own,
    account: str | None,
    accounts: tuple[str, ...],
    lenient: bool,
    leave_out: tuple[str, ...] = (),
) -> PositionsFile:
    terms = own.terms
    terms.on = terms.on or found.as_of
    terms.declared.update(found.declared)
    for row in rows:
        if row.form.declares is not None:
            said = row.form.declares(row)
            if said is not None and said[0]:
                terms.declare(*said)
    # A share or fund that the file itself says is one has standard options.
    says = {root for row in rows if row.form.standard is not None and (root := row.form.standard(row, terms))}
    terms.standard({*terms.declared} | says)
    for row in rows:
        _decimals(row, terms)
    sums = _Sums()
    refusals = [Refusal(place, text, str(error), error.code) for place, text, error in found.refused]
    errors: list[MarginError] = []
    for place, _, error in found.refused:
        error.named(place)
        errors.append(error)
    left = set(leave_out)
    for row in rows:
        try:
            try:
                item = row.form.read(row, terms)
                if isinstance(item, Held) and item.contract.id in leave_out:
                    left.discard(item.contract.id)
                    refusals.append(
                        Refusal(row.place, row.shown(), f"{item.contract.id} is left out by name", "not_covered")
                    )
                    continue
                sums.add(item)
            except (OverflowError, ArithmeticError, UnicodeError) as error:
                raise InvalidInput(f"a value that cannot be: {error}") from None
            _fx(row, sums, found)
        except MarginError as error:
            refusals.append(Refusal(row.place, row.shown(), str(error), error.code, error.mend))
            error.named(row.place)
            errors.append(error)
    if errors and not lenient:
        raise refused(own.name, tuple(refusals), errors, len(rows) + len(found.refused))
    if left:
        raise InvalidInput(
            f"leave_out: {own.name} does not hold {', '.join(sorted(left))}", where="leave_out", code="missing_contract"
        )
    positions = tuple(sums.positions())
    if not positions and not sums.cash:
        if errors:  # an account of which nothing is left is no account
            raise refused(own.name, tuple(refusals), errors, len(rows) + len(found.refused))
        raise MissingData(f"{own.name}: no row holds anything: an account holds something", code="missing_parameter")
    notes = {**found.notes, **sums.notes}
    return PositionsFile(
        positions, sums.cash, sums.certain("mark"), sums.certain("spot"), sums.certain("vol"), sums.certain("fx"),
        found.form.name, own.name, account or None, accounts, found.as_of,
        tuple(refusals),
        tuple(f"{what}: {count}" if count else what for what, count in notes.items()),
        tuple(terms.written_on.values()),
    )  # fmt: skip


def _decimals(row: Row, terms: Terms) -> None:
    """The lot of a share that no column declares, by the decimals of its quantity."""
    symbol, quantity = row.text("symbol").rstrip("*"), row.text("quantity")
    if "." in quantity or "," in quantity:
        digits = quantity.rpartition(row.point)[2] if row.point in quantity else ""
        digits = "".join(c for c in digits if c.isdigit()).rstrip("0")
        if digits:
            terms.decimals(symbol, len(digits))


def _fx(row: Row, sums: _Sums, found: Layout) -> None:
    """The rate of a row's currency in the account's base currency."""
    rate = row.number("fx") if "fx" in row.columns else None
    currency = row.text("currency")
    if rate is None or not currency or rate <= 0.0:
        return
    if not found.base:
        bases = {
            each.text("currency") for each in found.rows if "fx" in each.columns and each.text("fx") in ("1", "1.0")
        }
        found.base = bases.pop() if len(bases) == 1 else "?"
    if found.base != "?" and currency != found.base:
        sums.quote("fx", f"{currency}{found.base}", rate)
