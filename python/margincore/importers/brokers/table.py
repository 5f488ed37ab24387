"""The table inside a broker's file: which delimiter, which row names the columns, and cells by field.

A format says which columns it needs by their printed names; names are compared without case, blanks and punctuation,
so that ``Client Account ID`` is ``ClientAccountID``. Nothing is taken from the name of the file.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from margincore._core import InvalidInput, MissingData
from margincore.numerals import amount, point_of

DELIMITERS = (",", ";", "\t", "|")

ABSENT = frozenset({"", "-", "--", "---", "n/a", "na", "nan", "null", "none", "not available"})
"""What stands in a cell that says nothing; a NaN is no number."""

_NO_SYMBOL = frozenset({"", "-", "--", "---", "n/a", "N/A", "nan", "NaN", "null", "none", "None"})
"""The same for a symbol: NA and NAN are tickers."""

NUMBERS = frozenset(
    {"quantity", "long", "short", "mark", "value", "spot", "vol", "strike", "multiplier", "fx", "index", "parts"}
)
"""The fields that are amounts: their cells tell the decimal point of a file."""

_MONTHS = {
    name: at
    for at, name in enumerate(["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1)
}
_YEAR_FIRST = re.compile(r"(\d{4})[-/.]?(\d{2})[-/.]?(\d{2})(?:[T ;,].*)?")
_MONTH_FIRST = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2})(?:[ ,].*)?")
_NAMED = re.compile(r"(\d{1,2})[- ]?([A-Z]{3})[A-Z]*[- ,]*(\d{4}|\d{2})")
_NAMED_FIRST = re.compile(r"([A-Z]{3})[A-Z]*[- ]+(\d{1,2}),?[- ]+(\d{4})")


def plain(name: object) -> str:
    """A column's name as names are compared.

    >>> plain("Qty (Quantity)"), plain("\\ufeffPut/Call "), plain("Change %")
    ('qtyquantity', 'putcall', 'changepct')
    """
    return re.sub(r"[^a-z0-9]", "", str(name).casefold().replace("%", "pct"))


def date_of(text: str, what: str, *, month_first: bool = False) -> dt.date:
    """A date as brokers print it: year first, with the month's name, or in slashes.

    `month_first` is for formats of the United States. Elsewhere a date in slashes that could be either is refused.

    >>> date_of("11/25/2026", "date"), date_of("20261125", "date"), date_of("18DEC26", "expiry")
    (datetime.date(2026, 11, 25), datetime.date(2026, 11, 25), datetime.date(2026, 12, 18))
    >>> date_of("04/12/2026", "date", month_first=True)
    datetime.date(2026, 4, 12)
    >>> date_of("04/12/2026", "date")
    Traceback (most recent call last):
    margincore.InvalidInput: date '04/12/2026' could be 2026-04-12 or 2026-12-04: print it with the year first
    """
    upper = text.strip().upper()
    parts: tuple[int, int, int] | None = None
    if (found := _YEAR_FIRST.fullmatch(upper)) is not None:
        parts = int(found[1]), int(found[2]), int(found[3])
    elif (found := _MONTH_FIRST.fullmatch(upper)) is not None:
        first, second, year = (int(part) for part in found.groups()[:3])
        if not month_first and first != second and max(first, second) <= 12:
            century = 2000 if year < 100 else 0
            raise InvalidInput(
                f"{what} {text!r} could be {century + year}-{first:02}-{second:02} or "
                f"{century + year}-{second:02}-{first:02}: print it with the year first",
                where=what,
                value=text,
                code="bad_time",
            )
        parts = year, first, second
    elif (found := _NAMED.fullmatch(upper)) is not None and found[2] in _MONTHS:
        parts = int(found[3]), _MONTHS[found[2]], int(found[1])
    elif (found := _NAMED_FIRST.fullmatch(upper)) is not None and found[1] in _MONTHS:
        parts = int(found[3]), _MONTHS[found[1]], int(found[2])
    try:
        if parts is not None:
            return dt.date(parts[0] + (2000 if parts[0] < 100 else 0), *parts[1:])
    except ValueError:
        pass
    raise InvalidInput(f"{what} {text!r} is not a date such as 2026-12-18", where=what, value=text, code="bad_time")


@dataclass(slots=True)
class Row:
    """One row of a file: its place, its cells by field, and how its numbers are written."""

    place: str
    cells: Mapping[str, Any]
    columns: Mapping[str, str]
    """The column of every field, as names are compared."""
    form: Format
    printed: Mapping[str, str] = field(default_factory=dict)
    """The columns' names as the file prints them."""
    account: str = ""
    """The account of the section the row stands in, where no column names it."""
    point: str = "."

    def named(self, name: str) -> str:
        """A field's column as the file prints it."""
        column = self.columns.get(name, name)
        return self.printed.get(column, column)

    def has(self, name: str) -> bool:
        """Whether the field's cell says something."""
        return self.text(name) != ""

    def text(self, name: str) -> str:
        """The cell of a field, `""` where the file has no such column or the cell says nothing."""
        column = self.columns.get(name)
        value = None if column is None else self.cells.get(column)
        if value is None or isinstance(value, dict | list):
            return ""
        shown = str(value).strip(" \t\xa0\u200b\ufeff")
        says_nothing = shown in _NO_SYMBOL if name == "symbol" else shown.casefold() in ABSENT
        return "" if says_nothing else shown

    def needed(self, name: str) -> str:
        """The cell of a field that a row cannot do without."""
        found = self.text(name)
        if not found:
            raise MissingData(f"{self.named(name)} is empty", where=name, code="not_stated")
        return found

    def number(self, name: str) -> float | None:
        """The amount in a field's cell, `None` where it says nothing."""
        found = self.text(name)
        column = self.columns.get(name)
        if isinstance(self.cells.get(column or ""), bool):
            raise InvalidInput(f"{self.named(name)} is {found}: a number is needed", where=name, code="wrong_type")
        point = self.point if isinstance(self.cells.get(column or ""), str) else "."
        return amount(found, self.named(name), point) if found else None

    def count(self, name: str = "quantity") -> float:
        """The amount in a field that a row cannot do without."""
        self.needed(name)
        found = self.number(name)
        assert found is not None
        return found

    def price(self, name: str) -> float | None:
        """A mark or spot; 0 is what feeds print where they have none, and is no price."""
        return self.number(name) or None

    def date(self, name: str) -> dt.date | None:
        """The date in a field's cell."""
        found = self.text(name)
        return date_of(found, self.named(name), month_first=self.form.month_first) if found else None

    def shown(self) -> str:
        """The row as one line, shortened."""
        line = ",".join(str(value) for value in self.cells.values() if not isinstance(value, dict | list))
        return line if len(line) <= 120 else f"{line[:117]}..."


