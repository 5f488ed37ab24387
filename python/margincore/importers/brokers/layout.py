"""Where the rows of a file are: below titles, in sections, between totals and footers, or in a JSON document."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Any, Literal

from margincore._core import InvalidInput, MissingData, ParseError
from margincore.importers.brokers import ibkr
from margincore.importers.brokers.registry import DOCUMENTS, TABLES, matching, unknown
from margincore.importers.brokers.table import ABSENT, DELIMITERS, Format, Row, columns_of, date_of, plain
from margincore.importers.brokers.terms import is_option
from margincore.importers.text import text_rows
from margincore.json_objects import json_value
from margincore.numerals import amount

_SEARCHED = 200
"""The row that names the columns is among so many first ones."""

_TRAILERS = frozenset({"BOF", "BOA", "BOS", "EOS", "EOA", "EOF"})
"""What begins the headers and trailers of Interactive Brokers' Flex files; some are tickers as well."""
_TOTALS = frozenset({"total", "totals", "subtotal", "grand total", "account total", "positions total"})
_DATED = re.compile(
    r"(\d{4}[-/]\d{2}[-/]\d{2}|\d{1,2}/\d{1,2}/\d{4}|[A-Z][a-z]{2,8}[- ]\d{1,2},?[- ]\d{4}|\d{1,2}-[A-Z][a-z]{2}-\d{4})"
)
_TITLED = re.compile(r"positions (?:for|in) (?:account )?(?P<account>.+?)(?: as of .*)?", re.IGNORECASE | re.DOTALL)


@dataclass
class Layout:
    """The rows of a file with their formats, and what else is in it."""

    form: Format
    rows: list[Row] = field(default_factory=list)
    refused: list[tuple[str, str, ParseError]] = field(default_factory=list)
    """Rows that are no rows of the table: place, text and why."""
    notes: Counter[str] = field(default_factory=Counter)
    texts: list[str] = field(default_factory=list)
    """Titles and footers."""
    delimiter: str = ","
    declared: dict[str, str] = field(default_factory=dict)
    """Shares and funds by what another section says of them."""
    base: str = ""
    """The base currency of the account, where the file says it."""

    @cached_property
    def as_of(self) -> dt.date | None:
        """The day that the rows, else a title or footer, say."""
        days = {day for row in self.rows if "as_of" in row.columns and (day := self._day(row.text("as_of")))}
        if not days:
            for text in self.texts:
                if re.search(r"as of|date|period|generated|download|positions", text, re.IGNORECASE):
                    days |= {day for found in _DATED.findall(text)[-1:] if (day := self._day(found))}
        return max(days) if days else None

    def _day(self, text: str) -> dt.date | None:
        """A day that the file prints about itself; one that cannot be told is none, and noted."""
        try:
            return date_of(text, "date", month_first=self.form.month_first)
        except InvalidInput as error:
            if " could be " in str(error):
                self.notes[f"{error}; it is not taken for the day of the file"] += 0
            return None


def layout(text: str, name: str, form: Format | None) -> Layout:
    """The rows of a file. `form` is the format that the caller names, `None` where the columns decide."""
    start = text.lstrip()
    if not start:
        raise MissingData(f"{name}: the file is empty", code="missing_parameter", where=name)
    if start[0] == "<":
        what = "an HTML page" if re.match(r"<(!doctype html|html)", start, re.IGNORECASE) else "an XML document"
        raise ParseError(f"{name}: {what}: ask the broker for CSV (a Flex query: format CSV)", where=name)
    if start[0] in "{[":
        return _document(text, name, form)
    return _table(text, name, form)


# Tables ---------------------------------------------------------------------------------------------------------------


