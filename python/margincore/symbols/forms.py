"""One form of a dialect: a pattern whose groups have the names that :func:`said_by` knows, and how it is printed."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from margincore.symbols.parts import (
    MONTHS,
    WEEKLY,
    date_of,
    decimal_text,
    month_code,
    month_name,
    needed,
    right_of,
    strike_of,
    year_of,
)  # fmt: skip
from margincore.symbols.symbol import Kind, Symbol

__all__ = ["day", "form", "printed", "said_by"]


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a dialect: `pattern` says roughly what it looks like, `read` what a text of that look says.

    The pattern is loose where a wrong character is worth a word: any letter may stand where a month code belongs, and
    `read` refuses it by name. `write` is the inverse of `read`; it may raise for what the form cannot say, and whoever
    calls it reads the text again.
    """

    dialect: str
    kind: Kind
    example: str
    pattern: re.Pattern[str]
    read: Callable[[re.Match[str], dt.date | None], Symbol]
    write: Callable[[Symbol], str]


def said_by(
    match: re.Match[str],
    dialect: str,
    on: dt.date | None = None,
    *,
    option: Kind = "option",
    month: int | None = None,
    places: int = 12,
    **more: Any,
) -> Symbol:
    """What the named groups of a match say, a future where there is no `right` among them, else an `option`.

    `root`; the contract month as `code` and `year`, as `month` (a name or a number) and `year`, or as `period`, 202612;
    the day of expiry as these with `day`, or as `date`, 20261218 or 261218; `right` and `strike`, of at most so many
    `places`. `month` is one that the groups do not say, `more` the other fields of the symbol.

    >>> said_by(re.fullmatch("(?P<root>..)(?P<code>.)(?P<year>..)", "ESZ26"), "globex_long")
    Symbol(future ES 2026-12, globex_long)
    """
    said = match.groupdict()
    fields = {**_when(said, month, on, match[0]), **more}
    root = said["root"].rstrip(" ")
    if "right" not in said:
        return Symbol("future", root, dialect, **fields)
    right, strike = right_of(said["right"].upper()), strike_of(said["strike"], places=places)
    return Symbol(option, root, dialect, right=right, strike=strike, **fields)


def _when(said: Mapping[str, str], month: int | None, on: dt.date | None, text: str) -> dict[str, Any]:
    expiry = None
    if "date" in said:
        date = said["date"]
        expiry = date_of(year_of(date[:-4], 1, None), int(date[-4:-2]), int(date[-2:]), date)
    if "period" in said:
        return {"year": int(said["period"][:4]), "month": int(said["period"][4:])}
    if "year" not in said:
        return {"expiry": expiry}
    if "code" in said:
        month = month_code(said["code"])
    elif month is None:
        month = month_name(said["month"]) if said["month"].isalpha() else int(said["month"])
    year = year_of(said["year"], month, on)
    if "day" in said:
        return {"expiry": date_of(year, month, int(said["day"]), text)}
    return {"expiry": expiry, "year": year, "month": month}


def form(dialect: str, kind: Kind, example: str, pattern: str, write: Callable[[Symbol], str] | str) -> Form:
    """A form that :func:`said_by` reads, and that a writer or a template of :func:`printed` prints."""

    def read(match: re.Match[str], on: dt.date | None) -> Symbol:
        return said_by(match, dialect, on, option="option" if kind == "future" else kind)

    writer = printed(write) if isinstance(write, str) else write
    return Form(dialect, kind, example, re.compile(pattern, re.ASCII), read, writer)


def day(symbol: Symbol) -> dt.date:
    """The day of expiry that a form has to print."""
    return needed(symbol.expiry, "day of expiry")


def _year(symbol: Symbol) -> int:
    return needed(symbol.year, "contract month")


def _month(symbol: Symbol) -> int:
    return needed(symbol.month, "contract month")


def _right(symbol: Symbol) -> str:
    return needed(symbol.right, "right")


_PRINTED: dict[str, Callable[[Symbol], str]] = {
    "root": lambda s: s.root,
    "d": lambda s: str(day(s).day), "dd": lambda s: f"{day(s):%d}",
    "m": lambda s: str(day(s).month), "mm": lambda s: f"{day(s):%m}",
    "yy": lambda s: f"{day(s):%y}", "yyyy": lambda s: f"{day(s):%Y}",
    "Mon": lambda s: MONTHS[day(s).month - 1].title(), "MON": lambda s: MONTHS[day(s).month - 1],
    "letter": lambda s: WEEKLY[day(s).month - 1],
    "contract_mm": lambda s: f"{_month(s):02}", "contract_Mon": lambda s: MONTHS[_month(s) - 1].title(),
    "contract_MON": lambda s: MONTHS[_month(s) - 1], "contract_yy": lambda s: f"{_year(s) % 100:02}",
    "contract_yyyy": lambda s: str(_year(s)),
    "C": lambda s: _right(s)[0].upper(), "Call": lambda s: _right(s).title(), "CALL": lambda s: _right(s).upper(),
    "strike": lambda s: decimal_text(s.strike), "strike.00": lambda s: decimal_text(s.strike, 2),
}  # fmt: skip


def printed(template: str) -> Callable[[Symbol], str]:
    """A writer of symbols from a text with ``<fields>``: root, right and strike; the day of expiry, and the contract
    month by fields with ``contract_`` in front.

    >>> printed("<root> <Mon> <d> '<yy> $<strike> <Call>")(
    ...     Symbol("option", "AAPL", "osi", dt.date(2026, 12, 8), right="call", strike=290.5))
    "AAPL Dec 8 '26 $290.5 Call"
    """
    pieces = re.split("<(.*?)>", template)
    fields = [_PRINTED[name] for name in pieces[1::2]]

    def write(symbol: Symbol) -> str:
        said = [field(symbol) for field in fields]
        return "".join(a + b for a, b in zip(pieces[::2], [*said, ""], strict=True))

    return write