@dataclass(frozen=True)
class Format:
    """A format of position files: the columns by which it is known, and what a row of it says.

    `columns` are the printed names of every field, the preferred first; `needed` the fields without which a file is
    not of the format, `either` groups of fields of which one is needed. `read` turns a row into what is held.
    """

    name: str
    title: str
    source: str
    needed: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    read: Callable[..., Any]
    either: tuple[tuple[str, ...], ...] = ()
    only: bool = False
    """Whether a file with columns beside these is of another format."""
    declares: Callable[[Row], tuple[str, str] | None] | None = None
    """The symbol and kind of a share that a row itself says."""
    standard: Callable[[Row, Any], str | None] | None = None
    """The root whose options are standard ones, as a row of an option itself says."""
    totals: tuple[str, ...] = ()
    """What begins a row of sums, in small letters."""
    currency: str = "USD"
    month_first: bool = False
    """Whether its dates in slashes are those of the United States."""
    list_of: tuple[str, ...] = ()
    """The keys below which the rows of a JSON document stand; empty for a CSV."""
    units: str = "contracts and shares"
    cash: str = ""
    rows: Callable[[Sequence[Row]], tuple[list[Row], list[str]]] | None = None
    """What is left of the rows once details beside sums are gone, and what went."""

    def fields(self, header: Iterable[object]) -> dict[str, str]:
        """The column of every field that a header has, by its compared name."""
        names = {plain(cell) for cell in header}
        found = {}
        for name, printed in self.columns.items():
            for each in printed:
                if plain(each) in names:
                    found[name] = plain(each)
                    break
        return found

    def lacks(self, header: Iterable[object]) -> list[str]:
        """The printed names of columns that a header lacks to be of this format."""
        header = list(header)
        found = self.fields(header)
        missing = [" or ".join(self.columns[name][:2]) for name in self.needed if name not in found]
        missing += [
            " or ".join(self.columns[name][0] for name in group)
            for group in self.either
            if not any(name in found for name in group)
        ]
        if self.only and not missing:
            known = {plain(each) for printed in self.columns.values() for each in printed}
            missing += [f"(no column {cell})" for cell in header if plain(cell) and plain(cell) not in known]
        return missing

    @property
    def weight(self) -> int:
        """How much a match says: the number of columns it rests on."""
        return len(self.needed) + len(self.either) + self.only


def columns_of(form: Format, header: Sequence[object], place: str) -> dict[str, str]:
    """The columns of a header by field; one that is named twice is refused."""
    found = form.fields(header)
    names = [plain(cell) for cell in header]
    twice = [str(header[names.index(column)]) for column in found.values() if names.count(column) > 1]
    if twice:
        raise InvalidInput(f"{place}: a column is named twice: {twice[0]}", where=place, code="duplicate")
    return found


def decimal_point(rows: Iterable[Row], delimiter: str, name: str) -> str:
    """The decimal point of a file, by what its amounts show.

    Where nothing decides, it is a point in a file separated by commas. One separated otherwise, as spreadsheets write
    where the comma is the decimal point, is refused then where an amount could be read both ways; so is any whose
    amounts have points and commas that could each be either.
    """
    seen: dict[str, str] = {}
    either: dict[str, str] = {}
    for row in rows:
        for field_ in NUMBERS & row.columns.keys():
            shown = row.text(field_)
            if not isinstance(row.cells.get(row.columns[field_]), str):
                continue
            if (point := point_of(shown)) is not None:
                seen.setdefault(point, f"{row.place}: {shown}")
            else:
                for mark in {*shown} & {",", "."}:
                    either.setdefault(mark, f"{row.place}: {shown}")
    if len(seen) == 2 and delimiter != ",":
        raise InvalidInput(
            f"{name}: decimal points ({seen['.']}) and decimal commas ({seen[',']}) in one file: state decimal=",
            code="contradiction",
        )
    if not seen and either and (delimiter != "," or len(either) == 2):
        raise InvalidInput(
            f"{' and '.join(either[mark] for mark in sorted(either))}: nothing says whether its mark is a decimal "
            "point: state decimal='.' or decimal=','",
            code="not_stated",
        )
    return "," if "," in seen and "." not in seen else "."