def _table(text: str, name: str, form: Format | None) -> Layout:
    among: Sequence[Format] = TABLES if form is None else (form,)
    refusal: ParseError | None = None
    widest: tuple[int, list[list[str]]] = (0, [])
    for delimiter in DELIMITERS:
        try:
            first = list(islice(text_rows(text, name, delimiter), _SEARCHED))
        except ParseError as error:
            refusal = refusal or error
            continue
        if form in (None, ibkr.ACTIVITY) and any(_is_activity(cells) for _, cells in first):
            return _activity(text, name, delimiter)
        for _, cells in first:
            if matching(cells, among) is not None:
                return _plain(text, name, delimiter, among)
        width = max((len(cells) for _, cells in first), default=0)
        if width > widest[0]:
            widest = width, [cells for _, cells in first]
    if refusal is not None:
        raise refusal
    wide = [cells for cells in widest[1] if len(cells) > 1] or widest[1]
    raise unknown(name, wide, among)


def _is_activity(cells: Sequence[str]) -> bool:
    return len(cells) > 4 and cells[1].strip() == "Header" and cells[0].strip().endswith("Open Positions")


def _spoken(cells: Sequence[str]) -> list[str]:
    """The cells that say something."""
    return [cell for cell in cells if cell.strip(" \t\xa0").casefold() not in ABSENT]


class _Sheet:
    """A table as it is read: its columns may be named again, or others for another section."""

    def __init__(self, found: Layout, name: str) -> None:
        self.found, self.name = found, name
        self.form: Format | None = None
        self.header: list[str] = []
        self.columns: dict[str, str] = {}
        self.printed: dict[str, str] = {}
        self.last = 0
        self.account = ""

    def begin(self, form: Format, header: list[str], line: int) -> None:
        """A row that names columns."""
        self.form, self.header = form, [plain(cell) for cell in header]
        self.columns = columns_of(form, header, f"{self.name}:{line}")
        self.printed = dict(zip(self.header, (cell.strip() for cell in header), strict=True))
        self.last = max(self.header.index(column) for column in self.columns.values())

    def add(self, line: int, cells: list[str]) -> None:
        """A row below the columns."""
        assert self.form is not None
        place = f"{self.name}:{line}"
        spoken = _spoken(cells)
        if not spoken:
            return
        lead = spoken[0].strip().rstrip(":").casefold()
        if (lead in _TOTALS or lead in self.form.totals) and not self._is_held(lead, cells):
            self.found.notes["rows of sums"] += 1
            return
        short = len(cells) <= self.last
        if short and self._is_text(spoken):
            self.found.notes["lines of text"] += 1
            self.found.texts.append(spoken[0])
            return
        if short or (len(cells) > len(self.header) and _spoken(cells[len(self.header) :])):
            shown = ",".join(cells)[:120]
            error = ParseError(f"{len(cells)} cells in a row of {len(self.header)} columns")
            self.found.refused.append((place, shown, error))
            return
        said = dict(zip(self.header, cells, strict=False))
        self.found.rows.append(Row(place, said, self.columns, self.form, self.printed, self.account))

    def _is_held(self, lead: str, cells: list[str]) -> bool:
        """Whether a row that begins as a sum has a quantity, and a word of it that may be a ticker: then it is one."""
        quantity = self.columns.get("quantity")
        at = self.header.index(quantity) if quantity is not None else len(cells)
        return " " not in lead and at < len(cells) and cells[at].strip(" \t\xa0").casefold() not in ABSENT

    @staticmethod
    def _is_text(spoken: list[str]) -> bool:
        """A footer: words, and no cell that is a number or an option."""
        words = " ".join(spoken).split()
        return len(words) >= 3 and not any(_is_number(cell) or is_option(cell) for cell in spoken)


def _is_number(cell: str) -> bool:
    """Whether a cell prints an amount, with either decimal point."""
    for point in (".", ","):
        try:
            amount(cell.strip().rstrip("%"), "cell", point)
        except InvalidInput:
            continue
        return True
    return False


def _plain(text: str, name: str, delimiter: str, among: Sequence[Format]) -> Layout:
    """A file of one table, or of sections that name their columns again."""
    found: Layout | None = None
    sheet: _Sheet | None = None
    texts: list[str] = []
    titles = 0
    title = ""
    for line, raw in text_rows(text, name, delimiter):
        cells = raw[2:] if raw[0] in ("HEADER", "DATA") and len(raw) > 4 else raw
        if raw[0] in _TRAILERS and _is_trailer(raw, sheet):
            continue
        spoken = _spoken(cells)
        if len(spoken) == 1 and (sheet is None or _is_title(spoken[0], found)):
            title = spoken[0].strip()
            texts.append(title)
            titles += 1
            continue
        if sheet is not None and found is not None and (named := _named_again(cells, sheet, found.form)) is not False:
            sheet.form = named
            if named is not None:
                sheet.begin(named, cells, line)
                sheet.account = _account_of(title) or sheet.account
            else:
                found.notes[f"a section of {', '.join(cells[:4])} ..."] += 0
            continue
        if sheet is None:
            form = matching(cells, among)
            if form is None:
                titles += 1
                texts += spoken[:2]
                continue
            found = Layout(form, delimiter=delimiter)
            sheet = _Sheet(found, name)
            sheet.begin(form, cells, line)
            sheet.account = _account_of(title)
            continue
        assert found is not None
        if sheet.form is None:
            found.notes["rows of other sections"] += 1
        else:
            sheet.add(line, cells)
    assert found is not None
    _base_cash(found)
    if titles:
        found.notes["lines of titles"] += titles
    found.texts = [*texts, *found.texts]
    return found


def _is_trailer(raw: list[str], sheet: _Sheet | None) -> bool:
    """Whether a row that begins like a header or trailer of a Flex file is one, and no holding of that ticker."""
    if sheet is None:
        return True
    if sheet.form not in (ibkr.FLEX, ibkr.CASH, None):
        return False
    return sheet.columns.get("symbol") != sheet.header[0] or len(raw) <= sheet.last


def _named_again(cells: list[str], sheet: _Sheet, form: Format) -> Format | Literal[False] | None:
    """The format of a row that names columns again: `None` for a section of something else, which Flex files have;
    `False` for any other row.
    """
    first = plain(cells[0]) if cells else ""
    if not first or first != sheet.header[0]:
        return False
    if form is ibkr.FLEX:
        return matching(cells, (form, ibkr.CASH))
    return matching(cells, (form,)) or False


def _is_title(text: str, found: Layout | None) -> bool:
    """A line between two tables that names the next account, as Schwab's."""
    return (
        found is not None
        and found.form.name == "schwab"
        and re.search(r"\.\.\.|account", text, re.IGNORECASE) is not None
    )


def _account_of(title: str) -> str:
    """The account that a title names."""
    found = _TITLED.fullmatch(title)
    account = (title if found is None else found["account"]).strip()
    if found is None and "..." not in title:
        return ""
    return "" if account.casefold().replace("-", " ").startswith("all accounts") else account


# An activity statement ------------------------------------------------------------------------------------------------


def _activity(text: str, name: str, delimiter: str) -> Layout:
    """The sections of an activity statement that hold something."""
    found = Layout(ibkr.ACTIVITY, delimiter=delimiter)
    sheets: dict[str, _Sheet] = {}
    headers: dict[str, list[str]] = {}
    account = ""
    for line, raw in text_rows(text, name, delimiter):
        cells = [cell.strip() for cell in raw]
        if len(cells) < 3:
            found.notes["lines of text"] += 1
            continue
        section, role, rest = cells[0], cells[1], cells[2:]
        held = section.endswith("Open Positions")
        if role == "Header":
            headers[section] = rest
            if held or section == "Cash Report":
                form = ibkr.ACTIVITY if held else ibkr.CASH
                missing = form.lacks(rest)
                if missing:
                    raise ParseError(f"{name}:{line}: section {section} has no column {', '.join(missing)}")
                sheets[section] = _Sheet(found, name)
                sheets[section].begin(form, rest, line)
                sheets[section].account = account
        elif role == "Data" and section in sheets:
            sheets[section].add(line, rest)
        elif role == "Data" and section in ("Account Information", "Statement"):
            account, _ = _said(found, section, rest, account)
        elif role == "Data" and section == "Financial Instrument Information":
            _declared(found, headers.get(section, []), rest)
        elif section in sheets or held:
            found.notes["rows of sums"] += 1
        else:
            found.notes[f"section {section}"] += 1
    for row in found.rows:
        row.account = row.account or account
    _base_cash(found)
    return found


def _base_cash(found: Layout) -> None:
    """Cash reports that have the sum in the base currency only: that is their cash, in the currency the file names."""
    ending = [row for row in found.rows if ibkr.is_ending(row)]
    several = {row.text("account") or row.account for row in ending if row.text("currency").upper() not in ibkr.BASE}
    for row in ending:
        if (row.text("account") or row.account) not in several:
            row.cells = {**row.cells, row.columns["currency"]: found.base or "the base currency, which no row names"}


def _said(found: Layout, section: str, rest: list[str], account: str) -> tuple[str, str]:
    name, value = rest[0], rest[1] if len(rest) > 1 else ""
    if section == "Account Information" and name == "Account":
        account = value.split()[0] if value else ""
    elif name == "Base Currency":
        found.base = value
    elif name == "Period":
        found.texts.append(f"period {value}")
    return account, name


def _declared(found: Layout, header: list[str], rest: list[str]) -> None:
    row = dict(zip((plain(cell) for cell in header), rest, strict=False))
    kind = {"ETF": "etf", "COMMON": "stock", "ADR": "stock", "REIT": "stock"}.get(row.get("type", ""))
    if kind is not None:
        for symbol in row.get("symbol", "").split(","):
            found.declared[symbol.strip()] = kind


# Documents ------------------------------------------------------------------------------------------------------------


def _document(text: str, name: str, form: Format | None) -> Layout:
    """The rows of a JSON document."""
    document = json_value(text, name)
    among: Sequence[Format] = DOCUMENTS if form is None else (form,)
    lists = list(
        _lists(document, sorted({path for each in among for path in each.list_of}, key=lambda path: -path.count(".")))
    )
    if isinstance(document, dict) and not lists:
        lists = [("", [document])]
    headers: list[list[str]] = []
    for path, items in lists:
        if not items:
            continue
        if not all(isinstance(item, dict) for item in items):
            raise ParseError(f"{name}: {path or 'the document'}: a list of objects is needed", where=path or None)
        keys = list(dict.fromkeys(key for item in items for key in item))
        headers.append(keys)
        chosen = matching(keys, among)
        if chosen is not None:
            return _objects(chosen, name, path, items)
    if lists and not headers:
        raise MissingData(
            f"{name}: {lists[0][0] or 'the document'} is an empty list: no position", code="missing_parameter"
        )
    raise unknown(name, headers or [[]], among)


def _lists(document: Any, paths: Sequence[str]) -> Iterator[tuple[str, list[Any]]]:
    if isinstance(document, list):
        yield "", document
        return
    for path in paths:
        at: Any = document
        for key in path.split("."):
            at = at.get(key) if isinstance(at, dict) else None
        if isinstance(at, list):
            yield path, at


def _objects(form: Format, name: str, path: str, items: Sequence[dict[str, Any]]) -> Layout:
    found = Layout(form)
    for at, item in enumerate(items):
        keys = list(item)
        cells = {plain(key): value for key, value in item.items()}
        columns = form.fields(keys)
        printed = {plain(key): key for key in keys}
        found.rows.append(Row(f"{name}: {path or 'row'}[{at}]", cells, columns, form, printed))
    return found
